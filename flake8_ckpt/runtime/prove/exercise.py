"""Run a method of a fresh object with guessed inputs until an attribute changes, in a way that can be repeated."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from flake8_ckpt.runtime.prove.construction import Recipe
from flake8_ckpt.runtime.prove.guesses import vocabulary
from flake8_ckpt.runtime.prove.inputs import call_texts
from flake8_ckpt.runtime.prove.inputs import wanted_width
from flake8_ckpt.runtime.prove.methods import methods_to_run
from flake8_ckpt.runtime.verifier.objects.snapshot import Snapshot
from flake8_ckpt.runtime.verifier.objects.snapshot import same_snapshot
from flake8_ckpt.runtime.verifier.objects.snapshot import snapshot

TIMES = 2
SEED = 7
SECONDS = 4.0
# So many calls of a method may work and change nothing before the next one is tried.
MOST_IDLE = 4
MOST_FAILED = 120


class Unchanged(Exception):
    """No call changed the attribute; the text says which were tried and what they said."""


@dataclass(frozen=True)
class Exercise:
    """A method and the expressions of its arguments, which are run twice."""

    method: str
    arguments: Mapping[str, str]

    def __str__(self) -> str:
        texts = [value if name.isdigit() else f"{name}={value}" for name, value in self.arguments.items()]
        return f"{self.method}({', '.join(texts)})"

    def __call__(self, owner: Any) -> object:
        """Run it on an object in training mode, with the same random numbers each time, and return the last output."""
        torch.manual_seed(SEED)
        random.seed(SEED)
        if isinstance(owner, nn.Module):
            owner.train()
        names = vocabulary() | {"SAME": owner}
        output: object = None
        for _ in range(TIMES):
            positional = [
                eval(value, dict(names)) for name, value in self.arguments.items() if name.isdigit()
            ]
            named = {
                name: eval(value, dict(names)) for name, value in self.arguments.items() if not name.isdigit()
            }
            target = owner if self.method == "forward" else getattr(owner, self.method)
            output = target(*positional, **named)
        return output


def part_of(owner: Any, attribute: str) -> Snapshot:
    """Return a copy of an attribute, which may be one of a part, empty where there is none."""
    first, _, rest = attribute.partition(".")
    if rest:
        return part_of(getattr(owner, first, None), rest)
    held = {
        **getattr(owner, "_parameters", {}),
        **getattr(owner, "_buffers", {}),
        **getattr(owner, "_modules", {}),
    }
    held |= vars(owner) if hasattr(owner, "__dict__") else {}
    if attribute not in held:
        return {}
    return snapshot(held[attribute])


def find_exercise(recipe: Recipe, attribute: str, deadline: float) -> Exercise:
    """Return what changes an attribute of the objects of a recipe; raise `Unchanged` where nothing does."""
    tried: list[str] = []
    until = min(deadline, time.monotonic() + SECONDS)
    for method in methods_to_run(recipe.kind, attribute.partition(".")[0]):
        found, why = _with_method(recipe, method, attribute, until)
        if found is not None:
            return found
        tried.append(f"{method}(): {why}" if why else f"{method}()")
    if not tried:
        raise Unchanged(f"no method that changes '{attribute}' was found")
    raise Unchanged(f"no call changed '{attribute}': {'; '.join(tried[:3])}")


def _with_method(recipe: Recipe, method: str, attribute: str, until: float) -> tuple[Exercise | None, str]:
    hints: list[int] = []
    idle = failed = 0
    why = ""
    for arguments in call_texts(recipe.make(), method, hints):
        if time.monotonic() > until or idle == MOST_IDLE or failed == MOST_FAILED:
            break
        exercise, owner = Exercise(method, arguments), recipe.make()
        before = part_of(owner, attribute)
        try:
            exercise(owner)
        except (Exception, SystemExit) as error:
            failed += 1
            why = why or f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
            width = wanted_width(error)
            if width is not None and width not in hints:
                hints.append(width)
            continue
        if not same_snapshot(before, part_of(owner, attribute)):
            return exercise, ""
        idle += 1
    return None, "it ran and changed nothing" if idle else why
