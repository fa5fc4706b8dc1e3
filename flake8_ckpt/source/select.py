"""Which bodies of a file can hold a fact, judged by the stdlib's tree and by text.

Methods that set an attribute whose value is not plainly harmless, that register something, or that
take part in saving and loading; functions that build tensors.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from functools import cached_property
from typing import Optional

from flake8_ckpt.source.builders import is_helper
from flake8_ckpt.source.harmless import Bindings
from flake8_ckpt.source.harmless import bindings_of
from flake8_ckpt.source.harmless import is_harmless
from flake8_ckpt.source.late_layers import lazy_methods
from flake8_ckpt.source.method_writes import Write
from flake8_ckpt.source.method_writes import called_by_locals
from flake8_ckpt.source.method_writes import called_in
from flake8_ckpt.source.method_writes import local_values
from flake8_ckpt.source.method_writes import self_writes
from flake8_ckpt.source.signals import ASKS
from flake8_ckpt.source.signals import BUILDING
from flake8_ckpt.source.signals import CONSTRUCTORS
from flake8_ckpt.source.signals import DULL_NAMES
from flake8_ckpt.source.signals import ENTRIES
from flake8_ckpt.source.signals import GIVES
from flake8_ckpt.source.signals import GROWS
from flake8_ckpt.source.signals import HANDS_LISTS
from flake8_ckpt.source.signals import HOOKS
from flake8_ckpt.source.signals import INPLACE
from flake8_ckpt.source.signals import KEEPS
from flake8_ckpt.source.signals import LATE_REGISTERS
from flake8_ckpt.source.signals import LOCAL_GROWS
from flake8_ckpt.source.signals import REGISTERED
from flake8_ckpt.source.signals import REGISTERS
from flake8_ckpt.source.signals import SELF_ATTRIBUTE
from flake8_ckpt.source.signals import SETS_FIELD
from flake8_ckpt.source.signals import TAKES
from flake8_ckpt.source.signals import TRIVIAL_BASES
from flake8_ckpt.source.signals import Signals
from flake8_ckpt.source.signals import hands_on
from flake8_ckpt.source.signals import lets_restore
from flake8_ckpt.source.signals import links
from flake8_ckpt.source.signals import loops_over
from flake8_ckpt.source.signals import tells_best
from flake8_ckpt.source.signals import trains
from flake8_ckpt.source.state_changes import may_change_attributes
from flake8_ckpt.source.state_changes import may_fill_arguments
from flake8_ckpt.source.state_changes import registered_in
from flake8_ckpt.source.state_changes import set_beside
from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import Source
from flake8_ckpt.source.tree import dotted
from flake8_ckpt.source.tree import statements


@dataclass(frozen=True)
class ClassOutline:
    """A class with its qualified name and its methods.

    The bodies of `selected` are to be read; `readers` only mention some of the `suspects`,
    the attributes that may hold state. A `keeper` saves or restores something.
    """

    node: ast.ClassDef
    name: str
    methods: tuple[Function, ...]
    selected: tuple[Function, ...] = ()
    readers: tuple[Function, ...] = ()
    suspects: frozenset[str] = frozenset()
    keeper: bool = False


def plain_classes(classes: Iterable[ast.ClassDef]) -> set[str]:
    """Return the names of the classes that plainly are no modules, by what their bases are in this very file."""
    plain: dict[str, bool] = {}
    for node in classes:
        bases = [_named(base) for base in node.bases]
        is_plain = all(plain.get(base, TRIVIAL_BASES.search(base) is not None) for base in bases)
        plain[node.name] = is_plain and plain.get(node.name, True)
    return {name for name, is_plain in plain.items() if is_plain}


def _named(base: ast.expr) -> str:
    """Return the dotted name of a base, its last part alone where that is all it has, or nothing."""
    return dotted(base) or (base.attr if isinstance(base, ast.Attribute) else "")


class _Method:
    """A method with its text, and the attributes of `self` that it sets, each with its value."""

    def __init__(self, node: Function, source: Source, signals: Signals) -> None:
        self.node = node
        self.name = node.name
        self.source = source
        self.text = source.text(node)
        self.signals = signals

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """The statements of its body, those of nested blocks and of functions within it too."""
        found = self.source.statements(self.node)
        if self.text.count("def ") > 1:
            inner = [each for each in found if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
            return found + [each for node in inner for each in self.source.statements(node)]
        return found

    @cached_property
    def writes(self) -> tuple[Write, ...]:
        """The attributes that are set, their values, and whether the old value goes into the new one."""
        is_constructor = self.name in CONSTRUCTORS
        return tuple(self_writes(self.statements, is_constructor)) if "self" in self.text else ()

    def mentions(self, attrs: frozenset[str]) -> bool:
        """Tell whether the text names one of some attributes of `self`."""
        return not attrs.isdisjoint(SELF_ATTRIBUTE.findall(self.text))

    @cached_property
    def registers_or_saves(self) -> bool:
        """Whether it registers something, hands on a module list, or saves or loads something of a library."""
        text = self.text
        if ("add_" in text or "register_" in text or "setattr" in text) and REGISTERS.search(text):
            return True
        if self.name in CONSTRUCTORS and "Module" in text and HANDS_LISTS.search(text):
            return True
        late = self.name not in CONSTRUCTORS and ("Parameter" in text or "Buffer" in text)
        return bool(late and LATE_REGISTERS.search(text)) or self.signals.saves(text)


def plain_outline(
    node: ast.ClassDef, name: str, source: Source, called: set[str], signals: Signals
) -> ClassOutline:
    """Select what a class that is no module may give to modules and checkpoints: hooks and registrations."""
    methods = [_Method(each, source, signals) for each in source.functions(node)]
    found = ClassOutline(node, name, tuple(each.node for each in methods))
    if _is_keeper(methods) or _is_environment(node, methods, signals):
        return _keeper_outline(found, methods)
    entries = (each for each in methods if node.bases and is_entry(each.node))
    chosen = (
        each for each in methods if each.name in HOOKS or each.registers_or_saves or lets_restore(each.text)
    )
    selected = {id(each.node) for each in (*entries, *chosen)}
    return replace(found, selected=tuple(each for each in found.methods if id(each) in selected))


def with_heirs(classes: Iterable[ClassOutline], source: Source, signals: Signals) -> Iterator[ClassOutline]:
    """Yield the classes of a file, those that derive from a keeper as keepers: its hooks are theirs."""
    keepers: set[str] = set()
    for each in classes:
        if not each.keeper and not keepers.isdisjoint(map(_named, each.node.bases)):
            each = _keeper_outline(each, [_Method(node, source, signals) for node in each.methods])
        if each.keeper:
            keepers.add(each.node.name)
        yield each


def is_entry(method: Function) -> bool:
    """Tell whether a method begins a training: it may set anew what a base class has restored."""
    if ENTRIES.match(method.name) is None:
        return False
    return next(self_writes(statements(method.body), False), None) is not None


def _is_keeper(methods: Iterable[_Method]) -> bool:
    """Tell whether a class saves or restores something, or seems to hold an object with running statistics."""
    methods = list(methods)
    if any(GIVES.match(each.name) for each in methods) and any(TAKES.match(each.name) for each in methods):
        return True
    return any(
        each.name in HOOKS
        or each.signals.saves(each.text)
        or KEEPS.match(each.name)
        and links(each.text)
        or each.signals.normalizes(each.text)
        or any(asks(each.text) for asks in (hands_on, trains, tells_best))
        for each in methods
    )


def _is_environment(node: ast.ClassDef, methods: Iterable[_Method], signals: Signals) -> bool:
    """Tell whether a class with running statistics of its own has a method that steps an environment."""
    return f"{node.name}(" in signals.classes and any(each.name == "step" for each in methods)


def _keeper_outline(found: ClassOutline, methods: Iterable[_Method]) -> ClassOutline:
    """Select all that such a class sets or calls; other methods are looked at for what they use."""
    kept = found.suspects.union(attr for each in methods for attr, _, _ in each.writes)
    before, readers = {id(each) for each in found.selected}, {id(each) for each in found.readers}
    selected, looked_at = [], []
    for each in methods:
        if id(each.node) in before or each.name in HOOKS or each.registers_or_saves or links(each.text):
            selected.append(each.node)
        elif GIVES.match(each.name) or TAKES.match(each.name) or trains(each.text):
            selected.append(each.node)
        elif "self." in each.text and (each.writes or each.name == "step" or SETS_FIELD.search(each.text)):
            selected.append(each.node)
        elif id(each.node) in readers or each.mentions(kept):
            looked_at.append(each.node)
    return replace(found, selected=tuple(selected), readers=tuple(looked_at), suspects=kept, keeper=True)


def class_outline(
    node: ast.ClassDef, name: str, source: Source, called: set[str], signals: Signals
) -> ClassOutline:
    """Select the methods of what may be a module: those that set, register or fill what may be state."""
    methods = [_Method(each, source, signals) for each in source.functions(node)]
    writes = [_method_writes(each, source.lines, called) for each in methods]
    buffers = frozenset().union(*(registered_in(each.text) for each in methods))
    named = (
        *map(_derived, methods),
        *(set_beside(each.name, each.text, each.writes, buffers) for each in methods),
    )
    suspects = buffers.union(*(each.suspects for each in writes), *named)
    selected: list[Function] = []
    readers: list[Function] = []
    lazily = lazy_methods({each.name: each.text for each in methods})
    lazy = lazily or any(each.name not in CONSTRUCTORS and each.registers_or_saves for each in methods)
    for each, written in zip(methods, writes):
        if (
            lazy
            and each.name in CONSTRUCTORS
            or each.name in called
            or each.name in HOOKS
            or each.name in lazily
            or not suspects.isdisjoint(written.every)
            or each.registers_or_saves
            or is_entry(each.node)
            or suspects
            and may_fill_arguments(each.text)
        ):
            selected.append(each.node)
        elif each.mentions(suspects):
            looks_into = loops_over(each.text, suspects) or ASKS.search(each.text)
            is_walked = looks_into or may_change_attributes(each.text)
            (selected if is_walked else readers).append(each.node)
    found = ClassOutline(
        node, name, tuple(each.node for each in methods), tuple(selected), tuple(readers), suspects
    )
    is_keeper = _is_keeper(methods) or _is_environment(node, methods, signals)
    return _keeper_outline(found, methods) if is_keeper else found


@dataclass(frozen=True)
class _Writes:
    """The attributes a method sets: all of them, and those whose value may be state."""

    every: frozenset[str] = frozenset()
    suspects: frozenset[str] = frozenset()


def _is_dull(attr: str, value: ast.expr, lines: list[str]) -> bool:
    """Tell whether a name says that its value is no state, and the value does not say otherwise."""
    if DULL_NAMES.search(attr) is None:
        return False
    return BUILDING.search("\n".join(lines[value.lineno - 1 : value.end_lineno])) is None


def _method_writes(method: _Method, lines: list[str], called: set[str]) -> _Writes:
    text = method.text
    if "self." not in text and "setattr" not in text:
        return _Writes()
    suspects = {*(INPLACE.findall(text) if "_(" in text else ()), *GROWS.findall(text)} - {"__dict__"}
    every = set(suspects)
    bindings: Optional[Bindings] = None
    for target, value, change in method.writes:
        if target == "__dict__" or value is not None and _is_dull(target, value, lines):
            continue
        every.add(target)
        is_state = change or _turns(method.node, value) or _mentions(method.node, target, value)
        if not is_state and (value is None or isinstance(value, ast.Constant)):
            continue
        if bindings is None:
            bindings = bindings_of(
                method.node, local_values(method.statements), LOCAL_GROWS.findall(text), lines
            )
        plain = value is None or _is_plain(value, bindings)
        if plain and not is_state and not _is_taken(value):
            continue
        suspects.add(target)
        if value is not None:
            called.update(called_in(value))
            called.update(called_by_locals(value, bindings))
    return _Writes(frozenset(every), frozenset(suspects))


def _is_plain(value: ast.expr, names: Bindings) -> bool:
    if isinstance(value, (ast.List, ast.Dict, ast.Tuple)) and not getattr(
        value, "elts", getattr(value, "keys", ())
    ):
        return True
    return is_harmless(value, names)


def _turns(method: Function, value: Optional[ast.expr]) -> bool:
    """Tell whether a method other than the constructor sets a flag."""
    return (
        method.name not in CONSTRUCTORS and isinstance(value, ast.Constant) and isinstance(value.value, bool)
    )


def _mentions(method: Function, attr: str, value: Optional[ast.expr]) -> bool:
    """Tell whether a method other than the constructor sets an attribute to something that holds it."""
    if method.name in CONSTRUCTORS or not isinstance(value, (ast.Call, ast.BinOp, ast.IfExp)):
        return False
    return any(isinstance(node, ast.Attribute) and node.attr == attr for node in ast.walk(value))


def _derived(method: _Method) -> Iterator[str]:
    """Yield the attributes that a constructor sets to arithmetic with what it registers: `self.size * 2`."""
    if method.name not in CONSTRUCTORS or "register_" not in method.text:
        return
    registered = set(REGISTERED.findall(method.text))
    for attr, value, _ in method.writes if registered else ():
        if isinstance(value, ast.BinOp) and any(
            isinstance(node, ast.Attribute) and node.attr in registered for node in ast.walk(value)
        ):
            yield attr


def _is_taken(value: Optional[ast.expr]) -> bool:
    """Tell whether a value is the number of a tensor of `self`: `self.log_alpha.exp().item()`."""
    if not isinstance(value, ast.Call):
        return False
    name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
    return name in ("item", "float") and any(
        isinstance(node, ast.Name) and node.id == "self" for node in ast.walk(value)
    )


def select_functions(
    functions: tuple[tuple[str, Function], ...],
    source: Source,
    called: set[str],
    signals: Signals,
    builders: re.Pattern[str],
) -> Iterator[Function]:
    for name, node in functions:
        text = source.text(node)
        if signals.takes_part(text) or "." not in name and may_fill_arguments(text):
            yield node
        elif "." not in name and is_helper(node, text, builders, node.name in called):
            yield node
