"""What the tests of single fixes share: a small program in, the fixed text and what is said of it out."""

from __future__ import annotations

from dataclasses import dataclass

from flake8_ckpt.fixes.fixed_text import UNSAFE
from flake8_ckpt.fixes.fixed_text import fix_text
from flake8_ckpt.fixes.suggestion import BufferStyle
from flake8_ckpt.fixes.suggestion import Suggestion
from tests.rule_cases import Case
from tests.rule_cases import lint


@dataclass(frozen=True)
class Outcome:
    """The text after the fixes, and the suggestions for the findings of the one code, in order."""

    text: str
    found: tuple[Suggestion, ...]

    @property
    def only(self) -> Suggestion:
        """Return the only suggestion."""
        (suggestion,) = self.found
        return suggestion


def fixed(case: Case, code: str, style: BufferStyle = "auto") -> Outcome:
    """Fix the findings of one code in "model.py", unsafe ones too."""
    files = {"model.py": case} if isinstance(case, str) else case
    found = [each for each in lint(files, enable=[code]) if (each.path, each.code) == ("model.py", code)]
    assert found, "nothing is found"
    done = fix_text(files["model.py"].encode(), found, allowed=UNSAFE, style=style)
    proposals = sorted((*done.applied, *done.left), key=lambda each: each.finding)
    return Outcome(
        done.data.decode(), tuple(each.suggestion for each in proposals if each.suggestion is not None)
    )
