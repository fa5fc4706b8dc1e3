"""Change what an attribute holds, as training would do: its weights, its statistics, its optimizer."""

from __future__ import annotations

from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from flake8_ckpt.runtime.verifier.objects.reach import is_array
from flake8_ckpt.runtime.verifier.objects.reach import reach


def trained(owner: Any, attribute: str) -> None:
    """Do to what is trainable below an attribute what a step of an optimizer would do."""
    nodes = list(reach(getattr(owner, attribute)))
    with torch.no_grad():
        for node in nodes:
            value = node.value
            if isinstance(value, torch.Tensor) and value.is_floating_point() and value.requires_grad:
                value.add_(1.0)


def changed_by_hand(owner: Any, attribute: str) -> None:
    """Change all numbers below an attribute: tensors and arrays by one, an optimizer and a scheduler by a step."""
    *parts, attribute = attribute.split(".")
    for part in parts:
        owner = getattr(owner, part)
    value = getattr(owner, attribute)
    if isinstance(value, Optimizer):
        _step(value)
    elif isinstance(value, LRScheduler):
        value.optimizer.step()
        value.step()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        setattr(owner, attribute, value + 1)
    else:
        _add_one(value)


def _step(optimizer: Optimizer) -> None:
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.ones_like(parameter)
    optimizer.step()


def _add_one(value: Any) -> None:
    nodes = list(reach(value))
    with torch.no_grad():
        for node in nodes:
            held = node.value
            if isinstance(held, torch.Tensor) and held.is_floating_point():
                held.add_(1.0)
            elif is_array(held) and held.dtype.kind == "f":
                held += 1
            elif hasattr(held, "__dict__") and not isinstance(held, torch.nn.Module):
                _count_up(held)


def _count_up(held: Any) -> None:
    """Add one to the plain numbers that an object holds as attributes."""
    for name, number in list(vars(held).items()):
        if isinstance(number, (int, float)) and not isinstance(number, bool):
            vars(held)[name] = number + 1
