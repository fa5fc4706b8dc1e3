"""Which methods of a class may change an attribute, as its source says, the likeliest first."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from collections.abc import Mapping

from torch import nn

# Methods that begin anew, load or move are no training.
NOT_TRAINING = frozenset(
    "__init__ load_state_dict _load_from_state_dict set_extra_state __setstate__ load to cuda cpu _apply train eval"
    " __del__ __repr__ extra_repr state_dict get_extra_state save".split()
)
LAST = ("reset", "clear", "init", "_init")
GROWING = frozenset(
    "append extend add update insert setdefault pop popleft appendleft remove discard".split()
)
Methods = Mapping[str, ast.FunctionDef]


def methods_to_run(kind: type, attribute: str) -> list[str]:
    """Return `forward` where it leads to a change, the methods that change it, their callers, those that name it."""
    methods = dict(_methods_of(kind))
    writers = {name for name, node in methods.items() if any(_writes(node, attribute))}
    leading = _leading_to(writers, methods)
    naming = {name for name, node in methods.items() if attribute in _names(node)}
    first = ["forward"] if "forward" in leading or ("forward" in naming and not writers) else []
    order = [*first, *_public_first(writers), *_public_first(leading), *_public_first(naming)]
    rest = ["forward"] if issubclass(kind, nn.Module) and "forward" in methods else []
    found = dict.fromkeys(name for name in [*order, *rest] if _can_be_run(kind, name))
    return sorted(found, key=lambda name: name.startswith(LAST))


def _can_be_run(kind: type, name: str) -> bool:
    if name in NOT_TRAINING or (name.startswith("__") and name != "__call__"):
        return False
    held = inspect.getattr_static(kind, name, None)
    return not isinstance(held, (property, staticmethod, classmethod)) and callable(getattr(kind, name, None))


def _public_first(names: set[str]) -> list[str]:
    return sorted(names, key=lambda name: (name.startswith("_"), not name.startswith("update"), name))


def _methods_of(kind: type) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield the methods of a class and of its bases that are not torch's, the nearest of a name only."""
    seen: set[str] = set()
    for base in kind.__mro__:
        if base.__module__.partition(".")[0] in ("torch", "builtins", "abc", "typing", "collections"):
            continue
        for node in _body_of(base):
            if isinstance(node, ast.FunctionDef) and node.name not in seen:
                seen.add(node.name)
                yield node.name, node


def _body_of(kind: type) -> list[ast.stmt]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return []
    node = tree.body[0] if tree.body else None
    return node.body if isinstance(node, ast.ClassDef) else []


def _writes(method: ast.FunctionDef, attribute: str) -> Iterator[bool]:
    """Yield for each statement of a method that assigns or changes `self.attribute`."""
    for node in ast.walk(method):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            flat = [
                each
                for target in targets
                for each in (target.elts if isinstance(target, ast.Tuple) else [target])
            ]
            if any(_is_attribute(each, attribute) for each in flat):
                yield True
        elif isinstance(node, ast.Call) and _changes(node, attribute):
            yield True


def _is_attribute(node: ast.expr, attribute: str) -> bool:
    """Tell whether an expression is `self.attribute`, an item of it or something in it."""
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        if isinstance(node, ast.Attribute) and node.attr == attribute and isinstance(node.value, ast.Name):
            return True
        node = node.value
    return False


def _changes(call: ast.Call, attribute: str) -> bool:
    """Tell whether a call changes it: in place, by growing it, as `out=`, or by registering it."""
    function = call.func
    if isinstance(function, ast.Attribute) and _is_attribute(function.value, attribute):
        name = function.attr
        return (name.endswith("_") and not name.endswith("__")) or name in GROWING
    if any(each.arg == "out" and _is_attribute(each.value, attribute) for each in call.keywords):
        return True
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    texts = [each.value for each in call.args if isinstance(each, ast.Constant)]
    return name in ("register_buffer", "register_parameter", "setattr", "add_module") and attribute in texts


def _leading_to(writers: set[str], methods: Methods) -> set[str]:
    """Return the methods that call a writer, directly or by others."""
    leading = set(writers)
    while True:
        more = {name for name, node in methods.items() if name not in leading and _names(node) & leading}
        if not more:
            return leading
        leading |= more


def _names(method: ast.FunctionDef) -> set[str]:
    """Return the names of the attributes of `self` that a method mentions."""
    return {
        node.attr
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
