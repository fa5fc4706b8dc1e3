"""What a finding means in the names of the code it stands in: saved, not saved, after a reload, and the mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from flake8_ckpt.contract_view.rows import Table
from flake8_ckpt.findings import Finding
from flake8_ckpt.fixes.fixed_text import fix_text
from flake8_ckpt.fixes.suggestion import Suggestion
from flake8_ckpt.fixes.suggestions import suggestion
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.teacher.checkpoint_story import checkpoint_story
from flake8_ckpt.teacher.checkpoint_story import lines_of
from flake8_ckpt.teacher.checkpoint_story import tables_in
from flake8_ckpt.teacher.checkpoint_story import tables_with
from flake8_ckpt.teacher.class_story import class_story
from flake8_ckpt.teacher.class_story import state_of
from flake8_ckpt.teacher.pages import mend_of
from flake8_ckpt.teacher.pages import sections_of

# Lines of the user's code that are shown around a finding.
AROUND = 2


@dataclass(frozen=True)
class Case:
    """A project, its checkpoints, its findings, and the file at hand as bytes."""

    project: Project
    tables: Sequence[Table]
    findings: Sequence[Finding]
    rules: Mapping[str, Rule]
    data: bytes
    text: str


def account_of(finding: Finding, case: Case) -> str:
    """Return the account of a finding as Markdown."""
    rule = case.rules[finding.code]
    title = f"# {finding.code} {rule.name} at {finding.path}:{finding.position.line}"
    parts = [title, excerpt(case.text, finding.position.line), f"**What happens**: {finding.message}."]
    parts += _saved(finding, case)
    parts += [f"**Why it matters**: {_first_paragraph(sections_of(rule).get('Why it matters', ''))}"]
    parts += _mend(finding, case, rule)
    parts += _places(finding)
    parts += [f"The whole page: `flake8-ckpt explain {finding.code}`"]
    return "\n\n".join(each for each in parts if each)


def excerpt(text: str, line: int) -> str:
    """Return the lines around a line as a code block; an arrow shows the line itself."""
    lines = text.split("\n")
    first, last = max(1, line - AROUND), min(len(lines), line + AROUND)
    width = len(str(last))
    shown = [
        f"{'>' if number == line else ' '} {number:{width}} | {lines[number - 1]}".rstrip()
        for number in range(first, last + 1)
    ]
    return "\n".join(["```python", *shown, "```"])


def _saved(finding: Finding, case: Case) -> Iterator[str]:
    state = state_of(case.project, finding.path, finding.class_name)
    if state is not None and finding.code < "CKP2":
        inside = [each for each in case.findings if each.class_name == finding.class_name]
        yield from class_story(state, inside)
        return
    tables = tables_with(case.tables, lines_of(finding))
    if not tables and finding.class_name:
        tables = tables_in(case.tables, finding.path, finding.class_name)[:1]
    for table in tables:
        yield from checkpoint_story(table)


def _mend(finding: Finding, case: Case, rule: Rule) -> Iterator[str]:
    found = suggestion(finding, case.data)
    if found is None:
        mend = mend_of(rule)
        yield f"**The mend**, in the example of the rule's page:\n\n```diff\n{mend}\n```" if mend else ""
        return
    note = f": {found.note}" if found.note else ""
    yield f"**The mend** ({found.safety}{note}): {found.title}"
    yield (
        f"```diff\n{_diff(finding, found, case.data)}\n```"
        if found.edits
        else f"```python\n{found.code}\n```"
    )


def _diff(finding: Finding, found: Suggestion, data: bytes) -> str:
    fixed = fix_text(data, [finding], allowed=(found.safety,))
    old, new = (each.decode("utf-8", "replace").splitlines() for each in (data, fixed.data))
    return "\n".join(list(difflib.unified_diff(old, new, n=1, lineterm=""))[2:])


def _places(finding: Finding) -> Iterator[str]:
    if finding.related:
        lines = [f"- {each.path}:{each.position.line}: {each.message}" for each in finding.related]
        yield "\n".join(["**Other places**:", "", *lines])


def _first_paragraph(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())
