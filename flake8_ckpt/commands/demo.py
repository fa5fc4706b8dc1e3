"""The subcommand `demo`: the linter on a small embedded project."""

from __future__ import annotations

from pathlib import Path

import flake8_ckpt
from flake8_ckpt.engine import check
from flake8_ckpt.findings import Finding
from flake8_ckpt.options import Options
from flake8_ckpt.rules.base import all_rules

FOLDER = Path(flake8_ckpt.__file__).parent / "demo"
INTRODUCTION = "Five small training systems, each of which loses state between save and resume:\n"
USAGE = """
Run it on your own code:
  flake8-ckpt check PATH        this linter alone
  flake8 --select=CKP PATH      the same findings through flake8
  flake8-ckpt explain CKP101    what a finding means, with a bad and a good program"""


def show_demo() -> int:
    """Check the embedded project and print each finding with its reason; succeed in any case."""
    findings = check(FOLDER, Options(no_cache=True))
    print(INTRODUCTION)
    for finding in findings:
        print(_describe(finding))
    print(f"\n{len(findings)} findings.{USAGE}")
    return 0


def _describe(finding: Finding) -> str:
    summaries = {rule.code: rule.summary for rule in all_rules()}
    line, column = finding.position.line, finding.position.col + 1
    place = f"{FOLDER.name}/{finding.path}:{line}:{column}"
    return f"{place}: {finding.code} {finding.message}\n    why: {summaries[finding.code]}"
