"""A function that is being summarized: what its values are, and which functions its calls enter."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.checkpoints.payload import rooted
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Unknown
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import enter_call
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator

# What comes out of no payload, whatever it is made of; of attributes only those of `self` may: they may be properties.
OTHERS = (Const, Number, Tensor, NdArray, Unknown, Container, Record, Arith, Element, Self, Super)


class FunctionBody:
    """One function, with what was found out of its calls while its summary is made.

    `has_lost_value` tells that a value took too many steps, so that a part of it is Unknown for this reason.
    """

    def __init__(self, unit: FunctionRef, evaluator: SymbolicEvaluator) -> None:
        self.unit = unit
        self.evaluator = evaluator
        self.known = evaluator.symbols.known
        self.context = CallContext(unit)
        self.has_lost_value = False
        self._entered: dict[int, tuple[CallContext, ...]] = {}

    def spot(self, position: Position) -> Spot:
        """Return a place in the file of the function."""
        return Spot(self.unit.path, position)

    def expand(self, value: Value) -> Value:
        """Return a value in terms of the function's parameters."""
        expanded = self.evaluator.expand(value, self.context)
        self.has_lost_value = self.has_lost_value or self.evaluator.budget.is_spent
        return expanded

    def rooted(self, value: Value) -> Iterator[tuple[Value, tuple[str, ...]]]:
        """Return the payloads that a value comes out of, each with the keys that lead to it."""
        is_other = (
            isinstance(value, OTHERS) or isinstance(value, Attr) and not isinstance(value.base, (Self, Super))
        )
        return rooted(self.expand(value), self.known) if not is_other else iter(())

    def entered(self, site: Site) -> tuple[CallContext, ...]:
        """Return the contexts of the functions of the project that a call may enter, with their parameters bound."""
        if id(site) not in self._entered:
            self._entered[id(site)] = tuple(self._enter(site.call))
        return self._entered[id(site)]

    def entered_functions(self) -> frozenset[str]:
        """Return the identities of the functions that were entered."""
        return frozenset(each.callee.identity for every in self._entered.values() for each in every)

    def _enter(self, call: Call) -> Iterator[CallContext]:
        reached = self.evaluator.callees_of(call, self.context)
        if not reached or not all(each.function.contract for each in reached):
            return
        args = [self.expand(arg) for arg in call.args]
        keywords = {name: self.expand(each) for name, each in call.keywords}
        receiver = self.evaluator.receiver_of(call, self.context)
        for each in reached:
            yield enter_call(each, receiver, args, keywords, self.context)
