"""One walk over all objects, for those that no constructor of the user's made: copies, what was unpickled."""

from __future__ import annotations

import gc
from typing import Any

from flake8_ckpt_recorder.kinds import MODULE
from flake8_ckpt_recorder.leaves import own_dict
from flake8_ckpt_recorder.objects import Objects

MAX_HEAP = 500_000


def walk(objects: Objects) -> int:
    """Watch what is alive and of a class to watch; return how many objects there are."""
    everything = gc.get_objects()
    if len(everything) > MAX_HEAP:
        return len(everything)
    kinds = {cls: objects.kinds.of(cls) for cls in set(map(type, everything))}
    wanted = {cls: kind for cls, kind in kinds.items() if kind}
    found = [(value, wanted[type(value)]) for value in everything if type(value) in wanted]
    inside = {id(part) for value, kind in found for part in _parts(value)}
    for value, kind in found:
        # A library's module is watched as a whole, so only where it is part of no other.
        if kind != MODULE or id(value) not in inside:
            objects.add(value, ("", 0), "walk")
    return len(everything)


def _parts(value: Any) -> list[Any]:
    modules = own_dict(value).get("_modules")
    return list(modules.values()) if type(modules) is dict else []
