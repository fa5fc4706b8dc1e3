"""The subcommand `rules`: a table of all rules."""

from __future__ import annotations

from flake8_ckpt.rules.base import all_rules
from flake8_ckpt.teacher.pages import default_of


def list_rules() -> str:
    """Return a table of all rules."""
    header = ("code", "name", "default", "summary")
    rows = [header, *((rule.code, rule.name, default_of(rule), rule.summary) for rule in all_rules())]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join((*map(str.ljust, row[:3], widths), row[3])) for row in rows)
