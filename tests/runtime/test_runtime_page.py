"""The program on the page of the runtime runs, and notices the bug that it is about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parent.parent.parent / "docs" / "runtime.md"
FENCED = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def program() -> str:
    """Return the block that uses the runtime."""
    (found,) = (
        block for block in FENCED.findall(PAGE.read_text(encoding="utf-8")) if "assert_roundtrip" in block
    )
    return str(found)


def run(source: str) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    exec(compile(source, "runtime.md", "exec"), names)


def test_program_passes() -> None:
    run(program())


def test_program_with_a_plain_mean_fails() -> None:
    plain = program().replace("RunningMeanStd(17)", "Plain()")
    normalizer = """
class Plain:
    mean = torch.zeros(17)

    def update_and_normalize(self, obs):
        self.mean = self.mean.lerp(obs.mean(0), 0.1)
        return obs - self.mean


class Policy"""
    with pytest.raises(AssertionError, match=r"lost\s+obs_rms.mean"):
        run(plain.replace("\nclass Policy", normalizer, 1))
