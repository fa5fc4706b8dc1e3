"""How many operations a step is, counted on `meta`, which takes the path of a GPU; and that none asks the host to wait.

What `meta` cannot give is a value: an operation that reads one there fails, as it would wait for a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from typing import cast

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from flake8_ckpt.runtime import DiscountedReturnNormalizer
from flake8_ckpt.runtime import RunningMeanStd
from flake8_ckpt.runtime import RunningMeanStdDict
from flake8_ckpt.runtime.normalizers.distributed import merge_packed

META = torch.device("meta")
KEYS = ("a", "b", "c", "d")


class Counter(TorchDispatchMode):
    """Counts operations that are no views."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.number: int = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.number += not func.is_view
        return func(*args, **(kwargs or {}))


def operations(step: Callable[[], object]) -> int:
    """Return what the third call takes."""
    step()
    step()
    with Counter() as counter:
        step()
    return int(counter.number)


def batch(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.empty(*shape, dtype=dtype, device=META)


@pytest.mark.parametrize("size", [(1, 64), (4096, 64), (65536, 256)])
@pytest.mark.parametrize(
    "options, most",
    [
        ({}, 20),
        ({"clip": None, "until": 10**6}, 20),
        ({"nonfinite": "skip"}, 30),
        ({"decay": 0.9}, 30),
        ({"sync": "manual"}, 20),
    ],
)
def test_update_and_normalize(options: dict[str, Any], most: int, size: tuple[int, int]) -> None:
    normalizer, rows = RunningMeanStd(size[1], device=META, **options), batch(*size)
    assert operations(lambda: normalizer.update_and_normalize(rows)) <= most
    assert operations(lambda: (normalizer.update(rows), normalizer.normalize(rows))) <= most


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64, torch.int64, torch.uint8])
def test_other_dtypes_take_as_many(dtype: torch.dtype) -> None:
    normalizer, rows = RunningMeanStd(8, device=META), batch(64, 8, dtype=dtype)
    assert operations(lambda: normalizer.update_and_normalize(rows)) <= 21


def test_masked_rows() -> None:
    normalizer, rows, mask = RunningMeanStd(8, device=META), batch(64, 8), batch(64, dtype=torch.bool)
    assert operations(lambda: normalizer.update_and_normalize(rows, mask=mask)) <= 30


def test_normalize_only() -> None:
    normalizer, rows = RunningMeanStd(8, device=META), batch(64, 8)
    assert operations(lambda: normalizer(rows)) <= 8


def test_returns() -> None:
    normalizer = DiscountedReturnNormalizer(4096, device=META)
    reward, done = batch(4096), batch(4096, dtype=torch.bool)
    assert operations(lambda: normalizer.update_and_normalize(reward, done)) <= 30


@pytest.mark.parametrize("number", [4, 12])
def test_nested_observations(number: int) -> None:
    keys = [f"key{place}" for place in range(number)]
    normalizer = RunningMeanStdDict({key: (2, 8 + len(key)) for key in keys}, device=META)
    given = {key: batch(4096, 2, 8 + len(key)) for key in keys}
    assert operations(lambda: normalizer.update_and_normalize(given)) <= 40
    assert operations(partial(normalizer.update, given)) + operations(partial(normalizer, given)) <= 40
    shapes = {key: value.shape for key, value in normalizer.normalize(given).items()}
    assert shapes == {key: value.shape for key, value in given.items()}


@pytest.mark.parametrize("ranks", [2, 64, 1024])
def test_merge_of_ranks_is_constant(ranks: int) -> None:
    gathered = batch(ranks, 3 + 2 * 64, dtype=torch.float64)
    assert operations(lambda: merge_packed(gathered, torch.Size([64]))) <= 16


@pytest.mark.parametrize(
    "options", [{}, {"nonfinite": "skip", "decay": 0.9, "until": 99}, {"sync": "manual"}]
)
def test_nothing_waits(options: dict[str, Any]) -> None:
    normalizer, rows = RunningMeanStd(8, device=META, **options), batch(64, 8)
    normalizer.update(rows, mask=batch(64, dtype=torch.bool))
    normalizer.update(rows[:0])
    normalizer.eval().update(rows)
    normalizer.train().update_from_moments(rows[0], rows[0], normalizer.count)
    normalizer.normalize(rows.half())
    torch.autograd.grad(normalizer.normalize(rows.requires_grad_()).sum(), rows)
    normalizer.denormalize(rows)
    normalizer.freeze()
    normalizer.unfreeze()
    normalizer.merge(RunningMeanStd(8, device=META))
    normalizer.reset()
    with pytest.raises(RuntimeError, match="meta"):
        normalizer.count.item()


def test_first_batch_says_the_device() -> None:
    normalizer, nested = RunningMeanStd(), RunningMeanStdDict()
    normalizer.update(batch(64, 8))
    nested.update({key: batch(64, 8) for key in KEYS})
    assert {buffer.device for each in (normalizer, nested) for buffer in each.buffers()} == {META}


def test_packed_entries_equal_single_ones(device: torch.device, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = "flake8_ckpt.runtime.normalizers.packed"
    one = other = RunningMeanStdDict()
    shapes: dict[str, Any] = {"a": 4, "b": {"c": (2, 3), "d": ()}}
    generator = torch.Generator().manual_seed(0)
    for step in range(4):
        drawn = torch.randn(20, 11, generator=generator).to(device) * 9 + 1e3
        given: dict[str, Any] = {
            "a": drawn[:, :4],
            "b": {"c": drawn[:, 4:10].reshape(20, 2, 3), "d": drawn[:, 10]},
        }
        if step == 0:
            one, other = (RunningMeanStdDict(shapes, device=device, clip=3.0) for _ in range(2))
            for each in (one, other):
                cast("RunningMeanStd", each.entries["a"]).freeze()
        # On the CPU each goes alone: tell that this is another device.
        monkeypatch.setattr(f"{packed}._is_cpu", lambda x: False)
        together = one.update_and_normalize(given)
        monkeypatch.setattr(f"{packed}._is_cpu", lambda x: True)
        single = other.update_and_normalize(given)
        assert torch.allclose(together["b"]["c"], single["b"]["c"], atol=1e-6)
        assert torch.allclose(together["b"]["d"], single["b"]["d"], atol=1e-6)
        assert torch.equal(together["a"], given["a"])
    for key, value in one.state_dict().items():
        assert torch.allclose(value, other.state_dict()[key], rtol=1e-13, atol=0), key
