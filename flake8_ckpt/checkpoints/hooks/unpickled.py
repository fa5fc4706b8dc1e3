"""Attributes that `__setstate__` reads before anything gives them to the new object."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.hooks.methods import HookMethods
from flake8_ckpt.checkpoints.hooks.values import asks_base
from flake8_ckpt.checkpoints.hooks.values import hands_over_self
from flake8_ckpt.checkpoints.hooks.values import own_calls
from flake8_ckpt.checkpoints.pairing.group import Hook
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Use
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot


@dataclass(frozen=True)
class Unpickled:
    """An attribute that `__setstate__` reads before anything gives it to the new object."""

    hook: Hook
    attr: str
    location: Spot


class UnpickledAttributes:
    """Asks the pairs of `__getstate__` and `__setstate__`."""

    def __init__(self, methods: HookMethods) -> None:
        self.methods = methods
        self.hierarchy = methods.hierarchy
        self.classes = methods.classes

    def among(self, hooks: Iterable[Hook]) -> Iterator[Unpickled]:
        """Yield what `__setstate__` reads of a new object that nothing has given to it."""
        for hook in hooks:
            if hook.writer.function.name == "__getstate__" and not self._may_give_more(hook):
                for use in hook.reader.function.uses:
                    if use.first and not use.attr.startswith("__") and self._is_absent(use, hook):
                        yield Unpickled(hook, use.attr, Spot(hook.reader.path, use.position))

    def _may_give_more(self, hook: Hook) -> bool:
        """Tell whether one of the two may give or take more attributes than it names."""
        if self.hierarchy.is_module(hook.class_id) or not self.methods.has_plain_bases(hook.class_id):
            return True
        if any(each.kind == "wholesale" for each in hook.reader.function.key_reads):
            return True
        for method in (hook.writer.function, hook.reader.function):
            if any(use.attr == "__dict__" for use in method.uses):
                return True
            if any(hands_over_self(site.call) or asks_base(site.call) for site in method.calls):
                return True
        return False

    def _is_absent(self, use: Use, hook: Hook) -> bool:
        """Tell whether neither class nor pickle gives a new object an attribute before it is used."""
        known = [
            self.classes[each] for each in self.hierarchy.relatives(hook.class_id) if each in self.classes
        ]
        if any(use.attr in each.method_names or use.attr in dict(each.attributes) for each in known):
            return False
        if any(each.attr == use.attr for each in hook.writer.function.uses):
            return False
        before = [
            hook.reader.function,
            *self.methods.reach(hook.class_id, self._run_before(use.position, hook)),
        ]
        return not any(write.attr == use.attr for method in before for write in method.writes)

    def _run_before(self, position: Position, hook: Hook) -> list[FunctionFacts]:
        """Return the methods that the load hook calls before a place in it."""
        names = {name for name, at in own_calls(hook.reader.function) if at.line < position.line}
        return self.methods.named(hook.class_id, names)
