"""Which functions and classes take part in saving and loading."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.pairing.function_names import are_partners
from flake8_ckpt.checkpoints.pairing.function_names import is_hook_name
from flake8_ckpt.checkpoints.pairing.function_names import name_to_call
from flake8_ckpt.checkpoints.payload import is_load_function
from flake8_ckpt.checkpoints.summaries import MAX_DEPTH
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Name
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.functions import followed_anywhere
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator


class Participants:
    """The functions and classes of a project that take part in saving and loading."""

    def __init__(self, hierarchy: Hierarchy, evaluator: SymbolicEvaluator) -> None:
        self.hierarchy = hierarchy
        self.evaluator = evaluator
        self.symbols = hierarchy.symbols

    @cached_property
    def units(self) -> tuple[FunctionRef, ...]:
        """Return the functions that take part in saving and loading, methods in each class that takes part."""
        return tuple(self._units())

    def _units(self) -> Iterator[FunctionRef]:
        for each in followed_functions(self.symbols):
            if not each.class_id and each.function.name in self.involved:
                yield each
        for class_id in self.classes:
            yield from self._methods_of(class_id)

    def _methods_of(self, class_id: str) -> Iterator[FunctionRef]:
        """Yield the methods of a class that take part, inherited ones where they depend on those of its own."""
        own = {
            method.name
            for method in self.symbols.classes[class_id].methods
            if method.contract and self._is_involved(method, class_id)
        }
        for owner, method in self.methods(class_id) if own else ():
            is_own = owner == class_id and method.name in own
            if is_own or self._is_involved(method, owner) and _depends(method, own):
                yield method_ref(owner, method, class_id)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Return the classes with a method that takes part in saving and loading, but those of tests."""
        return tuple(
            class_id
            for class_id, facts in self.symbols.classes.items()
            if any(method.contract for method in facts.methods) and not is_test(class_id.partition(":")[0])
        )

    def methods(self, class_id: str) -> Iterator[tuple[str, FunctionFacts]]:
        """Yield the methods of a class that take part, its own and inherited ones, with the class that defines them."""
        seen: set[str] = set()
        for owner in self.hierarchy.ancestors(class_id):
            for name, method in self.hierarchy.methods(owner).items():
                if name not in seen and method.contract:
                    yield owner, method
                seen.add(name)

    @cached_property
    def involved(self) -> frozenset[str]:
        """Return the names of the functions that save or load, are hooks, or call one that is of such a name."""
        found: set[str] = set()
        calls: list[tuple[str, set[str]]] = []
        for class_id in self.classes:
            found |= self._paired_names(class_id)
        for each in followed_anywhere(self.symbols):
            function = each.function
            name = name_to_call(function, each.owner) if each.owner else function.name
            called = {called_name(site.call) for site in function.calls}
            if any(_saves_or_loads(site.call, CallContext(each), self.evaluator) for site in function.calls):
                found.add(name)
            calls.append((name, called))
        for _ in range(MAX_DEPTH):
            found |= {name for name, called in calls if not called.isdisjoint(found)}
        return frozenset(found)

    def _is_involved(self, method: FunctionFacts, owner: str) -> bool:
        return name_to_call(method, owner) in self.involved

    def _paired_names(self, class_id: str) -> set[str]:
        """Return the methods of a class that are one of a pair, the other being its own or inherited."""
        methods = self.symbols.classes[class_id].methods
        own = [method.name for method in methods if method.contract and is_hook_name(method.name)]
        if not own:
            return set()
        others = [method.name for _, method in self.methods(class_id) if is_hook_name(method.name)]
        pairs = [
            (one, other)
            for one in own
            for other in others
            if are_partners(one, other) or are_partners(other, one)
        ]
        return {name for pair in pairs for name in pair}


def _depends(method: FunctionFacts, own: set[str]) -> bool:
    """Tell whether an inherited method calls, or is the partner of, a method that a class defines itself."""
    if any(called_name(site.call) in own for site in method.calls):
        return True
    return any(are_partners(name, method.name) or are_partners(method.name, name) for name in own)


def _saves_or_loads(call: Call, context: CallContext, evaluator: SymbolicEvaluator) -> bool:
    """Tell whether a call itself writes or reads a file."""
    known = evaluator.symbols.known
    if isinstance(call.callee, Name):
        path = call.callee.path
        return path in known.payload_calls or is_load_function(path, known)
    return evaluator.library_call(call, context) in known.payload_calls
