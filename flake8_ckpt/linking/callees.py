"""What is called where a call does not name it: a class that a parameter, a branch or a partial call stands for.

    def __init__(self, size, norm=nn.LayerNorm, kind=None):
        block = Wide if kind == "wide" else Narrow
        self.norms = [norm(size), block(size), partial(Wide, size)()]

A caller may hand in another class; its objects are then used as those of the default are.
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.linking.kind_context import KindContext
from flake8_ckpt.linking.symbols import Symbols

PARTIAL = frozenset(["functools.partial", "partial"])
# Functions that give a class are followed to functions that do so, and no further.
MAX_GIVERS = 2


def names_called(callee: Value, context: KindContext, symbols: Symbols, givers: int = 0) -> Iterator[Name]:
    """Yield the classes and functions that a value stands for where it is called, each by its identity."""
    for option in map(_without_local, options_of(callee)):
        if isinstance(option, Name):
            yield Name(symbols.resolve(option.path, context.path))
        elif isinstance(option, Param):
            for each in _stands_for(option, context):
                yield from names_called(each, context, symbols, givers)
        elif isinstance(option, Call) and isinstance(option.callee, Name):
            if option.callee.path in PARTIAL:
                yield from names_called(option.args[0], context, symbols, givers) if option.args else ()
            elif givers < MAX_GIVERS:
                yield from _given(option.callee, context, symbols, givers + 1)


def _without_local(value: Value) -> Value:
    """Return what a local is bound to, or the value itself."""
    return value.value if isinstance(value, Local) else value


def _stands_for(parameter: Param, context: KindContext) -> Iterator[Value]:
    """Yield what the caller hands in for a parameter, or its default and what its annotation promises."""
    bound = context.bound.get(parameter.name)
    if bound is not None:
        yield bound
        return
    for each in context.function.parameters if context.function is not None else ():
        if each.name == parameter.name:
            yield from (value for value in (each.default, each.annotation) if value is not None)


def _given(function: Name, context: KindContext, symbols: Symbols, givers: int) -> Iterator[Name]:
    """Yield the classes that a function gives back."""
    identity = symbols.resolve(function.path, context.path)
    facts = symbols.functions.get(identity)
    if facts is not None and facts.returns is not None:
        inside = KindContext(identity.partition(":")[0], function=facts)
        yield from names_called(facts.returns, inside, symbols, givers)
