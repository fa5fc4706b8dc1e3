"""Which class an argument is of, where no annotation says so: all calls agree, or one class alone fits its uses.

So is an attribute that a constructor sets to what nobody knows: `self.alg = eval(name)(net)`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from functools import cached_property
from typing import Optional

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.torch import MODULE_METHODS
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import bind
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.value_names import parts_of

# A function that is called more often is a general one; so is a method that goes by a name this common.
MAX_SITES = 32
# Fewer attributes than these may be those of any class.
MIN_ATTRIBUTES = 3
# What objects of many classes have: modules, optimizers, mappings.
COMMON = MODULE_METHODS | frozenset(
    "state_dict load_state_dict parameters named_parameters modules zero_grad step forward update reset save load"
    " get keys values items append close seed device name config".split()
)
ClassOf = Callable[[Value, CallContext, int], str]
CalleeOf = Callable[[Call, CallContext, int], Optional[FunctionRef]]


class ParameterClasses:
    """Tells the classes of arguments; `class_of` and `callee_of` are asked where a call stands."""

    def __init__(self, hierarchy: Hierarchy, class_of: ClassOf, callee_of: CalleeOf) -> None:
        self.hierarchy = hierarchy
        self.symbols = hierarchy.symbols
        self.class_of = class_of
        self.callee_of = callee_of
        self._found: dict[tuple[str, str], str] = {}
        self._open: set[tuple[str, str]] = set()

    def of(self, callee: FunctionRef, name: str, nesting: int) -> str:
        """Return the class of what a function is given for a parameter, "" where it is not known."""
        key = (callee.identity, name)
        if key in self._open:
            return ""
        if key not in self._found:
            self._open.add(key)
            sites = list(self._sites(callee, nesting))
            found = {self._given(site, unit, callee, name, nesting) for unit, site in sites} - {None}
            alone = found.pop() if len(found) == 1 else ""
            self._found[key] = alone or "" if sites else self._by_uses(callee.function, name)
            self._open.discard(key)
        return self._found[key]

    def _given(
        self, site: Site, unit: FunctionRef, callee: FunctionRef, name: str, nesting: int
    ) -> Optional[str]:
        """Return the class of what a call gives, None for a call that says nothing: it gives nothing, or passes on."""
        given = bind(callee, list(site.call.args), dict(site.call.keywords)).get(name, NONE)
        if given == NONE or isinstance(given, Param) and (unit.identity, given.name) in self._open:
            return None
        return self.class_of(given, CallContext(unit), nesting + 1)

    def _sites(self, callee: FunctionRef, nesting: int) -> Iterator[tuple[FunctionRef, Site]]:
        """Yield the calls of a function; none where there are too many."""
        named = self._by_identity.get(callee.identity, ())
        methods = self._by_method.get(callee.name, ()) if callee.is_bound else ()
        if len(named) + len(methods) > MAX_SITES:
            return
        yield from named
        for unit, site in methods:
            inner = self.callee_of(site.call, CallContext(unit), nesting + 1)
            if inner is not None and inner.identity == callee.identity:
                yield unit, site

    @cached_property
    def _by_identity(self) -> Mapping[str, list[tuple[FunctionRef, Site]]]:
        """Return the calls by name of each function and, as those of its constructor, of each class."""
        found: dict[str, list[tuple[FunctionRef, Site]]] = defaultdict(list)
        for unit, site in self._calls():
            if isinstance(site.call.callee, Name):
                identity = self.symbols.resolve(site.call.callee.path, unit.path)
                if identity in self.symbols.classes:
                    method = self.hierarchy.find_method(identity, "__init__")
                    identity = method_ref(*method, identity).identity if method else ""
                found[identity].append((unit, site))
        return found

    @cached_property
    def _by_method(self) -> Mapping[str, list[tuple[FunctionRef, Site]]]:
        """Return the calls of methods by their names."""
        found: dict[str, list[tuple[FunctionRef, Site]]] = defaultdict(list)
        for unit, site in self._calls():
            if isinstance(site.call.callee, Attr):
                found[site.call.callee.name].append((unit, site))
        return found

    def _calls(self) -> Iterator[tuple[FunctionRef, Site]]:
        for unit in followed_functions(self.symbols):
            yield from ((unit, site) for site in unit.function.calls)

    def _by_uses(self, function: FunctionFacts, name: str) -> str:
        """Return the only class that has all attributes which a function takes of a parameter, if they are many."""
        return self._alone(
            {each.name for each in _attributes_of(function) if each.base == Param(name)} - COMMON
        )

    def of_attribute(self, class_id: str, attr: str) -> str:
        """Return the only class that has all attributes which the methods of a class take of what one of its holds."""
        hows = (
            how
            for _, method in self.hierarchy.inherited_methods(class_id)
            for use in method.uses
            if use.attr == attr
            for how in use.how
        )
        return self._alone({how[1:] for how in hows if how.startswith(".")} - COMMON)

    def _alone(self, used: set[str]) -> str:
        """Return the only class that has some attributes, if they are many."""
        if len(used) < MIN_ATTRIBUTES or any(each not in self._owners for each in used):
            return ""
        owners = min((self._owners[each] for each in used), key=len)
        fitting = {each for owner in owners for each in (owner, *self.hierarchy.subclasses(owner))}
        fitting = {each for each in fitting if used <= self._names_of(each)}
        bases = [each for each in fitting if fitting.isdisjoint(self.hierarchy.ancestors(each)[1:])]
        return bases[0] if len(bases) == 1 else ""

    def _names_of(self, class_id: str) -> set[str]:
        """Return the attributes and methods of a class, its bases' included."""
        ancestors = self.hierarchy.ancestors(class_id)
        return {name for each in ancestors for name in self._own_names.get(each, ())}

    @cached_property
    def _own_names(self) -> Mapping[str, frozenset[str]]:
        """Return the attributes and methods that the code of each class itself gives it."""
        return {
            class_id: frozenset(facts.method_names).union(
                write.attr for method in facts.methods for write in method.writes
            )
            for class_id, facts in self.symbols.classes.items()
        }

    @cached_property
    def _owners(self) -> Mapping[str, list[str]]:
        """Return the classes by the names that they themselves give to attributes and methods."""
        found: dict[str, list[str]] = defaultdict(list)
        for class_id, names in self._own_names.items():
            for name in names:
                found[name].append(class_id)
        return found


def _attributes_of(function: FunctionFacts) -> Iterator[Attr]:
    """Yield the attributes that a function takes of anything."""
    values: list[Value] = [site.call for site in function.calls]
    for store in function.stores:
        values += [store.target, store.value]
    for read in function.key_reads:
        values += [read.base, *read.into]
    for value in values:
        yield from (each for each in parts_of(value) if isinstance(each, Attr))
