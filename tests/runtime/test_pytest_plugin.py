"""The fixture ckpt_roundtrip: nothing is paid where it is not used, and its failures read well."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

RIGHT = """
import torch
from torch import nn

def test_linear(ckpt_roundtrip, tmp_path):
    batch = torch.ones(2, 3)

    def train(module):
        optimizer = torch.optim.SGD(module.parameters(), 0.1)
        module(batch).sum().backward()
        optimizer.step()

    report = ckpt_roundtrip(lambda: nn.Linear(3, 1), exercise=train, continue_with=lambda m: m(batch))
    assert report.ok and (tmp_path / "torch.ckpt").exists()
"""
LOST = """
import torch
from torch import nn

class Rms(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(()))
        self.mean = torch.zeros(2)

    def forward(self, x):
        self.count += 1
        self.mean = self.mean + x.mean(0)

def test_rms(ckpt_roundtrip):
    ckpt_roundtrip(Rms, exercise=lambda m: m(torch.ones(2, 2)), via="torch")
"""
UNUSED = """
import sys

def test_nothing_heavy_is_loaded():
    assert "flake8_ckpt.runtime.pytest_plugin" in sys.modules
    heavy = {"torch", "numpy", "libcst", "rich", "msgspec", "flake8", "flake8_ckpt.runtime.verifier"}
    assert heavy.isdisjoint(sys.modules)
"""
WITHOUT_TORCH = """
import sys

sys.modules["torch"] = None  # as if it were not installed

def test_rms(ckpt_roundtrip):
    ckpt_roundtrip(object, exercise=print)
"""
INSTALLED = [point.value for point in entry_points(group="pytest11")]
pytestmark = pytest.mark.skipif(
    "flake8_ckpt.runtime.pytest_plugin" not in INSTALLED,
    reason="pytest finds the fixture of an installed package",
)


def run_pytest(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_case.py").write_text(test, encoding="utf-8")
    # Plugins of others, which take longer than all else.
    others = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:anyio")
    command = [sys.executable, "-m", "pytest", "-q", *others, *options]
    return subprocess.run([*command, "test_case.py"], cwd=folder, capture_output=True, text=True)


def test_right_module_passes(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, RIGHT)
    assert run.returncode == 0, run.stdout


def test_unused_plugin_loads_nothing(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, UNUSED)
    assert run.returncode == 0, run.stdout


def test_failure_shows_the_report(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, LOST)
    assert run.returncode == 1
    assert "lost      mean: was [1, 1] float32 [2]; came back as [0, 0]" in run.stdout
    assert "roundtrip.py" not in run.stdout and "pytest_plugin.py" not in run.stdout


def test_missing_torch_gives_one_line(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, WITHOUT_TORCH, "--tb=short")
    assert run.returncode == 1
    assert "assert_roundtrip needs torch: pip install 'flake8-ckpt[runtime]'" in run.stdout
    assert "Traceback" not in run.stdout and "pytest_plugin.py" not in run.stdout


def test_fixture_takes_the_same_options(
    ckpt_roundtrip: Callable[..., Any], device: torch.device, tmp_path: Path
) -> None:
    def train(module: nn.Module) -> None:
        module(torch.ones(4, 2, device=device))

    report = ckpt_roundtrip(
        lambda: nn.BatchNorm1d(2), exercise=train, device=device, via=("mmap",), folder=tmp_path
    )
    assert report.trips == ("mmap",) and [path.name for path in tmp_path.iterdir()] == ["mmap.ckpt"]
