"""A shell that asks argcomplete how a line goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.front_end import write

# argcomplete answers on the file descriptor 8.
SHELL = 'exec 8>&1 9>/dev/null; exec "$@"'


def offered(folder: Path, line: str) -> list[str]:
    done = subprocess.run(
        ["bash", "-c", SHELL, "shell", sys.executable, "-m", "flake8_ckpt"],
        cwd=folder,
        env={
            **os.environ,
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_IFS": "\n",
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
            "PYTHONPATH": ":".join(sys.path),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    return [each.strip() for each in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("flake8-ckpt ba", ["baseline"]),
        ("flake8-ckpt check --ckpt-en", ["--ckpt-enable"]),
        ("flake8-ckpt a.py --ckpt-base", ["--ckpt-baseline"]),
        ("flake8-ckpt baseline --pr", ["--prune"]),
        ("flake8-ckpt check --output-format s", ["sarif"]),
        ("flake8-ckpt inspect --x", []),
    ],
)
def test_shell_completes(tmp_path: Path, line: str, answer: list[str]) -> None:
    assert offered(write(tmp_path, {"a.py": ""}), line) == answer
