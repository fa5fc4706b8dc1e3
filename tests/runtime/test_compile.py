"""Compiled and exported normalizers give what eager ones give."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from flake8_ckpt.runtime.normalizers.discounted_return import DiscountedReturnNormalizer
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from tests.runtime.reference import addresses
from tests.runtime.reference import draw
from tests.runtime.reference import fed

HAS_COMPILER = any(map(shutil.which, ("g++", "clang++", "cl")))
OPTIONS: dict[str, dict[str, Any]] = {
    "decay until": {"decay": 0.9, "until": 40},
    "manual": {"sync": "manual"},
}


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    torch.compiler.reset()


def compiled(fn: Callable[..., Any], backend: str = "aot_eager") -> Callable[..., Any]:
    result: Callable[..., Any] = torch.compile(fn, fullgraph=True, backend=backend)
    return result


def assert_close(one: RunningMeanStd, other: RunningMeanStd, bar: float) -> None:
    assert one.count.item() == other.count.item()
    for name in ("mean", "var", "weight"):
        wanted = other.get_buffer(name)
        assert (one.get_buffer(name) - wanted).abs().max().item() <= bar * wanted.abs().max().item(), name


@pytest.mark.parametrize("name", OPTIONS)
def test_compiled_update_is_the_same(device: torch.device, name: str) -> None:
    one, other = (RunningMeanStd(4, device=device, **OPTIONS[name]) for _ in range(2))
    update, places = compiled(one.update_and_normalize), addresses(one)
    for seed in range(4):
        rows = draw(8 + seed, 4, 30, 2, device, seed)
        assert torch.allclose(update(rows), other.update_and_normalize(rows), atol=1e-6)
    assert_close(one, other, 1e-14)
    assert addresses(one) == places


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
@pytest.mark.skipif(not HAS_COMPILER, reason="no C++ compiler for inductor")
def test_inductor_update_is_the_same(device: torch.device) -> None:
    batches = [draw(40_000, 4, 30, 2, device, seed) for seed in range(3)]
    one, other = (fed(RunningMeanStd(4, device=device), batches[:1]) for _ in range(2))
    update_and_normalize = compiled(one.update_and_normalize, "inductor")
    for rows in batches[1:]:
        assert torch.allclose(update_and_normalize(rows), other.update_and_normalize(rows), atol=1e-6)
    # Sums of float32 are taken in another order.
    assert_close(one, other, 2e-7)


def test_compiled_mask_is_the_same(device: torch.device) -> None:
    one, other = (RunningMeanStd(4, nonfinite="skip", device=device) for _ in range(2))
    update = compiled(lambda rows, mask: one.update(rows, mask=mask))
    for seed in range(3):
        rows = draw(8, 4, 30, 2, device, seed)
        rows[1, 2] = torch.nan
        update(rows, rows[:, 0] > 29)
        other.update(rows, mask=rows[:, 0] > 29)
    assert other.rejected.item() > 0
    assert_close(one, other, 1e-14)


def test_compiled_returns_are_the_same(device: torch.device) -> None:
    one, other = (DiscountedReturnNormalizer(6, device=device) for _ in range(2))
    step = compiled(one.update_and_normalize)
    for seed in range(4):
        reward = draw(6, 1, 1, 2, device, seed)[:, 0]
        done = torch.arange(6, device=device) == seed
        assert torch.allclose(step(reward, done), other.update_and_normalize(reward, done), atol=1e-6)
    assert torch.equal(one.returns, other.returns)
    assert_close(one.statistics, other.statistics, 1e-14)


def test_loading_is_seen_by_compiled_code(device: torch.device) -> None:
    one, other = (RunningMeanStd(4, device=device) for _ in range(2))
    normalize, rows = compiled(one.normalize, "eager"), draw(8, 4, 30, 2, device)
    assert torch.equal(normalize(rows), rows)
    fed(other, [rows])
    one.load_state_dict(other.state_dict())
    assert torch.allclose(normalize(rows), other.normalize(rows), atol=1e-6)
    one.reset()
    assert torch.equal(normalize(rows), rows)


@pytest.mark.parametrize("number", [1, 50])
def test_exported_program_keeps_statistics(device: torch.device, number: int) -> None:
    normalizer = fed(RunningMeanStd(4, device=device), [draw(number, 4, 3, 2, device)]).eval()
    batch: Any = ({0: torch.export.Dim("batch", min=2)},)
    program = torch.export.export(normalizer, (draw(6, 4, 3, 2, device),), dynamic_shapes=batch)
    rows = draw(9, 4, 3, 2, device)
    given: Tensor = program.module()(rows)
    assert torch.equal(given, normalizer(rows))
    for key, value in normalizer.state_dict().items():
        assert torch.equal(program.state_dict[key], value)
