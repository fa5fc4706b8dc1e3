"""How an attribute of a module lives: set once, carried across calls, or recomputed by each.

- *constant*: nothing outside construction changes it
- *state*: a later method builds its new value on the old one, or only training sets it and evaluation reads it
- *fitted*: a method that no step runs sets it anew, and others read it
- *cache*: it is recomputed where a look at it says so
- *scratch*: each call or episode starts it afresh, or nothing reads what an earlier call left
"""

from __future__ import annotations

import re
from typing import Literal

from flake8_ckpt.facts.model import HIDDEN
from flake8_ckpt.facts.model import MARKS
from flake8_ckpt.facts.model import Guard
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.modules.carried_writes import depends_on_previous_value
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.fed_back import is_fed_back
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.outer_lives import has_rows_of_others
from flake8_ckpt.modules.outer_lives import is_begun_again
from flake8_ckpt.modules.outer_lives import is_experience
from flake8_ckpt.modules.own_saving import is_moved_by_hooks
from flake8_ckpt.modules.training_writes import is_left_by_training

Lifetime = Literal["constant", "state", "fitted", "cache", "scratch"]
# `reset`, `reset_parameters`, where construction runs it too.
RESTARTS = re.compile(r"(^|_)reset(_|$)")
# Methods that begin an episode, an epoch or a sequence: `reset_hidden`, `on_train_epoch_start`, `_clear_cache`.
RESETS = re.compile(
    r"^_?(reset|init|clear|start|begin|zero|flush|free|empty|detach|new|on_\w+_(start|begin|end))(_|$)"
    r"|_reset$|reset_|_start$|_begin$"
)
# What running statistics, code books and queues are called: `running_mean`, `ema_cluster_size`, `num_batches_seen`,
# `queue_ptr`. A hint beside evidence, never evidence.
STATISTIC = re.compile(
    r"(^|_)(mean|means|var|variance|std|count|counts|running|ema|avg|average|moment|moments|momentum|m2|sumsq"
    r"|n_seen|usage|cluster|codebook|center|centers|centroids|prototypes?|queue|quantiles?|num_batches|shadow|returns?"
    r"|discounted|stats?)(_|$)"
)
# What lasts for one sequence or one call: `kv_cache`, `last_hidden`, `prev_action`, `attn_mask`, `h`.
TRANSIENT = re.compile(
    r"cache|past|history|hidden|memory|memories|(^|_)(prev|last|cur|current|state|states|h|c|hx|cx|buffer)(_|$)"
    r"|mask|grad|loss"
)
# The mean of the step before is no running mean: `_prev_mean`.
PREVIOUS = re.compile(r"^_?prev(ious)?_")
# A tensordict of torchrl is no tensor, though it has most methods of one: `self._td = td.clone()`.
FOREIGN = re.compile(r"tensordict|(^|_)td(_|$)")
# Uses that read no content: a comparison with None, a shape, a branch; and marks that stand beside a use.
IDLE_USES = MARKS | frozenset(["none", "meta", "test", "cadence"])

# Uses that append what a call is given, or make room for it.
APPENDS = frozenset(["cat", ".roll"])


def is_tensor(value: Value) -> bool:
    """Tell whether a value is certainly a tensor, or None."""
    options = [option for option in options_of(value) if option != NONE]
    return bool(options) and all(isinstance(option, Tensor) for option in options)


def is_statistic(attr: str) -> bool:
    """Tell whether a name is one that running statistics have: a hint, never evidence by itself."""
    return STATISTIC.search(attr) is not None


def is_transient(attr: str) -> bool:
    """Tell whether a name says that the value belongs to one sequence or one call."""
    if PREVIOUS.search(attr):
        return True
    return TRANSIENT.search(attr) is not None and not is_statistic(attr)


def tensor_writes(state: ClassState, attr: str) -> list[AttributeWrite]:
    """Return the assignments of construction that certainly give a tensor, the class's own only.

    Empty where an ancestor sets the attribute first: the finding is the ancestor's.
    """
    if FOREIGN.search(attr):
        return []
    made = state.constructed(attr)
    found = [change for change in made if is_tensor(change.value)]
    if (
        not found
        and attr in state.used_as_tensor
        and made
        and all(change.value == UNKNOWN for change in made)
    ):
        found = made
    if any(change.method.owner != state.identity for change in found):
        return []
    return [change for change in found if HIDDEN not in change.guards]


