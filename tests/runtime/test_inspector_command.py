"""The subcommand `inspect`: what it prints, its exit codes, and the comparison with a module."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from flake8_ckpt.runtime.inspector.command import show_checkpoint
from tests.front_end import Run
from tests.front_end import command
from tests.front_end import is_restricted
from tests.front_end import run
from tests.runtime.hostile import ESCAPE

pytest.importorskip("flake8", reason="the command belongs to the linter, which is not installed")

FACTORY = """\
import torch
from torch import nn

class Nested:
    @staticmethod
    def make():
        return nn.Linear(3, 2)

def make():
    return nn.Linear(3, 2)

def other():
    return nn.Linear(4, 2, bias=False)

def double():
    return nn.Linear(3, 2).double()

def fail():
    raise RuntimeError("two\\nlines")

value = 3
"""


class Own(nn.Module):
    """A module whose class no library has."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a checkpoint and a module of factories."""
    torch.save({"model": nn.Linear(3, 2).state_dict(), "epoch": 3}, tmp_path / "a.pt")
    (tmp_path / "factories.py").write_text(FACTORY)
    return tmp_path


def test_table_of_a_checkpoint(folder: Path) -> None:
    done = command(folder, "inspect", "a.pt")
    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert lines[0].startswith("a.pt: torch zip, ") and lines[0].endswith("2 tensors with 8 elements")
    assert [line.split() for line in lines[2:6]][0] == ["key", "dtype", "shape", "size", "values"]
    assert lines[4].split() == ["model.weight", "float32", "2x3", "24", "bytes"]
    assert lines[-2:] == ["Normalizers: none", "Findings: none"]


def test_json_of_a_checkpoint(folder: Path) -> None:
    report = json.loads(command(folder, "inspect", "a.pt", "--json").out)
    assert [entry["key"] for entry in report["entries"]] == ["model.weight", "model.bias", "epoch"]
    assert set(report) == {"path", "kind", "size", "entries", "findings", "normalizers", "notes", "read"}


@pytest.mark.parametrize(
    ("state", "kinds", "code"),
    [
        pytest.param({"w": torch.ones(2)}, "unsafe,nonfinite,missing-normalizer", 0, id="clean"),
        pytest.param({"w": torch.tensor(float("nan"))}, "unsafe,missing-normalizer", 0, id="not asked for"),
        pytest.param({"w": torch.tensor(float("nan"))}, "nonfinite", 1, id="NaN"),
        pytest.param({"actor.w": torch.ones(2, 2)}, "missing-normalizer", 1, id="no normalizer"),
        pytest.param(nn.Linear(1, 1), "nonfinite,unsafe", 0, id="known library"),
        pytest.param(nn.Linear(1, 1), "imports", 1, id="known library that is asked for"),
        pytest.param(Own(), "nonfinite,unsafe", 1, id="class of one's own"),
        pytest.param({"module.w": torch.ones(2)}, "prefix", 1, id="prefix"),
    ],
)
def test_exit_code_says_what_was_asked(tmp_path: Path, state: object, kinds: str, code: int) -> None:
    torch.save(state, tmp_path / "a.pt")
    assert show_checkpoint([str(tmp_path / "a.pt"), "--fail-on", kinds]) == code


def test_unknown_kind_is_an_error_of_use(folder: Path) -> None:
    done = command(folder, "inspect", "a.pt", "--fail-on=nonsense")
    assert done.code == 2 and "'nonsense' is none of unsafe, " in done.err


def test_bad_file_is_one_line(folder: Path) -> None:
    done = command(folder, "inspect", "factories.py")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("flake8-ckpt: error: factories.py: neither a checkpoint of torch")


def against(folder: Path, spec: str, capsys: pytest.CaptureFixture[str], file: str = "a.pt") -> Run:
    """Compare in this process, because each new one would import torch."""
    code = show_checkpoint([str(folder / file), "--against", spec])
    out, err = capsys.readouterr()
    return Run(code, out, err)


@pytest.fixture
def importable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the factories be imported in this process until the test ends."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "factories", raising=False)
    return folder


@pytest.mark.skipif(not is_restricted(), reason="this user may read everything")
def test_unreadable_file_is_one_line(folder: Path) -> None:
    (folder / "a.pt").chmod(0)
    done = command(folder, "inspect", "a.pt")
    assert (done.code, done.out) == (2, "")
    assert done.err == "flake8-ckpt: error: a.pt: Permission denied\n"


def test_report_is_the_same_where_python_is_optimized(folder: Path) -> None:
    plain, optimized = (
        run(folder, *flags, "-m", "flake8_ckpt", "inspect", "a.pt") for flags in ([], ["-OO"])
    )
    assert plain == optimized


