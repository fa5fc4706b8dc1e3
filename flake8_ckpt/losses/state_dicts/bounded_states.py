"""What a method can give at most, where the form of what it gives is not known: the attributes that it reads.

def save(self, path):
    Path(path).write_text(f"{self.epoch}")
"""

from __future__ import annotations

from flake8_ckpt.checkpoints.hooks.methods import HookMethods
from flake8_ckpt.checkpoints.hooks.values import hands_over_self
from flake8_ckpt.facts.evaluator.frame import LOOKS
from flake8_ckpt.facts.model import MARKS
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Super
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.losses.state_dicts.kept_attributes import keeps
from flake8_ckpt.losses.state_dicts.visible_methods import VisibleMethods


class BoundedStates:
    """Asks the pairs of methods of classes all of whose bases are read."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.has_plain_bases = HookMethods(hierarchy).has_plain_bases

    def given_by(self, writer: FunctionRef, reader: FunctionRef) -> frozenset[str]:
        """Return the attributes that a method may give; none where it may give any, or where no progress returns."""
        methods = VisibleMethods(writer.class_id, self.hierarchy)
        if not self.has_plain_bases(writer.class_id) or self.hierarchy.is_module(writer.class_id):
            return frozenset()
        if any(hands_over_self(site.call) for _, each in methods.all for site in each.calls):
            return frozenset()
        run = methods.run(writer.name)
        if not all(self._is_bounded(each, writer.class_id, methods) for each in run):
            return frozenset()
        given = frozenset(use.attr for each in run for use in each.uses if not set(use.how) <= LOOKS | MARKS)
        returned = {write.attr for each in methods.run(reader.name) for write in each.writes}
        return given if any(_is_counted(each, methods) for each in given & returned) else frozenset()

    def _is_bounded(self, method: FunctionFacts, class_id: str, methods: VisibleMethods) -> bool:
        """Tell whether all attributes that a method reads are known, and all own methods that it runs."""
        if any(use.attr == "__dict__" for use in method.uses):
            return False
        known = {each.name for _, each in methods.all}
        known |= {write.attr for _, each in methods.all for write in each.writes}
        for site in method.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and isinstance(callee.base, (Self, Super)):
                is_read = self.hierarchy.find_method(class_id, callee.name) is not None
                if not is_read and (isinstance(callee.base, Super) or callee.name not in known):
                    return False
        return True


def _is_counted(attr: str, methods: VisibleMethods) -> bool:
    """Tell whether a method counts an attribute on, which is more than to fill a table."""
    return any(
        write.attr == attr and write.carried and write.how in ("augment", "assign")
        for _, method in methods.about(attr)
        if not keeps(method.name)
        for write in method.writes
    )
