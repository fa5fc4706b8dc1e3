"""The subcommand `fix`, run as a user runs it."""

from __future__ import annotations

from pathlib import Path

from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import command
from tests.front_end import write


def test_unsafe_fix_is_applied_when_asked(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER})
    done = command(tmp_path, "fix", "--unsafe-fixes")
    assert (tmp_path / "a.py").read_text() == CLEAN
    assert "adds the key 'mean' to the state_dict" in done.out
    assert done.code == 0
