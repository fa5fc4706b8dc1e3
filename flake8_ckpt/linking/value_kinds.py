"""Link values: replace what one file could not know by what the project knows.

Depth of substitution is bounded; recursion and everything beyond is Unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from flake8_ckpt.facts import torch_calls as torchlib
from flake8_ckpt.facts.member_values import attribute_of
from flake8_ckpt.facts.member_values import element_of
from flake8_ckpt.facts.member_values import item_of
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.tensor_traits import of_arithmetic
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Instance
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.module_bases import is_external_module
from flake8_ckpt.frameworks.torch import MODULE_METHODS
from flake8_ckpt.linking.callees import names_called
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.kind_context import KindContext

# `T.as_tensor(x)` of a project's own helper module, which is not read: what it gives is a tensor by its name.
CONVERTERS = re.compile(r"(^|[._])(to|as)_tensor$")
# Helper functions that call helper functions; deeper ones, and deeper expressions, are Unknown.
MAX_CALLS = 5
MAX_NESTING = 24
# Registrations that make an attribute a tensor of the module; what a `ModuleList` took may be anything.
REGISTERED = ("buffer", "state", "parameter")
SYMBOLIC = (Name, Param, Attr, Item, Element, Call, Arith, Self, Super)


class KindEvaluator:
    """Resolves values against the project."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.symbols = hierarchy.symbols
        self._attributes: dict[tuple[str, str], Value] = {}
        self._open: set[tuple[str, str]] = set()
        self._setters_of: dict[str, dict[str, list[FunctionFacts]]] = {}

    def resolve(self, value: Value, context: KindContext, nesting: int = 0) -> Value:
        """Return a value with nothing symbolic left in it."""
        if nesting > MAX_NESTING:
            return UNKNOWN
        handler = _HANDLERS.get(type(value))
        return handler(self, value, context, nesting + 1) if handler else value

    def instance(self, path: str, context: KindContext) -> Value:
        """Return what an object of a class is."""
        identity = self.symbols.resolve(path, context.path)
        if identity in self.symbols.classes:
            return Module(identity) if self.hierarchy.is_module(identity) else Instance(identity)
        if is_external_module(identity, self.symbols.known, self.hierarchy.module_bases):
            return Module(identity)
        return torchlib.instance_of(identity) or (Instance(identity) if identity else UNKNOWN)

    def attribute(self, class_id: str, attr: str) -> Value:
        """Return what an attribute of a class's objects is after construction, as far as its methods tell."""
        key = (class_id, attr)
        if key in self._open:
            return UNKNOWN
        if key not in self._attributes:
            self._open.add(key)
            self._attributes[key] = self._attribute(class_id, attr)
            self._open.discard(key)
        return self._attributes[key]

    def _attribute(self, class_id: str, attr: str) -> Value:
        values: list[Value] = []
        for owner in self.hierarchy.ancestors(class_id):
            for method in self._setters(owner).get(attr, ()):
                context = KindContext(owner.partition(":")[0], class_id, owner, method)
                for register in method.registers:
                    if register.name == attr and register.kind in REGISTERED:
                        return Parameter() if register.kind == "parameter" else Buffer(register.persistent)
                if method.name == attr and "property" in method.decorators and method.returns is not None:
                    return self.resolve(method.returns, context)
                values += [
                    self.resolve(write.value, context)
                    for write in method.writes
                    if write.attr == attr and write.how == "assign"
                ]
        return join([value for value in values if value not in (NONE, UNKNOWN)]) if values else UNKNOWN

    def _setters(self, owner: str) -> dict[str, list[FunctionFacts]]:
        """Return the methods of a class by the attributes that they say something of."""
        if owner not in self._setters_of:
            found = self._setters_of[owner] = {}
            for method in self.hierarchy.methods(owner).values():
                names = {register.name for register in method.registers}
                names.update(write.attr for write in method.writes if write.how == "assign")
                if "property" in method.decorators:
                    names.add(method.name)
                for name in names:
                    found.setdefault(name, []).append(method)
        return self._setters_of[owner]

    def _param(self, value: Param, context: KindContext, nesting: int) -> Value:
        if value.name in context.bound:
            return _settled(context.bound[value.name])
        if context.function is None:
            return UNKNOWN
        for parameter in context.function.parameters:
            if parameter.name == value.name:
                promised = self.resolve(parameter.annotation or UNKNOWN, context, nesting)
                default = self.resolve(parameter.default or UNKNOWN, context, nesting)
                if isinstance(default, Tensor):
                    return Tensor("data") if promised == UNKNOWN else promised
                handed = join([_lying_there(each) for each in options_of(promised)])
                return join([handed, NONE]) if default == NONE else handed
        return UNKNOWN

    def _instance(self, value: Instance, context: KindContext, nesting: int) -> Value:
        return self.instance(value.path, context)

    def _name(self, value: Name, context: KindContext, nesting: int) -> Value:
        return UNKNOWN

    def _self(self, value: Value, context: KindContext, nesting: int) -> Value:
        return (
            Module(context.class_id)
            if context.class_id and self.hierarchy.is_module(context.class_id)
            else UNKNOWN
        )

    def _attr(self, value: Attr, context: KindContext, nesting: int) -> Value:
        if isinstance(value.base, (Self, Super)):
            return self.attribute(context.class_id, value.name) if context.class_id else UNKNOWN
        base = self.resolve(value.base, context, nesting)
        if isinstance(base, (Module, Instance)) and base.path in self.symbols.classes:
            return self.attribute(base.path, value.name)
        return self._each(base, lambda each: _settled(attribute_of(each, value.name)))

    def _item(self, value: Item, context: KindContext, nesting: int) -> Value:
        base = self.resolve(value.base, context, nesting)
        return self._each(base, lambda each: _settled(item_of(each, value.key)))

    def _element(self, value: Element, context: KindContext, nesting: int) -> Value:
        base = self.resolve(value.base, context, nesting)
        return self._each(base, lambda each: _settled(element_of(each)))

    def _each(self, value: Value, change: Callable[[Value], Value]) -> Value:
        return join([change(option) for option in options_of(value)])

    def _container(self, value: Container, context: KindContext, nesting: int) -> Value:
        items = tuple(self.resolve(item, context, nesting) for item in value.items)
        return Container(value.kind, self.resolve(value.of, context, nesting), value.size, items)

    def _record(self, value: Record, context: KindContext, nesting: int) -> Value:
        fields = tuple(
            Field(each.key, self.resolve(each.value, context, nesting), each.always) for each in value.fields
        )
        return Record(fields, value.open)

    def _join(self, value: Join, context: KindContext, nesting: int) -> Value:
        return join([self.resolve(option, context, nesting) for option in value.options])

    def _arith(self, value: Arith, context: KindContext, nesting: int) -> Value:
        operands = [_certain(self.resolve(operand, context, nesting)) for operand in value.operands]
        return _settled(torchlib.combine(operands))

    def _call(self, value: Call, context: KindContext, nesting: int) -> Value:
        callee = value.callee
        args = [self._argument(arg, context, nesting) for arg in value.args]
        keywords = {name: self._argument(each, context, nesting) for name, each in value.keywords}
        if isinstance(callee, Name):
            found = self._call_name(callee.path, args, keywords, context)
            return (
                Tensor("data") if UNKNOWN in options_of(found) and CONVERTERS.search(callee.path) else found
            )
        if not isinstance(callee, Attr):
            names = names_called(callee, context, self.symbols)
            return join([self._call_name(each.path, args, keywords, context) for each in names])
        if isinstance(callee.base, (Self, Super)):
            return self._call_method(context, callee, args, keywords)
        base = self.resolve(callee.base, context, nesting)
        return self._each(base, lambda each: self._call_on(each, callee.name, args, keywords, context))

    def _argument(self, value: Value, context: KindContext, nesting: int) -> Value:
        """Return what a call hands on: a class or function as its name, anything else resolved."""
        if isinstance(value, Name):
            return Name(self.symbols.resolve(value.path, context.path))
        return self.resolve(value, context, nesting)

    def _call_on(
        self, base: Value, name: str, args: list[Value], keywords: dict[str, Value], context: KindContext
    ) -> Value:
        if isinstance(base, (Parameter, Buffer)):
            if name.endswith("_"):
                return base
            base = Tensor("data")
        if isinstance(base, (Tensor, NdArray)):
            return _settled(torchlib.call_method(base, name, args, keywords))
        if isinstance(base, Module):
            return base if name in MODULE_METHODS else UNKNOWN
        if isinstance(base, Instance) and base.path in self.symbols.classes:
            found = self.hierarchy.find_method(base.path, name)
            return (
                self._returned(found[0], found[1], base.path, args, keywords, context) if found else UNKNOWN
            )
        if isinstance(base, Container):
            return base if name in ("copy", "values") else base.of if name in ("get", "pop") else UNKNOWN
        return UNKNOWN

    def _call_method(
        self, context: KindContext, callee: Attr, args: list[Value], keywords: dict[str, Value]
    ) -> Value:
        if not context.class_id:
            return UNKNOWN
        after = context.owner if isinstance(callee.base, Super) else ""
        found = self.hierarchy.find_method(context.class_id, callee.name, after)
        return (
            self._returned(found[0], found[1], context.class_id, args, keywords, context)
            if found
            else UNKNOWN
        )

    def _call_name(
        self, name: str, args: list[Value], keywords: dict[str, Value], context: KindContext
    ) -> Value:
        identity = self.symbols.resolve(name, context.path)
        if identity in self.symbols.classes:
            return self.instance(name, context)
        function = self.symbols.functions.get(identity)
        if function is not None:
            return self._returned("", function, "", args, keywords, context, identity)
        head, _, method = identity.rpartition(".")
        if ":" in identity and head in self.symbols.classes:
            found = self.hierarchy.find_method(head, method)
            return self._returned(found[0], found[1], head, args, keywords, context) if found else UNKNOWN
        if ":" in identity or not identity:
            return UNKNOWN
        if is_external_module(identity, self.symbols.known, self.hierarchy.module_bases):
            return Module(identity)
        return _settled(torchlib.call_global(identity, args, keywords) or UNKNOWN)

    def _returned(
        self,
        owner: str,
        function: FunctionFacts,
        class_id: str,
        args: list[Value],
        keywords: dict[str, Value],
        context: KindContext,
        identity: str = "",
    ) -> Value:
        if function.returns is None or context.calls >= MAX_CALLS:
            return UNKNOWN
        path = (owner or identity).partition(":")[0]
        names = [each.name for each in function.parameters]
        if owner and "staticmethod" not in function.decorators:
            names = names[1:]
        bound = {**dict(zip(names, args)), **{name: each for name, each in keywords.items() if name in names}}
        known = {name: each for name, each in bound.items() if each != UNKNOWN}
        inside = KindContext(path, class_id, owner, function, known, context.calls + 1)
        returned = self.resolve(function.returns, inside)
        lies_there = any(isinstance(each, Tensor) and each.placed for each in (*args, *keywords.values()))
        return _lying_there(returned) if lies_there else returned


