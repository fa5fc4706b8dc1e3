"""Expand values across functions and files, without losing what they are made of.

`KindEvaluator` asks what a value is in the end (a tensor, a module); here it matters where it comes
from: `load(path)` becomes what `load` returns, in terms of the caller's `path`. What is left
symbolic (parameters, attributes, locals, calls of other packages) is the name of an object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flake8_ckpt.facts.key_text import ANY
from flake8_ckpt.facts.key_text import SPREAD
from flake8_ckpt.facts.key_text import as_key
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Instance
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.linking.budget import UNBOUNDED
from flake8_ckpt.linking.budget import Budget
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.filled_mappings import added_in
from flake8_ckpt.linking.filled_mappings import item_in
from flake8_ckpt.linking.filled_mappings import spread_of
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import enter_call
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.functions import spread
from flake8_ckpt.linking.key_names import KeyNames
from flake8_ckpt.linking.object_classes import MAX_CALLS
from flake8_ckpt.linking.object_classes import MAX_NESTING
from flake8_ckpt.linking.object_classes import ObjectClasses

# Methods that give the mapping back that they are called on: `state.copy()`.
COPIES = frozenset(["copy", "deepcopy"])
# Calls that give a payload back as it is, or a part of it.
TRANSPARENT = frozenset(["copy.copy", "copy.deepcopy", "vars", "dict"])
# The state of an object: a payload of its own, opened only when a key in it is asked for.
STATE_METHODS = frozenset(["state_dict", "get_extra_state", "__getstate__"])
# What other values of the same function are made of, too.
REPEATED = (Local, Call, Item)


class SymbolicEvaluator:
    """Expands values; of objects it is asked for their class and for the function that a call on them reaches."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.symbols = hierarchy.symbols
        objects = ObjectClasses(hierarchy)
        self.class_of = objects.class_of
        self.attribute_class = objects.attribute_class
        self.callee_of = objects.callee_of
        self.callees_of = objects.callees_of
        self.library_call = objects.library_call
        self._keys = KeyNames(hierarchy)
        self._added: dict[int, dict[Value, list[Field]]] = {}
        # Mappings whose keys are being looked at: one that is filled from itself ends there.
        self._filling: set[tuple[int, str]] = set()
        # How often a value was left as it is by one of these bounds.
        self._cuts = 0
        self.budget = Budget(UNBOUNDED)

    def begin(self) -> Budget:
        """Allow the steps of another function; return what is left for the one before, to go on with it later."""
        before, self.budget = self.budget, Budget()
        return before

    def expand(self, value: Value, context: CallContext, nesting: int = 0) -> Value:
        """Return a value in terms of the outermost function of a scope."""
        if nesting == 0:
            self.budget.begin()
        handler = _HANDLERS.get(type(value))
        if handler is None:
            return value
        if nesting > MAX_NESTING or not self.budget.step():
            self._cuts += 1
            return UNKNOWN
        if not isinstance(value, REPEATED):
            return handler(self, value, context, nesting + 1)
        known = context.expanded.get(value)
        return self._remembered(value, context, nesting) if known is None else known

    def _remembered(self, value: Value, context: CallContext, nesting: int) -> Value:
        """Expand a value that is likely to be asked for again; one that a bound cuts short is not kept."""
        before = self._cuts
        found = _HANDLERS[type(value)](self, value, context, nesting + 1)
        if self._cuts == before:
            context.expanded[value] = found
        return found

    def key(self, text: str, context: CallContext) -> str:
        """Return the text of a key with its references resolved; `*` for what is not known."""
        return self._keys.resolve(text, context)

    def _const(self, value: Const, context: CallContext, nesting: int) -> Value:
        return Const(self.key(value.value, context)) if isinstance(value.value, str) else value

    def _name(self, value: Name, context: CallContext, nesting: int) -> Value:
        identity = self.symbols.resolve(value.path, context.path)
        if identity in self.symbols.constants:
            return Const(self.symbols.constants[identity])
        return Name(identity or value.path)

    def _param(self, value: Param, context: CallContext, nesting: int) -> Value:
        held = context.bound.get(value.name, value)
        added = self.added_to(context.callee.function, value) if isinstance(held, Record) else []
        grown = self._grown(value.name, held, added, context, nesting) if added else None
        return grown or held

    def _self(self, value: Self, context: CallContext, nesting: int) -> Value:
        return context.receiver

    def _local(self, value: Local, context: CallContext, nesting: int) -> Value:
        held = self.expand(value.value, context, nesting)
        added = self.added_to(context.callee.function, value)
        is_mapping = bool(added) and not self._is_known_object(value.value, context)
        grown = self._grown(value.name, held, added, context, nesting) if is_mapping else None
        return grown or (held if isinstance(held, Record) else Local(context.prefix + value.name, held))

    def _grown(
        self, name: str, held: Value, added: list[Field], context: CallContext, nesting: int
    ) -> Record | None:
        """Return a payload with what a function adds to it under a name, None while this is being found out."""
        filling = (id(context.callee.function), name)
        if filling in self._filling:
            self._cuts += 1
            return None
        self._filling.add(filling)
        filled = self._filled(held, added, context, nesting)
        self._filling.discard(filling)
        return filled

    def added_to(self, function: FunctionFacts, target: Value) -> list[Field]:
        """Return the keys that a function adds to a mapping; an empty key stands for keys that are unknown."""
        if id(function) not in self._added:
            self._added[id(function)] = added_in(function)
        return self._added[id(function)].get(target, [])

    def _is_known_object(self, value: Value, context: CallContext) -> bool:
        class_id = self.class_of(value, context)
        return class_id in self.symbols.classes or class_id.rpartition(".")[2][:1].isupper()

    def _filled(self, held: Value, added: list[Field], context: CallContext, nesting: int) -> Record:
        """Return a payload with the keys that a function adds to it."""
        base = held if isinstance(held, Record) else Record((), open=True)
        fields = {each.key: each for each in base.fields}
        for each in added:
            if not each.key:
                base = Record((), open=True)
                continue
            key = self.key(each.key, context)
            fields[key] = Field(
                key, self.expand(each.value, context, nesting), each.always and ANY not in key
            )
        return Record(tuple(fields.values()), base.open)

    def _attr(self, value: Attr, context: CallContext, nesting: int) -> Value:
        if isinstance(value.base, (Self, Super)) and context.class_id:
            found = self.hierarchy.find_method(context.class_id, value.name)
            if found is not None and "property" in found[1].decorators:
                return self._returned(
                    method_ref(*found, context.class_id), context.receiver, [], {}, context, nesting
                )
        return Attr(self.expand(value.base, context, nesting), value.name)

    def _item(self, value: Item, context: CallContext, nesting: int) -> Value:
        base = self.expand(value.base, context, nesting)
        key = self._const(value.key, context, nesting) if isinstance(value.key, Const) else value.key
        return join([item_in(option, key) for option in options_of(base)])

    def _element(self, value: Element, context: CallContext, nesting: int) -> Value:
        return Element(self.expand(value.base, context, nesting))

    def _record(self, value: Record, context: CallContext, nesting: int) -> Value:
        fields: dict[str, Field] = {}
        unknown: list[Field] = []
        is_open = value.open
        for each in value.fields:
            held = self.expand(each.value, context, nesting)
            key = self.key(each.key, context)
            spread = spread_of(held) if key == SPREAD else None
            if spread is None:
                fields[key] = Field(key, held, each.always and ANY not in key)
            else:
                unknown += [Field(SPREAD, option, False) for option in spread.unknown]
                is_open = is_open or spread.open
                fields.update((one.key, one) for one in spread.fields)
        return Record((*fields.values(), *unknown), is_open)

    def _container(self, value: Container, context: CallContext, nesting: int) -> Value:
        items = tuple(self.expand(item, context, nesting) for item in value.items)
        return Container(value.kind, self.expand(value.of, context, nesting), value.size, items)

    def _join(self, value: Join, context: CallContext, nesting: int) -> Value:
        return join([self.expand(option, context, nesting) for option in value.options])

    def _arith(self, value: Arith, context: CallContext, nesting: int) -> Value:
        return Arith(tuple(self.expand(operand, context, nesting) for operand in value.operands))

    def _call(self, value: Call, context: CallContext, nesting: int) -> Value:
        args = [each for arg in value.args for each in spread(self.expand(arg, context, nesting))]
        keywords = {name: self.expand(each, context, nesting) for name, each in value.keywords}
        callee = self.callee_of(value, context, nesting)
        if callee is not None and callee.function.name not in STATE_METHODS:
            receiver = self.receiver_of(value, context, nesting)
            returned = self._returned(callee, receiver, args, keywords, context, nesting)
            if returned != UNKNOWN:
                return returned
        given = Call(value.callee, tuple(args), tuple(keywords.items()))
        if isinstance(value.callee, Attr):
            base = self.expand(value.callee.base, context, nesting)
            return self._method_call(
                given, value.callee.name, base, self.library_call(value, context, nesting)
            )
        return self._plain_call(given, context, nesting)

    def _method_call(self, call: Call, name: str, base: Value, library_call: str) -> Value:
        """Return what a method that is not followed gives: what its object holds, or the call on that object."""
        if name in ("get", "pop") and call.args and not isinstance(base, (Self, Name)):
            return join([item_in(option, as_key(call.args[0])) for option in options_of(base)])
        if library_call in self.symbols.known.payload_loads:
            return Call(Name(library_call), call.args, (*call.keywords, ("self", base)))
        if name in COPIES or name == "read" and not call.args:
            return base
        if name == "item" and not call.args and self._is_loaded(base):
            return base
        return Call(Attr(base, name), call.args, call.keywords)

    def _plain_call(self, call: Call, context: CallContext, nesting: int) -> Value:
        """Return what a function that is not followed gives: its argument where it passes that on, or the call."""
        callee = call.callee
        target = callee if isinstance(callee, Name) else self.expand(callee, context, nesting)
        if isinstance(target, Name):
            target = Name(self.symbols.resolve(target.path, context.path) or target.path)
            if target.path in TRANSPARENT and call.args:
                return call.args[0]
        if isinstance(callee, Param) and callee.name == "cls" and context.class_id:
            target = Name(context.class_id)
        return Call(target, call.args, call.keywords)

    def _is_loaded(self, value: Value) -> bool:
        """Tell whether a value is what a library loaded: `numpy.load(path).item()` unwraps the mapping in an array."""
        while isinstance(value, Local):
            value = value.value
        return (
            isinstance(value, Call)
            and isinstance(value.callee, Name)
            and value.callee.path in self.symbols.known.payload_loads
        )

    def _returned(
        self,
        callee: FunctionRef,
        receiver: Value,
        args: list[Value],
        keywords: dict[str, Value],
        context: CallContext,
        nesting: int,
    ) -> Value:
        if callee.function.returns is None or context.calls >= MAX_CALLS:
            return UNKNOWN
        if callee.identity == context.callee.identity or callee.identity in context.route:
            return UNKNOWN
        inner = enter_call(callee, receiver, args, keywords, context)
        given = self.expand(callee.function.returns, inner, nesting)
        is_apart = isinstance(given, Container) and not given.items
        return UNKNOWN if is_apart or isinstance(given, Instance) else given

    def receiver_of(self, value: Call, context: CallContext, nesting: int = 0) -> Value:
        """Return the object that a method is called on."""
        if not isinstance(value.callee, Attr):
            return SELF
        base = value.callee.base
        return (
            context.receiver if isinstance(base, (Self, Super)) else self.expand(base, context, nesting + 1)
        )


_HANDLERS: dict[type, Callable[[SymbolicEvaluator, Any, CallContext, int], Value]] = {
    Const: SymbolicEvaluator._const,
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
