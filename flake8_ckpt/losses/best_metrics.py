"""Metrics that decide which checkpoint is the best, and that a resumed run starts with the first value again."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.facts.model import BRANCH
from flake8_ckpt.facts.model import BestMetric
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Const
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
from flake8_ckpt.losses.unsaved.save_points import GroupPoints

# Calls of libraries by which a better value keeps a checkpoint: `model.save(path)`, `shutil.copyfile(last, best)`.
COPIES = frozenset(["copyfile", "copy", "copytree"])

INFINITE = frozenset(["math.inf", "numpy.inf", "torch.inf", "sys.maxsize"])
# Functions that lead to one that decides by a metric: a method of this name is called from more places.
MAX_CALLERS = 64


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
        self.classes = {each.owner for each in points.found if each.unit is None and each.trains_on}
        self.functions = {name for each in points.found for name in (each.owner, *each.entered)}

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
            metrics = unit.function.best_metrics
            for metric in metrics if metrics and self._is_resumed(unit) else ():
                save = self._save_in(metric, unit)
                begins = self._begins(metric, unit) if save is not None else None
                if save is not None and begins is not None and begins not in seen:
                    seen.add(begins)
                    yield ForgottenBest(
                        metric.name, unit.class_id, begins, Spot(unit.path, save), metric.anew
                    )

    def _is_resumed(self, unit: FunctionRef) -> bool:
        """Tell whether a function is one of a program that resumes: itself does, or one that leads to it."""
        if unit.identity in self.functions or unit.identity in self._resuming or self._is_of_class(unit):
            return True
        return any(
            self._is_of_class(each) or self._resumes_before(each, at) for each, at in self._leading_to(unit)
        )

    def _is_of_class(self, unit: FunctionRef) -> bool:
        return bool(unit.class_id) and any(
            self.hierarchy.are_related(unit.class_id, each) for each in self.classes
        )

    def _resumes_before(self, unit: FunctionRef, site: Site) -> bool:
        """Tell whether a function resumes, and then goes on to a call whatever it was told to do."""
        line = site.position.line
        return BRANCH not in site.guards and any(at < line for at in self._resuming.get(unit.identity, ()))

    @cached_property
    def _resuming(self) -> Mapping[str, list[int]]:
        """Return the lines where functions, at the end of all calls, restore what only training needs from a file."""
        found: dict[str, list[int]] = {}
        for load in (load for group in self.groups.files if group.saves for load in group.loads):
            if self.points.restores_training(load):
                found.setdefault(load.unit.identity, []).append(load.at.line)
        return found

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

    def _save_in(self, metric: BestMetric, unit: FunctionRef) -> Optional[Position]:
        """Return the save that a better value decides."""
        for site in unit.function.calls:
            line = site.position.line
            if any(first <= line <= last for first, last in metric.blocks) and self._saves(site, unit):
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


def _is_constant(value: Value) -> bool:
    """Tell whether a value is a number that nothing decides: `-math.inf`, too."""
    if isinstance(value, Arith):
        return all(map(_is_constant, value.operands))
    is_infinite = isinstance(value, Name) and value.path in INFINITE
    return is_infinite or isinstance(value, (Const, Number))
