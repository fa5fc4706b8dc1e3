"""The classes and functions of a file, and which of their bodies can hold a fact.

libcst is slow, so it reads only what is selected here, from the stdlib's tree and from text:
methods that set or read an attribute whose value is not plainly harmless, that register
something, or that take part in saving and loading; and functions that build tensors.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

from flake8_ckpt.source.harmless import Function
from flake8_ckpt.source.harmless import Bindings
from flake8_ckpt.source.harmless import is_harmless
from flake8_ckpt.source.harmless import bindings_of

GATE = re.compile(r"\bclass\b|\bimport\b|state_dict|\bsave|\bload|dump|pickle|checkpoint|torch|numpy")
REGISTERS = re.compile(
    r"\b(_?register_\w*hook|register_buffer|register_parameter|register_module|add_module|add_state|__setattr__|setattr)\b"
)
LATE_REGISTERS = re.compile(r"\b(Parameter|Buffer)\s*\(")
INPLACE = re.compile(r"\bself\.(\w+)\.(?:data\.)?\w*[a-z0-9]_\(")
GROWS = re.compile(r"\bself\.(\w+)\s*(?:\.(?:append|extend|insert|update|setdefault|add|appendleft)\(|\[[^\n]*\]\s*=(?!=))")
LOCAL_GROWS = re.compile(r"^[ \t]*(\w+)(?:\.(?:append|extend|insert|update|setdefault)\(|\[[^\n]*\]\s*=(?!=))", re.MULTILINE)
CALLS = re.compile(r"\b(?:self|super\([^()]*\)|cls)\.(\w+)\s*\(")
BUILDS = re.compile(r"\b(?:torch|np|numpy|F|nn)\.\w")
SAVES = re.compile(
    r"\b(?:torch|th|pickle|joblib|cloudpickle|dill|fabric|accelerator|safetensors)\.(?:save|load|dump)\w*\("
    r"|\bnp\.(?:savez\w*|load)\(|\b(?:save_file|load_file|safe_open)\(|\.load_state_dict\("
)
HOOKS = frozenset(
    "state_dict load_state_dict get_extra_state set_extra_state __getstate__ __setstate__ get_parameters set_parameters"
    " on_save_checkpoint on_load_checkpoint get_weights set_weights _save_to_state_dict _load_from_state_dict _apply"
    " _excluded_save_params _get_torch_save_params __deepcopy__ __reduce__".split()
)
TRIVIAL_BASES = re.compile(
    r"(^|\.)(object|ABC|Generic|Enum|IntEnum|StrEnum|str|int|float|dict|list|tuple|type|NamedTuple|TypedDict|Protocol"
    r"|\w*Exception|\w*Error|Warning|TestCase|Dataset|IterableDataset|Sampler|BatchSampler|DataLoader|Optimizer|Function"
    r"|Thread|Process|Distribution|Handler|Formatter|Action|JSONEncoder|UserDict|Mapping|MutableMapping|Sequence|Iterator"
    r"|Iterable|Callable|Hashable|\w*Config|\w*Tokenizer|\w*TokenizerFast|\w*Processor|ProcessorMixin|ModelOutput)$"
)
DULL_NAMES = re.compile(
    r"(^|_)(keys?|specs?|device|dtype|shape|sizes?|names?|types?|kwargs|config|cfg|vocab|path|paths|url|lock|process|queues?|threads?"
    r"|pipes?|workers?|jobs|closed|space|callbacks?|hooks?|logger|timer|tokens?|tokenizer|merges|strings?|labels|columns|args|options)$"
)
BUILDING = re.compile(r"\b(?:torch|th|np|numpy|nn|F)\.|ensor|Parameter|Variable")
BLOCKS: dict[type, tuple[str, ...]] = {
    ast.If: ("body", "orelse"),
    ast.For: ("body", "orelse"),
    ast.AsyncFor: ("body", "orelse"),
    ast.While: ("body", "orelse"),
    ast.With: ("body",),
    ast.AsyncWith: ("body",),
    ast.Try: ("body", "handlers", "orelse", "finalbody"),
    ast.Match: ("cases",),
}
if sys.version_info >= (3, 11):
    BLOCKS[ast.TryStar] = BLOCKS[ast.Try]
LOGGERS = frozenset("logger logging log warnings print LOG LOGGER _logger rank_zero_warn rank_zero_info".split())
CONSTRUCTORS = frozenset(["__init__", "__new__", "__post_init__"])


@dataclass(frozen=True)
class ClassOutline:
    """A class with its qualified name and its methods.

    The bodies of `selected` are to be read; `readers` only mention some of the `suspects`,
    the attributes that may hold state.
    """

    node: ast.ClassDef
    name: str
    methods: tuple[Function, ...]
    selected: tuple[Function, ...] = ()
    readers: tuple[Function, ...] = ()
    suspects: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outline:
    """What a file defines; `functions` are those that linking may need, `selected` those to be read."""

    classes: tuple[ClassOutline, ...]
    functions: tuple[tuple[str, Function], ...]
    selected: tuple[Function, ...]


def may_hold_facts(text: str) -> bool:
    """Tell from the text alone whether a file can define, save, load or pass on anything of interest."""
    return GATE.search(text) is not None


def outline(tree: ast.Module, lines: list[str]) -> Outline:
    """Find the classes and functions of a module, nested ones too, and select the bodies to read."""
    definitions = list(_definitions(tree.body, ""))
    called: set[str] = set()
    plain = _plain_classes(node for _, node in definitions if isinstance(node, ast.ClassDef))
    classes = []
    for name, node in definitions:
        if isinstance(node, ast.ClassDef):
            choose = _plain_outline if node.name in plain else _class_outline
            classes.append(choose(node, name, lines, called))
    inside = {id(method) for each in classes for method in each.methods}
    functions = tuple(
        (name, node) for name, node in definitions if not isinstance(node, ast.ClassDef) and id(node) not in inside
    )
    return Outline(tuple(classes), functions, tuple(_select_functions(functions, lines, called)))


def first_line(node: ast.ClassDef | Function) -> int:
    """Return the line where a definition starts, decorators included."""
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in BLOCKS[type(node)]:
        block = getattr(node, name)
        if name in ("handlers", "cases"):
            yield from (each.body for each in block)
        elif block:
            yield block


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a body in order, those of nested blocks too, but not of nested definitions."""
    stack = [iter(body)]
    while stack:
        for node in stack[-1]:
            yield node
            if type(node) in BLOCKS:
                stack.extend([iter(block) for block in _blocks(node)][::-1])
                break
        else:
            stack.pop()


