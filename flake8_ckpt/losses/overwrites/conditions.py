"""Whether a statement runs whenever its function does."""

from __future__ import annotations

import re

from flake8_ckpt.facts.model import Guard
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.linking.class_hierarchy import Hierarchy

# Checks of an argument, and looks at what is there.
CHECKS = frozenset(["present", "some", "has", "about", "order", "remark"])
# Flags that ask for what they get: `self.reset_optimizer`, `self.cfg.resume`, `self.finetune`.
ASKS = re.compile(
    r"reset|resum|load|restor|restart|train|tun|scratch|fresh|eval|test|debug|first", re.IGNORECASE
)


def is_certain(guards: Guards) -> bool:
    """Tell whether a statement runs whenever its function does, but for a check of an argument."""
    return all(guard.kind in CHECKS for guard in guards)


class Settings:
    """Tells which flags of an object are settings: only its construction sets them."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy

    def decide(self, guards: Guards, class_id: str) -> bool:
        """Tell whether nothing but settings decides that a statement runs: the same ones before and after a load."""
        return all(guard.kind in CHECKS or self._is_setting(guard, class_id) for guard in guards)

    def _is_setting(self, guard: Guard, class_id: str) -> bool:
        """Tell whether a guard asks a flag that construction alone sets, and that asks for no new beginning."""
        if guard.kind not in ("set", "unset", "option") or ASKS.search(guard.name):
            return False
        owner, _, path = guard.name.rpartition("self.")
        if owner or guard.kind == "option" and not guard.name.startswith("self."):
            return False
        attr = path.partition(".")[0]
        writers = {
            method.name
            for _, method in self.hierarchy.related_methods(class_id)
            for write in method.writes
            if write.attr == attr
        }
        return bool(writers) and writers <= CONSTRUCTION
