"""Why a line has no finding: what is known of it, and what is unknown and therefore not spoken of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Sequence

from flake8_ckpt.confirm.blocks import Definition
from flake8_ckpt.confirm.blocks import class_of
from flake8_ckpt.linked_project import Project
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.teacher.accounts import Case
from flake8_ckpt.teacher.accounts import excerpt
from flake8_ckpt.teacher.checkpoint_story import checkpoint_story
from flake8_ckpt.teacher.checkpoint_story import tables_with
from flake8_ckpt.teacher.class_story import class_story
from flake8_ckpt.teacher.class_story import state_of
from flake8_ckpt.teacher.class_story import unknown_bases


def silence_at(path: str, line: int, tree: ast.Module, case: Case, opt_in: Sequence[str]) -> str:
    """Return what is known of a line without findings as Markdown; `opt_in` are the hints that are off."""
    around = _around(tree, line)
    # The innermost class around a line, as if the line were a statement of its own.
    class_name = class_of((*around, tree))
    parts = [f"# Nothing is reported at {path}:{line}", excerpt(case.text, line)]
    parts += opt_in
    if is_test(path):
        parts.append("This file is a test: no CKP2 rule counts what it saves or loads.")
    parts += _of_class(case, path, class_name) if class_name else ()
    parts += _of_checkpoints(case, path, around, line)
    parts += _elsewhere(case, path, around)
    if len(parts) == 2:
        parts.append(
            "No rule looks at this line: it is in no class that could be a module, and saves or loads nothing."
        )
    return "\n\n".join(parts)


def _of_class(case: Case, path: str, class_name: str) -> Iterator[str]:
    project = case.project
    identity = f"{path}:{class_name}"
    bases = unknown_bases(project, path, class_name)
    if not project.hierarchy.is_module(identity):
        yield f"`{class_name}` is no `nn.Module` as far as the project tells, so the CKP1 rules do not look at it."
        foreign = [each for each in bases if each != "object"]
        if foreign:
            names = ", ".join(f"`{each}`" for each in foreign)
            yield (
                f"**Unknown**: {names} is not part of the project. If it is a module,"
                f" say so: `--ckpt-module-bases={foreign[0]}`"
            )
        return
    state = state_of(project, path, class_name)
    if state is None:
        yield f"`{class_name}` is a module that sets nothing, or that no program of the project uses."
        return
    yield from class_story(state, case.findings)


def _of_checkpoints(case: Case, path: str, around: Sequence[ast.stmt], line: int) -> Iterator[str]:
    function = next((each for each in reversed(around) if not isinstance(each, ast.ClassDef)), None)
    first, last = (function.lineno, function.end_lineno or line) if function is not None else (line, line)
    tables = tables_with(case.tables, {(path, number) for number in range(first, last + 1)})
    for table in tables:
        yield from checkpoint_story(table)
    if not tables:
        yield from _unpaired(case.project, path, first, last)


def _elsewhere(case: Case, path: str, around: Sequence[ast.stmt]) -> Iterator[str]:
    """Yield what is reported in the outermost class or function around the line."""
    if not around:
        return
    inside = [each for each in case.findings if _holds(around[0], each.position.line)]
    if inside:
        lines = [f"- {path}:{each.position.line}: {each.code} {each.message}" for each in inside]
        yield "\n".join(["**Reported near by**:", "", *lines])


def _unpaired(project: Project, path: str, first: int, last: int) -> Iterator[str]:
    """Yield what saves and loads there are between two lines, of which the other end is not known."""
    saves, loads = project.groups.final
    for each in saves:
        if each.save_call.path == path and first <= each.save_call.position.line <= last:
            number = each.save_call.position.line
            yield f"**Unknown**: the save in line {number} belongs to no load of the project that is known."
    found = {each.location.position.line for each in loads if each.location.path == path}
    for number in sorted(found):
        if first <= number <= last:
            yield f"**Unknown**: what is loaded in line {number} belongs to no save of the project that is known."


def _around(tree: ast.Module, line: int) -> list[ast.stmt]:
    """Return the classes and functions around a line, the outermost first."""
    found: list[ast.stmt] = []
    block: Sequence[ast.AST] = tree.body
    while block:
        inner = next((each for each in block if isinstance(each, ast.stmt) and _holds(each, line)), None)
        if inner is None:
            break
        if isinstance(inner, Definition):
            found.append(inner)
        block = [each for each in ast.iter_child_nodes(inner)]
    return found


def _holds(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)
