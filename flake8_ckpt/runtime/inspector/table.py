"""Lay a report out for a terminal: a table of what is stored, then what is to be said about it."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from math import prod

from flake8_ckpt.runtime.inspector.report import KINDS
from flake8_ckpt.runtime.inspector.report import Entry
from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.report import Report
from flake8_ckpt.runtime.inspector.report import Statistics

HEAD = ("key", "dtype", "shape", "size", "values")
IMPORTS = "imports"
MOST_ROWS = 5000
MOST_FINDINGS = 10
LONGEST_CELL = 100
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def as_text(report: Report) -> str:
    """Return the report as lines, in which nothing of the file can move the cursor or change a colour."""
    lines = [_first_line(report), "", *_table(report), *_closing(report)]
    return "".join(f"{printable(line)}\n" for line in lines)


def printable(text: str) -> str:
    """Escape what a terminal would obey or could not show."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _first_line(report: Report) -> str:
    tensors = [entry for entry in report.entries if entry.storage is not None]
    elements = sum(prod(entry.shape) for entry in tensors)
    counts = f"{plural(len(tensors), 'tensor')} with {plural(elements, 'element')}"
    return f"{report.path}: {report.kind}, {_size(report.size)}, {counts}"


def _table(report: Report) -> list[str]:
    """Return a row for each tensor and for the plain numbers of normalizers."""
    shown = [entry for entry in report.entries if entry.storage is not None or entry.role]
    rows = [_row(entry) for entry in shown[:MOST_ROWS]]
    counts = (len(shown) - len(rows), "tensor"), (len(report.entries) - len(shown), "plain number")
    rest = " and ".join(plural(count, noun) for count, noun in counts if count)
    lines = _lay_out([HEAD, *rows]) if rows else []
    return [*lines, f"and {rest} (--json lists them)", ""] if rest else [*lines, ""]


def _row(entry: Entry) -> tuple[str, ...]:
    shape = "x".join(map(str, entry.shape)) or "scalar"
    remark = " ".join(each for each in (entry.layout, entry.device) if each not in ("strided", "cpu"))
    values = _values(entry.statistics) if entry.role or prod(entry.shape) == 1 else ""
    note = ", ".join(filter(None, (values, remark)))
    return (_cut(entry.key), entry.dtype, _cut(shape), _size(entry.nbytes), note)


def _values(known: Statistics | None) -> str:
    if known is None:
        return ""
    bad = f"{known.nonfinite:,} not finite" if known.nonfinite else ""
    if known.minimum is None or known.maximum is None:
        return bad or "empty"
    span = f"{known.minimum:.4g}"
    if known.maximum != known.minimum:
        span = f"{span} to {known.maximum:.4g}"
    return ", ".join(filter(None, (span, bad)))


def _lay_out(rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = [[*cells[0]], ["-" * width for width in widths], *cells[1:]]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def _closing(report: Report) -> Iterator[str]:
    names = ", ".join(map(_cut, report.normalizers[:MOST_FINDINGS]))
    more = (
        f" and {len(report.normalizers) - MOST_FINDINGS:,} more" if report.normalizers[MOST_FINDINGS:] else ""
    )
    yield f"Normalizers: {names or 'none'}{more}"
    yield from (f"Note: {note}" for note in report.notes)
    named = [finding for finding in report.findings if finding.kind == IMPORTS]
    if named:
        yield f"Imports: {plural(len(named), 'name')} of known libraries, which loading it imports (--json lists them)"
    findings = [finding for finding in report.findings if finding.kind != IMPORTS]
    yield f"Findings: {len(findings) or 'none'}"
    for kind in KINDS:
        found = [finding for finding in findings if finding.kind == kind]
        yield from (f"  {_sentence(finding)}" for finding in found[:MOST_FINDINGS])
        if found[MOST_FINDINGS:]:
            yield f"  {kind}: and {len(found) - MOST_FINDINGS:,} more (--json lists them)"


def _sentence(finding: Finding) -> str:
    key = f"{_cut(finding.key)}: " if finding.key and finding.key not in finding.message else ""
    return f"{finding.kind}: {key}{finding.message}"


def plural(count: int, noun: str) -> str:
    """Return a number of things."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}..."


def _size(count: int) -> str:
    """Return a number of bytes in the largest unit of which there is one."""
    power = min(max(count.bit_length() - 1, 0) // 10, len(UNITS) - 1)
    return f"{count:,} {UNITS[0]}" if power == 0 else f"{count / 1024**power:,.1f} {UNITS[power]}"
