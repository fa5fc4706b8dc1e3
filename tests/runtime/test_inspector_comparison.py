"""`inspect --diff`, `--project`, `--output-format` and the levels of danger, as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from flake8_ckpt.runtime.inspector import inspect_checkpoint
from flake8_ckpt.runtime.inspector.command import show_checkpoint
from flake8_ckpt.runtime.inspector.pickles.machine import GlobalUse
from flake8_ckpt.runtime.inspector.pickles.safety import level_of
from tests.front_end import command

pytest.importorskip("flake8", reason="the command belongs to the linter, which is not installed")

PROGRAM = """\
import torch


def save(model, step):
    torch.save({"model": model.state_dict(), "step": step, "note": "text"}, "run.pt")


def load(model):
    payload = torch.load("run.pt")
    model.load_state_dict(payload["model"])
    print(payload.get("lr"))
    return payload["step"], payload["obs_rms"]
"""


def state(mean: float, weight: float = 1.0) -> dict[str, object]:
    statistics = {"mean": torch.full((2,), mean), "var": torch.ones(2)}
    return {"actor.weight": torch.full((2, 2), weight), "obs": statistics, "step": 3}


def test_equal_files_have_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.pt", "b.pt"):
        torch.save(state(1.0), tmp_path / name)
    assert show_checkpoint([str(tmp_path / "a.pt"), "--diff", str(tmp_path / "b.pt")]) == 0
    assert "0 keys differ, 4 equal" in capsys.readouterr().out


def test_difference_names_what_moved_and_what_did_not(tmp_path: Path) -> None:
    torch.save(state(1.0), tmp_path / "a.pt")
    torch.save(state(1.0, weight=2.0) | {"step": 4}, tmp_path / "b.pt")
    done = command(tmp_path, "inspect", "a.pt", "--diff", "b.pt")
    assert done.code == 0
    assert done.out.splitlines()[1:] == [
        "~ actor.weight  values: 1 -> 2",
        "~ step  values: 3 -> 4",
        "Normalizers that did not move while other values did: obs",
    ]


def test_difference_of_layouts_is_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"a": torch.ones(2), "b": torch.ones(2), "c": torch.ones(2)}, tmp_path / "a.pt")
    torch.save({"b": torch.ones(3), "c": torch.ones(2).double(), "d": torch.ones(1)}, tmp_path / "b.pt")
    arguments = [str(tmp_path / "a.pt"), "--diff", str(tmp_path / "b.pt"), "--output-format", "json"]
    assert show_checkpoint(arguments) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(each["key"], each["kind"]) for each in found["changes"]] == [
        ("a", "only in the first"),
        ("b", "shape"),
        ("c", "dtype"),
        ("d", "only in the second"),
    ]


def test_broken_second_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(state(1.0), tmp_path / "a.pt")
    assert show_checkpoint([str(tmp_path / "a.pt"), "--diff", str(tmp_path / "none.pt")]) == 2
    assert "none.pt: No such file" in capsys.readouterr().err


def test_project_says_what_is_needed_and_what_is_left(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(PROGRAM)
    torch.save({"model": nn.Linear(2, 2).state_dict(), "step": 3, "note": "text"}, tmp_path / "a.pt")
    done = command(tmp_path, "inspect", "a.pt", "--project", ".")
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines()[-4:] == [
        "Note: compared with what train.py:5 saves and train.py:10 reads",
        "Findings: 2",
        "  mismatch: obs_rms: train.py:10 needs it, and the file lacks it",
        "  never-restored: note: no reader of the project restores it",
    ]


def test_file_of_another_project_is_not_compared(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(PROGRAM)
    torch.save({"weight": torch.ones(2)}, tmp_path / "a.pt")
    done = command(tmp_path, "inspect", "a.pt", "--project", ".")
    assert done.code == 0 and "there is nothing to compare it with" in done.out
    assert command(tmp_path, "inspect", "a.pt", "--project", "gone").code == 2


def test_output_format_is_the_older_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(state(1.0), tmp_path / "a.pt")
    texts = []
    for option in (["--json"], ["--output-format", "json"]):
        assert show_checkpoint([str(tmp_path / "a.pt"), *option]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] and json.loads(texts[0])["kind"] == "torch zip"


@pytest.mark.parametrize(
    ("module", "name", "level"),
    [
        ("torch.nn.modules.linear", "Linear", "library"),
        ("gymnasium.spaces.box", "Box", "library"),
        ("numpy.random._pickle", "__generator_ctor", "library"),
        ("argparse", "Namespace", "library"),
        ("mypackage.policy", "Policy", "unknown"),
        ("numpy.testing._private.utils", "runstring", "unknown"),
        ("torch.storage", "_load_from_bytes", "unknown"),
        ("torch.utils.data", "DataLoader", "unknown"),
        ("numpy", "Array.tofile", "unknown"),
        ("torch.fx.graph_module", "GraphModule", "unknown"),
        ("os", "system", "command"),
        ("cloudpickle.cloudpickle", "_make_function", "command"),
        ("<computed>", "x", "command"),
    ],
)
def test_levels_of_danger(module: str, name: str, level: str) -> None:
    assert level_of(GlobalUse(module, name, 0)) == level


def test_stock_archive_of_stable_baselines3_is_not_unsafe(tmp_path: Path) -> None:
    sb3 = pytest.importorskip("stable_baselines3")
    for learner, environment in ((sb3.SAC, "Pendulum-v1"), (sb3.PPO, "CartPole-v1")):
        model = learner("MlpPolicy", environment, device="cpu")
        model._last_original_obs = model.env.reset() if learner is sb3.SAC else None
        model.save(tmp_path / "a.zip")
        report = inspect_checkpoint(tmp_path / "a.zip")
        assert {finding.kind for finding in report.findings} == {"imports", "missing-normalizer"}
        assert "hint" in report.findings[-1].message


def test_code_in_an_archive_of_stable_baselines3_is_unsafe(tmp_path: Path) -> None:
    sb3 = pytest.importorskip("stable_baselines3")
    sb3.PPO("MlpPolicy", "CartPole-v1", device="cpu", learning_rate=lambda left: left * 1e-3).save(
        tmp_path / "a.zip"
    )
    report = inspect_checkpoint(tmp_path / "a.zip")
    assert ("unsafe", "command") in {(finding.kind, finding.level) for finding in report.findings}
    assert show_checkpoint([str(tmp_path / "a.zip"), "--fail-on", "unsafe"]) == 1
