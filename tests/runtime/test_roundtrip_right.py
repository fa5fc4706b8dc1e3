"""Modules and objects that come back whole: the verifier finds nothing to report."""

from __future__ import annotations

import logging
import random
import threading
import time
import weakref
from collections import OrderedDict
from collections import deque
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.backends import cudnn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.attention import SDPBackend
from torch.nn.attention import sdpa_kernel
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import parametrizations
from torch.nn.utils import prune
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.lr_scheduler import StepLR
from torch.optim.swa_utils import AveragedModel
from torch.optim.swa_utils import get_ema_multi_avg_fn

from flake8_ckpt.runtime.verifier import assert_roundtrip
from flake8_ckpt.runtime.verifier import verify_roundtrip

CPU = torch.device("cpu")
VECTORS = (6, 8)
SEQUENCES = (5, 6, 8)
SIGNALS = (6, 4, 8)
IMAGES = (3, 4, 8, 8)
LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "Linear": (lambda: nn.Linear(8, 3), VECTORS),
    "LayerNorm": (lambda: nn.LayerNorm(8), VECTORS),
    "RMSNorm": (lambda: nn.RMSNorm(8), VECTORS),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(8), VECTORS),
    "BatchNorm1d cumulative": (lambda: nn.BatchNorm1d(8, momentum=None), VECTORS),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(4), IMAGES),
    "BatchNorm1d without affine": (
        lambda: nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8, affine=False)),
        VECTORS,
    ),
    "InstanceNorm1d": (lambda: nn.InstanceNorm1d(4, affine=True, track_running_stats=True), SIGNALS),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4), SIGNALS),
    "Conv1d": (lambda: nn.Conv1d(4, 2, 3), SIGNALS),
    "Conv2d": (lambda: nn.Conv2d(4, 2, 3, padding="same"), IMAGES),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(4, 2, 3), IMAGES),
    "PReLU": (lambda: nn.PReLU(), VECTORS),
    "Dropout": (lambda: nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Linear(8, 2)), VECTORS),
    "RNN": (lambda: nn.RNN(8, 4), SEQUENCES),
    "GRU": (lambda: nn.GRU(8, 4, num_layers=2, dropout=0.3), SEQUENCES),
    "LSTM": (lambda: nn.LSTM(8, 4, num_layers=2, bidirectional=True), SEQUENCES),
    "GRUCell": (lambda: nn.GRUCell(8, 4), VECTORS),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(8, 2, 16), SEQUENCES),
    "weight_norm": (lambda: parametrizations.weight_norm(nn.Linear(8, 3)), VECTORS),
    "spectral_norm": (lambda: parametrizations.spectral_norm(nn.Linear(8, 3)), VECTORS),
    "orthogonal": (lambda: parametrizations.orthogonal(nn.Linear(8, 3)), VECTORS),
    "pruned": (lambda: prune.l1_unstructured(nn.Linear(8, 3), "weight", 0.5), VECTORS),  # type: ignore[no-untyped-call]
    "LazyLinear": (lambda: nn.LazyLinear(3), VECTORS),
    "LazyBatchNorm1d": (lambda: nn.Sequential(nn.LazyBatchNorm1d(), nn.LazyLinear(2)), VECTORS),
    "ModuleDict": (lambda: Heads(), VECTORS),
    "ParameterDict": (lambda: Scales(), VECTORS),
    "Sequential named": (lambda: nn.Sequential(OrderedDict(a=nn.Linear(8, 8), b=nn.Tanh())), VECTORS),
    "tied weights": (lambda: Tied(), VECTORS),
    "extra state": (lambda: Counting(), VECTORS),
    "bilinear": (lambda: Pair(nn.Bilinear(8, 8, 2)), VECTORS),
    "attention": (lambda: Triple(nn.MultiheadAttention(8, 2, dropout=0.1)), SEQUENCES),
    "compiled": (lambda: compiled(nn.Linear(8, 3)), VECTORS),
    "wrapped": (lambda: Wrapped(nn.BatchNorm1d(8)), VECTORS),
    "bfloat16": (lambda: nn.Sequential(Cast(), nn.Linear(8, 3)).bfloat16(), VECTORS),
    "hooked": (lambda: hooked(nn.Linear(8, 3)), VECTORS),
}


