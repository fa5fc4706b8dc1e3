"""From facts to what the rules say: the project is linked, and every active rule is asked.

Where only some files are asked about, the rules look at what can be said of these: the answer is that of the whole
project, less what it says of other files. What is lost around checkpoints is said in files that save or load.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Optional

from flake8_ckpt.confirm.confirmation import confirm
from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.findings import Confirmed
from flake8_ckpt.findings import Finding
from flake8_ckpt.index.collection import Index
from flake8_ckpt.index.discovery import package_of
from flake8_ckpt.linked_project import Project
from flake8_ckpt.options import ALL
from flake8_ckpt.options import Options
from flake8_ckpt.rules import internal_error
from flake8_ckpt.rules.base import Check
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import all_rules
from flake8_ckpt.source.text import decode
from flake8_ckpt.source.text import parse


@dataclass(frozen=True)
class Fault:
    """Our own failure: the path is that of the file at hand, or empty where none is known."""

    place: str
    error: str
    path: str = ""


@dataclass(frozen=True)
class Checked:
    """What the rules yield by file, in order, and how they failed."""

    candidates: Mapping[str, Sequence[Finding]]
    faults: tuple[Fault, ...] = ()


def link_and_check(
    root: Path, options: Options, index: Index, about: Optional[Collection[str]] = None
) -> Checked:
    """Ask every active rule of the project that the facts make; with `about`, what it finds in some files."""
    failed = tuple(Fault("collect", error, path) for path, error in index.failed)
    try:
        project = link(root, options, index, about)
        checks = list(active_checks(all_rules(), options.enable))
    except Exception as error:
        return Checked({}, (*failed, Fault("link", describe(error))))
    findings, faults = run_checks(project, checks)
    candidates: dict[str, list[Finding]] = {}
    for finding in sorted(findings):
        candidates.setdefault(finding.path, []).append(finding)
    return Checked(candidates, (*failed, *faults))


def link(root: Path, options: Options, index: Index, about: Optional[Collection[str]] = None) -> Project:
    """Return the project that the files of a root make; `about` are the files whose findings are asked for."""
    return Project(index.files, options.module_bases, package_of(root), options.frameworks, about)


def confirm_content(data: bytes, candidates: Sequence[Finding]) -> Confirmed:
    """Return the findings of a file with their exact ranges; it is only parsed where one of them names a node."""
    if not any(each.node.kinds for each in candidates):
        return Confirmed(tuple(candidates))
    tree, text = parse(decode(data))
    return confirm(text, tree, candidates)


def report_fault(fault: Fault, default_path: str) -> Finding:
    """Return the CKP002 finding for a fault."""
    return internal_error.report(fault.path or default_path, fault.place, fault.error)


def active_checks(rules: Sequence[Rule], enable: Sequence[str]) -> Iterator[tuple[str, Check]]:
    """Give the checks that run: those on by default, and the opt-in ones that are enabled."""
    for rule in rules:
        if rule.check is not None:
            yield rule.name, partial(_check_files, rule, rule.check)
        if rule.opt_in is not None and (ALL in enable or rule.code in enable):
            yield rule.name, partial(_check_files, rule, rule.opt_in)


def _check_files(rule: Rule, check: Check, project: Project) -> Iterator[Finding]:
    """Yield what a check finds in the files that are asked about and can have a finding of its rule.

    What was put away concerns nobody. Of a file that no program reaches yet, only a module's own state does.
    """
    if not rule.is_about_checkpoints:
        found = check(project)
    elif project.about is None or any(map(project.takes_part, project.about)):
        found = (each for each in check(project) if project.takes_part(each.path))
    else:
        return
    asked = (each for each in found if project.about is None or each.path in project.about)
    dead = project.dead_files
    is_out = dead.is_dead if rule.is_about_checkpoints else dead.is_put_away
    yield from (each for each in asked if not is_out(each.path))


def run_checks(
    project: Project, checks: Sequence[tuple[str, Callable[[Project], Iterator[Finding]]]]
) -> tuple[list[Finding], list[Fault]]:
    """Run checks on a project; one that raises keeps what it found so far and does not stop the others."""
    findings: list[Finding] = []
    faults: list[Fault] = []
    for name, check_project in checks:
        try:
            findings.extend(check_project(project))
        except Exception as error:
            faults.append(Fault(name, describe(error), _file_at_hand(error.__traceback__, project.files)))
    return findings, faults


def describe(error: Exception) -> str:
    """Return an exception in one short line."""
    detail = " ".join(str(error).split())[:80]
    return f"{type(error).__name__}: {detail}" if detail else type(error).__name__


def _file_at_hand(trace: Optional[TracebackType], files: Mapping[str, FileFacts]) -> str:
    """Guess the file a rule failed on: the innermost local that is a path of the project, or has one."""
    found = ""
    while trace is not None:
        for value in trace.tb_frame.f_locals.values():
            path = value if isinstance(value, str) else getattr(value, "path", None)
            if isinstance(path, str) and path in files:
                found = path
        trace = trace.tb_next
    return found
