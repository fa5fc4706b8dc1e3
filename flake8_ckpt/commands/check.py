"""The subcommand `check`: what flake8 would print for our codes, without its other plugins."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Container
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from flake8.exceptions import ExecutionError
from flake8.main.options import register_default_options
from flake8.options.manager import OptionManager

from flake8_ckpt import engine
from flake8_ckpt.commands.arguments import declare_ours
from flake8_ckpt.commands.arguments import read_project
from flake8_ckpt.commands.output import FORMATTERS
from flake8_ckpt.commands.output import Linted
from flake8_ckpt.commands.output import Material
from flake8_ckpt.commands.output import ReportFormatter
from flake8_ckpt.commands.output import format_of
from flake8_ckpt.commands.output import is_for_people
from flake8_ckpt.commands.output import make_formatter
from flake8_ckpt.commands.output import print_findings
from flake8_ckpt.commands.progress import progress_bar
from flake8_ckpt.commands.reporting import FORMATS
from flake8_ckpt.commands.reporting import writer_of
from flake8_ckpt.findings import Finding
from flake8_ckpt.index.cache import paused_gc
from flake8_ckpt.options import Options
from flake8_ckpt.selection import PREFIX
from flake8_ckpt.selection import STDIN
from flake8_ckpt.selection import asked_files
from flake8_ckpt.selection import asked_paths
from flake8_ckpt.selection import jobs_for
from flake8_ckpt.selection import project_path
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode

# Options of flake8 that mean nothing here; they are accepted, because a configuration names them.
UNUSED = frozenset(
    "--hang-closing --max-line-length --max-doc-length --indent-size --jobs --benchmark --bug-report "
    "--enable-extensions --require-plugins".split()
)

EVIDENCE_HELP = (
    "Show what a run says of each finding, and what it lost besides: a file of flake8-ckpt watch --output."
)


def check_files(arguments: Sequence[str]) -> int:
    """Check what the arguments ask for, print the findings, and return the exit code."""
    namespace, options, root = read_project(arguments, _declare, FORMATTERS, streams=[STDIN])
    with paused_gc():
        count = _check(namespace, options, root)
    sys.stdout.buffer.flush()
    if namespace.count:
        print(count, file=sys.stdout if is_for_people(namespace) else sys.stderr)
    return int(count > 0 and not namespace.exit_zero)


def _check(namespace: argparse.Namespace, options: Options, root: Path) -> int:
    names = asked_files(namespace)
    stdin = sys.stdin.buffer.read() if STDIN in names else None
    replaced = {} if stdin is None else {project_path(root, namespace.stdin_display_name): stdin}
    asked = asked_paths(names, options, root)
    jobs = jobs_for(options)
    with progress_bar() as progress:
        found = engine.analyze(root, options, replaced=replaced, paths=asked, jobs=jobs, progress=progress)
    paths = {name: _path_of(name, namespace, found) for name in names}
    if namespace.verbose:
        _print_left_out(found, set(paths.values()))
    findings = _findings_by_path(found, list(paths.values()), namespace.verbose > 0)
    if namespace.evidence:
        findings = _with_evidence(findings, namespace.evidence)
    text = None if stdin is None else _lenient_text(stdin)
    linted = [_linted(name, namespace, findings[paths[name]], text) for name in names]
    formatter = make_formatter(namespace)
    if isinstance(formatter, ReportFormatter):
        everything = [each for file in linted for each in file.findings]
        shown = {paths[name]: file.name for name, file in zip(names, linted)}
        material = Material(found, everything, shown)
        formatter.expect(linted, writer_of(format_of(namespace), material, formatter.color))
    return print_findings(namespace, formatter, linted)


def _with_evidence(findings: Mapping[str, list[Finding]], name: str) -> Mapping[str, list[Finding]]:
    """Return the findings with what a watched run says of them."""
    from flake8_ckpt.evidence.evidence_file import EvidenceError
    from flake8_ckpt.evidence.evidence_file import read_evidence
    from flake8_ckpt.evidence.shown import with_evidence

    try:
        return with_evidence(findings, read_evidence(name))
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


def _lenient_text(data: bytes) -> str:
    """Decode standard input as flake8 does: what has no valid encoding is still shown."""
    try:
        return decode(data)
    except Unreadable:
        return data.decode("latin-1")


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


def _print_left_out(found: engine.Analysis, asked: Container[str]) -> None:
    """Say once which files of the project could not be read, besides those that are reported."""
    unread = [(path, f"cannot be read ({reason})") for path, reason in found.survey.unreadable]
    for path, reason in sorted([*found.broken.items(), *unread]):
        if path not in asked:
            print(f"flake8-ckpt: note: {path} {reason}: left out of the project", file=sys.stderr)


def _declare(manager: OptionManager) -> None:
    """Declare flake8's options and ours, and hide those that other plugins would use."""
    register_default_options(manager)
    manager.add_option("--evidence", metavar="FILE", default="", help=EVIDENCE_HELP)
    declare_ours(manager, "check", "findings", formats=FORMATS, unused=UNUSED)
    manager.extend_default_select([PREFIX])
