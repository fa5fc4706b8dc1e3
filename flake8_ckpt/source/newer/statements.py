"""Newer statements in older grammar: type parameters, `type`, `except`, `lazy import`, and stars."""

from __future__ import annotations

import re
import sys
from typing import Union

import libcst as cst

from flake8_ckpt.source.newer.draft import Draft

LAZY = re.compile(r"lazy[ \t]+(import|from)\b")
LAST_SPACED_COMMA = re.compile(r",[ \t](?=[^,]*$)")
Comprehension = Union[cst.ListComp, cst.SetComp, cst.GeneratorExp]


def drop_type_parameters(node: cst.FunctionDef | cst.ClassDef, draft: Draft) -> None:
    """Write spaces for `[T]`; with line breaks in them, the parentheses that follow begin here already."""
    if node.type_parameters is None:
        return
    start, end = draft.span(node.type_parameters)
    is_broken = "\n" in draft.read(start, end)
    draft.blank(start, end)
    if not is_broken:
        return
    draft.write(start, "(")
    if isinstance(node, cst.ClassDef) and not isinstance(node.lpar, cst.LeftParen):
        draft.write(end - 1, ")")
    else:
        draft.write(draft.find("(", end), " ")


def write_alias_as_assignment(node: cst.TypeAlias, draft: Draft) -> None:
    """Write `X = v` for `type X = v`, and `(X) = v` for `type X[T] = v`, where lines may break within."""
    start, _ = draft.span(node)
    name_start, end = draft.span(node.name)
    name = draft.read(name_start, end)
    if node.type_parameters is None:
        draft.blank(start, end)
        draft.write(start, name)
        return
    _, end = draft.span(node.type_parameters)
    draft.blank(start, end)
    draft.write(start, "(")
    draft.write(name_start, name)
    draft.write(end - 1, ")")


def wrap_caught_types(node: cst.ExceptHandler | cst.ExceptStarHandler, draft: Draft) -> None:
    """Write `except(A,B):` for `except A, B:`; the last comma gives its space for the second parenthesis."""
    if not isinstance(node.type, cst.Tuple) or node.type.lpar:
        return
    start, end = draft.span(node.type)
    squeezed, count = LAST_SPACED_COMMA.subn(",", draft.read(start, end))
    if count and draft.read(start - 1, start).isspace():
        draft.write(start - 1, f"({squeezed})")


def drop_exception_group(node: cst.ExceptStarHandler, draft: Draft) -> None:
    """Write `except` for `except*`, where this Python has none; and wrap what it catches."""
    if sys.version_info < (3, 11):
        draft.write(draft.find("*", draft.span(node)[0]), " ")
    wrap_caught_types(node, draft)


def drop_lazy(node: cst.LazyImport | cst.LazyImportFrom, draft: Draft) -> None:
    """Let an import begin where the word `lazy` stands."""
    start, end = draft.span(node)
    words = LAZY.match(draft.read(start, end))
    if words is not None:
        draft.write(start, words[1].ljust(len(words[0])))


def drop_star_of_element(node: Comprehension, draft: Draft) -> None:
    """Write `[x for x in y]` for `[*x for x in y]`."""
    if isinstance(node.elt, cst.StarredElement):
        draft.write(draft.span(node.elt)[0], " ")


def write_key_for_stars(node: cst.StarredDictComp, draft: Draft) -> None:
    """Write a key that is not known for the stars of `{**x for x in y}`."""
    start = draft.find("*", draft.span(node)[0])
    draft.write(start, "_:")


def drop_star_of_index(node: cst.Index, draft: Draft) -> None:
    """Write `x[a]` for `x[*a]`, where this Python cannot unpack there."""
    if node.star and sys.version_info < (3, 11):
        draft.write(draft.span(node)[0], " ")


def drop_star_of_annotation(node: cst.Annotation, draft: Draft) -> None:
    """Write `*args: A` for `*args: *A`, where this Python cannot unpack there."""
    if isinstance(node.annotation, cst.StarredElement) and sys.version_info < (3, 11):
        draft.write(draft.span(node.annotation)[0], " ")
