"""Strategies of hypothesis for whole projects: texts of `grammar.toml`, now and then with damage."""

from __future__ import annotations

import ast
import random
import re
import sys
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from benchmarks.fuzzing.damage import damaged

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

GRAMMAR: Mapping[str, Sequence[str]] = tomllib.loads(
    Path(__file__).with_name("grammar.toml").read_text(encoding="utf-8")
)
PLACE = re.compile(r"<([A-Za-z ]+)>")
# Names of the files that the imports of the grammar know.
FILES = ("train.py", "net.py", "keep.py")
# Beyond so many choices only the first one of each name is taken, which ends in words.
MOST_CHOICES = 400
DEEPEST = 9
# The characters of a large file; an import from the future may only be its first statement.
SIZES = (50_000, 300_000)
FUTURE = "from __future__ import annotations\n"
Choose = Callable[[Sequence[str]], str]


def expanded(choose: Choose, name: str) -> str:
    """Return a text of the grammar; `choose` takes one of some choices."""
    left = MOST_CHOICES

    def one_of(name: str, depth: int) -> str:
        nonlocal left
        left -= 1
        choices = GRAMMAR[name]
        chosen = choose(choices) if depth < DEEPEST and left > 0 else choices[0]
        return "\n".join(line_of(line, depth) for line in chosen.split("\n"))

    def line_of(line: str, depth: int) -> str:
        text = PLACE.sub(lambda found: one_of(found.group(1), depth + 1), line)
        if "\n" not in text:
            return text
        indent = line[: len(line) - len(line.lstrip())]
        first, *more = text.split("\n")
        return "\n".join([first, *(f"{indent}{each}" for each in more)])

    return one_of(name, 0) + "\n"


def program(dice: random.Random) -> Mapping[str, bytes]:
    """Return a project of one to three files, a hundred times as fast as hypothesis does."""
    return {name: expanded(dice.choice, "file").encode() for name in FILES[: dice.randint(1, len(FILES))]}


def joined(dice: random.Random) -> Mapping[str, bytes]:
    """Return one large file of many programs, in which what is not linear shows."""
    size = dice.randint(*SIZES)
    parts: list[str] = []
    while sum(map(len, parts)) < size:
        text = expanded(dice.choice, "file").replace(FUTURE, "import ast\n")
        with suppress(SyntaxError):
            ast.parse(text)
            parts.append(text)
    return {FILES[0]: "\n".join(parts).encode()}


@st.composite
def programs(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Mapping[str, bytes]:
    """Draw a project of one to three files, now and then with a damaged one."""
    names = FILES[: draw(st.integers(1, len(FILES)))]
    files = {
        name: expanded(lambda choices: draw(st.sampled_from(choices)), "file").encode() for name in names
    }
    if draw(st.integers(0, 9)) == 9:
        files[names[0]] = damaged(files[names[0]], draw(st.randoms(use_true_random=False)))
    return files
