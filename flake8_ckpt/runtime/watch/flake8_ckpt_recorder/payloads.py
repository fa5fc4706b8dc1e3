"""What a file holds: the objects, storages, prints and numbers of what is given to a saving call."""

from __future__ import annotations

import math
import re
from typing import Any

from flake8_ckpt_recorder.leaves import MODULE_INSIDE
from flake8_ckpt_recorder.leaves import leaves_of
from flake8_ckpt_recorder.leaves import moments_of
from flake8_ckpt_recorder.leaves import own_dict
from flake8_ckpt_recorder.leaves import weights_of
from flake8_ckpt_recorder.objects import WEIGHTS
from flake8_ckpt_recorder.objects import Leaf
from flake8_ckpt_recorder.objects import Watched
from flake8_ckpt_recorder.prints import Sight
from flake8_ckpt_recorder.prints import is_tensor
from flake8_ckpt_recorder.prints import look

MAX_NODES = 50_000
MAX_LONG = 100_000
NO_STORAGE = -1
UNNAMED = "."
SEQUENCES = ("list", "tuple", "set", "deque")


class Payload:
    """Everything that one file holds, by the ways in which a value may be recognized in it."""

    def __init__(self) -> None:
        self.objects: set[int] = set()
        self.reduced: set[int] = set()
        self.storages: set[int] = set()
        self.marks: set[tuple[int, int]] = set()
        self.numbers: dict[float, set[frozenset[str]]] = {}
        self.keys: list[str] = []
        self.has_optimizer = False

    def holds(self, value: Any, name: str, sight: Sight) -> bool:
        """Tell whether a value is in the file."""
        if id(value) in self.objects and sight.kind in ("container", "numbers", "tensor", "array"):
            return True
        if is_tensor(value) and self.shares(value):
            return True
        if sight.number is not None:
            return self._holds_number(sight.number, name)
        if sight.size > 1 and sight.mark in self.marks:
            return True
        return sight.kind == "container" and self._holds_parts(value)

    def shares(self, tensor: Any) -> bool:
        """Tell whether a tensor's memory is that of one in the file."""
        storage = storage_of(tensor)
        return storage != NO_STORAGE and storage in self.storages

    def _holds_number(self, number: float, name: str) -> bool:
        keys = self.numbers.get(number)
        if keys is None:
            return False
        if math.isfinite(number) and number != int(number):
            return True
        own = words(name)
        return bool(own) and any(own <= key or key <= own for key in keys if key)

    def _holds_parts(self, value: Any) -> bool:
        parts = list(value.values()) if isinstance(value, dict) else list(value)
        seen = [(part, sight) for part in parts if (sight := look(part)) is not None]
        return bool(seen) and all(self.holds(part, "", sight) for part, sight in seen if sight.kind != "none")


def words(name: str) -> frozenset[str]:
    """Return the words of a name, as names are compared: `numTimesteps` and `timesteps` are alike."""
    return frozenset(word.lower().rstrip("s") for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+", name))


def storage_of(tensor: Any) -> int:
    """Return the address of a tensor's memory, if it has one."""
    try:
        return int(tensor.untyped_storage().data_ptr()) or NO_STORAGE
    except (RuntimeError, NotImplementedError, AttributeError):
        return NO_STORAGE


def read_payload(values: list[tuple[str, Any]], states: dict[int, Any]) -> Payload:
    """Walk what is saved; `states` gives what the `__getstate__` of an object returned in its place."""
    payload = Payload()
    stack = [(key, value, 0) for key, value in values]
    payload.keys = [key for key, _ in values if key]
    count = 0
    while stack and count < MAX_NODES:
        count += 1
        key, value, depth = stack.pop()
        if id(value) in payload.objects and not is_tensor(value):
            continue
        stack += [(name or key, each, depth + 1) for name, each in _inside(payload, key, value, states)]
        if depth == 0 and isinstance(value, dict):
            payload.keys += [str(name) for name in value][:200]
    return payload


def _inside(payload: Payload, key: str, value: Any, states: dict[int, Any]) -> list[tuple[str, Any]]:
    """Note a value, and return what is in it."""
    kind = type(value)
    if value is None or kind in (str, bytes, bool):
        return []
    if kind in (int, float):
        payload.numbers.setdefault(float(value), set()).add(words(key))
        return []
    payload.objects.add(id(value))
    if isinstance(value, dict):
        _note(payload, key, value)
        if "param_groups" in value and "state" in value:
            payload.has_optimizer = True
            # The steps that an optimizer counts for itself are no counter of the program's.
            return [(UNNAMED, each) for each in value.values()]
        return [(UNNAMED if key == UNNAMED else str(name), each) for name, each in value.items()]
    if is_tensor(value):
        payload.storages.add(storage_of(value))
        _note(payload, key, value)
        return []
    if kind.__name__ in SEQUENCES:
        _note(payload, key, value)
        return [("", each) for each in value] if len(value) <= MAX_LONG else []
    _note(payload, key, value)
    state = states.get(id(value))
    if state is not None:
        payload.reduced.add(id(value))
        return [("", state)]
    return _attributes(value)


def _attributes(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, type) or type(value).__name__ in (
        "module",
        "function",
        "builtin_function_or_method",
    ):
        return []
    found: list[tuple[str, Any]] = []
    for name, each in own_dict(value).items():
        if name in ("_parameters", "_buffers", "_modules") or name not in MODULE_INSIDE:
            found.append((name, each))
    return found


def _note(payload: Payload, key: str, value: Any) -> None:
    sight = look(value)
    if sight is None or sight.kind == "none":
        return
    if sight.number is not None:
        payload.numbers.setdefault(sight.number, set()).add(words(key))
    elif sight.size > 1:
        payload.marks.add(sight.mark)


def cover(watched: Watched, payload: Payload, file: int) -> None:
    """Note what of an object is in the file now; what was once in a file is covered for good."""
    value = watched.ref()
    if watched.file is None and _is_whole(watched, value, payload):
        watched.file = file
        watched.is_news = True
    if value is None:
        watched.state = None
        return
    leaves = {name: each for name, _, each in leaves_of(value, watched.kind)}
    for name, leaf in watched.leaves.items():
        if leaf.file is None and _is_covered(name, leaf, value, payload, leaves):
            leaf.file = file
            watched.is_news = True


def _is_whole(watched: Watched, value: Any, payload: Payload) -> bool:
    """Tell whether the object itself is in the file, or the very dictionary that its `state_dict()` returned."""
    if watched.state is not None and id(watched.state) in payload.objects:
        return True
    if value is None:
        return False
    if id(value) in payload.objects and id(value) not in payload.reduced:
        return True
    return any(payload.shares(each) for each in moments_of(value))


def _is_covered(name: str, leaf: Leaf, value: Any, payload: Payload, leaves: dict[str, Any]) -> bool:
    if name == WEIGHTS:
        return any(_holds_weight(payload, each) for each in weights_of(value))
    return name in leaves and payload.holds(leaves[name], name, leaf.last)


def _holds_weight(payload: Payload, tensor: Any) -> bool:
    sight = look(tensor)
    return payload.shares(tensor) or sight is not None and sight.size > 1 and sight.mark in payload.marks
