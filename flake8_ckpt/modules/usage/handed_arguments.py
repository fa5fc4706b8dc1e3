"""What the project hands to the constructor of a class, whatever the annotation of the parameter promises."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from functools import cached_property

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import bind
from flake8_ckpt.linking.functions import functions_outside_tests
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.kind_context import KindContext
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.linking.value_names import inner_values
from flake8_ckpt.modules.members import AttributeWrite


class HandedArguments:
    """Finds the calls that construct the classes of a project."""

    def __init__(self, kind_evaluator: KindEvaluator) -> None:
        self.kind_evaluator = kind_evaluator
        self.hierarchy = kind_evaluator.hierarchy
        self.symbols = kind_evaluator.symbols

    def are_modules(self, class_id: str, changes: Sequence[AttributeWrite]) -> bool:
        """Tell whether some writes of a constructor all take over a parameter for which it is handed modules."""
        return all(
            isinstance(each.write.value, Param) and self.is_module(class_id, each.write.value.name)
            for each in changes
        )

    def is_module(self, class_id: str, parameter: str) -> bool:
        """Tell whether all that construct a class hand it a module for a parameter, such as a `ModuleList`."""
        found = self.hierarchy.find_method(class_id, "__init__")
        if found is None or self.hierarchy.subclasses(class_id):
            return False
        constructor = method_ref(*found, class_id)
        given = [
            self._resolved(bind(constructor, list(call.args), dict(call.keywords)).get(parameter), unit)
            for unit, call in self._calls.get(class_id, ())
        ]
        return bool(given) and all(isinstance(each, Module) for each in given)

    def is_always_given(self, class_id: str, parameter: str) -> bool:
        """Tell whether all that construct a class hand it something for a parameter, None excepted."""
        found = self.hierarchy.find_method(class_id, "__init__")
        calls = self._calls.get(class_id, ())
        if found is None or not calls or self.hierarchy.subclasses(class_id):
            return False
        constructor = method_ref(*found, class_id)
        given = [
            bind(constructor, list(call.args), dict(call.keywords)).get(parameter, NONE) for _, call in calls
        ]
        return all(each not in (NONE, UNKNOWN) for each in given)

    def _resolved(self, value: Value | None, unit: FunctionRef) -> Value:
        context = KindContext(unit.path, unit.class_id, unit.owner, unit.function)
        return self.kind_evaluator.resolve(value or UNKNOWN, context)

    @cached_property
    def _calls(self) -> Mapping[str, list[tuple[FunctionRef, Call]]]:
        found: dict[str, list[tuple[FunctionRef, Call]]] = defaultdict(list)
        for unit in functions_outside_tests(self.symbols):
            for call in _calls_in(unit):
                if isinstance(call.callee, Name):
                    class_id = self.symbols.resolve(call.callee.path, unit.path)
                    if class_id in self.symbols.classes:
                        found[class_id].append((unit, call))
        return found


def _calls_in(unit: FunctionRef) -> Iterator[Call]:
    """Yield the calls of a function, each once, also those that gave what locals and attributes are bound to."""
    seen: set[Value] = set()
    for value in (
        *(each.value for each in unit.function.writes),
        *(each.call for each in unit.function.calls),
    ):
        yield from _calls_through_locals(value, seen)


def _calls_through_locals(value: Value, seen: set[Value]) -> Iterator[Call]:
    inner = inner_values(value)
    if isinstance(value, (Local, Call)):
        if value in seen:
            return
        seen.add(value)
        inner = (value.value,) if isinstance(value, Local) else (value.callee, *value.args)
    if isinstance(value, Call):
        yield value
    for each in inner:
        yield from _calls_through_locals(each, seen)
