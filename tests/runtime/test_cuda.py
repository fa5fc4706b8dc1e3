"""What only a CUDA machine can show: no synchronization, CUDA graphs, and what moves between devices."""

from __future__ import annotations

import copy
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import nn

from flake8_ckpt.runtime.normalizers.discounted_return import DiscountedReturnNormalizer
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from flake8_ckpt.runtime.normalizers.running_mean_std_dict import RunningMeanStdDict
from tests.runtime.reference import addresses
from tests.runtime.reference import differences
from tests.runtime.reference import draw
from tests.runtime.reference import errors
from tests.runtime.reference import fed
from tests.runtime.reference import held

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]
CPU, CUDA = torch.device("cpu"), torch.device("cuda")
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "skip": {"nonfinite": "skip"},
    "decay until": {"decay": 0.9, "until": 10**6},
    "many needed": {"min_count": 10**6},
    "manual": {"sync": "manual"},
    "float64": {"accumulate_dtype": torch.float64},
}
# Below and above the number of values from which float32 sums are taken.
NUMBERS = [7, 64, 40_000]


@contextmanager
def no_synchronization() -> Iterator[None]:
    """Make every wait for the device an error."""
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("number", [1, *NUMBERS])
def test_nothing_waits_for_the_device(name: str, number: int) -> None:
    normalizer, batch = RunningMeanStd(8, device="cuda", **OPTIONS[name]), draw(number, 8, 100, 3, CUDA)
    with no_synchronization():
        normalizer.update_and_normalize(batch)
        normalizer.update(batch, mask=batch[:, 0] > 100)
        normalizer.update(batch[:0])
        normalizer.normalize(batch.half())
        normalizer.denormalize(batch)
        normalizer.update_from_moments(batch[0], batch[0].abs(), normalizer.count)
        normalizer.freeze()
        normalizer.unfreeze()
        normalizer.reset()
    # This one reads, and says what it reads.
    normalizer.sync()


def test_first_batch_does_not_wait() -> None:
    normalizer, batch = RunningMeanStd(device="cuda"), draw(64, 8, 100, 3, CUDA)
    nested = RunningMeanStdDict({"a": None, "b": 8}, device="cuda")
    with no_synchronization():
        normalizer.update_and_normalize(batch)
        nested.update_and_normalize({"a": batch, "b": batch})


@pytest.mark.parametrize("nonfinite", ["propagate", "skip"])
def test_returns_do_not_wait(nonfinite: str) -> None:
    normalizer = DiscountedReturnNormalizer(64, nonfinite=nonfinite, device="cuda")
    batch = draw(64, 2, 100, 3, CUDA)
    with no_synchronization():
        for _ in range(3):
            normalizer.update_and_normalize(batch[:, 0], batch[:, 1] > 103)


def test_nested_entries_do_not_wait() -> None:
    nested = RunningMeanStdDict({"a": 8, "b": {"c": (2, 4), "d": ()}}, device="cuda")
    batch = draw(64, 8, 100, 3, CUDA)
    given = {"a": batch, "b": {"c": batch.reshape(64, 2, 4), "d": batch[:, 0]}}
    with no_synchronization():
        for _ in range(3):
            output = nested.update_and_normalize(given)
    single = fed(RunningMeanStd(8, device="cuda"), [batch] * 3)
    assert (output["a"] - single(batch)).abs().max().item() <= 1e-6


def captured(step: Callable[[], Any]) -> tuple[torch.cuda.CUDAGraph, Any]:
    """Return a graph of a step that ran before on a stream of its own, as capturing asks."""
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        output = step()
    return graph, output


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("number", NUMBERS)
def test_hundred_replays_equal_eager(name: str, number: int) -> None:
    batch = draw(number, 8, 100, 3, CUDA)
    one, other = (RunningMeanStd(8, device="cuda", **OPTIONS[name]) for _ in range(2))
    graph, output = captured(lambda: one.update_and_normalize(batch))
    one.reset()
    places = addresses(one)
    for seed in range(100):
        batch.copy_(draw(number, 8, 100, 3, CUDA, seed))
        graph.replay()
        wanted = other.update_and_normalize(batch)
        assert torch.equal(output, wanted)
    assert differences(held(one), held(other)) == []
    assert addresses(one) == places


