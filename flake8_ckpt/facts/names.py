"""The import table of a file: what its global names stand for."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from typing import Mapping

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.name_bindings import bindings_in
from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.source.outline import Outline
from flake8_ckpt.source.tree import dotted
from flake8_ckpt.source.tree import statements

GLOBAL = re.compile(r"^[ \t]*global[ \t]+([\w, \t]+)", re.MULTILINE)
WORD = re.compile(r"\w+")
ASSIGNMENTS = (ast.Assign, ast.AnnAssign)
PARTIAL = frozenset(["partial", "functools.partial"])


@dataclass(frozen=True)
class Names:
    """Maps local names to paths: "torch.nn" (absolute), ".mod.f" (relative), ":helper" (of this file).

    `constants` are the strings that names of this file stand for, `known` is what is known of the libraries
    that others come from, `variables` are bound to values when the file runs.
    """

    table: Mapping[str, str]
    stars: tuple[str, ...]
    known: Frameworks = DEFAULT
    constants: Mapping[str, str] = field(default_factory=dict)
    variables: frozenset[str] = frozenset()
    _values: dict[str, v.Name] = field(default_factory=dict, compare=False, repr=False)

    def resolve(self, dotted: str) -> str:
        """Return the path of a dotted name as this file writes it."""
        head, dot, rest = dotted.partition(".")
        path = self.table.get(head, f":{head}" if head in self.variables else head)
        if path.startswith(":") and dot:
            return f"{path}.{rest}"
        return f"{path}{dot}{rest}"

    def value(self, name: str) -> v.Name:
        """Return the value that a name without dots stands for, the same one each time."""
        value = self._values.get(name)
        if value is None:
            value = self._values[name] = v.Name(self.resolve(name))
        return value

    def is_variable(self, path: str) -> bool:
        """Tell whether a path is that of a variable of this file."""
        return path[:1] == ":" and path[1:] in self.variables

    def constant(self, name: str) -> str | None:
        """Return the string that a name of this file stands for, an attribute of a class by both names."""
        if not self.constants:
            return None
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
    tree: ast.Module,
    outline: Outline,
    known: Frameworks,
    constants: Mapping[str, str] | None = None,
    shared: frozenset[str] = frozenset(),
) -> Names:
    """Build the import table of a module; its own classes and functions win over imports."""
    table = dict(imported(tree.body))
    definitions = [each.name for each in outline.classes] + [name for name, _ in outline.functions]
    own = {
        name.rpartition(".")[2]: f":{name}" for name in sorted(definitions, key=lambda each: -each.count("."))
    }
    table.update(_aliases(tree.body, {**table, **own}))
    table.update(own)
    stars = tuple(
        "." * node.level + (node.module or "")
        for node in statements(tree.body)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    )
    script = outline.script.body if outline.script is not None else []
    variables = (name for name, each in bindings_in(script, False) if isinstance(each.statement, ASSIGNMENTS))
    return Names(table, stars, known, constants or {}, shared.union(variables) - set(table))


def shared_in(text: str) -> frozenset[str]:
    """Return the names that functions share with their file: `global model, optimizer`."""
    return frozenset(_shared_in(text))


def shared_alone(text: str) -> frozenset[str]:
    """Return the names that only one function of a file binds for it."""
    return frozenset(name for name, count in Counter(_shared_in(text)).items() if count == 1)


def _shared_in(text: str) -> list[str]:
    if "global" not in text:
        return []
    found = GLOBAL.findall(text)
    return [name for names in found for name in WORD.findall(names)]


def exported(table: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the names of a file that stand for something else: imports, and renamings of what it defines."""
    return tuple(
        (name, path)
        for name, path in table.items()
        if not path.startswith(":") or path.lstrip(":").rpartition(".")[2] != name
    )


def _aliases(body: list[ast.stmt], table: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the module's plain renamings: `Tensor = torch.Tensor`, `Linear = partial(nn.Linear, bias=False)`."""
    for node in statements(body):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            head, dot, rest = dotted(_made_of(node.value)).partition(".")
            if head in table and node.targets[0].id != head:
                path = table[head]
                yield node.targets[0].id, f"{path}{dot}{rest}"


def _made_of(value: ast.expr) -> ast.expr:
    """Return the function or class that a partial call stands for, or the value itself."""
    if isinstance(value, ast.Call) and value.args and dotted(value.func) in PARTIAL:
        return value.args[0]
    return value