def _lying_there(value: Value) -> Value:
    """Return what a caller hands in: a tensor lies where the caller put it."""
    return replace(value, placed=True) if isinstance(value, Tensor) else value


def _settled(value: Value) -> Value:
    return UNKNOWN if isinstance(value, SYMBOLIC) else value


def _certain(value: Value) -> Value:
    """Return a join of alternatives as one operand: a tensor only where all alternatives are."""
    if not isinstance(value, Join):
        return value
    kept = [option for option in value.options if option != NONE]
    if kept and all(isinstance(option, (Tensor, Parameter, Buffer)) for option in kept):
        return of_arithmetic(Tensor(torchlib.merge_origin(kept)), kept)
    return UNKNOWN


_HANDLERS: dict[type, Callable[[KindEvaluator, Any, KindContext, int], Value]] = {
    Param: KindEvaluator._param,
    Instance: KindEvaluator._instance,
    Name: KindEvaluator._name,
    Self: KindEvaluator._self,
    Super: KindEvaluator._self,
    Attr: KindEvaluator._attr,
    Item: KindEvaluator._item,
    Element: KindEvaluator._element,
    Container: KindEvaluator._container,
    Record: KindEvaluator._record,
    Join: KindEvaluator._join,
    Arith: KindEvaluator._arith,
    Call: KindEvaluator._call,
}
