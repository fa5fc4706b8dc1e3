"""What the statements of a body bind to names: locals and attributes of the object, in loops or outside of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.source.tree import BLOCKS

LOOPS = (ast.For, ast.AsyncFor, ast.While)


@dataclass(frozen=True)
class Binding:
    """A name is bound by a statement: to a value, None where that is not one expression."""

    statement: ast.stmt
    value: ast.expr | None
    in_loop: bool


def bindings_in(body: Sequence[ast.stmt], in_loop: bool) -> Iterator[tuple[str, Binding]]:
    """Yield what the statements of a body bind, and those in their blocks."""
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _bound(target, node.value, node, in_loop)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
            value = node.value if isinstance(node, ast.AnnAssign) else None
            yield from _bound(node.target, value, node, in_loop)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            yield from _bound(node.target, None, node, True)
        for name in BLOCKS.get(type(node), ()):
            for block in _inner(getattr(node, name), name):
                yield from bindings_in(block, in_loop or isinstance(node, LOOPS))


def _inner(block: list[ast.stmt], name: str) -> list[list[ast.stmt]]:
    return [each.body for each in block] if name in ("handlers", "cases") else [block]  # type: ignore[attr-defined]


def _bound(
    target: ast.expr, value: ast.expr | None, node: ast.stmt, in_loop: bool
) -> Iterator[tuple[str, Binding]]:
    if isinstance(target, (ast.Tuple, ast.List)):
        values = value.elts if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts) else None
        for index, each in enumerate(target.elts):
            yield from _bound(each, values[index] if values else None, node, in_loop)
    elif name_of(target):
        yield name_of(target), Binding(node, value, in_loop)


def name_of(node: ast.expr) -> str:
    """Return x for a local and `self.x` for an attribute of the object."""
    attr = self_attribute(node)
    return f"self.{attr}" if attr is not None else node.id if isinstance(node, ast.Name) else ""
