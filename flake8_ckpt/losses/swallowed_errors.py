"""Broad excepts around saving or restoring state that go on without it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.pairing.function_names import verb_and_stem
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.model import Handler
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Unknown
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.losses.state_calls import keeps_state
from flake8_ckpt.losses.state_calls import trains

BROAD = frozenset(["Exception", "BaseException"])
RESTORES = re.compile(r"load|restore|resume")
EVALUATES = re.compile(r"(Player|Eval\w*|Tester|Predictor|Inference\w*|Demo)$")
SAVES = frozenset("save dump write store export".split())
# A `try` block that is longer does more than to save or restore.
MAX_LINES = 50


@dataclass(frozen=True)
class SwallowedError:
    """A handler that ends every error of a call which saves or restores."""

    location: Spot
    call: str
    is_restore: bool


def swallowed_errors(contract: Contract) -> tuple[SwallowedError, ...]:
    """Return the handlers after which the run goes on without its state, and nobody learns of it."""
    found = (
        _swallowed(handler, unit, contract)
        for unit in followed_functions(contract.hierarchy.symbols)
        for handler in unit.function.handlers
        if handler.outcome != "handled" and _is_broad(handler)
    )
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _is_broad(handler: Handler) -> bool:
    caught = {name.rpartition(".")[2] for name in handler.caught}
    return not caught or not BROAD.isdisjoint(caught)


def _swallowed(handler: Handler, unit: FunctionRef, contract: Contract) -> SwallowedError | None:
    site = _state_call(handler, unit, contract)
    if site is None or not _goes_on(site, unit, contract) or _has_fallback(site, handler, unit):
        return None
    if handler.says and (not _restores(site) or _is_beside(handler, unit, contract)):
        return None  # What is trained is there still, or is restored whatever becomes of the rest.
    if (
        _is_dropped(site, handler)
        or _ends(handler, unit)
        or _is_told(handler, unit, contract)
        or _has_second_way(handler, unit)
    ):
        return None
    return SwallowedError(Spot(unit.path, handler.position), called_name(site.call), _restores(site))


def _restores(site: Site) -> bool:
    return RESTORES.search(called_name(site.call)) is not None


def _state_call(handler: Handler, unit: FunctionRef, contract: Contract) -> Site | None:
    """Return the last call that saves or restores state in a `try` block that does nothing else of weight."""
    lines = range(handler.first_line, handler.last_line + 1)
    inside = [site for site in unit.function.calls if site.position.line in lines]
    if len(lines) > MAX_LINES or trains(inside):
        return None
    return next((site for site in reversed(inside) if keeps_state(site, unit, contract)), None)


def _is_beside(handler: Handler, unit: FunctionRef, contract: Contract) -> bool:
    """Tell whether the function restores something else before: a network, and then a buffer if it can."""
    before = (each for each in unit.function.calls if each.position.line < handler.first_line)
    return any(_restores(each) and keeps_state(each, unit, contract) for each in before)


def _goes_on(site: Site, unit: FunctionRef, contract: Contract) -> bool:
    """Tell whether a run goes on with what is restored: an evaluator that tries again waits for the next file."""
    if not _restores(site) or EVALUATES.search(unit.class_id) is None:
        return True
    names = contract.hierarchy.method_names(unit.class_id)
    if "state_dict" in names or any(verb_and_stem(name)[0] in SAVES for name in names):
        return True
    calls = list(_calls_of(unit, contract))
    return bool(calls) and not any(LOOP in each.guards for each in (site, *calls))


def _has_fallback(site: Site, handler: Handler, unit: FunctionRef) -> bool:
    """Tell whether the same is tried once more: after the handler, or in a loop over several copies."""
    call, restores = site.call, _restores(site)
    after = [each.call for each in unit.function.calls if _follows(each, handler)]
    if any(_is_same_state(each, call) or each.callee == call.callee and restores for each in after):
        return True
    own = isinstance(call.callee, Attr) and _varies(call.callee.base)
    return LOOP in site.guards and not own and restores


def _follows(site: Site, handler: Handler) -> bool:
    """Tell whether a call stands after a handler, and not in a branch that runs only where its own does not."""
    line = site.position.line
    return line > handler.position.line and not any(first <= line <= last for first, last in handler.apart)


def _has_second_way(handler: Handler, unit: FunctionRef) -> bool:
    """Tell whether the handler says what failed, and the rest of the function is reached only after that."""
    return handler.second_way and any(
        each.position.line > handler.position.line for each in unit.function.calls
    )


def _is_same_state(one: Call, other: Call) -> bool:
    """Tell whether two calls save the same, or give the same state to an object or to a part of it."""
    if isinstance(one.callee, Attr) and isinstance(other.callee, Attr):
        return one.callee.name == other.callee.name and bool(one.args) and one.args == other.args
    return one.callee == other.callee and one.args[:1] == other.args[:1]


def _varies(value: Value) -> bool:
    """Tell whether an object may be another one in each turn of a loop."""
    while isinstance(value, (Attr, Local)):
        value = value.base if isinstance(value, Attr) else value.value
    return isinstance(value, (Element, Item, Unknown))


def _ends(handler: Handler, unit: FunctionRef) -> bool:
    """Tell whether a handler gives up the rest of its function, which may need the state."""
    follows = any(site.position.line > handler.position.line for site in unit.function.calls)
    return follows and handler.outcome != "swallowed"


def _is_dropped(site: Site, handler: Handler) -> bool:
    """Tell whether the handler says what failed, and leaves with the object that should have had the state."""
    callee = site.call.callee
    owner = callee.base if isinstance(callee, Attr) else None
    return _restores(site) and isinstance(owner, Local) and owner.name in handler.drops


def _is_told(handler: Handler, unit: FunctionRef, contract: Contract) -> bool:
    """Tell whether what the handler gives back goes to a caller who looks at it."""
    if handler.outcome == "swallowed":
        return False
    looks = [site.used for site in _calls_of(unit, contract)]
    return any(looks) or not looks and handler.outcome == "told"


def _calls_of(unit: FunctionRef, contract: Contract) -> Iterator[Site]:
    """Yield the calls that reach a function, or may reach it."""
    for other in followed_functions(contract.hierarchy.symbols):
        for site in other.function.calls:
            if called_name(site.call) == unit.function.name:
                callee = contract.evaluator.callee_of(site.call, CallContext(other))
                if callee is None or callee.identity == unit.identity:
                    yield site
