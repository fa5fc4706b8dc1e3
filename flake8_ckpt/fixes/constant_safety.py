"""Whether a table that becomes a buffer can change what a model computes, or break code that works today."""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

from flake8_ckpt.confirm.expressions import targets_of
from flake8_ckpt.fixes.attribute_writes import WriteNode
from flake8_ckpt.fixes.attribute_writes import is_self
from flake8_ckpt.fixes.attribute_writes import plain_tensors_of
from flake8_ckpt.fixes.attribute_writes import writes_in
from flake8_ckpt.fixes.integer_values import is_integer
from flake8_ckpt.fixes.piece import ways_to
from flake8_ckpt.fixes.suggestion import Site

# A tensor that has moved to a device is no longer taken there.
HOST_USES = re.compile(r"\.(numpy|__array__|__index__|data_ptr)\b|\b(np|numpy|plt|ctypes)\.")
DTYPE = "follows .to(dtype) as well: in half precision its values are rounded"
ARGUMENT = "a caller may hand in what is no tensor, which register_buffer() refuses"


def risk_of_constant(site: Site) -> str:
    """Return in one line what may change where a constant becomes a buffer that is not saved, or nothing."""
    values = [] if site.class_def is None else _values(site.class_def, site.name)
    for write, value in values:
        if value is None or isinstance(value, cst.Name) and _is_parameter(write, value.value):
            return ARGUMENT
        if not is_integer(value, _Locals(write).value_of):
            return DTYPE
    if not values:
        return DTYPE
    return _risk_of_uses(site)


def _values(class_def: cst.ClassDef, name: str) -> list[tuple[WriteNode, cst.BaseExpression | None]]:
    """Return what any method sets an attribute to, None where that is not plain; the value None is left out."""
    writes = [(each, each.value) for each in writes_in(class_def, name)]
    return [
        (each, value) for each, value in writes if not (isinstance(value, cst.Name) and value.value == "None")
    ]


def _is_parameter(write: WriteNode, name: str) -> bool:
    function = write.function
    return isinstance(function, cst.FunctionDef) and any(
        each.name.value == name for each in (*function.params.params, *function.params.kwonly_params)
    )


class _Locals:
    """The locals of a constructor that are set once, by a plain assignment."""

    def __init__(self, write: WriteNode) -> None:
        self.write = write

    def value_of(self, name: str) -> cst.BaseExpression | None:
        """Return the value of a local, None where it has several."""
        function = self.write.function
        if not isinstance(function, cst.FunctionDef) or _is_parameter(self.write, name):
            return None
        found = [
            node
            for _, node in ways_to(function)
            if any(isinstance(each, cst.Name) and each.value == name for each in targets_of(node))
        ]
        if len(found) != 1 or not isinstance(found[0], cst.Assign) or len(found[0].targets) != 1:
            return None
        return found[0].value if isinstance(found[0].targets[0].target, cst.Name) else None


def _risk_of_uses(site: Site) -> str:
    """Return what a use of the attribute would no longer take once it has moved with the module."""
    if site.class_def is None:
        return ""
    others = plain_tensors_of(site.class_def) - {site.name}
    for path, node in ways_to(site.class_def):
        if not is_self(node, site.name) or _is_in_constructor(path):
            continue
        line = next((each for each in reversed(path) if isinstance(each, cst.BaseSmallStatement)), None)
        code = "" if line is None else site.code(line)
        if HOST_USES.search(code):
            return f"line {site.span(node).line} needs it on the host, where it no longer is once the module has moved"
        beside = next((each for each in sorted(others) if re.search(rf"\bself\.{each}\b", code)), "")
        if beside:
            return f"line {site.span(node).line} uses it with 'self.{beside}', which does not move with the module"
    return ""


def _is_in_constructor(path: Sequence[cst.CSTNode]) -> bool:
    return any(isinstance(each, cst.FunctionDef) and each.name.value == "__init__" for each in path)
