"""The subcommand `explain`: the pages of rules, and what is found at a line of the user's own code."""

from __future__ import annotations

import difflib
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flake8.exceptions import ExecutionError
from flake8.options.manager import OptionManager

from flake8_ckpt.commands.arguments import declare_ours
from flake8_ckpt.commands.arguments import read_options
from flake8_ckpt.options import Options
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import all_rules
from flake8_ckpt.teacher.pages import page_record
from flake8_ckpt.teacher.pages import page_text

PLACE = re.compile(r"(?P<path>.+):(?P<line>\d+)(?::\d+)?:?")
# Lines of text are not wider than this, however wide the window is.
MAX_WIDTH = 100
UNUSED = frozenset(["--bug-report", "--enable-extensions", "--require-plugins"])


@dataclass(frozen=True)
class Place:
    """A line of a file."""

    name: str
    line: int


def explain(arguments: Sequence[str]) -> int:
    """Print what the arguments ask for: pages of rules, by code or name, and lines as `PATH:LINE`."""
    namespace, options, configuration = read_options(arguments, _declare)
    config_dir = configuration.folder
    wanted = [_wanted(name) for name in namespace.filenames]
    if not wanted:
        raise ExecutionError("name a rule, such as CKP101, or a line of your code, such as train.py:12")
    if namespace.output_format == "json":
        print(json.dumps([_record(each, options, config_dir) for each in wanted], indent=2))
        return 0
    _show("\n\n".join(_text(each, options, config_dir) for each in wanted))
    return 0


def _wanted(name: str) -> Rule | Place:
    place = PLACE.fullmatch(name)
    if place is None:
        return find_rule(name)
    path, line = place["path"], int(place["line"])
    if not os.path.isfile(path):
        raise ExecutionError(f"path does not exist: {path!r}")
    return Place(path, line)


def find_rule(wanted: str) -> Rule:
    """Return the rule with this code or name; raise a usage error with the nearest ones where there is none."""
    rules = {rule.code: rule for rule in all_rules()} | {rule.name: rule for rule in all_rules()}
    folded = {key.casefold(): key for key in rules}
    asked = wanted.casefold().replace("_", "-")
    if asked not in folded:
        near = difflib.get_close_matches(asked, folded, n=3, cutoff=0.5)
        hint = (
            f"did you mean {' or '.join(folded[each] for each in near)}?" if near else "see flake8-ckpt rules"
        )
        raise ExecutionError(f"unknown rule {wanted!r}: {hint}")
    return rules[folded[asked]]


def _text(wanted: Rule | Place, options: Options, config_dir: Path | None) -> str:
    if isinstance(wanted, Rule):
        return page_text(wanted)
    return _line_text(wanted, options, config_dir)


def _record(wanted: Rule | Place, options: Options, config_dir: Path | None) -> dict[str, Any]:
    if isinstance(wanted, Rule):
        return page_record(wanted)
    text = _line_text(wanted, options, config_dir)
    return {"path": wanted.name, "line": wanted.line, "explanation": text}


def _line_text(place: Place, options: Options, config_dir: Path | None) -> str:
    """Explain a line; what links a project is imported only for that."""
    from flake8_ckpt.commands.explain_line import explain_line

    return explain_line(place.name, place.line, options, config_dir)


def _show(text: str) -> None:
    """Print Markdown: with headings and colours on a terminal, as it is in a pipe."""
    if not sys.stdout.isatty():
        encoding = sys.stdout.encoding or "utf-8"
        print(text.encode(encoding, "backslashreplace").decode(encoding))
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    console.print(Markdown(text, code_theme="ansi_dark"), width=min(console.width, MAX_WIDTH))


def _declare(manager: OptionManager) -> None:
    declare_ours(manager, "explain", "the pages", unused=UNUSED)
    manager.parser.usage = "%(prog)s [options] RULE|PATH:LINE ..."
    manager.parser.description = (
        "Explain rules, by code or name, and what is found at a line of your own code: what is saved, what is"
        " not, what happens after a reload, and the change that mends it."
    )
