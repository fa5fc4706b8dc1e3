"""The analysis itself failed on this file: a fault of flake8-ckpt, not of your code.

## What it does

Says that a rule, or the reading of a file, failed with an exception that nobody expected.
The other rules and the other files are not affected.

## Why it matters

What the failing rule would have found is missing from the output.
Please report it, with the message and if possible the file.

## When it stays silent

When nothing failed.
A file with a syntax error or a wrong encoding is not a failure of the analysis: that is CKP001.

## References

- The list of issues of flake8-ckpt.
"""

from __future__ import annotations

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.rules.base import Rule

TOP = Position(1, 0, 1, 0)


def report(path: str, place: str, error: str) -> Finding:
    """Return the finding for a failure at `place`: a rule's name, or a step of the analysis."""
    message = f"internal error in '{place}': {error}; please report it to flake8-ckpt"
    return Finding(path, TOP, "CKP002", message)


RULE = Rule(__name__, "CKP002")
