"""Whether later results depend on an attribute, so that to lose it changes them."""

from __future__ import annotations

import re
from collections.abc import Collection

from flake8_ckpt.facts.model import MARKS
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Guard
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.frameworks.torch_methods import UNEVENTFUL
from flake8_ckpt.linking.value_names import parts_through_locals
from flake8_ckpt.losses.state_dicts.kept_attributes import keeps
from flake8_ckpt.losses.state_dicts.visible_methods import VisibleMethods
from flake8_ckpt.modules.attribute_lifetime import RESETS

# Methods that only show a value: `log_stats`, `print_summary`, `__repr__`.
SHOWS = re.compile(r"(^|_)(log|logs|print|show|summar\w+|display|plot|describe|repr|str|debug)(_|$)")
# Methods that only show what they do not change: `get_info`, `report`, `statistics`.
TELLS = re.compile(r"(^|_)(report|progress|info|stats|statistics|metrics)(_|$)")
# What ends one period of training, such as an epoch, and carries on to the next one.
PERIODS = re.compile(r"^on_\w+_(start|end)$")
GROWTH = frozenset(".append .extend .insert .update .setdefault .add .appendleft .clear".split())


def matters(attr: str, methods: VisibleMethods, given: Collection[str]) -> bool:
    """Tell whether some method reads an attribute for something else than to change or to show it.

    A cadence, `if self.step % 10 == 0:`, matters only where it decides over something that is `given` to a checkpoint.
    """
    for _, method in methods.about(attr):
        changes = any(write.attr == attr for write in method.writes)
        if is_aside(method, attr) or SHOWS.search(method.name) or TELLS.search(method.name) and not changes:
            continue
        if not _is_marked(method, attr, given) and any(
            use.attr == attr and _decides(set(use.how), method, attr) for use in method.uses
        ):
            return True
        if any(each.attr in given and Guard("about", attr) in each.guards for each in method.writes):
            return True
    return False


def is_aside(method: FunctionFacts, attr: str) -> bool:
    """Tell whether a method makes, saves, restores or resets an object: what it changes is no progress."""
    if method.name in CONSTRUCTION or method.name in UNEVENTFUL or keeps(method.name):
        return True
    is_period = PERIODS.search(method.name) is not None
    counts = any(
        each.attr == attr and (each.how == "augment" or is_period and each.carried or is_best(each))
        for each in method.writes
    )
    return RESETS.search(method.name) is not None and not counts


def is_best(write: Write) -> bool:
    """Tell whether a value stays where another is no better: `if loss < self.best: self.best = loss`.

    What another object of the same owner says, `self.received = self.sent.value`, is a mirror of it.
    """
    is_mirror = (
        isinstance(write.value, Attr) and isinstance(write.value.base, Attr) and write.value.base.base == SELF
    )
    return write.how == "assign" and Guard("order", write.attr) in write.guards and not is_mirror


def is_taken_once(write: Write, method: FunctionFacts, counts: Collection[str]) -> bool:
    """Tell whether a value is measured where a saved count says so, and never again: `if self.steps == 1:`."""
    if write.how != "assign" or isinstance(write.value, Const):
        return False
    names = {kind: {each.name for each in write.guards if each.kind == kind} for kind in ("about", "order")}
    asked = {each for each in names["about"] - names["order"] if each in counts}
    by_pace = any(use.attr in asked and "cadence" in use.how for use in method.uses)
    return bool(asked) and write.attr not in names["about"] and not by_pace


def _decides(hows: set[str], method: FunctionFacts, attr: str) -> bool:
    """Tell whether a method reads an attribute beside its own change of it."""
    if not any(write.attr == attr for write in method.writes):
        return bool(hows - GROWTH - MARKS - {"none", "own", "cadence", "shown"})
    if hows & {"test", "item", "iter", "apart", "meta"}:
        return True
    is_measured = all(
        each.how == "assign" and not each.carried for each in method.writes if each.attr == attr
    )
    if is_measured and {"plain", "held"} <= hows:
        return True
    others = [write.value for write in method.writes if write.attr != attr]
    others += [store.value for store in method.stores]
    return any(_mentions(value, attr) for value in others)


def _is_marked(method: FunctionFacts, attr: str, given: Collection[str]) -> bool:
    """Tell whether a method only asks how far a count is from its last mark, which starts over together with it.

    if self.steps - self.last_copy >= self.every: self.last_copy = self.steps
    """
    marks = [write for write in method.writes if write.how == "assign" and write.value == Attr(SELF, attr)]
    return any(
        each.attr not in (attr, *given)
        and {Guard("order", attr), Guard("order", each.attr)} <= {*each.guards}
        for each in marks
    ) and not any(
        _mentions(write.value, attr) for write in method.writes if write.attr != attr and write not in marks
    )


def _mentions(value: Value, attr: str) -> bool:
    """Tell whether a value is made from an attribute of `self`."""
    return any(each == Attr(SELF, attr) for each in parts_through_locals(value))
