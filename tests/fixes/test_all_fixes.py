"""What holds for the fixes of all rules, on the cases of all rule tests: text that parses, and nothing new in it."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping

import pytest

from flake8_ckpt.findings import Finding
from flake8_ckpt.fixes.fixed_text import UNSAFE
from flake8_ckpt.fixes.fixed_text import Fixed
from flake8_ckpt.fixes.fixed_text import fix_text
from flake8_ckpt.rules.base import all_rules
from tests.rule_cases import MARKER
from tests.rule_cases import lint

Files = dict[str, str]
# The rules that name a fix.
NAMES = [
    rule.name.replace("-", "_")
    for rule in all_rules()
    if "fix=" in inspect.getsource(sys.modules[rule.module])
]
MAX_ROUNDS = 3


@pytest.mark.parametrize("name", NAMES)
def test_fixes_of_a_rule_converge(name: str) -> None:
    module = importlib.import_module(f"tests.rules.test_{name}")
    codes = [rule.code for rule in all_rules() if rule.module.endswith(f".{name}")]
    for key, case in _cases(module):
        files = {path: MARKER.sub("", text) for path, text in case.items()}
        _check(f"{name}: {key}", files, codes)


def _cases(module: object) -> Iterator[tuple[str, Mapping[str, str]]]:
    for table in ("FOUND", "REGRESSIONS"):
        for key, case in getattr(module, table, {}).items():
            if not isinstance(case, bytes):
                yield key, ({"model.py": case} if isinstance(case, str) else case)


def _check(key: str, files: Files, enable: list[str]) -> None:
    before = found = lint(files, enable=enable)
    mended: list[Finding] = []
    for _ in range(MAX_ROUNDS):
        fixed = {
            path: _fixed(text, [each for each in found if each.path == path]) for path, text in files.items()
        }
        applied = [each.finding for one in fixed.values() for each in one.applied]
        if not applied:
            break
        mended += applied
        files = {path: each.data.decode() for path, each in fixed.items()}
        found = lint(files, enable=enable)
    else:
        pytest.fail(f"{key}: does not converge")
    gone = Counter(map(_what, before)) - Counter(map(_what, mended))
    assert not Counter(map(_what, found)) - gone, (key, files)


def _fixed(text: str, found: list[Finding]) -> Fixed:
    fixed = fix_text(text.encode(), found, allowed=UNSAFE)
    assert fixed.refused == ""
    assert len(fixed.applied) + len(fixed.left) == len(found)
    assert (fixed.data != fixed.old) == bool(fixed.applied)
    return fixed


def _what(finding: Finding) -> tuple[str, str, str]:
    return finding.path, finding.code, finding.attribute
