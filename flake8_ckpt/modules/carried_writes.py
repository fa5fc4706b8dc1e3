"""Whether a write carries an attribute on: its new value depends on the old one."""

from __future__ import annotations

from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch import VIEWS
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite


def depends_on_previous_value(state: ClassState, change: AttributeWrite) -> bool:
    """Tell whether a write builds on what the attribute held before the method was entered."""
    if change.write.how == "assign" and is_passed_through(change.write.value, change.write.attr):
        return False
    if change.write.carried:
        return not _returns_what_it_is_given(state, change)
    called = _self_calls(change.write.value)
    return any(
        read.use.first and {"plain", "item"} & set(read.use.how)
        for read in state.uses.get(change.write.attr, ())
        if read.method.name in called
    )


def _returns_what_it_is_given(state: ClassState, change: AttributeWrite) -> bool:
    """Tell whether the value comes from a function that may hand back the old one: a cache that grows."""
    call = change.write.value
    if not isinstance(call, Call):
        return False
    if isinstance(call.callee, Attr) and call.callee.base == SELF:
        found = state.hierarchy.find_method(state.identity, call.callee.name)
        function = found[1] if found else None
        skipped = 0 if function and "staticmethod" in function.decorators else 1
    elif isinstance(call.callee, Name):
        context = state.context(change.method)
        function = state.kind_evaluator.symbols.functions.get(
            state.kind_evaluator.symbols.resolve(call.callee.path, context.path)
        )
        skipped = 0
    else:
        return False
    if function is None or function.returns is None:
        return False
    names = [each.name for each in function.parameters][skipped:]
    bound = {**dict(zip(names, call.args)), **dict(call.keywords)}
    given = {Param(name) for name, value in bound.items() if value == Attr(SELF, change.write.attr)}
    return any(_without_views(option) in given for option in options_of(function.returns))


def is_passed_through(value: Value, attr: str) -> bool:
    """Tell whether a value is, in one case, just what the attribute held, moved or detached at most."""
    for option in map(_without_views, options_of(value)):
        if option == Attr(SELF, attr):
            return True
        if isinstance(option, Join) and is_passed_through(option, attr):
            return True
    return False


def _without_views(value: Value) -> Value:
    """Return what a chain of moves, casts and views starts from."""
    while isinstance(value, Call) and isinstance(value.callee, Attr) and value.callee.name in VIEWS:
        value = value.callee.base
    return value


def _self_calls(value: Value) -> set[str]:
    found: set[str] = set()
    stack: list[object] = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, Call):
            if isinstance(each.callee, Attr) and each.callee.base == SELF:
                found.add(each.callee.name)
            stack.extend((each.callee, *each.args, *(part for _, part in each.keywords)))
        elif isinstance(each, Attr):
            stack.append(each.base)
        elif hasattr(each, "operands"):
            stack.extend(each.operands)
        elif hasattr(each, "options"):
            stack.extend(each.options)
        elif hasattr(each, "base"):
            stack.append(each.base)
    return found
