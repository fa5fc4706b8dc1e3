"""Which calls save or restore the state of an object: by themselves, or through a function of the project."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import replace

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.io_calls import loader_of
from flake8_ckpt.checkpoints.io_calls import written_by
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.payload import is_state
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.functions import method_ref

STATE_METHODS = frozenset(["state_dict", "load_state_dict"])
# Names of functions that may save or restore: `save_model`, `resume_from`, `write_checkpoint`, `set_state`.
KEEPS = re.compile(r"(^|_)(save|dump|load|restore|resume)(_|$)|(^|_)(checkpoint|ckpt|state)s?$")
# `trainer.step()`, `run_epoch()`: what fails there is no failed save.
TRAINS = re.compile(r"^_*(step|learn|fit|backward|rollout|train_\w+|run_\w+)$")


def keeps_state(site: Site, unit: FunctionRef, contract: Contract) -> bool:
    """Tell whether a call saves or restores the state of an object, or reaches a function that does and trains not."""
    if _keeps(site, unit, contract):
        return True
    callees = _reached(site, unit, contract) if KEEPS.search(called_name(site.call)) else ()
    return any(
        any(_keeps(each, callee, contract) for each in callee.function.calls)
        for callee in callees
        if not trains(callee.function.calls)
    )


def trains(sites: Iterable[Site]) -> bool:
    """Tell whether some calls do the work of training."""
    return any(TRAINS.search(called_name(site.call)) for site in sites)


def _keeps(site: Site, unit: FunctionRef, contract: Contract) -> bool:
    call, context, evaluator = site.call, CallContext(unit), contract.evaluator
    if isinstance(call.callee, Attr) and call.callee.name in STATE_METHODS:
        return True
    given = written_by(call, unit, evaluator)
    if given is not None:
        payload = evaluator.expand(given[0], context)
        return is_state(payload) or any(states_in(payload))
    if loader_of(call, context, evaluator) is None:
        return False
    root = evaluator.expand(call, context)
    loads = contract.groups.payloads.summary(unit).loads
    return any(each.root == root and _restores(each, contract) for each in loads)


def _restores(load: LoadEffect, contract: Contract) -> bool:
    if not load.keys:
        return any(isinstance(target, Attr) and target.name in STATE_METHODS for target in load.into)
    if not trains(load.unit.function.calls):
        # What only locals hold is looked at: for a report, a plot, the scores of an evaluation.
        load = replace(load, into=tuple(each for each in load.into if not isinstance(each, (Local, Name))))
    return contract.restores_state(load) or bool(load.into) and contract.evidence.is_normalizer_load(load)


def _reached(site: Site, unit: FunctionRef, contract: Contract) -> Iterator[FunctionRef]:
    """Yield the function that a call reaches, and those of derived classes that replace it."""
    callee = contract.evaluator.callee_of(site.call, CallContext(unit))
    if callee is not None:
        yield callee
        for class_id, method in contract.hierarchy.methods_among(
            contract.hierarchy.subclasses(callee.class_id)
        ):
            if method.name == callee.function.name:
                yield method_ref(class_id, method, class_id)