def is_optional(state: ClassState, attr: str) -> bool:
    """Tell whether construction may leave None or a number: then only some objects hold a tensor."""
    return any(
        NONE in options_of(each.value) or _is_something_else(each.value) for each in state.constructed(attr)
    )


def _is_something_else(value: Value) -> bool:
    return all(isinstance(option, (Const, Number, Container, Record)) for option in options_of(value))


def lifetime(state: ClassState, attr: str) -> Lifetime:
    """Return how an attribute lives, in one word."""
    later = [change for change in state.runtime_writes(attr) if change.write.how not in ("delete", "grow")]
    if not later:
        return "constant"
    carried = [change for change in later if depends_on_previous_value(state, change)]
    if carried:
        if _is_begun_anew(state, carried, later):
            return "fitted" if is_statistic(attr) and _is_read_across(state, attr) else "scratch"
        if _lasts_for_a_while(state, attr) or is_fed_back(state, carried):
            return "state" if is_statistic(attr) and not _is_environment(state) else "scratch"
        return "scratch" if all(_happens_once(state, change) for change in carried) else "state"
    if is_left_by_training(state, attr, later):
        return "state"
    if not is_statistic(attr) and all(_is_shared(state, change) for change in later):
        return "scratch"
    if all(_looks_first(change) for change in later):
        return "cache"
    if not _is_read_across(state, attr):
        return "scratch"
    writers = {change.method.name for change in later}
    if writers & state.stepping or all(RESETS.search(name) for name in writers):
        return "scratch"
    return "scratch" if not is_statistic(attr) and has_rows_of_others(state, attr) else "fitted"


def _lasts_for_a_while(state: ClassState, attr: str) -> bool:
    """Tell whether writes say that what is carried belongs to a period, or to something beside the module."""
    return (
        _is_restarted(state, attr)
        or _is_collected(state, attr)
        or is_begun_again(state, attr)
        or has_rows_of_others(state, attr)
        or is_experience(state, attr)
    )


def _is_begun_anew(state: ClassState, carried: list[AttributeWrite], later: list[AttributeWrite]) -> bool:
    """Tell whether some method sets the attribute afresh and then runs all those that carry it on."""
    for change in later:
        if change.write.how == "assign" and not change.guards and change not in carried:
            run = state.reach(frozenset([change.method.name]))
            if all(each.method.name in run for each in carried):
                return True
    return False


def _is_shared(state: ClassState, change: AttributeWrite) -> bool:
    """Tell whether a write puts another object's attribute of that name in the place of a constant."""
    value, made = change.write.value, state.constructed(change.attr)
    if not isinstance(value, Attr) or not isinstance(value.base, Param) or value.name != change.attr:
        return False
    return bool(made) and all(
        isinstance(each.value, Tensor) and each.value.origin == "constant" for each in made
    )


def _is_environment(state: ClassState) -> bool:
    """Tell whether the class is an environment: it steps and resets, and what it counts belongs to an episode."""
    defines = state.hierarchy.defines
    steps = defines(state.identity, "step") or defines(state.identity, "_step")
    return steps and (defines(state.identity, "reset") or defines(state.identity, "_reset"))


def _happens_once(state: ClassState, change: AttributeWrite) -> bool:
    """Tell whether a write runs under a flag that the same method turns: a first call that fits a constant."""
    flags = {each.write.attr for each in state.runtime_writes(change.write.attr)}
    flags = {guard.name for guard in change.guards if _is_as_constructed(state, guard)} - flags
    turned = [other for flag in flags for other in state.runtime_writes(flag)]
    return any(other.method == change.method and isinstance(other.value, Const) for other in turned)


def _is_as_constructed(state: ClassState, guard: Guard) -> bool:
    """Tell whether a condition asks for a flag that may still be as construction left it."""
    return guard.kind in ("set", "unset") and not state.flag(guard.name, guard.kind == "unset")


def _is_collected(state: ClassState, attr: str) -> bool:
    """Tell whether the attribute is a sequence, or a window of one, that calls append to."""
    return any(not APPENDS.isdisjoint(read.use.how) for read in state.uses.get(attr, ()))


