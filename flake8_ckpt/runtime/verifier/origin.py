"""Where in the source a lost value is assigned: its class, file and line, and the rule that is about it."""

from __future__ import annotations

import ast
import inspect
import os
import site
import sysconfig
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from typing import TypeGuard

import torch
from torch import nn

from flake8_ckpt.runtime.verifier.objects.place import Step
from flake8_ckpt.runtime.verifier.objects.place import steps
from flake8_ckpt.runtime.verifier.objects.reach import is_array
from flake8_ckpt.runtime.verifier.objects.snapshot import Frozen
from flake8_ckpt.runtime.verifier.problem import Origin

# Folders of installed code and of our own: what stands there is no line of the project.
OWN = Path(__file__).parents[1]
INSTALLED = tuple(
    os.path.realpath(path)
    for path in (*site.getsitepackages(), site.getusersitepackages(), sysconfig.get_path("stdlib"), str(OWN))
)
# A name such as best_loss or best_score of a loop that keeps the best checkpoint.
BEST = ("best",)
# Base classes of environments and their wrappers, and of what keeps running statistics for them.
ENVIRONMENTS = frozenset({"Wrapper", "VectorWrapper", "VecEnvWrapper", "Env", "VectorEnv", "VecEnv"})
STATISTICS = frozenset({"RunningMeanStd", "NormalizeObservation", "NormalizeReward"})


def origin_of(root: object, path: str, make: Callable[[], Any], first: Frozen | None) -> Origin | None:
    """Return where the value under a path comes from; None where no source can be read.

    That is the first assignment in the class of the project that holds it; for what a library holds, the
    line of `make` that builds it. `first` is the value of a new object.
    """
    way = steps(root, path)
    code = rule_code(way, first)
    for step in reversed(way):
        kind = type(step.owner)
        line = assignment_line(kind, step.part[1:]) if step.part.startswith(".") else None
        if line is not None:
            return Origin(f"{kind.__qualname__}{step.part}", *line, code)
    for step in reversed(way):
        line = building_line(make, type(step.owner).__name__)
        if line is not None:
            return Origin(type(step.owner).__qualname__, *line, code)
    return None


def source_of(thing: Any) -> tuple[Path, str] | None:
    """Return the file and the text of a class or function of the project; None for installed code."""
    try:
        file = inspect.getsourcefile(thing)
    except (TypeError, OSError):
        return None
    if file is None or os.path.realpath(file).startswith(INSTALLED) or not Path(file).is_file():
        return None
    return Path(file), Path(file).read_text(encoding="utf-8", errors="replace")


