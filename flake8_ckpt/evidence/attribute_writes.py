"""How the code writes and reads attributes: from their own old value, anew, by an index, by a constant."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from typing import Literal
from typing import Optional
from typing import Union

How = Literal["carried", "fresh", "constant", "item", "append"]
Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
GROWING = frozenset(["append", "appendleft", "extend", "extendleft", "insert", "add"])
OVERWRITING = frozenset(["copy_", "fill_", "zero_", "set_"])
CONTAINER_VIEWS = frozenset(["values", "items", "get", "setdefault"])
CONSTANT_CALLS = frozenset(
    "zeros ones full empty zeros_like ones_like deque dict list set tuple float int".split()
)


@dataclass(frozen=True)
class Write:
    """A statement that sets or changes what a dotted name such as `self.mean` stands for."""

    target: str
    how: How
    function: str
    line: int


@dataclass
class FunctionUses:
    """What one function writes, reads and calls, by dotted name."""

    name: str
    line: int
    writes: list[Write] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)


def dotted(node: ast.AST) -> Optional[str]:
    """Return `self.rms.mean` for what is written so, and None for all else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def uses_of(function: Function, reads_of: dict[str, set[str]]) -> FunctionUses:
    """Return what a function does; `reads_of` says what the methods read that it may call on itself."""
    return uses_in(function.name, function.lineno, function.body, reads_of)


def uses_in(name: str, line: int, body: list[ast.stmt], reads_of: dict[str, set[str]]) -> FunctionUses:
    """Return what statements do; see `uses_of`."""
    reader = _Reader(FunctionUses(name, line), reads_of)
    reader.block(body, frozenset())
    return reader.uses


