"""What the pages of the CKP1 rules say is so on each device: the bad program fails, and the good one does not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from flake8_ckpt.runtime.verifier import assert_roundtrip
from flake8_ckpt.runtime.verifier import audit
from flake8_ckpt.runtime.verifier import verify_roundtrip
from flake8_ckpt.runtime.verifier.objects.reach import reach
from tests.runtime.rule_pages import ROWS
from tests.runtime.rule_pages import pages

PAGES = pages()
CLASH = "same device|should be the same|different devices"

each_rule = pytest.mark.parametrize("code", ROWS)
each_clash = pytest.mark.parametrize("code", [code for code, row in ROWS.items() if row.clashes])
each_left = pytest.mark.parametrize("code", [code for code, row in ROWS.items() if row.left])


@pytest.fixture(params=["meta", pytest.param("cuda", marks=pytest.mark.cuda)])
def elsewhere(request: pytest.FixtureRequest) -> torch.device:
    """Return each device that is not the CPU in turn; every machine has the one without memory."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")
    return torch.device(request.param)


def factory(code: str, heading: str) -> Callable[[], nn.Module]:
    """Return what makes the class of a page."""
    source = PAGES[code][heading]
    if "import numpy" in source:
        pytest.importorskip("numpy", reason="the program uses numpy")
    return ROWS[code].make(heading, source)


def left_behind(module: nn.Module, device: torch.device) -> set[str]:
    """Return the paths of the tensors that are not on a device."""
    tensors = {node.path: node.value for node in reach(module) if isinstance(node.value, torch.Tensor)}
    return {path for path, value in tensors.items() if value.device.type != device.type}


def carried(make: Callable[[], nn.Module], device: torch.device) -> nn.Module:
    """Return a module on a device, with what `.to()` leaves behind moved by hand, as people do."""
    module = make().to(device)
    for part in module.modules():
        for name, value in vars(part).items():
            if isinstance(value, list):
                value[:] = [moved(item, device) for item in value]
            elif isinstance(value, torch.Tensor):
                setattr(part, name, moved(value, device))
    return module


def moved(value: Any, device: torch.device) -> Any:
    """Return a module or a tensor on a device, the tensor as a leaf."""
    if isinstance(value, nn.Module):
        return value.to(device)
    return value.detach().to(device).requires_grad_(value.requires_grad)


def test_every_rule_has_a_row() -> None:
    assert PAGES.keys() == ROWS.keys() and len(PAGES) >= 12
    assert all(page.keys() == {"Bad", "Good"} for page in PAGES.values())


@each_rule
def test_good_program_keeps_everything(code: str, device: torch.device) -> None:
    row, make = ROWS[code], factory(code, "Good")
    step = row.step_on(device)
    report = assert_roundtrip(make, exercise=step, continue_with=step, via=row.via, device=device)
    assert report.trips and report.compared


@each_rule
def test_good_program_leaves_nothing_behind(code: str, elsewhere: torch.device) -> None:
    assert left_behind(factory(code, "Good")().to(elsewhere), elsewhere) == set()


@each_rule
def test_bad_program_loses_what_it_says(code: str, device: torch.device) -> None:
    row, make = ROWS[code], factory(code, "Bad")
    step = row.step_on(device)
    if row.fails:
        with pytest.raises(TypeError, match=row.fails):
            step(make().to(device))
        return
    report = verify_roundtrip(partial(carried, make, device), exercise=step, continue_with=step, via=row.via)
    unread = {("lost", each.path) for each in report.notes if each.kind in ("unread", "renewed")}
    found = unread | {(each.kind, each.path) for each in report.problems if each.kind != "diverged"}
    assert found == row.problems


@each_left
def test_bad_program_leaves_tensors_behind(code: str, elsewhere: torch.device) -> None:
    row, make = ROWS[code], factory(code, "Bad")
    module = make().to(elsewhere)
    assert left_behind(module, elsewhere) == row.left
    listed = [each.path for each in audit(module)]
    assert all(any(path == each or path.startswith(f"{each}[") for each in listed) for path in row.left)


@each_clash
def test_bad_program_works_on_the_cpu_only(code: str, device: torch.device) -> None:
    row, module = ROWS[code], factory(code, "Bad")().to(device)
    with nullcontext() if device.type == "cpu" else pytest.raises(RuntimeError, match=CLASH):
        row.step(module, device)
