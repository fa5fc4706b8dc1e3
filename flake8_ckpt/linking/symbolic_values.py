"""Unfold values across functions and files, without losing what they are made of.

`Resolver` asks what a value is in the end (a tensor, a module); here it matters where it comes
from: `load(path)` becomes what `load` returns, in terms of the caller's `path`. What is left
symbolic (parameters, attributes, locals, calls of other packages) is the name of an object.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from typing import Optional

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Instance
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch import MODULE_METHODS
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.filled_mappings import added_in
from flake8_ckpt.linking.filled_mappings import item_in
from flake8_ckpt.linking.filled_mappings import key_of
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import bind
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.functions import script_of
from flake8_ckpt.linking.functions import spread
from flake8_ckpt.linking.library_calls import method_of_class
from flake8_ckpt.linking.library_calls import method_of_variable

MAX_CALLS = 5
MAX_NESTING = 24
MAX_STEPS = 3_000
MAX_STEPS_OF_FUNCTION = 200_000
MAX_HEIRS = 16
COPIES = frozenset(["copy", "deepcopy"])
# Calls that give a payload back as it is, or a part of it.
TRANSPARENT = frozenset(["copy.copy", "copy.deepcopy", "vars", "dict"])
# The state of an object: a payload of its own, opened only when a key in it is asked for.
STATE_METHODS = frozenset(["state_dict", "get_extra_state", "__getstate__"])


class SymbolicEvaluator:
    """Unfolds values, and tells the class of an object and the function that a call reaches."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.symbols = hierarchy.symbols
        self._attributes: dict[tuple[str, str], str] = {}
        self._added: dict[int, dict[Value, list[Field]]] = {}
        self._open: set[tuple[str, str]] = set()
        self.begin()

    def begin(self) -> None:
        """Allow a new number of steps: each function that is looked at has its own, and each value in it.

        Where they are spent, some values are Unknown for this reason.
        """
        self._left = MAX_STEPS
        self._total = MAX_STEPS_OF_FUNCTION
        self.is_spent = False

    def expand(self, value: Value, scope: CallContext, nesting: int = 0) -> Value:
        """Return a value in terms of the outermost function of a scope."""
        if nesting == 0:
            self._total -= MAX_STEPS - max(self._left, 0)
            self._left = MAX_STEPS if self._total > 0 else 0
        self._left -= 1
        if nesting > MAX_NESTING or self._left < 0:
            self.is_spent = self.is_spent or self._left < 0
            return UNKNOWN
        handler = _HANDLERS.get(type(value))
        return handler(self, value, scope, nesting + 1) if handler else value

    def _name(self, value: Name, scope: CallContext, nesting: int) -> Value:
        identity = self.symbols.resolve(value.path, scope.path)
        return self._global(identity, scope, nesting) or Name(identity or value.path)

    def _global(self, identity: str, scope: CallContext, nesting: int) -> Optional[Value]:
        """Return what a variable of a module was bound to when its file ran."""
        path, colon, name = identity.partition(":")
        script = script_of(path, self.symbols) if colon else None
        if script is None or "." in name or identity in self.symbols.functions:
            return None
        for store in script.function.stores:
            if isinstance(store.target, Local) and store.target.name == name:
                inner = CallContext(script, calls=scope.calls + 1)
                return Local(name, self.expand(store.value, inner, nesting))
        return None

    def _param(self, value: Param, scope: CallContext, nesting: int) -> Value:
        return scope.bound.get(value.name, value)

    def _self(self, value: Self, scope: CallContext, nesting: int) -> Value:
        return scope.receiver

    def _local(self, value: Local, scope: CallContext, nesting: int) -> Value:
        held = self.expand(value.value, scope, nesting)
        added = self.added_to(scope.callee.function, value)
        if added and not self._is_known_object(value.value, scope):
            return self._filled(held, added, scope, nesting)
        return held if isinstance(held, Record) else Local(scope.prefix + value.name, held)

    def added_to(self, function: FunctionFacts, target: Value) -> list[Field]:
        """Return the keys that a function adds to a mapping; an empty key stands for keys that are unknown."""
        if id(function) not in self._added:
            self._added[id(function)] = added_in(function)
        return self._added[id(function)].get(key_of(target), [])

    def _is_known_object(self, value: Value, scope: CallContext) -> bool:
        class_id = self.class_of(value, scope)
        return class_id in self.symbols.classes or class_id.rpartition(".")[2][:1].isupper()

    def _filled(self, held: Value, added: list[Field], scope: CallContext, nesting: int) -> Record:
        """Return a payload with the keys that a function adds to it."""
        base = held if isinstance(held, Record) else Record((), open=True)
        fields = {each.key: each for each in base.fields}
        for each in added:
            if not each.key:
                base = Record((), open=True)
                continue
            fields[each.key] = Field(each.key, self.expand(each.value, scope, nesting), each.always)
        return Record(tuple(fields.values()), base.open)

    def _attr(self, value: Attr, scope: CallContext, nesting: int) -> Value:
        if isinstance(value.base, (Self, Super)) and scope.class_id:
            found = self.hierarchy.find_method(scope.class_id, value.name)
            if found is not None and "property" in found[1].decorators:
                return self._returned(
                    method_ref(*found, scope.class_id), scope.receiver, [], {}, scope, nesting
                )
        return Attr(self.expand(value.base, scope, nesting), value.name)

    def _item(self, value: Item, scope: CallContext, nesting: int) -> Value:
        base = self.expand(value.base, scope, nesting)
        return join([item_in(option, value.key) for option in options_of(base)])

    def _element(self, value: Element, scope: CallContext, nesting: int) -> Value:
        return Element(self.expand(value.base, scope, nesting))

    def _record(self, value: Record, scope: CallContext, nesting: int) -> Value:
        fields = tuple(
            Field(each.key, self.expand(each.value, scope, nesting), each.always) for each in value.fields
        )
        return Record(fields, value.open)

    def _container(self, value: Container, scope: CallContext, nesting: int) -> Value:
        items = tuple(self.expand(item, scope, nesting) for item in value.items)
        return Container(value.kind, self.expand(value.of, scope, nesting), value.size, items)

    def _join(self, value: Join, scope: CallContext, nesting: int) -> Value:
        return join([self.expand(option, scope, nesting) for option in value.options])

    def _arith(self, value: Arith, scope: CallContext, nesting: int) -> Value:
        return Arith(tuple(self.expand(operand, scope, nesting) for operand in value.operands))

    def _call(self, value: Call, scope: CallContext, nesting: int) -> Value:
        args = [each for arg in value.args for each in spread(self.expand(arg, scope, nesting))]
        keywords = {name: self.expand(each, scope, nesting) for name, each in value.keywords}
        callee = self.callee_of(value, scope, nesting)
        if callee is not None and callee.function.name not in STATE_METHODS:
            given = self._returned(
                callee, self.receiver_of(value, scope, nesting), args, keywords, scope, nesting
            )
            if given != UNKNOWN:
                return given
        if isinstance(value.callee, Attr):
            base = self.expand(value.callee.base, scope, nesting)
            if value.callee.name in ("get", "pop") and args and not isinstance(base, (Self, Name)):
                return join([item_in(option, args[0]) for option in options_of(base)])
            method = self.library_call(value, scope, nesting)
            if method in self.symbols.known.payload_loads:
                return Call(Name(method), tuple(args), (*keywords.items(), ("self", base)))
            if value.callee.name in COPIES or value.callee.name == "read" and not args:
                return base
            return Call(Attr(base, value.callee.name), tuple(args), tuple(keywords.items()))
        target = (
            self.expand(value.callee, scope, nesting) if not isinstance(value.callee, Name) else value.callee
        )
        if isinstance(target, Name):
            target = Name(self.symbols.resolve(target.path, scope.path) or target.path)
            if target.path in TRANSPARENT and args:
                return args[0]
        if isinstance(value.callee, Param) and value.callee.name == "cls" and scope.class_id:
            target = Name(scope.class_id)
        return Call(target, tuple(args), tuple(keywords.items()))

    def _returned(
        self,
        callee: FunctionRef,
        receiver: Value,
        args: list[Value],
        keywords: dict[str, Value],
        scope: CallContext,
        nesting: int,
    ) -> Value:
        if callee.function.returns is None or scope.calls >= MAX_CALLS:
            return UNKNOWN
        inner = self.enter(callee, receiver, args, keywords, scope)
        given = self.expand(callee.function.returns, inner, nesting)
        return UNKNOWN if isinstance(given, (Instance, Container)) else given

    def enter(
        self,
        callee: FunctionRef,
        receiver: Value,
        args: list[Value],
        keywords: Mapping[str, Value],
        scope: CallContext,
    ) -> CallContext:
        """Return the scope of a function that a call enters, its parameters bound to the call's arguments."""
        return CallContext(
            callee,
            bind(callee, args, keywords),
            receiver if callee.is_bound else SELF,
            f"{scope.prefix}{callee.function.name}.",
            scope.calls + 1,
        )

    def receiver_of(self, value: Call, scope: CallContext, nesting: int = 0) -> Value:
        """Return the object that a method is called on."""
        if not isinstance(value.callee, Attr):
            return SELF
        base = value.callee.base
        return scope.receiver if isinstance(base, (Self, Super)) else self.expand(base, scope, nesting + 1)

    def library_call(self, value: Call, scope: CallContext, nesting: int = 0) -> str:
        """Return the dotted name of what a call reaches outside the project, as far as that is known."""
        target = value.callee
        if isinstance(target, Name):
            return self.symbols.resolve(target.path, scope.path)
        if not isinstance(target, Attr) or target.name not in self.symbols.known.method_names:
            return ""
        class_id = self.class_of(target.base, scope, nesting + 1)
        if class_id and self.hierarchy.defines(class_id, target.name):
            return ""
        found = method_of_class(class_id, target.name, self.hierarchy) if class_id else ""
        return found or method_of_variable(target, self.symbols.known)

    def callee_of(self, value: Call, scope: CallContext, nesting: int = 0) -> Optional[FunctionRef]:
        """Return the function of the project that a call reaches, if it is known."""
        target = value.callee
        if isinstance(target, Name):
            return self._named_callee(self.symbols.resolve(target.path, scope.path))
        if not isinstance(target, Attr):
            return None
        if isinstance(target.base, (Self, Super)):
            after = scope.callee.owner if isinstance(target.base, Super) else ""
            found = self.hierarchy.find_method(scope.class_id, target.name, after) if scope.class_id else None
            return method_ref(*found, scope.class_id) if found else None
        class_id = self.class_of(target.base, scope, nesting + 1)
        found = (
            self.hierarchy.find_method(class_id, target.name) if class_id in self.symbols.classes else None
        )
        return method_ref(*found, class_id) if found else None

    def _named_callee(self, identity: str) -> Optional[FunctionRef]:
        function = self.symbols.functions.get(identity)
        if function is not None:
            return FunctionRef(identity, function)
        head, _, name = identity.rpartition(".")
        found = self.hierarchy.find_method(head, name) if head in self.symbols.classes else None
        return method_ref(*found, head) if found else None

    def class_of(self, value: Value, scope: CallContext, nesting: int = 0) -> str:
        """Return the class of an object: an identity of the project or an absolute name, "" where it is unknown."""
        if nesting > MAX_NESTING:
            return ""
        finder = _CLASSES.get(type(value))
        return finder(self, value, scope, nesting + 1) if finder else ""

    def _class_of_self(self, value: Value, scope: CallContext, nesting: int) -> str:
        return scope.class_id

    def _class_of_local(self, value: Local, scope: CallContext, nesting: int) -> str:
        return self.class_of(value.value, scope, nesting)

    def _class_of_named(self, value: Module, scope: CallContext, nesting: int) -> str:
        return self.symbols.resolve(value.path, scope.path)

    def _class_of_param(self, value: Param, scope: CallContext, nesting: int) -> str:
        if value.name in scope.bound:
            return self.class_of(scope.bound[value.name], replace(scope, bound={}), nesting)
        for parameter in scope.callee.function.parameters:
            if parameter.name == value.name and parameter.annotation is not None:
                return self.class_of(parameter.annotation, scope, nesting)
        return ""

    def _class_of_join(self, value: Join, scope: CallContext, nesting: int) -> str:
        found = {self.class_of(option, scope, nesting) for option in value.options if option != NONE}
        return found.pop() if len(found) == 1 else ""

    def _class_of_attr(self, value: Attr, scope: CallContext, nesting: int) -> str:
        class_id = self.class_of(value.base, scope, nesting)
        return self.attribute_class(class_id, value.name) if class_id in self.symbols.classes else ""

    def attribute_class(self, class_id: str, attr: str) -> str:
        """Return the class of the object that an attribute holds, "" where it is unknown or not always the same."""
        key = (class_id, attr)
        if key in self._open:
            return ""
        if key not in self._attributes:
            self._open.add(key)
            found = {
                name
                for each in self.hierarchy.ancestors(class_id)
                for name in self._classes_set(each, class_id, attr)
                if name
            }
            if not found:
                subclasses = self.hierarchy.subclasses(class_id)
                subclasses = subclasses if len(subclasses) <= MAX_HEIRS else []
                found = {name for each in subclasses for name in self._classes_set(each, each, attr) if name}
            self._attributes[key] = found.pop() if len(found) == 1 else ""
            self._open.discard(key)
        return self._attributes[key]

    def _classes_set(self, owner: str, class_id: str, attr: str) -> list[str]:
        found = []
        for method in self.hierarchy.methods(owner).values():
            scope = CallContext(method_ref(owner, method, class_id))
            values = [write.value for write in method.writes if write.attr == attr and write.how == "assign"]
            values += [each.value for each in method.registers if each.name == attr and each.kind == "module"]
            if method.name == attr and "property" in method.decorators and method.returns is not None:
                values.append(method.returns)
            found += [self.class_of(value, scope) for value in values]
        return found

    def _class_of_call(self, value: Call, scope: CallContext, nesting: int) -> str:
        target = value.callee
        if isinstance(target, Param) and target.name == "cls":
            return scope.class_id
        if isinstance(target, Name):
            identity = self.symbols.resolve(target.path, scope.path)
            if identity in self.symbols.classes:
                return identity
        if isinstance(target, Attr) and target.name in MODULE_METHODS:
            return self.class_of(target.base, scope, nesting)
        callee = self.callee_of(value, scope, nesting)
        if callee is not None:
            if callee.function.returns is None or scope.calls >= MAX_CALLS:
                return ""
            inner = self.enter(callee, SELF, [], {}, scope)
            return self.class_of(callee.function.returns, inner, nesting)
        return (
            _outside_class(self.symbols.resolve(target.path, scope.path)) if isinstance(target, Name) else ""
        )


