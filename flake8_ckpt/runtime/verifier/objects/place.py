"""Where a path leads: the owner of a value and the part of it, to look at its class or to set it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.optim import Optimizer

from flake8_ckpt.runtime.verifier.objects.reach import is_array
from flake8_ckpt.runtime.verifier.objects.reach import is_leaf
from flake8_ckpt.runtime.verifier.objects.reach import join
from flake8_ckpt.runtime.verifier.objects.reach import key_text
from flake8_ckpt.runtime.verifier.objects.reach import parts_of

MISSING = object()


class Unplaceable(Exception):
    """A value that cannot be set where it stood; the text says why."""


@dataclass(frozen=True)
class Step:
    """One step of a path: the owner, and the part of it (".name" or "[key]") that leads on."""

    owner: Any
    part: str


def steps(root: object, path: str) -> list[Step]:
    """Return the steps from a root to a path, as far as the owners are there; the last may lead nowhere."""
    found: list[Step] = []
    owner, here = root, ""
    while here != path:
        step = next_step(owner, here, path)
        found.append(Step(owner, step[0]))
        here, owner = join(here, step[0]), step[1]
        if owner is MISSING:
            break
    return found


def next_step(owner: object, here: str, path: str) -> tuple[str, object]:
    """Return the part of an owner that leads towards a path, and what is there; MISSING where nothing is."""
    for part, child in () if is_leaf(owner) else parts_of(owner):
        there = join(here, part)
        if part and (path == there or path.startswith((f"{there}.", f"{there}["))):
            return part, child
    rest = path[len(here) :]
    return rest if rest.startswith((".", "[")) else f".{rest}", MISSING


def is_single(step: Step) -> bool:
    """Return whether a part is one name or one key, so that it can be set where nothing is yet."""
    return step.part.startswith("[") or step.part[1:].isidentifier()


def put(owner: Any, part: str, value: object) -> None:
    """Set a part of an owner, past its own `__setattr__`; raise Unplaceable where that cannot be."""
    if isinstance(owner, Optimizer) and part == ".state":
        put_optimizer_state(owner, value)
    elif part.startswith("."):
        put_attribute(owner, part[1:], value)
    elif isinstance(owner, dict):
        put_item(owner, part, value)
    elif isinstance(owner, list | deque) and 0 <= int(part[1:-1]) < len(owner):
        owner[int(part[1:-1])] = value
    elif is_array(owner):
        owner.flat[int(part[1:-1])] = value
    else:
        raise Unplaceable(f"a {type(owner).__name__} cannot be changed")


def put_attribute(owner: Any, name: str, value: object) -> None:
    """Set an attribute, of a module in the table that has it."""
    tables: Sequence[dict[str, Any]] = (
        (owner._parameters, owner._buffers, owner._modules) if isinstance(owner, nn.Module) else ()
    )
    for table in tables:
        if name in table:
            table[name] = value
            return
    if hasattr(owner, "__dict__") and not is_slot(type(owner), name):
        owner.__dict__[name] = value
    else:
        object.__setattr__(owner, name, value)


def is_slot(kind: type, name: str) -> bool:
    """Return whether a class keeps an attribute in a slot."""
    return any(name in base.__dict__.get("__slots__", ()) for base in kind.__mro__)


def put_item(owner: dict[Any, Any], part: str, value: object) -> None:
    """Set an item under the key that a path shows."""
    key = next((key for key in owner if f"[{key_text(key)}]" == part), MISSING)
    if key is MISSING:
        raise Unplaceable(f"there is no {part}")
    owner[key] = value


def put_optimizer_state(optimizer: Optimizer, value: object) -> None:
    """Set the state of an optimizer from one by the positions of the parameters."""
    parameters = [item for group in optimizer.param_groups for item in group["params"]]
    state = value if isinstance(value, dict) else {}
    optimizer.state.clear()
    optimizer.state.update({p: state[index] for index, p in enumerate(parameters) if index in state})


def take(owner: Any, part: str) -> None:
    """Take a part away that was not there: an attribute, or an item of a mapping."""
    if part.startswith(".") and part[1:] in getattr(owner, "__dict__", {}):
        del owner.__dict__[part[1:]]
    elif isinstance(owner, dict):
        for key in [key for key in owner if f"[{key_text(key)}]" == part]:
            del owner[key]
    else:
        raise Unplaceable(f"a part of a {type(owner).__name__} cannot be taken away")
