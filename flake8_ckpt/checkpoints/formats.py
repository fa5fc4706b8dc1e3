"""Whether load understands a file of another format, so that a key may be missing from this one."""

from __future__ import annotations

from collections.abc import Iterable

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.pairing.group import LoadedPayload
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.checkpoints.payload import is_state
from flake8_ckpt.checkpoints.payload import missing_depth
from flake8_ckpt.checkpoints.payload import object_of
from flake8_ckpt.checkpoints.payload import rooted
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.model import Guard
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.linking.value_names import object_text
from flake8_ckpt.linking.value_names import path_text

# The kinds of loads that take one key by its name.
TAKEN = frozenset(["required", "defaulted", "guarded"])

# One key that only another writer gives may be what this one forgets; with two, the load reads files of both.
MIN_FOREIGN = 2


def is_same_format(loaded: LoadedPayload) -> bool:
    """Tell whether some other key that is read from the same payload is written."""
    return any(each.keys and not missing_depth(each.keys, loaded.saves) for each in loaded.loads)


def is_renamed(load: LoadEffect, loaded: LoadedPayload) -> bool:
    """Tell whether the object that a function restores by itself is saved under another key."""
    held = (value for save in loaded.saves for _, value in all_keys(save.payload))
    return not load.call_chain and any(restores(load, value) for value in held)


def is_of_others(key: str, loaded: LoadedPayload, saves: Iterable[SaveEffect]) -> bool:
    """Tell whether other saves give a key, and another that is read and that one near by does not give.

    Where the saves belong to a load by its own file or functions, it is known whose keys it reads.
    """
    units = {each.unit.identity for each in loaded.loads}
    if not loaded.by_helper or any(each.unit.identity in units for each in loaded.saves):
        return False
    read = {each.keys[0] for each in loaded.loads if each.keys}
    near = [_first_keys(each) & read for each in loaded.saves]
    others = [given for given in (_first_keys(each) & read for each in saves) if key in given]
    return any(given & own and len(given - own) >= MIN_FOREIGN for given in others for own in near)


def _first_keys(save: SaveEffect) -> set[str]:
    return {keys[0] for keys, _ in all_keys(save.payload)}


def has_alternative(keys: tuple[str, ...], loads: list[LoadEffect], loaded: LoadedPayload) -> bool:
    """Tell whether what a key would restore is restored from another key, or from the whole payload, too."""
    if all(_is_one_of_two(each, loaded) for each in loads):
        return True
    targets = {
        target
        for each in loads
        for target in each.into
        if isinstance(target, Attr) and target.base != UNKNOWN
    }
    # One statement of a loop over names restores a different object under each: `parts[name].load_state_dict(d[name])`.
    places = {each.location for each in loads}
    given = {
        target
        for each in loaded.loads
        if each not in loads and keys[: len(each.keys)] != each.keys
        if not missing_depth(each.keys, loaded.saves)
        for target in each.into
        if each.location not in places or path_text(target)
    }
    return bool(targets) and targets <= given


def _is_one_of_two(load: LoadEffect, loaded: LoadedPayload) -> bool:
    """Tell whether the same expression takes a key that is written instead, if the payload has that one."""
    others = [
        each.keys
        for each in loaded.loads
        if (each.location, each.root, each.into) == (load.location, load.root, load.into)
        and each.keys != load.keys
        and each.keys[:-1] == load.keys[:-1]
        and not missing_depth(each.keys, loaded.saves)
    ]
    return any(each.keys in others and each.kind == "guarded" for each in loaded.loads)


def is_told_apart(key: str, loads: Iterable[LoadEffect], loaded: LoadedPayload) -> bool:
    """Tell whether load asks for a key, or for another one around it, to find out which format a file has."""
    if any(Guard("nokey", key) in each.guards for each in loaded.loads):
        return not _is_dead_test(key, loaded)
    written = written_keys(loaded.saves)
    return any(not may_run(each, written, key) for each in loads)


def _is_dead_test(key: str, loaded: LoadedPayload) -> bool:
    """Tell whether what is written now is read only where a key is there that is not: no file is of the new format."""
    written = written_keys(loaded.saves)
    read = [each for each in loaded.loads if each.keys and each.keys[0] in written]
    return bool(read) and all(Guard("key", key) in each.guards for each in read)


def may_run(load: LoadEffect, written: frozenset[str], key: str = "") -> bool:
    """Tell whether a load runs for a file with these keys: not behind a test for another one, nor for none of them."""
    return not any(
        each.kind == "key"
        and each.name not in (*written, key)
        or each.kind == "nokey"
        and each.name in written
        for each in load.guards
    )


def restores(load: LoadEffect, held: Value) -> bool:
    """Tell whether a load restores the very object whose state is saved."""
    name = object_text(object_of(held) if is_state(held) else held)
    return bool(name) and any(
        name in (object_text(target), object_text(target.base) if isinstance(target, Attr) else "")
        for target in load.into
    )


def written_keys(saves: Iterable[SaveEffect]) -> frozenset[str]:
    """Return all keys of some payloads, at any level."""
    return frozenset(key for each in saves for keys, _ in all_keys(each.payload) for key in keys)


def converts(save: SaveEffect, load: LoadEffect, known: Frameworks) -> bool:
    """Tell whether a function writes what it has read in another form, and no state of its own."""
    if save.unit.identity != load.unit.identity or any(states_in(save.payload)):
        return False
    held = [value for _, value in all_keys(save.payload)]
    if any(_is_made(option) for value in held for option in options_of(value)):
        return False
    source = file_of(load.root)
    if UNKNOWN not in (source, save.file) and source != save.file:
        return True
    return any(root == load.root for value in held for root, _ in rooted(value, known))


def _is_made(value: Value) -> bool:
    """Tell whether a value is an object of a class of the project: `Net(config).cuda()`."""
    while isinstance(value, (Local, Call)):
        if isinstance(value, Call) and isinstance(value.callee, Name):
            path, colon, name = value.callee.path.partition(":")
            return bool(colon) and name[:1].isupper()
        value = value.value if isinstance(value, Local) else _receiver(value)
    return False


def _receiver(call: Call) -> Value:
    return call.callee.base if isinstance(call.callee, Attr) else UNKNOWN
