"""What the functions of a program do with the statistics of a `VecNormalize`: save, assign or freeze them.

Silence beats a doubtful finding: whatever takes the statistics out of the wrapper counts as saving them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.stable_baselines3 import ASSIGNS
from flake8_ckpt.frameworks.stable_baselines3 import CHECKPOINTS
from flake8_ckpt.frameworks.stable_baselines3 import RMS
from flake8_ckpt.frameworks.stable_baselines3 import SAVES
from flake8_ckpt.frameworks.stable_baselines3 import UNWRAPS
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.value_names import object_text
from flake8_ckpt.linking.value_names import parts_of
from flake8_ckpt.losses.vecnormalize.wrappers import Environments
from flake8_ckpt.losses.vecnormalize.wrappers import is_env_name

Handling = Literal["saved", "assigned", "frozen"]
SAVED: Literal["saved"] = "saved"
ASSIGNED: Literal["assigned"] = "assigned"
FROZEN: Literal["frozen"] = "frozen"
# Names of files and objects with statistics: `vecnormalize.pkl`, `env_stats`, `ob_rms`.
NORM = re.compile(r"norm|rms|stats|statistic", re.I)
# `save_vec_normalize_path=...`, `VecNormalizeCallback`: the wrapper in the name of a call or an argument.
VEC_NORM = re.compile(r"vec_?norm", re.I)
# Words for keeping something, in the name of a call or an argument.
KEEPS = re.compile(r"save|dump|store|export|checkpoint|callback|persist|backup|write|upload", re.I)
# Where `CheckpointCallback` takes `save_vecnormalize` by position.
SAVE_VECNORMALIZE = 4


class Statistics:
    """Tells what happens to statistics in each file."""

    def __init__(self, environments: Environments) -> None:
        self.environments = environments
        self.known = environments.symbols.known
        self._handled: dict[str, set[Handling]] = {}

    def done_in(self, files: Iterable[str]) -> set[Handling]:
        """Return what some files do with statistics."""
        return {each for path in files for each in self._in_file(path)}

    def _in_file(self, path: str) -> set[Handling]:
        if path not in self._handled:
            self._handled[path] = {each for unit in self._by_file.get(path, ()) for each in self._done(unit)}
        return self._handled[path]

    @cached_property
    def _by_file(self) -> Mapping[str, list[FunctionRef]]:
        found: dict[str, list[FunctionRef]] = defaultdict(list)
        for unit in self.environments.units:
            found[unit.path].append(unit)
        return found

    def _done(self, unit: FunctionRef) -> Iterator[Handling]:
        for site in unit.function.calls:
            place = Place(unit, site.position)
            if self._saves(site.call, place):
                yield SAVED
            if self._assigns(site.call, place):
                yield ASSIGNED
            if freezes(site.call):
                yield FROZEN
        for store in unit.function.stores:
            target = store.target
            if isinstance(target, Attr) and RMS.search(target.name):
                yield ASSIGNED
            elif takes_statistics(store.value):
                yield SAVED
            if isinstance(target, Attr) and target.name == "training" and store.value != Const(True):
                yield FROZEN
            if isinstance(target, Item) and target.key == Const("training"):
                yield FROZEN

    def _saves(self, call: Call, place: Place) -> bool:
        name = called_name(call)
        if CHECKPOINTS.search(name):
            return saves_wrapper(call)
        if (
            VEC_NORM.search(name)
            and KEEPS.search(name)
            or any(_is_keeping(key, value) for key, value in call.keywords)
        ):
            return True
        given = arguments_of(call)
        if any(map(takes_statistics, given)):
            return True
        if not SAVES.search(name):
            return False
        if isinstance(call.callee, Attr):
            return call.callee.base == UNKNOWN or self._is_environment(call.callee.base, place)
        parts = [part for value in given for part in parts_of(value)]
        if isinstance(call.callee, Name) and call.callee.path in self.known.pickles and UNKNOWN in parts:
            return True
        return any(_names_statistics(part) or self._is_environment(part, place) for part in parts)

    def _is_environment(self, value: Value, place: Place) -> bool:
        """Tell whether what is saved may be the wrapper."""
        if isinstance(value, Join):
            return any(self._is_environment(option, place) for option in value.options)
        if isinstance(value, Call) and (
            called_name(value) == "get_env" or UNWRAPS.search(called_name(value))
        ):
            return True
        if not isinstance(value, (Local, Param, Attr, Call, Item, Name)):
            return False
        text = value.name if isinstance(value, Attr) else object_text(value)
        if is_env_name(text) or NORM.search(text) is not None:
            return not self.environments.models(value, place)
        return bool(self.environments.wrapped(value, place).wrappers)

    def _assigns(self, call: Call, place: Place) -> bool:
        name = called_name(call)
        if name in ("setattr", "set_attr"):
            return any(isinstance(each, Const) and RMS.search(str(each.value)) for each in call.args)
        return ASSIGNS.search(name) is not None


def _names_statistics(value: Value) -> bool:
    """Tell whether a value is the name of a file of statistics: "vecnormalize.pkl"."""
    return isinstance(value, Const) and isinstance(value.value, str) and NORM.search(value.value) is not None


def saves_wrapper(call: Call) -> bool:
    """Tell whether a `CheckpointCallback` may save the wrapper, too."""
    if "**" in dict(call.keywords):
        return True
    given = call.args[SAVE_VECNORMALIZE] if len(call.args) > SAVE_VECNORMALIZE else None
    given = given or dict(call.keywords).get("save_vecnormalize")
    return given is not None and given != Const(False)


def takes_statistics(value: Value) -> bool:
    """Tell whether the statistics of some wrapper are part of a value."""
    return any(
        isinstance(each, Attr) and RMS.search(each.name) and not isinstance(each.base, Self)
        for each in parts_of(value)
    )


def _is_keeping(key: str, value: Value) -> bool:
    """Tell whether a keyword argument asks to keep the wrapper."""
    return (
        VEC_NORM.search(key) is not None
        and KEEPS.search(key) is not None
        and value not in (Const(False), NONE)
    )


def freezes(call: Call) -> bool:
    """Tell whether a call stops the updates of a wrapper, or may ask for one without."""
    name = called_name(call)
    if name in ("setattr", "set_attr"):
        return Const("training") in call.args
    if dict(call.keywords).get("training", Const(True)) != Const(True):
        return True
    return name == "eval" and isinstance(call.callee, Attr) and is_env_name(object_text(call.callee.base))
