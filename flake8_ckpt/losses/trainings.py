"""Calls that train: by what the functions do that they reach, and by their names where nobody knows those."""

from __future__ import annotations

import re
from functools import cached_property

from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Name
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import functions_outside_tests
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator
from flake8_ckpt.linking.value_names import last_name

# A caller that trains: `trainer.fit()`, `train_epoch()`, `run_training()`.
RUNS = re.compile(
    r"^_*(train|fit|learn|run|optimi[sz]e(_\w+)?|run_\w+"
    r"|train_(?!test|val|load|data|mode|trans|set|split|metric|log|config|args)\w+"
    r"|(?!plot|draw|log|show|print|save|load|get|set|is_|should|can_|make|build|create|stop|end|finish|prepare|init"
    r"|check|test|eval|read|split|on_|after|before|pre_|post_|update_|analy[sz]e|visuali[sz]e|export)\w+_train(ing)?)$"
)
# One that may only play: `run_episode(agent)`. It trains where what it calls says so, or whose method it is.
PLAYS = re.compile(r"^_*run(_(?!train)\w+)?$")
TRAINERS = re.compile(r"train|learn|runner|experiment|algo|fit", re.IGNORECASE)
CHANGES = re.compile(
    r"^_*(learn|train_step|train_on_\w+|update|update_(policy|param|net|agent|model|weight|actor|critic)\w*"
    r"|optimi[sz]e\w*|backward)$"
)
# `net.train()` and `self.train(False)` set a mode.
MODULES = re.compile(
    r"net|model|policy|actor|critic|module|encoder|decoder|generator|discriminator|^self$|^[gdq]$",
    re.IGNORECASE,
)
AGENTS = re.compile(r"agent|learner|ppo|sac|dqn|td3|ddpg|a2c", re.IGNORECASE)
# Classes of which an object may be one, where a method is called on what nobody knows.
MAX_METHODS = 64


class Trainings:
    """Asks functions whether they train, by themselves or through what they call."""

    def __init__(self, hierarchy: Hierarchy, evaluator: SymbolicEvaluator) -> None:
        self.hierarchy = hierarchy
        self.evaluator = evaluator
        self._training: dict[tuple[str, int], bool] = {}

    def trains(self, unit: FunctionRef, depth: int) -> bool:
        """Tell whether a function runs a training, by itself or through at most `depth` calls."""
        key = (unit.identity, depth)
        if key not in self._training:
            self._training[key] = False
            self._training[key] = any(self.is_training(each, unit, depth) for each in unit.function.calls)
        return self._training[key]

    def is_training(self, site: Site, unit: FunctionRef, depth: int) -> bool:
        """Tell whether a call runs a training, by its name or through what it calls."""
        name = last_name(site.call.callee)
        if name == "backward":
            return True
        called = self._called(site, unit)
        if RUNS.search(name) and self._is_named_so(site, unit, called):
            return True
        if depth > 0 and any(self.trains(each, depth - 1) for each in called):
            return True
        inner = (last_name(each.call.callee) for one in called for each in one.function.calls)
        return PLAYS.search(name) is not None and any(map(CHANGES.search, inner))

    def _is_named_so(self, site: Site, unit: FunctionRef, called: list[FunctionRef]) -> bool:
        """Tell whether a name is enough: of what is not known, and of what is more than a mode or a game."""
        name, callee = last_name(site.call.callee), site.call.callee
        receiver = last_name(callee.base) if isinstance(callee, Attr) else ""
        if PLAYS.search(name):
            said = callee.path if isinstance(callee, Name) else receiver
            return not any(each.function.contract for each in called) and TRAINERS.search(said) is not None
        if called or not isinstance(callee, Attr):
            return True
        if name == "fit":
            # `scaler.fit(x)` of other libraries.
            return any(each.search(receiver) is not None for each in (TRAINERS, MODULES, AGENTS))
        if name != "train":
            return True
        class_id = self.evaluator.class_of(callee.base, CallContext(unit))
        if class_id in self.hierarchy.symbols.classes and self.hierarchy.is_module(class_id):
            return False
        if site.call.keywords or not all(isinstance(each, Const) for each in site.call.args):
            return True
        is_trainer = any(each.search(receiver) is not None for each in (TRAINERS, AGENTS))
        return is_trainer and not _evaluates(unit, receiver)

    def _called(self, site: Site, unit: FunctionRef) -> list[FunctionRef]:
        """Return the function that a call reaches; of an unknown object, the only method of a telling name."""
        known = self.evaluator.callee_of(site.call, CallContext(unit))
        if known is not None or not isinstance(site.call.callee, Attr):
            return [known] if known is not None else []
        found = self._by_name.get(site.call.callee.name, []) if "_" in site.call.callee.name else []
        stepping = [each for each in found if _steps(each)] if len(found) <= MAX_METHODS else []
        return stepping if 2 * len(stepping) > len(found) else []

    @cached_property
    def _by_name(self) -> dict[str, list[FunctionRef]]:
        """Return the methods outside of tests that do something, by their names."""
        found: dict[str, list[FunctionRef]] = {}
        for each in functions_outside_tests(self.hierarchy.symbols):
            if each.class_id and (each.function.calls or each.function.writes):
                found.setdefault(each.name, []).append(each)
        return found


def _evaluates(unit: FunctionRef, receiver: str) -> bool:
    """Tell whether a function sets the other mode of an object, too: `agent.eval()`."""
    callees = (each.call.callee for each in unit.function.calls)
    return any(
        isinstance(each, Attr) and each.name == "eval" and last_name(each.base) == receiver
        for each in callees
    )


def _steps(unit: FunctionRef) -> bool:
    """Tell whether a method steps an optimizer: `optimize_parameters`, `train_batch`."""
    names = {last_name(site.call.callee) for site in unit.function.calls}
    return "step" in names and not names.isdisjoint(["backward", "zero_grad"])
