"""Which functions of a file lead to those that save or load, and which of them its program runs.

A function is not told by its own text alone: `main()` may say no more than `run(Agent(), parse())`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

from flake8_ckpt.source.signals import Signals
from flake8_ckpt.source.signals import links
from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import is_main

# What a text calls: `run(`, `.fit(`; read only in what the program is known to run.
CALLED = re.compile(r"\.?\w+\(?")
# A program in whose file none of these words stands has nothing to do with checkpoints.
SPOKEN = re.compile(r"\b_?(?:ckpt|checkpoint|resum|restor|sav(?:e|ing)|load(?!er))", re.I)
# Calls on the way to a file that are followed, as when the summaries of functions are put together.
MAX_STEPS = 5
# Names that save or load, whose callers are looked for; only a program writes a file with more.
MAX_NAMES = 256


@dataclass(frozen=True)
class Body:
    """A function with its text, its class ("" for none), and the name that calls it: `Agent` for its constructor."""

    node: Function
    text: str
    owner: str = ""

    @property
    def name(self) -> str:
        """Return the name that a call of it has."""
        return self.owner if self.node.name == "__init__" and self.owner else self.node.name


def on_the_way(bodies: Iterable[Body], tree: ast.Module, text: str, signals: Signals) -> frozenset[int]:
    """Return the ids of the functions that lead to one that saves or loads, or that the program itself runs."""
    found = list(bodies)
    saving = [each for each in found if signals.saves(each.text)]
    reached = _callers(found, saving) if saving else set()
    mains = [node for node in tree.body if isinstance(node, ast.If) and is_main(node.test)]
    if mains and (saving or SPOKEN.search(text) or any(links(each.text) for each in found)):
        reached |= _run_by(mains, found, text.split("\n"))
    return frozenset(reached)


def _callers(found: list[Body], seeds: list[Body]) -> set[int]:
    """Return the functions that call some others by their names, through others too."""
    reached = {id(each.node) for each in seeds}
    names = {each.name for each in seeds}
    seen: set[str] = set()
    for _ in range(MAX_STEPS):
        fresh = sorted(names - seen)[: MAX_NAMES - len(seen)]
        seen.update(fresh)
        callers = [each for each in found if id(each.node) not in reached and _calls(each.text, fresh)]
        names = {each.name for each in callers}
        reached.update(id(each.node) for each in callers)
    return reached


def _calls(text: str, names: list[str]) -> bool:
    """Tell whether a text calls one of some names, or hands it to what may call it: `partial(save, path)`."""
    for name in names:
        start = text.find(name)
        while start >= 0:
            end = start + len(name)
            before = text[start - 1 : start]
            whole = not (before.isalnum() or before == "_") and text[end : end + 1] in ("(", ",", ")")
            if whole and text[start - 4 : start] != "def ":
                return True
            start = text.find(name, end)
    return False


def _run_by(mains: list[ast.If], found: list[Body], lines: list[str]) -> set[int]:
    """Return the functions that run when the file is the program: methods only of classes that it makes."""
    called: set[str] = set()
    for main in mains:
        called.update(CALLED.findall("\n".join(lines[main.lineno - 1 : main.end_lineno])))
    reached: set[int] = set()
    for _ in range(MAX_STEPS):
        fresh = [each for each in found if id(each.node) not in reached and _is_run(each, called)]
        reached.update(id(each.node) for each in fresh)
        for each in fresh:
            called.update(CALLED.findall(each.text))
    return reached


def _is_run(body: Body, called: set[str]) -> bool:
    if f"{body.name}(" in called and (not body.owner or body.name == body.owner):
        return True
    return bool(body.owner) and f".{body.name}(" in called and f"{body.owner}(" in called
