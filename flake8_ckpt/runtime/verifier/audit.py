"""What a module holds and its state_dict() does not: the dynamic twin of the CKP1 rules."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Number
from typing import Any
from typing import TypeGuard

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer

from flake8_ckpt.runtime.verifier.compare import is_below
from flake8_ckpt.runtime.verifier.objects.reach import Node
from flake8_ckpt.runtime.verifier.objects.reach import is_array
from flake8_ckpt.runtime.verifier.objects.reach import is_plain
from flake8_ckpt.runtime.verifier.objects.reach import reach
from flake8_ckpt.runtime.verifier.objects.sharing import address
from flake8_ckpt.runtime.verifier.objects.snapshot import Frozen
from flake8_ckpt.runtime.verifier.objects.snapshot import freeze
from flake8_ckpt.runtime.verifier.objects.snapshot import same


@dataclass(frozen=True)
class Unsaved:
    """One value that state_dict() does not hold.

    `kind` is "tensor", "buffer" (one with persistent=False), "array", "number", "container", "optimizer" or
    "helper", which is another object that is no module;
    `detail` names the class or the value. `shape`, `dtype` and `device` are None where there is none.
    `stays_behind` says that a tensor is not where the parameters are: `.to()` did not move it.
    """

    path: str
    kind: str
    detail: str
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    device: str | None = None
    stays_behind: bool = False

    def __str__(self) -> str:
        words = [self.kind, self.path, self.detail]
        words += [] if self.shape is None else [f"{self.dtype} {list(self.shape)} on {self.device}"]
        return " ".join(word for word in words if word) + (
            ": stays behind on .to()" if self.stays_behind else ""
        )


def audit(module: nn.Module) -> tuple[Unsaved, ...]:
    """Return what is reachable from a module and not in its state_dict(), in the order of the paths' lengths.

    What `get_extra_state` returns counts as held, by name and value, and so does a number that repeats a
    buffer of its name. Numbers of torch's own layers and those
    named in `__constants__` are left out; containers are listed where they hold tensors, arrays or modules,
    once and without their items; optimizers once; other helpers that are not modules before the tensors,
    arrays and numbers in them.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"audit() takes a module, not a {type(module).__name__}")
    held = Held.of(module)
    rows = list(unsaved(module, held))
    paths = [row.path for row in rows]
    return tuple(
        row for row in rows if row.kind != "helper" or any(is_below(path, [row.path]) for path in paths)
    )


@dataclass(frozen=True)
class Held:
    """What a module's state_dict() holds: memory, registered parts, and extra state with its names.

    `devices` are those of the parameters and buffers.
    """

    addresses: frozenset[int]
    modules: frozenset[int]
    extra: tuple[tuple[str, Frozen], ...]
    buffers: frozenset[int]
    devices: frozenset[torch.device]

    @classmethod
    def of(cls, module: nn.Module) -> Held:
        """Return what this module's state_dict() holds."""
        nodes = [(key, node) for key, value in module.state_dict().items() for node in reach(value)]
        extra = [(name_of(node.path), freeze(node)) for key, node in nodes if key.endswith("_extra_state")]
        extra += [
            (name_of(key), Frozen("number", node.value.item()))
            for key, node in nodes
            if is_number(node.value)
        ]
        return cls(
            frozenset(address(node.value) for _, node in nodes) - {0},
            frozenset(map(id, module.modules())),
            tuple(extra),
            frozenset(map(id, module.buffers())),
            frozenset(item.device for item in (*module.parameters(), *module.buffers())),
        )

    def has(self, value: object) -> bool:
        """Return whether a value is registered, or shares its memory with something that is."""
        lazy = isinstance(value, torch.Tensor) and is_lazy(value)
        return lazy or id(value) in self.modules or address(value) in self.addresses

    def has_extra(self, node: Node) -> bool:
        """Return whether extra state has an equal value, by this name where it has names."""
        frozen, name = freeze(node), name_of(node.path)
        return any(other in ("", name) and same(frozen, value) for other, value in self.extra)


def name_of(path: str) -> str:
    """Return the last name in a path, of an attribute or an item."""
    return path.rpartition(".")[2].rpartition("[")[2].rstrip("]").strip("'\"")


def is_number(value: object) -> TypeGuard[torch.Tensor]:
    """Return whether a tensor holds one number, without a dimension."""
    return isinstance(value, torch.Tensor) and not is_lazy(value) and not value.is_meta and value.dim() == 0


def unsaved(module: nn.Module, held: Held) -> Iterator[Unsaved]:
    """Yield what is not held; a container or an optimizer covers what is below it."""
    fixed = constants(module)
    covered: list[str] = []
    for node in reach(module):
        if node.same_as is not None or is_below(node.path, covered) or node.path in fixed:
            continue
        row = None if held.has(node.value) or held.has_extra(node) else describe(node, held)
        if row is not None:
            yield row
            covered += [node.path] if row.kind in ("container", "optimizer") else []


def constants(module: nn.Module) -> set[str]:
    """Return the paths of numbers that are what a layer was made with, by torch's own account."""
    found = set()
    for name, part in module.named_modules():
        names: set[str] = set(getattr(part, "__constants__", ()))
        if type(part).__module__.startswith("torch."):
            names |= {key for key, value in vars(part).items() if is_plain(value)}
        found |= {f"{name}.{key}" if name else key for key in names}
    return found


def describe(node: Node, held: Held) -> Unsaved | None:
    """Return the row of one value, or None for what is not listed: modules, texts, empty containers."""
    value: Any = node.value
    if isinstance(value, torch.Tensor):
        return describe_tensor(node.path, value, held)
    if is_array(value):
        return Unsaved(node.path, "array", "", tuple(value.shape), str(value.dtype), "cpu")
    if isinstance(value, Number) and not isinstance(value, bool):
        return Unsaved(node.path, "number", repr(value))
    if isinstance(value, dict | list | tuple | set | frozenset | deque):
        content = content_of(value, held)
        return Unsaved(node.path, "container", f"{type(value).__name__} of {content}") if content else None
    if isinstance(value, nn.Module) or not hasattr(value, "__dict__"):
        return None
    kind = "optimizer" if isinstance(value, Optimizer) else "helper"
    return Unsaved(node.path, kind, type(value).__qualname__)


def describe_tensor(path: str, value: torch.Tensor, held: Held) -> Unsaved:
    """Return the row of a tensor."""
    kind, detail = ("buffer", "persistent=False") if id(value) in held.buffers else ("tensor", "")
    dtype = str(value.dtype).removeprefix("torch.")
    away = bool(held.devices) and value.device not in held.devices
    return Unsaved(path, kind, detail, tuple(value.shape), dtype, str(value.device), away)


def content_of(values: object, held: Held) -> str:
    """Return what a container holds that is not registered, at any depth; "" if that is no state."""
    items = [node.value for node in reach(values) if not held.has(node.value)]
    modules = sum(isinstance(item, nn.Module) for item in items)
    if modules:
        return f"{modules} modules"
    tensors = sum(isinstance(item, torch.Tensor) for item in items)
    arrays = sum(map(is_array, items))
    return f"{tensors} tensors" if tensors else f"{arrays} arrays" if arrays else ""
