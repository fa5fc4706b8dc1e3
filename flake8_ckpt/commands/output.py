"""How the command prints findings: through flake8's style guide, as text or JSON."""

from __future__ import annotations

import argparse
import io
import json
import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Optional
from typing import cast

from flake8.formatting import default
from flake8.formatting.base import BaseFormatter
from flake8.processor import FileProcessor
from flake8.statistics import Statistics
from flake8.style_guide import StyleGuideManager
from flake8.violation import Violation

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position

FORMATTERS: dict[str, type[BaseFormatter]] = {"default": default.Default, "pylint": default.Pylint}
QUIET: tuple[type[BaseFormatter], ...] = (default.FilenameOnly, default.Nothing)


@dataclass(frozen=True)
class Linted:
    """One file that was asked about: its name as flake8 prints it, and what was found in it.

    `text` is that of standard input.
    """

    name: str
    findings: Sequence[Finding]
    text: Optional[str] = None


class JsonFormatter(BaseFormatter):  # type: ignore[misc]  # flake8 has no types
    """Print the findings that flake8's style guide lets through as one JSON list."""

    def after_init(self) -> None:
        """Begin with nothing."""
        self.entries: list[dict[str, Any]] = []
        self.places: dict[tuple[str, str, int, int, str], Finding] = {}
        self.names: Mapping[str, str] = {}
        self.root = Path()

    def expect(self, root: Path, linted: Sequence[Linted], names: Mapping[str, str]) -> None:
        """Remember the findings to come, because flake8 passes on only a part of each."""
        self.root = root
        self.names = names
        for file in linted:
            for finding in file.findings:
                line, column = finding.position.line, finding.position.col + 1
                self.places[file.name, finding.code, line, column, finding.message] = finding

    def handle(self, error: Violation) -> None:
        """Keep a finding that is neither ignored nor silenced."""
        place = error.filename, error.code, error.line_number, error.column_number, error.text
        finding = self.places[place]
        related = [
            {"path": self._printed(other.path), **_span(other.position), "message": other.message}
            for other in finding.related
        ]
        self.entries.append(
            {
                "code": finding.code,
                "path": error.filename,
                **_span(finding.position),
                "message": finding.message,
                "class": finding.class_name or None,
                "attribute": finding.attribute or None,
                "related": related,
            }
        )

    def show_statistics(self, statistics: Statistics) -> None:
        """Print nothing: numbers that a configuration asks for would end the list."""

    def stop(self) -> None:
        """Write the list."""
        self._write(json.dumps(self.entries, indent=2))
        super().stop()

    def _printed(self, path: str) -> str:
        return self.names.get(path) or os.path.relpath(self.root / path)


def _span(position: Position) -> dict[str, int]:
    """Return a position as flake8 prints it: lines and columns from 1."""
    return {
        "line": position.line,
        "column": position.col + 1,
        "end_line": position.end_line,
        "end_column": position.end_col + 1,
    }


def make_formatter(namespace: argparse.Namespace) -> BaseFormatter:
    """Return the formatter that the options name; those of other flake8 plugins count as the default."""
    if namespace.quiet:
        return QUIET[min(namespace.quiet, 2) - 1](namespace)
    if namespace.output_format == "json":
        return JsonFormatter(namespace)
    if namespace.format not in FORMATTERS and "%(" not in namespace.format:
        namespace.format = "default"
    return FORMATTERS.get(namespace.format, default.Default)(namespace)


def print_findings(
    namespace: argparse.Namespace, formatter: BaseFormatter, linted: Sequence[Linted]
) -> list[int]:
    """Print what is selected and not silenced, ordered as flake8 does; return how many in each file."""
    guide = StyleGuideManager(namespace, formatter)
    formatter.start()
    counts = []
    for file in sorted(linted, key=lambda file: file.name):
        with guide.processing_file(file.name):
            counts.append(sum(_report(guide, namespace, file)))
    if namespace.statistics:
        formatter.show_statistics(guide.stats)
    formatter.stop()
    return counts


def _report(guide: StyleGuideManager, namespace: argparse.Namespace, file: Linted) -> Iterator[int]:
    if not file.findings:
        return
    processor = _open(file, namespace)
    if processor is not None and processor.should_ignore_file():
        return
    line_of = _line_finder(processor, namespace)
    for finding in sorted(file.findings, key=lambda finding: (finding.position.line, finding.position.col)):
        line, column = finding.position.line, finding.position.col
        physical_line = line_of(line)
        yield guide.handle_error(finding.code, file.name, line, column, finding.message, physical_line)


def _open(file: Linted, namespace: argparse.Namespace) -> Optional[FileProcessor]:
    """Return flake8's view of a file, which knows the lines that a noqa comment speaks for."""
    if file.text is None and not os.path.isfile(file.name):
        return None
    lines = None if file.text is None else list(io.StringIO(file.text))
    try:
        return FileProcessor(file.name, namespace, lines)
    # An unknown encoding ends flake8's own run with a traceback.
    except (OSError, LookupError):
        return None


def _line_finder(
    processor: Optional[FileProcessor], namespace: argparse.Namespace
) -> Callable[[int], Optional[str]]:
    """Return what gives the lines of the statement on a line, where a noqa comment may stand.

    To find them, flake8 reads all tokens of the file, which is slow and mostly for nothing.
    """
    if processor is not None and (
        namespace.show_source or any("noqa" in text.lower() for text in processor.lines)
    ):
        return cast("Callable[[int], Optional[str]]", processor.noqa_line_for)
    return lambda line: ""
