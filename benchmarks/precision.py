"""Lint real packages and write a sheet of findings for a person to read and judge; add up the judgements."""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Optional

from benchmarks.linter import Report
from benchmarks.linter import lint
from benchmarks.scope import attribute_lines
from benchmarks.scope import class_at
from benchmarks.scope import parse_file
from benchmarks.table import format_table
from benchmarks.table import percent

CONTEXT = 6
MENTIONS = 20
VERDICTS = ("right", "wrong", "arguable")
HEADING = re.compile(r"^## (?P<code>CKP\d+) (?P<package>\S+) ")
VERDICT = re.compile(r"^verdict:\s*(?P<word>\w*)")
INTRODUCTION = """\
# Findings to read

Write `right`, `wrong` or `arguable` after each `verdict:`, a reason behind it if there is one.
"""


@dataclass(frozen=True)
class Item:
    """A finding of a package."""

    package: str
    root: Path
    report: Report


def collect(roots: Iterable[Path], enable: str) -> list[Item]:
    """Lint each package in its directory."""
    return [Item(root.name, root, report) for root in roots for report in lint(root, enable)]


def sample(items: Sequence[Item], size: int, seed: int) -> list[Item]:
    """Choose at most `size` findings of each rule, all when it is 0; the same seed gives the same ones."""
    generator = random.Random(seed)
    chosen = []
    for _, group in groupby(sorted(items, key=sort_key), key=lambda item: item.report.code):
        of_rule = list(group)
        few = generator.sample(of_rule, min(size, len(of_rule))) if size else of_rule
        chosen += sorted(few, key=sort_key)
    return chosen


def sort_key(item: Item) -> tuple[str, str, str, int, int]:
    """Order findings by rule, then by place."""
    place = item.report.place
    return item.report.code, item.package, place.path, place.line, item.report.column


def format_counts(items: Sequence[Item], roots: Iterable[Path]) -> str:
    """Count the findings by rule and package, those without any included."""
    packages = sorted(root.name for root in roots)
    codes = sorted({item.report.code for item in items})
    counts = Counter((item.package, item.report.code) for item in items)
    rows = [[name, *(counts[name, code] for code in codes)] for name in packages]
    sums = [sum(counts[name, code] for name in packages) for code in codes]
    return format_table(["package", *codes], [*rows, ["all", *sums]])


def format_item(item: Item) -> str:
    """Lay out one finding: where it is, what it says, the source around it, the attribute elsewhere."""
    report = item.report
    where = f"{report.place.path}:{report.place.line}:{report.column}"
    lines = (item.root / report.place.path).read_text("utf-8", "replace").splitlines()
    around = range(report.place.line - CONTEXT, report.place.end_line + CONTEXT + 1)
    source = format_lines(lines, around, report.place.line)
    related = [f"{place.path}:{place.line}" for place in report.related]
    parts = [f"## {report.code} {item.package} {where}", "", report.message, "", "```python", *source, "```"]
    parts += [f"related: {', '.join(related)}"] if related else []
    parts += ["", *format_mentions(item, lines, around), "", "verdict:", ""]
    return "\n".join(parts)


def format_lines(lines: Sequence[str], numbers: Iterable[int], marked: int) -> list[str]:
    """Number some lines of a file and mark one of them."""
    inside = [number for number in numbers if 1 <= number <= len(lines)]
    return [f"{'>' if number == marked else ' '}{number:5} {lines[number - 1]}" for number in inside]


def format_mentions(item: Item, lines: Sequence[str], shown: range) -> list[str]:
    """List where else the class speaks of the attribute."""
    tree = parse_file(item.root / item.report.place.path)
    scope = class_at(tree, item.report.place.line) or tree
    names = item.report.names[:1]
    numbers = sorted({number for name in names for number in attribute_lines(scope, name)} - set(shown))
    found = format_lines(lines, numbers[:MENTIONS], 0)
    return ["```python", *found, "```"] if found else []


def write_sheet(counts: str, chosen: Sequence[Item], output: Path) -> None:
    """Write the sheet; one that is there already may hold judgements, and stays."""
    with output.open("x", encoding="utf-8") as stream:
        print(INTRODUCTION, counts, "", *map(format_item, chosen), sep="\n", file=stream)


def read_verdicts(text: str) -> Counter[tuple[str, str, str]]:
    """Count the judgements of a sheet by rule, package and word; a finding not judged has the word ''."""
    counts: Counter[tuple[str, str, str]] = Counter()
    code = package = ""
    for line in text.splitlines():
        heading, verdict = HEADING.match(line), VERDICT.match(line)
        if heading:
            code, package = heading["code"], heading["package"]
        elif verdict:
            counts[code, package, verdict["word"].lower()] += 1
    return counts


def format_tally(counts: Counter[tuple[str, str, str]]) -> str:
    """Lay out the judgements: each rule by package, then the rule in all."""
    rows = []
    for code in sorted({key[0] for key in counts}):
        packages = sorted({key[1] for key in counts if key[0] == code})
        rows += [tally_row(code, package, counts, [package]) for package in packages]
        rows.append(tally_row(code, "all", counts, packages))
    return format_table(["rule", "package", "findings", *VERDICTS, "unread", "right of read"], rows)


def tally_row(
    code: str, name: str, counts: Counter[tuple[str, str, str]], packages: Sequence[str]
) -> list[object]:
    """Count one rule's judgements in some packages."""
    of_rule = {key: n for key, n in counts.items() if key[0] == code and key[1] in packages}
    words = [sum(n for key, n in of_rule.items() if key[2] == word) for word in VERDICTS]
    total = sum(of_rule.values())
    return [code, name, total, *words, total - sum(words), percent(words[0], sum(words))]


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.precision", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    reading = commands.add_parser("sheet", help="lint unpacked packages and write a sheet")
    reading.add_argument("roots", nargs="+", type=Path, metavar="DIR")
    reading.add_argument("--output", type=Path, help="the sheet; without it only the counts are printed")
    reading.add_argument("--sample", type=int, default=0, metavar="N", help="at most N findings of each rule")
    reading.add_argument("--seed", type=int, default=0)
    reading.add_argument("--enable", default="", help="opt-in rules, or ALL")
    adding = commands.add_parser("tally", help="add up the judgements of a sheet")
    adding.add_argument("sheet", type=Path)
    return parser


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run one of the two commands."""
    options = build_parser().parse_args(argv)
    if options.command == "tally":
        print(format_tally(read_verdicts(options.sheet.read_text("utf-8"))))
        return 0
    roots = [root.resolve() for root in options.roots]
    items = collect(roots, options.enable)
    counts = format_counts(items, roots)
    print(counts)
    if options.output:
        write_sheet(counts, sample(items, options.sample, options.seed), options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
