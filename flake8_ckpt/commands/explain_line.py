"""What `explain PATH:LINE` says: the findings at a line in the user's own names, or why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flake8.exceptions import ExecutionError

from flake8_ckpt.checking import active_checks
from flake8_ckpt.checking import confirm_content
from flake8_ckpt.checking import link
from flake8_ckpt.checking import run_checks
from flake8_ckpt.contract_view.rows import tables_of
from flake8_ckpt.findings import Finding
from flake8_ckpt.index.cache import paused_gc
from flake8_ckpt.index.discovery import choose_root
from flake8_ckpt.linked_project import Project
from flake8_ckpt.options import ALL
from flake8_ckpt.options import Options
from flake8_ckpt.project_index import paths_of
from flake8_ckpt.project_index import read_index
from flake8_ckpt.rules.base import all_rules
from flake8_ckpt.selection import jobs_for
from flake8_ckpt.selection import project_path
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode
from flake8_ckpt.source.text import parse
from flake8_ckpt.teacher.accounts import Case
from flake8_ckpt.teacher.accounts import account_of
from flake8_ckpt.teacher.silence import silence_at


def explain_line(name: str, line: int, options: Options, config_dir: Path | None) -> str:
    """Return what is found at a line of a file as Markdown, and where nothing is, what is known and unknown of it."""
    root = options.root or choose_root([name], config_dir)
    data = Path(name).read_bytes()
    try:
        text = decode(data)
        tree = parse(text).tree
    except Unreadable as error:
        raise ExecutionError(f"{name}: {error.reason}") from error
    if not 1 <= line <= text.count("\n") + 1:
        raise ExecutionError(f"{name} has no line {line}")
    with paused_gc():
        path, project = _project(name, root, options)
        found = _findings(project, path, data, options.enable)
        rules = {rule.code: rule for rule in all_rules()}
        case = Case(project, tables_of(project), found, rules, data, text)
        here = [each for each in found if each.position.line <= line <= each.position.end_line]
        if here:
            return "\n\n".join(account_of(each, case) for each in here)
        hints = _findings(project, path, data, (ALL,))
        off = [_hint(each) for each in hints if each not in found and each.position.line == line]
        return silence_at(path, line, tree, case, off)


def _project(name: str, root: Path, options: Options) -> tuple[str, Project]:
    names = paths_of(root, options)
    path = project_path(root, name, frozenset(names))
    index = read_index(root, options, [*names, path], jobs=jobs_for(options))
    return path, link(root, options, index)


def _findings(project: Project, path: str, data: bytes, enable: Sequence[str]) -> list[Finding]:
    findings, _ = run_checks(project, list(active_checks(all_rules(), enable)))
    return sorted(confirm_content(data, sorted(each for each in findings if each.path == path)).findings)


def _hint(finding: Finding) -> str:
    return (
        f"An opt-in rule says: {finding.code} {finding.message}. `--ckpt-enable={finding.code}` turns it on."
    )
