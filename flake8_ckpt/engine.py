"""From a root and options to findings: the library's entry point."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Optional

from flake8_ckpt.confirm.confirmation import Confirmed
from flake8_ckpt.confirm.confirmation import confirm
from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.findings import Finding
from flake8_ckpt.index.cache import open_cache
from flake8_ckpt.index.cache import paused_gc
from flake8_ckpt.index.collection import Index
from flake8_ckpt.index.collection import Progress
from flake8_ckpt.index.collection import content_of
from flake8_ckpt.index.collection import index_files
from flake8_ckpt.index.discovery import find_files
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
class Analysis:
    """What the rules yield by file, and the index that it came from; see `findings_in`."""

    root: Path
    index: Index
    candidates: Mapping[str, Sequence[Finding]]
    faults: tuple[Fault, ...] = ()


def check(
    root: Path,
    options: Options,
    *,
    replaced: Optional[Mapping[str, bytes]] = None,
    paths: Optional[Sequence[str]] = None,
    executor: Optional[Executor] = None,
    progress: Optional[Progress] = None,
) -> list[Finding]:
    """Return the findings of a project in order of path and position.

    `paths` are files to read besides those that belong to the root; `replaced` gives files
    another content than they have on disk. Both name files from the root. New files are
    read in `executor` if there is one. A rule that fails gives one CKP002 finding.
    """
    found = analyze(
        root,
        options,
        replaced=replaced,
        paths=paths,
        executor=executor,
        jobs=options.jobs or 1,
        progress=progress,
    )
    first = min(found.index.digests, default="")
    findings = [each for path in found.candidates for each in findings_in(found, path).findings]
    return sorted([*findings, *(report_fault(fault, first) for fault in found.faults)])


def analyze(
    root: Path,
    options: Options,
    *,
    replaced: Optional[Mapping[str, bytes]] = None,
    paths: Optional[Sequence[str]] = None,
    executor: Optional[Executor] = None,
    jobs: int = 1,
    progress: Optional[Progress] = None,
) -> Analysis:
    """Index, link and check a project; see `check`."""
    cache = None if options.no_cache else open_cache(root, options.cache_dir, options.frameworks)
    with paused_gc():
        index = index_files(
            root,
            [*find_files(root, options.exclude), *(paths or ())],
            cache=cache,
            executor=executor,
            jobs=jobs,
            replaced=replaced,
            progress=progress,
            known=options.frameworks,
        )
        return _link_and_check(root, options, index)


def replace_file(found: Analysis, options: Options, path: str, data: bytes) -> Analysis:
    """Return the analysis of the same project with another content of one file, or one more file."""
    fresh = index_files(found.root, (), replaced={path: data}, known=options.frameworks)
    index = replace(
        found.index,
        files={**found.index.files, **fresh.files},
        digests={**found.index.digests, **fresh.digests},
        failed=(*(failure for failure in found.index.failed if failure[0] != path), *fresh.failed),
        replaced={**found.index.replaced, path: data},
    )
    return _link_and_check(found.root, options, index)


def findings_in(found: Analysis, path: str) -> Confirmed:
    """Return the findings of one file with their exact ranges, and the candidates that libcst does not find.

    Only files that are asked about are read once more; one that has changed since keeps its ranges.
    """
    candidates = found.candidates.get(path, ())
    if not any(each.node.kinds for each in candidates):
        return Confirmed(tuple(candidates))
    data = content_of(found.root, found.index, path)
    if data is None:
        return Confirmed(tuple(candidates))
    tree, text = parse(decode(data))
    return confirm(text, tree, candidates)


def report_fault(fault: Fault, default_path: str) -> Finding:
    """Return the CKP002 finding for a fault."""
    return internal_error.report(fault.path or default_path, fault.place, fault.error)


def _link_and_check(root: Path, options: Options, index: Index) -> Analysis:
    failed = tuple(Fault("collect", error, path) for path, error in index.failed)
    try:
        project = Project(index.files, options.module_bases, package_of(root), options.frameworks)
        checks = list(active_checks(all_rules(), options.enable))
    except Exception as error:
        return Analysis(root, index, {}, (*failed, Fault("link", describe(error))))
    findings, faults = run_checks(project, checks)
    candidates: dict[str, list[Finding]] = {}
    for finding in sorted(findings):
        candidates.setdefault(finding.path, []).append(finding)
    return Analysis(root, index, candidates, (*failed, *faults))


def active_checks(rules: Sequence[Rule], enable: Sequence[str]) -> Iterator[tuple[str, Check]]:
    """Give the checks that run: those on by default, and the opt-in ones that are enabled."""
    for rule in rules:
        if rule.check is not None:
            yield rule.name, rule.check
        if rule.opt_in is not None and (ALL in enable or rule.code in enable):
            yield rule.name, rule.opt_in


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