def test_module_beside_the_file_fits(folder: Path) -> None:
    done = command(folder, "inspect", "a.pt", "--against", "factories:make")
    assert (done.code, done.err) == (0, "")
    assert "Note: compared with factories:make, 2 keys, below 'model.'" in done.out.splitlines()


def test_factory_may_be_a_method(importable: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert against(importable, "factories:Nested.make", capsys).code == 0


def test_module_that_differs(importable: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = against(importable, "factories:other", capsys)
    assert done.code == 1
    assert [line.strip() for line in done.out.splitlines() if "mismatch" in line] == [
        "mismatch: weight: shape (2, 3) in the file, (2, 4) in the module",
        "mismatch: bias: unexpected: the file has it and the module does not",
    ]
    done = against(importable, "factories:double", capsys)
    assert "mismatch: weight: dtype float32 in the file, float64 in the module" in done.out


def test_module_with_other_keys(importable: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"unknown": torch.ones(2)}, importable / "b.pt")
    done = against(importable, "factories:make", capsys, "b.pt")
    found = [line.split(":")[1:3] for line in done.out.splitlines() if "mismatch" in line]
    assert found == [[" weight", " missing"], [" bias", " missing"], [" unknown", " unexpected"]]


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ("factories", "module:factory"),
        ("nowhere:make", "No module named"),
        ("factories:nothing", "no attribute"),
        ("factories:fail", "two lines"),
        ("factories:value", "not callable"),
        ("factories:Nested", "state_dict"),
    ],
)
def test_wrong_factory_is_one_line(
    importable: Path, capsys: pytest.CaptureFixture[str], spec: str, word: str
) -> None:
    done = against(importable, spec, capsys)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert f"--against {spec}: " in done.err and word in done.err


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    torch.save(
        {f"{ESCAPE}w": torch.tensor([float("nan")]), "\u202ereversed": torch.ones(1)}, tmp_path / "a.pt"
    )
    done = command(tmp_path, "inspect", "a.pt")
    assert done.code == 0 and r"\x1b[2J" in done.out and r"\u202e" in done.out
    assert all(each.isprintable() or each == "\n" for each in done.out)


def test_many_findings_are_counted(tmp_path: Path) -> None:
    torch.save({str(at): torch.tensor(float("inf")) for at in range(30)}, tmp_path / "a.pt")
    done = command(tmp_path, "inspect", "a.pt")
    assert done.out.count("NaN or infinite") == 10
    assert "nonfinite: and 20 more (--json lists them)" in done.out


@pytest.mark.filterwarnings("ignore")
def test_archive_of_stable_baselines3(tmp_path: Path) -> None:
    stable_baselines3 = pytest.importorskip(
        "stable_baselines3", reason="the archive is made by Stable-Baselines3"
    )
    gymnasium = pytest.importorskip("gymnasium", reason="Stable-Baselines3 needs an environment")
    from stable_baselines3.common.vec_env import DummyVecEnv
    from stable_baselines3.common.vec_env import VecNormalize

    environment = VecNormalize(DummyVecEnv([lambda: gymnasium.make("Pendulum-v1")]))
    model = stable_baselines3.PPO("MlpPolicy", environment, n_steps=8, batch_size=8, device="cpu").learn(16)
    model.save(tmp_path / "model.zip")
    alone = json.loads(command(tmp_path, "inspect", "model.zip", "--json").out)
    keys = {entry["key"]: tuple(entry["shape"]) for entry in alone["entries"] if entry["storage"] is not None}
    truth = {f"policy.{key}": tuple(each.shape) for key, each in model.policy.state_dict().items()}
    assert keys.items() >= truth.items() and alone["kind"] == "Stable-Baselines3 zip"
    (missing,) = (each for each in alone["findings"] if each["kind"] == "missing-normalizer")
    assert missing["message"].startswith("the model was trained on a VecNormalize")
    environment.save(str(tmp_path / "vecnormalize.pkl"))
    beside = json.loads(command(tmp_path, "inspect", "model.zip", "--json").out)
    assert "missing-normalizer" not in {each["kind"] for each in beside["findings"]}
    statistics = json.loads(command(tmp_path, "inspect", "vecnormalize.pkl", "--json").out)
    assert statistics["normalizers"] == ["obs_rms", "ret_rms"]
    (mean,) = (each for each in statistics["entries"] if each["key"] == "obs_rms.mean")
    assert mean["statistics"]["minimum"] == vars(environment)["obs_rms"].mean.min()
