"""Find and remove the arguments of a call."""

from __future__ import annotations

import libcst as cst

from flake8_ckpt.confirm.expressions import last_name
from flake8_ckpt.findings import Edit
from flake8_ckpt.findings import Position
from flake8_ckpt.fixes.piece import ways_to
from flake8_ckpt.fixes.suggestion import Site


def call_in(statement: cst.CSTNode, *names: str) -> cst.Call | None:
    """Return the first call of one of these names in a statement."""
    calls = (node for _, node in ways_to(statement) if isinstance(node, cst.Call))
    return next((each for each in calls if last_name(each.func) in names), None)


def argument(call: cst.Call, keyword: str, index: int = -1) -> cst.Arg | None:
    """Return an argument by its keyword, or by its place among those without one."""
    for place, each in enumerate(call.args):
        if each.star:
            return None
        if each.keyword is not None and each.keyword.value == keyword:
            return each
        if each.keyword is None and place == index:
            return each
    return None


def without(site: Site, call: cst.Call, given: cst.Arg) -> Edit:
    """Return the edit that takes an argument out of a call, with the comma before it or, for the first, after it."""
    place = next(index for index, each in enumerate(call.args) if each is given)
    if place:
        start, end = site.span(call.args[place - 1].value), site.span(given.value)
        return Edit(Position(start.end_line, start.end_col, end.end_line, end.end_col), "")
    start = site.span(given)
    if len(call.args) == 1:
        end = site.span(given.value)
        return Edit(Position(start.line, start.col, end.end_line, end.end_col), "")
    end = site.span(call.args[1])
    return Edit(Position(start.line, start.col, end.line, end.col), "")