def _is_restarted(state: ClassState, attr: str) -> bool:
    changes = [*state.changes.get(attr, ()), *state.subclass_changes.get(attr, ())]
    return any(
        (RESTARTS if change.method.runs_at_construction else RESETS).search(change.method.name)
        and change.method.name not in CONSTRUCTION
        for change in changes
    )


def _looks_first(change: AttributeWrite) -> bool:
    attr = change.write.attr
    return any(guard.name == attr for guard in change.guards)


def _is_read_across(state: ClassState, attr: str) -> bool:
    return any("held" in read.use.how for read in state.reads(attr))


def is_window(state: ClassState, attr: str) -> bool:
    """Tell whether all that read what was gathered set it back at once: a load costs a part of a window."""
    later = state.runtime_writes(attr)
    gathering = {each.method.name for each in later if depends_on_previous_value(state, each)}
    emptying = {each.method.name for each in later if _empties(each)}
    readers = {each.method.name for each in state.reads(attr) if "held" in each.use.how} - (
        gathering - emptying
    )
    return bool(gathering) and bool(readers) and readers <= emptying


def _empties(change: AttributeWrite) -> bool:
    """Tell whether a write leaves zeros or the like, whatever was there."""
    write = change.write
    if write.carried or write.guards:
        return False
    if write.how == "assign":
        return isinstance(change.value, Tensor) and change.value.origin == "constant"
    return write.how == "inplace" and write.value == Tensor("data")


def is_idle(state: ClassState, attr: str) -> bool:
    """Tell whether later methods read an attribute only to look at its shape or to branch on it, or not at all."""
    reads = state.reads(attr)
    if not reads:
        return any(
            set(each.use.how) - IDLE_USES
            for each in state.uses.get(attr, ())
            if each.method.runs_at_construction
        )
    return all(set(read.use.how) <= IDLE_USES for read in reads)


def is_moved_by_hand(state: ClassState, attr: str) -> bool:
    """Tell whether every later use of an attribute moves it first: `self.k.to(x)`, `self.k[i].type_as(x)`."""
    hows = {how for read in state.reads(attr) for how in read.use.how}
    if hows & {"moved", "relocated"} and not hows & {"input", "returned"}:
        return True
    changes = state.changes.get(attr, ())
    if any(each.write.how == "moved" and each.method.name in state.stepping for each in changes):
        return True
    return is_moved_by_hooks(state, attr)


def is_trainable(state: ClassState, attr: str) -> bool:
    """Tell whether an attribute's tensor requires grad."""
    marks = [change.value for change in state.changes.get(attr, ()) if change.write.how == "grad"]
    values = [option for change in state.constructed(attr) for option in options_of(change.value)]
    return any(isinstance(value, Tensor) and value.trainable for value in (*marks, *values))


def is_only_handed_on(state: ClassState, attr: str) -> bool:
    """Tell whether an attribute is nothing but an argument of a checkpointed function, which wants one with grad."""
    hows = {how for read in state.reads(attr) for how in read.use.how}
    return "handed" in hows and hows <= {"handed", *IDLE_USES}


def is_placeholder(state: ClassState, attr: str) -> bool:
    """Tell whether construction leaves only an empty tensor that nothing fills there."""
    values = [
        option for change in state.constructed(attr) for option in options_of(change.value) if option != NONE
    ]
    filled = any(
        change.method.runs_at_construction and change.write.how in ("inplace", "item")
        for change in state.changes[attr]
    )
    return not filled and all(
        isinstance(value, Tensor) and value.origin in ("empty", "complex") for value in values
    )


def is_random(state: ClassState, attr: str) -> bool:
    """Tell whether construction draws an attribute's value at random."""
    values = [option for change in state.constructed(attr) for option in options_of(change.value)]
    # Under a condition the fill belongs to the branch that makes a parameter, where one does.
    is_parameter = any(isinstance(each, (Parameter, Buffer)) for each in values)
    filled = [
        change.value
        for change in state.changes[attr]
        if change.method.runs_at_construction
        and change.write.how == "inplace"
        and not (change.guards and is_parameter)
    ]
    return any(isinstance(value, Tensor) and value.origin == "random" for value in (*values, *filled))
