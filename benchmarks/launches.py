"""Count the operations of a step on `meta`, which takes the path of a GPU: there, each costs a launch."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.peers import Maker
from benchmarks.table import format_table
from flake8_ckpt.runtime import DiscountedReturnNormalizer
from flake8_ckpt.runtime import RunningMeanStd
from flake8_ckpt.runtime import RunningMeanStdDict
from flake8_ckpt.runtime.normalizers.distributed import merge_packed

ROWS, WIDTH, RANKS = 4096, 64, 64
Step = Callable[[], object]


class Counter(TorchDispatchMode):
    """Counts operations that are no views."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.number = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Count one and do it."""
        self.number += not func.is_view
        return func(*args, **(kwargs or {}))


def count_operations(step: Step) -> int:
    """Return what the third call takes."""
    step()
    step()
    with Counter() as counter:
        step()
    return int(counter.number)


def list_steps() -> dict[str, tuple[Step, int]]:
    """Return what is counted of ours, and how many operations each may be."""
    x = torch.empty(ROWS, WIDTH, device="meta")
    plain, skip = RunningMeanStd(WIDTH, device="meta"), RunningMeanStd(WIDTH, nonfinite="skip", device="meta")
    returns = DiscountedReturnNormalizer(ROWS, device="meta")
    nested = RunningMeanStdDict(dict.fromkeys("abcd", WIDTH), device="meta")
    gathered = torch.empty(RANKS, 3 + 2 * WIDTH, dtype=torch.float64, device="meta")
    return {
        "ours": (partial(plain.update_and_normalize, x), 20),
        "ours, skip": (partial(skip.update_and_normalize, x), 30),
        "ours, returns": (partial(returns.update_and_normalize, x[:, 0], x[:, 0] > 0), 30),
        "ours, dict of four": (partial(nested.update_and_normalize, dict.fromkeys("abcd", x)), 40),
        f"ours, merge of {RANKS} ranks": (partial(merge_packed, gathered, torch.Size([WIDTH])), 16),
    }


def count_peer(make: Maker) -> str:
    """Return the operations of a peer, or why they cannot be counted."""
    x: Tensor = torch.empty(ROWS, WIDTH, device="meta")
    try:
        return str(count_operations(partial(make(WIDTH, "meta", 1e-8).step, x)))
    # A peer that reads a value, which `meta` has not, fails in its own way.
    except Exception as error:
        return f"not on meta: {type(error).__name__}"


def format_launches(peers: Mapping[str, Maker]) -> str:
    """Return the table of operations for one update and normalize of 4096x64."""
    rows = []
    for name, (step, most) in list_steps().items():
        number = count_operations(step)
        rows.append((name, str(number), str(most), "met" if number <= most else "MISSED"))
    rows += [(name, count_peer(make), "", "") for name, make in peers.items()]
    return format_table([f"operations of a step, {ROWS}x{WIDTH} on meta", "number", "at most", "bar"], rows)
