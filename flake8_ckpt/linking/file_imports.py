"""Which files import which, and what can be reached so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from flake8_ckpt.linking.symbols import Symbols

Edges = Mapping[str, set[str]]


def imported_files(symbols: Symbols) -> Edges:
    """Return the files of the project that each file imports."""
    return {path: set(_imported(path, symbols)) for path in symbols.files}


def _imported(path: str, symbols: Symbols) -> Iterator[str]:
    names = [
        *symbols.imports.get(path, {}).values(),
        *(f"{star}.*" for star in symbols.files[path].stars),
    ]
    for name in names:
        file = symbols.module_of(name, path)
        if file:
            yield file


def reversed_edges(edges: Edges) -> Edges:
    """Return who uses whom for whom somebody uses."""
    found: dict[str, set[str]] = defaultdict(set)
    for path, used in edges.items():
        for each in used:
            found[each].add(path)
    return found


def closure(starts: Iterable[str], edges: Edges) -> set[str]:
    """Return some files and all that edges lead to from them."""
    found = set(starts)
    waiting = list(found)
    while waiting:
        for each in edges.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found
