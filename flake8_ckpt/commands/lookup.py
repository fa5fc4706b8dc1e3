"""What a run finds in the files that it was asked about, before anything of it is printed."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Optional

from flake8.exceptions import ExecutionError
from msgspec.structs import replace

from flake8_ckpt import engine
from flake8_ckpt.commands.output import Linted
from flake8_ckpt.commands.progress import progress_bar
from flake8_ckpt.evidence.records import Evidence
from flake8_ckpt.findings import Finding
from flake8_ckpt.fingerprints import fingerprints
from flake8_ckpt.options import Options
from flake8_ckpt.plain_file import read_plain
from flake8_ckpt.selection import STDIN
from flake8_ckpt.selection import asked_files
from flake8_ckpt.selection import asked_paths
from flake8_ckpt.selection import jobs_for
from flake8_ckpt.selection import known_findings
from flake8_ckpt.selection import project_path
from flake8_ckpt.source.text import lenient_text
from flake8_ckpt.suppression.comments import Hint
from flake8_ckpt.suppression.comments import hints
from flake8_ckpt.suppression.comments import is_suspect
from flake8_ckpt.suppression.sieve import Sieved
from flake8_ckpt.suppression.sieve import codes_by_name
from flake8_ckpt.suppression.sieve import sieve

if TYPE_CHECKING:
    from flake8_ckpt.index.collection import Executor


@dataclass(frozen=True)
class Lookup:
    """The analysis of the project, and of each file that was asked about its findings, hidden ones too, and its hints.

    The files have the names that flake8 gives them; `paths` says where they are in the project. `run` is what a
    watched run showed, if one is asked for; `by_records` counts what the user's own framework records hide, where
    the run is verbose.
    """

    found: engine.Analysis
    paths: Mapping[str, str]
    sieved: Mapping[str, Sieved]
    linted: Sequence[Linted]
    hints: Mapping[str, Sequence[Hint]]
    run: Optional[Evidence] = None
    by_records: int = 0

    @property
    def unread(self) -> dict[str, str]:
        """Return why a file of the project could not be read or understood, by path."""
        # A fault of this name is one of reading a file; all others are of a rule.
        unread = {path: f"cannot be read ({reason})" for path, reason in self.found.survey.unreadable}
        failed = {fault.path: fault.error for fault in self.found.faults if fault.place == "collect"}
        return {**self.found.broken, **unread, **failed}

    @property
    def read(self) -> int:
        """Return how many files of the project were read."""
        return len({*self.found.survey.digests} - {*self.unread})


def look_up(
    namespace: argparse.Namespace, options: Options, root: Path, executor: Optional[Executor] = None
) -> Lookup:
    """Read the project and the files that are asked about, and sort out what comments and the baseline hide.

    New files are read in `executor` if there is one.
    """
    known = known_findings(options, root)
    names = asked_files(namespace)
    stdin = sys.stdin.buffer.read() if STDIN in names else None
    replaced = {} if stdin is None else {project_path(root, namespace.stdin_display_name): stdin}
    asked = asked_paths(names, options, root)
    with progress_bar() as progress:
        jobs = jobs_for(options)
        about = [*replaced, *(project_path(root, name) for name in names if name != STDIN)]
        found = engine.analyze(
            root,
            options,
            replaced=replaced,
            paths=asked,
            about=about,
            executor=executor,
            jobs=jobs,
            progress=progress,
        )
    for note in engine.notes(options):
        print(f"flake8-ckpt: note: {note}", file=sys.stderr)
    paths = {name: _path_of(name, namespace, found) for name in names}
    findings = _findings_by_path(found, list(paths.values()), namespace.verbose > 0)
    run = _evidence(namespace.evidence) if getattr(namespace, "evidence", "") else None
    if run is not None:
        from flake8_ckpt.evidence.shown import with_evidence

        findings = with_evidence(findings, run)
    text = None if stdin is None else lenient_text(stdin)
    lines = {name: _lines_of(name, text) for name in names if findings[paths[name]]}
    marks = known.fingerprints if known is not None else frozenset()
    moved = known.moved(found.candidates) if known is not None else {}
    sieved = {
        name: sieve(
            findings[path], () if namespace.disable_noqa else lines.get(name, ()), marks, moved.get(path, "")
        )
        for name, path in paths.items()
    }
    new: dict[str, Sequence[Finding]] = {name: each.shown for name, each in sieved.items()}
    if getattr(namespace, "diff_base", None):
        from flake8_ckpt.commands.adoption.diff_base import change_since

        change = change_since(namespace.diff_base, found, options)
        new = {name: change.caused(paths[name], findings) for name, findings in new.items()}
    linted = [_linted(name, namespace, new[name], text) for name in names]
    hidden = _hidden_by_records(found, options, set(paths.values())) if namespace.verbose else 0
    return Lookup(found, paths, sieved, linted, _hints(lines), run, hidden)


def _hidden_by_records(found: engine.Analysis, options: Options, asked: Collection[str]) -> int:
    """Return how many findings there would be more without the user's framework records: the project is read twice."""
    if options.own is None:
        return 0
    plain = engine.analyze(
        found.root, replace(options, own=None, no_cache=True), paths=list(asked), about=asked
    )
    return sum(
        len(set(fingerprints(engine.findings_in(plain, path).findings).values()).difference(marks))
        for path in asked
        for marks in [fingerprints(engine.findings_in(found, path).findings).values()]
    )


