"""The subcommand `demo`: the linter on small embedded systems, each of which loses state."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import flake8_ckpt
from flake8_ckpt.engine import check
from flake8_ckpt.findings import Finding
from flake8_ckpt.options import Options
from flake8_ckpt.rules.base import all_rules

if TYPE_CHECKING:
    from rich.console import Console

FOLDER = Path(flake8_ckpt.__file__).parent / "demo"
INTRODUCTION = "Five small training systems, each of which loses state between save and resume."
USAGE = """\
Run it on your own code:
  flake8-ckpt check PATH             this linter alone
  flake8 --select=CKP PATH           the same findings through flake8
  flake8-ckpt explain CKP101         what a finding means, bad and good
  flake8-ckpt explain train.py:12    what is found at a line of yours"""
WIDEST = 100
# Lines of the report, each with the style that a terminal shows it in.
Lines = Iterator[tuple[str, str]]


def show_demo(arguments: Sequence[str]) -> int:
    """Check the embedded systems and print what each of them loses; succeed in any case."""
    argparse.ArgumentParser(prog="flake8-ckpt demo", description=INTRODUCTION).parse_args(arguments)
    findings = check(FOLDER, Options(no_cache=True))
    width = min(shutil.get_terminal_size().columns, WIDEST)
    console = _console(width) if sys.stdout.isatty() else None
    for line, style in _report(findings, width):
        if console is None:
            print(line)
        else:
            console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
    return 0


def _report(findings: Iterable[Finding], width: int) -> Lines:
    explained: set[str] = set()
    yield from _wrapped(INTRODUCTION, width, "", "bold")
    count = 0
    for system, own in groupby(findings, key=lambda each: each.path.partition("/")[0]):
        yield "", ""
        yield system.replace("_", " ").capitalize(), "bold underline"
        for finding in own:
            yield from _finding(finding, width, explained)
            count += 1
    yield "", ""
    yield f"{count} findings.", "bold"
    yield from ((line, "") for line in USAGE.splitlines())


def _finding(finding: Finding, width: int, explained: set[str]) -> Lines:
    """Yield the place, the line of code, the message, and, the first time, why the rule is there."""
    yield "", ""
    place = os.path.relpath(FOLDER / finding.path)
    yield f"  {place}:{finding.position.line}:{finding.position.col + 1}", "cyan"
    code = (FOLDER / finding.path).read_text(encoding="utf-8").splitlines()[finding.position.line - 1]
    yield f"    {code.strip()}"[:width], "bold"
    yield from _wrapped(f"{finding.code} {finding.message}", width, "    ", "")
    if finding.code not in explained:
        explained.add(finding.code)
        summary = next(rule.summary for rule in all_rules() if rule.code == finding.code)
        yield from _wrapped(f"why: {summary}", width, "    ", "dim")


def _wrapped(text: str, width: int, indent: str, style: str) -> Lines:
    for line in textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    ):
        yield line, style


def _console(width: int) -> Console:
    from rich.console import Console

    return Console(width=width)
