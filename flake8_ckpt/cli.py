"""The command `flake8-ckpt`: its subcommands, and the one place that turns our failures into exit codes."""

from __future__ import annotations

import argparse
import difflib
import gc
import io
import os
import sys
import traceback
from collections.abc import Collection
from collections.abc import MutableMapping
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Optional

from flake8.exceptions import ExecutionError

from flake8_ckpt import __version__

CLEAN, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True)
class Command:
    """A subcommand: the function that takes its arguments, in a module that is imported only for it."""

    name: str
    function: str
    help: str

    def run(self, arguments: Sequence[str]) -> int:
        """Run it, and return the exit code."""
        module, _, function = self.function.partition(":")
        code: int = getattr(import_module(f"flake8_ckpt.commands.{module}"), function)(arguments)
        return code


COMMANDS = (
    Command("check", "check:check_files", "check files and folders (options: flake8-ckpt check --help)"),
    Command("scan", "organisation.scan:scan", "check many repositories and write one report"),
    Command("fix", "fix:fix_files", "mend findings in place (options: flake8-ckpt fix --help)"),
    Command("explain", "explain:explain", "explain a rule (CKP101) or a line of your code (train.py:12)"),
    Command(
        "baseline",
        "adoption.baseline:keep_baseline",
        "keep a file of the findings of today, so that only new ones are reported",
    ),
    Command(
        "contract", "contract:show_contract", "show what checkpoints hold, who writes it and who reads it"
    ),
    Command("inspect", "inspect:inspect_file", "look into a checkpoint file without loading it"),
    Command("watch", "watch:watch", "run your program, and say which of its state no file holds"),
    Command(
        "prove",
        "proofs.prove:prove_findings",
        "run the code that a finding speaks of, to see whether the finding is true",
    ),
    Command("frameworks", "frameworks:show_frameworks", "show what is known of libraries, yours among them"),
    Command("rules", "rules:show_rules", "list the rules"),
    Command("demo", "demo:show_demo", "check five small systems and say why each finding matters"),
)
# Commands that read their options as flake8 does.
WITH_OPTIONS = frozenset({"check", "fix", "baseline", "contract", "frameworks"})
DESCRIPTION = "Find the module state that a PyTorch checkpoint loses."


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the command; return 0 for nothing found, 1 for findings, 2 for an error of use or our own."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if "_ARGCOMPLETE" in os.environ:
        return _complete(os.environ)
    # A console that cannot show a character shows its number; nothing fails for it.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        others = [each.name for each in COMMANDS if each.name != "check"]
        return CLEAN if arguments[:1] and arguments[0] in others else FOUND
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
    names = [each.name for each in COMMANDS]
    if _is_check(arguments, names):
        arguments = ["check", *arguments]
    if not arguments or arguments[0] not in names:
        _parser().parse_args(arguments)
    chosen = next(each for each in COMMANDS if each.name == arguments[0])
    return chosen.run(arguments[1:])


def _complete(environment: MutableMapping[str, str]) -> int:
    """Answer a shell that asks how a line goes on: argcomplete says it, and ends the process."""
    line = environment.get("COMP_LINE", "")[: int(environment.get("COMP_POINT", "0"))]
    words = line.split()[1:] if line.endswith(" ") else line.split()[1:-1]
    chosen = next((each for each in COMMANDS if words and each.name == words[0]), None)
    if chosen is not None and chosen.name not in WITH_OPTIONS:
        return CLEAN
    if chosen is None and not words:
        import argcomplete

        argcomplete.autocomplete(_parser())
    # The parser of a command does not know the command's own name, which the line has before its options.
    environment["_ARGCOMPLETE"] = "1" if chosen is None else "2"
    return (chosen or COMMANDS[0]).run([])


def _is_check(arguments: Sequence[str], commands: Collection[str]) -> bool:
    """Say whether arguments without a command mean `check`: they begin with a path, or with an option of it."""
    if not arguments or arguments[0] in commands or arguments[0] in ("-h", "--help", "--version"):
        return False
    first = arguments[0]
    if first.startswith("-") or os.path.lexists(first):
        return True
    near = difflib.get_close_matches(first, commands, n=1)
    hint = f"did you mean {near[0]}?" if near else "see flake8-ckpt --help"
    raise ExecutionError(f"{first!r} is neither a command nor a path that exists: {hint}")


def _parser() -> argparse.ArgumentParser:
    """Return what prints the help, and says what is wrong with arguments that name no command."""
    parser = argparse.ArgumentParser(prog="flake8-ckpt", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"flake8-ckpt {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for each in COMMANDS:
        commands.add_parser(each.name, help=each.help)
    return parser
