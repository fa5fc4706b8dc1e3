"""Whether a program takes the statistics of its environments out for keeping.

Silence beats a doubtful finding: whatever takes them out, but for an object of the same run, keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator

from flake8_ckpt.checkpoints.environment_wrappers import EnvironmentWrappers
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.stable_baselines3 import SAVES
from flake8_ckpt.linking.allocation_sites import AllocationSites
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.value_names import inner_values
from flake8_ckpt.losses.environments.made import NormalizedEnvironment
from flake8_ckpt.losses.vecnormalize.wrappers import is_env_name

# `save_obs_norm(env)`, `dump_running_stats(path)`: a call whose name says that it keeps statistics.
STATISTICS = r"norm|rms|running|scaling|(obs|env|state)\w*stat"
KEEPS = r"save|dump|store|export|persist|backup|serialize|capture"
KEEPS_STATISTICS = re.compile(rf"({KEEPS})\w*({STATISTICS})|({STATISTICS})\w*({KEEPS})", re.I)
# `obs_norm.npz`, `{"obs_stats": ...}`
STATISTICS_NAME = re.compile(r"norm|rms|stats|statistic|scaling", re.I)
# A call that hands statistics to another object of the run: `test.set_obs_rms(train.get_obs_rms())`
HANDS_ON = re.compile(r"^_?(set|sync|copy|share|transfer|load|restore|update|assign)")
# What an environment gives of its state as a whole.
STATE_METHODS = re.compile(r"state|stat|norm|rms|save|dump|pickle")
PLAIN_METHODS = frozenset(["__init__", "__new__", "close", "render", "seed"])


class KeptStatistics:
    """Asks the files of a program."""

    def __init__(self, allocations: AllocationSites, wrappers: EnvironmentWrappers) -> None:
        self.wrappers = wrappers
        self.hierarchy = allocations.hierarchy
        self.symbols = allocations.symbols
        self.units = allocations.units

    def are_kept(self, made: NormalizedEnvironment, files: Iterable[str]) -> bool:
        """Tell whether some code of a program takes the statistics of an environment out."""
        program = frozenset(files)
        if any(not made.statistics.isdisjoint(self.symbols.files[each].taken) for each in program):
            return True
        own = frozenset(self.hierarchy.relatives(made.class_id))
        methods = frozenset(self._giving_methods(made))
        return any(
            self._takes(unit, made.statistics, methods)
            for unit in self.units
            if unit.path in program and unit.class_id not in own
        )

    def _giving_methods(self, made: NormalizedEnvironment) -> Iterator[str]:
        """Yield the methods of a class of the project that use the statistics, but for steps and setters."""
        plain = PLAIN_METHODS | self.wrappers.run_by_steps(made.class_id)
        for _, method in self.hierarchy.related_methods(made.class_id):
            is_plain = method.name in plain or HANDS_ON.search(method.name) is not None
            if not is_plain and any(use.attr in made.statistics for use in method.uses):
                yield method.name

    def _hands_on(self, call: Call, unit: FunctionRef) -> bool:
        """Tell whether a call gives statistics to another object of the run, such as a new environment."""
        if HANDS_ON.search(called_name(call)):
            return True
        class_id = self.symbols.resolve(call.callee.path, unit.path) if isinstance(call.callee, Name) else ""
        return class_id in self.symbols.known.environment_wrappers or bool(self.wrappers.statistics(class_id))

    def _takes(self, unit: FunctionRef, statistics: frozenset[str], methods: frozenset[str]) -> bool:
        calls = [site.call for site in unit.function.calls]
        if any(map(_keeps, calls)):
            return True
        given = [value for call in calls if not self._hands_on(call, unit) for value in arguments_of(call)]
        given += [each.value for each in unit.function.stores if not _is_copied(each.target, statistics)]
        return any(
            isinstance(part, Attr) and part.name in statistics | methods and part.base != SELF
            for value in given
            for part in self._kept_parts(value, unit)
        )

    def _kept_parts(self, value: Value, unit: FunctionRef) -> Iterator[Value]:
        """Yield the parts of a value, but for what a call in it gives to another object of the run."""
        yield value
        is_handed_on = isinstance(value, Call) and self._hands_on(value, unit)
        for each in () if is_handed_on else inner_values(value):
            yield from self._kept_parts(each, unit)


def _is_copied(target: Value, statistics: frozenset[str]) -> bool:
    """Tell whether a statement sets the statistics of another object, or a part of them."""
    while isinstance(target, Attr):
        if target.name in statistics:
            return True
        target = target.base
    return False


def _keeps(call: Call) -> bool:
    """Tell whether a call saves an environment, or says by its name that it saves statistics."""
    name = called_name(call)
    if KEEPS_STATISTICS.search(name):
        return True
    if not SAVES.search(name):
        return False
    if isinstance(call.callee, Attr) and is_env_name(_own_name(call.callee.base)):
        return True
    parts = [part for value in arguments_of(call) for part in _bare_parts(value)]
    return any(is_env_name(_own_name(part)) or _names_statistics(part) for part in parts)


def _names_statistics(value: Value) -> bool:
    if isinstance(value, Const):
        return isinstance(value.value, str) and STATISTICS_NAME.search(value.value) is not None
    return STATISTICS_NAME.search(_own_name(value)) is not None


def _bare_parts(value: Value) -> Iterator[Value]:
    """Yield the objects in a value, not those of which it only has an attribute: `env.observation_space.shape`."""
    if isinstance(value, Call) and isinstance(value.callee, Attr):
        if STATE_METHODS.search(value.callee.name) and value.callee.name != "state_dict":
            yield value.callee.base
        for each in arguments_of(value):
            yield from _bare_parts(each)
        return
    yield value
    for each in () if isinstance(value, Attr) else inner_values(value):
        yield from _bare_parts(each)


def _own_name(value: Value) -> str:
    return value.name if isinstance(value, (Attr, Local, Param)) else ""
