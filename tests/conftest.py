"""Let pytest explain the assertions of the shared helpers, and compile the package for the processes they start."""

from __future__ import annotations

import compileall
from pathlib import Path

import pytest

import flake8_ckpt

pytest.register_assert_rewrite("tests.rule_cases")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile once what hundreds of processes import, also where Python is told to write no compiled files."""
    if not hasattr(session.config, "workerinput"):
        compileall.compile_dir(Path(flake8_ckpt.__file__).parent, quiet=2)
