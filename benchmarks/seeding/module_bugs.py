"""Bugs of module state: buffers, parameters and module lists that become plain attributes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from benchmarks.seeding.bug import Bug
from benchmarks.seeding.source_file import SourceFile
from benchmarks.seeding.source_file import dotted
from benchmarks.seeding.source_file import text_of

# Methods that give a buffer its first value, or one from a file, and change nothing while a model trains.
SETS_UP = re.compile(
    r"^_?(__init__|reset|init|load|_load_from_state_dict|set_extra_state|build|setup|register)"
)
Methods = list[ast.FunctionDef]


def module_bugs(files: list[SourceFile]) -> Iterator[Bug]:
    """Yield the bugs that the modules of some files can be given."""
    modules = _module_names(files)
    for file in files:
        for node in file.nodes:
            if isinstance(node, ast.ClassDef) and node.name in modules:
                yield from _bugs_of_class(file, node)


def _module_names(files: list[SourceFile]) -> set[str]:
    """Return the names of the classes that descend from something called `...Module`."""
    bases = {
        node.name: {dotted(base).rpartition(".")[2] for base in node.bases}
        for file in files
        for node in file.nodes
        if isinstance(node, ast.ClassDef)
    }
    modules = {name for name, of in bases.items() if any(base.endswith("Module") for base in of)}
    while more := {name for name, of in bases.items() if of & modules} - modules:
        modules |= more
    return modules


def _bugs_of_class(file: SourceFile, node: ast.ClassDef) -> Iterator[Bug]:
    methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
    init = next((each for each in methods if each.name == "__init__"), None)
    later = [each for each in methods if each is not init]
    for each in ast.walk(init) if init is not None else ():
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Call):
            yield from _bugs_of_buffer(file, node.name, each.value, later)
        elif isinstance(each, (ast.Assign, ast.AnnAssign)) and isinstance(each.value, ast.Call):
            target = each.targets[0] if isinstance(each, ast.Assign) else each.target
            if (
                isinstance(target, ast.Attribute)
                and dotted(target.value) == "self"
                and _is_read(target.attr, later)
            ):
                yield from _bugs_of_value(file, node.name, target.attr, each.value)


def _bugs_of_buffer(file: SourceFile, owner: str, call: ast.Call, later: Methods) -> Iterator[Bug]:
    name = text_of(call.args[0]) if call.args else None
    if dotted(call.func) != "self.register_buffer" or name is None or not _is_read(name, later):
        return
    named = {each.arg: each.value for each in call.keywords}
    value = call.args[1] if len(call.args) > 1 else named.get("tensor")
    if value is None or isinstance(value, ast.Constant) or len(call.args) > 2 or "persistent" in named:
        return
    shown = f"{file.path}:{call.lineno} {owner}: {name!r}"
    text = b"self." + name.encode() + b" = (" + file.source(value) + b")"
    yield Bug("buffer made plain", (file.replace(call, text),), call.lineno, (name,), shown)
    if _is_changed(name, later):
        end = file.span(call)[1] - 1
        comma = b"" if file.data[:end].rstrip().endswith(b",") else b", "
        edit = file.edit(end, end, comma + b"persistent=False")
        yield Bug("buffer made non-persistent", (edit,), call.lineno, (name,), shown)


def _bugs_of_value(file: SourceFile, owner: str, name: str, call: ast.Call) -> Iterator[Bug]:
    callee = dotted(call.func).rpartition(".")[2]
    shown = f"{file.path}:{call.lineno} {owner}: {name!r}"
    if call.keywords or len(call.args) > 1:
        return
    inner = file.source(call.args[0]) if call.args else b""
    if callee in ("ModuleList", "ParameterList"):
        is_list = bool(call.args) and isinstance(call.args[0], (ast.List, ast.ListComp))
        text = inner if is_list else b"list(" + inner + b")"
        yield Bug("module list made a list", (file.replace(call, text),), call.lineno, (name,), shown)
    elif callee == "Parameter" and inner:
        text = b"(" + inner + b").requires_grad_()"
        yield Bug("parameter made plain", (file.replace(call, text),), call.lineno, (name,), shown)


def _is_read(name: str, methods: Methods) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == name
        and dotted(node.value) == "self"
        and isinstance(node.ctx, ast.Load)
        for method in methods
        for node in ast.walk(method)
    )


def _is_changed(name: str, methods: Methods) -> bool:
    """Tell whether a method that neither builds nor resets nor loads changes `self.name`."""
    pattern = re.compile(rf"^self\.{name}(\.data)?(\[.*\])?(\.\w*[a-z]_\(|\s*[-+*/]?=[^=])", re.DOTALL)
    return any(
        pattern.search(ast.unparse(node))
        for method in methods
        if not SETS_UP.search(method.name)
        for node in ast.walk(method)
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr))
    )
