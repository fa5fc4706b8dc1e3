"""Collect the facts of one file: a pure function of its bytes.

The outline selects the bodies that can hold a fact; only those are walked.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.annotation import annotation_value
from flake8_ckpt.facts.conditions.except_clauses import set_apart
from flake8_ckpt.facts.constants import class_attributes
from flake8_ckpt.facts.constants import constants_of
from flake8_ckpt.facts.evaluator.dispatch import new_frame
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.evaluator.input_mixing import INPUT
from flake8_ckpt.facts.evaluator.input_mixing import numbers_of
from flake8_ckpt.facts.fresh_paths import FreshPaths
from flake8_ckpt.facts.model import BestMetric
from flake8_ckpt.facts.model import ClassFacts
from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Parameter
from flake8_ckpt.facts.model import StepCounter
from flake8_ckpt.facts.model import Verdict
from flake8_ckpt.facts.names import Names
from flake8_ckpt.facts.names import exported
from flake8_ckpt.facts.names import names_of
from flake8_ckpt.facts.names import shared_alone
from flake8_ckpt.facts.names import shared_in
from flake8_ckpt.facts.program_text import counted_in
from flake8_ckpt.facts.program_text import devices_of
from flake8_ckpt.facts.program_text import dynamic_imports
from flake8_ckpt.facts.program_text import inner_imports
from flake8_ckpt.facts.program_text import is_program
from flake8_ckpt.facts.program_text import moved_parameters
from flake8_ckpt.facts.program_text import ordered_in
from flake8_ckpt.facts.program_text import remarks_in
from flake8_ckpt.facts.program_text import spans
from flake8_ckpt.facts.progress.best_metrics import best_metrics
from flake8_ckpt.facts.progress.step_counters import step_counters
from flake8_ckpt.facts.progress.verdicts import saving_in
from flake8_ckpt.facts.progress.verdicts import verdicts
from flake8_ckpt.facts.statements import Walker
from flake8_ckpt.facts.syntax import parameter_names
from flake8_ckpt.findings import Position
from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.source.kept_by_name import listed
from flake8_ckpt.source.kept_by_name import listed_in
from flake8_ckpt.source.outline import SCRIPT
from flake8_ckpt.source.outline import Outline
from flake8_ckpt.source.outline import classes_with_statistics
from flake8_ckpt.source.outline import outline
from flake8_ckpt.source.receivers import rename_receivers
from flake8_ckpt.source.running_statistics import normalized_in
from flake8_ckpt.source.running_statistics import statistics_of
from flake8_ckpt.source.running_statistics import taken_in
from flake8_ckpt.source.running_statistics import updates_in
from flake8_ckpt.source.select import ClassOutline
from flake8_ckpt.source.select import is_entry
from flake8_ckpt.source.signals import HOOKS
from flake8_ckpt.source.signals import Signals
from flake8_ckpt.source.signals import may_hold_facts
from flake8_ckpt.source.signals import own_calls
from flake8_ckpt.source.signals import signals_of
from flake8_ckpt.source.stateless_classes import is_stateless_class
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode
from flake8_ckpt.source.text import parse
from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import Source
from flake8_ckpt.source.tree import dotted

MAX_CALLEES = 40
# In a longer function, which only a program writes, no local is searched for: each counts as looked at.
MAX_TEXT = 200_000


def collect_file(data: bytes, known: Frameworks = DEFAULT) -> FileFacts:
    """Return what a file says by itself; a file that cannot be read says only that."""
    try:
        tree, text = parse(decode(data))
    except Unreadable as error:
        return FileFacts(error=error.reason, error_line=error.line)
    if not may_hold_facts(text):
        return FileFacts(constants=tuple(constants_of(tree, (), text).items()))
    written = text.split("\n")
    source = Source(tree, written)
    source.lines = rename_receivers(source)
    if source.lines is not written:
        text = "\n".join(source.lines)
    signals = signals_of(known).within(text)
    if "mean" in text:
        signals = signals.with_classes(classes_with_statistics(source))
    found = outline(tree, source, signals)
    constants = constants_of(tree, ((each.name, each.node) for each in found.classes), text)
    names = names_of(tree, found, known, constants, shared_in(text))
    script = found.script.body if found.script is not None else []
    collector = _Collector(names, written, source, text, signals, script)
    return FileFacts(
        exported(names.table),
        names.stars,
        tuple(collector.klass(each, found.on_the_way) for each in found.classes),
        tuple(collector.functions(found)),
        tuple(dict.fromkeys(updates_in(text))),
        tuple(constants.items()),
        tuple(name for name in dict.fromkeys(normalized_in(text)) if name != "self"),
        tuple(dict.fromkeys(taken_in(text))),
        devices=devices_of(text),
        runs=is_program(tree, text),
        inner_imports=inner_imports(source.lines),
        dynamic_imports=dynamic_imports(tree, text),
    )


class _Collector:
    """Collects what a source says; its text is as `written`, but that every method calls its object `self`."""

    def __init__(
        self,
        names: Names,
        written: list[str],
        source: Source,
        text: str,
        signals: Signals,
        script: list[ast.stmt],
    ) -> None:
        self.names = names
        self.script = script
        self.shares = "global" in text
        self.alone = shared_alone(text)
        self.written = written
        self.source = source
        self.source_text = text
        self.is_ascii = text.isascii()
        self.signals = signals
        self.remarks = remarks_in(source.lines)
        self.ordered = ordered_in(source.lines)

    @cached_property
    def counted(self) -> frozenset[int]:
        """The numbers of the lines that may count something up."""
        return counted_in(self.source.lines)

    @cached_property
    def saving(self) -> frozenset[int]:
        """The numbers of the lines that may save something."""
        return saving_in(self.source.lines)

    @cached_property
    def fresh_paths(self) -> FreshPaths:
        """Return who knows the paths that every run makes anew."""
        return FreshPaths(self.source_text, self.script, self.source.definitions)

    def locate(self, node: ast.stmt) -> Position:
        """Return where a statement stands; columns are counted in characters."""
        end_line = node.end_lineno or node.lineno
        if self.is_ascii:
            return Position(node.lineno, node.col_offset, end_line, node.end_col_offset or 0)
        start = self._column(node.lineno, node.col_offset)
        return Position(node.lineno, start, end_line, self._column(end_line, node.end_col_offset or 0))

    def _column(self, line: int, offset: int) -> int:
        text = self.written[line - 1]
        return offset if text.isascii() else len(text.encode()[:offset].decode(errors="ignore"))

    def heading(self, node: ast.ClassDef | Function) -> Position:
        """Return where a definition's first line stands, without its body."""
        start = self._column(node.lineno, node.col_offset)
        return Position(node.lineno, start, node.lineno, len(self.written[node.lineno - 1].rstrip()))

    def text(self, node: ast.ClassDef | Function) -> str:
        """Return the lines of a definition, without its decorators."""
        if not node.decorator_list and node.name != SCRIPT:
            return self.source.text(node)
        return "\n".join(self.source.lines[node.lineno - 1 : node.end_lineno])

    def klass(self, found: ClassOutline, way: frozenset[int]) -> ClassFacts:
        """Return the facts of one class; methods on the way to what saves or loads are followed closely."""
        node = found.node
        bases = tuple(self.names.resolve(name) for name in map(_base, node.bases) if name)
        text = self.text(node)
        statistics = statistics_of(text)
        names = tuple(dict.fromkeys(method.name for method in found.methods))
        return ClassFacts(
            found.name,
            self.heading(node),
            bases,
            tuple(class_attributes(node)),
            tuple(self.methods(found, way)),
            names,
            tuple(self.graph(found)) if bases or statistics or "step" in names else (),
            statistics,
            bool(statistics) and "self" in normalized_in(text),
            not found.selected and is_stateless_class(text),
            bool(node.decorator_list) or self.source_text.count(node.name) > text.count(node.name),
            *listed(node, found.methods, self.text, lambda: self.names_of_script),
        )

    @cached_property
    def names_of_script(self) -> tuple[str, ...]:
        """Return the names that the lists of the file's own level hold."""
        return tuple(dict.fromkeys(listed_in(self.script)))

    def methods(self, found: ClassOutline, way: frozenset[int]) -> Iterator[FunctionFacts]:
        """Yield the summaries of the methods that can matter."""
        selected = {id(method) for method in found.selected}
        readers = {id(method) for method in found.readers}
        for method in found.methods:
            if id(method) in selected:
                yield self.function(method.name, method, found.keeper or id(method) in way, found.name)
            elif id(method) in readers:
                yield self.reader(method, found)

    def graph(self, found: ClassOutline) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield which methods of its own object each method calls, read from the text."""
        for method in found.methods:
            called = dict.fromkeys(own_calls(self.text(method)))
            own = ("__init__", method.name)
            kept = tuple(name for name in called if name in own or not name.startswith("__"))
            if kept:
                yield method.name, kept[:MAX_CALLEES]

    def functions(self, found: Outline) -> Iterator[FunctionFacts]:
        """Yield the functions that linking may need: those selected, and those whose annotation says enough."""
        selected = {id(node) for node in found.selected}
        for name, node in found.functions:
            if id(node) in selected:
                yield self.function(name, node, found.followed or id(node) in found.on_the_way)
            elif "." not in name:
                yield from self.promise(name, node)
        if found.script is not None:
            yield self.function(found.script.name, found.script, True)

    def promise(self, name: str, node: Function) -> Iterator[FunctionFacts]:
        """Yield what a function that is not walked promises to give, and which parameters it moves."""
        promised = annotation_value(node.returns, self.names) if node.returns is not None else v.UNKNOWN
        moves = moved_parameters(node, self.text(node))
        if moves or promised not in (v.UNKNOWN, v.NUMBER, v.NONE):
            parameters = tuple(self.parameters(node.args)) if moves else ()
            yield FunctionFacts(name, self.heading(node), parameters, returns=promised, moves=moves)

    def reader(self, node: Function, found: ClassOutline) -> FunctionFacts:
        """Return how a method that sets nothing of interest reads what may be state."""
        frame = self.frame(node, False)
        Walker(frame, self.locate).block(node.body)
        uses = tuple(each for each in frame.uses_seen() if each.attr in found.suspects)
        calls = tuple(each for each in frame.calls if _hands_on(each.call, found.suspects))
        return FunctionFacts(node.name, self.heading(node), uses=uses, calls=calls)

    def function(self, name: str, node: Function, keeper: bool = False, owner: str = "") -> FunctionFacts:
        """Return the summary of a function that is walked; the methods of a keeper are followed closely."""
        frame = self.frame(node, keeper or self.takes_part(node), owner)
        Walker(frame, self.locate).block(node.body)
        decorators = tuple(
            dotted(each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list
        )
        return FunctionFacts(
            f"{name}.setter" if f"{name}.setter" in decorators else name,
            self.heading(node),
            tuple(self.parameters(node.args)),
            decorators,
            self.returns(node, frame),
            tuple(frame.writes),
            frame.registers_seen(),
            frame.uses_seen(),
            frame.calls_seen(),
            frame.key_reads_seen(),
            tuple(frame.stores),
            tuple(set_apart(frame.handlers, node)),
            frame.contract,
            tuple(frame.skips),
            tuple(frame.leaves),
            tuple(frame.fills),
            moved_parameters(node, self.text(node)),
            *(self.numbers(node, frame) if frame.contract else ()),
        )

    def takes_part(self, node: Function) -> bool:
        """Tell whether a function is followed closely, whoever calls it: it may save, restore or train something."""
        return is_entry(node) or node.name in HOOKS or self.signals.takes_part(self.text(node))

    def frame(self, node: Function, contract: bool, owner: str = "") -> Frame:
        """Return a fresh frame for a function, its parameters bound to themselves."""
        text = self.text(node)
        is_open = node.name == SCRIPT or len(text) > MAX_TEXT
        frame = new_frame(self.names, contract, "" if is_open else text, owner)
        frame.numbers = numbers_of(node.args)
        frame.remarks = self.remarks
        frame.ordered = self.ordered
        frame.shared = shared_in(text) if self.shares else frozenset()
        for name in parameter_names(node.args):
            given = name not in ("self", "cls") and name not in frame.numbers
            frame.bind(name, v.Param(name), (INPUT,) if given else ())
        return frame

    def numbers(
        self, node: Function, frame: Frame
    ) -> tuple[tuple[BestMetric, ...], tuple[StepCounter, ...], tuple[Verdict, ...]]:
        """Return the numbers of a function that decide something later, and that only its own loop changes."""
        given = (self.locate, self.script, frame.shared & self.alone)
        counters = step_counters(node, *given) if spans(node, self.counted) else ()
        metrics = (self.fresh_paths.marked(node, each) for each in best_metrics(node, self.ordered, *given))
        found = (self.fresh_paths.judged(node, each) for each in verdicts(node, self.saving, self.locate))
        return tuple(metrics), tuple(counters), tuple(found)

    def returns(self, node: Function, frame: Frame) -> v.Value | None:
        """Return what a function gives: what its annotation promises, else, or key by key, what its returns give."""
        promised = annotation_value(node.returns, self.names)
        given = v.join(frame.returns) if frame.returns else None
        vague = all(
            option in (v.UNKNOWN, v.NONE) or isinstance(option, v.Container) and option.kind == "dict"
            for option in v.options_of(promised)
        )
        if promised == v.UNKNOWN or vague and given is not None and frame.contract:
            return given
        drawn = isinstance(promised, v.Tensor) and isinstance(given, v.Tensor)
        return given if drawn else promised

    def parameters(self, arguments: ast.arguments) -> Iterator[Parameter]:
        """Yield the parameters with the values that annotations promise and defaults give."""
        positional = [*arguments.posonlyargs, *arguments.args]
        without = len(positional) - len(arguments.defaults)
        defaults = [*[None] * without, *arguments.defaults, *arguments.kw_defaults]
        frame = new_frame(self.names) if arguments.defaults or arguments.kw_defaults else None
        for arg, default in zip((*positional, *arguments.kwonlyargs), defaults):
            annotation = annotation_value(arg.annotation, self.names) if arg.annotation is not None else None
            given = frame.evaluate(default) if frame is not None and default is not None else None
            yield Parameter(arg.arg, annotation, given)
        if arguments.vararg is not None:
            yield Parameter(f"*{arguments.vararg.arg}")
        if arguments.kwarg is not None:
            yield Parameter(f"**{arguments.kwarg.arg}")


def _hands_on(call: v.Call, attributes: frozenset[str]) -> bool:
    """Tell whether a call takes one of some attributes of `self` as it is."""
    given = (*call.args, *(each for _, each in call.keywords))
    return any(isinstance(each, v.Attr) and each.base == v.SELF and each.name in attributes for each in given)


def _base(node: ast.expr) -> str:
    return dotted(node.value if isinstance(node, ast.Subscript) else node)
