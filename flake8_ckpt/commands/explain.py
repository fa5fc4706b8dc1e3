"""The subcommands `rules` and `explain`: what the rules say of themselves."""

from __future__ import annotations

import difflib

from flake8.exceptions import ExecutionError

from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import all_rules


def list_rules() -> str:
    """Return a table of all rules."""
    header = ("code", "name", "default", "summary")
    rows = [header, *((rule.code, rule.name, default_of(rule), rule.summary) for rule in all_rules())]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join((*map(str.ljust, row[:3], widths), row[3])) for row in rows)


def explain(wanted: str) -> str:
    """Return the page of the rule with this code or name; raise a usage error where there is none."""
    rules = {rule.code: rule for rule in all_rules()} | {rule.name: rule for rule in all_rules()}
    folded = {key.casefold(): key for key in rules}
    asked = wanted.casefold().replace("_", "-")
    if asked not in folded:
        near = difflib.get_close_matches(asked, folded, n=1, cutoff=0.5)
        hint = f"did you mean {folded[near[0]]}?" if near else "see flake8-ckpt rules"
        raise ExecutionError(f"unknown rule {wanted!r}: {hint}")
    rule = rules[folded[asked]]
    return f"# {rule.code} {rule.name} ({default_of(rule)})\n\n{rule.page}"


def default_of(rule: Rule) -> str:
    """Return whether a rule reports without being asked: what `--ckpt-enable` adds is opt-in."""
    if rule.opt_in is None:
        return "on"
    return "partly" if rule.check is not None else "opt-in"
