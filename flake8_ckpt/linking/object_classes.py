"""Which class an object is of, and which function of the project a call reaches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from typing import Optional

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Instance
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.torch import MODULE_METHODS
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import enter_call
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.functions import script_of
from flake8_ckpt.linking.library_calls import method_of_class
from flake8_ckpt.linking.library_calls import method_of_variable
from flake8_ckpt.linking.parameter_classes import ParameterClasses

# Factories that call factories, and attributes of attributes: deeper ones have no known class.
MAX_CALLS = 5
MAX_NESTING = 24
# An attribute that only subclasses set has their common class, where these are few.
MAX_SUBCLASSES = 16
# A method, and a value that it gives to an attribute.
Set = tuple[FunctionFacts, Value]


class ObjectClasses:
    """Tells the classes of objects, as the functions of a project make, annotate and hand them on."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.symbols = hierarchy.symbols
        self._parameters = ParameterClasses(hierarchy, self.class_of, self.callee_of)
        self._attributes: dict[tuple[str, str], str] = {}
        self._values_set: dict[str, Mapping[str, list[Set]]] = {}
        self._open: set[tuple[str, str]] = set()

    def callee_of(self, value: Call, context: CallContext, nesting: int = 0) -> Optional[FunctionRef]:
        """Return the function of the project that a call reaches, if it is known."""
        target = value.callee
        if isinstance(target, Name):
            return self._named_callee(self.symbols.resolve(target.path, context.path))
        if not isinstance(target, Attr):
            return None
        if isinstance(target.base, (Self, Super)):
            after = context.callee.owner if isinstance(target.base, Super) else ""
            found = (
                self.hierarchy.find_method(context.class_id, target.name, after) if context.class_id else None
            )
            return method_ref(*found, context.class_id) if found else None
        class_id = self.class_of(target.base, context, nesting + 1)
        found = (
            self.hierarchy.find_method(class_id, target.name) if class_id in self.symbols.classes else None
        )
        return method_ref(*found, class_id) if found else None

    def callees_of(self, value: Call, context: CallContext) -> list[FunctionRef]:
        """Return the functions of the project that a call may reach, one for each class that its object may be of.

        There are none where one of these is not known, or has no such method in the project.
        """
        alone = self.callee_of(value, context)
        if alone is not None or not isinstance(value.callee, Attr):
            return [alone] if alone is not None else []
        name = value.callee.name
        found: dict[str, FunctionRef] = {}
        for class_id in sorted(self._classes_of(value.callee.base, context)):
            method = self.hierarchy.find_method(class_id, name) if class_id in self.symbols.classes else None
            if method is None:
                return []
            inner = method_ref(*method, class_id)
            found.setdefault(inner.identity, inner)
        return list(found.values())

    def _classes_of(self, value: Value, context: CallContext) -> set[str]:
        """Return the classes that an object may be of, as branches or several assignments decide."""
        while isinstance(value, Local):
            value = value.value
        if isinstance(value, Join):
            return {self.class_of(option, context) for option in value.options if option != NONE}
        if not isinstance(value, Attr):
            return set()
        owner = self.class_of(value.base, context)
        return {
            name
            for each in self.hierarchy.ancestors(owner)
            if owner in self.symbols.classes
            for name in self._classes_set(each, owner, value.name)
        }

    def _named_callee(self, identity: str) -> Optional[FunctionRef]:
        function = self.symbols.functions.get(identity)
        if function is not None:
            return FunctionRef(identity, function)
        head, _, name = identity.rpartition(".")
        found = self.hierarchy.find_method(head, name) if head in self.symbols.classes else None
        return method_ref(*found, head) if found else None

    def library_call(self, value: Call, context: CallContext, nesting: int = 0) -> str:
        """Return the dotted name of what a call reaches outside the project, as far as that is known."""
        target = value.callee
        if isinstance(target, Name):
            return self.symbols.resolve(target.path, context.path)
        if not isinstance(target, Attr) or target.name not in self.symbols.known.method_names:
            return ""
        class_id = self.class_of(target.base, context, nesting + 1)
        if class_id and self.hierarchy.defines(class_id, target.name):
            return ""
        found = method_of_class(class_id, target.name, self.hierarchy) if class_id else ""
        return found or method_of_variable(target, self.symbols.known)

    def class_of(self, value: Value, context: CallContext, nesting: int = 0) -> str:
        """Return the class of an object: an identity of the project or an absolute name, "" where it is unknown."""
        if nesting > MAX_NESTING:
            return ""
        finder = _FINDERS.get(type(value))
        return finder(self, value, context, nesting + 1) if finder else ""

    def _class_of_self(self, value: Value, context: CallContext, nesting: int) -> str:
        return context.class_id

    def _class_of_local(self, value: Local, context: CallContext, nesting: int) -> str:
        return self.class_of(value.value, context, nesting)

    def _class_of_named(self, value: Module, context: CallContext, nesting: int) -> str:
        return self.symbols.resolve(value.path, context.path)

    def _class_of_variable(self, value: Name, context: CallContext, nesting: int) -> str:
        identity = self.symbols.resolve(value.path, context.path)
        values = self.symbols.variable(identity)
        script = script_of(identity.partition(":")[0], self.symbols) if values else None
        if script is None:
            return ""
        found = {self.class_of(each, CallContext(script), nesting) for each in values if each != NONE}
        return found.pop() if len(found) == 1 else ""

    def _class_of_param(self, value: Param, context: CallContext, nesting: int) -> str:
        if value.name in context.bound:
            return self.class_of(context.bound[value.name], replace(context, bound={}), nesting)
        for parameter in context.callee.function.parameters:
            if parameter.name == value.name and parameter.annotation is not None:
                return self.class_of(parameter.annotation, context, nesting)
        return self._parameters.of(context.callee, value.name, nesting) if value.name != "cls" else ""

    def _class_of_join(self, value: Join, context: CallContext, nesting: int) -> str:
        found = {self.class_of(option, context, nesting) for option in value.options if option != NONE}
        return found.pop() if len(found) == 1 else ""

    def _class_of_attr(self, value: Attr, context: CallContext, nesting: int) -> str:
        class_id = self.class_of(value.base, context, nesting)
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
                subclasses = subclasses if len(subclasses) <= MAX_SUBCLASSES else []
                found = {name for each in subclasses for name in self._classes_set(each, each, attr) if name}
            if not found and self._is_set(class_id, attr):
                found = {self._parameters.of_attribute(class_id, attr)}
            self._attributes[key] = found.pop() if len(found) == 1 else ""
            self._open.discard(key)
        return self._attributes[key]

    def _is_set(self, class_id: str, attr: str) -> bool:
        """Tell whether methods of a class set an attribute to something other than None."""
        return any(
            write.attr == attr and write.how == "assign" and write.value != NONE
            for _, method in self.hierarchy.inherited_methods(class_id)
            for write in method.writes
        )

    def _classes_set(self, owner: str, class_id: str, attr: str) -> list[str]:
        if owner not in self._values_set:
            self._values_set[owner] = _values_set(self.hierarchy.methods(owner).values())
        return [
            self.class_of(value, CallContext(method_ref(owner, method, class_id)))
            for method, value in self._values_set[owner].get(attr, ())
        ]

    def _class_of_call(self, value: Call, context: CallContext, nesting: int) -> str:
        target = value.callee
        if isinstance(target, Param) and target.name == "cls":
            return context.class_id
        if isinstance(target, Name):
            identity = self.symbols.resolve(target.path, context.path)
            if identity in self.symbols.classes:
                return identity
        if isinstance(target, Attr) and target.name in MODULE_METHODS:
            return self.class_of(target.base, context, nesting)
        callee = self.callee_of(value, context, nesting)
        if callee is not None:
            if callee.function.returns is None or context.calls >= MAX_CALLS:
                return ""
            inner = enter_call(callee, SELF, [], {}, context)
            return self.class_of(callee.function.returns, inner, nesting)
        return (
            _outside_class(self.symbols.resolve(target.path, context.path))
            if isinstance(target, Name)
            else ""
        )


