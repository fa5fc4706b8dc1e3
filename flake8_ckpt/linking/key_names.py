"""What the references in the text of a key stand for: constants of other files and classes, arguments of calls."""

from __future__ import annotations

from flake8_ckpt.facts.key_text import ANY
from flake8_ckpt.facts.key_text import REFERENCE
from flake8_ckpt.facts.key_text import put_together
from flake8_ckpt.facts.values import Const
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import CallContext


class KeyNames:
    """Replaces the references in keys by what they stand for, `*` where that is not known."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.symbols = hierarchy.symbols

    def resolve(self, text: str, context: CallContext) -> str:
        """Return the text of a key; parameters that no call has bound stay references."""
        if "${" not in text:
            return text
        return put_together([REFERENCE.sub(lambda found: self._named(found[1], context), text)])

    def _named(self, name: str, context: CallContext) -> str:
        if name.startswith("="):
            return _argument(name[1:], context)
        if name.startswith("self."):
            return self._of_class(context.class_id, name[len("self.") :])
        identity = self.symbols.resolve(name, context.path).removesuffix(".value")
        owner, _, attr = identity.rpartition(".")
        found = self.symbols.constants.get(identity)
        return self._of_class(owner, attr) if found is None else found

    def _of_class(self, class_id: str, attr: str) -> str:
        """Return the string that a class or an ancestor names."""
        for each in self.hierarchy.ancestors(class_id) if class_id in self.symbols.classes else ():
            found = self.symbols.constants.get(f"{each}.{attr}")
            if found is not None:
                return found
        return ANY


def _argument(name: str, context: CallContext) -> str:
    """Return the string that a call gives for a parameter."""
    if name not in context.bound:
        return f"${{={name}}}"
    given = context.bound[name]
    return given.value if isinstance(given, Const) and isinstance(given.value, str) else ANY
