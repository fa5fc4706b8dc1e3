"""The subcommand `inspect`: print what a checkpoint holds, as a table or as JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from flake8_ckpt.runtime.inspector.against import compare
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.inspection import inspect_checkpoint
from flake8_ckpt.runtime.inspector.json_report import as_json
from flake8_ckpt.runtime.inspector.report import KINDS
from flake8_ckpt.runtime.inspector.table import as_text
from flake8_ckpt.runtime.inspector.table import printable

CLEAN, FOUND, FAILED = 0, 1, 2
DESCRIPTION = "Show what a checkpoint holds, without loading it: nothing in the file is executed."


def show_checkpoint(arguments: Sequence[str]) -> int:
    """Print the report; return 1 where it has something that `--fail-on` names, 2 where there is none."""
    args = _parser().parse_args(arguments)
    try:
        report = inspect_checkpoint(args.file, scan="nonfinite" in args.fail_on)
        report = compare(report, args.against) if args.against else report
    except CheckpointError as error:
        message = " ".join(str(error).split())
        print(f"flake8-ckpt: error: {printable(args.file)}: {printable(message)}", file=sys.stderr)
        return FAILED
    for text in as_json(report) if args.json else [as_text(report)]:
        _write(text)
    return FOUND if report.has(args.fail_on | {"mismatch"}) else CLEAN


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="flake8-ckpt inspect", description=DESCRIPTION)
    parser.add_argument("file", help="a checkpoint, or the folder of a distributed one")
    parser.add_argument("--json", action="store_true", help="print the whole report as JSON")
    parser.add_argument(
        "--against",
        metavar="MODULE:FACTORY",
        help="compare with the state_dict() of what this returns; imports torch and runs your code",
    )
    parser.add_argument("--fail-on", type=_kinds, default=frozenset(), metavar="KIND,...", help=_help())
    return parser
