"""Metrics that decide which checkpoint is the best, and that a resumed run starts with the first value again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.pairing.file_names import file_name
from flake8_ckpt.checkpoints.pairing.resume_options import TUNES
from flake8_ckpt.checkpoints.pairing.resume_options import is_resume
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.facts.model import BRANCH
from flake8_ckpt.facts.model import BestMetric
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.losses.ledger.events import KEEPS
from flake8_ckpt.losses.ledger.holder import OWN
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.resumption import called_as
from flake8_ckpt.losses.unsaved.save_points import GroupPoints

# Calls of libraries by which a better value keeps a checkpoint: `model.save(path)`, `shutil.copyfile(last, best)`.
COPIES = frozenset(["copyfile", "copy", "copytree"])

INFINITE = frozenset(["math.inf", "numpy.inf", "torch.inf", "sys.maxsize"])
# Functions that lead to one that decides by a metric: a method of this name is called from more places.
MAX_CALLERS = 64
# Methods that give on what another one tells.
MAX_PASSED = 3
RETURN = Name("return")
# Copies that only training needs: `self.target_critic`, `actor_target.load_state_dict`.
TARGETS = re.compile(r"(^|_)targets?(_|$)")


@dataclass(frozen=True)
class ForgottenBest:
    """A metric, the class whose function decides by it, if any, where it starts again, and the save it decides.

    `anew` is true where that save overwrites nothing: every run makes a folder of its own.
    """

    name: str
    class_id: str
    location: Spot
    save: Spot
    anew: bool = False


class ForgottenBests:
    """Asks the functions around the saves of programs that resume."""

    def __init__(self, ledger: Ledger, points: GroupPoints) -> None:
        self.ledger = ledger
        self.points = points
        self.groups = ledger.contract.groups
        self.evaluator = ledger.contract.evaluator
        self.hierarchy = ledger.hierarchy
        # Weights alone may be those of another training, whose best says nothing about this one.
        own = [each for each in points.found if not each.weights_alone]
        self.classes = {each.owner for each in own if each.unit is None and each.trains_on}
        self.functions = {name for each in own for name in (each.owner, *each.entered)}

    @cached_property
    def found(self) -> tuple[ForgottenBest, ...]:
        """Return the metrics by which a resumed run overwrites a checkpoint, each once."""
        return tuple(each for each in self._all if not each.anew)

    @cached_property
    def _all(self) -> tuple[ForgottenBest, ...]:
        return tuple(self._found())

    def is_told(self, class_id: str, attr: str) -> bool:
        """Tell whether an attribute of a class is such a metric, be it one that overwrites nothing."""
        return any(
            each.name == f"{OWN}.{attr}" and self.hierarchy.are_related(each.class_id, class_id)
            for each in self._all
        )

    def _found(self) -> Iterator[ForgottenBest]:
        seen: set[Spot] = set()
        for unit in self.ledger.aliases.index.units:
            if not (unit.function.best_metrics or unit.function.verdicts):
                continue
            is_resumed = self._is_resumed(unit)
            for each in (*self._own(unit), *(self._told(unit) if is_resumed else ())):
                is_lost = is_resumed or self._begins_with(each, unit)
                if is_lost and seen.isdisjoint((each.location, each.save)):
                    # Of several metrics that decide one save, the first is told.
                    seen.update((each.location, each.save))
                    yield each

    def _own(self, unit: FunctionRef) -> Iterator[ForgottenBest]:
        """Yield the metrics by which a function decides itself what it saves."""
        for metric in unit.function.best_metrics:
            save = self._save_in(metric.blocks, unit)
            begins = self._begins(metric, unit) if save is not None else None
            if save is not None and begins is not None:
                yield ForgottenBest(metric.name, unit.class_id, begins, Spot(unit.path, save), metric.anew)

    def _begins_with(self, best: ForgottenBest, unit: FunctionRef) -> bool:
        """Tell whether a function begins with the file that a better value overwrites, or with target networks."""
        found = self.groups.payloads.summary(unit)
        files = {file_name(each.file) for each in found.saves if each.location == best.save} - {""}
        first = best.location.position.line
        loads = [each for each in found.loads if each.into and each.at.line < first]
        return any(_is_target(each) or file_name(file_of(each.root)) in files for each in loads)

    def _told(self, unit: FunctionRef) -> Iterator[ForgottenBest]:
        """Yield the metrics of objects that tell a function what to save: `if tracker.update(loss): save()`."""
        for verdict in unit.function.verdicts:
            save = self._save_in([verdict.block], unit)
            sites = (each for each in unit.function.calls if each.position == verdict.position)
            for site in sites if save is not None else ():
                for teller, metric in self._telling(site, unit, verdict.place):
                    begins = self._begins(metric, teller)
                    if save is not None and begins is not None:
                        at = Spot(unit.path, save)
                        yield ForgottenBest(metric.name, teller.class_id, begins, at, verdict.anew)

    def _telling(self, site: Site, unit: FunctionRef, place: int) -> Iterator[tuple[FunctionRef, BestMetric]]:
        """Yield the metrics of which a call tells at one place of its result, each with the method that compares."""
        callee = self.evaluator.callee_of(site.call, CallContext(unit))
        for _ in range(MAX_PASSED):
            if callee is None:
                return
            yield from (
                (callee, each)
                for each in callee.function.best_metrics
                if each.begins is None and place in each.tells
            )
            given = [each.value for each in callee.function.stores if each.target == RETURN]
            # A function that is not followed closely says only what it calls.
            given = given or [each.call for each in callee.function.calls if each.used]
            passed = [each for each in given if isinstance(each, Call)]
            callee = self.evaluator.callee_of(passed[-1], CallContext(callee)) if passed else None

    def _is_resumed(self, unit: FunctionRef) -> bool:
        """Tell whether a function is one of a program that resumes: itself does, or one that leads to it."""
        if TUNES.search(unit.identity):
            return False
        if unit.identity in self.functions or unit.identity in self._resuming or self._is_of_class(unit):
            return True
        return any(
            self._is_of_class(each) or self._resumes_before(each, at) for each, at in self._leading_to(unit)
        )

    def _is_of_class(self, unit: FunctionRef) -> bool:
        return bool(unit.class_id) and any(
            self.hierarchy.are_related(unit.class_id, each)
            for each in (*self.classes, *self._resuming_classes)
        )

    def _resumes_before(self, unit: FunctionRef, site: Site) -> bool:
        """Tell whether a function resumes, and then goes on to a call whatever it was told to do."""
        line = site.position.line
        return BRANCH not in site.guards and any(at < line for at in self._resuming.get(unit.identity, ()))

    @cached_property
    def _resuming(self) -> Mapping[str, list[int]]:
        """Return the lines where functions restore what only training needs, or call what does, by their names."""
        found: dict[str, list[int]] = {}
        for load in self._resumes:
            found.setdefault(load.unit.identity, []).append(load.at.line)
            for outer, inner in zip(load.call_chain, load.call_chain[1:]):
                found.setdefault(outer, []).extend(self._calls_in(outer, inner))
        return found

    def _calls_in(self, outer: str, inner: str) -> list[int]:
        """Return the lines where a function calls another one, by what it is called."""
        caller, called = map(self.ledger.aliases.index.function, (outer, inner))
        if caller is None or called is None:
            return []
        name = called_as(called.class_id, called.function)
        return [each.position.line for each in caller.function.calls if called_name(each.call) == name]

    @cached_property
    def _resumes(self) -> tuple[LoadEffect, ...]:
        """Return the loads by which a training goes on with what its program saves."""
        loads = (load for group in self.groups.files if group.saves for load in group.loads)
        return tuple(each for each in loads if self._goes_on(each))

    def _goes_on(self, load: LoadEffect) -> bool:
        """Tell whether a load restores what only training needs, or says that it resumes."""
        if self.points.restores_training(load):
            return not load.call_chain or any(not _is_of(each, load.source) for each in load.into)
        return bool(load.into) and is_resume(load)

    @cached_property
    def _resuming_classes(self) -> frozenset[str]:
        """Return the classes whose methods resume, by themselves or through what they call."""
        names = {*self._resuming, *(load.source.identity for load in self._resumes)}
        found = (self.ledger.aliases.index.function(each) for each in sorted(names))
        return frozenset(each.class_id for each in found if each is not None) - {""}

    def _leading_to(self, unit: FunctionRef) -> Iterator[tuple[FunctionRef, Site]]:
        """Yield those that call a function or make the object whose method it is, and so on, each with its call."""
        callers = self.ledger.aliases.allocations.callers
        seen = {unit.identity}
        waiting = [unit]
        for each in waiting:
            made = self.hierarchy.find_method(each.class_id, "__init__") if each.class_id else None
            for identity in (each.identity, f"{made[0]}.__init__" if made is not None else ""):
                for caller, site in callers.get(identity, ())[:MAX_CALLERS]:
                    if caller.identity not in seen and len(seen) < MAX_CALLERS:
                        seen.add(caller.identity)
                        waiting.append(caller)
                        yield caller, site

    def _save_in(self, blocks: Sequence[tuple[int, int]], unit: FunctionRef) -> Optional[Position]:
        """Return the save that a better value decides: one in some of the lines."""
        for site in unit.function.calls:
            line = site.position.line
            if any(first <= line <= last for first, last in blocks) and self._saves(site, unit):
                return site.position
        return None

    def _saves(self, site: Site, unit: FunctionRef) -> bool:
        if called_name(site.call) == "state_dict":
            return False
        if self.evaluator.library_call(site.call, CallContext(unit)) in self.ledger.known.payload_saves:
            return True
        inner = self.evaluator.callee_of(site.call, CallContext(unit))
        if inner is not None:
            return bool(self.groups.payloads.summary(inner).saves)
        name = called_name(site.call)
        return name in COPIES or KEEPS.search(name) is not None and "save" in name

    def _begins(self, metric: BestMetric, unit: FunctionRef) -> Optional[Spot]:
        """Return where a metric starts, None where something else than a better value sets it, too."""
        if metric.begins is not None:
            return Spot(unit.path, metric.begins)
        holder = Holder(unit.class_id, metric.name)
        starts = []
        for each in self.ledger.aliases.bindings(holder):
            is_start = _is_constant(each.value) and not each.loaded
            if is_start and each.unit.identity != unit.identity:
                starts.append(each.location)
            elif each.unit.identity != unit.identity:
                return None
        is_restored = any(each.how == "restored" for each in self.ledger.mentions(holder))
        if is_restored or self.ledger.is_part_of_kept(holder, "") or self._is_saved_only(holder):
            return None
        return starts[0] if starts else None

    def _is_saved_only(self, holder: Holder) -> bool:
        """Tell whether the metric is found already as a key that nothing restores."""
        for lost in self.ledger.contract.unrestored:
            for save in lost.saves:
                held = dict(all_keys(save.payload)).get(lost.keys)
                if held is not None and last_name(held) == holder.name:
                    return True
        return False


def _is_target(load: LoadEffect) -> bool:
    owners = (each.base for each in load.into if isinstance(each, Attr) and each.name == "load_state_dict")
    return any(TARGETS.search(last_name(each)) for each in owners)


def _is_of(target: Value, unit: FunctionRef) -> bool:
    """Tell whether a target is a local of a function, or what it gives back: a caller may drop that."""
    return target == RETURN or isinstance(target, Local) and f".{unit.name}." in target.name


def _is_constant(value: Value) -> bool:
    """Tell whether a value is a number that nothing decides: `-math.inf`, too."""
    if isinstance(value, Arith):
        return all(map(_is_constant, value.operands))
    is_infinite = isinstance(value, Name) and value.path in INFINITE
    return is_infinite or isinstance(value, (Const, Number))