def _evidence(name: str) -> Evidence:
    """Return what a watched run showed."""
    from flake8_ckpt.evidence.evidence_file import EvidenceError
    from flake8_ckpt.evidence.evidence_file import read_evidence

    try:
        return read_evidence(name)
    except EvidenceError as error:
        raise ExecutionError(f"--evidence: {error}") from error


def _path_of(name: str, namespace: argparse.Namespace, found: engine.Analysis) -> str:
    filename = namespace.stdin_display_name if name == STDIN else name
    return project_path(found.root, filename, found.survey.digests)


def _linted(
    name: str, namespace: argparse.Namespace, findings: Sequence[Finding], stdin: Optional[str]
) -> Linted:
    if name == STDIN:
        return Linted(namespace.stdin_display_name, findings, stdin)
    return Linted(name, findings)


def _lines_of(name: str, stdin: Optional[str]) -> Sequence[str]:
    if name == STDIN:
        return (stdin or "").split("\n")
    try:
        return lenient_text(read_plain(name)).split("\n")
    except OSError:
        return ()


def _hints(lines: Mapping[str, Sequence[str]]) -> dict[str, list[Hint]]:
    """Return the hints on the comments of the files that have findings."""
    suspect = {name: text for name, text in lines.items() if any(map(is_suspect, text))}
    names = codes_by_name() if suspect else {}
    return {name: list(hints(text, names)) for name, text in suspect.items()}


def _findings_by_path(
    found: engine.Analysis, asked: Sequence[str], is_verbose: bool
) -> Mapping[str, list[Finding]]:
    by_path: dict[str, list[Finding]] = defaultdict(list)
    for path in dict.fromkeys(asked):
        confirmed = engine.findings_in(found, path)
        by_path[path].extend(confirmed.findings)
        if is_verbose:
            _print_lost(confirmed.lost)
    for path, reason in found.survey.unreadable:
        from flake8_ckpt.rules import unreadable_file

        by_path[path].append(unreadable_file.report(path, f"cannot be read ({reason})"))
    for fault in found.faults:
        finding = engine.report_fault(fault, min(asked, default=""))
        by_path[finding.path].append(finding)
    return by_path


def _print_lost(lost: Sequence[Finding]) -> None:
    """Say which findings are held back, because what they speak of is not found where they have it."""
    for each in lost:
        place, sought = f"{each.path}:{each.position.line}", " or ".join(each.node.kinds)
        print(
            f"flake8-ckpt: note: {place} {each.code} is not reported, because no {sought} was found there:"
            " please report this to flake8-ckpt",
            file=sys.stderr,
        )
