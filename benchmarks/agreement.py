"""Compare findings with what objects hold after construction: tensors found, findings that are wrong."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Optional

from benchmarks.linter import Report
from benchmarks.linter import plain_names
from benchmarks.scope import ClassId
from benchmarks.scope import Hierarchy
from benchmarks.scope import module_name

JUDGED = ("CKP101", "CKP102", "CKP103", "CKP104", "CKP105", "CKP106", "CKP112")
RIGHT, ARGUABLE, WRONG, UNJUDGED = "right", "arguable", "wrong", "not judged"


@dataclass(frozen=True)
class Tensor:
    """A plain tensor that an object holds, and the places (file, line) that set it."""

    attribute: str
    at: frozenset[tuple[str, int]]


@dataclass(frozen=True)
class Constructed:
    """A class of which an object was made, and the names of what that object holds."""

    label: str
    where: ClassId
    plain: tuple[Tensor, ...]
    lost: frozenset[str]
    kept: frozenset[str]
    registered: frozenset[str]
    scalars: frozenset[str]


@dataclass(frozen=True)
class Package:
    """All that is known of one package: its objects, its classes, its findings."""

    name: str
    objects: tuple[Constructed, ...]
    hierarchy: Hierarchy
    reports: tuple[Report, ...]


@dataclass(frozen=True)
class Verdict:
    """What the objects say of a finding."""

    word: str
    package: str
    report: Report
    reason: str


def read_objects(path: Path) -> dict[str, list[Constructed]]:
    """Read the record, by package."""
    found: dict[str, list[Constructed]] = {}
    for line in path.read_text("utf-8").splitlines():
        entry = json.loads(line)
        found.setdefault(entry["package"], []).append(read_object(entry))
    return found


def read_object(entry: dict[str, Any]) -> Constructed:
    """Read one class; a container of what is registered anyway is kept, not lost."""
    name = entry["class"].removeprefix(module_name(entry["file"]) + ".")
    containers = entry.get("containers", [])
    plain = tuple(read_tensor(tensor) for tensor in entry.get("plain", []))
    lost = [tensor.attribute for tensor in plain] + [c["attr"] for c in containers if not c["alias"]]
    kept = entry.get("other", []) + [c["attr"] for c in containers if c["alias"]]
    names = (plain_names(part) for part in (lost, kept, entry["registered"], entry["scalars"]))
    return Constructed(entry["class"], ClassId(entry["file"], name), plain, *names)


def read_tensor(entry: dict[str, Any]) -> Tensor:
    """Read one plain tensor."""
    return Tensor(entry["attr"], frozenset((path, line) for path, line in entry["at"]))


def is_reachable(tensor: Tensor, package: Package) -> bool:
    """Tell whether some line that sets the tensor lies in the package itself."""
    return any(path in package.hierarchy.trees for path, _ in tensor.at)


def is_found(tensor: Tensor, owner: Constructed, package: Package) -> bool:
    """Tell whether a finding names the tensor, at a line that sets it or in its class or a base of it."""
    about = [report for report in package.reports if report.is_about(tensor.attribute)]
    if any(place.is_near(*at) for report in about for place in report.places for at in tensor.at):
        return True
    classes = package.hierarchy.ancestors(owner.where)
    places = [place for report in about for place in report.places]
    return any(package.hierarchy.at(place.path, place.line) in classes for place in places)


def judge(package: Package) -> Iterator[Verdict]:
    """Judge every finding that sits in a constructed class, or in a base of one."""
    families = [(one, package.hierarchy.ancestors(one.where)) for one in package.objects]
    for report in package.reports:
        inside = package.hierarchy.at(report.place.path, report.place.line)
        heirs = [one for one, ancestors in families if inside in ancestors]
        if inside and heirs and report.names:
            word, reason = judge_one(report, heirs, package.hierarchy.classes[inside])
            yield Verdict(word, package.name, report, reason)


def judge_one(report: Report, heirs: Sequence[Constructed], scope: ast.ClassDef) -> tuple[str, str]:
    """Compare what a finding claims of an attribute with what the objects hold."""
    name = report.names[0]
    if report.code not in JUDGED:
        return UNJUDGED, "not about construction"
    if any(name in one.lost for one in heirs):
        return RIGHT, ""
    if any(name in one.kept for one in heirs):
        return ARGUABLE, "something moves or saves it, or it only repeats what is registered"
    if any(name in one.registered for one in heirs):
        return WRONG, "registered"
    if not is_always_set(scope, name):
        return UNJUDGED, "depends on the arguments, or is set after construction"
    is_scalar = any(name in one.scalars for one in heirs)
    return WRONG, "a number or text" if is_scalar else "no tensor after construction"


def is_always_set(scope: ast.ClassDef, name: str) -> bool:
    """Tell whether `__init__` sets the attribute on all paths, to no argument that may be left out."""
    inits = [item for item in scope.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
    return any(sets_it(init, statement, name) for init in inits for statement in init.body)


def sets_it(init: ast.FunctionDef, statement: ast.stmt, name: str) -> bool:
    """Tell whether a statement of `__init__` itself sets the attribute."""
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or is_optional(init, statement.value):
        return False
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return any(isinstance(node, ast.Attribute) and node.attr == name for t in targets for node in ast.walk(t))


def is_optional(init: ast.FunctionDef, value: Optional[ast.expr]) -> bool:
    """Tell whether a value is None, or an argument that may be left out."""
    if value is None or isinstance(value, ast.Constant):
        return value is None or value.value is None
    return isinstance(value, ast.Name) and value.id in optional_arguments(init.args)


def optional_arguments(arguments: ast.arguments) -> set[str]:
    """Return the names of the arguments with a default."""
    positional = [*arguments.posonlyargs, *arguments.args]
    last = positional[len(positional) - len(arguments.defaults) :]
    by_name = [arg for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults) if default]
    return {arg.arg for arg in [*last, *by_name]}
