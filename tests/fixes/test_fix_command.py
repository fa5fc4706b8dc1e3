"""The subcommand `fix`, run as a user runs it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from flake8_ckpt.cli import main
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import Run
from tests.front_end import command
from tests.front_end import is_restricted
from tests.front_end import write

Fix = Callable[..., Run]
CONFLICT = '"""\n<<<<<<< ours\n=======\n>>>>>>> theirs\n"""\n' + NORMALIZER
SAFE_TABLE = """\
import torch
from torch import nn


class Lookup(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.order = torch.arange(8)

    def forward(self, x):
        return x + self.order
"""


@pytest.fixture
def fix(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Fix:
    """Return what runs the command in a folder, in this process, which is ten times faster."""

    def run_fix(folder: Path, *arguments: str) -> Run:
        monkeypatch.chdir(folder)
        code = main(["fix", *arguments])
        return Run(code, *capfd.readouterr())

    return run_fix


def left(name: str, err: str) -> str:
    """Return why a file was left as it was."""
    return next(
        line for line in err.splitlines() if line.startswith(f"flake8-ckpt: {name}: left as it was: it ")
    )


def test_clean_project_is_left_alone(fix: Fix, tmp_path: Path) -> None:
    write(tmp_path, {"a.py": CLEAN})
    done = fix(tmp_path)
    assert (done.code, done.out) == (0, "")
    assert done.err == "nothing fixed; 0 findings left\n"


def test_silenced_finding_is_left_alone(fix: Fix, tmp_path: Path) -> None:
    silenced = NORMALIZER.replace("torch.zeros(size)\n", "torch.zeros(size)  # noqa: CKP101\n")
    write(tmp_path, {"a.py": silenced, "b.py": NORMALIZER})
    done = fix(tmp_path, "--unsafe-fixes", "--per-file-ignores=b.py:CKP1")
    assert (done.code, (tmp_path / "a.py").read_text(), (tmp_path / "b.py").read_text()) == (
        0,
        silenced,
        NORMALIZER,
    )


def test_unselected_finding_is_left_alone(fix: Fix, tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER})
    assert fix(tmp_path, "--unsafe-fixes", "--select=CKP2").code == 0
    assert (tmp_path / "a.py").read_text() == NORMALIZER


def test_unsafe_fix_waits_for_its_flag(fix: Fix, tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER})
    done = fix(tmp_path)
    assert (done.code, (tmp_path / "a.py").read_text()) == (1, NORMALIZER)
    assert done.out == (
        "./a.py:8:9: CKP101 with --unsafe-fixes: make 'mean' a buffer\n"
        "    adds the key 'mean' to the state_dict:"
        " load older checkpoints with load_compatible() of flake8_ckpt.runtime\n"
    )
    assert done.err == "nothing fixed; 1 finding left, of which --unsafe-fixes mends 1\n"


def test_unsafe_fix_is_applied_when_asked(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER})
    (tmp_path / "a.py").chmod(0o755)
    done = command(tmp_path, "fix", "--unsafe-fixes")
    assert (tmp_path / "a.py").read_text() == CLEAN
    assert (tmp_path / "a.py").stat().st_mode & 0o777 == 0o755
    assert "adds the key 'mean' to the state_dict" in done.out
    assert (done.code, done.err) == (0, "fixed 1 finding in 1 file; 0 findings left\n")
    assert sorted(os.listdir(tmp_path)) == [".flake8_ckpt_cache", "a.py"]


def test_safe_fix_needs_no_flag(fix: Fix, tmp_path: Path) -> None:
    write(tmp_path, {"a.py": SAFE_TABLE})
    done = fix(tmp_path)
    assert (
        'self.register_buffer("order", torch.arange(8), persistent=False)' in (tmp_path / "a.py").read_text()
    )
    assert done.code == 0


def test_diff_writes_nothing_and_can_be_patched(fix: Fix, tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER, "pkg/b.py": NORMALIZER.removesuffix("\n").replace("\n", "\r\n")})
    done = fix(tmp_path, "--diff", "--unsafe-fixes")
    assert (done.code, (tmp_path / "a.py").read_text()) == (1, NORMALIZER)
    patch = subprocess.run(
        ["git", "apply", "-"], cwd=tmp_path, input=done.out.encode(), capture_output=True, check=False
    )
    assert (patch.returncode, patch.stderr) == (0, b"")
    assert (tmp_path / "a.py").read_text() == CLEAN
    assert (tmp_path / "pkg/b.py").read_bytes() == CLEAN.removesuffix("\n").replace("\n", "\r\n").encode()


def test_files_that_must_stay_stay(fix: Fix, tmp_path: Path) -> None:
    root = tmp_path / "project"
    write(
        tmp_path,
        {
            "outside.py": NORMALIZER,
            "project/setup.cfg": "",
            "project/broken.py": "class A(:\n",
            "project/conflict.py": CONFLICT,
            "project/fixed.py": NORMALIZER,
            "project/frozen.py": NORMALIZER,
            "project/real.py": NORMALIZER,
        },
    )
    (root / "link.py").symlink_to("real.py")
    (root / "frozen.py").chmod(0o444)
    done = fix(root, "--unsafe-fixes", ".", "../outside.py")
    assert done.code == 2
    assert (root / "fixed.py").read_text() == (root / "real.py").read_text() == CLEAN
    assert "is a link to real.py" in left("./link.py", done.err)
    assert "is read-only" in left("./frozen.py", done.err)
    assert "holds conflict markers" in left("./conflict.py", done.err)
    assert "cannot be parsed" in left("./broken.py", done.err)
    assert "lies outside the project's folder" in left("../outside.py", done.err)
    assert (root / "link.py").is_symlink()
    assert (root / "conflict.py").read_text() == CONFLICT
    assert (root / "frozen.py").read_text() == (tmp_path / "outside.py").read_text() == NORMALIZER
    assert "Traceback" not in done.err


@pytest.mark.skipif(not is_restricted(), reason="root may write everything here")
def test_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    write(tmp_path, {"shut/a.py": NORMALIZER, "b.py": NORMALIZER})
    (tmp_path / "shut").chmod(0o555)
    done = command(tmp_path, "fix", "--unsafe-fixes")
    (tmp_path / "shut").chmod(0o755)
    assert (done.code, (tmp_path / "b.py").read_text()) == (2, CLEAN)
    assert "its folder cannot be written to" in left("./shut/a.py", done.err)
    assert (tmp_path / "shut/a.py").read_text() == NORMALIZER


def test_path_that_does_not_exist(fix: Fix, tmp_path: Path) -> None:
    done = fix(tmp_path, "nowhere.py")
    assert (done.code, done.out) == (2, "")
    assert done.err == "flake8-ckpt: error: path does not exist: 'nowhere.py'\n"


def test_change_for_the_reader_is_shown_with_its_code(fix: Fix, tmp_path: Path) -> None:
    array = NORMALIZER.replace("torch.zeros", "np.zeros").replace(
        "import torch\n", "import numpy as np\nimport torch\n"
    )
    write(tmp_path, {"a.py": array})
    done = fix(tmp_path, "--unsafe-fixes")
    assert (done.code, (tmp_path / "a.py").read_text()) == (1, array)
    assert done.out == (
        "./a.py:9:9: CKP106 by hand: make 'mean' a buffer\n"
        "    compute with torch where numpy changes 'self.mean'\n"
        '    > self.register_buffer("mean", torch.as_tensor(np.zeros(size)))\n'
    )


def test_finding_without_a_fix_is_said(fix: Fix, tmp_path: Path) -> None:
    source = "import torch\nfrom torch import nn\n\n\ndef keep(model: nn.Module, path):\n    torch.save(model, path)\n"
    write(tmp_path, {"a.py": source})
    done = fix(tmp_path, "--ckpt-enable=CKP214")
    assert done.out.startswith("./a.py:6:5: CKP214 left: ")
    assert done.err == "nothing fixed; 1 finding left\n"
