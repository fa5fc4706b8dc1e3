"""Ranks that share statistics: as good as one process, and the same bits on every rank. Real processes, gloo."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import spawn

from flake8_ckpt.runtime.normalizers.discounted_return import DiscountedReturnNormalizer
from flake8_ckpt.runtime.normalizers.distributed import batch_of_ranks
from flake8_ckpt.runtime.normalizers.distributed import merge_packed
from flake8_ckpt.runtime.normalizers.moments import Moments
from flake8_ckpt.runtime.normalizers.moments import small_moments
from flake8_ckpt.runtime.normalizers.on_device import Batch
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from tests.runtime.ranks import SHARES
from tests.runtime.ranks import STEPS
from tests.runtime.ranks import WRAPPERS
from tests.runtime.ranks import rows_of
from tests.runtime.ranks import run
from tests.runtime.reference import Held
from tests.runtime.reference import differences
from tests.runtime.reference import draw
from tests.runtime.reference import fed

Reports = dict[int, list[dict[str, Held | None]]]
BAR = 1e-13
pytestmark = [
    pytest.mark.skipif(not (dist.is_available() and dist.is_gloo_available()), reason="torch without gloo"),
    # The ranks are started once, not once for each worker.
    pytest.mark.xdist_group("ranks"),
]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """Return what each rank of two and of three had in the end."""
    found: Reports = {}
    for world in SHARES:
        folder = tmp_path_factory.mktemp(f"ranks{world}")
        spawn(run, (world, str(folder)), nprocs=world)  # type: ignore[no-untyped-call]
        found[world] = [torch.load(folder / f"rank{rank}.pt") for rank in range(world)]
    return found


def all_rows(step: int, world: int = 3) -> Tensor:
    return torch.cat([rows_of(rank, world, step) for rank in range(world)])


def single(steps: int = STEPS - 1, **options: object) -> RunningMeanStd:
    """Return what one process has after the rows of all ranks."""
    return fed(RunningMeanStd(4, **options), map(all_rows, range(steps)))  # type: ignore[arg-type]


def states(reports: Reports, name: str, world: int) -> list[Held]:
    found = [report[name] for report in reports[world]]
    return [state for state in found if state is not None]


def assert_as_single(found: list[Held], wanted: RunningMeanStd, world: int) -> None:
    assert len(found) == world
    for state in found:
        assert state["count"].item() == wanted.count.item()
        assert state["rejected"].item() == wanted.rejected.item()
        assert (state["mean"] / wanted.mean - 1).abs().max().item() <= BAR
        assert (state["var"] / wanted.var - 1).abs().max().item() <= BAR
        assert differences(found[0], state) == []


@pytest.mark.parametrize("world", [2, 3])
def test_uneven_ranks_equal_one_process(reports: Reports, world: int) -> None:
    assert_as_single(states(reports, "auto", world), single(), world)


def test_number_of_ranks_does_not_matter() -> None:
    assert torch.equal(all_rows(0, 2), all_rows(0, 3))


def test_lazy_ranks_equal_one_process(reports: Reports) -> None:
    assert_as_single(states(reports, "lazy", 3), single(), 3)


def test_nested_ranks_equal_one_process(reports: Reports) -> None:
    assert_as_single(states(reports, "nested", 3), single(), 3)


def test_decay_and_until_over_ranks(reports: Reports) -> None:
    wanted = single(decay=0.9, until=400)
    found = states(reports, "decay", 3)
    assert_as_single(found, wanted, 3)
    assert found[0]["weight"].item() == pytest.approx(wanted.weight.item(), rel=BAR)


def test_rejected_rows_over_ranks(reports: Reports) -> None:
    wanted = single(STEPS, nonfinite="skip")
    assert wanted.rejected.item() == 17
    assert_as_single(states(reports, "skip", 3), wanted, 3)


def test_sync_off_keeps_ranks_apart(reports: Reports) -> None:
    found = states(reports, "off", 3)
    assert [state["count"].item() for state in found] == [300, 0, 255]
    for rank, state in enumerate(found):
        own = fed(RunningMeanStd(4), [rows_of(rank, 3, step) for step in range(STEPS - 1)])
        assert torch.equal(state["var"], own.var)


def test_manual_sync_equals_one_process(reports: Reports) -> None:
    found = states(reports, "manual", 3)
    assert [state["before"].item() for state in found] == [0, 0, 0]
    for state in found:
        assert state["count"].item() == single().count.item()
        assert (state["var"] / single().var - 1).abs().max().item() <= BAR
        assert torch.equal(state["var"], found[0]["var"])


def test_group_shares_inside_only(reports: Reports) -> None:
    found = states(reports, "group", 3)
    assert [state["count"].item() for state in found] == [300, 300, 255]
    assert differences(found[0], found[1]) == []


def test_returns_share_statistics_only(reports: Reports) -> None:
    found = states(reports, "returns", 3)
    shared = [{key: each for key, each in state.items() if key != "returns"} for state in found]
    assert differences(shared[0], shared[1]) == differences(shared[0], shared[2]) == []
    wanted = DiscountedReturnNormalizer(15)
    for step in range(20):
        reward = draw(5, 3, 1, 2, torch.device("cpu"), step).t().flatten()
        done = torch.cat([torch.arange(5) == (step + rank) % 7 for rank in range(3)])
        wanted.update(reward, done)
    assert torch.equal(torch.cat([state["returns"] for state in found]), wanted.returns)
    assert found[0]["statistics.count"].item() == 300
    assert found[0]["statistics.var"].item() == pytest.approx(wanted.statistics.var.item(), rel=BAR)


@pytest.mark.parametrize("name", [name for name in WRAPPERS if name not in ("auto", "fabric")])
def test_wrapped_model_keeps_all_samples(reports: Reports, name: str) -> None:
    found = states(reports, name, 2)
    assert [state["count"].item() for state in found] == [555, 555]
    for state in found:
        assert (state["var"] / single().var - 1).abs().max().item() <= BAR
        assert torch.equal(state["var"], found[0]["var"])


def test_ddp_broadcast_keeps_all_samples(reports: Reports) -> None:
    assert_as_single(states(reports, "ddp broadcast", 2), single(), 2)


def test_many_ranks_equal_one_process() -> None:
    rows = draw(640, 4, 100, 3, torch.device("cpu")).double()
    shares = [small_moments(part) for part in torch.split(rows, 10)]
    packed = torch.stack([torch.cat([torch.tensor([10.0, 10, -1]).double(), *each[1:]]) for each in shares])
    total, number, refused = merge_packed(packed, torch.Size([4]))
    whole = small_moments(rows)
    assert (int(number), int(torch.as_tensor(refused))) == (640, -64)
    assert (total.mean / whole.mean - 1).abs().max().item() <= 1e-15
    assert (total.var / whole.var - 1).abs().max().item() <= BAR


def test_lightning_fabric_shares_statistics(reports: Reports) -> None:
    pytest.importorskip("lightning_fabric", reason="trains inside Lightning Fabric")
    assert_as_single(states(reports, "fabric", 2), single(), 2)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_nccl_gathers_moments(tmp_path: Path) -> None:
    dist.init_process_group(
        "nccl", f"file://{tmp_path}/meet", world_size=1, rank=0, device_id=torch.device("cuda:0")
    )
    try:
        mean, var = small_moments(draw(50, 4, 100, 3, torch.device("cuda")).double())[1:]
        refused = torch.tensor(-7, device="cuda")
        total = batch_of_ranks(Batch(Moments(50, mean, var), 50, refused), None)
        assert torch.equal(total.moments.mean, mean) and torch.equal(total.moments.var, var)
        assert (int(total.number), int(torch.as_tensor(total.refused))) == (50, -7)
    finally:
        dist.destroy_process_group()
