"""What a payload holds: its keys, how they are rooted, and what is known of their values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from typing import Optional

from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.facts.key_text import ANY
from flake8_ckpt.facts.key_text import are_one_key
from flake8_ckpt.facts.key_text import is_computed
from flake8_ckpt.facts.key_text import is_unknown
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.frameworks.torch import RANDOM_STATES

# Calls that give the state of an object: `x.state_dict()`, `env.get_state()`, `torch.get_rng_state()`.
STATE_CALLS = re.compile(
    r"^(state_dict|get_state|get_state_dict|get_extra_state|getstate|get_rng_state(_all)?|serialize_state)$"
)
# Beyond these numbers of keys and of levels a payload is open.
MAX_KEYS = 512
MAX_LEVELS = 4
# Opens a file with several members.
ARCHIVE = "zipfile.ZipFile"
# A key of which nothing is known.
ANY_KEY = ANY


def missing_depth(keys: tuple[str, ...], saves: list[SaveEffect]) -> int:
    """Return how many keys of a path lead to the first that no save has; 0 where some save may have it."""
    depths = [lost_in(keys, each.payload) for each in saves]
    return max(depths) if depths and all(depths) else 0


def lost_in(keys: tuple[str, ...], payload: Value) -> int:
    """Return how many keys of a path lead to the first that a payload lacks; 0 where it may have all."""
    for depth, key in enumerate(keys, start=1):
        found = contents(payload)
        slot = found.slot(key)
        if slot is None:
            return 0 if found.open else depth
        payload = slot.value
    return 0


def is_given(keys: tuple[str, ...], payload: Value) -> bool:
    """Tell whether a payload is known to have a path of keys."""
    for key in keys:
        found = contents(payload)
        if key not in found.slots:
            return False
        payload = found.slots[key].value
    return True


def are_one_path(keys: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Tell whether one path of keys may lead to the other, or on from it."""
    return all(map(are_one_key, keys, others))


def is_state(value: Value) -> bool:
    """Tell whether a value is the state of an object: what its `state_dict()` or the like gives."""
    value = _bound(value)
    if not isinstance(value, Call):
        return False
    if isinstance(value.callee, Name):
        return value.callee.path in RANDOM_STATES
    return isinstance(value.callee, Attr) and STATE_CALLS.search(value.callee.name) is not None


def object_of(value: Value) -> Value:
    """Return the object whose state a value is."""
    value = _bound(value)
    return value.callee.base if isinstance(value, Call) and isinstance(value.callee, Attr) else UNKNOWN


def _bound(value: Value) -> Value:
    """Return what a local was bound to: `state = net.state_dict()`."""
    while isinstance(value, Local):
        value = value.value
    return value


def file_of(root: Value) -> Value:
    """Return the file that a loading call reads."""
    return root.args[0] if isinstance(root, Call) and root.args else UNKNOWN


def all_keys(payload: Value, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Value]]:
    """Yield the paths of all keys of a payload with what they hold, nested ones too."""
    for key, slot in contents(payload).slots.items():
        keys = (*before, key)
        yield keys, slot.value
        if len(keys) < MAX_LEVELS:
            yield from all_keys(slot.value, keys)


def states_in(payload: Value) -> Iterator[tuple[tuple[str, ...], Value]]:
    """Yield the keys of a payload that hold the state of an object."""
    for keys, value in all_keys(payload):
        for option in options_of(value):
            yield from ((keys, each) for each in options_of(_bound(option)) if is_state(each))


def rooted(value: Value, known: Frameworks) -> Iterator[tuple[Value, tuple[str, ...]]]:
    """Yield the roots of a value that comes out of a payload, with the keys that lead to it."""
    for option in options_of(value):
        keys: list[str] = []
        while isinstance(option, (Item, Local)):
            if isinstance(option, Item):
                key = option.key
                keys.append(key.value if isinstance(key, Const) and isinstance(key.value, str) else ANY_KEY)
                option = option.base
            else:
                option = option.value
        if isinstance(option, Join):
            for root, before in rooted(option, known):
                yield root, (*before, *reversed(keys))
        elif (member := _read_member(option, known)) is not None:
            yield Call(Name(ARCHIVE), (member.path,)), (member.name or ANY_KEY, *reversed(keys))[:MAX_LEVELS]
        elif is_root(option, known) and len(keys) <= MAX_LEVELS:
            yield option, tuple(reversed(keys))


