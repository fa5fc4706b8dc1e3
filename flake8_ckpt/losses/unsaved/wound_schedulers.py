"""Schedulers that need no state: what a resumed run tells them is enough."""

from __future__ import annotations

import re

from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Param
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.linking.value_names import parts_of
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.ledger.mentions import Mention

# Parameters of schedulers that begin where training goes on.
BEGINS = frozenset(["last_epoch", "last_step", "start_epoch"])
# The epoch at which training begins, not their number.
FIRST = re.compile(
    r"^(start|begin|first|initial|init|resume|resumed|last|cur|current)_?(epoch|iter|iteration|step)$"
    r"|^(epoch|iteration|step)(_count|_offset|_start)?$|offset"
)
# What a scheduler is told that waits for a plateau: `step(epoch_val_metric, epoch)`.
MEASURES = re.compile(r"(^|_)(loss|losses|metrics?|scores?|acc\w*|errors?|rewards?)(_|$)")
TRAINS = frozenset(["backward", "zero_grad"])
# A schedule of rates is told a metric and an epoch at most.
DENOISES = 3
# Schedulers that multiply the rate which the optimizer has by a constant.
MULTIPLIES = frozenset(["torch.optim.lr_scheduler.ExponentialLR"])


def is_wound_forward(holder: Holder, ledger: Ledger) -> bool:
    """Tell whether a scheduler is made for an epoch, is told it once or at each step, or is stepped up to it."""
    for _, value in ledger.kinds.made(holder):
        # A number in the text, as in `last_epoch=-1`, is the same after each restart.
        told = value.keywords if isinstance(value, Call) else ()
        if any(name in BEGINS and not isinstance(each, (Const, Number)) for name, each in told):
            return True
        if isinstance(value, Call) and _begins_at(value):
            return True
    if any(ledger.aliases.bindings(holder.inner(f".{name}")) for name in sorted(BEGINS)):
        return True
    steps = [each for each in ledger.mentions(holder) if each.name == "step" and each.site is not None]
    if steps and all(map(_denoises, steps)):
        return True
    if not steps:
        return _takes_count(holder, ledger)
    return _is_told(steps, holder, ledger) or any(map(_is_before_training, steps))


def is_carried_by_rate(holder: Holder, ledger: Ledger) -> bool:
    """Tell whether all that counts of a scheduler is the rate of its optimizer, which is saved."""
    classes = ledger.kinds.classes(holder)
    if not classes or not MULTIPLIES.issuperset(classes):
        return False
    stepped = [
        ledger.aliases.holders.of(first, unit)
        for unit, value in ledger.kinds.made(holder)
        if isinstance(value, Call)
        for first in arguments_of(value)[:1]
    ]
    return bool(stepped) and all(each is not None and ledger.is_kept(each, "optimizer") for each in stepped)


def _denoises(step: Mention) -> bool:
    """Tell whether a step is one of diffusion, a function of what it is given: `step(sample, noise, timestep)`."""
    call = step.site.call if step.site is not None else None
    return call is not None and len(arguments_of(call)) >= DENOISES


def _begins_at(made: Call) -> bool:
    """Tell whether a schedule is given the epoch to begin with: `LambdaLR(o, Decay(n, args.epoch).step)`."""
    given = [each for argument in arguments_of(made)[1:] for each in parts_of(argument)]
    told = [each for part in given if isinstance(part, Call) for each in arguments_of(part)]
    return any(
        isinstance(each, (Attr, Item, Local, Param)) and FIRST.search(last_name(each)) for each in told
    )


def _takes_count(holder: Holder, ledger: Ledger) -> bool:
    """Tell whether the project's own `step(epoch)` takes the epoch, where what it is given is not seen."""
    counts = ledger.known.hint("key", "counter")
    own = [ledger.hierarchy.find_method(each, "step") for each in sorted(ledger.kinds.classes(holder))]
    taken = [each[1].parameters[:2] if each is not None else () for each in own]
    return bool(taken) and all(any(counts.search(name.name) for name in given) for given in taken)


def _is_told(steps: list[Mention], holder: Holder, ledger: Ledger) -> bool:
    """Tell whether each step is given the epoch; `ReduceLROnPlateau` is given a metric."""
    calls = [each.site.call for each in steps if each.site is not None]
    if not calls or any("Plateau" in each for each in ledger.kinds.classes(holder)):
        return False
    counts = ledger.known.hint("key", "counter")
    given = [each.args[0] if each.args else NONE for each in calls]
    if any(MEASURES.search(last_name(each)) for each in given):
        return False
    return all(isinstance(each, (Arith, Number)) or counts.search(last_name(each)) for each in given)


def _is_before_training(step: Mention) -> bool:
    """Tell whether a scheduler is stepped in a loop of its own: `for _ in range(first_epoch): scheduler.step()`."""
    trains = [site.position for site in step.unit.function.calls if called_name(site.call) in TRAINS]
    in_loop = step.site is not None and LOOP in step.site.guards
    return in_loop and bool(trains) and step.position < min(trains)
