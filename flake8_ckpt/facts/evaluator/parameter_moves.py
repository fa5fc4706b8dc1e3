"""Moves of a Parameter to where it lies: they give the Parameter itself, any other move gives a plain tensor."""

from __future__ import annotations

import ast

from flake8_ckpt.facts.syntax import given_to


def lies_there(move: ast.Attribute, call: ast.Call) -> bool:
    """Tell whether a Parameter is moved to where its tensor was put: `nn.Parameter(x.to(d)).to(d)`."""
    given = given_to(move.value) if isinstance(move.value, ast.Call) else []
    inner = given[0] if given else None
    if not isinstance(inner, ast.Call):
        return False
    there = [ast.dump(each) for each in given_to(call)]
    placed = [ast.dump(each.value) for each in inner.keywords if each.arg == "device"]
    if there and placed == there:
        return True
    if not isinstance(inner.func, ast.Attribute) or inner.func.attr != move.attr:
        return False
    return [ast.dump(each) for each in given_to(inner)] == there
