"""Small questions to expressions: which attribute of `self` one is, which pattern a name has."""

from __future__ import annotations

import libcst as cst

from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value


def self_attribute(node: cst.BaseExpression) -> str | None:
    """Return x where a node is `self.x`."""
    if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value == "self":
        return node.attr.value
    return None


def pattern_of(value: Value) -> str:
    """Return a name that a value spells, with `*` for what is computed.

    "$p" where it is the parameter p, "*" where nothing is known.
    """
    if isinstance(value, Const) and isinstance(value.value, str):
        return value.value
    if isinstance(value, Param):
        return f"${value.name}"
    if isinstance(value, Arith):
        parts = (
            part.value if isinstance(part, Const) and isinstance(part.value, str) else "*"
            for part in value.operands
        )
        return "".join(parts)
    return "*"
