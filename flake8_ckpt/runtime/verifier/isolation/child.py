"""The new process: load, look, go on, and see which of the changed bindings matter."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import nn

from flake8_ckpt.runtime.verifier.continuation import Outcome
from flake8_ckpt.runtime.verifier.continuation import attempt
from flake8_ckpt.runtime.verifier.continuation import differ
from flake8_ckpt.runtime.verifier.isolation.request import Answer
from flake8_ckpt.runtime.verifier.isolation.request import Request
from flake8_ckpt.runtime.verifier.isolation.surroundings import Binding
from flake8_ckpt.runtime.verifier.isolation.surroundings import read
from flake8_ckpt.runtime.verifier.media.choice import medium_of
from flake8_ckpt.runtime.verifier.objects.snapshot import Frozen
from flake8_ckpt.runtime.verifier.objects.snapshot import Snapshot
from flake8_ckpt.runtime.verifier.objects.snapshot import snapshot
from flake8_ckpt.runtime.verifier.problem import one_line
from flake8_ckpt.runtime.verifier.randomness import restore


def run(request_file: Path, answer_file: Path) -> None:
    """Read a request, do as it says, and write the answer."""
    request = pickle.loads(request_file.read_bytes())
    answer_file.write_bytes(pickle.dumps(answer(request)))


def answer(request: Request) -> Answer:
    """Return what a new process makes of a file."""
    for binding in request.changed:
        import_module(binding.module)
    around, replay = read(request.changed), Replay.of(request)
    target = made(request)
    fresh = snapshot(target)
    try:
        loaded = loaded_into(request, target)
    except Exception as error:
        return Answer(fresh, {}, around, None, frozenset(), one_line(error))
    state = snapshot(loaded)
    if request.continue_with is None:
        return Answer(fresh, state, around, None, frozenset())
    restore(request.random)
    outcome = attempt(loaded, request.continue_with)
    return Answer(fresh, state, around, outcome, frozenset(causes(replay, tuple(replay.originals))))


def made(request: Request) -> Any:
    """Return a new object, on the device."""
    target = request.make()
    is_moved = request.device is not None and isinstance(target, nn.Module)
    return target.to(request.device) if is_moved else target


def loaded_into(request: Request, target: Any) -> Any:
    """Return the object that holds what the file has."""
    return medium_of(request.medium, request.load).load(target, request.path).target


@dataclass(frozen=True)
class Replay:
    """Lets copies go on in this process, with some bindings as they were when saved, the others as in the source."""

    request: Request
    originals: dict[Binding, bytes]

    @classmethod
    def of(cls, request: Request) -> Replay:
        """Remember what the bindings are now that can be put in."""
        return cls(
            request, {each: pickle.dumps(each.get()) for each, value in request.changed.items() if value}
        )

    def effect(self, put_in: Sequence[Binding]) -> Snapshot:
        """Return what going on gives; all bindings are put back before."""
        for binding, original in self.originals.items():
            binding.set(pickle.loads(self.request.changed[binding] if binding in put_in else original))
        target = loaded_into(self.request, made(self.request))
        restore(self.request.random)
        act: Callable[[Any], object] = self.request.continue_with or partial(bool)
        outcome = attempt(target, act)
        return {"raised": Frozen("text", outcome)} if isinstance(outcome, str) else flat(outcome)


def flat(outcome: Outcome) -> Snapshot:
    """Return outputs and states in one table."""
    outputs = {f"output {path}": value for path, value in outcome.output.items()}
    return outputs | {f"state {path}": value for path, value in outcome.state.items()}


def causes(replay: Replay, bindings: tuple[Binding, ...]) -> Iterator[Binding]:
    """Yield the bindings that matter when they are put in alone, or are left out alone."""
    if not bindings:
        return
    bare, whole = replay.effect(()), replay.effect(bindings)
    for binding in bindings:
        others = [each for each in bindings if each != binding]
        if not agree(replay.effect([binding]), bare) or not agree(replay.effect(others), whole):
            yield binding


def agree(one: Snapshot, other: Snapshot) -> bool:
    """Return whether two copies went on alike."""
    return not any(differ(one, other, path) for path in (*one, *other))
