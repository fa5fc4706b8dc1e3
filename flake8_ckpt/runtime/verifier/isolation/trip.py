"""The trip into a new process: what is sent there, and what its answer says was lost."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flake8_ckpt.runtime.verifier.compare import Trip
from flake8_ckpt.runtime.verifier.compare import compare
from flake8_ckpt.runtime.verifier.compare import is_ignored
from flake8_ckpt.runtime.verifier.continuation import Outcome
from flake8_ckpt.runtime.verifier.continuation import diverged
from flake8_ckpt.runtime.verifier.isolation import child
from flake8_ckpt.runtime.verifier.isolation.request import Answer
from flake8_ckpt.runtime.verifier.isolation.request import Request
from flake8_ckpt.runtime.verifier.isolation.surroundings import Binding
from flake8_ckpt.runtime.verifier.isolation.surroundings import Surroundings
from flake8_ckpt.runtime.verifier.objects.snapshot import describe
from flake8_ckpt.runtime.verifier.objects.snapshot import same
from flake8_ckpt.runtime.verifier.objects.snapshot import same_snapshot
from flake8_ckpt.runtime.verifier.origin import bound_at
from flake8_ckpt.runtime.verifier.problem import Problem

ENDED = (
    "the new process ended with exit code {code} and no answer; "
    "a script that verifies has to do so below if __name__ == '__main__':"
)


class NewProcessEnded(Exception):
    """A new process that gave no answer."""


@dataclass(frozen=True)
class Around:
    """What was around an object before and after the exercise, and the values of what the exercise changed."""

    initial: Surroundings
    saved: Surroundings
    changed: dict[Binding, bytes]


def around(initial: Surroundings, saved: Surroundings) -> Around:
    """Return what the exercise changed around an object, with the values as they are now, where they pickle."""
    moved = [
        each for each, value in saved.items() if each in initial and not same_snapshot(value, initial[each])
    ]
    return Around(initial, saved, {each: pickled(each.get()) for each in moved})


def pickled(value: object) -> bytes:
    """Return a value as a pickle; b"" for one that cannot be sent."""
    try:
        return pickle.dumps(value)
    except Exception:
        return b""


def check_importable(functions: Iterable[Callable[..., Any] | None]) -> None:
    """Raise TypeError for a function that a new process cannot import."""
    for function in functions:
        try:
            pickle.dumps(function)
        except Exception as error:
            name = getattr(function, "__qualname__", repr(function))
            message = f"isolated=True: a new process cannot import {name}: define it at the top of a module"
            raise TypeError(message) from error


def ask(request: Request, folder: Path) -> Answer:
    """Return what a new process answers; raise NewProcessEnded where it does not."""
    question, reply = folder / "request.pickle", folder / "answer.pickle"
    question.write_bytes(pickle.dumps(request))
    process = multiprocessing.get_context("spawn").Process(target=child.run, args=(question, reply))
    process.start()
    process.join()
    if not reply.exists():
        raise NewProcessEnded(ENDED.format(code=process.exitcode))
    answer: Answer = pickle.loads(reply.read_bytes())
    return answer


@dataclass(frozen=True)
class Verdict:
    """What a new process did not get back: problems, and what going on did not need."""

    problems: list[Problem]
    notes: list[Problem]


def judge(
    trip: Trip, answer: Answer, parts: Around, expected: Outcome | None, ignore: Sequence[str]
) -> Verdict:
    """Return what was lost on the way into a new process, with what going on tells of it."""
    if answer.refused:
        return Verdict([Problem("refused", "load", "", answer.refused, (trip.via,))], [])
    parted = []
    if expected is not None and answer.outcome is not None:
        parted = list(diverged(trip, expected, answer.outcome, ignore))
    unlike = list(compare(trip, ignore))
    is_problem = expected is None or bool(parted)
    verdict = Verdict([*parted, *(unlike if is_problem else [])], [] if is_problem else unlike)
    for binding, problem in lost_bindings(trip.via, answer, parts, ignore):
        matters = expected is None or (bool(parted) and binding in answer.causes)
        (verdict.problems if matters else verdict.notes).append(problem)
    return verdict


def lost_bindings(
    via: str, answer: Answer, parts: Around, ignore: Sequence[str]
) -> Iterator[tuple[Binding, Problem]]:
    """Yield the attributes of classes and the globals that a new process has as they are in the source."""
    for binding in parts.changed:
        saved, there = parts.saved[binding], answer.surroundings.get(binding, {})
        if same_snapshot(saved, there) or is_ignored(str(binding), ignore):
            continue
        part = next(path for path in (*saved, *there) if not same(saved.get(path), there.get(path)))
        found = f"a new process has {describe(there.get(part))}"
        origin = bound_at(binding.place(), binding.name, str(binding))
        name = f"{binding}{'.' * part[:1].isidentifier()}{part}"
        yield binding, Problem("lost", name, describe(saved.get(part)), found, (via,), origin)
