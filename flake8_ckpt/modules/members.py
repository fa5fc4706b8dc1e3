"""What the classes of a project consist of for the rules: methods, writes and uses, and names with a meaning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.model import Use
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Kind
from flake8_ckpt.findings import Node
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.kind_context import KindContext
from flake8_ckpt.linking.value_kinds import KindEvaluator

# How a write changes an attribute, and the node that does it; another name may stand for a changed object.
KINDS: dict[str, tuple[Kind, ...]] = dict.fromkeys(("assign", "moved", "augment"), ("attribute",))


@dataclass(frozen=True)
class Method:
    """A method of the class or of an ancestor; `runs_at_construction` where construction does."""

    owner: str
    facts: FunctionFacts
    runs_at_construction: bool

    @property
    def name(self) -> str:
        """Return the method's name."""
        return self.facts.name

    def own_calls(self) -> Iterator[tuple[str, Site]]:
        """Yield the calls of methods of the same object, with their names."""
        for site in self.facts.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and callee.base == SELF:
                yield callee.name, site


@dataclass(frozen=True)
class AttributeWrite:
    """A write and the method it stands in."""

    method: Method
    write: Write
    kind_evaluator: KindEvaluator = field(compare=False, repr=False)
    context: KindContext = field(compare=False, repr=False)

    @cached_property
    def value(self) -> Value:
        """Return the value that the write gives, resolved in the class it was seen in."""
        return self.kind_evaluator.resolve(self.write.value, self.context)

    @property
    def attr(self) -> str:
        """Return the attribute that the write changes."""
        return self.write.attr

    @property
    def location(self) -> Spot:
        """Return where the write stands."""
        return Spot(self.method.owner.partition(":")[0], self.write.position)

    @property
    def node(self) -> Node:
        """Return what kind of change the write is."""
        return Node(KINDS.get(self.write.how, ("mutation", "statement")), self.attr)

    @property
    def guards(self) -> Guards:
        """Return the conditions around the write."""
        return self.write.guards


@dataclass(frozen=True)
class AttributeRead:
    """A use and the method it stands in."""

    method: Method
    use: Use
