"""The keys that functions write to a payload or read from one, found by other means than the linter's."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from benchmarks.seeding.source_file import Edit
from benchmarks.seeding.source_file import SourceFile
from benchmarks.seeding.source_file import dotted
from benchmarks.seeding.source_file import is_text
from benchmarks.seeding.source_file import text_of

SAVERS = {"torch.save": 0, "pickle.dump": 0, "joblib.dump": 0, "dill.dump": 0, "cloudpickle.dump": 0}
SAVING_OBJECTS = {"fabric": 1, "accelerator": 0, "xm": 0}
# `torch.load`, `load_checkpoint`, `pickle.loads`: calls that give back what a file holds.
LOADER = re.compile(r"(^|[._])load(s|_checkpoint|_ckpt|_state)?$|^(torch|pickle|joblib|dill)\.load$")
# `state_dict`, `get_checkpoint`: functions whose result is a payload.
GIVES = re.compile(
    r"^(state_dict|get_(extra_)?state\w*|__getstate__|get_parameters|get_weights|on_save_checkpoint"
    r"|(get_|make_|build_)?(full_)?(checkpoint|ckpt)(_dict|_state|_data)?|get_\w*(state|ckpt|checkpoint)\w*)$"
)
# `load_state_dict`, `set_weights`, `resume`: functions that are given a payload.
TAKES = re.compile(
    r"^(load_state\w*|set_(extra_)?state\w*|__setstate__|set_parameters|set_weights|on_load_checkpoint"
    r"|set_\w*(state|ckpt|checkpoint)\w*|(load|restore|resume)_?\w*)$"
)


@dataclass(frozen=True, eq=False)
class Write:
    """A key that is written: its literal, its value, and the edit that leaves it out."""

    key: str
    node: ast.expr
    value: ast.expr
    removal: Edit


@dataclass(frozen=True, eq=False)
class Read:
    """A key that is read."""

    key: str
    node: ast.Constant
    how: Literal["required", "get", "in"]


class Function:
    """A function, or what a file does when it runs, with its keys."""

    def __init__(self, file: SourceFile, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Module) -> None:
        self.file = file
        self.name = "<module>" if isinstance(node, ast.Module) else node.name
        self.line = 1 if isinstance(node, ast.Module) else node.lineno
        owner = file.owner(node)
        self.class_name = owner.name if isinstance(owner, ast.ClassDef) else ""
        self.parameters = [] if isinstance(node, ast.Module) else [each.arg for each in node.args.args]
        if self.parameters[:1] in (["self"], ["cls"]):
            del self.parameters[0]
        self.body = list(_inside(node, isinstance(node, ast.Module)))
        self.writes: dict[str, list[Write]] = defaultdict(list)
        self.reads: dict[str, list[Read]] = defaultdict(list)
        self.helpers: set[str] = set()

    def __str__(self) -> str:
        return f"{self.file.path}:{self.line} {self.name}"


def functions_with_keys(files: list[SourceFile]) -> list[Function]:
    """Return all functions, each with the keys it writes and reads."""
    kinds = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [Function(file, node) for file in files for node in file.nodes if isinstance(node, kinds)]
    wrappers = Wrappers(functions)
    for function in functions:
        _collect_reads(function, wrappers)
        _collect_writes(function, wrappers)
    _collect_helpers(functions)
    return functions


class Wrappers:
    """The project's own functions that save an argument, or give back what they load, by name."""

    def __init__(self, functions: list[Function]) -> None:
        self.saved: dict[str, int] = {}
        self.loading: set[str] = set()
        for function in functions:
            for value in _saved(function, self):
                if (
                    isinstance(value, ast.Name)
                    and value.id in function.parameters
                    and not GIVES.search(function.name)
                ):
                    self.saved[function.name] = function.parameters.index(value.id)
            given = [node.value for node in function.body if isinstance(node, ast.Return) and node.value]
            names = _loaded_names(function, self)
            if any(self.loads(each) or isinstance(each, ast.Name) and each.id in names for each in given):
                self.loading.add(function.name)

    def loads(self, node: ast.AST | None) -> bool:
        """Tell whether a value is what a file holds."""
        if not isinstance(node, ast.Call):
            return False
        name = dotted(node.func)
        return LOADER.search(name) is not None or name.rpartition(".")[2] in self.loading


