"""The records of what the two ends of a checkpoint do not agree on."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.formats import restores
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.torch_methods import FRAMEWORK_HOOKS

# `optimiser` for `optimizer`, `steps` for `step`; not `mean` for `meta`.
SIMILAR = 0.75


@dataclass(frozen=True)
class Missing:
    """A key that load reads and none of the paired saves writes.

    `keys` is the path to the first part of it that is missing; `loads` are all that are lost with it,
    `saves` those that leave it out.
    """

    group: CheckpointGroup
    keys: tuple[str, ...]
    loads: tuple[LoadEffect, ...]
    saves: tuple[SaveEffect, ...]

    @property
    def is_framework_hook(self) -> bool:
        """Tell whether a framework calls the two methods that do not agree."""
        return is_framework_hook(self.group)

    @property
    def siblings(self) -> set[str]:
        """Return the keys that are written where this one is looked for, and that nobody reads."""
        read = {each.keys[: len(self.keys)] for each in self.group.loads}
        return {
            keys[-1]
            for save in self.group.saves
            for keys, _ in all_keys(save.payload)
            if keys[:-1] == self.keys[:-1] and keys not in read
        }

    @property
    def similar(self) -> str:
        """Return the key among its siblings that is spelled nearly as this one, "" where there is none."""
        near = get_close_matches(self.keys[-1], sorted(self.siblings), n=1, cutoff=SIMILAR)
        return near[0] if near else ""

    def is_of(self, held: Value) -> bool:
        """Tell whether what is missing would restore the very object whose state another key holds."""
        return any(restores(each, held) for each in self.loads)

    @property
    def first(self) -> LoadEffect:
        """Return the load to speak of: one that restores something, if there is one."""
        return next((each for each in self.targets if len(each.keys) > len(self.keys)), self.targets[0])

    @property
    def targets(self) -> tuple[LoadEffect, ...]:
        """Return the loads whose value goes somewhere, without those that only ask for the key."""
        return tuple(each for each in self.restores if each.into) or self.restores

    @property
    def restores(self) -> tuple[LoadEffect, ...]:
        """Return the loads of the key itself where they restore something, else those of all that is in it."""
        exact = tuple(each for each in self.loads if each.keys == self.keys)
        steps = {each.call_chain for each in exact}
        within = any(
            len(each.keys) > len(self.keys) and each.call_chain in steps and each.into for each in self.loads
        )
        restored = any(isinstance(target, Attr) for each in exact for target in each.into)
        return exact if restored and not within else self.loads


@dataclass(frozen=True)
class Unrestored:
    """State that some saves hold under a key, and that no load takes.

    `loads` are those that go on with training, one for each save: it reads what that save writes.
    """

    group: CheckpointGroup
    keys: tuple[str, ...]
    saves: tuple[SaveEffect, ...]
    loads: tuple[LoadEffect, ...]

    @property
    def is_framework_hook(self) -> bool:
        """Tell whether a framework calls the two methods that do not agree."""
        return is_framework_hook(self.group)


def is_framework_hook(group: CheckpointGroup) -> bool:
    """Tell whether a group is a pair of methods that a framework calls."""
    return group.hook is not None and group.hook.writer.function.name in FRAMEWORK_HOOKS
