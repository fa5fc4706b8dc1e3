"""Small semantic edits of a file: a condition turned round, a guard left out, a word taken from a table.

Every edit replaces the text of one node of the syntax tree. What only readers or type checkers see is left
alone: docstrings, prose, annotations, decorators, and f-strings, whose parts have no place of their own.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

Edits = Iterator[ast.AST]
Parent = ast.AST

FLIPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
# Turned round by their flip already.
EXACT = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Is, ast.IsNot)
QUANTIFIERS = {"any": "all", "all": "any"}
EXITS = (ast.Return, ast.Continue, ast.Break, ast.Raise)
DISPLAYS = (ast.Tuple, ast.List, ast.Set)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
GENERICS = frozenset(["dict", "frozenset", "list", "set", "tuple", "type"])
# Their arguments are types, or names of types.
TYPING = frozenset(["NewType", "TypeVar", "cast"])


@dataclass(frozen=True)
class Mutant:
    """One edit of a file: the bytes from `start` to `end` become `text`; `scope` is the function or table around."""

    path: str
    scope: str
    operator: str
    line: int
    last_line: int
    start: int
    end: int
    text: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return what tells it from the others of its file when lines move."""
        return self.path, self.scope, self.operator, self.text

    def applied(self, source: bytes) -> bytes:
        """Return the file with the edit."""
        return source[: self.start] + self.text.encode() + source[self.end :]

    def diff(self, source: bytes) -> tuple[str, str]:
        """Return the lines that it edits, before and after, each as one line."""
        first = source.rfind(b"\n", 0, self.start) + 1
        last = (source + b"\n").find(b"\n", self.end)
        before, after = (
            source[first:last],
            source[first : self.start] + self.text.encode() + source[self.end : last],
        )
        return " ".join(before.decode().split()), " ".join(after.decode().split())


def mutants_of(path: str, source: bytes) -> list[Mutant]:
    """Return the mutants of a file, in the order of their lines."""
    tree = ast.parse(source)
    starts = [0, *accumulate(len(line) for line in source.splitlines(keepends=True))]
    found: dict[tuple[int, int, str], Mutant] = {}
    for node, parent, scope in _walk(tree, tree, "module"):
        for operator, edit in OPERATORS.items():
            for new in edit(node, parent):
                mutant = _mutant(path, scope, operator, node, new, starts)
                found.setdefault((mutant.start, mutant.end, mutant.text), mutant)
    return sorted(found.values(), key=lambda each: (each.line, each.start))


def is_other_program(mutant: Mutant, source: bytes) -> bool:
    """Tell whether a mutant is valid Python, and says something else."""
    try:
        return ast.dump(ast.parse(mutant.applied(source))) != ast.dump(ast.parse(source))
    except SyntaxError:
        return False


def _mutant(
    path: str, scope: str, operator: str, node: ast.AST, new: ast.AST, starts: Sequence[int]
) -> Mutant:
    assert isinstance(node, (ast.expr, ast.stmt)) and node.end_lineno and node.end_col_offset is not None
    start, end = (
        starts[line - 1] + column
        for line, column in ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
    )
    text = ast.unparse(ast.fix_missing_locations(new))
    if isinstance(new, ast.expr) and not isinstance(new, (ast.Constant, ast.Name)) and text[0] not in "([{":
        text = f"({text})"
    return Mutant(path, scope, operator, node.lineno, node.end_lineno, start, end, text)


def _walk(node: ast.AST, parent: Parent, scope: str) -> Iterator[tuple[ast.AST, Parent, str]]:
    """Yield each node that runs, its parent and the function or table around it."""
    if isinstance(node, (ast.expr, ast.stmt)):
        yield node, parent, scope
    name = _name_of(node)
    if name:
        scope = name if isinstance(parent, ast.Module) else f"{scope}.{name}"
    for child in _running_parts(node):
        yield from _walk(child, node, scope)


