"""Let pytest explain the assertions of the shared helpers, and prepare what the processes that they start need."""

from __future__ import annotations

import compileall
from collections.abc import Iterator
from pathlib import Path

import pytest

import flake8_ckpt

pytest.register_assert_rewrite("tests.rule_cases")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile once what hundreds of processes import, also where Python is told to write no compiled files."""
    if not hasattr(session.config, "workerinput"):
        compileall.compile_dir(Path(flake8_ckpt.__file__).parent, quiet=2)


@pytest.fixture(scope="session", autouse=True)
def _logs_of_stable_baselines3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the folder that each of its trainings makes out of the temporary folder of the machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SB3_LOGDIR", str(tmp_path_factory.mktemp("sb3")))
        yield
