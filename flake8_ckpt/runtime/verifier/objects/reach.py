"""Everything that is reachable from an object, each thing once, with the path that leads there.

Modules give parameters, buffers, submodules, then their plain attributes; optimizers their state by the
position of the parameter; other objects their attributes. Breadth first, so that paths are short.
"""

from __future__ import annotations

import functools
import random
import sys
from collections import deque
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import Any
from typing import TypeGuard

import torch
from torch import nn
from torch.optim import Optimizer

from flake8_ckpt.runtime.verifier.objects.opaque import is_machinery
from flake8_ckpt.runtime.verifier.objects.opaque import is_opaque

Parts = Iterable[tuple[str, object]]
PLAIN = (
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    type(None),
    Enum,
    PurePath,
    torch.dtype,
    torch.device,
    torch.Size,
)
MODULE_INTERNALS = frozenset(nn.Module().__dict__)
MOST = 100_000


@dataclass(frozen=True)
class Node:
    """One reachable value; `same_as` is the first path to it when this is another path to the same object."""

    path: str
    value: object
    same_as: str | None = None


def reach(root: object) -> Iterator[Node]:
    """Yield what is reachable from `root`, itself first under the path ""; stop after `MOST` values."""
    waiting: deque[tuple[str, object]] = deque([("", root)])
    seen: dict[int, str] = {}
    alive: list[object] = []
    while waiting and len(alive) < MOST:
        path, value = waiting.popleft()
        if not is_opaque(value) or is_data(value):
            alive.append(value)
            first = path if is_shared_constant(value) else seen.setdefault(id(value), path)
            yield Node(path, value, None if first == path else first)
            if first == path:
                waiting.extend((join(path, part), child) for part, child in parts_of(value))
    if waiting:
        yield Node(waiting[0][0], TooMany())


class TooMany:
    """Stands where a walk was cut off."""


def join(path: str, part: str) -> str:
    """Return the path of a part: `.name` for an attribute, `[key]` for an item."""
    return path + part if path else part.removeprefix(".")


def is_plain(value: object) -> bool:
    """Return whether a value is a constant such as a number or a text, numpy's scalars included."""
    numpy = sys.modules.get("numpy")
    return isinstance(value, PLAIN) or (numpy is not None and isinstance(value, numpy.generic))


def is_data(value: object) -> bool:
    """Return whether a value holds state even if its class lives among torch's machinery."""
    return (
        is_plain(value) or isinstance(value, nn.Module | torch.Tensor) or generator_state(value) is not None
    )


def is_shared_constant(value: object) -> bool:
    """Return whether Python may use one object for equal values, so that identity says nothing."""
    return is_plain(value) or isinstance(value, tuple | frozenset)


def parts_of_tensor(value: torch.Tensor) -> list[torch.Tensor]:
    """Return the tensors that hold the memory of one: a wrapper, such as a DTensor, has others in it."""
    flatten = getattr(value, "__tensor_flatten__", None)
    parts = [value] if flatten is None else [getattr(value, name) for name in flatten()[0]]
    return [part for part in parts if isinstance(part, torch.Tensor)]


def is_array(value: object) -> TypeGuard[Any]:
    """Return whether a value is a numpy array."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def generator_state(value: object) -> Callable[[], object] | None:
    """Return what reads the state of a random generator, or None for anything else."""
    numpy = sys.modules.get("numpy")
    if isinstance(value, torch.Generator):
        return value.get_state
    if isinstance(value, random.Random):
        return value.getstate
    if numpy is not None and isinstance(value, numpy.random.Generator):
        return lambda: value.bit_generator.state
    if numpy is not None and isinstance(value, numpy.random.RandomState):
        return lambda: value.get_state(legacy=False)
    return None


def is_leaf(value: object) -> bool:
    """Return whether a value is compared as a whole."""
    if is_plain(value) or isinstance(value, torch.Tensor) or generator_state(value):
        return True
    if is_array(value):
        return not value.dtype.hasobject
    return isinstance(value, list | tuple | deque | set | frozenset) and all(map(is_plain, value))


def parts_of(value: object) -> Parts:
    """Return what a value is made of, each with its part of the path."""
    if is_leaf(value) or isinstance(value, TooMany):
        return ()
    if isinstance(value, nn.Module):
        return parts_of_module(value)
    if isinstance(value, Optimizer):
        return parts_of_optimizer(value)
    if isinstance(value, torch.amp.GradScaler):
        return (("", value.state_dict()),)
    if isinstance(value, dict):
        return ((f"[{key_text(key)}]", item) for key, item in list(value.items()))
    if isinstance(value, list | tuple | deque | set | frozenset):
        return ((f"[{index}]", item) for index, item in enumerate(islice(value, MOST)))
    if is_array(value):
        return ((f"[{index}]", item) for index, item in enumerate(value.flat))
    return attributes_of(value)


def parts_of_module(module: nn.Module) -> Parts:
    """Yield parameters, buffers, submodules and other attributes; of a wrapper such as DDP not the last."""
    for table in (module._parameters, module._buffers, module._modules):
        yield from ((f".{name}", item) for name, item in table.items())
    for part, item in () if is_machinery(type(module)) else attributes_of(module):
        name = part.removeprefix(".")
        if name not in MODULE_INTERNALS and not is_computed(module, name):
            yield part, item


def is_computed(module: nn.Module, name: str) -> bool:
    """Return whether a hook computes an attribute from parameters, as pruning and the older weight norms do."""
    return any(f"{name}_{suffix}" in module._parameters for suffix in ("orig", "g"))


def parts_of_optimizer(optimizer: Optimizer) -> Parts:
    """Yield the groups, and the state under the position of its parameter."""
    for index, group in enumerate(optimizer.param_groups):
        yield f".param_groups[{index}]", group
    parameters = [item for group in optimizer.param_groups for item in group["params"]]
    yield ".state", {index: optimizer.state[p] for index, p in enumerate(parameters) if p in optimizer.state}


def attributes_of(value: object) -> Parts:
    """Yield what an object holds in its `__dict__` and `__slots__`, without values that only cache a property."""
    kind = type(value)
    held: dict[str, object] = dict(getattr(value, "__dict__", {}))
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                held.setdefault(name, getattr(value, name))
    for name, item in held.items():
        if not isinstance(getattr(kind, name, None), functools.cached_property):
            yield f".{name}", item


def key_text(key: object) -> str:
    """Return how a key of a mapping stands in a path; the address of an object is no part of it."""
    if is_plain(key) or isinstance(key, tuple):
        return repr(key)
    return f"<{type(key).__name__}>"
