"""Optimizers that go on with what they were built over, after a load has bound something new to its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flake8_ckpt.checkpoints.payload import rooted
from flake8_ckpt.facts.model import NESTED
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Self
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.ledger.mentions import Binding
from flake8_ckpt.losses.ledger.mentions import Mention
from flake8_ckpt.losses.resumption import Resumption

# Methods that give an optimizer new tensors: `optimizer.add_param_group({"params": [alpha]})`.
REGROUPS = frozenset(["add_param_group", "param_groups"])


@dataclass(frozen=True)
class OrphanedOptimizer:
    """An optimizer, what it was built over, where a load binds something new to that, and where it was built."""

    name: str
    trained: str
    is_module: bool
    location: Spot
    made: Spot


@dataclass(frozen=True)
class UnpickledScheduler:
    """A scheduler that a load binds as a whole: it steps the optimizer that was pickled with it, nobody else's."""

    name: str
    location: Spot


class OrphanedOptimizers:
    """Asks the ledger what loads bind anew."""

    def __init__(self, ledger: Ledger, resumption: Resumption) -> None:
        self.ledger = ledger
        self.resumption = resumption
        self.aliases = ledger.aliases
        self.known = ledger.known

    def found(self) -> Iterator[OrphanedOptimizer]:
        """Yield each binding of a load that leaves an optimizer behind."""
        for each, holder in self._loaded:
            yield from self._left_behind(each, holder) if not each.step else ()

    def unpickled_schedulers(self) -> Iterator[UnpickledScheduler]:
        """Yield the schedulers that loads take whole, where they do not take the optimizer whole as well."""
        for each, holder in self._loaded:
            if any(True for _ in rooted(each.value, self.known)) and self._steps_a_copy(holder, each):
                yield UnpickledScheduler(holder.name, each.location)

    @cached_property
    def _loaded(self) -> tuple[tuple[Binding, Holder], ...]:
        """Return the bindings of what loads take, with what is bound."""
        found = (each for bindings in self.aliases.index.bindings.values() for each in bindings)
        taken = [each for each in found if isinstance(each.into, (Attr, Local)) and self._is_loaded(each)]
        taken = [each for each in taken if isinstance(each.into, Attr) or not _is_inner(each)]
        bound = ((each, self.aliases.bound(each)) for each in taken)
        return tuple((each, holder) for each, holder in bound if holder is not None and self._goes_on(each))

    def _goes_on(self, binding: Binding) -> bool:
        """Tell whether some program trains on with what a load binds: who evaluates steps no optimizer."""
        return self.resumption.goes_on_from(binding.unit, binding.position)

    def _steps_a_copy(self, scheduler: Holder, binding: Binding) -> bool:
        if self.ledger.kind_of(scheduler) != "scheduler" or not self.ledger.is_updated(
            scheduler, "scheduler"
        ):
            return False
        if self._is_given_optimizer(scheduler.name):
            return False
        others = [each for each in self.aliases.index.bindings_of(binding.unit) if each.loaded]
        bound = (self.aliases.bound(each) for each in others)
        return not any(each is not None and self.ledger.kind_of(each) == "optimizer" for each in bound)

    def _is_given_optimizer(self, name: str) -> bool:
        """Tell whether some code gives a scheduler of a name the optimizer that it is to step."""
        bound = (each.into for each in self.aliases.index.bindings.get("optimizer", ()))
        return any(isinstance(each, Attr) and last_name(each.base) == name for each in bound)

    def _is_loaded(self, binding: Binding) -> bool:
        """Tell whether a load itself binds a value: a part of a payload, or what a file holds as a whole."""
        if binding.loaded and binding.location in self._taken:
            return True
        if not isinstance(binding.value, Call) or not isinstance(binding.value.callee, Name):
            return False
        path = self.ledger.symbols.resolve(binding.value.callee.path, binding.unit.path)
        return path in self.known.payload_loads

    @cached_property
    def _taken(self) -> frozenset[Spot]:
        """Return the statements that take a key out of a payload."""
        groups = self.ledger.contract.groups
        loads = (*groups.final[1], *(load for group in groups.hooks for load in group.loads))
        return frozenset(each.location for each in loads if each.keys)

    def _left_behind(self, binding: Binding, holder: Holder) -> Iterator[OrphanedOptimizer]:
        for each in self.ledger.mentions(holder):
            for name, optimizer in self._built(each) if each.how == "trained" else ():
                if not self._is_built_after(each, binding) and not self._is_rebuilt(optimizer, binding):
                    yield OrphanedOptimizer(
                        name, holder.name, each.of_module, binding.location, each.location
                    )

    def _built(self, mention: Mention) -> Iterator[tuple[str, Holder]]:
        """Yield the names of the optimizer that is built over what is mentioned."""
        site = mention.site
        for each in self.aliases.index.bindings_of(mention.unit):
            is_made = (
                isinstance(each.value, Call) and site is not None and each.value.callee == site.call.callee
            )
            holder = self.aliases.bound(each) if is_made and each.position == mention.position else None
            if holder is not None and self.ledger.kind_of(holder) == "optimizer":
                yield holder.name, holder

    def _is_built_after(self, built: Mention, binding: Binding) -> bool:
        """Tell whether the optimizer is built when what is loaded is there already, or nobody knows in which order."""
        maker, loader = built.unit, binding.unit
        if maker.identity == loader.identity:
            return built.position > binding.position
        calls = [site for site in maker.function.calls if called_name(site.call) == loader.name]
        if calls:
            return all(site.position < built.position for site in calls)
        return bool(maker.class_id) and (not self._is_construction(maker) or self._runs_again(maker))

    def _runs_again(self, maker: FunctionRef) -> bool:
        """Tell whether more than construction calls a method: `reset()` builds the optimizer before each run."""
        callers = self.aliases.allocations.callers.get(maker.identity, ())
        return maker.name != "__init__" and any(unit.name != "__init__" for unit, _ in callers)

    def _is_construction(self, maker: FunctionRef) -> bool:
        """Tell whether a method is the constructor of its class, or one that this calls."""
        if maker.name == "__init__":
            return True
        found = self.ledger.hierarchy.find_method(maker.class_id, "__init__")
        return found is not None and any(
            isinstance(site.call.callee, Attr)
            and isinstance(site.call.callee.base, Self)
            and site.call.callee.name == maker.name
            for site in found[1].calls
        )

    def _is_rebuilt(self, optimizer: Holder, binding: Binding) -> bool:
        """Tell whether the function that loads, or one that it calls, gives the optimizer the new tensors."""
        later = set()
        for site in binding.unit.function.calls:
            inner = self.ledger.contract.evaluator.callee_of(site.call, CallContext(binding.unit))
            later |= {inner.identity} if inner is not None and site.position > binding.position else set()

        def is_later(each: Binding | Mention) -> bool:
            is_own = each.unit.identity == binding.unit.identity and each.position > binding.position
            return is_own or each.unit.identity in later

        if any(map(is_later, self.aliases.bindings(optimizer))):
            return True
        return any(each.name in REGROUPS and is_later(each) for each in self.ledger.mentions(optimizer))


def _is_inner(binding: Binding) -> bool:
    """Tell whether a local is one of a function inside another one, which binds its own by the same name."""
    stores = binding.unit.function.stores
    return any(NESTED in each.guards for each in stores if each.position == binding.position)