def _name_of(node: ast.AST) -> str:
    """Return what a definition, or an assignment to one name, defines."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.id if isinstance(target, ast.Name) and target.id.isupper() else ""


def _running_parts(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a node that run, without annotations, decorators, docstrings, imports and f-strings."""
    if isinstance(node, (ast.JoinedStr, ast.Import, ast.ImportFrom, ast.Raise)) or _is_type(node):
        return []
    if isinstance(node, FUNCTIONS):
        defaults = [each for each in node.args.kw_defaults if each is not None]
        return [*node.args.defaults, *defaults, *_without_docstring(node.body)]
    if isinstance(node, (ast.ClassDef, ast.Module)):
        return [*_without_docstring(node.body)]
    if isinstance(node, ast.AnnAssign):
        return [node.value] if node.value is not None else []
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return []
    return list(ast.iter_child_nodes(node))


def _is_type(node: ast.AST) -> bool:
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        return node.value.id in GENERICS or node.value.id[0].isupper() and not node.value.id.isupper()
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TYPING


def _without_docstring(body: Sequence[ast.stmt]) -> Sequence[ast.stmt]:
    first = body[0] if body else None
    has_one = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if has_one else body


def _negate(node: ast.AST, parent: Parent) -> Edits:
    is_condition = (
        isinstance(parent, (ast.If, ast.While, ast.IfExp))
        and node is parent.test
        or isinstance(parent, ast.comprehension)
        and node in parent.ifs
    )
    is_exact = isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], EXACT)
    is_negation = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    if is_condition and not is_exact and not is_negation and isinstance(node, ast.expr):
        yield ast.UnaryOp(ast.Not(), node)


def _drop_not(node: ast.AST, parent: Parent) -> Edits:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand


def _swap_and_or(node: ast.AST, parent: Parent) -> Edits:
    if isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def _drop_operand(node: ast.AST, parent: Parent) -> Edits:
    if isinstance(node, ast.BoolOp):
        for at in range(len(node.values)):
            rest = node.values[:at] + node.values[at + 1 :]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _flip_comparison(node: ast.AST, parent: Parent) -> Edits:
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            flipped = [*node.ops[:at], FLIPS[type(operator)](), *node.ops[at + 1 :]]
            yield ast.Compare(node.left, flipped, node.comparators)


def _drop_guard(node: ast.AST, parent: Parent) -> Edits:
    if (
        isinstance(node, ast.If)
        and not node.orelse
        and len(node.body) == 1
        and isinstance(node.body[0], EXITS)
    ):
        yield ast.Pass()


def _change_constant(node: ast.AST, parent: Parent) -> Edits:
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
    # With a space it is prose; an element of a display is taken out as a whole.
    elif (
        isinstance(node.value, str)
        and node.value
        and " " not in node.value
        and not isinstance(parent, DISPLAYS)
    ):
        yield ast.Constant("")


def _drop_statement(node: ast.AST, parent: Parent) -> Edits:
    if isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Yield, ast.YieldFrom)):
        yield ast.Pass()


def _swap_quantifier(node: ast.AST, parent: Parent) -> Edits:
    if isinstance(node, ast.Name) and node.id in QUANTIFIERS and isinstance(parent, ast.Call):
        yield ast.Name(QUANTIFIERS[node.id])


def _drop_element(node: ast.AST, parent: Parent) -> Edits:
    if not isinstance(node, DISPLAYS) or len(node.elts) < 2 or not _is_choice(node, parent):
        return
    for at in range(len(node.elts)):
        shorter = copy.copy(node)
        shorter.elts = node.elts[:at] + node.elts[at + 1 :]
        yield shorter


def _is_choice(node: ast.Tuple | ast.List | ast.Set, parent: Parent) -> bool:
    """Tell whether a display lists what is allowed, not the fields of one thing."""
    if isinstance(parent, ast.Call):
        named = parent.func.id if isinstance(parent.func, ast.Name) else ""
        return named == "isinstance" or all(isinstance(each, ast.Constant) for each in node.elts)
    if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Tuple):
        return False
    return isinstance(node, ast.Set) or isinstance(parent, (ast.Assign, ast.AnnAssign, ast.Compare))


OPERATORS: dict[str, Callable[[ast.AST, Parent], Edits]] = {
    "negate condition": _negate,
    "drop not": _drop_not,
    "swap and/or": _swap_and_or,
    "drop operand": _drop_operand,
    "flip comparison": _flip_comparison,
    "drop guard": _drop_guard,
    "change constant": _change_constant,
    "drop statement": _drop_statement,
    "swap any/all": _swap_quantifier,
    "drop element": _drop_element,
}
