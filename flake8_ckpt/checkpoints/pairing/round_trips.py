"""Pairs of methods of any name: one gives the state of attributes in a mapping, the other puts it back from one."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.hooks.values import receiver_of
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.linking.value_names import object_text

# One attribute in common may be chance: a setter beside a method that tells how things are.
MIN_RETURNED = 2


def gives_mapping(method: FunctionFacts) -> bool:
    """Tell whether what a method gives back is a mapping with known keys."""
    return method.returns is not None and any(isinstance(each, Record) for each in options_of(method.returns))


def takes_mapping(method: FunctionFacts) -> bool:
    """Tell whether a method takes keys out of something that it is given."""
    return any(isinstance(each.base, Param) and each.key for each in method.key_reads)


def is_round_trip(saves: Sequence[SaveEffect], loads: Sequence[LoadEffect]) -> bool:
    """Tell whether under some keys the very attributes are restored whose state was given."""
    restored = {each.keys[0]: set(_restored(each)) for each in loads if each.keys}
    returned = {
        key
        for save in saves
        for key, slot in contents(save.payload).slots.items()
        if _saved(slot.value) & restored.get(key, set())
    }
    return len(returned) >= MIN_RETURNED


def _saved(value: Value) -> set[str]:
    """Return the attributes whose state a value is."""
    found = map(receiver_of, options_of(value))
    return {object_text(each) for each in found if isinstance(each, Attr)} - {""}


def _restored(load: LoadEffect) -> Iterator[str]:
    """Yield the attributes that a load sets, or whose methods it calls."""
    for target in load.into:
        if isinstance(target, Attr):
            yield object_text(target)
            yield object_text(target.base)
