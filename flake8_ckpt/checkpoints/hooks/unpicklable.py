"""State that holds a lock or the like, which cannot be pickled: to save it fails."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.hooks.values import own_attribute
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.group import Hook
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.frameworks.unpicklable import UNPICKLABLE
from flake8_ckpt.linking.class_hierarchy import Hierarchy


@dataclass(frozen=True)
class Unpicklable:
    """A key under which a hook gives an object of the process, such as a lock."""

    hook: Hook
    key: str
    kind: str


def unpicklable_keys(
    pairs: Iterable[tuple[CheckpointGroup, Hook]], hierarchy: Hierarchy
) -> Iterator[Unpicklable]:
    """Yield the first such key of each hook."""
    for group, hook in pairs:
        for key, value in (each for save in group.saves for each in all_keys(save.payload)):
            kind = _kind_of(own_attribute(value), hook, hierarchy)
            if kind:
                yield Unpicklable(hook, key[-1], kind)
                break


def _kind_of(attr: str, hook: Hook, hierarchy: Hierarchy) -> str:
    """Return what construction puts into an attribute: "Lock", or "" where it can be pickled."""
    for owner, method in hierarchy.inherited_methods(hook.class_id) if attr else ():
        for write in method.writes if method.name in CONSTRUCTION else ():
            if write.attr == attr:
                for path in _made(write.value):
                    if path in UNPICKLABLE:
                        return path.rpartition(".")[2]
    return ""


def _made(value: Value) -> Iterator[str]:
    for each in options_of(value):
        if isinstance(each, Call) and isinstance(each.callee, Name):
            yield each.callee.path
