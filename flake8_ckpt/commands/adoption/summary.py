"""What `check` ends with: what was found, what was read, what was not shown, and comments that mislead."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from flake8.style_guide import Decision
from flake8.style_guide import StyleGuideManager

from flake8_ckpt.commands.adoption.excluded import count_excluded
from flake8_ckpt.commands.lookup import Lookup
from flake8_ckpt.commands.output import Linted
from flake8_ckpt.reports.plain_text import one_line

MAX_NAMED = 3


@dataclass(frozen=True)
class Summary:
    """What a run did: findings shown in each file, files of the project read and not, and what was hidden by what.

    `shown` has a number for each file that was asked about, of which the project may have more.
    """

    shown: Sequence[int]
    read: int
    unread: Sequence[str]
    hidden: Mapping[str, int]
    excluded: int = 0


def print_end(namespace: argparse.Namespace, looked_up: Lookup, shown: Sequence[int]) -> None:
    """Print hints on comments and the line that sums up, to standard error; `shown` counts by file."""
    for name, found in looked_up.hints.items():
        for hint in found:
            print(f"flake8-ckpt: note: {one_line(name)}:{hint.line}: {hint.text}", file=sys.stderr)
    hidden = hidden_counts(namespace, looked_up, sum(shown))
    excluded = count_excluded(namespace, looked_up)
    summary = Summary(shown, looked_up.read, list(looked_up.unread), hidden, excluded)
    print(summary_line(summary), file=sys.stderr)


def hidden_counts(namespace: argparse.Namespace, looked_up: Lookup, shown: int) -> dict[str, int]:
    """Return how many findings each thing hides, where so many are shown."""
    sieved = looked_up.sieved.values()
    candidates = sum(len(each.findings) for each in looked_up.linted)
    unselected = _unselected(namespace, looked_up.linted) if candidates > shown else 0
    return {
        "noqa": candidates - shown - unselected,
        "ckpt: ignore": sum(len(each.by_comment) for each in sieved),
        "configuration": unselected,
        "the baseline": sum(len(each.by_baseline) for each in sieved),
        "framework records": looked_up.by_records,
        "--diff-base": sum(len(each.shown) for each in sieved) - candidates,
    }


def _unselected(namespace: argparse.Namespace, linted: Sequence[Linted]) -> int:
    """Return how many findings select and ignore leave out, for all files or for some."""
    guide = StyleGuideManager(namespace, None)
    return sum(
        guide.style_guide_for(file.name).should_report_error(each.code) is not Decision.Selected
        for file in linted
        for each in file.findings
    )


def summary_line(summary: Summary) -> str:
    """Return the line."""
    parts = [_found(summary), _read(summary)]
    hidden = [f"{count} by {what}" for what, count in summary.hidden.items() if count]
    if hidden:
        parts.append(f"hidden: {', '.join(hidden)}")
    return "; ".join(parts)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _found(summary: Summary) -> str:
    """Return the first part: that nothing was found is said of no more than what was asked about."""
    shown = summary.shown
    if not shown:
        return "no files to check"
    if any(shown):
        return f"{counted(sum(shown), 'finding')} in {counted(sum(map(bool, shown)), 'file')}"
    is_all = len(shown) >= summary.read + len(summary.unread)
    return "no findings" if is_all else f"no findings in {counted(len(shown), 'file')}"


def _read(summary: Summary) -> str:
    read = f"{counted(summary.read, 'file')} read"
    if summary.excluded:
        read += f", {summary.excluded} excluded"
    if not summary.unread:
        return read
    more = len(summary.unread) - MAX_NAMED
    names = ", ".join(map(one_line, sorted(summary.unread)[:MAX_NAMED]))
    others = f" and {more} more (-v names them)" if more > 0 else ""
    return f"{read}, {len(summary.unread)} not: {names}{others}"
