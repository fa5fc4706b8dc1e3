"""What names an object: an attribute of a class, a local or parameter of a function, an item of one of these."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.torch import MODULE_METHODS
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator

OWN = "self"
# An item of a container whose key is not known, or that a loop gives.
ANY_ITEM = "[]"
# What parts the steps of a path, and stands in keys too: `parts["layer.1"]`.
MARKS = str.maketrans(".[]", "___")


class Holder(Struct, frozen=True):
    """Who names an object, and how: `agent.py:Agent` and `self.optimizer`, `train.py:main` and `optimizers[]`.

    The owner is a class where the path begins with `self`, else a function.
    """

    owner: str
    path: str

    @property
    def name(self) -> str:
        """Return the last name in the path: that of the attribute, the local, or the container of an item."""
        return self.path.rpartition(".")[2].partition("[")[0]

    @property
    def file(self) -> str:
        """Return the file of the owner."""
        return self.owner.partition(":")[0]

    @property
    def is_attribute(self) -> bool:
        """Tell whether the object belongs to the objects of a class."""
        return self.path.startswith(f"{OWN}.")

    @property
    def length(self) -> int:
        """Return of how many steps the path is."""
        return self.path.count(".") + self.path.count("[")

    def parted(self) -> tuple[Holder, str]:
        """Return what holds this one, and the last step to it: `.optimizer` or `[actor]`, "" where nothing does."""
        cut = max(self.path.rfind("."), self.path.rfind("["))
        if cut < 0:
            return self, ""
        return Holder(self.owner, self.path[:cut]), self.path[cut:]

    def inner(self, step: str) -> Holder:
        """Return an attribute or an item of what this one names."""
        return Holder(self.owner, self.path + step)


class Holders:
    """Finds out which object a value names."""

    def __init__(self, evaluator: SymbolicEvaluator) -> None:
        self.evaluator = evaluator
        self.symbols = evaluator.symbols

    def of(self, value: Value, unit: FunctionRef) -> Optional[Holder]:
        """Return what a value of a function names, None where that has no name."""
        if isinstance(value, (Self, Super)):
            return Holder(unit.class_id, OWN) if unit.class_id else None
        if isinstance(value, (Local, Param)):
            return Holder(unit.identity, value.name)
        if isinstance(value, Name):
            return self._global(value, unit)
        if isinstance(value, Attr):
            return self._attribute(value, unit)
        if isinstance(value, (Item, Element)):
            base = self.of(value.base, unit)
            return base.inner(item_step(value)) if base is not None else None
        if isinstance(value, Call) and isinstance(value.callee, Attr) and value.callee.name in MODULE_METHODS:
            return self.of(value.callee.base, unit)
        return None

    def _attribute(self, value: Attr, unit: FunctionRef) -> Optional[Holder]:
        class_id = self.evaluator.class_of(value.base, CallContext(unit))
        if class_id in self.symbols.classes:
            return Holder(class_id, f"{OWN}.{value.name}")
        base = self.of(value.base, unit)
        return base.inner(f".{value.name}") if base is not None else None

    def _global(self, value: Name, unit: FunctionRef) -> Optional[Holder]:
        """Return the variable of a module that a name refers to, as its script binds it."""
        identity = self.symbols.resolve(value.path, unit.path)
        path, _, name = identity.partition(":")
        return Holder(f"{path}:<module>", name) if self.symbols.variable(identity) else None


def item_step(value: Item | Element) -> str:
    """Return the step from a container to one of its items."""
    known = isinstance(value, Item) and isinstance(value.key, Const)
    return step_to(value.key.value) if known else ANY_ITEM  # type: ignore[union-attr]


def step_to(key: object) -> str:
    """Return the step to the item of a key, without the marks that part a path."""
    return f"[{str(key).translate(MARKS)}]"
