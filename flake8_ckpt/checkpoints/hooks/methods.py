"""What the methods of classes with hooks run, change and define."""

from __future__ import annotations

from collections.abc import Iterable

from flake8_ckpt.checkpoints.hooks.values import own_calls
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.frameworks.torch_methods import PLAIN_BASES
from flake8_ckpt.frameworks.torch_methods import RESTARTS
from flake8_ckpt.linking.class_hierarchy import Hierarchy


class HookMethods:
    """Asks a class together with its ancestors and its subclasses."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.classes = hierarchy.symbols.classes

    def is_changed(self, class_id: str, attr: str) -> bool:
        """Tell whether a method that neither constructs nor restores nor restarts carries an attribute on."""
        return any(
            write.attr == attr and write.carried
            for _, method in self.hierarchy.related_methods(class_id)
            if method.name not in CONSTRUCTION and not RESTARTS.search(method.name)
            for write in method.writes
        )

    def is_stepped(self, class_id: str, attr: str) -> bool:
        """Tell whether methods clear the gradients of an attribute: it is an optimizer that training goes on with."""
        methods = (each for _, each in self.hierarchy.related_methods(class_id))
        return any(use.attr == attr and ".zero_grad" in use.how for each in methods for use in each.uses)

    def reach(self, class_id: str, methods: Iterable[FunctionFacts]) -> list[FunctionFacts]:
        """Return some methods of a class and those of the same object that they run, in subclasses too."""
        found = list(methods)
        names = {each.name for each in found}
        for method in found:
            called = {name for name, _ in own_calls(method)} - names
            names |= called
            found += self.named(class_id, called)
        return found

    def named(self, class_id: str, names: set[str]) -> list[FunctionFacts]:
        """Return the methods of these names, of a class, its ancestors and its subclasses."""
        methods = [self.hierarchy.methods(each) for each in self.hierarchy.relatives(class_id)]
        return [each[name] for each in methods for name in names if name in each]

    def has(self, class_id: str, name: str) -> bool:
        """Tell whether a class, an ancestor or a subclass defines a method."""
        related = (self.classes[each] for each in self.hierarchy.relatives(class_id) if each in self.classes)
        return any(name in each.method_names for each in related)

    def has_plain_bases(self, class_id: str) -> bool:
        """Tell whether no base outside the project has hooks of its own that could take part."""
        outside = [each for each in self.hierarchy.ancestors(class_id) if each not in self.classes]
        return all(map(PLAIN_BASES.search, outside))
