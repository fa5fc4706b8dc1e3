"""The media beside torch files: each brings back what it should, and shows what its road leaves stale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from flake8_ckpt.runtime import verify_roundtrip
from flake8_ckpt.runtime.verifier import Report

BATCH = torch.tensor([[1.0, 2.0], [3.0, 8.0]])


class Statistics(nn.Module):
    mean: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(2))

    def forward(self, x: torch.Tensor = BATCH) -> torch.Tensor:
        self.mean.lerp_(x.mean(0), 0.1)
        return x - self.mean


class Mirrored(Statistics):
    """What is read is a copy of the mean, which only `load_state_dict` and updates refresh."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = self.mean.clone()  # noqa: CKP101

    def load_state_dict(self, *arguments: Any, **options: Any) -> Any:
        result = super().load_state_dict(*arguments, **options)
        self.shift = self.mean.clone()
        return result

    def forward(self, x: torch.Tensor = BATCH) -> torch.Tensor:
        result = x - self.shift
        super().forward(x)
        self.shift = self.mean.clone()
        return result


class Pretrained(Statistics):
    """Saves itself as models of Hugging Face do; `count` is in no file."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def forward(self, x: torch.Tensor = BATCH) -> torch.Tensor:
        self.count += 1
        return super().forward(x) / self.count

    def save_pretrained(self, folder: Path) -> None:
        folder.mkdir()
        torch.save(self.state_dict(), folder / "model.bin")

    @classmethod
    def from_pretrained(cls, folder: Path) -> Any:
        with torch.device("meta"):
            made = cls()
        made.load_state_dict(torch.load(folder / "model.bin", weights_only=True), assign=True)
        return made.eval()


class Own:
    """No module, with a state of its own."""

    def __init__(self) -> None:
        self.mean, self.steps = torch.zeros(2), 0

    def update(self) -> torch.Tensor:
        self.steps += 1
        self.mean = self.mean + BATCH.mean(0) / self.steps
        return self.mean.clone()

    def state_dict(self) -> dict[str, Any]:
        return {"mean": self.mean.clone(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.mean, self.steps = state["mean"].clone(), state["steps"]


def trip(kind: type, via: str) -> Report:
    act = kind.update if kind is Own else kind.__call__
    return verify_roundtrip(kind, exercise=act, continue_with=act, via=via)


def test_unknown_medium_is_refused() -> None:
    with pytest.raises(
        ValueError, match="choose from torch, safetensors, mmap, dcp, pretrained, fabric, lightning"
    ):
        trip(Statistics, "tape")


@pytest.mark.parametrize(
    ("via", "reason"),
    [
        ("pretrained", "Statistics has no save_pretrained and from_pretrained"),
        ("lightning", "Statistics is no LightningModule"),
    ],
)
def test_medium_of_others_is_not_checked(via: str, reason: str) -> None:
    if via == "lightning":
        pytest.importorskip("pytorch_lightning", reason="the medium of a Trainer")
    report = trip(Statistics, via)
    assert report.skipped == (f"{via}: {reason}",) and not report.ok


@pytest.mark.parametrize("via", ["dcp", "fabric"])
@pytest.mark.parametrize("kind", [Statistics, Own])
def test_whole_state_comes_back(via: str, kind: type) -> None:
    if via == "fabric":
        pytest.importorskip("lightning_fabric", reason="the medium of Fabric")
    report = trip(kind, via)
    assert report.ok and report.trips == (via,), str(report)


def test_mirror_is_stale_when_the_file_is_read_in_place() -> None:
    assert trip(Mirrored, "torch").ok
    report = trip(Mirrored, "dcp")
    assert [(each.kind, each.path) for each in report.problems] == [("lost", "shift"), ("diverged", "output")]


def test_count_is_not_in_the_folder() -> None:
    report = trip(Pretrained, "pretrained")
    assert [(each.kind, each.path) for each in report.problems] == [("lost", "count"), ("diverged", "output")]


@pytest.mark.filterwarnings("default")
def test_hook_of_a_lightning_module_is_called() -> None:
    pytest.importorskip("pytorch_lightning", reason="the medium of a Trainer")
    from pytorch_lightning import LightningModule

    class Net(LightningModule):
        """A number that goes through the hooks."""

        def __init__(self) -> None:
            super().__init__()
            self.layer, self.scale = nn.Linear(2, 1), 1.0

        def forward(self) -> torch.Tensor:
            self.scale *= 1.5
            result: torch.Tensor = self.layer(BATCH) * self.scale
            return result.detach()

        def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            checkpoint["scale"] = self.scale

        def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            self.scale = checkpoint["scale"]

    def act(net: Net) -> Any:
        return net()

    whole = verify_roundtrip(
        Net, exercise=act, continue_with=act, via="lightning", ignore=("_trainer", "_hparams")
    )
    assert whole.ok, str(whole)
    alone = verify_roundtrip(Net, exercise=act, continue_with=act, via="torch")
    assert [each.path for each in alone.problems if each.kind == "lost"] == ["scale"]