class Member(NamedTuple):
    """A part of an archive: the path of the archive, and the name of the part, "" where it is computed."""

    path: Value
    name: str


def member_of(file: Value) -> Optional[Member]:
    """Return the member of an archive that a file is: what `archive.open(name)` or `archive.read(name)` gives."""
    while (
        isinstance(file, Local) or isinstance(file, Call) and file.callee in (Name("io.BytesIO"), Name("str"))
    ):
        if isinstance(file, Call) and not file.args:
            return None
        file = file.value if isinstance(file, Local) else file.args[0]
    if not isinstance(file, Call) or not isinstance(file.callee, Attr) or not file.args:
        return None
    path = archive_of(file.callee.base) if file.callee.name in ("open", "read") else None
    name = file.args[0]
    text = name.value if isinstance(name, Const) and isinstance(name.value, str) else ""
    return Member(path, text) if path is not None else None


def archive_of(value: Value) -> Optional[Value]:
    """Return the path of an archive that is open."""
    while isinstance(value, Local):
        value = value.value
    is_archive = isinstance(value, Call) and value.callee == Name(ARCHIVE)
    return value.args[0] if is_archive and isinstance(value, Call) and value.args else None


def _read_member(value: Value, known: Frameworks) -> Optional[Member]:
    """Return the member of an archive that a call reads: `torch.load(member)`, `json.loads(archive.read(name))`."""
    if not isinstance(value, Call) or not isinstance(value.callee, Name) or not value.args:
        return None
    loads = value.callee.path in ("json.load", "json.loads") or is_load_function(value.callee.path, known)
    return member_of(value.args[0]) if loads else None


def is_root(value: Value, known: Frameworks) -> bool:
    """Tell whether a value may be a payload as it was loaded or handed in."""
    if isinstance(value, Param):
        return value.name not in ("self", "cls")
    return (
        isinstance(value, Call)
        and isinstance(value.callee, Name)
        and is_load_function(value.callee.path, known)
    )


def is_load_function(path: str, known: Frameworks) -> bool:
    """Tell whether a function of a library loads a file, by its absolute name."""
    return (
        path in known.payload_loads
        or ":" not in path
        and known.hint("function", "loads").search(path) is not None
    )


@dataclass(frozen=True)
class Slot:
    """What a key of a payload holds; `always` is false where a condition decides."""

    value: Value
    always: bool = True


@dataclass(frozen=True)
class Contents:
    """The keys of a payload; there may be others where it is `open`."""

    slots: Mapping[str, Slot]
    open: bool = False

    def slot(self, key: str) -> Slot | None:
        """Return what a key holds, or a computed one that may be the same; None where there is none."""
        found = self.slots.get(key)
        if found is not None or not (is_computed(key) or any(map(is_computed, self.slots))):
            return found
        return next((slot for each, slot in self.slots.items() if are_one_key(each, key)), None)


def contents(value: Value) -> Contents:
    """Return the keys of a payload; one that is not understood, or that has too many keys, is open."""
    if isinstance(value, Record):
        return _contents_of(value)
    options = [option for option in options_of(value) if option != NONE]
    if not options:
        return Contents({}, open=value == UNKNOWN)
    found = [_contents_of(option) for option in options]
    keys = list(dict.fromkeys(key for each in found for key in each.slots))
    slots = {}
    for key in keys[:MAX_KEYS]:
        held = [each.slots[key] for each in found if key in each.slots]
        always = len(held) == len(options_of(value)) and all(slot.always for slot in held)
        slots[key] = Slot(held[0].value, always)
    return Contents(slots, len(keys) > MAX_KEYS or any(each.open for each in found))


def _contents_of(value: Value) -> Contents:
    if isinstance(value, Record):
        fields = [each for each in value.fields[:MAX_KEYS] if not is_unknown(each.key)]
        slots = {each.key: Slot(each.value, each.always and not is_computed(each.key)) for each in fields}
        return Contents(slots, value.open or len(value.fields) > len(fields))
    if isinstance(value, Container) and value.kind == "dict" and value.size == 0:
        return Contents({})
    return Contents({}, open=True)