class Cast(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.bfloat16()


class Heads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({"pi": nn.Linear(8, 2), "value": nn.Linear(8, 1)})

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {name: head(x) for name, head in self.heads.items()}


class Scales(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scales = nn.ParameterDict({"a": nn.Parameter(torch.ones(8)), "b": nn.Parameter(torch.zeros(8))})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scaled: torch.Tensor = x * self.scales["a"] + self.scales["b"]
        return scaled


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encode, self.decode = nn.Linear(8, 8), nn.Linear(8, 8)
        self.decode.weight = self.encode.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        decoded: torch.Tensor = self.decode(self.encode(x).tanh())
        return decoded


class Counting(nn.Module):
    """Keeps a number, a list and a tensor in its extra state."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(8, 3)
        self.steps, self.history, self.last = 0, deque[float](maxlen=4), torch.zeros(())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.steps += 1
        self.history.append(x.sum().item())
        self.last = x.mean()
        out: torch.Tensor = self.net(x) * self.steps
        return out

    def get_extra_state(self) -> dict[str, Any]:
        return {"steps": self.steps, "history": list(self.history), "last": self.last}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        self.steps = state["steps"]
        self.history = deque(state["history"], maxlen=4)
        self.last = state["last"].clone()


class Pair(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> Any:
        return self.layer(x, x)


class Triple(Pair):
    def forward(self, x: torch.Tensor) -> Any:
        return self.layer(x, x, x)


class Wrapped(nn.Module):
    """Puts `module.` before all keys, as DistributedDataParallel does."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: torch.Tensor) -> Any:
        return self.module(x)


def compiled(module: nn.Module) -> nn.Module:
    wrapped = torch.compile(module, backend="eager")
    assert isinstance(wrapped, nn.Module)
    return wrapped


def hooked(module: nn.Module) -> nn.Module:
    module.register_forward_hook(lambda module, given, out: out * 2)
    return module


def tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value
    return [tensor for part in parts for tensor in tensors(part)]


def trained(shape: tuple[int, ...], device: torch.device) -> Callable[[Any], list[torch.Tensor]]:
    """Return some steps of training on data that is the same in each call."""
    batches = torch.randn(3, *shape, generator=torch.Generator().manual_seed(1)).to(device)

    def train(module: nn.Module) -> list[torch.Tensor]:
        module(batches[0])
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        losses = []
        for batch in batches:
            loss = torch.stack([out.square().mean() for out in tensors(module(batch))]).sum()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.detach())
        return losses

    return train


@pytest.mark.parametrize("name", LAYERS)
def test_trained_layers_come_back(name: str, device: torch.device) -> None:
    make, shape = LAYERS[name]
    train = trained(shape, device)
    with cudnn.flags(enabled=True, benchmark=False, deterministic=True), sdpa_kernel(SDPBackend.MATH):
        report = assert_roundtrip(make, exercise=train, continue_with=train, device=device)
    assert "torch" in report.trips and "mmap" in report.trips
    assert report.compared >= 1 and not [note for note in report.notes if note.kind == "stale"]


def averaged() -> nn.Module:
    return AveragedModel(nn.Linear(8, 3), multi_avg_fn=get_ema_multi_avg_fn(0.9))  # type: ignore[no-untyped-call]


def test_average_of_weights_comes_back(device: torch.device) -> None:
    def average(model: AveragedModel) -> torch.Tensor:
        model.update_parameters(nn.Linear(8, 3).to(device))
        out: torch.Tensor = model(torch.ones(2, 8, device=device))
        return out

    assert_roundtrip(averaged, exercise=average, continue_with=average, device=device)


class Learner:
    """A network with what trains it, all of which is saved."""

    def __init__(
        self, device: torch.device, schedule: Callable[[torch.optim.Optimizer], Any], optimizer: str = "AdamW"
    ) -> None:
        self.net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.2)).to(device)
        self.optimizer: torch.optim.Optimizer = getattr(torch.optim, optimizer)(
            self.net.parameters(), lr=0.01
        )
        self.schedule = schedule(self.optimizer)
        self.scaler = torch.amp.GradScaler(device.type, init_scale=8.0, growth_interval=2)
        self.steps = 0

    def parts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("net", "optimizer", "schedule", "scaler")}

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps} | {name: part.state_dict() for name, part in self.parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.steps = state["steps"]
        for name, part in self.parts().items():
            part.load_state_dict(state[name])

    def learn(self) -> list[torch.Tensor]:
        losses = []
        for _ in range(3):
            self.steps += 1
            batch = torch.randn(5, 4).to(next(self.net.parameters()).device)
            loss = (self.net(batch) - 1).square().mean()
            self.optimizer.zero_grad()
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
            self.schedule.step(loss.item()) if isinstance(
                self.schedule, ReduceLROnPlateau
            ) else self.schedule.step()
            losses.append(loss.detach())
        return losses


SCHEDULES: dict[str, Callable[[torch.optim.Optimizer], LRScheduler]] = {
    "StepLR": lambda optimizer: StepLR(optimizer, 2),
    "OneCycleLR": lambda optimizer: OneCycleLR(optimizer, 0.1, total_steps=20),
    "ReduceLROnPlateau": lambda optimizer: ReduceLROnPlateau(optimizer, patience=0),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_whole_training_state_comes_back(name: str, device: torch.device) -> None:
    make = lambda: Learner(device, SCHEDULES[name])  # noqa: E731
    report = assert_roundtrip(make, exercise=Learner.learn, continue_with=Learner.learn, device=device)
    assert report.trips == ("torch", "mmap") and report.compared > 20


@pytest.mark.parametrize("name", ["SGD", "Adam", "NAdam", "RMSprop", "Adagrad", "Adadelta", "Rprop", "ASGD"])
def test_optimizers_come_back(name: str, device: torch.device) -> None:
    make = lambda: Learner(device, SCHEDULES["StepLR"], name)  # noqa: E731
    assert_roundtrip(make, exercise=Learner.learn, continue_with=Learner.learn, device=device, via="torch")


class Sampler(nn.Module):
    """Draws from the global generators, and from one of its own that it saves."""

    drawn: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(3)
        self.register_buffer("drawn", torch.zeros(4))

    def forward(self) -> list[Any]:
        self.drawn.copy_(torch.rand(4, generator=self.generator))
        return [self.drawn.clone(), torch.rand(2), random.random()]

    def get_extra_state(self) -> torch.Tensor:
        return self.generator.get_state()

    def set_extra_state(self, state: torch.Tensor) -> None:
        self.generator.set_state(state.cpu())


def test_random_numbers_go_on_alike(device: torch.device) -> None:
    assert_roundtrip(Sampler, exercise=lambda s: s(), continue_with=lambda s: s(), device=device)


class Machinery(nn.Module):
    """Holds things that are no state: functions, a lock, a logger, weak references, a cached property, itself."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(8, 3)
        self.lock, self.log = threading.Lock(), logging.getLogger("machinery")
        self.weak, self.me = weakref.ref(self.net), [self]
        self.act: Callable[[torch.Tensor], torch.Tensor] = torch.tanh
        self.callbacks: list[Callable[[], None]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with self.lock:
            self.callbacks = [lambda: None]
            self.act = torch.relu
            out: torch.Tensor = self.net(x)
        return out


def test_functions_and_locks_are_no_state(device: torch.device) -> None:
    train = trained(VECTORS, device)
    report = verify_roundtrip(
        Machinery, exercise=train, continue_with=train, device=device, ignore=("callbacks",)
    )
    assert report.ok, str(report)


def test_training_mode_is_no_state(device: torch.device) -> None:
    def evaluate(module: nn.Module) -> None:
        trained(VECTORS, device)(module)
        module.eval()

    assert_roundtrip(lambda: nn.Linear(8, 3), exercise=evaluate, device=device)


class Caching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(8, 3)
        self.cache: deque[torch.Tensor] = deque(maxlen=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.cache.append(x)
        out: torch.Tensor = self.net(x)
        return out


def test_ignored_cache_may_be_lost(device: torch.device) -> None:
    train = trained(VECTORS, device)
    assert_roundtrip(Caching, exercise=train, continue_with=train, device=device, ignore=("cache*",))
    lost = verify_roundtrip(Caching, exercise=train, device=device).problems
    assert [(problem.kind, problem.path) for problem in lost] == [("lost", "cache")]


class Resumable(nn.Module):
    """Sets plain numbers when it is loaded, which is no damage."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(8, 3)
        self.resumed, self.first_step = False, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.net(x)
        return out

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        self.resumed, self.first_step = True, 12
        return super().load_state_dict(state, strict, assign)


def test_flags_set_by_loading_are_no_damage(device: torch.device) -> None:
    train = trained(VECTORS, device)
    assert_roundtrip(Resumable, exercise=train, continue_with=train, device=device)


class Configured(nn.Module):
    """Saves its hyper-parameters, has a date of birth that differs from object to object, and a fixed table."""

    epsilon: torch.Tensor

    def __init__(self, epsilon: float) -> None:
        super().__init__()
        self.net = nn.Linear(8, 3)
        self.register_buffer("epsilon", torch.tensor(epsilon))
        self.born = time.monotonic_ns()
        self.table = [1, 2, 3]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.net(x) + self.epsilon
        return out


def test_saved_hyper_parameters_win(device: torch.device) -> None:
    train = trained(VECTORS, device)
    report = assert_roundtrip(
        lambda: Configured(0.1),
        perturb=lambda: Configured(0.2),
        exercise=train,
        continue_with=train,
        device=device,
    )
    assert report.notes == ()


def test_wrapper_of_torch_is_seen_through(device: torch.device, tmp_path: Path) -> None:
    train = trained(VECTORS, device)
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        make = lambda: DistributedDataParallel(nn.BatchNorm1d(8).to(device))  # noqa: E731
        assert_roundtrip(make, exercise=train, continue_with=train)
        sharded = verify_roundtrip(
            fully_sharded, exercise=trained(VECTORS, CPU), continue_with=trained(VECTORS, CPU)
        )
        assert sharded.ok and sharded.trips == ("torch", "mmap"), str(sharded)
    finally:
        dist.destroy_process_group()


def fully_sharded() -> nn.Module:
    module = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
    fully_shard(module, mesh=init_device_mesh("cpu", (1,)))
    return module
