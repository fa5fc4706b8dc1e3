"""Nested observations: each entry has statistics of its own."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from flake8_ckpt.runtime.normalizers.running_mean_std_dict import RunningMeanStdDict
from tests.runtime.reference import differences
from tests.runtime.reference import draw
from tests.runtime.reference import fed
from tests.runtime.reference import held

SHAPES: dict[str, Any] = {"joints": 4, "camera": {"left": (2, 3), "right": (2, 3)}}


def observations(device: torch.device, seed: int = 0, number: int = 20) -> dict[str, Any]:
    camera = draw(number, 12, 100, 9, device, seed).reshape(2, number, 2, 3)
    return {"joints": draw(number, 4, 3, 2, device, seed), "camera": {"left": camera[0], "right": camera[1]}}


@pytest.mark.parametrize("shapes", [SHAPES, None])
def test_entries_equal_single_normalizers(device: torch.device, shapes: dict[str, Any] | None) -> None:
    normalizer = RunningMeanStdDict(shapes, device=device)
    given = observations(device)
    normalized = normalizer.update_and_normalize(given)
    left = fed(RunningMeanStd((2, 3), device=device), [given["camera"]["left"]])
    assert torch.equal(normalized["camera"]["left"], left(given["camera"]["left"]))
    assert differences(held(normalizer.get_submodule("entries.camera.entries.left")), held(left)) == []
    assert torch.equal(normalizer(given)["joints"], normalized["joints"])


def test_denormalize_is_the_inverse(device: torch.device) -> None:
    normalizer = RunningMeanStdDict(SHAPES, device=device)
    given = observations(device)
    back = normalizer.denormalize(normalizer.update_and_normalize(given))
    assert (back["camera"]["right"] - given["camera"]["right"]).abs().max().item() <= 1e-4
    assert (back["joints"] - given["joints"]).abs().max().item() <= 1e-5


def test_mask_filters_all_entries(device: torch.device) -> None:
    normalizer = RunningMeanStdDict(SHAPES, device=device)
    normalizer.update(observations(device), mask=torch.arange(20, device=device) < 7)
    counts = [buffer.item() for name, buffer in normalizer.named_buffers() if name.endswith("count")]
    assert counts.count(7) == 3


@pytest.mark.parametrize("shapes", [SHAPES, None])
def test_fresh_instance_loads_the_checkpoint(device: torch.device, shapes: dict[str, Any] | None) -> None:
    trained = RunningMeanStdDict(shapes, device=device)
    trained.update(observations(device))
    fresh = RunningMeanStdDict(shapes, device=device)
    fresh.load_state_dict(trained.state_dict())
    for each in (trained, fresh):
        each.update(observations(device, 1))
    assert differences(held(trained), held(fresh)) == []
    assert torch.equal(fresh(observations(device))["joints"], trained(observations(device))["joints"])


def test_lazy_instance_loads_inside_a_model(device: torch.device) -> None:
    part = RunningMeanStdDict(device=device)
    part.update(observations(device))
    trained, fresh = torch.nn.Sequential(part), torch.nn.Sequential(RunningMeanStdDict(device=device))
    fresh.load_state_dict(trained.state_dict())
    assert differences(held(trained), held(fresh)) == []


def test_nothing_seen_returns_observations(device: torch.device) -> None:
    given = observations(device)
    assert RunningMeanStdDict(device=device)(given) == given
    assert RunningMeanStdDict(device=device).denormalize(given) == given
    assert torch.equal(RunningMeanStdDict(SHAPES, device=device)(given)["joints"], given["joints"])


@pytest.mark.parametrize("change", ["missing", "added"])
def test_other_keys_are_refused(device: torch.device, change: str) -> None:
    normalizer = RunningMeanStdDict(SHAPES, device=device)
    normalizer.update(observations(device))
    before, given = held(normalizer), observations(device, 1)
    given["camera"].pop("left") if change == "missing" else given["camera"].update(top=given["joints"])
    for method in (normalizer.update, normalizer.normalize, normalizer.denormalize):
        with pytest.raises(ValueError, match=f"differ in: {'left' if change == 'missing' else 'top'}"):
            method(given)
    assert differences(before, held(normalizer)) == []


@pytest.mark.parametrize("key", ["arm.left", "", "keys"])
def test_unusable_key_is_refused_by_name(device: torch.device, key: str) -> None:
    normalizer = RunningMeanStdDict(device=device)
    with pytest.raises(ValueError, match=f"observation '{key}'"):
        normalizer.update({key: draw(5, 4, 3, 2, device)})


def test_methods_reach_all_entries(device: torch.device) -> None:
    normalizer = RunningMeanStdDict(SHAPES, sync="manual", device=device)
    left: Any = normalizer.get_submodule("entries.camera.entries.left")
    normalizer.update(observations(device))
    assert left.count.item() == 0
    normalizer.sync()
    assert left.count.item() == 20
    normalizer.freeze()
    normalizer.update(observations(device))
    normalizer.sync()
    assert left.count.item() == 20
    normalizer.unfreeze()
    normalizer.update(observations(device))
    normalizer.sync()
    assert left.count.item() == 40
    normalizer.reset()
    assert left.count.item() == 0


def test_options_go_to_all_entries(device: torch.device) -> None:
    normalizer = RunningMeanStdDict(SHAPES, clip=0.5, nonfinite="skip", device=device)
    normalized = normalizer.update_and_normalize(observations(device))
    assert max(normalized["joints"].max().item(), normalized["camera"]["left"].max().item()) == 0.5


def test_wrong_shape_changes_no_entry(device: torch.device) -> None:
    normalizer = RunningMeanStdDict(SHAPES, device=device)
    before, given = held(normalizer), observations(device)
    given["camera"]["right"] = given["camera"]["right"][..., :2]
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(20, 2, 2\)"):
        normalizer.update(given)
    assert differences(before, held(normalizer)) == []
