"""What the statements of a method set: attributes of `self`, and locals."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Optional

from flake8_ckpt.source.harmless import Bindings

# An attribute of `self` that is set, its new value, and whether the old one goes into it.
Write = tuple[str, Optional[ast.expr], bool]


def self_writes(body: Iterable[ast.stmt], is_constructor: bool) -> Iterator[Write]:
    """Yield the attributes of `self` that some statements set; a constructor changes nothing that was there."""
    for node in body:
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
            targets = [node.target]
        else:
            continue
        change = isinstance(node, ast.AugAssign) and not is_constructor
        for target in targets:
            if not isinstance(target, ast.Name):
                for attr in _attributes(target):
                    yield attr, node.value, change


def _attributes(target: ast.expr) -> Iterator[str]:
    """Yield the attributes of `self` that an assignment to a target sets or fills."""
    targets = [target]
    while targets:
        each = targets.pop()
        if isinstance(each, ast.Attribute):
            if isinstance(each.value, ast.Name) and each.value.id == "self":
                yield each.attr
        elif isinstance(each, (ast.Tuple, ast.List)):
            targets.extend(reversed(each.elts))
        elif isinstance(each, (ast.Starred, ast.Subscript)):
            targets.append(each.value)


def local_values(body: Iterable[ast.stmt]) -> dict[str, list[ast.expr]]:
    """Return the expressions that are bound to each local, and what loops take its values from."""
    bound: dict[str, list[ast.expr]] = {}
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name in _names_in(target):
                    if isinstance(name.ctx, ast.Store):
                        bound.setdefault(name.id, []).append(node.value)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
            if isinstance(node.target, ast.Name) and node.value:
                bound.setdefault(node.target.id, []).append(node.value)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            for name in _names_in(node.target):
                bound.setdefault(name.id, []).append(node.iter)
    return bound


def _names_in(node: ast.expr) -> Iterable[ast.Name]:
    if isinstance(node, ast.Name):
        return (node,)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return (node.value,)
    return (each for each in ast.walk(node) if isinstance(each, ast.Name))


def called_in(value: ast.expr) -> Iterator[str]:
    """Yield the names of the functions and of the object's own methods that an expression calls."""
    for node in ast.walk(value):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                owner = node.func.value.id
                if owner in ("self", "cls") or owner[:1].isupper():
                    yield node.func.attr


def called_by_locals(value: ast.expr, names: Bindings) -> Iterator[str]:
    """Yield what the expressions call that were bound to the locals of an expression."""
    for node in ast.walk(value):
        if isinstance(node, ast.Name):
            for bound in names.locals.get(node.id, ()):
                yield from called_in(bound)
