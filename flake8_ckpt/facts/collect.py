"""Collect the facts of one file: a pure function of its bytes.

The stdlib's tree gives the outline, libcst reads the bodies that the outline selects. They are
cut out with their own lines, put one after another under `if 1:` where they are indented, and
parsed at once; each statement is then paired with its twin of the stdlib's tree.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Union

import libcst as cst

from flake8_ckpt.facts import expressions as ev
from flake8_ckpt.facts.annotation import annotation_value
from flake8_ckpt.facts.attribute_uses import mentioned
from flake8_ckpt.facts.frame import Frame
from flake8_ckpt.facts.model import ClassFacts
from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Parameter
from flake8_ckpt.facts.names import Names
from flake8_ckpt.facts.names import dotted
from flake8_ckpt.facts.names import names_of
from flake8_ckpt.facts.statements import Walker
from flake8_ckpt.facts.statements import parameter_names
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import NUMBER
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Position
from flake8_ckpt.source.depth import is_deep_statement
from flake8_ckpt.source.depth import is_too_deep
from flake8_ckpt.source.harmless import Function
from flake8_ckpt.source.outline import DEFINITIONS
from flake8_ckpt.source.outline import SCRIPT
from flake8_ckpt.source.outline import Outline
from flake8_ckpt.source.outline import outline
from flake8_ckpt.source.select import ClassOutline
from flake8_ckpt.source.select import is_entry
from flake8_ckpt.source.signals import CALLS
from flake8_ckpt.source.signals import HOOKS
from flake8_ckpt.source.signals import links
from flake8_ckpt.source.signals import may_hold_facts
from flake8_ckpt.source.signals import normalizes
from flake8_ckpt.source.signals import saves
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode
from flake8_ckpt.source.text import parse
from flake8_ckpt.source.tree import BLOCKS
from flake8_ckpt.source.tree import first_line
from flake8_ckpt.source.tree import is_idle
from flake8_ckpt.source.tree import stands_alone
from flake8_ckpt.source.tree import statements

Bodies = dict[int, Union[cst.FunctionDef, cst.Module]]


def collect_file(data: bytes) -> FileFacts:
    """Return what a file says by itself; a file that cannot be read says only that."""
    try:
        text = decode(data)
        tree = parse(text)
    except Unreadable as error:
        return FileFacts(error=error.reason, error_line=error.line)
    if not may_hold_facts(text):
        return FileFacts()
    lines = text.split("\n")
    found = outline(tree, lines)
    bodies = read_slices(selected_functions(found), lines)
    if found.script is not None:
        bodies.update(read_script(found.script, lines))
    return facts_of(tree, found, lines, bodies)


def selected_functions(found: Outline) -> list[Function]:
    """Return the functions and methods whose bodies are to be read."""
    return [*found.selected, *(method for each in found.classes for method in each.selected)]


def facts_of(tree: ast.Module, found: Outline, lines: list[str], bodies: Bodies) -> FileFacts:
    """Return the facts of a parsed file, given libcst's trees of the bodies to read."""
    names = names_of(tree, found)
    collector = _Collector(names, lines, bodies)
    return FileFacts(
        tuple((name, path) for name, path in names.table.items() if not path.startswith(":")),
        names.stars,
        tuple(collector.klass(each) for each in found.classes),
        tuple(collector.functions(found)),
        tuple(dict.fromkeys(updates_in("\n".join(lines)))),
    )


def read_slices(functions: Sequence[Function], lines: list[str]) -> Bodies:
    """Parse the bodies of some functions with libcst; those it cannot read are left out."""
    functions = [each for each in functions if not is_too_deep(each, lines)]
    try:
        return _read(functions, lines)
    except (cst.ParserSyntaxError, RecursionError):
        bodies: Bodies = {}
        for function in functions:
            try:
                bodies.update(_read([function], lines))
            except (cst.ParserSyntaxError, RecursionError):
                continue
        return bodies


def _read(functions: Sequence[Function], lines: list[str]) -> Bodies:
    text: list[str] = []
    for function in functions:
        if lines[first_line(function) - 1][:1] in (" ", "\t", "\f"):
            text.append("if 1:")
        text.extend(_without_idle(function, lines))
    tree = cst.parse_module("\n".join(text) + "\n")
    found = [_definition(each) for each in tree.body]
    return {id(node): body for node, body in zip(functions, found) if body is not None}


