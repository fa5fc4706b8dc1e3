"""Answer the questions about one class: import its file, make it in each way that works, and try."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flake8_ckpt.runtime.prove.construction import NotBuilt
from flake8_ckpt.runtime.prove.construction import Recipe
from flake8_ckpt.runtime.prove.construction import recipes
from flake8_ckpt.runtime.prove.exercise import Unchanged
from flake8_ckpt.runtime.prove.pairs import Undecided
from flake8_ckpt.runtime.prove.ran_lines import ran_lines
from flake8_ckpt.runtime.prove.records import Answer
from flake8_ckpt.runtime.prove.records import Question
from flake8_ckpt.runtime.prove.records import Request
from flake8_ckpt.runtime.prove.source_file import NotImported
from flake8_ckpt.runtime.prove.source_file import SourceFile
from flake8_ckpt.runtime.prove.source_file import import_file
from flake8_ckpt.runtime.prove.source_file import import_more
from flake8_ckpt.runtime.prove.trial import Trial
from flake8_ckpt.runtime.prove.trial import answer

MOST_RECIPES = 6
MOVES = "where .to() gives a new tensor, as on another device: here copies stood for that"


def answers(request: Request, deadline: float) -> Iterator[Answer]:
    """Yield the answers in the order of the questions."""
    try:
        module, source = import_file(Path(request.root), Path(request.path), request.text)
    except (NotImported, SyntaxError) as error:
        yield from (Answer("not built", str(error)) for _ in request.questions)
        return
    try:
        kind = _class_in(vars(module), request.class_name)
    except LookupError as error:
        reason = f"{error}: {'; '.join(source.skipped[-2:])}" if source.skipped else str(error)
        yield from (Answer("not built", reason) for _ in request.questions)
        return
    notes = [f"stand-ins for {', '.join(sorted(source.stand_ins.names))}"] if source.stand_ins.names else []
    notes += [f"left out {each}" for each in source.skipped[:3]]
    for question in request.questions:
        found = _first(question, _kinds(kind, request, source), request, deadline)
        yield replace(found, notes=(*found.notes, *notes))


def _class_in(names: Mapping[str, Any], path: str) -> type:
    """Return a class by its name, which may lead through other classes."""
    value: Any = None
    for part in path.split("."):
        value = names.get(part) if value is None else getattr(value, part, None)
        if value is None:
            raise LookupError(f"the file has no class {path} once it is imported")
    if not isinstance(value, type):
        raise LookupError(f"{path} is no class once it is imported")
    return value


def _kinds(kind: type, request: Request, source: SourceFile) -> Iterator[tuple[type, Mapping[str, Any]]]:
    """Yield the class where it can be made, then those that derive from it, each with the names of its file."""
    if not inspect.isabstract(kind) or not request.heirs:
        yield kind, vars(sys.modules[source.name])
    for path, name in request.heirs:
        try:
            module = import_more(Path(request.root), Path(path), source)
            yield _class_in(vars(module), name), vars(module)
        except (NotImported, LookupError):
            continue


def _first(
    question: Question, kinds: Iterator[tuple[type, Mapping[str, Any]]], request: Request, deadline: float
) -> Answer:
    """Return the answer of the first class that gives one, or why the first could not."""
    failed: list[Answer] = []
    for kind, names in kinds:
        try:
            found = _one(question, kind, names, request, deadline)
        except NotBuilt as error:
            found = Answer("not built", str(error))
        if found.verdict != "not built":
            return found
        failed.append(found)
    return failed[0] if failed else Answer("not built", "it is abstract, and no class derives from it")


def _one(
    question: Question, kind: type, module: Mapping[str, Any], request: Request, deadline: float
) -> Answer:
    """Return what the ways to make the object say: proven by one, else refuted by one, else why none says so."""
    refuted: Answer | None = None
    failed: Answer | None = None
    for number, (recipe, _) in enumerate(recipes(kind, request.calls, module)):
        if number == MOST_RECIPES or time.monotonic() > deadline:
            break
        for moves in (request.moves,) if request.is_fixed or not _may_move(kind) else (False, True):
            found = _tried(question, replace(recipe, moves=moves), request, deadline)
            if found.verdict == "proven" or (found.verdict == "refuted" and request.is_fixed):
                return found
            refuted = refuted or (found if found.verdict == "refuted" else None)
            failed = failed or found
    return refuted or failed or Answer("not built", "no answer in time")


def _may_move(kind: type) -> bool:
    """Tell whether the class itself moves tensors when it is made."""
    try:
        text = inspect.getsource(kind)
    except (OSError, TypeError):
        return False
    return ".to(" in text or ".cuda(" in text


def _tried(question: Question, recipe: Recipe, request: Request, deadline: float) -> Answer:
    """Return the answer of one way to make the object; what did not run is not refuted."""
    try:
        with ran_lines(request.path) as lines:
            found = answer(question, Trial(recipe, deadline, request.state, request.is_fixed))
    except (Unchanged, Undecided) as error:
        return Answer("not built", str(error), str(recipe))
    except Exception as error:
        return Answer("not built", f"{type(error).__name__}: {' '.join(str(error).split())}", str(recipe))
    place = set(range(question.line, question.end_line + 1))
    if found.verdict == "refuted" and question.line and not request.is_fixed and lines.isdisjoint(place):
        return Answer("not built", f"line {question.line} did not run with these arguments", str(recipe))
    notes = (*found.notes, MOVES) if recipe.moves else found.notes
    return replace(found, arguments=dict(recipe.arguments), moves=recipe.moves, notes=notes)
