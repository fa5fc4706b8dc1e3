"""Under which names the programs of a project know one object.

From a name it is followed back to where the object comes from, through locals, attributes, containers and the
callers of a function, and from there forward to all functions that are given it:

    def main(path):                              # asked for `self.sched` of Runner: back to `s` of
        s = make(opt)                            # `Runner.__init__`, then to `s` of `main`, which `save` is
        Runner(s).run()                          # given as well: forward to `one` of `save`. Another call
        save(s, path)                            # `save(other)` is not followed back: another object.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Optional

from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.allocation_sites import AllocationSites
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.losses.ledger.by_holder import ByHolder
from flake8_ckpt.losses.ledger.holder import OWN
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.holder import Holders
from flake8_ckpt.losses.ledger.holder import item_step
from flake8_ckpt.losses.ledger.index import MentionIndex
from flake8_ckpt.losses.ledger.mentions import NAMING
from flake8_ckpt.losses.ledger.mentions import Binding
from flake8_ckpt.losses.ledger.mentions import Mention
from flake8_ckpt.losses.ledger.mentions import leaves_of

# Names of one object, steps in one name, mentions under one name, callers of one function: what has more is not
# followed further.
MAX_HOLDERS = 96
MAX_STEPS = 6
MAX_MENTIONS = 2_000
MAX_CALLERS = 24
# Factories that call factories: what a deeper one makes is not known.
MAX_FACTORIES = 4
# A function, one of its calls, and the function that the call runs.
Caller = tuple[FunctionRef, Site, FunctionRef]


@dataclass(frozen=True)
class Aliases:
    """The names of one object; there may be others where they are not complete."""

    holders: tuple[Holder, ...]
    is_complete: bool


class AliasFinder:
    """Follows objects."""

    def __init__(self, index: MentionIndex, allocations: AllocationSites) -> None:
        self.index = index
        self.symbols = index.symbols
        self.hierarchy = index.groups.hierarchy
        self.allocations = allocations
        self.holders = Holders(index.groups.evaluator)
        self._found: dict[Holder, Aliases] = {}
        self._before: dict[Holder, tuple[Holder, ...]] = {}
        self._earlier: dict[Holder, tuple[Holder, ...]] = {}
        self._after: dict[Holder, tuple[Holder, ...]] = {}
        self._mentions: dict[Holder, tuple[Mention, ...]] = {}
        self._bindings: dict[Holder, tuple[Binding, ...]] = {}
        self._by_mention: dict[str, ByHolder[Mention]] = {}
        self._by_binding: dict[str, ByHolder[Binding]] = {}
        self._by_value: dict[str, ByHolder[Binding]] = {}
        self._held: dict[Holder, tuple[tuple[FunctionRef, Value], ...]] = {}
        self._given: dict[Holder, tuple[tuple[FunctionRef, Value], ...]] = {}
        self._entered: dict[str, Mapping[str, list[Caller]]] = {}
        self._callers: dict[str, tuple[Caller, ...]] = {}
        self._holder_of: dict[int, Optional[Holder]] = {}
        self._bound_to: dict[int, Optional[Holder]] = {}

    def of(self, holder: Holder) -> Aliases:
        """Return the names of the object that one name holds."""
        if holder not in self._found:
            found = _reached(self.sources(holder), self._targets)
            is_complete = len(found) < MAX_HOLDERS and not any(map(self._is_cut, found))
            self._found[holder] = Aliases(found, is_complete)
        return self._found[holder]

    def _is_cut(self, holder: Holder) -> bool:
        """Tell whether there are more mentions under a name than are looked at."""
        return len(self.index.mentions.get(holder.name, ())) > MAX_MENTIONS

    def sources(self, holder: Holder) -> tuple[Holder, ...]:
        """Return a name, and those that its object had before."""
        if holder not in self._before:
            self._before[holder] = _reached([holder], self._sources)
        return self._before[holder]

    def mentions(self, holder: Holder) -> tuple[Mention, ...]:
        """Return the mentions of an object under one of its names."""
        if holder not in self._mentions:
            self._mentions[holder] = self._mentioned(holder.name).of(holder)
        return self._mentions[holder]

    def held(self, holder: Holder) -> tuple[tuple[FunctionRef, Value], ...]:
        """Return what is bound to a name, with what functions of the project return instead of their calls."""
        if holder not in self._held:
            bound = self.bindings(holder)
            self._held[holder] = tuple(
                found for each in bound for found in self.origins(each.value, each.unit)
            )
        return self._held[holder]

    def _mentioned(self, name: str) -> ByHolder[Mention]:
        """Return the mentions under a last name."""
        if name not in self._by_mention:
            near = self.index.mentions.get(name, ())[:MAX_MENTIONS]
            self._by_mention[name] = ByHolder(((self.holder_of(each), each) for each in near), self.hierarchy)
        return self._by_mention[name]

    def bindings(self, holder: Holder) -> tuple[Binding, ...]:
        """Return what is bound to a name."""
        if holder not in self._bindings:
            self._bindings[holder] = self._bound(holder.name).of(holder)
        return self._bindings[holder]

    def _bound(self, name: str) -> ByHolder[Binding]:
        """Return what is bound to a last name."""
        if name not in self._by_binding:
            near = self.index.bindings.get(name, ())[:MAX_MENTIONS]
            self._by_binding[name] = ByHolder(((self.bound(each), each) for each in near), self.hierarchy)
        return self._by_binding[name]

    def _kept_as(self, name: str) -> ByHolder[Binding]:
        """Return the bindings of what goes by a last name to another name."""
        if name not in self._by_value:
            near = self.index.bound_names.get(name, ())[:MAX_MENTIONS]
            self._by_value[name] = ByHolder(((self.holder_of(each), each) for each in near), self.hierarchy)
        return self._by_value[name]

    def holder_of(self, each: Mention | Binding) -> Optional[Holder]:
        """Return the name of the object that is mentioned or bound."""
        if id(each) not in self._holder_of:
            self._holder_of[id(each)] = self.holders.of(each.value, each.unit)
        return self._holder_of[id(each)]

    def bound(self, binding: Binding) -> Optional[Holder]:
        """Return the name to which something is bound."""
        if id(binding) not in self._bound_to:
            into = self.holders.of(binding.into, binding.unit)
            self._bound_to[id(binding)] = into.inner(binding.step) if into is not None else None
        return self._bound_to[id(binding)]

    def _sources(self, holder: Holder) -> tuple[Holder, ...]:
        """Return the names that an object had before it got this one."""
        if holder not in self._earlier:
            self._earlier[holder] = tuple(dict.fromkeys(self._named_before(holder)))
        return self._earlier[holder]

    def _named_before(self, holder: Holder) -> Iterator[Holder]:
        leaves = ((unit, leaf) for unit, value in self.given(holder) for _, leaf in leaves_of(value))
        given = (found for unit, leaf in leaves for found in self.origins(leaf, unit))
        for unit, value in (*self.held(holder), *given):
            source = self.holders.of(value, unit) if isinstance(value, NAMING) else None
            yield from (source,) if source is not None else ()
        base, step = holder.parted()
        if step and base.path != OWN:
            yield from (each.inner(step) for each in self._sources(base))

    def _targets(self, holder: Holder) -> tuple[Holder, ...]:
        """Return the names that an object gets after this one."""
        if holder not in self._after:
            self._after[holder] = tuple(dict.fromkeys(self._later(holder)))
        return self._after[holder]

    def _later(self, holder: Holder) -> Iterator[Holder]:
        for binding in self._kept_as(holder.name).of(holder):
            kept = self.bound(binding)
            yield from (kept,) if kept is not None else ()
        for mention in self.mentions(holder):
            if mention.how == "given" and mention.site is not None:
                yield from self._parameters(mention, mention.site)
        base, step = holder.parted()
        if step:
            yield from (each.inner(step) for each in self._targets(base))
            if base.path == OWN:
                yield from (each.inner(step) for each in self.instances(base.owner))

    def entered(self, site: Site, unit: FunctionRef) -> Optional[FunctionRef]:
        """Return the function of the project that a call runs."""
        return self.allocations.entered(site.call, Place(unit, site.position))

    def _parameters(self, mention: Mention, site: Site) -> Iterator[Holder]:
        """Yield the parameters of the function that an object is given to."""
        inner = self.entered(site, mention.unit)
        if inner is not None:
            for name, value in self._arguments(site.call, inner).items():
                for step, each in leaves_of(value):
                    if each == mention.value:
                        yield Holder(inner.identity, name + step)

    def _arguments(self, call: Call, inner: FunctionRef) -> dict[str, Value]:
        """Return what a call gives to parameters; `Base.__init__(self, net)` gives its object by hand."""
        is_by_hand = inner.is_bound and call.args[:1] == (SELF,) and isinstance(call.callee, Name)
        keywords = tuple(each for given in call.keywords for each in _spread(*given))
        return self.allocations.arguments(Call(call.callee, call.args[is_by_hand:], keywords), inner)

    def given(self, holder: Holder) -> tuple[tuple[FunctionRef, Value], ...]:
        """Return what the callers of a function give for a parameter."""
        if holder not in self._given:
            self._given[holder] = tuple(islice(self._handed(holder), MAX_CALLERS))
        return self._given[holder]

    def _handed(self, holder: Holder) -> Iterator[tuple[FunctionRef, Value]]:
        if ":" in holder.owner and holder.path.isidentifier() and holder.path != OWN:
            for unit, site, inner in self._callers_of(holder.owner):
                value = self._arguments(site.call, inner).get(holder.path)
                yield from ((unit, value),) if value is not None else ()

    def _callers_of(self, owner: str) -> tuple[Caller, ...]:
        """Return the calls that run a function, each with the function that makes it."""
        if owner not in self._callers:
            parts = owner.partition(":")[2].split(".")
            is_constructor = parts[-1] == "__init__" and len(parts) > 1
            name = parts[-2] if is_constructor else parts[-1]
            by_name = self._entering(name).get(owner, ())
            by_hand = self._entering("__init__").get(owner, ()) if is_constructor else ()
            self._callers[owner] = (*by_name, *by_hand)
        return self._callers[owner]

    def _entering(self, name: str) -> Mapping[str, list[Caller]]:
        """Return the calls by a last name, such as the `__init__` of `super()`, by the function that they run."""
        if name not in self._entered:
            found: dict[str, list[Caller]] = defaultdict(list)
            for unit, site in self.index.calls.get(name, ()):
                inner = self.entered(site, unit)
                if inner is not None:
                    found[inner.identity].append((unit, site, inner))
            self._entered[name] = found
        return self._entered[name]

    def origins(self, value: Value, unit: FunctionRef, depth: int = 0) -> Iterator[tuple[FunctionRef, Value]]:
        """Yield what a value is, with what functions of the project return instead of their calls."""
        returned = list(self._returned(value, unit)) if depth < MAX_FACTORIES else []
        for inner, each in returned:
            yield from self.origins(each, inner, depth + 1)
        if not returned:
            yield unit, value

    def _returned(self, value: Value, unit: FunctionRef) -> Iterator[tuple[FunctionRef, Value]]:
        """Yield what a function returns that a value comes from: all, or one of several in a tuple."""
        call = value.base if isinstance(value, Item) else value
        if not isinstance(call, Call):
            return
        inner = self.index.groups.evaluator.callee_of(call, CallContext(unit))
        if inner is None:
            return
        wanted = item_step(value) if isinstance(value, Item) else ""
        given = [each.value for each in inner.function.stores if each.target == Name("return")]
        for each in given or [inner.function.returns or UNKNOWN]:
            for step, leaf in leaves_of(each):
                if step == wanted:
                    yield inner, leaf

    def instances(self, class_id: str) -> Iterator[Holder]:
        """Yield the names that are bound to new objects of a class."""
        name = class_id.rpartition(":")[2].rpartition(".")[2]
        for unit, site in self.index.calls.get(name, ())[:MAX_CALLERS]:
            made = self.index.groups.evaluator.class_of(site.call, CallContext(unit))
            if made in self.symbols.classes and self.hierarchy.are_related(made, class_id):
                for each in self.index.bindings_of(unit):
                    is_made = isinstance(each.value, Call) and each.value.callee == site.call.callee
                    named = self.bound(each) if is_made and each.position == site.position else None
                    yield from (named,) if named is not None else ()
                yield from self._given_new(site, unit)

    def _given_new(self, site: Site, unit: FunctionRef) -> Iterator[Holder]:
        """Yield the parameters that are given a new object where it is made: `Runner(Learner(net))`."""
        for other in unit.function.calls:
            inner = self.entered(other, unit) if other.position == site.position and other != site else None
            for name, value in self._arguments(other.call, inner).items() if inner is not None else ():
                for step, leaf in leaves_of(value):
                    if isinstance(leaf, Call) and leaf.callee == site.call.callee and inner is not None:
                        yield Holder(inner.identity, name + step)


def _spread(name: str, value: Value) -> Iterator[tuple[str, Value]]:
    """Yield a keyword argument, or those that a known mapping stands for: `Trainer(**parts)`."""
    if name == "**" and isinstance(value, Record):
        yield from ((each.key, each.value) for each in value.fields)
    else:
        yield name, value


def _reached(starts: Iterable[Holder], step: Callable[[Holder], Iterable[Holder]]) -> tuple[Holder, ...]:
    """Return what is reached from some names, each once, up to a bound."""
    found = dict.fromkeys(starts)
    waiting = list(found)
    for holder in waiting:
        for each in step(holder):
            if each not in found and len(found) < MAX_HOLDERS and each.length <= MAX_STEPS:
                found[each] = None
                waiting.append(each)
    return tuple(found)
