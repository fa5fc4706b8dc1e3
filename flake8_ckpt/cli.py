"""The command `flake8-ckpt`: its subcommands, and the one place that turns our failures into exit codes."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Optional

from flake8.exceptions import ExecutionError

from flake8_ckpt import __version__

CLEAN, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130
DESCRIPTION = "Find the module state that a PyTorch checkpoint loses."


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the command; return 0 for nothing found, 1 for findings, 2 for an error of use or our own."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FOUND if arguments[:1] == ["check"] else CLEAN
    except ExecutionError as error:
        return _fail(str(error))
    except Exception as error:
        if "-vv" in arguments or arguments.count("-v") > 1:
            traceback.print_exc()
        return _fail(f"internal error: {type(error).__name__}: {error}; please report it")
    # Nothing is freed before the process ends, so there are no cycles to look for.
    gc.freeze()
    return code


def _fail(message: str) -> int:
    print(f"flake8-ckpt: error: {' '.join(message.split())}", file=sys.stderr)
    return FAILED


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["check"]:
        from flake8_ckpt.commands.check import check_files

        return check_files(arguments[1:])
    if arguments[:1] == ["fix"]:
        from flake8_ckpt.commands.fix import fix_files

        return fix_files(arguments[1:])
    if arguments[:1] == ["contract"]:
        from flake8_ckpt.commands.contract import show_contract

        return show_contract(arguments[1:])
    if arguments[:1] == ["frameworks"]:
        from flake8_ckpt.commands.frameworks import show_frameworks

        return show_frameworks(arguments[1:])
    if arguments[:1] == ["prove"]:
        from flake8_ckpt.commands.prove import prove_findings

        return prove_findings(arguments[1:])
    if arguments[:1] == ["inspect"]:
        from flake8_ckpt.commands.inspect import inspect_file

        return inspect_file(arguments[1:])
    if arguments[:1] == ["explain"]:
        from flake8_ckpt.commands.explain import explain

        return explain(arguments[1:])
    args = _parser().parse_args(arguments)
    if args.command == "demo":
        from flake8_ckpt.commands.demo import show_demo

        return show_demo()
    from flake8_ckpt.commands.rules import list_rules

    print(list_rules())
    return CLEAN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="flake8-ckpt", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"flake8-ckpt {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    commands.add_parser("check", help="check files and folders (options: flake8-ckpt check --help)")
    commands.add_parser("fix", help="mend findings in place (options: flake8-ckpt fix --help)")
    commands.add_parser("contract", help="show what checkpoints hold, who writes it and who reads it")
    commands.add_parser("inspect", help="look into a checkpoint file without loading it")
    commands.add_parser(
        "prove", help="run the code that a finding speaks of, to see whether the finding is true"
    )
    commands.add_parser("frameworks", help="show what is known of libraries, your own records among it")
    commands.add_parser("rules", help="list the rules")
    commands.add_parser("explain", help="explain a rule (CKP101) or a line of your code (train.py:12)")
    commands.add_parser("demo", help="check a small embedded project and say why each finding matters")
    return parser