def _outside_class(path: str) -> str:
    """Return the class of another package that a call constructs: `pkg.Class(...)` or `pkg.Class.load(...)`."""
    if ":" in path:
        return ""
    head, _, tail = path.rpartition(".")
    if tail[:1].isupper():
        return path
    owner = head.rpartition(".")[2]
    return head if owner[:1].isupper() and tail.startswith(("load", "from_", "create", "make")) else path


_HANDLERS: dict[type, Callable[[SymbolicEvaluator, Any, CallContext, int], Value]] = {
    Name: SymbolicEvaluator._name,
    Param: SymbolicEvaluator._param,
    Self: SymbolicEvaluator._self,
    Local: SymbolicEvaluator._local,
    Attr: SymbolicEvaluator._attr,
    Item: SymbolicEvaluator._item,
    Element: SymbolicEvaluator._element,
    Record: SymbolicEvaluator._record,
    Container: SymbolicEvaluator._container,
    Join: SymbolicEvaluator._join,
    Arith: SymbolicEvaluator._arith,
    Call: SymbolicEvaluator._call,
}
_CLASSES: dict[type, Callable[[SymbolicEvaluator, Any, CallContext, int], str]] = {
    Self: SymbolicEvaluator._class_of_self,
    Super: SymbolicEvaluator._class_of_self,
    Local: SymbolicEvaluator._class_of_local,
    Module: SymbolicEvaluator._class_of_named,
    Instance: SymbolicEvaluator._class_of_named,
    Param: SymbolicEvaluator._class_of_param,
    Join: SymbolicEvaluator._class_of_join,
    Attr: SymbolicEvaluator._class_of_attr,
    Call: SymbolicEvaluator._class_of_call,
}
