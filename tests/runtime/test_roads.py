"""Whatever road statistics come by, they are the ones that normalize: the buffers are all that a normalizer knows."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch import nn

from flake8_ckpt.runtime import DiscountedReturnNormalizer
from flake8_ckpt.runtime import RunningMeanStd
from flake8_ckpt.runtime import RunningMeanStdDict
from flake8_ckpt.runtime import audit
from tests.runtime.reference import draw
from tests.runtime.roads import ROADS
from tests.runtime.roads import WIDTH
from tests.runtime.roads import rows

# Of these, what they need from elsewhere may be absent.
NEEDS = {
    "from_pretrained": "huggingface_hub",
    "accelerate": "accelerate",
    "safetensors": "safetensors",
    "onnx": "onnxscript",
    "onnx by tracing": "onnx",
}
OPTIONS: dict[str, dict[str, Any]] = {"plain": {}, "narrow": {"clip": 0.5, "epsilon": 0.25, "min_count": 7}}


def trained_and_fresh(device: torch.device, **options: Any) -> tuple[RunningMeanStd, RunningMeanStd]:
    fresh = RunningMeanStd(WIDTH, device=device, **options)
    # Seen once, and normalized with: whatever could be kept from that would be in the way.
    fresh.update_and_normalize(draw(30, WIDTH, -5, 9, device))
    trained = RunningMeanStd(WIDTH, device=device, **options)
    trained.update(draw(50, WIDTH, 30, 2, device))
    return trained, fresh


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", ROADS)
def test_statistics_that_arrive_normalize(device: torch.device, tmp_path: Path, name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason="takes this road")
    trained, fresh = trained_and_fresh(device)
    x = rows(device)
    wanted = trained(x)
    assert (fresh(x) - wanted).abs().max().item() > 1
    with torch.no_grad():
        call = ROADS[name](trained, fresh, tmp_path)
        given: Tensor = call(x)
    # Six parts in a thousand million remain of where a copy that follows began.
    bar = 1e-5 if name in ("deepcopy and lerp", "AveragedModel of buffers") else 1e-6
    assert given.dtype == x.dtype
    assert (given.to(device) - wanted).abs().max().item() <= bar


@pytest.mark.parametrize(
    "name", ["in place", "distributed checkpoint", "vmap", "functional_call", "meta and assign"]
)
@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
def test_settings_that_arrive_count(device: torch.device, tmp_path: Path, name: str) -> None:
    trained, _ = trained_and_fresh(device, clip=0.5, epsilon=0.25, min_count=7)
    fresh = RunningMeanStd(WIDTH, device=device)
    x = rows(device)
    with torch.no_grad():
        given = ROADS[name](trained, fresh, tmp_path)(x)
    assert given.abs().max().item() == 0.5
    assert (given - trained(x)).abs().max().item() <= 1e-6


def test_frozen_in_place_does_not_update(device: torch.device, tmp_path: Path) -> None:
    trained, fresh = trained_and_fresh(device)
    trained.freeze()
    ROADS["in place"](trained, fresh, tmp_path)
    fresh.update(draw(9, WIDTH, 3, 2, device))
    assert (fresh.count.item(), fresh.frozen) == (50, True)


def test_decay_that_arrives_in_place_does_not_fit_silently(device: torch.device, tmp_path: Path) -> None:
    trained, fresh = trained_and_fresh(device, decay=0.9)[0], RunningMeanStd(WIDTH, device=device)
    with pytest.raises(RuntimeError, match="size|shape"):
        ROADS["in place"](trained, fresh, tmp_path)


def test_gradients_pass_stacked_normalizers(device: torch.device, tmp_path: Path) -> None:
    trained, fresh = trained_and_fresh(device)
    call = ROADS["vmap"](trained, fresh, tmp_path)
    slope = torch.func.grad(lambda x: call(x).sum())(rows(device))
    assert (slope * trained.std - 1).abs().max().item() <= 1e-6


def made(kind: str) -> nn.Module:
    x = draw(50, 4, 3, 2, torch.device("cpu"))
    if kind == "dict":
        nested = RunningMeanStdDict({"a": 4, "b": {"c": 4}}, clip=5.0)
        nested.update({"a": x, "b": {"c": x}})
        return nested
    if kind == "returns":
        returns = DiscountedReturnNormalizer(4, gamma=0.9)
        returns.update(x[0], x[1] > 3)
        return returns
    options = {"decayed": {"decay": 0.9, "until": 400}, "manual": {"sync": "manual"}, "lazy": {}}
    module = RunningMeanStd(None if kind == "lazy" else 4, **options.get(kind, {}))  # type: ignore[arg-type]
    module.update(x)
    return module


@pytest.mark.parametrize("kind", ["plain", "decayed", "manual", "lazy", "dict", "returns"])
def test_state_dict_holds_all_that_there_is(kind: str) -> None:
    module = made(kind)
    assert audit(module) == ()
    assert not [name for child in module.modules() for name in child._non_persistent_buffers_set]
    assert copy.deepcopy(module).state_dict().keys() == module.state_dict().keys()
