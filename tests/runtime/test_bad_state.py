"""A bad state is refused as a whole: the error names the key, and nothing is copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch import nn

from flake8_ckpt.runtime.normalizers.discounted_return import DiscountedReturnNormalizer
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from flake8_ckpt.runtime.normalizers.running_mean_std_dict import RunningMeanStdDict
from tests.runtime.reference import Held
from tests.runtime.reference import differences
from tests.runtime.reference import draw
from tests.runtime.reference import fed
from tests.runtime.reference import held


class Policy(nn.Module):
    """Holds a normalizer in the middle of its children."""

    def __init__(self, normalizer: nn.Module) -> None:
        super().__init__()
        self.normalizer = normalizer
        self.head = nn.Linear(4, 2)


def set_to(key: str, make: Callable[[Tensor], Tensor]) -> Callable[[Held], Held]:
    return lambda state: {**state, key: make(state[key])}


def spoilt(value: float) -> Callable[[Tensor], Tensor]:
    def make(tensor: Tensor) -> Tensor:
        changed = tensor.clone()
        changed.view(-1)[-1] = value
        return changed

    return make


def halved(state: Held) -> Held:
    return {key: value.half() if value.is_floating_point() else value for key, value in state.items()}


BAD: dict[str, tuple[Callable[[Held], Held], str]] = {
    "negative variance": (set_to("var", spoilt(-1.0)), "var is negative"),
    "tiny negative variance": (set_to("var", spoilt(-1e-300)), "var is negative"),
    "NaN weight": (set_to("weight", spoilt(torch.nan)), "weight holds NaN"),
    "negative count": (set_to("count", spoilt(-5)), "count is negative"),
    "negative weight": (set_to("weight", spoilt(-5)), "weight is negative"),
    "negative rejected": (set_to("rejected", spoilt(-5)), "rejected is negative"),
    "newer version": (set_to("version", spoilt(99)), "version 99 is newer than 2"),
    "cast to half": (halved, "mean is torch.float16, not torch.float64"),
    "mean of float32": (set_to("mean", Tensor.float), "mean is torch.float32, not torch.float64"),
    "count of float64": (set_to("count", Tensor.double), "count is torch.float64, not torch.int64"),
    "epsilon of float32": (set_to("epsilon", Tensor.float), "epsilon is torch.float32"),
    "longer rows": (set_to("mean", lambda mean: mean.repeat(2)), r"mean has shape \(8,\).*\(4,\)"),
    "shorter variance": (set_to("var", lambda var: var[:2]), r"var has shape \(2,\).*\(4,\)"),
    "variance of one value": (set_to("var", lambda var: var.sum()), r"var has shape \(\).*\(4,\)"),
    "negative epsilon": (set_to("epsilon", spoilt(-1.0)), "epsilon must be"),
    "infinite epsilon": (set_to("epsilon", spoilt(torch.inf)), "epsilon must be"),
    "NaN decay": (set_to("decay", lambda _: torch.tensor(torch.nan).double()), "decay must be"),
    "two decays": (set_to("decay", lambda _: torch.ones(2).double()), r"decay has shape \(2,\)"),
    "zero clip": (set_to("clip", torch.zeros_like), "clip must be"),
    "lopsided clip": (set_to("clip", spoilt(3.0)), "clip must be a number and its negative"),
    "clip of one number": (set_to("clip", torch.sum), r"clip has shape \(\), not \(2,\)"),
    "limit below what is needed": (set_to("limit", spoilt(1)), "until must be"),
}


def state_of(device: torch.device) -> Held:
    return dict(fed(RunningMeanStd(4, device=device), [draw(50, 4, 3, 2, device)]).state_dict())


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("name", BAD)
def test_bad_state_copies_nothing(device: torch.device, name: str, strict: bool) -> None:
    change, message = BAD[name]
    normalizer = fed(RunningMeanStd(4, device=device), [draw(9, 4, 30, 2, device)])
    before = held(normalizer)
    with pytest.raises(RuntimeError, match=message):
        normalizer.load_state_dict(change(state_of(device)), strict=strict)
    assert differences(before, held(normalizer)) == []
    assert normalizer.settings == RunningMeanStd(4).settings


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("name", BAD)
def test_bad_state_in_a_parent_is_named(device: torch.device, name: str, strict: bool) -> None:
    change, message = BAD[name]
    policy = Policy(RunningMeanStd(4, device=device)).to(device)
    nested = {f"normalizer.{key}": value for key, value in change(state_of(device)).items()}
    before = held(policy)
    with pytest.raises(RuntimeError, match=rf"normalizer\W+{message}"):
        policy.load_state_dict({**policy.state_dict(), **nested}, strict=strict)
    assert differences(before, held(policy)) == []


@pytest.mark.parametrize("name", BAD)
def test_lazy_instance_stays_without_shape(device: torch.device, name: str) -> None:
    normalizer = RunningMeanStd(device=device)
    with pytest.raises(RuntimeError):
        normalizer.load_state_dict(BAD[name][0](state_of(device)))
    assert normalizer.shape is None


@pytest.mark.parametrize("key", ["mean", "var", "count", "weight", "rejected", "decay", "limit"])
def test_missing_key_copies_nothing(device: torch.device, key: str) -> None:
    state = state_of(device)
    del state[key]
    normalizer = RunningMeanStd(4, device=device)
    before = held(normalizer)
    with pytest.raises(RuntimeError, match=f'Missing key.*"{key}"'):
        normalizer.load_state_dict(state)
    report = normalizer.load_state_dict(state, strict=False)
    assert report.missing_keys == [key]
    assert differences(before, held(normalizer)) == []


def test_state_of_another_module_is_refused(device: torch.device) -> None:
    normalizer = RunningMeanStd(4, device=device)
    with pytest.raises(RuntimeError, match="found bias, weight; known are mean, var, count"):
        normalizer.load_state_dict(nn.Linear(4, 4).state_dict())


def test_unexpected_key_is_named(device: torch.device) -> None:
    state = {**state_of(device), "momentum": torch.zeros(())}
    with pytest.raises(RuntimeError, match='Unexpected key.*"momentum"'):
        RunningMeanStd(4, device=device).load_state_dict(state)
    loose = RunningMeanStd(4, device=device)
    assert loose.load_state_dict(state, strict=False).unexpected_keys == ["momentum"]
    assert loose.count.item() == 50


def test_meta_state_is_refused(device: torch.device) -> None:
    state = {key: value.to("meta") for key, value in state_of(device).items()}
    with pytest.raises(RuntimeError, match="meta device"):
        RunningMeanStd(4, device=device).load_state_dict(state)


def test_warning_comes_once(device: torch.device) -> None:
    trained = fed(RunningMeanStd(4, clip=5.0, device=device), [draw(50, 4, 3, 2, device)])
    fresh = RunningMeanStd(4, device=device)
    with pytest.warns(UserWarning, match=r"clip 5.0 \(not 10.0\)") as caught:
        fresh.load_state_dict(trained.state_dict())
        fresh.load_state_dict(trained.state_dict())
    assert len(caught) == 1


@pytest.mark.parametrize(
    "key, change, message",
    [
        ("returns", Tensor.half, "returns is not finite float64"),
        ("returns", spoilt(torch.nan), "returns is not finite float64"),
        ("returns", lambda returns: returns[:, None], r"returns has shape \(3, 1\), but here \(3,\)"),
        ("gamma", Tensor.float, "gamma is not finite float64"),
        ("statistics.var", lambda var: -1 - var, "statistics: var is negative"),
        ("statistics.mean", Tensor.half, "statistics: mean is torch.float16"),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_bad_returns_copy_nothing(
    device: torch.device, key: str, change: Callable[[Tensor], Tensor], message: str, strict: bool
) -> None:
    trained = DiscountedReturnNormalizer(3, device=device)
    trained.update(torch.ones(3, device=device), torch.zeros(3, device=device))
    fresh = DiscountedReturnNormalizer(3, device=device)
    policy = Policy(fresh)
    nested = {
        f"normalizer.{name}": value for name, value in set_to(key, change)(trained.state_dict()).items()
    }
    before = held(fresh)
    with pytest.raises(RuntimeError, match=f"normalizer.{message}"):
        policy.load_state_dict(nested | Policy(nn.Identity()).state_dict(), strict=strict)
    assert differences(before, held(fresh)) == []


def test_bad_waiting_rows_copy_nothing(device: torch.device) -> None:
    trained = fed(RunningMeanStd(4, sync="manual", device=device), [draw(50, 4, 3, 2, device)])
    trained.sync()
    state = set_to("pending.var", spoilt(-1.0))(trained.state_dict())
    fresh = RunningMeanStd(4, sync="manual", device=device)
    before = held(fresh)
    with pytest.raises(RuntimeError, match="pending: var is negative"):
        fresh.load_state_dict(state)
    assert differences(before, held(fresh)) == []


def test_waiting_rows_are_not_dropped_silently(device: torch.device) -> None:
    trained = fed(RunningMeanStd(4, sync="manual", device=device), [draw(50, 4, 3, 2, device)])
    with pytest.raises(RuntimeError, match='Unexpected key.*"pending.mean"'):
        RunningMeanStd(4, device=device).load_state_dict(trained.state_dict())
    other = fed(RunningMeanStd(4, sync="manual", device=device), [draw(9, 4, 3, 2, device)])
    other.load_state_dict(state_of(device))
    other.sync()
    assert other.count.item() == 50


def test_bad_entry_of_a_dict_is_named(device: torch.device) -> None:
    shapes: dict[str, Any] = {"joints": 4, "goal": {"position": 2}}
    trained = RunningMeanStdDict(shapes, device=device)
    trained.update({"joints": draw(9, 4, 3, 2, device), "goal": {"position": draw(9, 2, 3, 2, device)}})
    state = dict(trained.state_dict())
    key = "entries.goal.entries.position.var"
    state[key] = -1 - state[key]
    fresh = RunningMeanStdDict(shapes, device=device)
    before = held(fresh)
    with pytest.raises(RuntimeError, match="entries.goal.entries.position: var is negative"):
        fresh.load_state_dict(state)
    assert differences(before, held(fresh)) == []