def read_script(script: Function, lines: list[str]) -> Bodies:
    """Parse what a file does when it runs with libcst, without its definitions."""
    shared = any(one.end_lineno == other.lineno for one, other in zip(script.body, script.body[1:]))
    if shared or is_too_deep(script, lines):
        return {}
    text: list[str] = []
    for node in script.body:
        left_out = isinstance(node, DEFINITIONS) or is_idle(node) or is_deep_statement(node, lines)
        text.extend(["pass"] if left_out else lines[node.lineno - 1 : node.end_lineno])
    try:
        return {id(script): cst.parse_module("\n".join(text) + "\n")}
    except (cst.ParserSyntaxError, RecursionError):
        return {}


def _without_idle(function: Function, lines: list[str]) -> Iterator[str]:
    """Yield the lines of a function, each statement that nothing looks at, or that is too deep, made short."""
    at = first_line(function)
    for node in statements(function.body):
        if node.end_lineno is None or not stands_alone(node, lines):
            continue
        if is_idle(node) or type(node) not in BLOCKS and is_deep_statement(node, lines):
            yield from lines[at - 1 : node.lineno - 1]
            yield lines[node.lineno - 1][: node.col_offset] + (
                "raise" if isinstance(node, ast.Raise) else "pass"
            )
            at = node.end_lineno + 1
    yield from lines[at - 1 : function.end_lineno]


def _definition(node: cst.CSTNode) -> cst.FunctionDef | None:
    if isinstance(node, cst.If):
        node = node.body.body[0]
    return node if isinstance(node, cst.FunctionDef) else None


