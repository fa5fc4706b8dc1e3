"""What `except` clauses catch and what they do with it, read from the stdlib's tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

import msgspec

from flake8_ckpt.facts.model import Handler
from flake8_ckpt.facts.model import Outcome
from flake8_ckpt.findings import Position
from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import dotted
from flake8_ckpt.source.tree import statements

Locate = Callable[[ast.stmt], Position]
KEY_ERRORS = frozenset(["KeyError", "LookupError", "Exception", "BaseException", "AttributeError"])
# Calls that give what exists already.
LOOKUPS = frozenset(["getattr", "get", "next", "pop"])
IMPORTS = (ast.Import, ast.ImportFrom)
PRINTS = re.compile(r"(^|[._])p?print(0|_rank\w*)?$")


def handlers_of(node: ast.Try, locate: Locate) -> Iterator[Handler]:
    """Yield a record for each `except` clause of a `try` that imports nothing and sets no flag where it succeeds."""
    if any(isinstance(each, IMPORTS) or _sets_flag(each) for each in (*statements(node.body), *node.orelse)):
        return
    last = node.body[-1]
    for handler in node.handlers:
        outcome = _outcome(handler.body, frozenset(_bound_in(node.body)))
        position = locate(handler)  # type: ignore[arg-type]
        end = Position(position.line, position.col, position.line, position.col + len("except"))
        leaves = isinstance((node.orelse or node.body)[-1], (ast.Return, ast.Break, ast.Continue))
        yield Handler(
            _caught(handler.type),
            outcome,
            end,
            node.body[0].lineno,
            last.end_lineno or last.lineno,
            leaves and _names_error(handler),
            tuple(_made_in(node.body)) if _leaves(handler) else (),
            _names_error(handler),
        )


def set_apart(handlers: Sequence[Handler], node: Function) -> Iterator[Handler]:
    """Yield the handlers of a function with the lines of the branches that run only where theirs does not."""
    steps = (
        [each for each in statements(node.body) if isinstance(each, ast.If) and each.orelse]
        if handlers
        else []
    )
    for handler in handlers:
        line = handler.position.line
        others = (each.orelse for each in steps if _is_in(line, each.body))
        apart = tuple((each[0].lineno, each[-1].end_lineno or each[-1].lineno) for each in others)
        yield msgspec.structs.replace(handler, apart=apart) if apart else handler


def _is_in(line: int, block: list[ast.stmt]) -> bool:
    return block[0].lineno <= line <= (block[-1].end_lineno or block[-1].lineno)


def _leaves(handler: ast.ExceptHandler) -> bool:
    """Tell whether a clause says what failed, and nothing of what the `try` made is used after it."""
    return isinstance(handler.body[-1], (ast.Continue, ast.Return)) and _names_error(handler)


def _made_in(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the names that statements bind to what a call gives, but for a look at what is there already."""
    for each in body:
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call) and _makes(each.value):
            names = (part for target in each.targets for part in ast.walk(target))
            yield from (
                part.id for part in names if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            )


def _makes(call: ast.Call) -> bool:
    while isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
        call = call.func.value
    return dotted(call.func).rpartition(".")[2] not in ("", *LOOKUPS)


def _names_error(handler: ast.ExceptHandler) -> bool:
    """Tell whether a clause looks at the error that it catches: `print(f"cannot load: {error}")`."""
    inside = (part for each in handler.body for part in ast.walk(each))
    return handler.name is not None and any(
        isinstance(part, ast.Name) and part.id == handler.name for part in inside
    )


def _sets_flag(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value is True


def forgives_keys(handler: ast.ExceptHandler) -> bool:
    """Tell whether a clause catches the error of a missing key."""
    return handler.type is None or not KEY_ERRORS.isdisjoint(_caught(handler.type))


def _caught(node: ast.expr | None) -> tuple[str, ...]:
    if node is None:
        return ()
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return tuple(dotted(part) for part in parts)


def _bound_in(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the names and attributes that the statements of a block assign, in blocks of its own, too."""
    for each in statements(body):
        if isinstance(each, (ast.Assign, ast.AnnAssign)):
            yield from filter(None, _targets(each))


def _targets(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    """Yield what an assignment binds: `epoch`, `self.epoch`, each part of a tuple."""
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        for part in target.elts if isinstance(target, ast.Tuple) else [target]:
            yield dotted(part)


def _outcome(body: list[ast.stmt], bound: frozenset[str]) -> Outcome:
    rest = [each for each in statements(body) if not _is_silent_statement(each)]
    if not all(_resets(each, bound) for each in rest) or rest and not any(map(_begins, rest)):
        return "handled"
    given = [node.value for node in body if isinstance(node, ast.Return)]
    if not given:
        return "swallowed"
    return "returned" if given[0] is None or _is_none(given[0]) else "told"


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_silent_statement(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Pass, ast.Continue)):
        return True
    if isinstance(node, ast.Return):
        return node.value is None or isinstance(node.value, ast.Constant) and not node.value.value
    if not isinstance(node, ast.Expr):
        return False
    value = node.value
    if isinstance(value, ast.Constant):
        return True
    return isinstance(value, ast.Call) and (
        PRINTS.search(dotted(value.func)) is not None or _is_quiet_log(value.func)
    )


def _resets(node: ast.stmt, bound: frozenset[str]) -> bool:
    """Tell whether a clause gives a first value, or an empty list, to what the `try` was to restore."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not all(each in bound for each in _targets(node)):
        return False
    return isinstance(node.value, ast.List) and not node.value.elts or _begins(node)


def _begins(node: ast.stmt) -> bool:
    """Tell whether a statement begins to count, or to look for the best: `epoch, best = 0, -math.inf`."""
    return isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and _is_first(node.value)


def _is_first(value: ast.expr) -> bool:
    """Tell whether a value is a first count or metric, or holds one: `{"step": 0, "rate": rate}`."""
    if isinstance(value, ast.UnaryOp):
        return isinstance(value.op, ast.USub) and _is_first(value.operand)
    if isinstance(value, ast.Call) and dotted(value.func) == "float":
        return all(isinstance(each, (ast.Constant, ast.UnaryOp)) for each in value.args)
    if isinstance(value, ast.Tuple):
        return all(map(_is_first, value.elts))
    if isinstance(value, ast.Dict):
        return any(map(_is_first, value.values))
    if isinstance(value, ast.Constant):
        return type(value.value) in (int, float) and value.value in (0, 1)
    return dotted(value).rpartition(".")[2] == "inf"


def _is_quiet_log(func: ast.expr) -> bool:
    return (
        isinstance(func, ast.Attribute)
        and func.attr in ("debug", "info")
        and "log" in dotted(func.value).lower()
    )