def _functions(body: list[ast.stmt]) -> Iterator[Function]:
    for node in statements(body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def _definitions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.ClassDef | Function]]:
    stack = [(body, prefix)]
    while stack:
        block, outer = stack.pop()
        for node in statements(block):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                name = f"{outer}.{node.name}" if outer else node.name
                yield name, node
                stack.append((node.body, name))


def _text(node: ast.stmt, lines: list[str]) -> str:
    return "\n".join(lines[first_line(node) - 1 : node.end_lineno]) if isinstance(
        node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    ) else "\n".join(lines[node.lineno - 1 : node.end_lineno])


def _plain_classes(classes: Iterable[ast.ClassDef]) -> set[str]:
    """Return the names of the classes that plainly are no modules, by what their bases are in this very file."""
    plain: dict[str, bool] = {}
    for node in classes:
        bases = [ast.unparse(base) for base in node.bases]
        is_plain = all(plain.get(base, TRIVIAL_BASES.search(base) is not None) for base in bases)
        plain[node.name] = is_plain and plain.get(node.name, True)
    return {name for name, is_plain in plain.items() if is_plain}


def _plain_outline(node: ast.ClassDef, name: str, lines: list[str], called: set[str]) -> ClassOutline:
    """Select what a class that is no module may give to modules and checkpoints: hooks and registrations."""
    methods = tuple(_functions(node.body))
    chosen = (each for each in methods if each.name in HOOKS or _has_word(each, _text(each, lines)))
    return ClassOutline(node, name, methods, tuple(chosen))


def _class_outline(node: ast.ClassDef, name: str, lines: list[str], called: set[str]) -> ClassOutline:
    methods = tuple(_functions(node.body))
    texts = [_text(method, lines) for method in methods]
    writes = [_method_writes(method, text, lines, called) for method, text in zip(methods, texts)]
    suspects = frozenset().union(*(each.suspects for each in writes))
    selected, readers = [], []
    mention = re.compile(r"\bself\.(?:" + "|".join(map(re.escape, sorted(suspects))) + r")\b")
    loops = re.compile(r"\bin\b[^\n]*" + mention.pattern)
    lazy = any(method.name not in CONSTRUCTORS and _has_word(method, text) for method, text in zip(methods, texts))
    for method, text, written in zip(methods, texts, writes):
        if lazy and method.name in CONSTRUCTORS:
            selected.append(method)
        elif method.name in called or method.name in HOOKS or written.every & suspects or _has_word(method, text):
            selected.append(method)
        elif suspects and mention.search(text):
            (selected if loops.search(text) else readers).append(method)
    return ClassOutline(node, name, methods, tuple(selected), tuple(readers), suspects)


def _has_word(method: Function, text: str) -> bool:
    if ("add_" in text or "register_" in text or "setattr" in text) and REGISTERS.search(text):
        return True
    if method.name not in CONSTRUCTORS and ("Parameter" in text or "Buffer" in text) and LATE_REGISTERS.search(text):
        return True
    return saves(text)


def saves(text: str) -> bool:
    """Tell whether a function's text saves something or loads it."""
    return ("save" in text or "load" in text or "dump" in text) and SAVES.search(text) is not None


