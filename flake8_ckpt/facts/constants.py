"""The strings that a module and its classes give names to: keys and file names that are written once."""

from __future__ import annotations

import ast
import re
from collections import ChainMap
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.key_text import ANY
from flake8_ckpt.facts.key_text import is_computed
from flake8_ckpt.facts.key_text import put_together
from flake8_ckpt.facts.syntax import given_to
from flake8_ckpt.facts.syntax import is_text
from flake8_ckpt.source.tree import dotted
from flake8_ckpt.source.tree import statements

# Words of a file that may name a string: without one, nothing of it is looked at.
NAMED = re.compile(r"""^[ \t]*\w+[ \t]*(?::[^=\n]+)?=[ \t]*(?:[frbuFRBU]?["'(]|\w+[(+ ]|\{)""", re.MULTILINE)
# An attribute that some object is given is no constant of its class.
SET = re.compile(r"\.(\w+)[ \t]*(?::[^=\n]+)?=(?!=)")
# A key or a file name; longer strings are texts. A file of translations or messages keeps the first of them.
MAX_TEXT = 64
MAX_CONSTANTS = 256
# Sums of strings within sums.
MAX_DEPTH = 8
NAMESPACES = frozenset(
    ["SimpleNamespace", "types.SimpleNamespace", "dict", "Namespace", "argparse.Namespace"]
)


def constants_of(
    tree: ast.Module, classes: Iterable[tuple[str, ast.ClassDef]], text: str
) -> Mapping[str, str]:
    """Return the strings that module variables and class attributes are bound to once, by dotted name."""
    if NAMED.search(text) is None:
        return {}
    found = _named(tree.body, {})
    given: frozenset[str] | None = None
    owned = {}
    for name, node in classes:
        held = _named(node.body, found)
        if held and given is None:
            given = frozenset(SET.findall(text))
        held = {key: each for key, each in held.items() if key not in (given or ())}
        if len(found) + len(held) <= MAX_CONSTANTS:
            owned[name] = held
            found.update((f"{name}.{key}", each) for key, each in held.items())
    for name, value in _bindings(tree.body) if owned else ():
        owner = dotted(value.func) if isinstance(value, ast.Call) and not given_to(value) else ""
        found.update((f"{name}.{key}", each) for key, each in owned.get(owner, {}).items())
    return found


def _named(body: list[ast.stmt], outer: dict[str, str]) -> dict[str, str]:
    """Return what the assignments of a block name, in order; a name that is bound twice is no constant."""
    found: dict[str, str] = {}
    bound = list(_bindings(body))
    counts = Counter(name for name, _ in bound)
    for name, value in bound:
        for part, each in _named_in(value) if counts[name] == 1 else ():
            text = _text(each, ChainMap(found, outer), 0)
            if text and not is_computed(text) and len(text) <= MAX_TEXT and is_text(text):
                found[f"{name}{part}"] = text
        if len(found) >= MAX_CONSTANTS:
            break
    return found


def _bindings(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in statements(body):
        if isinstance(node, ast.Assign):
            yield from ((each.id, node.value) for each in node.targets if isinstance(each, ast.Name))
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and isinstance(node.target, ast.Name):
            if node.value is not None:
                yield node.target.id, node.value


def _named_in(value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield a value, or what stands under the names of a dict or a namespace: `.net` for `dict(net="net")`."""
    if isinstance(value, ast.Dict):
        for key, each in zip(value.keys, value.values):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield f".{key.value}", each
    elif isinstance(value, ast.Call) and dotted(value.func) in NAMESPACES:
        yield from ((f".{each.arg}", each.value) for each in value.keywords if each.arg is not None)
    else:
        yield "", value


def _text(node: ast.expr, found: Mapping[str, str], depth: int) -> str:
    """Return the string that an expression of constants is, "" or one with a `*` where it is none."""
    if depth > MAX_DEPTH:
        return ANY
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ANY
    if isinstance(node, ast.JoinedStr):
        return put_together(_text(each, found, depth + 1) for each in node.values)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, found, depth + 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return put_together((_text(node.left, found, depth + 1), _text(node.right, found, depth + 1)))
    return found.get(dotted(node), ANY)


def class_attributes(node: ast.ClassDef) -> Iterator[tuple[str, v.Value]]:
    """Yield what the attributes of a class begin with."""
    for each in statements(node.body):
        if isinstance(each, ast.Assign):
            value = _flag(each.value)
            yield from ((target.id, value) for target in each.targets if isinstance(target, ast.Name))
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            yield each.target.id, v.NUMBER if _is_number(each.value) else _flag(each.value)


def _is_number(node: ast.expr | None) -> bool:
    """Tell whether the field of a dataclass begins as a number."""
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _flag(node: ast.expr | None) -> v.Value:
    if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool)):
        return v.Const(node.value)
    return v.UNKNOWN
