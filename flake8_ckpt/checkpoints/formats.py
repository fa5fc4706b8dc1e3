"""Whether load understands a file of another format, so that a key may be missing from this one."""

from __future__ import annotations

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.checkpoints.payload import missing_depth
from flake8_ckpt.checkpoints.payload import rooted
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Local
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.linking.value_names import path_text

TAKEN = frozenset(["required", "defaulted", "guarded"])


def is_same_format(reading: LoadEffect, family: CheckpointGroup) -> bool:
    """Tell whether some other key that is read from the same payload is written."""
    others = [each for each in family.readings if each.root == reading.root and each.unit == reading.unit]
    return any(
        each.keys and each.kind in TAKEN and not missing_depth(each.keys, family.writings) for each in others
    )


def has_alternative(keys: tuple[str, ...], readings: list[LoadEffect], family: CheckpointGroup) -> bool:
    """Tell whether what a key would restore is restored from another key, or from the whole payload, too."""
    if all(_is_one_of_two(each, family) for each in readings):
        return True
    targets = {
        target
        for each in readings
        for target in each.into
        if path_text(target) and not isinstance(target, Local)
    }
    if not targets:
        return False
    return any(
        each not in readings
        and keys[: len(each.keys)] != each.keys
        and targets & set(each.into)
        and not missing_depth(each.keys, family.writings)
        for each in family.readings
    )


def _is_one_of_two(reading: LoadEffect, family: CheckpointGroup) -> bool:
    """Tell whether the same expression takes a key that is written instead, if the payload has that one."""
    others = [
        each.keys
        for each in family.readings
        if (each.location, each.root, each.into) == (reading.location, reading.root, reading.into)
        and each.keys != reading.keys
        and each.keys[:-1] == reading.keys[:-1]
        and not missing_depth(each.keys, family.writings)
    ]
    return any(each.keys in others and each.kind == "guarded" for each in family.readings)


def chooses_format(key: str, family: CheckpointGroup) -> bool:
    """Tell whether load asks for a key to find out which of several formats a file has."""
    return any(f"nokey:{key}" in each.guards for each in family.readings) or not all(
        f"key:{key}" in each.guards or not any(guard.startswith(("key:", "nokey:")) for guard in each.guards)
        for each in family.readings
        if each.keys and each.keys[-1] == key
    )


def converts(writing: SaveEffect, reading: LoadEffect, known: Frameworks) -> bool:
    """Tell whether a function writes what it has read in another form, and no state of its own."""
    if writing.unit.identity != reading.unit.identity or any(states_in(writing.payload)):
        return False
    source = file_of(reading.root)
    if UNKNOWN not in (source, writing.file) and source != writing.file:
        return True
    held = [value for _, value in all_keys(writing.payload)]
    return any(root == reading.root for value in held for root, _ in rooted(value, known))
