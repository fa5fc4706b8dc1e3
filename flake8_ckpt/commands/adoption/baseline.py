"""The subcommand `baseline`: write down what is found today, so that only what is new is reported."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from flake8.exceptions import ExecutionError
from flake8.main.options import register_default_options
from flake8.options.manager import OptionManager
from msgspec.structs import replace

from flake8_ckpt.commands.adoption.summary import counted
from flake8_ckpt.commands.arguments import Formats
from flake8_ckpt.commands.arguments import declare_ours
from flake8_ckpt.commands.arguments import read_project
from flake8_ckpt.commands.lookup import Lookup
from flake8_ckpt.commands.lookup import look_up
from flake8_ckpt.commands.output import kept_findings
from flake8_ckpt.configuration import printed
from flake8_ckpt.findings import Finding
from flake8_ckpt.fingerprints import fingerprints
from flake8_ckpt.index.cache import paused_gc
from flake8_ckpt.options import BASELINE
from flake8_ckpt.options import Options
from flake8_ckpt.selection import PREFIX
from flake8_ckpt.suppression.baseline import BrokenBaseline
from flake8_ckpt.suppression.baseline import Entry
from flake8_ckpt.suppression.baseline import entries_of
from flake8_ckpt.suppression.baseline import read_entries
from flake8_ckpt.suppression.baseline import write_entries
from flake8_ckpt.suppression.known import fingerprints_in
from flake8_ckpt.suppression.known import known_in
from flake8_ckpt.suppression.sieve import is_failure

DONE = 0
DESCRIPTION = (
    f"Keep a file of the findings that a project has today ({BASELINE} in its root): flake8 and `check` report only"
    " others. A finding is known by its rule, file, class and attribute or key, so that lines may move."
)
UNUSED = frozenset(
    "--hang-closing --max-line-length --max-doc-length --indent-size --jobs --benchmark --bug-report"
    " --enable-extensions --require-plugins --format --show-source --no-show-source --statistics --count --exit-zero"
    " --color --output-file --tee --stdin-display-name --output-format --quiet --ckpt-no-baseline".split()
)
TASKS = (
    ("--write", "write", "Write the findings of today; with paths, those of the files below them."),
    ("--prune", "prune", "Drop the findings that are gone, and add none."),
    (
        "--add-noqa",
        "noqa",
        "Put '# noqa: CODE' beside each finding that is not in the baseline, and write no baseline.",
    ),
)
NO_FORMATS = Formats(("text",), "text", "text")
WHAT = "say what to do: --write, --prune or --add-noqa (flake8-ckpt baseline --help)"


def keep_baseline(arguments: Sequence[str]) -> int:
    """Write or prune the baseline, or put comments beside the findings instead; return the exit code."""
    namespace, options, root = read_project(arguments, _declare)
    if namespace.task is None:
        raise ExecutionError(WHAT)
    if namespace.task == "noqa":
        from flake8_ckpt.commands.adoption.add_noqa import add_noqa

        return add_noqa(namespace, options, root)
    path = options.baseline or root / BASELINE
    is_named = any(each.startswith("--ckpt-baseline") for each in arguments)
    if not is_named and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise ExecutionError(
            f"{printed(path)} is outside of {root}: name it with --ckpt-baseline to write there"
        )
    try:
        _renew(path, namespace, options, root)
    except BrokenBaseline as error:
        raise ExecutionError(str(error)) from error
    return DONE


def _renew(path: Path, namespace: argparse.Namespace, options: Options, root: Path) -> None:
    """Write the baseline anew; what it says of files that were not asked about, or not read, it goes on saying."""
    old = _entries_before(path, namespace)
    with paused_gc():
        looked_up = look_up(namespace, replace(options, no_baseline=True), root)
        found = list(_entries(looked_up, kept_findings(namespace, looked_up.linted)))
    checked = set(looked_up.paths.values()) - set(looked_up.unread)
    moved = known_in(root, old).moved(looked_up.found.candidates)
    there = {was for path, was in moved.items() if path not in checked}
    elsewhere = [
        each
        for each in old
        if each.path not in checked and (each.path in there or (root / each.path).exists())
    ]
    before = _before(looked_up, moved)
    known = {each.fingerprint for each in old}
    kept = [each for each in found if before.get(each.fingerprint, each.fingerprint) in known]
    entries = [*elsewhere, *(found if namespace.task == "write" else kept)]
    write_entries(path, entries)
    _say(path, entries, len(old) - len(elsewhere) - len(kept), looked_up)


def _before(looked_up: Lookup, moved: Mapping[str, str]) -> dict[str, str]:
    """Return by fingerprint what that of each finding was before its file was moved."""
    found: dict[str, str] = {}
    names = {path: name for name, path in looked_up.paths.items()}
    for path, was in moved.items():
        findings = looked_up.sieved[names[path]].shown if path in names else ()
        before = fingerprints_in(findings, was)
        found.update((now, before[each]) for each, now in fingerprints(findings).items())
    return found


def _entries(looked_up: Lookup, kept: Collection[Finding]) -> Iterator[Entry]:
    """Yield an entry for each finding that `check` would show; that a file cannot be checked is never in a baseline."""
    shown = {each for each in kept if not is_failure(each)}
    for name in {path: name for name, path in looked_up.paths.items()}.values():
        yield from entries_of(looked_up.sieved[name].shown, shown)


def _entries_before(path: Path, namespace: argparse.Namespace) -> Sequence[Entry]:
    """Return what the baseline holds; a broken one can be written anew as a whole."""
    try:
        return read_entries(path, is_named=namespace.task == "prune")
    except BrokenBaseline:
        if namespace.task == "write" and not namespace.filenames:
            return ()
        raise


def _say(path: Path, entries: Sequence[Entry], gone: int, looked_up: Lookup) -> None:
    held = f"{counted(len(entries), 'finding')} in {counted(len({each.path for each in entries}), 'file')}"
    was = f", {counted(gone, 'finding')} gone" if gone else ""
    print(f"{printed(path)}: {held}{was}")
    for name, reason in sorted(looked_up.unread.items()):
        print(f"flake8-ckpt: note: {name} {reason}: what is in it is not known", file=sys.stderr)


def _declare(manager: OptionManager) -> None:
    """Declare flake8's options and ours."""
    register_default_options(manager)
    declare_ours(manager, "baseline", "the outcome", formats=NO_FORMATS, unused=UNUSED)
    manager.extend_default_select([PREFIX])
    manager.parser.description = DESCRIPTION
    for option, task, text in TASKS:
        manager.parser.add_argument(option, dest="task", action="store_const", const=task, help=text)
