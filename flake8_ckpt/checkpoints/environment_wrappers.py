"""Which classes are environments, or wrappers of one, that normalize with statistics which their steps update.

Such a class hands `step` on to what it wraps, or gives back an observation, a reward and more from a step of its
own, and a method that a step or a reset runs changes a mean and a variance, or an object that has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterator

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.records import NormalizingWrapper
from flake8_ckpt.frameworks.stable_baselines3 import WRAPPER
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator

# What a loop, or a base class of Gymnasium or of Stable-Baselines3, calls for each step of an environment.
STEPS = frozenset(["step", "reset", "step_wait", "observation", "reward"])
# `gymnasium.ObservationWrapper`, `VecEnvWrapper`, `gym.Env`
ENVIRONMENT = re.compile(r"(^|[.:])\w*(Env|Wrapper)$")
COUNTS = re.compile(r"(^|_)(n|num|count|cnt|counter|steps?)(_|$)")
# An observation, a reward and at least one flag.
MIN_RETURNS = 3


class EnvironmentWrappers:
    """Tells environments with statistics by their classes."""

    def __init__(self, objects: SymbolicEvaluator, is_normalizer: Callable[[str], bool]) -> None:
        self.objects = objects
        self.hierarchy = objects.hierarchy
        self.symbols = objects.symbols
        self.known = objects.symbols.known
        self.is_normalizer = is_normalizer
        self._statistics: dict[str, frozenset[str]] = {}

    def record(self, class_id: str) -> NormalizingWrapper | None:
        """Return what is known of the library's wrapper that a class is or derives from."""
        known = self.known.environment_wrappers
        return next((known[each] for each in self.hierarchy.ancestors(class_id) if each in known), None)

    def statistics(self, class_id: str) -> frozenset[str]:
        """Return the attributes with the statistics of an environment; none for all other classes."""
        if class_id not in self._statistics:
            self._statistics[class_id] = frozenset()
            self._statistics[class_id] = self._statistics_of(class_id)
        return self._statistics[class_id]

    def _statistics_of(self, class_id: str) -> frozenset[str]:
        record = self.record(class_id)
        if record is not None:
            return frozenset(record.statistics) if not record.flag else frozenset()
        if class_id not in self.symbols.classes or not self._is_environment(class_id):
            return frozenset()
        updated = frozenset(self._updated_by_steps(class_id))
        # A count alone normalizes nothing: `self.n_episodes += 1`.
        return frozenset() if all(map(COUNTS.search, updated)) else updated

    def _is_environment(self, class_id: str) -> bool:
        ancestors = self.hierarchy.ancestors(class_id)
        if any(map(WRAPPER.search, ancestors)) or self.hierarchy.is_module(class_id):
            return False
        names = self.hierarchy.method_names(class_id)
        if STEPS.isdisjoint(names):
            return False
        if any(ENVIRONMENT.search(each) for each in ancestors if each not in self.symbols.classes):
            return True
        steps = [each for _, each in self.hierarchy.inherited_methods(class_id) if each.name == "step"]
        hands_on = any(how in (".step", ".step_wait") for each in steps for how in _uses(each))
        if "reset" not in names:
            return hands_on and any(map(_gives_step, steps))
        return hands_on or any(map(_gives_step, steps)) or self._is_updated_by_both(class_id)

    def _is_updated_by_both(self, class_id: str) -> bool:
        """Tell whether the step and the reset of a class update the same object, as a vector environment does."""
        updates = self.known.hint("method", "updates")
        updated: dict[str, set[str]] = {"step": set(), "reset": set()}
        for _, method in self.hierarchy.inherited_methods(class_id):
            for use in method.uses if method.name in updated else ():
                if any(updates.search(how.lstrip(".")) for how in use.how if how.startswith(".")):
                    updated[method.name].add(use.attr)
        return not updated["step"].isdisjoint(updated["reset"])

    def _updated_by_steps(self, class_id: str) -> Iterator[str]:
        own = {
            name
            for each in self.hierarchy.ancestors(class_id)
            if each in self.symbols.classes
            for name in self.symbols.classes[each].statistics
        }
        reached = self.run_by_steps(class_id)
        for _, method in self.hierarchy.inherited_methods(class_id):
            if method.name in reached:
                yield from (write.attr for write in method.writes if write.attr in own)
                for use in method.uses:
                    if any(self._is_updated(use.how, each) for each in self._held(class_id, use.attr)):
                        yield use.attr

    def _held(self, class_id: str, attr: str) -> Iterator[str]:
        """Yield the classes of normalizers that an attribute may hold, on some path at least."""
        for owner, method in self.hierarchy.inherited_methods(class_id):
            context = CallContext(method_ref(owner, method, class_id))
            for write in method.writes:
                for option in options_of(write.value) if write.attr == attr else ():
                    held = self.objects.class_of(option, context)
                    if held and self.is_normalizer(held):
                        yield held

    def _is_updated(self, how: tuple[str, ...], held: str) -> bool:
        """Tell whether uses of a normalizer update it: by name, or by a method that calls its update."""
        updates = self.known.hint("method", "updates")
        called = {each.lstrip(".") if each != "call" else "__call__" for each in how}
        if any(map(updates.search, called)):
            return True
        return any(
            name in called and any(map(updates.search, inner))
            for each in self.hierarchy.ancestors(held)
            if each in self.symbols.classes
            for name, inner in self.symbols.classes[each].graph
        )

    def run_by_steps(self, class_id: str) -> set[str]:
        """Return the methods that a step or a reset of an environment runs."""
        graph = [
            edge
            for each in self.hierarchy.ancestors(class_id)
            if each in self.symbols.classes
            for edge in self.symbols.classes[each].graph
        ]
        found = set(STEPS)
        waiting = list(found)
        while waiting:
            name = waiting.pop()
            more = {each for caller, called in graph if caller == name for each in called} - found
            found |= more
            waiting += more
        return found


def _uses(method: FunctionFacts) -> Iterator[str]:
    return (how for use in method.uses for how in use.how)


def _gives_step(method: FunctionFacts) -> bool:
    """Tell whether a method gives an observation, a reward and more."""
    return method.returns is not None and any(
        isinstance(each, Container) and each.kind == "tuple" and each.size >= MIN_RETURNS
        for each in options_of(method.returns)
    )