class _Reader:
    """Walks the statements of one function in order, and remembers what its locals come from."""

    def __init__(self, uses: FunctionUses, reads_of: dict[str, set[str]]) -> None:
        self.uses = uses
        self.reads_of = reads_of
        self.sources: dict[str, set[str]] = defaultdict(set)
        self.aliases: dict[str, set[str]] = defaultdict(set)

    def block(self, statements: list[ast.stmt], asked: frozenset[str]) -> None:
        """Read statements; `asked` are the names that the conditions around them mention."""
        for statement in statements:
            self.statement(statement, asked)

    def statement(self, node: ast.stmt, asked: frozenset[str]) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self.block(node.body, asked)
            return
        if isinstance(node, ast.ClassDef):
            return
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self.assign(target, node.value, asked)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self.assign(node.target, node.value, asked)
        elif isinstance(node, ast.AugAssign):
            self.augment(node)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self.loop(node.target, node.iter)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            self._read(*(item.context_expr for item in node.items))
        elif isinstance(node, (ast.If, ast.While)):
            asked = asked | self._compared(node.test)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child)
        for name in ("body", "orelse", "finalbody"):
            self.block(getattr(node, name, []), asked)
        for handler in getattr(node, "handlers", []):
            self.block(handler.body, asked)
        for case in getattr(node, "cases", []):
            self.block(case.body, asked)

    def assign(self, target: ast.expr, value: ast.expr, asked: frozenset[str]) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            same = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
            for index, part in enumerate(target.elts):
                self.assign(part, value.elts[index] if same else value, asked)  # type: ignore[attr-defined]
            return
        if isinstance(target, ast.Name):
            self.sources[target.id] = self._mentions(value)
            self.aliases[target.id] = self._roots(value)
        for name in self._roots(target) if not isinstance(target, ast.Name) else ():
            self._write(name, self._how(target, value, name, asked), target)

    def _how(self, target: ast.expr, value: ast.expr, name: str, asked: frozenset[str]) -> How:
        if name in self._mentions(value) or name in asked:
            return "carried"
        if _is_item(target):
            return "item"
        return "constant" if _is_constant(value) else "fresh"

    def augment(self, node: ast.AugAssign) -> None:
        for name in self._roots(node.target):
            self._write(name, "carried", node)

    def loop(self, target: ast.expr, iterated: ast.expr) -> None:
        mentioned, roots = self._mentions(iterated), self._roots(iterated)
        for each in ast.walk(target):
            if isinstance(each, ast.Name):
                self.sources[each.id] = set(mentioned)
                self.aliases[each.id] = set(roots)

    def expression(self, node: ast.expr) -> None:
        """Note what an expression reads, calls and changes in place."""
        self._read(node)
        for each in ast.walk(node):
            if isinstance(each, ast.Call):
                self._call(each)

    def _call(self, node: ast.Call) -> None:
        name = dotted(node.func)
        if name:
            self.uses.calls.add(name)
        if name == "self.register_buffer" and node.args and isinstance(node.args[0], ast.Constant):
            self._write(f"self.{node.args[0].value!s}", "constant", node)
        for keyword in node.keywords:
            if keyword.arg == "out":
                for root in self._roots(keyword.value):
                    self._write(root, "carried", node)
        if not isinstance(node.func, ast.Attribute):
            return
        method = node.func.attr
        for root in self._roots(node.func.value):
            if method in GROWING:
                self._write(root, "append", node)
            elif method.endswith("_") and not method.startswith("_"):
                given = set().union(*(self._mentions(each) for each in node.args)) if node.args else set()
                is_new = method in OVERWRITING and root not in given
                self._write(
                    root,
                    "fresh" if is_new and method == "copy_" else "constant" if is_new else "carried",
                    node,
                )

    def _read(self, *nodes: ast.expr) -> None:
        for node in nodes:
            for each in ast.walk(node):
                if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Load):
                    name = dotted(each)
                    if name:
                        self.uses.reads.add(name)

    def _write(self, name: str, how: How, node: ast.AST) -> None:
        if "." in name:
            self.uses.writes.append(Write(name, how, self.uses.name, getattr(node, "lineno", 0)))

    def _mentions(self, node: ast.expr) -> set[str]:
        """Return the dotted names that a value may depend on."""
        found: set[str] = set()
        for each in ast.walk(node):
            if isinstance(each, ast.Name):
                found |= self.sources.get(each.id, set())
            elif isinstance(each, ast.Attribute):
                name = dotted(each)
                found |= {name} if name else set()
            if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
                if isinstance(each.func.value, ast.Name) and each.func.value.id == "self":
                    found |= self.reads_of.get(each.func.attr, set())
        return found

    def _compared(self, test: ast.expr) -> frozenset[str]:
        """Return what a condition compares by size: `if loss < self.best` guards `self.best = loss`."""
        found: set[str] = set()
        for each in ast.walk(test):
            if isinstance(each, ast.Compare) and any(
                isinstance(op, (ast.Lt, ast.Gt, ast.LtE, ast.GtE)) for op in each.ops
            ):
                found |= self._mentions(each)
        return frozenset(found)

    def _roots(self, node: ast.expr) -> set[str]:
        """Return what is changed when this is changed in place: `self.shadow` for `self.shadow[name].data`."""
        while True:
            if isinstance(node, ast.Subscript):
                node = node.value
            elif isinstance(node, ast.Attribute) and node.attr == "data" and not _is_self(node.value):
                node = node.value
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in CONTAINER_VIEWS
            ):
                node = node.func.value
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("zip", "enumerate")
            ):
                return set().union(*(self._roots(each) for each in node.args)) if node.args else set()
            else:
                break
        if isinstance(node, ast.Name):
            return set(self.aliases.get(node.id, set()))
        name = dotted(node)
        return {name} if name else set()


def _is_self(node: ast.expr) -> bool:
    """Tell whether this is the object itself: `self.data` is an attribute of its own."""
    return isinstance(node, ast.Name) and node.id == "self"


def _is_item(target: ast.expr) -> bool:
    """Tell whether one item is set; `self.mean[:] = ...` sets all."""
    if not isinstance(target, ast.Subscript):
        return False
    index = target.slice
    return not (isinstance(index, ast.Slice) and index.lower is None and index.upper is None)


def _is_constant(value: ast.expr) -> bool:
    if isinstance(value, ast.UnaryOp):
        return _is_constant(value.operand)
    if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
        return all(_is_constant(each) for each in value.elts)
    if isinstance(value, ast.Dict):
        return not value.keys
    if isinstance(value, ast.Call):
        return _called(value) in CONSTANT_CALLS
    return isinstance(value, ast.Constant) or dotted(value) in (
        "math.inf",
        "np.inf",
        "torch.inf",
        "numpy.inf",
    )


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def functions_in(tree: ast.AST) -> Iterator[Function]:
    """Yield the functions that stand directly in a class or module body, under conditions too."""
    for node in getattr(tree, "body", []):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            yield from functions_in(node)
