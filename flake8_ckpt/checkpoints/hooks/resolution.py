"""Hooks of one class that come from two bases: what one of the two gives, the other does not take."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.hooks.methods import HookMethods
from flake8_ckpt.checkpoints.hooks.values import copied
from flake8_ckpt.checkpoints.hooks.values import own_attribute
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.group import Hook
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Name
from flake8_ckpt.linking.functions import FunctionRef


@dataclass(frozen=True)
class TwoBases:
    """A hook that a class defines, and its partner that comes from `base` and does not fit it."""

    hook: FunctionRef
    partner: FunctionRef
    base: str


class TwoBasesHooks:
    """Asks the pairs of hooks which class each of the two is of."""

    def __init__(self, methods: HookMethods) -> None:
        self.methods = methods
        self.hierarchy = methods.hierarchy

    def among(self, pairs: Iterable[tuple[CheckpointGroup, Hook]]) -> Iterator[TwoBases]:
        """Yield the hooks whose partner belongs to another base, or does nothing."""
        for group, hook in pairs:
            for one, other in ((hook.writer, hook.reader), (hook.reader, hook.writer)):
                if one.owner != hook.class_id or other.owner == hook.class_id:
                    continue
                if self._passes_over(one, other) or one is hook.writer and self._is_left(group, hook):
                    yield TwoBases(one, other, other.owner.rpartition(":")[2])

    def _passes_over(self, hook: FunctionRef, partner: FunctionRef) -> bool:
        """Tell whether a hook calls that of a base by name, `Base.state_dict(self)`, whose partner is another one."""
        for base in self._named_bases(hook):
            own = self.hierarchy.find_method(base, partner.name)
            if own is not None and not self.hierarchy.are_related(own[0], partner.owner):
                return True
        return False

    def _named_bases(self, hook: FunctionRef) -> Iterator[str]:
        for site in hook.function.calls:
            callee = site.call.callee
            if isinstance(callee, Name) and SELF in site.call.args[:1]:
                identity = self.hierarchy.symbols.resolve(callee.path, hook.path)
                base, _, name = identity.rpartition(".")
                if name == hook.name and base in self.hierarchy.ancestors(hook.class_id)[1:]:
                    yield base

    def _is_left(self, group: CheckpointGroup, hook: Hook) -> bool:
        """Tell whether the inherited load does nothing, though the class gives attributes that it changes."""
        values = [value for each in group.saves for _, value in all_keys(each.payload)]
        given = {own_attribute(copied(value)) for value in values}
        changes = any(attr and self.methods.is_changed(hook.class_id, attr) for attr in given)
        return changes and _is_empty(hook.reader.function)


def _is_empty(function: FunctionFacts) -> bool:
    """Tell whether a function does nothing: neither what it is given nor its object is looked at."""
    return not (function.calls or function.key_reads or function.writes or function.uses or function.stores)
