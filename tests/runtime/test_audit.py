"""audit() lists what a module holds and its state_dict() does not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from flake8_ckpt.runtime.verifier import Unsaved
from flake8_ckpt.runtime.verifier import audit


class Settings:
    """Repeats a buffer as a Python number."""

    def __init__(self) -> None:
        self.clip, self.title = 10.0, "mirror"


class Registered(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(3, 2)
        self.register_buffer("mean", torch.zeros(3))
        self.alias = self.net.weight
        self.name, self.frozen, self.act, self.sizes = "actor", False, torch.tanh, [3, 2]
        self.layers = [self.net]
        self.settings = Settings()
        self.register_buffer("clip", torch.tensor(self.settings.clip))


class HoldsExtraState(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.steps, self.total = 7, torch.ones(2)
        self.window = [1.0, 2.0]

    def get_extra_state(self) -> dict[str, Any]:
        return {"steps": self.steps, "total": self.total.tolist(), "sums": self.total.clone()}


RIGHT: dict[str, Callable[[], nn.Module]] = {
    "registered": Registered,
    "layers of torch": lambda: nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Dropout(), nn.LSTM(2, 2)),
    "parametrized": lambda: parametrizations.spectral_norm(nn.Linear(3, 2)),
    "module dict": lambda: nn.ModuleDict({"a": nn.Conv2d(2, 2, 3)}),
    "lazy": lambda: nn.LazyLinear(2),
}


@pytest.mark.parametrize("name", RIGHT)
def test_registered_state_is_not_listed(name: str, device: torch.device) -> None:
    assert audit(RIGHT[name]().to(device)) == ()


def test_extra_state_counts_as_held(device: torch.device) -> None:
    rows = audit(HoldsExtraState().to(device))
    assert [(row.path, row.kind) for row in rows] == [("total", "tensor")]


class Statistic:
    def __init__(self, device: torch.device) -> None:
        self.sum = torch.zeros(3, device=device)
        self.count = 4


class Holder(nn.Module):
    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.net = nn.Linear(3, 2, device=device)
        self.mean = torch.zeros(3)  # noqa: CKP102
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64, device=device), persistent=False)
        self.count, self.ratio = 3, 0.5
        self.heads = [nn.Linear(3, 1)]
        self.window = deque([torch.zeros(2)])  # noqa: CKP104
        self.nested = {"obs": {"mean": torch.zeros(3)}}
        self.statistic = Statistic(device)
        self.optimizer = torch.optim.Adam(self.net.parameters())


def test_unsaved_state_is_listed(device: torch.device) -> None:
    rows = {row.path: row for row in audit(Holder(device))}
    here = str(torch.zeros(0, device=device).device)
    away = device.type != "cpu"
    assert rows == {
        "mean": Unsaved("mean", "tensor", "", (3,), "float32", "cpu", away),
        "steps": Unsaved("steps", "buffer", "persistent=False", (), "int64", here),
        "count": Unsaved("count", "number", "3"),
        "ratio": Unsaved("ratio", "number", "0.5"),
        "heads": Unsaved("heads", "container", "list of 1 modules"),
        "window": Unsaved("window", "container", "deque of 1 tensors"),
        "nested": Unsaved("nested", "container", "dict of 1 tensors"),
        "statistic": Unsaved("statistic", "helper", "Statistic"),
        "statistic.sum": Unsaved("statistic.sum", "tensor", "", (3,), "float32", here),
        "statistic.count": Unsaved("statistic.count", "number", "4"),
        "optimizer": Unsaved("optimizer", "optimizer", "Adam"),
    }


def test_plain_tensor_stays_behind() -> None:
    module = Holder(torch.device("cpu")).to("meta")
    behind = [row for row in audit(module) if row.stays_behind]
    assert [row.path for row in behind] == ["mean", "statistic.sum"]
    assert str(behind[0]) == "tensor mean float32 [3] on cpu: stays behind on .to()"


def test_arrays_are_listed() -> None:
    numpy = pytest.importorskip("numpy", reason="looks for arrays of numpy")
    module = nn.Linear(3, 2)
    module.scale = numpy.ones((2, 3))
    module.count = numpy.int64(3)
    assert [str(row) for row in audit(module)] == ["array scale float64 [2, 3] on cpu"]


def test_other_objects_are_refused() -> None:
    with pytest.raises(TypeError, match="takes a module, not a Tensor"):
        audit(torch.zeros(3))  # type: ignore[arg-type]
