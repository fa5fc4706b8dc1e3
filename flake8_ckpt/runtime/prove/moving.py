"""Let `.to()` do what it does where the device is another: give a new tensor, which is no parameter any more."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

MOVES = ("to", "cuda")


@contextmanager
def moving() -> Iterator[None]:
    """Have the moves of tensors, though not of modules, give copies in the block; `.cuda()` stays on the CPU."""
    before = {name: getattr(torch.Tensor, name) for name in MOVES}
    for name, original in before.items():
        setattr(torch.Tensor, name, _copying(name, original))
    try:
        yield
    finally:
        for name, original in before.items():
            setattr(torch.Tensor, name, original)


def _copying(name: str, original: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def move(tensor: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        moved = tensor if name == "cuda" else original(tensor, *args, **options)
        return tensor.clone() if moved is tensor else moved

    return move
