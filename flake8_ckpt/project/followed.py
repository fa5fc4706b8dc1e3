"""Every function that is followed closely, once: those too that save or load nothing themselves."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.project.families import is_test
from flake8_ckpt.project.symbols import Symbols
from flake8_ckpt.project.unfold import Callee


def followed_functions(symbols: Symbols) -> Iterator[Callee]:
    """Yield the functions and methods that are followed, a method in the class that defines it; not those of tests."""
    for identity, function in symbols.functions.items():
        if function.contract and not is_test(identity.partition(":")[0]):
            yield Callee(identity, function)
    for klass, facts in symbols.classes.items():
        if not is_test(klass.partition(":")[0]):
            for method in facts.methods:
                if method.contract:
                    yield Callee(f"{klass}.{method.name}", method, klass, klass)
