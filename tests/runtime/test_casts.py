"""What is done to a whole model, casts, copies and devices, leaves the statistics as they are, bit for bit."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from pathlib import Path
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
from tests.runtime.reference import fed
from tests.runtime.reference import held

CASTS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "half": lambda model: model.half(),
    "bfloat16": lambda model: model.bfloat16(),
    "double": lambda model: model.double(),
    "float": lambda model: model.float(),
    "to float16": lambda model: model.to(torch.float16),
    "type": lambda model: model.type(torch.float64),
    "half and back": lambda model: model.half().float(),
    "to its device": lambda model: model.to(next(model.buffers()).device, torch.bfloat16, non_blocking=True),
}
KINDS = ["plain", "skip", "manual", "shape ()", "lazy", "dict", "returns"]


def made(kind: str, device: torch.device | str) -> nn.Module:
    """Return a normalizer that has seen nothing, inside a model."""
    parts: dict[str, Callable[[], nn.Module]] = {
        "plain": lambda: RunningMeanStd(4, device=device),
        "skip": lambda: RunningMeanStd(4, nonfinite="skip", decay=0.9, device=device),
        "manual": lambda: RunningMeanStd(4, sync="manual", device=device),
        "shape ()": lambda: RunningMeanStd((), device=device),
        "lazy": lambda: RunningMeanStd(device=device),
        "dict": lambda: RunningMeanStdDict({"a": 4, "b": {"c": 4}}, device=device),
        "returns": lambda: DiscountedReturnNormalizer(4, device=device),
    }
    return nn.Sequential(parts[kind](), nn.Linear(4, 2, device=device))


FIRST, NEXT = range(3), range(3, 5)


def feed(model: nn.Module, device: torch.device, seeds: range = FIRST) -> nn.Module:
    part: Any = model.get_submodule("0")
    for seed in seeds:
        rows = draw(50, 4, 30, 2, device, seed)
        if isinstance(part, RunningMeanStdDict):
            part.update({"a": rows, "b": {"c": rows + 1}})
        elif isinstance(part, DiscountedReturnNormalizer):
            part.update(rows[0], rows[1] > 31)
        else:
            part.update(rows if part.shape != () else rows[:, 0])
    return model


def statistics(model: nn.Module) -> dict[str, torch.Tensor]:
    return held(model.get_submodule("0"))


@pytest.mark.parametrize("name", CASTS)
@pytest.mark.parametrize("kind", KINDS)
def test_cast_leaves_statistics(device: torch.device, kind: str, name: str) -> None:
    model = feed(made(kind, device), device)
    before, places = statistics(model), addresses(model.get_submodule("0"))
    CASTS[name](model)
    assert differences(before, statistics(model)) == []
    assert addresses(model.get_submodule("0")) == places


@pytest.mark.parametrize("copied", ["deepcopy", "pickle", "torch.save", "CPU and back"])
@pytest.mark.parametrize("kind", KINDS)
def test_copy_goes_on_alike(device: torch.device, kind: str, copied: str) -> None:
    model = feed(made(kind, device), device)
    if copied == "deepcopy":
        other = copy.deepcopy(model)
    elif copied == "pickle":
        other = pickle.loads(pickle.dumps(model))
    elif copied == "torch.save":
        file = io.BytesIO()
        torch.save(model, file)
        file.seek(0)
        other = torch.load(file, weights_only=False)
    else:
        other = copy.deepcopy(model).cpu().to(device)
    assert differences(statistics(model), statistics(other)) == []
    feed(model, device, NEXT)
    assert differences(statistics(model), statistics(other)) != []
    feed(other, device, NEXT)
    assert differences(statistics(model), statistics(other)) == []


@pytest.mark.parametrize("via", ["strict", "loose", "assign", "mmap", "meta", "safetensors"])
@pytest.mark.parametrize("kind", KINDS)
def test_checkpoint_goes_on_alike(device: torch.device, tmp_path: Path, kind: str, via: str) -> None:
    model, path = feed(made(kind, device), device), tmp_path / "model.pt"
    before = statistics(model)
    if via == "safetensors":
        safetensors = pytest.importorskip("safetensors.torch", reason="saves the state as safetensors")
        safetensors.save_file(model.state_dict(), path)
        state = safetensors.load_file(path)
    else:
        torch.save(model.state_dict(), path)
        state = torch.load(path, map_location=device, mmap=via == "mmap" or None, weights_only=True)
    fresh = made(kind, "meta" if via == "meta" else device)
    report = fresh.load_state_dict(state, strict=via != "loose", assign=via in ("assign", "meta"))
    assert (report.missing_keys, report.unexpected_keys) == ([], [])
    assert differences(before, statistics(fresh)) == []
    if via == "safetensors":
        fresh.to(device)
    feed(model, device, NEXT)
    feed(fresh, device, NEXT)
    assert differences(statistics(model), statistics(fresh)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_fresh_state_loads(device: torch.device, kind: str) -> None:
    fresh = feed(made(kind, device), device) if kind != "lazy" else made(kind, device)
    fresh.load_state_dict(made(kind, device).state_dict())
    assert differences(statistics(made(kind, device)), statistics(fresh)) == []


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
def test_prefix_of_a_wrapper_is_kept_apart(device: torch.device, prefix: str) -> None:
    model = feed(made("manual", device), device)
    wrapped = model
    for name in reversed(prefix.rstrip(".").split(".")):
        outer = nn.Module()
        outer.add_module(name, wrapped)
        wrapped = outer
    state = dict(wrapped.state_dict())
    assert all(key.startswith(prefix) for key in state)
    fresh = made("manual", device)
    fresh.load_state_dict({key.removeprefix(prefix): value for key, value in state.items()})
    assert differences(statistics(model), statistics(fresh)) == []
    wrapped.load_state_dict(state)
    assert differences(statistics(model), statistics(fresh)) == []


def test_compiled_model_names_the_same_state(device: torch.device) -> None:
    model = feed(made("plain", device), device)
    wrapped: Any = torch.compile(model, backend="eager")
    state = wrapped.state_dict()
    fresh = made("plain", device)
    fresh.load_state_dict({key.removeprefix("_orig_mod."): value for key, value in state.items()})
    assert differences(statistics(model), statistics(fresh)) == []


@pytest.mark.parametrize("nonfinite", ["propagate", "skip"])
@pytest.mark.parametrize("number", [100, 40_000])
@pytest.mark.parametrize("masked", [False, True])
def test_autocast_leaves_statistics(device: torch.device, nonfinite: str, number: int, masked: bool) -> None:
    rows = draw(number, 8, 1e6, 1, device)
    mask = torch.arange(number, device=device) % 5 != 0 if masked else None
    results = []
    for enabled in (False, True):
        normalizer = RunningMeanStd(8, nonfinite=nonfinite, device=device)  # type: ignore[arg-type]
        with torch.autocast(device.type, torch.bfloat16, enabled=enabled):
            normalizer.update(rows, mask=mask)
            results.append((held(normalizer), normalizer.normalize(rows), normalizer.denormalize(rows)))
    (one, *outputs), (other, *others) = results
    assert differences(one, other) == []
    assert all(torch.equal(*pair) and pair[0].dtype == pair[1].dtype for pair in zip(outputs, others))


def test_gradients_flow_through(device: torch.device) -> None:
    normalizer = fed(RunningMeanStd(4, device=device), [draw(50, 4, 3, 2, device)])
    rows = draw(5, 4, 3, 2, device).double().requires_grad_()
    assert torch.autograd.gradcheck(normalizer.normalize, rows)
    assert torch.autograd.gradcheck(normalizer.denormalize, rows)
    few = RunningMeanStd(4, device=device)
    assert torch.autograd.gradcheck(few.normalize, rows)


def test_gradient_is_the_inverse_deviation(device: torch.device) -> None:
    normalizer = fed(RunningMeanStd(4, device=device), [draw(50, 4, 3, 2, device)])
    rows = draw(5, 4, 3, 2, device).requires_grad_()
    normalizer.update(rows)
    (slope,) = torch.autograd.grad(normalizer(rows).sum(), rows)
    assert (slope * normalizer.std - 1).abs().max().item() <= 1e-6
    assert not any(buffer.requires_grad for buffer in normalizer.buffers())


def test_inference_mode_can_be_left(device: torch.device) -> None:
    normalizer, other = RunningMeanStd(device=device), RunningMeanStd(device=device)
    rows = draw(50, 4, 3, 2, device)
    with torch.inference_mode():
        normalizer.update(rows)
        normalizer(rows)
    normalizer.update(rows)
    assert differences(held(normalizer), held(fed(other, [rows, rows]))) == []
    state = copy.deepcopy(normalizer.state_dict())
    with torch.inference_mode():
        other.load_state_dict(state)
    assert differences(held(normalizer), held(fed(other, []))) == []
