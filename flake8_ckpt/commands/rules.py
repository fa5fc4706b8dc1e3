"""The subcommand `rules`: a table of all rules."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from flake8_ckpt.rules.base import all_rules
from flake8_ckpt.teacher.pages import default_of


def show_rules(arguments: Sequence[str]) -> int:
    """Print a table of all rules."""
    argparse.ArgumentParser(prog="flake8-ckpt rules", description="List the rules.").parse_args(arguments)
    print(_table())
    return 0


def _table() -> str:
    header = ("code", "name", "default", "summary")
    rows = [header, *((rule.code, rule.name, default_of(rule), rule.summary) for rule in all_rules())]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join((*map(str.ljust, row[:3], widths), row[3])) for row in rows)
