"""load_compatible() fills what a fix added, says so, and refuses everything else with nothing copied."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from flake8_ckpt.runtime.verifier import Compatible
from flake8_ckpt.runtime.verifier import IncompatibleCheckpoint
from flake8_ckpt.runtime.verifier import load_compatible


class Policy(nn.Module):
    """A policy after the fix: the mean and the count are buffers now."""

    mean: torch.Tensor
    count: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(3, 2)
        self.register_buffer("mean", torch.full((3,), 5.0))
        self.register_buffer("count", torch.tensor(9))


State = dict[str, Any]


def before_the_fix(device: torch.device) -> State:
    return dict(nn.ModuleDict({"net": nn.Linear(3, 2)}).to(device).state_dict())


def after_the_fix(device: torch.device) -> State:
    return dict(Policy().to(device).state_dict())


def load_silently(module: nn.Module, state: State) -> Compatible:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load_compatible(module, state)


def test_whole_checkpoint_loads_silently(device: torch.device) -> None:
    policy, state = Policy().to(device), after_the_fix(device)
    state["mean"] = torch.arange(3.0)
    assert load_silently(policy, state) == Compatible((), "")
    assert policy.mean.tolist() == [0, 1, 2]


def test_module_in_front_of_its_own_keys_stays() -> None:
    wrapped = nn.ModuleDict({"module": nn.Linear(3, 2)})
    state = copy.deepcopy(wrapped.state_dict())
    assert load_silently(wrapped, dict(state)) == Compatible((), "")


def test_buffers_of_the_fix_are_filled(device: torch.device) -> None:
    policy, state = Policy().to(device), before_the_fix(device)
    with pytest.warns(UserWarning) as caught:
        record = load_compatible(policy, state)
    assert record == Compatible(("mean", "count"), "")
    assert [str(w.message) for w in caught] == [
        "Policy loaded an older checkpoint: mean, count not in it, fresh values kept"
    ]
    assert caught[0].filename == __file__
    assert torch.equal(policy.net.weight, state["net.weight"]) and policy.mean.tolist() == [5, 5, 5]


def test_named_additions_are_filled(device: torch.device) -> None:
    policy, state = Policy().to(device), after_the_fix(device)
    del state["net.bias"], state["count"]
    with pytest.raises(IncompatibleCheckpoint, match="missing net.bias"):
        load_compatible(policy, state, added="count")
    with pytest.warns(UserWarning, match="count, net.bias not in it"):
        assert load_compatible(policy, state, added=("*.bias", "count")).filled == ("count", "net.bias")


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_prefix_is_taken_off_and_named(prefix: str, device: torch.device) -> None:
    policy = Policy().to(device)
    state = {prefix + key: value for key, value in before_the_fix(device).items()}
    with pytest.warns(UserWarning, match=f"prefix '{prefix}' taken off"):
        assert load_compatible(policy, state) == Compatible(("mean", "count"), prefix)
    assert torch.equal(policy.net.weight, state[f"{prefix}net.weight"])


def test_checkpoint_from_disk_loads(tmp_path: Path, device: torch.device) -> None:
    torch.save(before_the_fix(device), tmp_path / "last_month.pt")
    with pytest.warns(UserWarning, match="fresh values kept"):
        record = load_compatible(
            Policy().to(device), torch.load(tmp_path / "last_month.pt", map_location=device)
        )
    assert record.filled == ("mean", "count")


def without(*keys: str) -> Callable[[State], State]:
    return lambda state: {key: value for key, value in state.items() if key not in keys}


REFUSED: dict[str, tuple[Callable[[State], State], str]] = {
    "missing parameter": (without("net.bias", "mean"), "missing net.bias (parameters; name them in added="),
    "unexpected key": (lambda state: state | {"net.scale": torch.ones(1)}, "unexpected net.scale"),
    "other shape": (lambda state: state | {"mean": torch.zeros(4)}, "size mismatch for mean"),
    "broadcastable shape": (lambda state: state | {"mean": torch.zeros(1)}, "size mismatch for mean"),
    "integers became floats": (
        lambda state: state | {"count": torch.tensor(9.0)},
        "count is torch.float32, not",
    ),
    "integers became bools": (
        lambda state: state | {"count": torch.tensor(True)},
        "count is torch.bool, not",
    ),
    "half a prefix": (lambda state: state | {"module.mean": torch.zeros(3)}, "unexpected module.mean"),
    "nothing": (lambda state: {}, "missing net.weight, net.bias"),
    "not a tensor": (lambda state: state | {"mean": "five"}, "mean"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused_whole(name: str, device: torch.device) -> None:
    change, message = REFUSED[name]
    policy = Policy().to(device)
    before = copy.deepcopy(policy.state_dict())
    with pytest.raises(IncompatibleCheckpoint, match="^Policy was left as it was: ") as caught:
        load_compatible(policy, change(after_the_fix(device)))
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert all(torch.equal(before[key], value) for key, value in policy.state_dict().items())


def test_additions_that_were_not_named_are_refused(device: torch.device) -> None:
    with pytest.raises(IncompatibleCheckpoint, match=r"missing count \(name them in added= if the fix"):
        load_compatible(Policy().to(device), before_the_fix(device), added=("mean",))


class Guarded(Policy):
    def _load_from_state_dict(self, state: State, prefix: str, *rest: Any) -> None:
        raise ValueError(f"{prefix}mean is {state[prefix + 'mean'][0]}")


def test_what_the_module_refuses_is_refused(device: torch.device) -> None:
    guarded = Guarded().to(device)
    state = after_the_fix(device) | {"mean": torch.full((3,), torch.nan, device=device)}
    weight = guarded.net.weight.clone()
    with pytest.raises(IncompatibleCheckpoint, match="left as it was: ValueError: mean is nan"):
        load_compatible(guarded, state)
    assert torch.equal(guarded.net.weight, weight)


class Consistent(Policy):
    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        if not strict:
            return super().load_state_dict(state, strict, assign)
        raise ValueError(f"a count of {state['count']} goes with a bias of 0")


def test_filled_state_may_be_refused(device: torch.device) -> None:
    policy = Consistent().to(device)
    weight = policy.net.weight.clone()
    with pytest.raises(IncompatibleCheckpoint, match="left as it was: ValueError: a count of 9 goes with"):
        load_compatible(policy, before_the_fix(device))
    assert torch.equal(policy.net.weight, weight)


def test_module_that_cannot_be_copied_is_refused(device: torch.device) -> None:
    policy = Policy().to(device)
    policy.output = policy.net(torch.ones(1, 3, device=device))
    with pytest.raises(IncompatibleCheckpoint, match="cannot be copied to try the state on"):
        load_compatible(policy, before_the_fix(device))
