"""How a file calls torch and `torch.nn`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flake8_ckpt.findings import Edit
from flake8_ckpt.findings import Position
from flake8_ckpt.fixes.piece import Source
from flake8_ckpt.fixes.suggestion import Site


def name_of(site: Site, wanted: str) -> tuple[str, tuple[Edit, ...]]:
    """Return what a file calls `torch.nn.Buffer` or the like, and the import that it needs for that."""
    bound = dict(_imported(site.piece.source.tree))
    hidden = _parameters(site)
    for name, path in bound.items():
        if wanted == path and name not in hidden:
            return name, ()
    for name, path in sorted(bound.items(), key=lambda each: -len(each[1])):
        if wanted.startswith(path + ".") and path in ("torch", "torch.nn") and name not in hidden:
            return name + wanted.removeprefix(path), ()
    return wanted.removeprefix("torch."), (_import_nn(site.piece.source),)


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the names that the file's own imports bind, with what they stand for."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _parameters(site: Site) -> frozenset[str]:
    if site.function is None:
        return frozenset()
    return frozenset(each.name.value for each in site.function.params.params)


def _import_nn(source: Source) -> Edit:
    """Return the import of `nn` behind the last import at the head of the file."""
    line = 0
    for node in source.tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (is_text or isinstance(node, (ast.Import, ast.ImportFrom))):
            break
        line = node.end_lineno or node.lineno
    return Edit(Position(line + 1, 0, line + 1, 0), "from torch import nn\n")