@lru_cache(maxsize=64)
def tree_of(text: str) -> ast.Module | None:
    """Return the tree of a source text; None for one that this Python cannot read."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None


def assignment_line(kind: type, name: str) -> tuple[str, int] | None:
    """Return the file and line where a class, or one that it inherits from, first assigns an attribute."""
    for base in kind.__mro__:
        found = source_of(base)
        tree = tree_of(found[1]) if found else None
        lines = sorted(assigned(tree, base.__qualname__, name)) if tree else []
        if found and lines:
            return shown(found[0]), lines[0][1]
    return None


def assigned(tree: ast.Module, qualname: str, name: str) -> Iterator[tuple[bool, int]]:
    """Yield whether an assignment is outside of `__init__`, and its line, for each in the class of this name."""
    last = qualname.rpartition(".")[2]
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == last:
            for item in node.body:
                late = isinstance(item, ast.FunctionDef) and item.name != "__init__"
                yield from ((late, line) for line in lines_in(item, name))


def lines_in(item: ast.stmt, name: str) -> Iterator[int]:
    """Yield the lines where a statement of a class body, or one below it, assigns `name` or `self.name`."""
    for node in ast.walk(item):
        targets: Sequence[ast.expr] = ()
        if isinstance(node, ast.Assign):
            targets = [each for target in node.targets for each in getattr(target, "elts", [target])]
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            targets = [node.target]
        elif isinstance(node, ast.Call) and registers(node, name):
            yield node.lineno
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr == name and is_self(target.value):
                yield node.lineno  # type: ignore[attr-defined]
            elif isinstance(target, ast.Name) and target.id == name and node is item:
                yield target.lineno


def is_self(node: ast.expr) -> bool:
    """Return whether an expression is the name `self`."""
    return isinstance(node, ast.Name) and node.id == "self"


def registers(node: ast.Call, name: str) -> bool:
    """Return whether a call is `self.register_buffer("name", ...)` or of its kind."""
    if not isinstance(node.func, ast.Attribute) or not node.func.attr.startswith(("register_", "add_module")):
        return False
    return bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value == name


def bound_at(place: Any, name: str, shown_name: str) -> Origin | None:
    """Return where a class or a module first binds a name in its body; None where no source can be read."""
    if isinstance(place, type):
        line = assignment_line(place, name)
    else:
        found = source_of(place)
        tree = tree_of(found[1]) if found else None
        lines = [line for item in tree.body for line in lines_in(item, name)] if tree else []
        line = (shown(found[0]), min(lines)) if found and lines else None
    return Origin(shown_name, *line, "CKP204") if line else None


def building_line(make: Callable[[], Any], kind: str) -> tuple[str, int] | None:
    """Return the file and line in the file of `make` where an object of a class is built, those of `make` first."""
    function = inspect.unwrap(make)
    function = getattr(function, "func", function)
    found = source_of(function)
    tree = tree_of(found[1]) if found else None
    if found is None or tree is None:
        return None
    start = getattr(getattr(function, "__code__", None), "co_firstlineno", 0)
    lines = sorted((node.lineno < start, node.lineno) for node in ast.walk(tree) if builds(node, kind))
    return (shown(found[0]), lines[0][1]) if lines else None


def builds(node: ast.AST, kind: str) -> TypeGuard[ast.Call]:
    """Return whether a node is a call of a class of this name, or of something that it offers."""
    if not isinstance(node, ast.Call):
        return False
    names = [each.id for each in ast.walk(node.func) if isinstance(each, ast.Name)]
    return kind in (*names, getattr(node.func, "attr", ""))


def shown(path: Path) -> str:
    """Return a path as it is shown: from the current folder, where it lies below."""
    real = os.path.realpath(path)
    return os.path.relpath(real) if real.startswith(os.getcwd() + os.sep) else real


def rule_code(way: Sequence[Step], first: Frozen | None) -> str:
    """Return the rule that is about a value, by who holds it and what it is in a new object."""
    attributes = [step for step in way if step.part.startswith(".")]
    if not attributes:
        return "CKP204"
    step = attributes[-1]
    # A wrapper of environments holds its statistics itself, or in an object of theirs.
    names = {base.__name__ for each in attributes[-2:] for base in type(each.owner).__mro__}
    if "VecNormalize" in names:
        return "CKP208"
    if names & ENVIRONMENTS and (names & STATISTICS or source_of(type(step.owner))):
        return "CKP215"
    if step.part[1:].startswith(BEST):
        return "CKP218"
    if isinstance(step.owner, nn.Module):
        return code_on_module(step, way[-1] is step, first)
    if any(hasattr(owner.owner, "state_dict") and is_custom(type(owner.owner)) for owner in way):
        return "CKP207"
    return "CKP204"


def code_on_module(step: Step, is_direct: bool, first: Frozen | None) -> str:
    """Return the rule about what a module holds in an attribute."""
    name = step.part[1:]
    if name in step.owner._non_persistent_buffers_set:
        return "CKP107"
    if not is_direct:
        return "CKP104"
    if first is None or first.data is None:
        return "CKP109"
    value = getattr(step.owner, name, None)
    if is_array(value):
        return "CKP106"
    return "CKP101" if isinstance(value, torch.Tensor) else code_of_plain(first)


def code_of_plain(first: Frozen) -> str:
    """Return the rule about what is no tensor: a number, a container, or another object."""
    return {"number": "CKP110", "text": "CKP110", "list": "CKP104", "mapping": "CKP104"}.get(
        first.kind, "CKP204"
    )


def is_custom(kind: type) -> bool:
    """Return whether a class of the project says itself what its state is."""
    return any("state_dict" in vars(base) and source_of(base) is not None for base in kind.__mro__)