def is_idle(node: ast.stmt) -> bool:
    """Tell whether a statement only raises, documents or logs: nothing in it is looked at."""
    if isinstance(node, ast.Raise):
        return True
    if not isinstance(node, ast.Expr):
        return False
    value = node.value
    if isinstance(value, ast.Constant):
        return True
    while isinstance(value, (ast.Call, ast.Attribute)):
        value = value.func if isinstance(value, ast.Call) else value.value
    return isinstance(value, ast.Name) and value.id in LOGGERS


@dataclass(frozen=True)
class _Writes:
    """The attributes a method sets: all of them, and those whose value may be state."""

    every: frozenset[str] = frozenset()
    suspects: frozenset[str] = frozenset()


def _is_dull(attr: str, value: ast.expr, lines: list[str]) -> bool:
    """Tell whether a name says that its value is no state, and the value does not say otherwise."""
    if DULL_NAMES.search(attr) is None:
        return False
    return BUILDING.search("\n".join(lines[value.lineno - 1 : value.end_lineno])) is None


def _method_writes(method: Function, text: str, lines: list[str], called: set[str]) -> _Writes:
    if "self." not in text and "setattr" not in text:
        return _Writes()
    suspects = {*(INPLACE.findall(text) if "_(" in text else ()), *GROWS.findall(text)} - {"__dict__"}
    every = set(suspects)
    bindings: Optional[Bindings] = None
    for target, value, change in _self_writes(method):
        if target == "__dict__" or value is not None and _is_dull(target, value, lines):
            continue
        every.add(target)
        bindings = bindings or bindings_of(method, _local_values(method), LOCAL_GROWS.findall(text))
        plain = value is None or _is_plain(value, bindings)
        if plain and not (change or _turns(method, value) or _mentions(method, target, value)):
            continue
        suspects.add(target)
        if value is not None:
            called.update(_called(value))
            called.update(_called_by_locals(value, bindings))
    return _Writes(frozenset(every), frozenset(suspects))


def _is_plain(value: ast.expr, names: Bindings) -> bool:
    if isinstance(value, (ast.List, ast.Dict, ast.Tuple)) and not getattr(value, "elts", getattr(value, "keys", ())):
        return True
    return is_harmless(value, names)


def _turns(method: Function, value: Optional[ast.expr]) -> bool:
    """Tell whether a method other than the constructor sets a flag."""
    return method.name not in CONSTRUCTORS and isinstance(value, ast.Constant) and isinstance(value.value, bool)


def _mentions(method: Function, attr: str, value: Optional[ast.expr]) -> bool:
    """Tell whether a method other than the constructor sets an attribute to something that holds it."""
    if method.name in CONSTRUCTORS or not isinstance(value, (ast.Call, ast.BinOp)):
        return False
    return any(isinstance(node, ast.Attribute) and node.attr == attr for node in ast.walk(value))


def _self_writes(method: Function) -> Iterator[tuple[str, Optional[ast.expr], bool]]:
    for node in statements(method.body):
        if isinstance(node, ast.AugAssign):
            yield from ((attr, node.value, method.name not in CONSTRUCTORS) for attr in _attributes(node.target))
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from ((attr, node.value, False) for attr in _attributes(target))
        elif isinstance(node, ast.AnnAssign):
            yield from ((attr, node.value, False) for attr in _attributes(node.target))


MAX_HELPER = 2500


def _attributes(target: ast.expr) -> Iterator[str]:
    if isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            yield from _attributes(element)
    elif isinstance(target, (ast.Starred, ast.Subscript)):
        yield from _attributes(target.value)
    elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
        yield target.attr


def _local_values(function: Function) -> dict[str, list[ast.expr]]:
    bound: dict[str, list[ast.expr]] = {}
    for node in statements(function.body):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                        bound.setdefault(name.id, []).append(node.value)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and isinstance(node.target, ast.Name) and node.value:
            bound.setdefault(node.target.id, []).append(node.value)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            for name in ast.walk(node.target):
                if isinstance(name, ast.Name):
                    bound.setdefault(name.id, []).append(node.iter)
    return bound


def _called(value: ast.expr) -> Iterator[str]:
    for node in ast.walk(value):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                owner = node.func.value.id
                if owner in ("self", "cls") or owner[:1].isupper():
                    yield node.func.attr


def _called_by_locals(value: ast.expr, names: Bindings) -> Iterator[str]:
    for node in ast.walk(value):
        if isinstance(node, ast.Name):
            for bound in names.locals.get(node.id, ()):
                yield from _called(bound)


def _select_functions(
    functions: tuple[tuple[str, Function], ...], lines: list[str], called: set[str]
) -> Iterator[Function]:
    for name, node in functions:
        text = _text(node, lines)
        if saves(text):
            yield node
        elif node.returns is None and "." not in name and "return" in text:
            if node.name in called or len(text) < MAX_HELPER and BUILDS.search(text):
                yield node