def _inside(node: ast.AST, script: bool) -> Iterator[ast.AST]:
    """Yield what is in a function, nested ones included; of a script only what no function or class holds."""
    for child in ast.iter_child_nodes(node):
        if not (script and isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))):
            yield child
            yield from _inside(child, script)


def _loaded_names(function: Function, wrappers: Wrappers) -> set[str]:
    assigned = [node for node in function.body if isinstance(node, ast.Assign) and wrappers.loads(node.value)]
    return {each.id for node in assigned for each in node.targets if isinstance(each, ast.Name)}


def _saved(function: Function, wrappers: Wrappers) -> Iterator[ast.expr]:
    """Yield the payloads that a function saves or gives back."""
    for node in function.body:
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            place = SAVERS.get(name, wrappers.saved.get(name.rpartition(".")[2]))
            if place is None and name.endswith(".save"):
                place = SAVING_OBJECTS.get(name.split(".")[-2])
            if place is not None and len(node.args) > place:
                yield node.args[place]
        elif isinstance(node, ast.Return) and node.value is not None and GIVES.search(function.name):
            yield node.value
    if function.name == "on_save_checkpoint" and function.parameters:
        yield ast.Name(function.parameters[-1])


def _collect_writes(function: Function, wrappers: Wrappers) -> None:
    for value in list(_saved(function, wrappers)):
        displays = [value] if isinstance(value, ast.Dict) else []
        if isinstance(value, ast.Call):
            function.helpers.add(dotted(value.func).rpartition(".")[2])
        elif isinstance(value, ast.Name):
            displays += _built_up(function, value.id)
        for display in displays:
            for write in _entries(function.file, display):
                function.writes[write.key].append(write)


def _built_up(function: Function, name: str) -> list[ast.Dict]:
    """Return the dicts that a local begins as; its keys that are set one by one are noted at once."""
    displays = []
    for node in function.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(each, ast.Name) and each.id == name for each in targets):
                if isinstance(node.value, ast.Dict):
                    displays.append(node.value)
                if isinstance(node.value, ast.Call):
                    function.helpers.add(dotted(node.value.func).rpartition(".")[2])
            for each in targets:
                _note_item(function, name, each, node)
    return displays


def _note_item(function: Function, name: str, target: ast.expr, node: ast.Assign | ast.AnnAssign) -> None:
    if isinstance(target, ast.Subscript) and dotted(target.value) == name and node.value is not None:
        key = text_of(target.slice)
        if key is not None:
            removal = function.file.replace(node, b"pass")
            function.writes[key].append(Write(key, target.slice, node.value, removal))


def _entries(file: SourceFile, node: ast.Dict) -> Iterator[Write]:
    """Yield the keys of a dict display; removing one takes its comma along."""
    spans = [(file.span(key or value)[0], file.span(value)[1]) for key, value in zip(node.keys, node.values)]
    for index, (key, value) in enumerate(zip(node.keys, node.values)):
        if key is None or not is_text(key):
            continue
        if index + 1 < len(spans):
            start, end = spans[index][0], spans[index + 1][0]
        else:
            start, end = spans[index - 1][1] if index else spans[index][0], spans[index][1]
        yield Write(str(key.value), key, value, file.edit(start, end, b""))


def _collect_helpers(functions: list[Function]) -> None:
    """Note the keys of the functions whose result another one saves."""
    helpers = {name for function in functions for name in function.helpers}
    for function in functions:
        if function.name in helpers and not function.writes and not GIVES.search(function.name):
            for node in function.body:
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
                    for write in _entries(function.file, node.value):
                        function.writes[write.key].append(write)


def _collect_reads(function: Function, wrappers: Wrappers) -> None:
    names = _loaded_names(function, wrappers)
    if TAKES.search(function.name):
        names |= set(function.parameters)
    for node in function.body:
        for how, base, key in _reads(node):
            if is_text(key) and (isinstance(base, ast.Name) and base.id in names or wrappers.loads(base)):
                function.reads[str(key.value)].append(Read(str(key.value), key, how))


def _reads(node: ast.AST) -> Iterator[tuple[Literal["required", "get", "in"], ast.expr, ast.expr]]:
    """Yield how a node reads a key, of what, and the key."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield "required", node.value, node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        if node.func.attr in ("get", "pop"):
            yield "get", node.func.value, node.args[0]
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In):
        yield "in", node.comparators[0], node.left
