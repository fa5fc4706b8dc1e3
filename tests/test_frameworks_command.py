"""The subcommand `frameworks`, and the option that names a user's file: what they print, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.front_end import CLEAN
from tests.front_end import run
from tests.front_end import write

SAVER = '[[save]]\nnames = ["acme.io.Writer.persist"]\nkind = "method"\npayload = "state"\npayload_at = 0\n'
WRONG = SAVER + 'fil = "path"\n'


def shown(folder: Path, *arguments: str) -> str:
    found = run(folder, "-m", "flake8_ckpt", "frameworks", *arguments)
    assert (found.code, found.err) == (0, "")
    return found.out


def test_all_libraries_are_listed(tmp_path: Path) -> None:
    lines = shown(tmp_path).splitlines()
    assert "torch" in lines
    assert "  save         torch.save (and 1 more): writes 'obj'" in lines
    assert "  stateful     torch.optim.swa_utils.AveragedModel: ema" in lines
    assert lines.index("accelerate") < lines.index("torch") < lines.index("what identifiers hint")


def test_a_name_chooses_records_in_full(tmp_path: Path) -> None:
    lines = shown(tmp_path, "Fabric.save").splitlines()
    assert lines[:2] == ["lightning", "  save         lightning.Fabric.save (and 3 more): writes 'state'"]
    assert "    omits        entries of a state that filter rejects" in lines
    assert "torch" not in lines


def test_words_of_a_library_are_shown(tmp_path: Path) -> None:
    lines = shown(tmp_path, "randint_like", "VecNormalize$").splitlines()
    assert lines[:2] == [
        "stable_baselines3",
        "  vocabulary   class, the normalizing wrapper: what a pattern matches",
    ]
    assert "    pattern      (^|[.:])VecNormalize$" in lines
    assert "  vocabulary   function, random values: 11 names" in lines


def test_a_name_of_nothing_is_said(tmp_path: Path) -> None:
    assert shown(tmp_path, "no.such.library") == "nothing is known of such a name\n"


def test_records_of_the_user_are_marked(tmp_path: Path) -> None:
    write(tmp_path, {"acme.toml": SAVER, "setup.cfg": "[flake8]\nckpt-frameworks = acme.toml\n"})
    assert "  save         acme.io.Writer.persist: writes 'state'  [yours]" in shown(tmp_path).splitlines()
    found = json.loads(shown(tmp_path, "--output-format=json", "acme.io"))
    assert found == [
        {
            "table": "save",
            "own": True,
            "kind": "method",
            "payload": "state",
            "payload_at": 0,
            "names": ["acme.io.Writer.persist"],
        }
    ]


@pytest.mark.parametrize("command", ["check", "contract", "frameworks"])
def test_a_wrong_file_ends_the_command_in_one_line(tmp_path: Path, command: str) -> None:
    write(tmp_path, {"acme.toml": WRONG, "a.py": CLEAN})
    found = run(tmp_path, "-m", "flake8_ckpt", command, "--ckpt-frameworks=acme.toml")
    said = f"flake8-ckpt: error: --ckpt-frameworks: {tmp_path}/acme.toml:6: [[save]] unknown key 'fil': "
    assert (found.code, found.out) == (2, "")
    assert found.err == f"{said}did you mean 'file'?\n"


def test_a_wrong_file_ends_flake8_in_one_line(tmp_path: Path) -> None:
    write(tmp_path, {"acme.toml": WRONG, "a.py": CLEAN})
    found = run(tmp_path, "-m", "flake8", "--ckpt-frameworks=acme.toml", "a.py")
    assert found.code == 1
    assert "acme.toml:6: [[save]] unknown key 'fil'" in found.out + found.err
    assert "Traceback" not in found.out + found.err


def test_a_file_of_the_configuration_is_found_from_any_folder(tmp_path: Path) -> None:
    files = {
        "conf/acme.toml": SAVER,
        "conf/setup.cfg": "[flake8]\nckpt-frameworks = acme.toml\n",
        "a.py": CLEAN,
    }
    write(tmp_path, files)
    assert "[yours]" in shown(tmp_path, "--config=conf/setup.cfg", "acme")


def test_two_files_are_read(tmp_path: Path) -> None:
    other = SAVER.replace("persist", "flush")
    write(tmp_path, {"one.toml": SAVER, "two.toml": other})
    assert shown(tmp_path, "--ckpt-frameworks=one.toml,two.toml", "acme.io").count("[yours]") == 2
