"""The subcommand `fix`: mend what `check` reports, where that can be done by changing the text."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flake8.main.options import register_default_options
from flake8.options.manager import OptionManager

from flake8_ckpt.commands.arguments import declare_ours
from flake8_ckpt.commands.arguments import read_project
from flake8_ckpt.commands.lookup import look_up
from flake8_ckpt.commands.output import kept_findings
from flake8_ckpt.findings import Finding
from flake8_ckpt.fixes.fixed_text import SAFE
from flake8_ckpt.fixes.fixed_text import UNSAFE
from flake8_ckpt.fixes.fixed_text import Fixed
from flake8_ckpt.fixes.fixed_text import fix_text
from flake8_ckpt.fixes.written_file import Left
from flake8_ckpt.fixes.written_file import open_for_fixing
from flake8_ckpt.fixes.written_file import replace_content
from flake8_ckpt.index.cache import paused_gc
from flake8_ckpt.index.survey import digest_of
from flake8_ckpt.options import Options
from flake8_ckpt.reports.fix_lines import diff_of
from flake8_ckpt.reports.fix_lines import lines_of
from flake8_ckpt.reports.fix_lines import summary_of
from flake8_ckpt.selection import PREFIX

NOTHING_LEFT, FOUND, FILE_LEFT = 0, 1, 2
DESCRIPTION = (
    "Mend findings in place. A safe change neither breaks loading an existing checkpoint nor changes outputs;"
    " others need --unsafe-fixes, or are only shown."
)
# Options that mean nothing here; they are accepted, because a configuration names them.
UNUSED = frozenset(
    "--hang-closing --max-line-length --max-doc-length --indent-size --jobs --benchmark --bug-report"
    " --enable-extensions --require-plugins --format --show-source --statistics --count --exit-zero --color"
    " --output-file --tee --stdin-display-name --output-format --no-show-source".split()
)


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file, and why it was left as it was, if it was."""

    name: str
    fixed: Fixed
    left: str = ""


def fix_files(arguments: Sequence[str]) -> int:
    """Fix what the arguments ask for, say what was done, and return the exit code."""
    namespace, options, root = read_project(arguments, _declare)
    with paused_gc():
        outcomes = list(_outcomes(namespace, options, root))
    for each in outcomes:
        if namespace.diff:
            sys.stdout.write(diff_of(each.name, each.fixed))
        for line in lines_of(each.name, each.fixed, is_diff=namespace.diff):
            print(line, file=sys.stderr if namespace.diff else sys.stdout)
        if each.left:
            print(f"flake8-ckpt: {each.name}: left as it was: it {each.left}", file=sys.stderr)
    summary = summary_of([each.fixed for each in outcomes], is_diff=namespace.diff)
    print(summary, file=sys.stderr)
    return _exit_code(outcomes, namespace.diff)


def _exit_code(outcomes: Sequence[FileOutcome], is_diff: bool) -> int:
    if any(each.left for each in outcomes):
        return FILE_LEFT
    is_changed = is_diff and any(each.fixed.applied for each in outcomes)
    return FOUND if is_changed or any(each.fixed.left for each in outcomes) else NOTHING_LEFT


def _outcomes(namespace: argparse.Namespace, options: Options, root: Path) -> Iterator[FileOutcome]:
    """Yield what becomes of each file that has findings or cannot be read, in order of their names."""
    looked_up = look_up(namespace, options, root)
    digests, unread = looked_up.found.survey.digests, looked_up.unread
    reported: dict[str, list[Finding]] = {}
    for each in kept_findings(namespace, looked_up.linted):
        reported.setdefault(each.path, []).append(each)
    for name, path in sorted(looked_up.paths.items()):
        if path in unread:
            yield FileOutcome(name, Fixed(b"", b""), unread[path])
        elif path in reported:
            yield _fix(namespace, root, name, reported[path], digests[path])


def _fix(
    namespace: argparse.Namespace, root: Path, name: str, findings: Sequence[Finding], digest: bytes
) -> FileOutcome:
    allowed = UNSAFE if namespace.unsafe_fixes else SAFE
    nothing = Fixed(b"", b"")
    try:
        data = open_for_fixing(root, Path(name))
        if digest_of(data) != digest:
            raise Left("has changed since it was checked: run the command again")
        fixed = fix_text(data, findings, allowed=allowed, style=namespace.buffer_style)
        if fixed.refused:
            raise Left(fixed.refused)
        if fixed.applied and not namespace.diff:
            replace_content(Path(name), data, fixed.data)
        return FileOutcome(name, fixed)
    except Left as error:
        return FileOutcome(name, nothing, error.reason)


def _declare(manager: OptionManager) -> None:
    """Declare flake8's options and ours."""
    register_default_options(manager)
    declare_ours(manager, "fix", "findings", unused=UNUSED)
    manager.extend_default_select([PREFIX])
    manager.parser.description = DESCRIPTION
    add = manager.add_option
    add("--diff", action="store_true", default=False, help="Show the changes and write nothing.")
    add(
        "--unsafe-fixes",
        action="store_true",
        default=False,
        help="Apply changes too that add keys to the state_dict or rename them; each says what it changes.",
    )
    add(
        "--buffer-style",
        choices=("auto", "register_buffer", "nn.Buffer"),
        default="auto",
        help="How to register a buffer: register_buffer, nn.Buffer (torch 2.5 and later), or auto, as the file does.",
    )
