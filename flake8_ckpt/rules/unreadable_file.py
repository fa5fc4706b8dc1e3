"""A file that was asked about cannot be decoded or parsed.

## What it does

Reports a file that the linter was asked to check and that Python itself could not import:
an unknown or wrong encoding, a syntax error, NUL bytes, or code nested too deeply to be read.
A file in newer grammar than that of the Python that runs the command is read all the same.
The command `flake8-ckpt check` reports it; flake8 has its own codes E902 and E999 for most of this.

## Why it matters

Nothing in this file was checked, and what other files import from it is unknown.

## When it stays silent

A file of the project that nobody asked about is left out and mentioned with `-v`.

## References

- Python's source encodings: https://docs.python.org/3/reference/lexical_analysis.html#encoding-declarations
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule


def report(path: str, reason: str, line: int = 0) -> Finding:
    """Return the finding for one unreadable file."""
    top = max(line, 1)
    return Finding(path, Position(top, 0, top, 0), "CKP001", f"file {reason}: nothing in it was checked")


def find(project: Project) -> Iterator[Finding]:
    """Report every file whose facts are only an error."""
    for path, facts in project.files.items():
        if facts.error:
            yield report(path, facts.error, facts.error_line)


RULE = Rule(__name__, "CKP001", find)
