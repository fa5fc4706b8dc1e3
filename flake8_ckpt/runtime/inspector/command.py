"""The subcommand `inspect`: print what a checkpoint holds, as a table or as JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from collections.abc import Sequence

from flake8_ckpt.runtime.inspector.against import compare
from flake8_ckpt.runtime.inspector.contract import KnownCheckpoint
from flake8_ckpt.runtime.inspector.contract import with_contract
from flake8_ckpt.runtime.inspector.difference import compare_reports
from flake8_ckpt.runtime.inspector.difference import difference_json
from flake8_ckpt.runtime.inspector.difference import difference_text
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.inspection import inspect_checkpoint
from flake8_ckpt.runtime.inspector.json_report import as_json
from flake8_ckpt.runtime.inspector.report import KINDS
from flake8_ckpt.runtime.inspector.report import Report
from flake8_ckpt.runtime.inspector.table import as_text
from flake8_ckpt.runtime.inspector.table import printable

CLEAN, FOUND, FAILED = 0, 1, 2
ALWAYS = frozenset({"mismatch"})
DESCRIPTION = "Show what a checkpoint holds, without loading it: nothing in the file is executed."
ReadProject = Callable[[str], Sequence[KnownCheckpoint]]


def show_checkpoint(arguments: Sequence[str], read_project: ReadProject | None = None) -> int:
    """Print the report; return 1 where it has something that `--fail-on` names, 2 where there is none.

    `read_project` gives the checkpoints that the code of a folder saves and loads; the linter has it.
    """
    args = _parser(read_project is not None).parse_args(arguments)
    is_json = args.json or args.output_format == "json"
    name = args.file
    try:
        if args.diff is not None:
            first = inspect_checkpoint(args.file, digest=True)
            name = args.diff
            return _show_difference(first, inspect_checkpoint(args.diff, digest=True), is_json)
        report = inspect_checkpoint(args.file, scan="nonfinite" in args.fail_on)
        report = compare(report, args.against) if args.against else report
    except CheckpointError as error:
        message = " ".join(str(error).split())
        print(f"flake8-ckpt: error: {printable(name)}: {printable(message)}", file=sys.stderr)
        return FAILED
    if args.project is not None and read_project is not None:
        report = with_contract(report, read_project(args.project), args.project)
    for text in as_json(report) if is_json else [as_text(report)]:
        _write(text)
    return FOUND if report.has(args.fail_on | ALWAYS) else CLEAN


def _show_difference(first: Report, second: Report, is_json: bool) -> int:
    """Print how two checkpoints differ; return 1 where one would not load in the place of the other."""
    found = compare_reports(first, second)
    _write(difference_json(found) if is_json else difference_text(found))
    return FOUND if found.has_other_keys else CLEAN


def _write(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _kinds(text: str) -> frozenset[str]:
    kinds = frozenset(text.split(","))
    if not kinds <= set(KINDS):
        unknown = sorted(kinds - set(KINDS))[0]
        raise argparse.ArgumentTypeError(f"{unknown!r} is none of {', '.join(KINDS)}")
    return kinds


def _help() -> str:
    return "; ".join(
        ("exit with 1 if there is one of these", *(f"{kind}: {text}" for kind, text in KINDS.items()))
    )


def _parser(has_projects: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="flake8-ckpt inspect", description=DESCRIPTION)
    parser.add_argument(
        "file",
        help="a checkpoint, an index of shards, or the folder of a distributed checkpoint or of a model",
    )
    parser.add_argument("--output-format", choices=("text", "json"), default="text", help="how to print it")
    parser.add_argument("--json", action="store_true", help="the same as --output-format json")
    parser.add_argument(
        "--against",
        metavar="MODULE:FACTORY",
        help="compare with the state_dict() of what this returns; imports torch and runs your code",
    )
    parser.add_argument(
        "--diff",
        metavar="FILE",
        help="compare with another checkpoint: keys, shapes, dtypes, and which values moved;"
        " exits with 1 unless only values differ",
    )
    help_text = "compare with what the code of a folder needs of the checkpoint and restores from it"
    parser.add_argument("--project", metavar="FOLDER", help=help_text if has_projects else argparse.SUPPRESS)
    parser.add_argument("--fail-on", type=_kinds, default=frozenset(), metavar="KIND,...", help=_help())
    return parser