def test_replayed_returns_equal_eager() -> None:
    reward, done = torch.zeros(64, device="cuda"), torch.zeros(64, device="cuda", dtype=torch.bool)
    one, other = (DiscountedReturnNormalizer(64, device="cuda") for _ in range(2))
    graph, output = captured(lambda: one.update_and_normalize(reward, done))
    one.reset()
    for seed in range(100):
        drawn = draw(64, 2, 0.5, 1, CUDA, seed)
        reward.copy_(drawn[:, 0])
        done.copy_(drawn[:, 1] > 2)
        graph.replay()
        assert torch.equal(output, other.update_and_normalize(reward, done))
    assert differences(held(one), held(other)) == []


@pytest.mark.parametrize("nonfinite", ["propagate", "skip"])
@pytest.mark.parametrize("number", NUMBERS)
def test_tensor_cores_do_not_round_statistics(nonfinite: Any, number: int) -> None:
    batch = draw(number, 8, 1e6, 1, CUDA)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        normalizer = fed(RunningMeanStd(8, nonfinite=nonfinite, device="cuda"), [batch])
        normalizer.update(batch, mask=torch.ones(number, dtype=torch.bool, device="cuda"))
    finally:
        torch.set_float32_matmul_precision(before)
    assert max(errors(normalizer, batch)) <= 1e-9


@pytest.mark.parametrize("number", NUMBERS)
def test_statistics_equal_those_of_the_cpu(number: int) -> None:
    batches = [draw(number, 8, 100, 3, CPU, seed) for seed in range(5)]
    here = fed(RunningMeanStd(8, accumulate_dtype=torch.float64), batches)
    there = fed(RunningMeanStd(8, device="cuda"), [batch.cuda() for batch in batches])
    assert (there.mean.cpu() / here.mean - 1).abs().max().item() <= 1e-8
    assert (there.std.cpu() / here.std - 1).abs().max().item() <= 1e-8
    wanted = (batches[0].double() - here.mean) / (here.var + 1e-8).sqrt()
    assert (there(batches[0].cuda()).cpu().double() - wanted).abs().max().item() <= 5e-7


def test_trip_to_the_gpu_and_back_keeps_bits() -> None:
    batch = draw(50, 8, 100, 3, CPU)
    model = nn.Sequential(RunningMeanStd(8, sync="manual"), RunningMeanStd(8), DiscountedReturnNormalizer(4))
    normalizer: Any = model[1]
    normalizer.update(batch)
    before = held(model)
    model.cuda()
    assert {buffer.device.type for _, buffer in (*model.named_buffers(), *model.state_dict().items())} == {
        "cuda"
    }
    assert differences(before, held(model)) == []
    model.half().cpu()
    assert differences(before, held(model)) == []
    fresh = nn.Sequential(
        RunningMeanStd(8, sync="manual", device="cuda"),
        RunningMeanStd(8, device="cuda"),
        DiscountedReturnNormalizer(4, device="cuda"),
    )
    fresh.load_state_dict(model.state_dict())
    assert differences(before, held(fresh)) == []


@pytest.mark.parametrize("name", ["plain", "skip", "decay until"])
def test_compiled_dynamic_batch_equals_eager(name: str) -> None:
    torch.compiler.reset()
    one, other = (RunningMeanStd(8, device="cuda", **OPTIONS[name]) for _ in range(2))
    update = torch.compile(one.update, fullgraph=True, dynamic=True)
    normalize = torch.compile(one.normalize, fullgraph=True, dynamic=True)
    for seed, number in enumerate((64, 96, 40_000, 333)):
        batch = draw(number, 8, 100, 3, CUDA, seed)
        update(batch)
        other.update(batch)
        assert (normalize(batch) - other.normalize(batch)).abs().max().item() <= 1e-6
    assert one.count.item() == other.count.item()
    assert (one.mean / other.mean - 1).abs().max().item() <= 1e-8
    assert (one.std / other.std - 1).abs().max().item() <= 2e-7


def test_copy_on_the_gpu_goes_on_alike() -> None:
    normalizer = fed(RunningMeanStd(8, device="cuda"), [draw(50, 8, 100, 3, CUDA)])
    other = copy.deepcopy(normalizer)
    with torch.inference_mode():
        fed(other, [draw(50, 8, 100, 3, CUDA, 1)])
    assert differences(held(fed(normalizer, [draw(50, 8, 100, 3, CUDA, 1)])), held(other)) == []
