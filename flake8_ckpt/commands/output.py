"""How the command prints findings: through flake8's style guide, as flake8's lines or as a report."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional
from typing import cast

from flake8.exceptions import ExecutionError
from flake8.formatting import default
from flake8.formatting.base import BaseFormatter
from flake8.processor import FileProcessor
from flake8.statistics import Statistics
from flake8.style_guide import StyleGuideManager
from flake8.violation import Violation

from flake8_ckpt.engine import Analysis
from flake8_ckpt.evidence.records import Evidence as RunEvidence
from flake8_ckpt.findings import Finding
from flake8_ckpt.options import Options
from flake8_ckpt.plain_file import read_plain
from flake8_ckpt.source.text import lenient_text

FORMATTERS: dict[str, type[BaseFormatter]] = {"default": default.Default, "pylint": default.Pylint}
CONCISE, TEXT = "concise", "text"
QUIET: tuple[type[BaseFormatter], ...] = (default.FilenameOnly, default.Nothing)


@dataclass(frozen=True)
class Linted:
    """One file that was asked about: its name as flake8 prints it, and what was found in it.

    `text` is that of standard input.
    """

    name: str
    findings: Sequence[Finding]
    text: Optional[str] = None


@dataclass(frozen=True)
class Material:
    """What a report is made from: the analysis, all findings, and the files as the user names them, by path.

    `run` is the evidence of a watched run, if there is one.
    """

    options: Options
    found: Analysis
    findings: Sequence[Finding]
    names: Mapping[str, str]
    run: Optional[RunEvidence] = None


class ReportFormatter(BaseFormatter):  # type: ignore[misc]  # flake8 has no types
    """Keep the findings that flake8's style guide lets through, and write them as one report."""

    def after_init(self) -> None:
        """Begin with nothing."""
        self.kept: list[Finding] = []
        self.places: dict[tuple[str, str, int, int, str], Finding] = {}
        self.render: Callable[[Sequence[Finding]], str] = lambda kept: ""

    def expect(self, linted: Sequence[Linted], render: Callable[[Sequence[Finding]], str]) -> None:
        """Remember the findings to come, because flake8 passes on only a part of each, and how to write them."""
        self.render = render
        for file in linted:
            for finding in file.findings:
                line, column = finding.position.line, finding.position.col + 1
                place = printable(file.name), finding.code, line, column, printable(finding.message)
                self.places[place] = finding

    def start(self) -> None:
        """Open nothing yet: a file that cannot be written anew keeps the last report."""

    def handle(self, error: Violation) -> None:
        """Keep a finding that is neither ignored nor silenced."""
        place = error.filename, error.code, error.line_number, error.column_number, error.text
        self.kept.append(self.places[place])

    def show_statistics(self, statistics: Statistics) -> None:
        """Print nothing: numbers that a configuration asks for would end the report."""

    def stop(self) -> None:
        """Write the report; a file gets this one only, whatever stood there before."""
        text = self.render(self.kept)
        if self.filename:
            self._open()
        if text:
            self._write(text)
        super().stop()

    def _open(self) -> None:
        try:
            os.makedirs(os.path.dirname(os.path.abspath(self.filename)), exist_ok=True)
            self.output_fd = open(self.filename, "w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise ExecutionError(f"--output-file: {self.filename!r}: {error.strerror or error}") from error


def make_formatter(namespace: argparse.Namespace) -> BaseFormatter:
    """Return the formatter that the options name; those of other flake8 plugins count as the default."""
    if namespace.quiet:
        return QUIET[min(namespace.quiet, 2) - 1](namespace)
    if format_of(namespace) != CONCISE:
        return ReportFormatter(namespace)
    if namespace.format not in FORMATTERS and "%(" not in namespace.format:
        namespace.format = "default"
    return FORMATTERS.get(namespace.format, default.Default)(namespace)


def format_of(namespace: argparse.Namespace) -> str:
    """Return the format that is asked for, or that fits who reads: code for a person, flake8's lines for a program.

    Whoever asks for what only flake8's lines can show gets these.
    """
    if namespace.output_format:
        return str(namespace.output_format)
    wants_lines = namespace.format != "default" or namespace.show_source or namespace.statistics
    return CONCISE if wants_lines or namespace.output_file or not sys.stdout.isatty() else TEXT


def is_for_people(namespace: argparse.Namespace) -> bool:
    """Tell whether the output is lines for a person, who may be told more beside it."""
    return format_of(namespace) in (TEXT, CONCISE)


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


def kept_findings(namespace: argparse.Namespace, linted: Sequence[Linted]) -> list[Finding]:
    """Return the findings that are selected and not silenced, and print nothing."""
    formatter = ReportFormatter(namespace)
    # What a configuration says of an output file is about reports.
    formatter.filename = None
    formatter.expect(linted, lambda kept: "")
    print_findings(namespace, formatter, linted)
    return formatter.kept


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
        name, message = printable(file.name), printable(finding.message)
        yield guide.handle_error(finding.code, name, line, column, message, physical_line)


def printable(text: str) -> str:
    """Return a name or message as flake8 can print it: bytes that are no text are written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _open(file: Linted, namespace: argparse.Namespace) -> Optional[FileProcessor]:
    """Return flake8's view of a file, which knows the lines that a noqa comment speaks for."""
    try:
        text = file.text if file.text is not None else lenient_text(read_plain(file.name))
        return FileProcessor(file.name, namespace, list(io.StringIO(text)))
    except OSError:
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