def _values_set(methods: Iterable[FunctionFacts]) -> Mapping[str, list[Set]]:
    """Return what methods of one class set its attributes to, with what they register as modules, by attribute."""
    found: dict[str, list[Set]] = defaultdict(list)
    for method in methods:
        for write in method.writes:
            if write.how == "assign":
                found[write.attr].append((method, write.value))
        for each in method.registers:
            if each.kind == "module":
                found[each.name].append((method, each.value))
        if "property" in method.decorators and method.returns is not None:
            found[method.name].append((method, method.returns))
    return found


def _outside_class(path: str) -> str:
    """Return the class of another package that a call constructs: `pkg.Class(...)` or `pkg.Class.load(...)`."""
    if ":" in path:
        return ""
    head, _, tail = path.rpartition(".")
    if tail[:1].isupper():
        return path
    owner = head.rpartition(".")[2]
    return head if owner[:1].isupper() and tail.startswith(("load", "from_", "create", "make")) else path


_FINDERS: dict[type, Callable[[ObjectClasses, Any, CallContext, int], str]] = {
    Self: ObjectClasses._class_of_self,
    Super: ObjectClasses._class_of_self,
    Local: ObjectClasses._class_of_local,
    Module: ObjectClasses._class_of_named,
    Instance: ObjectClasses._class_of_named,
    Name: ObjectClasses._class_of_variable,
    Param: ObjectClasses._class_of_param,
    Join: ObjectClasses._class_of_join,
    Attr: ObjectClasses._class_of_attr,
    Call: ObjectClasses._class_of_call,
}
