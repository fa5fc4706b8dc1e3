"""Which methods of a class call which on the same object."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping

from flake8_ckpt.linking.class_hierarchy import Hierarchy


def method_graph(identity: str, hierarchy: Hierarchy) -> dict[str, frozenset[str]]:
    """Return the calls of methods of the same object by the caller, the nearest definition first."""
    found: dict[str, frozenset[str]] = {}
    for owner in hierarchy.ancestors(identity):
        facts = hierarchy.symbols.classes.get(owner)
        for name, callees in facts.graph if facts else ():
            known = found.get(name)
            if known is None or name in known or name == "__init__":
                found[name] = (known or frozenset()) | frozenset(callees)
    return found


def reached_methods(names: Iterable[str], graph: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return some methods and all that they call, directly or not."""
    reached = set(names)
    stack = list(reached)
    while stack:
        for callee in graph.get(stack.pop(), ()):
            if callee not in reached:
                reached.add(callee)
                stack.append(callee)
    return frozenset(reached)
