"""What 0.1.0 saved loads: its state_dicts and its pickles of whole modules, stored as it wrote them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch import nn

from flake8_ckpt.runtime import DiscountedReturnNormalizer
from flake8_ckpt.runtime import RunningMeanStd
from flake8_ckpt.runtime import RunningMeanStdDict

STORED: dict[str, Any] = torch.load(Path(__file__).parent / "normalizers_0_1_0.pt", weights_only=True)
MODULES = Path(__file__).parent / "modules_0_1_0.pt"
FRESH: dict[str, Callable[[], nn.Module]] = {
    "plain": lambda: RunningMeanStd(4, clip=3.0),
    "decayed": lambda: RunningMeanStd(4, decay=0.9, until=1000, epsilon=1e-4, nonfinite="skip"),
    "frozen": lambda: RunningMeanStd(4, clip=3.0),
    "unlimited": lambda: RunningMeanStd(4, clip=None),
    "unseen": lambda: RunningMeanStd(4),
    "lazy": lambda: RunningMeanStd(),
    "waiting": lambda: RunningMeanStd(4, sync="manual"),
    "nested": lambda: RunningMeanStdDict(),
    "returns": lambda: DiscountedReturnNormalizer(4, gamma=0.9),
}


def given(name: str, device: torch.device) -> Any:
    rows: Tensor = STORED["rows"].to(device)
    return {"nested": {"a": rows, "b": {"c": rows + 1}}, "returns": rows[0]}.get(name, rows)


def assert_same(name: str, normalizer: Any, device: torch.device) -> None:
    output, wanted = normalizer(given(name, device)), STORED["normalizers"][name]["output"]
    pairs = (
        [(output["a"], wanted["a"]), (output["b"]["c"], wanted["b"]["c"])]
        if name == "nested"
        else [(output, wanted)]
    )
    for one, other in pairs:
        assert (one.cpu() - other).abs().max().item() <= 1e-6


@pytest.mark.filterwarnings("ignore:the checkpoint of the normalizer wins. frozen")
@pytest.mark.parametrize("is_prefixed", [False, True])
@pytest.mark.parametrize("name", FRESH)
def test_state_of_the_first_release_loads(device: torch.device, name: str, is_prefixed: bool) -> None:
    normalizer, state = FRESH[name]().to(device), STORED["normalizers"][name]["state"]
    module: nn.Module = nn.Sequential(normalizer) if is_prefixed else normalizer
    module.load_state_dict({f"0.{key}": value for key, value in state.items()} if is_prefixed else state)
    assert_same(name, normalizer, device)
    for key in (key for key in state if key.endswith(("count", "rejected", "returns"))):
        assert torch.equal(normalizer.state_dict()[key].cpu(), state[key])


def test_settings_of_the_first_release_win(device: torch.device) -> None:
    states = {name: each["state"] for name, each in STORED["normalizers"].items()}
    normalizer = RunningMeanStd(4, device=device)
    with pytest.warns(UserWarning, match=r"epsilon 0.0001 .*until 1000 .*decay 0.9"):
        normalizer.load_state_dict(states["decayed"])
    assert (normalizer.settings.decay, normalizer.settings.until, normalizer.frozen) == (0.9, 1000, False)
    with pytest.warns(UserWarning, match=r"clip 3.0 .*decay 1.0 .*frozen True"):
        normalizer.load_state_dict(states["frozen"])
    normalizer.update(STORED["rows"].to(device))
    assert normalizer.count.item() == 50


@pytest.mark.parametrize(
    "key, value, message", [("m2", -1.0, "m2 is negative"), ("clip", 0.0, "clip must be")]
)
def test_bad_state_of_the_first_release_is_refused(
    device: torch.device, key: str, value: float, message: str
) -> None:
    state = STORED["normalizers"]["plain"]["state"]
    normalizer = RunningMeanStd(4, device=device)
    with pytest.raises(RuntimeError, match=message):
        normalizer.load_state_dict({**state, key: torch.full_like(state[key], value)})
    assert normalizer.count.item() == 0


@pytest.mark.parametrize("name", ["plain", "decayed", "waiting", "nested", "returns"])
def test_module_of_the_first_release_goes_on(device: torch.device, name: str) -> None:
    normalizer = torch.load(MODULES, weights_only=False, map_location=device)[name]
    assert_same(name, normalizer, device)
    fresh: Any = FRESH[name]().to(device)
    fresh.load_state_dict(normalizer.state_dict())
    assert_same(name, fresh, device)
    if name == "plain":
        normalizer.update(given(name, device))
        assert normalizer.count.item() == 100
