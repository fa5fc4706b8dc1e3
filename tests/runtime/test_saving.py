"""An interrupted save leaves the old checkpoint as it was."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from flake8_ckpt.runtime.saving import save_checkpoint
from tests.runtime.reference import differences
from tests.runtime.reference import draw
from tests.runtime.reference import fed
from tests.runtime.reference import held

KILLED = """
import sys, time
import torch
from flake8_ckpt.runtime.saving import save_checkpoint

class Slow:
    def __reduce__(self):
        print("saving", flush=True)
        time.sleep(60)
        return str, ()

save_checkpoint({"weights": torch.ones(1000), "slow": Slow()}, sys.argv[1])
"""


class Unpicklable:
    def __reduce__(self) -> str:
        raise RuntimeError("this cannot be pickled")


class Interrupted:
    def __reduce__(self) -> str:
        raise KeyboardInterrupt


def test_saved_state_comes_back(device: torch.device, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    trained = fed(RunningMeanStd(4, device=device), [draw(50, 4, 3, 2, device)])
    save_checkpoint({"normalizer": trained.state_dict(), "step": 7}, path)
    payload = torch.load(path, weights_only=True)
    fresh = RunningMeanStd(4, device=device)
    fresh.load_state_dict(payload["normalizer"])
    assert differences(held(trained), held(fresh)) == []
    assert payload["step"] == 7
    assert os.listdir(tmp_path) == ["model.pt"]


def test_second_save_replaces_the_first(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    for step in range(3):
        save_checkpoint({"step": step}, str(path))
    assert torch.load(path, weights_only=True) == {"step": 2}
    assert os.listdir(tmp_path) == ["model.pt"]


def test_folder_may_be_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_checkpoint({"step": 1}, "model.pt")
    assert torch.load("model.pt", weights_only=True) == {"step": 1}


@pytest.mark.parametrize("problem", [Unpicklable(), Interrupted()])
@pytest.mark.parametrize("is_first", [False, True])
def test_failed_save_leaves_the_old_file(tmp_path: Path, problem: object, is_first: bool) -> None:
    path = tmp_path / "model.pt"
    if not is_first:
        save_checkpoint({"step": 1}, path)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    with pytest.raises((RuntimeError, KeyboardInterrupt)):
        save_checkpoint({"weights": torch.ones(1000), "problem": problem}, path)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_killed_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    save_checkpoint({"step": 1}, path)
    before = path.read_bytes()
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "saving\n"
        time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    save_checkpoint({"step": 2}, path)
    assert torch.load(path, weights_only=True) == {"step": 2}


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        save_checkpoint({}, tmp_path / "nowhere" / "model.pt")


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions_are_those_of_other_files(tmp_path: Path) -> None:
    path, other = tmp_path / "model.pt", tmp_path / "other"
    other.touch()
    save_checkpoint({}, path)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)
    path.chmod(0o640)
    save_checkpoint({}, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "step7.pt", tmp_path / "latest.pt"
    save_checkpoint({"step": 1}, real)
    link.symlink_to(real)
    save_checkpoint({"step": 2}, link)
    assert link.is_symlink()
    assert torch.load(real, weights_only=True) == {"step": 2}
