"""Build an object of a class: with the arguments of its calls, then with guesses, until one way works."""

from __future__ import annotations

import time
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import count
from itertools import product
from typing import Any

import torch

from flake8_ckpt.runtime.prove.guesses import guesses
from flake8_ckpt.runtime.prove.guesses import is_anything
from flake8_ckpt.runtime.prove.guesses import parameters_of
from flake8_ckpt.runtime.prove.guesses import required
from flake8_ckpt.runtime.prove.guesses import vocabulary
from flake8_ckpt.runtime.prove.moving import moving
from flake8_ckpt.runtime.prove.stand_ins import is_stand_in

WIDTHS = (4, 8, 16, 3, 64)
MOST_TRIES = 150
SECONDS = 10.0
SEEDS = count(1)
Arguments = Mapping[str, str]


class NotBuilt(Exception):
    """No arguments were found with which the class can be made; the text says why."""


@dataclass(frozen=True)
class Recipe:
    """How an object is made: the class, the expressions of its arguments, and what they may name.

    With `moves`, `.to()` gives another tensor, as it does where the device is another.
    """

    kind: type
    arguments: Arguments
    namespace: Mapping[str, Any]
    moves: bool = False

    def __str__(self) -> str:
        texts = [value if name.isdigit() else f"{name}={value}" for name, value in self.arguments.items()]
        return f"{self.kind.__qualname__}({', '.join(texts)})"

    def make(self) -> Any:
        """Return a new object, with a seed of its own: what is drawn at random is not to be equal by chance."""
        torch.manual_seed(next(SEEDS))
        with moving() if self.moves else nullcontext():
            return self._made()

    def _made(self) -> Any:
        positional = [self._value(value) for name, value in self.arguments.items() if name.isdigit()]
        named = {name: self._value(value) for name, value in self.arguments.items() if not name.isdigit()}
        return self.kind(*positional, **named)

    def _value(self, expression: str) -> Any:
        return eval(expression, dict(self.namespace))


def recipes(
    kind: type, calls: tuple[Arguments, ...], module: Mapping[str, Any]
) -> Iterator[tuple[Recipe, Any]]:
    """Yield ways to make an object, each with an object made so; raise `NotBuilt` where there is none."""
    if any(map(is_stand_in, kind.__mro__)):
        base = next(each for each in kind.__mro__ if is_stand_in(each))
        raise NotBuilt(f"its base {base.__name__} could not be imported")
    namespace = {**vocabulary(), **module}
    deadline, reason, found = time.monotonic() + SECONDS, "", False
    tried: set[tuple[tuple[str, str], ...]] = set()
    for arguments in _candidates(kind, calls, namespace):
        key = tuple(arguments.items())
        if key in tried:
            continue
        if len(tried) == MOST_TRIES or time.monotonic() > deadline:
            break
        tried.add(key)
        recipe = Recipe(kind, arguments, namespace)
        try:
            made = recipe.make()
        except (Exception, SystemExit) as error:
            reason = reason or f"{type(error).__name__}: {error}"
            continue
        found = True
        yield recipe, made
    if not found:
        raise NotBuilt(f"no arguments were found for {kind.__qualname__}{_signature(kind)}: {_short(reason)}")


def _signature(kind: type) -> str:
    names = ", ".join(required(kind))
    return f"({names})"


def _short(text: str) -> str:
    return " ".join(text.split())[:160]


def _candidates(kind: type, calls: tuple[Arguments, ...], namespace: dict[str, Any]) -> Iterator[Arguments]:
    """Yield arguments: those of calls, those of calls with what cannot be evaluated guessed, and guesses alone."""
    for width in WIDTHS:
        for call in calls:
            yield from _completed(kind, call, namespace, width)
    for width in WIDTHS:
        yield from _guessed(kind, {}, namespace, width)


def _completed(kind: type, call: Arguments, namespace: dict[str, Any], width: int) -> Iterator[Arguments]:
    """Yield the arguments of a call by name, as far as they can be evaluated here."""
    names = list(parameters_of(kind))
    named = {
        names[int(name)] if name.isdigit() and int(name) < len(names) else name: value
        for name, value in call.items()
    }
    known = {name: value for name, value in named.items() if name in names and _evaluates(value, namespace)}
    yield from _guessed(kind, known, namespace, width)


def _evaluates(expression: str, namespace: dict[str, Any]) -> bool:
    try:
        eval(expression, dict(namespace))
    except (Exception, SystemExit):
        return False
    return True


def _guessed(kind: type, known: Arguments, namespace: dict[str, Any], width: int) -> Iterator[Arguments]:
    """Yield the known arguments with guesses for the required ones: the likeliest, one changed, then two."""
    order = list(parameters_of(kind))
    parameters = {name: each for name, each in required(kind).items() if name not in known}
    options = {
        name: guesses(name, each.annotation, namespace, width)[:5] for name, each in parameters.items()
    }
    first = {name: values[0] for name, values in options.items()}

    def arranged(changed: Arguments) -> Arguments:
        chosen = {**known, **first, **changed}
        return {name: chosen[name] for name in order if name in chosen}

    yield arranged({})
    anything = {name for name, each in parameters.items() if is_anything(name, each.annotation)}
    yield arranged({name: f"Anything({width})" for name in anything})
    for name, values in options.items():
        yield from (arranged({name: value}) for value in values[1:])
    for name, value in _switched(kind, known, namespace, width):
        yield arranged({name: value})
    for one, other in product(options, options):
        if one < other:
            yield from (
                arranged({one: a, other: b}) for a, b in product(options[one][1:3], options[other][1:3])
            )


def _switched(
    kind: type, known: Arguments, namespace: dict[str, Any], width: int
) -> Iterator[tuple[str, str]]:
    """Yield what a constructor may leave out: its switches the other way round, and a value in the place of None."""
    for name, each in parameters_of(kind).items():
        if isinstance(each.default, bool) and name not in known:
            yield name, repr(not each.default)
        if each.default is None and name not in known:
            yield name, guesses(name, each.annotation, namespace, width)[0]
