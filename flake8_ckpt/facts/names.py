"""The import table of a file: what its global names stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from typing import Mapping

from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.source.outline import Outline
from flake8_ckpt.source.tree import dotted
from flake8_ckpt.source.tree import statements


@dataclass(frozen=True)
class Names:
    """Maps local names to paths: "torch.nn" (absolute), ".mod.f" (relative), ":helper" (of this file).

    `constants` are the strings that names of this file stand for, `known` is what is known of the libraries
    that others come from.
    """

    table: Mapping[str, str]
    stars: tuple[str, ...]
    known: Frameworks = DEFAULT
    constants: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, dotted: str) -> str:
        """Return the path of a dotted name as this file writes it."""
        head, dot, rest = dotted.partition(".")
        path = self.table.get(head, head)
        if path.startswith(":") and dot:
            return f"{path}.{rest}"
        return f"{path}{dot}{rest}"

    def constant(self, name: str) -> str | None:
        """Return the string that a name of this file stands for, an attribute of a class by both names."""
        return self.constants.get(name.removesuffix(".value"))


def imported(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Yield the names that the import statements of a block bind, with their paths."""
    for node in statements(body):
        if isinstance(node, ast.Import):
            for alias in node.names:
                head = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (head, head)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for alias in node.names:
                if alias.name != "*":
                    yield alias.asname or alias.name, f"{base}{'' if base.endswith('.') else '.'}{alias.name}"


def names_of(
    tree: ast.Module, outline: Outline, known: Frameworks, constants: Mapping[str, str] | None = None
) -> Names:
    """Build the import table of a module; its own classes and functions win over imports."""
    table = dict(imported(tree.body))
    table.update(_aliases(tree.body, table))
    definitions = [each.name for each in outline.classes] + [name for name, _ in outline.functions]
    for name in sorted(definitions, key=lambda each: -each.count(".")):
        table[name.rpartition(".")[2]] = f":{name}"
    stars = tuple(
        "." * node.level + (node.module or "")
        for node in statements(tree.body)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    )
    return Names(table, stars, known, constants or {})


def _aliases(body: list[ast.stmt], table: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the module's plain renamings: `Tensor = torch.Tensor`."""
    for node in body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            head, dot, rest = dotted(node.value).partition(".")
            if head in table:
                yield node.targets[0].id, f"{table[head]}{dot}{rest}"
