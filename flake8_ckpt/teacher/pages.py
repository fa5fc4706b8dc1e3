"""The page of a rule as a text for readers, the mend first, and as a record for programs."""

from __future__ import annotations

import difflib
import re
from typing import Any

from flake8_ckpt.rules.base import Rule

PROGRAM = re.compile(r"```python\n(.*?)```", re.DOTALL)
# Lines of the programs that are shown around each change.
AROUND = 2


def sections_of(rule: Rule) -> dict[str, str]:
    """Return the sections of a page by heading."""
    parts = re.split(r"^## (.+)$", rule.page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2])))


def mend_of(rule: Rule) -> str:
    """Return what turns the bad program of a page into the good one, as the lines of a diff; "" without programs."""
    sections = sections_of(rule)
    programs = [PROGRAM.search(sections.get(heading, "")) for heading in ("Bad", "Good")]
    bad, good = (found.group(1).splitlines() if found else [] for found in programs)
    lines = list(difflib.unified_diff(bad, good, n=AROUND, lineterm=""))[2:]
    return "\n".join("..." if line.startswith("@@") else line for line in lines).removeprefix("...\n")


def page_text(rule: Rule) -> str:
    """Return the page as Markdown, with the mend before all else."""
    mend = mend_of(rule)
    first = f"\n\n## The mend\n\n```diff\n{mend}\n```" if mend else ""
    rest = rule.page.partition("\n")[2].lstrip("\n")
    return f"# {rule.code} {rule.name} ({default_of(rule)})\n\n{rule.summary}{first}\n\n{rest}"


def page_record(rule: Rule) -> dict[str, Any]:
    """Return the page for other programs."""
    return {
        "code": rule.code,
        "name": rule.name,
        "default": default_of(rule),
        "summary": rule.summary,
        "mend": mend_of(rule),
        "sections": sections_of(rule),
    }


def default_of(rule: Rule) -> str:
    """Return whether a rule reports without being asked: what `--ckpt-enable` adds is opt-in."""
    if rule.opt_in is None:
        return "on"
    return "partly" if rule.check is not None else "opt-in"
