"""The subcommand `watch`: run an unchanged program, and say which of its state is in no file that it saved."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Optional

from flake8.exceptions import ExecutionError
from flake8.options.manager import OptionManager

from flake8_ckpt import engine
from flake8_ckpt.commands.arguments import read_options
from flake8_ckpt.evidence.collect import collect
from flake8_ckpt.evidence.evidence_file import EvidenceError
from flake8_ckpt.evidence.evidence_file import WritableFile
from flake8_ckpt.evidence.evidence_file import encode
from flake8_ckpt.evidence.journals import Journal
from flake8_ckpt.evidence.journals import read_journals
from flake8_ckpt.evidence.records import Evidence
from flake8_ckpt.evidence.text import report
from flake8_ckpt.evidence.verdicts import compare
from flake8_ckpt.index.cache import paused_gc
from flake8_ckpt.options import add_options
from flake8_ckpt.selection import root_for

LOST, NOT_FOUND, NOT_EXECUTABLE = 1, 127, 126
INJECTED = Path(__file__).parent.parent / "runtime" / "watch"
VARIABLE = "FLAKE8_CKPT_WATCH"
DESCRIPTION = (
    "Run an unchanged program as it stands, and say which of its state changed and is in none of the files that it"
    " saved. The program is run by your command; its output, files and exit code stay what they are."
)
# Options of flake8 that mean nothing here, and its paths.
UNUSED = frozenset(
    "filenames --verbose --output-file --enable-extensions --require-plugins --version".split()
)
EXIT_HELP = "Exit with 1 where something is lost and the command itself succeeds."
USAGE = "flake8-ckpt watch [--output FILE] [--exit-code] -- COMMAND..."


def watch(arguments: Sequence[str]) -> int:
    """Run the command, report on standard error, and return the command's own exit code."""
    ours, command = _split(arguments)
    # flake8's first parser would take `--output` as short for an option of its own.
    asked, rest = _own_options().parse_known_args(ours)
    namespace, options, configuration = read_options(rest, _declare)
    if namespace.filenames or not command:
        raise ExecutionError(f"what to watch stands after two dashes: {USAGE}")
    root = root_for(namespace, options, configuration.folder)
    output = _output(asked.output)
    try:
        code, journals = _recorded(command)
    except OSError as error:
        return _refuse(command[0], error)
    evidence = collect(journals, command, code, root)
    if evidence.files:
        with paused_gc():
            evidence = compare(evidence, engine.check(root, options), journals, root)
    _show(evidence)
    if output is not None:
        _write(output, evidence)
    return LOST if asked.exit_code and evidence.losses and not code else code


def _output(name: Optional[str]) -> Optional[WritableFile]:
    try:
        return WritableFile.open(name) if name else None
    except EvidenceError as error:
        raise ExecutionError(str(error)) from error


def _write(output: WritableFile, evidence: Evidence) -> None:
    try:
        output.write(encode(evidence))
    except EvidenceError as error:
        raise ExecutionError(str(error)) from error


def _recorded(command: Sequence[str]) -> tuple[int, list[Journal]]:
    """Run a command with the recorder in it; return its exit code and what was recorded."""
    folder = Path(tempfile.mkdtemp(prefix="flake8-ckpt-watch-"))
    try:
        code = _run(command, {**os.environ, **_injection(folder)})
        return code, read_journals(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse(name: str, error: OSError) -> int:
    """Say that a command cannot be started, and return what a shell would."""
    print(f"flake8-ckpt: error: {name!r} cannot be started: {error.strerror or error}", file=sys.stderr)
    return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


def _show(evidence: Evidence) -> None:
    sys.stdout.flush()
    for line in report(evidence):
        encoding = sys.stderr.encoding or "utf-8"
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr)


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    given = list(arguments)
    if "--" not in given:
        return given, []
    index = given.index("--")
    return given[:index], given[index + 1 :]


def _injection(folder: Path) -> Mapping[str, str]:
    """Return the variables that bring the recorder into each Python that is started."""
    behind = os.environ.get("PYTHONPATH")
    return {
        "PYTHONPATH": os.pathsep.join([str(INJECTED), *([behind] if behind else [])]),
        VARIABLE: str(folder),
    }


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end; an interrupt is for it, and a request to end is passed on."""
    process = subprocess.Popen(command, env=environment)

    def pass_on(number: int, frame: Optional[FrameType]) -> None:
        process.send_signal(number)

    before = signal.signal(signal.SIGINT, signal.SIG_IGN), signal.signal(signal.SIGTERM, pass_on)
    try:
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
    return code if code >= 0 else 128 - code


def _own_options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--output", metavar="FILE", help="Write what the run showed to this file, as JSON.")
    parser.add_argument("--exit-code", action="store_true", help=EXIT_HELP)
    return parser


def _declare(manager: OptionManager) -> None:
    """Declare what the help shows, and the options of the linter, whose findings are compared."""
    for action in _own_options()._actions:
        manager.parser._add_action(action)
    add_options(manager)
    parser = manager.parser
    parser.prog, parser.usage, parser.epilog = "flake8-ckpt watch", USAGE, None
    parser.description = DESCRIPTION
    for action in parser._actions:
        if not UNUSED.isdisjoint([*action.option_strings, action.dest]):
            action.help = argparse.SUPPRESS
