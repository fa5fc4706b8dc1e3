"""Normalizers that a project makes, uses and never updates.

The text of all files tells which methods are called on which names (`FileFacts.updates`). That is enough to
say that nobody updates an object: one that some call may update is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flake8_ckpt.checkpoints.object_kinds import Kinds
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.module_bases import is_external_module
from flake8_ckpt.linking.allocation_sites import AllocationSites
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.programs import Programs
from flake8_ckpt.linking.value_names import parts_of

UPDATE = re.compile(r"^_?(update|record|push|observe|partial_fit|add|fit|step)")
# Methods that leave statistics alone, or restore them as they were made.
HARMLESS = re.compile(
    r"^__\w+__$|^_?(get|is|has|reset|init\w*|state_dict|load_state_dict|to|cuda|cpu|train|eval|extra_repr"
    r"|copy|clone|shape|dtype|device|mean|var|std|variance|stddev|count|sum|size|clip|inverse\w*)(_|$)"
)
PLAIN_BASES = frozenset(["object", "abc.ABC", "typing.Generic", "torch.nn.Module"])
COMMON = frozenset(["update", "add", "step", "record", "push", "fit", "observe"])
# Names of what is no normalizer: updating it tells nothing.
OTHERS = re.compile(
    r"^(self|super|cls|infos?|config|cfg|conf|kwargs|args|params|hparams|metrics?|log\w*|\w*bar|progress\w*"
    r"|\w*optim\w*|opt|\w*_opt|\w*sched\w*|scaler|grad_scaler|\w*policy|\w*agent|\w*model|\w*net|\w*network"
    r"|\w*critic|\w*actor|\w*learner|\w*trainer|\w*algo\w*|d|\w*dict|\w*data\w*|batch|os|environ|parser"
    r"|\w*writer|\w*ema|target\w*|\w*buffer|memory|\w*meter|losses|wandb|run|\w*envs?|results?|summary|seen"
    r"|visited)$",
    re.I,
)
TRAINED = re.compile(
    r"^(\w*optim\w*|opt|\w*_opt|\w*policy|\w*agent|\w*model|\w*learner|\w*trainer|\w*algo\w*)$"
)
ESCAPES = frozenset(["plain", "iter", "item", "tensor", "cat"])


@dataclass(frozen=True)
class Normalizer:
    """A normalizer: its name, its class, where it is made, and the class or function that holds it."""

    name: str
    class_id: str
    location: Spot
    holder: str


class Normalizers:
    """Finds normalizers that are used and never updated."""

    def __init__(self, makings: AllocationSites) -> None:
        self.makings = makings
        self.symbols = makings.symbols
        self._means = self.symbols.known.hint("attribute", "mean")
        self._spreads = self.symbols.known.hint("attribute", "spread")
        self._normalizing = self.symbols.known.hint("method", "normalizes")
        self.hierarchy = makings.hierarchy
        self.kinds = Kinds(makings.hierarchy)
        self.programs = Programs(makings)
        self._updates: dict[str, frozenset[str]] = {}

    def idle(self) -> Iterator[Normalizer]:
        """Yield the normalizers, attributes first."""
        for each in self._all:
            if self._is_used(each) and not self._is_updated(each) and self._is_trained(each.location.path):
                yield each

    def updates(self, class_id: str) -> frozenset[str]:
        """Return the methods that update a normalizer; none where it is no normalizer, or updates itself."""
        if class_id not in self._updates:
            self._updates[class_id] = self._updates_of(class_id)
        return self._updates[class_id]

    def _updates_of(self, class_id: str) -> frozenset[str]:
        if class_id not in self.symbols.classes:
            return self.symbols.known.plain_updates.get(class_id, frozenset())
        ancestors = self.hierarchy.ancestors(class_id)
        outside = [each for each in ancestors if each not in self.symbols.classes]
        if any(
            each not in PLAIN_BASES and not is_external_module(each, self.symbols.known) for each in outside
        ):
            return frozenset()
        names = self.hierarchy.method_names(class_id)
        known = [*names, *(each for owner in ancestors for each in self._statistics(owner))]
        if not any(map(self._means.search, known)) or not any(map(self._spreads.search, known)):
            return frozenset()
        found = self._callers_of({name for name in names if UPDATE.search(name)}, class_id)
        others = names - found
        is_understood = all(self._normalizing.search(name) or HARMLESS.search(name) for name in others)
        normalizes = {name for name in names if self._normalizing.search(name)}
        if not is_understood or found & normalizes or self._sets_statistics(normalizes, class_id):
            return frozenset()
        return frozenset(found)

    def _statistics(self, class_id: str) -> tuple[str, ...]:
        return self.symbols.classes[class_id].statistics if class_id in self.symbols.classes else ()

    def _callers_of(self, methods: set[str], class_id: str) -> set[str]:
        """Return some methods of a class, and all other methods but its constructor that call them."""
        graph = [
            edge
            for each in self.hierarchy.ancestors(class_id)
            if each in self.symbols.classes
            for edge in self.symbols.classes[each].graph
        ]
        found = set(methods)
        while True:
            more = {name for name, called in graph if name != "__init__" and found & set(called)} - found
            if not more:
                return found
            found |= more

    def _sets_statistics(self, methods: set[str], class_id: str) -> bool:
        statistics = {
            each for owner in self.hierarchy.ancestors(class_id) for each in self._statistics(owner)
        }
        return any(
            write.attr in statistics
            for _, method in self.hierarchy.inherited_methods(class_id)
            if method.name in methods
            for write in method.writes
        )

    @cached_property
    def _paths(self) -> frozenset[str]:
        """Return the files that define a class that may be a normalizer, or import one, but for tests."""
        names = {
            class_id.rpartition(":")[2]
            for class_id, facts in self.symbols.classes.items()
            if facts.statistics
        }
        names.add("RunningMeanStd")
        return frozenset(
            path
            for path, facts in self.symbols.files.items()
            if facts.stars
            or any(each.statistics for each in facts.classes)
            or any(imported.rpartition(".")[2] in names for _, imported in facts.imports)
            if not is_test(path)
        )

    def _attributes(self) -> Iterator[Normalizer]:
        for class_id, facts in self.symbols.classes.items():
            if class_id.partition(":")[0] in self._paths:
                for method in facts.methods:
                    yield from self._set_by(method_ref(class_id, method, class_id))

    def _set_by(self, method: FunctionRef) -> Iterator[Normalizer]:
        for write in method.function.writes:
            made = self._made(write.value, method) if write.how == "assign" else ""
            if made:
                yield Normalizer(write.attr, made, Spot(method.path, write.position), method.class_id)

    def _made(self, value: Value, callee: FunctionRef) -> str:
        """Return the class of the normalizer that a value is, "" where it is none or gets its statistics."""
        calls = [option for option in options_of(value) if option != NONE]
        if len(calls) != 1 or not isinstance(calls[0], Call) or not isinstance(calls[0].callee, Name):
            return ""
        class_id = self.makings.evaluator.class_of(calls[0], CallContext(callee))
        if not self.updates(class_id):
            return ""
        given = (*calls[0].args, *(each for _, each in calls[0].keywords))
        names = [
            *(name for name, _ in calls[0].keywords),
            *(_name(part) for each in given for part in parts_of(each)),
        ]
        return (
            "" if any(self._means.search(name) or self._spreads.search(name) for name in names) else class_id
        )

    def _is_kept(self, attr: str, made: str, class_id: str) -> bool:
        """Tell whether an attribute holds this normalizer and nothing else, as far as any code sets it."""
        if attr in self._set_from_outside:
            return False
        for owner, method in self.hierarchy.related_methods(class_id):
            callee = method_ref(owner, method, owner)
            for write in method.writes:
                if write.attr == attr and write.value != NONE and self._made(write.value, callee) != made:
                    return False
        return True

    @cached_property
    def _set_from_outside(self) -> frozenset[str]:
        """Return the attributes that some function sets on another object, or on a part of one."""
        return frozenset(
            each.name
            for unit in self.makings.units
            for store in unit.function.stores
            for each in (store.target, getattr(store.target, "base", None))
            if isinstance(each, Attr)
        )

    def _is_read(self, attr: str, made: str, class_id: str) -> bool:
        """Tell whether some method normalizes with an attribute, and none hands it on."""
        hows = [
            how
            for _, method in self.hierarchy.related_methods(class_id)
            for use in method.uses
            if use.attr == attr
            for how in use.how
        ]
        return ESCAPES.isdisjoint(hows) and any(self._normalizes(how.lstrip("."), made) for how in hows)

    def _normalizes(self, name: str, made: str) -> bool:
        """Tell whether a method or attribute of a normalizer, or its call, is what normalizing takes."""
        if name == "call":
            return not self.hierarchy.method_names(made).isdisjoint(("__call__", "forward"))
        return self._normalizing.search(name) is not None or self._spreads.search(name) is not None

    def _locals(self) -> Iterator[Normalizer]:
        for unit in self.makings.units:
            for store in unit.function.stores if unit.path in self._paths else ():
                made = self._made(store.value, unit) if isinstance(store.target, Local) else ""
                if made and isinstance(store.target, Local):
                    yield Normalizer(store.target.name, made, Spot(unit.path, store.position), unit.identity)

    def _is_used(self, idle: Normalizer) -> bool:
        """Tell whether the project normalizes with an object, and does nothing else with it."""
        if idle.holder in self.symbols.classes:
            return self._is_kept(idle.name, idle.class_id, idle.holder) and self._is_read(
                idle.name, idle.class_id, idle.holder
            )
        return any(
            self._is_run(idle.name, idle.class_id, unit)
            for unit in self.makings.units
            if unit.identity == idle.holder
        )

    def _is_run(self, name: str, made: str, unit: FunctionRef) -> bool:
        """Tell whether a function normalizes with a local, and does nothing else with it."""
        taken = [site.call for site in unit.function.calls]
        used = False
        for call in taken:
            for value in (*call.args, *(each for _, each in call.keywords)):
                if any(isinstance(part, Local) and part.name == name for part in _bare_parts(value)):
                    return False
            callee = call.callee
            if isinstance(callee, Attr) and isinstance(callee.base, Local) and callee.base.name == name:
                used = used or self._normalizes(callee.name, made)
        if any(
            isinstance(each.target, Attr) and _name(each.target.base) == name for each in unit.function.stores
        ):
            return False
        stored = [
            part
            for store in unit.function.stores
            if store.target != Local(name, store.value)
            for part in _bare_parts(store.value)
        ]
        return used and not any(isinstance(part, Local) and part.name == name for part in stored)

    def _is_updated(self, idle: Normalizer) -> bool:
        """Tell whether some call may update a normalizer: one on its name, or on an unknown name."""
        for receiver, method in self._calls:
            if method in self.updates(idle.class_id):
                known = (
                    receiver in ("self", "super")
                    or receiver in self._names
                    or method in COMMON
                    and OTHERS.search(receiver)
                )
                if receiver == idle.name or not known:
                    return True
        return False

    @cached_property
    def _names(self) -> frozenset[str]:
        """Return the names under which the project makes normalizers."""
        return frozenset(each.name for each in self._all)

    @cached_property
    def _all(self) -> tuple[Normalizer, ...]:
        return (*self._attributes(), *self._locals())

    @cached_property
    def _calls(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            each for path, facts in self.symbols.files.items() if not is_test(path) for each in facts.updates
        )

    def _is_trained(self, path: str) -> bool:
        """Tell whether the programs that a file is part of train or save something."""
        files = self.programs.around(path)
        if any(
            TRAINED.search(receiver) for each in files for receiver, _ in self.symbols.files[each].updates
        ):
            return True
        return any(
            isinstance(site.call.callee, Name) and site.call.callee.path in self.symbols.known.payload_saves
            for unit in self.makings.units
            if unit.path in files
            for site in unit.function.calls
        )


def _name(value: Value) -> str:
    if isinstance(value, Attr):
        return value.name
    return value.name if isinstance(value, (Local, Param)) else ""


def _bare_parts(value: Value) -> Iterator[Value]:
    """Yield the parts of a value that are handed on with it, not what only an attribute is taken of."""
    if isinstance(value, Attr) or isinstance(value, Call) and isinstance(value.callee, Attr):
        parts: tuple[Value, ...] = (
            (*value.args, *(each for _, each in value.keywords)) if isinstance(value, Call) else ()
        )
        for part in parts:
            yield from _bare_parts(part)
        return
    for part in parts_of(value):
        if part is value or not isinstance(part, (Attr, Call)):
            yield part
