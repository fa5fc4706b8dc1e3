"""What each rank of a process group does in the distributed tests; run in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from flake8_ckpt.runtime.normalizers.discounted_return import DiscountedReturnNormalizer
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from flake8_ckpt.runtime.normalizers.running_mean_std_dict import RunningMeanStdDict
from tests.runtime.reference import Held
from tests.runtime.reference import draw
from tests.runtime.reference import held

CPU = torch.device("cpu")
STEPS = 4
# The rows that each rank has at each step: uneven, and sometimes none.
SHARES = {2: (45, 140), 3: (100, 0, 85)}


def rows_of(rank: int, world: int, step: int) -> Tensor:
    """Return the part of a rank; the parts of all ranks together do not depend on their number."""
    rows = draw(185, 4, 100, 3, CPU, step)
    rows[::11, 1] = torch.nan if step == 3 else 2
    start = sum(SHARES[world][:rank])
    return rows[start : start + SHARES[world][rank]]


def feed(normalizer: Any, rank: int, world: int, steps: int = STEPS - 1) -> Any:
    for step in range(steps):
        normalizer.update(rows_of(rank, world, step))
    return normalizer


def auto(rank: int, world: int) -> Held:
    normalizer = feed(RunningMeanStd(4), rank, world)
    return {**held(normalizer), "output": normalizer(rows_of(0, world, 0))}


def lazy(rank: int, world: int) -> Held:
    return held(feed(RunningMeanStd(), rank, world))


def off(rank: int, world: int) -> Held:
    return held(feed(RunningMeanStd(4, sync="off"), rank, world))


def manual(rank: int, world: int) -> Held:
    normalizer = feed(RunningMeanStd(4, sync="manual"), rank, world)
    before = normalizer.count.clone()
    normalizer.sync()
    normalizer.sync()
    return {**held(normalizer), "before": before}


def skip(rank: int, world: int) -> Held:
    return held(feed(RunningMeanStd(4, nonfinite="skip"), rank, world, STEPS))


def decay(rank: int, world: int) -> Held:
    return held(feed(RunningMeanStd(4, decay=0.9, until=400), rank, world))


def nested(rank: int, world: int) -> Held:
    normalizer = RunningMeanStdDict({"a": 4})
    for step in range(STEPS - 1):
        normalizer.update({"a": rows_of(rank, world, step)})
    return held(normalizer.entries["a"])


def group(rank: int, world: int) -> Held:
    """Share with one other rank only."""
    part = dist.new_group([0, 1])
    return held(feed(RunningMeanStd(4, process_group=part), rank, world))


def returns(rank: int, world: int) -> Held:
    normalizer = DiscountedReturnNormalizer(5)
    for step in range(20):
        reward = draw(5, world, 1, 2, CPU, step)[:, rank]
        normalizer.update(reward, torch.arange(5) == (step + rank) % 7)
    return held(normalizer)


def model_with(normalizer: RunningMeanStd) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(normalizer, nn.Linear(4, 2))


def train(model: nn.Module, normalizer: RunningMeanStd, rank: int, world: int) -> Held:
    """Alternate updates with forward and backward passes, as training does."""
    for step in range(STEPS - 1):
        normalizer.update(rows_of(rank, world, step))
        model(rows_of(0, world, step)).sum().backward()
    normalizer.sync()
    return held(normalizer)


def ddp(broadcast: bool, sync: Any) -> Callable[[int, int], Held]:
    def check(rank: int, world: int) -> Held:
        normalizer = RunningMeanStd(4, sync=sync)
        model = DistributedDataParallel(model_with(normalizer), broadcast_buffers=broadcast)
        return train(model, normalizer, rank, world)

    return check


def fsdp(rank: int, world: int) -> Held:
    normalizer = RunningMeanStd(4)
    model = model_with(normalizer)
    mesh = init_device_mesh("cpu", (world,))
    fully_shard(model, mesh=mesh)
    return train(model, normalizer, rank, world)


def fabric(rank: int, world: int) -> Held | None:
    """Train inside Lightning Fabric, which takes the process group that is there."""
    try:
        from lightning_fabric import Fabric
    except ImportError:
        return None
    names = {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": world,
        "LOCAL_WORLD_SIZE": world,
        "GROUP_RANK": 0,
    }
    elastic = {"TORCHELASTIC_RUN_ID": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    os.environ.update({key: str(value) for key, value in names.items()} | elastic)
    runner = Fabric(accelerator="cpu", devices=world, strategy="ddp")
    runner.launch()
    normalizer = RunningMeanStd(4)
    return train(runner.setup_module(model_with(normalizer)), normalizer, rank, world)


Checks = dict[str, Callable[[int, int], Held | None]]
STATISTICS: Checks = {
    "auto": auto,
    "lazy": lazy,
    "off": off,
    "manual": manual,
    "skip": skip,
    "decay": decay,
    "nested": nested,
    "group": group,
    "returns": returns,
}
WRAPPERS: Checks = {
    "auto": auto,
    "ddp": ddp(False, "auto"),
    "ddp broadcast": ddp(True, "auto"),
    "ddp manual": ddp(False, "manual"),
    "ddp manual broadcast": ddp(True, "manual"),
    "fsdp": fsdp,
    "fabric": fabric,
}


def run(rank: int, world: int, folder: str) -> None:
    """Do the checks for so many ranks as one of them, and leave what the buffers hold in a file."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder}/meet", world_size=world, rank=rank)
    results = {}
    for name, check in (WRAPPERS if world == 2 else STATISTICS).items():
        results[name] = check(rank, world)
    torch.save(results, Path(folder) / f"rank{rank}.pt")
    dist.destroy_process_group()
