"""Memory that two objects share: a payload that stays tied to what was loaded, a state_dict that went stale."""

from __future__ import annotations

from collections.abc import Container
from collections.abc import Iterator
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer

from flake8_ckpt.runtime.verifier.compare import is_ignored
from flake8_ckpt.runtime.verifier.objects.reach import is_array
from flake8_ckpt.runtime.verifier.objects.reach import parts_of_tensor
from flake8_ckpt.runtime.verifier.objects.reach import reach
from flake8_ckpt.runtime.verifier.objects.snapshot import Frozen
from flake8_ckpt.runtime.verifier.objects.snapshot import describe
from flake8_ckpt.runtime.verifier.objects.snapshot import same
from flake8_ckpt.runtime.verifier.problem import Problem


def address(value: object) -> int:
    """Return where the memory of a tensor or an array begins; 0 for anything else."""
    if isinstance(value, torch.Tensor):
        if is_lazy(value) or value.is_meta or value.layout is not torch.strided:
            return 0
        return parts_of_tensor(value)[0].untyped_storage().data_ptr()
    if is_array(value):
        return int((value.base if is_array(value.base) else value).ctypes.data)
    return 0


def addresses(root: object) -> dict[int, str]:
    """Return where the memory of everything reachable begins, with the path to it."""
    found: dict[int, str] = {}
    for node in reach(root):
        found.setdefault(address(node.value), node.path)
    found.pop(0, None)
    return found


def aliased(
    target: object, other: object, name: str, before: Container[int], via: str, ignore: Sequence[str]
) -> Iterator[Problem]:
    """Yield what a loaded object shares with its payload or its source, and did not share before loading.

    The state of torch's optimizers is left out: they keep the tensors that they are given, by design.
    """
    others = addresses(other)
    by_design = [node.path for node in reach(target) if isinstance(node.value, Optimizer)]
    payload_of_design = [f"{top}.state" if top else "state" for top in by_design]
    for place, path in addresses(target).items():
        if place in others and place not in before and not is_ignored(path, (*ignore, *payload_of_design)):
            found = f"shares its memory with {others[place]} of {name}: an update changes both"
            yield Problem("aliased", path, "", found, (via,))


def held_tensors(source: object) -> dict[str, torch.Tensor]:
    """Return the tensors of a module's state_dict that are the module's own memory, not made by the call."""
    if not isinstance(source, nn.Module):
        return {}
    first, second = source.state_dict(), source.state_dict()
    return {
        name: value
        for name, value in first.items()
        if address(value) and address(value) == address(second[name])
    }


def left_behind(source: object, held: dict[str, torch.Tensor]) -> Iterator[Problem]:
    """Yield what an earlier state_dict no longer follows, because a buffer was bound to another tensor."""
    now = source.state_dict() if isinstance(source, nn.Module) and held else {}
    for name, value in held.items():
        current = now.get(name)
        if current is None or current.shape != value.shape or address(current) == address(value):
            continue
        before, after = Frozen("tensor", value), Frozen("tensor", current)
        if not same(before, after):
            found = f"updates bind another tensor, so that an earlier state_dict() keeps {describe(before)}"
            yield Problem("stale", name, describe(after), found)
