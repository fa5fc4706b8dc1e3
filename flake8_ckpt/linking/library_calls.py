"""Which function or method of a library a call reaches, as far as the records of `frameworks/` speak of it."""

from __future__ import annotations

from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.linking.class_hierarchy import Hierarchy


def method_of_class(class_id: str, name: str, hierarchy: Hierarchy) -> str:
    """Return the dotted name of a library's method that objects of a class have, "" where none is known."""
    known = hierarchy.symbols.known
    names = (f"{each}.{name}" for each in hierarchy.ancestors(class_id))
    return next((each for each in names if each in known.saves or each in known.loads), "")


def method_of_variable(callee: Attr, known: Frameworks) -> str:
    """Return the dotted name of a method whose receiver is known by its own name: `fabric.save`."""
    return known.receivers.get((_own_name(callee.base), callee.name), "")


def _own_name(value: Value) -> str:
    if isinstance(value, (Attr, Local, Param)):
        return value.name
    return value.path.rpartition(".")[2] if isinstance(value, Name) else ""