class _Collector:
    def __init__(self, names: Names, lines: list[str], bodies: Bodies) -> None:
        self.names = names
        self.lines = lines
        self.bodies = bodies

    def locate(self, node: ast.stmt) -> Position:
        """Return where a statement stands; columns are counted in characters."""
        end_line = node.end_lineno or node.lineno
        start = self._column(node.lineno, node.col_offset)
        return Position(node.lineno, start, end_line, self._column(end_line, node.end_col_offset or 0))

    def _column(self, line: int, offset: int) -> int:
        text = self.lines[line - 1]
        return offset if text.isascii() else len(text.encode()[:offset].decode(errors="ignore"))

    def heading(self, node: ast.ClassDef | Function) -> Position:
        """Return where a definition's first line stands, without its body."""
        start = self._column(node.lineno, node.col_offset)
        return Position(node.lineno, start, node.lineno, len(self.lines[node.lineno - 1].rstrip()))

    def klass(self, found: ClassOutline) -> ClassFacts:
        """Return the facts of one class."""
        node = found.node
        bases = tuple(self.names.resolve(name) for name in map(_base, node.bases) if name)
        readers = {id(method) for method in found.readers}
        methods = tuple(
            self.function(method.name, method, found.keeper)
            if id(method) in self.bodies
            else self.reader(method, found)
            for method in found.methods
            if id(method) in self.bodies or id(method) in readers
        )
        statistics = statistics_of("\n".join(self.lines[node.lineno - 1 : node.end_lineno]))
        return ClassFacts(
            found.name,
            self.heading(node),
            bases,
            tuple(_class_attributes(node)),
            methods,
            tuple(dict.fromkeys(method.name for method in found.methods)),
            tuple(self.graph(found)) if bases or statistics else (),
            statistics,
        )

    def graph(self, found: ClassOutline) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield which methods of its own object each method calls, read from the text."""
        for method in found.methods:
            text = "\n".join(self.lines[method.lineno - 1 : method.end_lineno])
            called = dict.fromkeys(CALLS.findall(text))
            kept = tuple(name for name in called if name in _METHODISH or not name.startswith("__"))
            if kept:
                yield method.name, kept[:MAX_CALLEES]

    def functions(self, found: Outline) -> Iterator[FunctionFacts]:
        """Yield the functions that linking may need: those read, and those whose annotation says enough."""
        for name, node in found.functions:
            if id(node) in self.bodies:
                yield self.function(name, node, found.followed)
            elif node.returns is not None and "." not in name:
                promised = annotation_value(node.returns, self.names)
                if promised not in (UNKNOWN, NUMBER, Const(None)):
                    yield FunctionFacts(name, self.heading(node), returns=promised)
        if found.script is not None and id(found.script) in self.bodies:
            yield self.function(found.script.name, found.script, True)

    def reader(self, node: Function, found: ClassOutline) -> FunctionFacts:
        """Return the summary of a method that only reads what may be state."""
        position = self.heading(node)
        return FunctionFacts(node.name, position, uses=mentioned(node, self.lines, found.suspects, position))

    def function(self, name: str, node: Function, keeper: bool = False) -> FunctionFacts:
        """Return the summary of a function whose body was read; the methods of a keeper are followed closely."""
        body = self.bodies[id(node)]
        frame = self.frame(node, keeper)
        walker = Walker(frame, self.locate)
        walker.block(body.body if isinstance(body, cst.FunctionDef) else body, node.body)
        decorators = tuple(
            dotted(each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list
        )
        return FunctionFacts(
            name,
            self.heading(node),
            tuple(self.parameters(node, body)),
            decorators,
            self.returns(node, frame),
            tuple(frame.writes),
            frame.registers_seen(),
            frame.uses_seen(),
            tuple(frame.calls),
            frame.key_reads_seen(),
            tuple(frame.stores),
            tuple(frame.handlers),
            frame.contract,
            tuple(frame.skips),
            tuple(frame.leaves),
        )

    def frame(self, node: Function, keeper: bool = False) -> Frame:
        """Return a fresh frame for a function, its parameters bound to themselves."""
        text = "\n".join(self.lines[node.lineno - 1 : node.end_lineno])
        contract = (
            keeper or is_entry(node) or node.name in HOOKS or saves(text) or links(text) or normalizes(text)
        )
        frame = Frame(self.names, contract=contract, text="" if node.name == SCRIPT else text)
        for name in parameter_names(node.args):
            frame.bind(name, Param(name), ())
        return frame

    def returns(self, node: Function, frame: Frame) -> Value | None:
        """Return what a function gives: what its annotation promises, else, or key by key, what its returns give."""
        promised = annotation_value(node.returns, self.names)
        given = join(frame.returns) if frame.returns else None
        vague = all(option in (UNKNOWN, NONE) or _is_dict(option) for option in options_of(promised))
        return given if promised == UNKNOWN or vague and given is not None and frame.contract else promised

    def parameters(self, node: Function, body: Union[cst.FunctionDef, cst.Module]) -> Iterator[Parameter]:
        """Yield the parameters with the values that annotations promise and defaults give."""
        if isinstance(body, cst.Module):
            return
        frame = Frame(self.names)
        defaults = {
            each.name.value: ev.evaluate(each.default, frame)
            for each in (*body.params.posonly_params, *body.params.params, *body.params.kwonly_params)
            if each.default is not None
        }
        for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            annotation = annotation_value(arg.annotation, self.names) if arg.annotation is not None else None
            yield Parameter(arg.arg, annotation, defaults.get(arg.arg))
        yield from (
            Parameter(f"*{arg.arg}") for arg in (node.args.vararg, node.args.kwarg) if arg is not None
        )


MAX_CALLEES = 40
_METHODISH = frozenset(["__init__"])
SET_ATTRIBUTES = re.compile(
    r"\b(?:self\.|register_buffer\(\s*[\"']|add_state\(\s*[\"'])(\w+)\b[\"']?\s*(?:[-+*/]?=(?!=)|,|:)"
)
STATISTICS = re.compile(
    r"(?:^|_)(?:means?|mu|var|vars|variance|stds?|m2|s2?|sumsq|sum|sq|square|squares|count|cnt|n|num)(?:_|$)",
    re.I,
)
# A call of such a method, or the method itself handed to what may call it.
UPDATES = re.compile(r"\.(_?(?:update|record|push|observe|partial_fit|add|fit|step)\w*)(?=[(),\]])")
RECEIVER = re.compile(r"(\w+)(?:\(\)|\[[^\]\n]{0,40}\])?$")
MAX_RECEIVER = 80


def _is_dict(value: Value) -> bool:
    return isinstance(value, Container) and value.kind == "dict"


def updates_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield the method calls that may update statistics, with the last name of what they are called on."""
    for match in UPDATES.finditer(text):
        receiver = RECEIVER.search(text, max(match.start() - MAX_RECEIVER, 0), match.start())
        if receiver is not None:
            yield receiver[1], match[1]


def statistics_of(text: str) -> tuple[str, ...]:
    """Return the attributes of a class whose names are those of running statistics."""
    if "mean" not in text or not any(word in text for word in ("var", "std", "m2", "sq", "S")):
        return ()
    return tuple(name for name in dict.fromkeys(SET_ATTRIBUTES.findall(text)) if STATISTICS.search(name))


def _base(node: ast.expr) -> str:
    return dotted(node.value if isinstance(node, ast.Subscript) else node)


def _class_attributes(node: ast.ClassDef) -> Iterator[tuple[str, Value]]:
    for each in statements(node.body):
        if isinstance(each, ast.Assign):
            value = _flag(each.value)
            yield from ((target.id, value) for target in each.targets if isinstance(target, ast.Name))
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            yield each.target.id, _flag(each.value)


def _flag(node: ast.expr | None) -> Value:
    if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool)):
        return Const(node.value)
    return UNKNOWN
