"""Paths that are new in every run: they hold the time, a random text or a number that was free, so nothing is lost."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from functools import cached_property

import msgspec

from flake8_ckpt.facts.model import BestMetric
from flake8_ckpt.facts.model import Verdict
from flake8_ckpt.facts.syntax import given_to
from flake8_ckpt.facts.syntax import parameter_names
from flake8_ckpt.source.tree import Definition
from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import dotted
from flake8_ckpt.source.tree import statements

# A file without any of these makes no such path.
HINTS = ("now(", "time", "uuid", "wandb", "mkdtemp", "exists(", "SummaryWriter()")
# `datetime.datetime.now()`, `time.time()`, `uuid.uuid4()`, `tempfile.mkdtemp()`.
STAMPS = re.compile(
    r"(^|\.)(now|utcnow|ctime|asctime|localtime|gmtime|uuid[14]|mkdtemp|generate_id)$|(^|\.)time\.time(_ns)?$|^time$"
)
STRFTIME = re.compile(r"(^|\.)strftime$")
# Formats that tell the time of a day: a day alone is that of a run resumed on it, too.
HOURS = re.compile(r"%[HIMScXTsfp]|%-[HIM]|\{[^}]*:%[HIMS]")
RUNS = re.compile(r"(^|\.)wandb\.run\.(id|name|dir)$|(^|\.)wandb_run\.(id|name|dir)$")
# Calls that make a text or a path of what they are given.
TEXTS = re.compile(
    r"(^|\.|_)(str|int|join|joinpath|format|Path|PurePath|replace|abspath|realpath|expanduser|resolve|absolute"
    r"|strftime|isoformat|timestamp|hex|lower|as_posix|fspath|SummaryWriter|with_suffix|strip)$"
)
SAVES = re.compile(
    r"(^|_)(save|copy|copyfile|copytree|dump|export)(_|$|[a-z]*(model|checkpoint|ckpt|weights)$)"
)
# The first thing that these take is what they save.
OF_LIBRARIES = re.compile(r"^(torch|shutil|pickle|joblib|np|numpy|accelerator|xm|dill)\.")
PASSES = 3
State = dict[str, bool]
Lines = tuple[int, int]


class FreshPaths:
    """Follows such paths through the functions of one file, from where they are made to what is given them."""

    def __init__(self, text: str, script: Sequence[ast.stmt], definitions: Sequence[Definition]) -> None:
        self.is_possible = any(each in text for each in HINTS)
        self.resumes_runs = "wandb" in text and re.search(r"\bresume\s*=|\bid\s*=", text) is not None
        self.script = script
        self.definitions = definitions
        self._calls: dict[Function, Sequence[ast.Call]] = {}
        self.functions = {
            name: node
            for name, node in definitions
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        }

    def marked(self, node: Function, metric: BestMetric) -> BestMetric:
        """Return a metric of a function, which says whether what it decides is saved anew in every run."""
        is_anew = self.are_all_saves(node, metric.blocks)
        return msgspec.structs.replace(metric, anew=True) if is_anew else metric

    def judged(self, node: Function, verdict: Verdict) -> Verdict:
        """Return a verdict that a function asks for, which says the same of what it decides."""
        is_anew = self.are_all_saves(node, [verdict.block])
        return msgspec.structs.replace(verdict, anew=True) if is_anew else verdict

    def are_all_saves(self, node: Function, blocks: Sequence[Lines]) -> bool:
        """Tell whether all that some lines of a function save goes to such paths, and there is something."""
        if not self.is_possible:
            return False
        saves = [
            each
            for each in self._calls_in(node)
            if any(first <= each.lineno <= last for first, last in blocks) and _is_save(each)
        ]
        state = self._states.get(id(node)) or self._script_state
        return bool(saves) and all(self._is_fresh_save(each, state, 2) for each in saves)

    def _is_fresh_save(self, call: ast.Call, state: State, depth: int) -> bool:
        name = dotted(call.func)
        skipped = 1 if OF_LIBRARIES.search(name) else 0
        given = [*call.args[skipped:], *(each.value for each in call.keywords)]
        if any(self.is_fresh(each, state) for each in given):
            return True
        inner = self._called(name) if depth else None
        saves = [each for each in self._calls_in(inner) if _is_save(each)] if inner is not None else []
        known = self._states[id(inner)] if saves else {}
        return bool(saves) and all(self._is_fresh_save(each, known, depth - 1) for each in saves)

    def _calls_in(self, node: Function) -> Sequence[ast.Call]:
        """Return the calls of a function, which is asked about many times."""
        if node not in self._calls:
            self._calls[node] = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
        return self._calls[node]

    def _called(self, name: str) -> Function | None:
        """Return the only function of the file that goes by a last name, or makes the objects of such a class."""
        found = self._by_last_name.get(name.rpartition(".")[2], ())
        return found[0] if len(found) == 1 else None

    @cached_property
    def _by_last_name(self) -> Mapping[str, Sequence[Function]]:
        """Return the functions by what a call of them ends in: their own name, or that of the class they construct."""
        found: dict[str, list[Function]] = defaultdict(list)
        for name, node in self.functions.items():
            scope, _, last = name.rpartition(".")
            found[last].append(node)
            if last == "__init__" and scope:
                found[scope.rpartition(".")[2]].append(node)
        return found

    @cached_property
    def _script_state(self) -> State:
        return self._run(self.script, {})

    @cached_property
    def _states(self) -> dict[int, State]:
        """Return what is known at the end of each function."""
        outer = dict(self._script_state)
        given: dict[int, State] = {}
        states: dict[int, State] = {}
        for _ in range(PASSES):
            states = {
                id(node): self._run(node.body, {**outer, **given.get(id(node), {})})
                for node in self.functions.values()
            }
            outer = {**self._script_state, **self._attributes(states)}
            given = self._given(states)
        return states

    def _attributes(self, states: dict[int, State]) -> State:
        """Return the attributes that every function which sets them makes fresh."""
        found: State = {}
        for node in self.functions.values():
            for name in {each for each in _bound_in(node.body) if "." in each}:
                found[name] = found.get(name, True) and states[id(node)].get(name, False)
        return found

    def _given(self, states: dict[int, State]) -> dict[int, State]:
        """Return the parameters that every call of the file gives such a path."""
        found: dict[int, State] = defaultdict(dict)
        places = [(self._calls_in(node), states[id(node)]) for node in self.functions.values()]
        script = (each for stmt in self.script for each in ast.walk(stmt) if isinstance(each, ast.Call))
        for calls, state in [*places, (script, self._script_state)]:
            for call in calls:
                inner = self._called(dotted(call.func))
                for name, value in _arguments(call, inner) if inner is not None else ():
                    known = found[id(inner)]
                    known[name] = known.get(name, True) and self.is_fresh(value, state)
        return found

    def _run(self, body: Sequence[ast.stmt], state: State) -> State:
        """Return what is known after some statements: what only one way makes fresh is not."""
        state = dict(state)
        for node in body:
            if isinstance(node, ast.If) and not _is_main(node):
                one, other = self._run(node.body, state), self._run(node.orelse, state)
                state = {name: one.get(name, False) and other.get(name, False) for name in {**one, **other}}
            elif isinstance(node, ast.If):
                state = self._run(node.body, state)
            elif isinstance(node, ast.While) and "exists" in ast.dump(node.test):
                tested = {dotted(each) for each in ast.walk(node.test) if isinstance(each, ast.expr)}
                state.update((name, True) for name in _bound_in(node.body) if name in tested)
            elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
                inner = self._run(node.body, state)
                state = {name: inner[name] and state.get(name, inner[name]) for name in inner}
            elif isinstance(node, (ast.With, ast.AsyncWith, ast.Try)):
                state = self._run(node.body, state)
                for handler in getattr(node, "handlers", ()):
                    state.update((name, False) for name in _bound_in(handler.body))
            else:
                self._bind(node, state)
        return state

    def _bind(self, node: ast.stmt, state: State) -> None:
        if isinstance(node, ast.AugAssign):
            name = dotted(node.target)
            state[name] = state.get(name, False) or self.is_fresh(node.value, state)
        elif isinstance(node, ast.Assign) or isinstance(node, ast.AnnAssign) and node.value is not None:
            is_fresh = node.value is not None and self.is_fresh(node.value, state)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for each in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
                    state[dotted(each)] = is_fresh and each is target

    def is_fresh(self, node: ast.expr, state: State) -> bool:
        """Tell whether an expression is such a path, or a part of one."""
        if isinstance(node, ast.IfExp):
            return self.is_fresh(node.body, state) and self.is_fresh(node.orelse, state)
        if isinstance(node, ast.BoolOp):
            return all(self.is_fresh(each, state) for each in node.values)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._is_fresh_name(node, state)
        if isinstance(node, ast.Call):
            return self._is_fresh_call(node, state)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Sub, ast.Mult)):
            return False
        parts = (ast.BinOp, ast.JoinedStr, ast.FormattedValue, ast.List, ast.Tuple, ast.Starred)
        return isinstance(node, parts) and any(
            self.is_fresh(each, state) for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)
        )

    def _is_fresh_name(self, node: ast.Name | ast.Attribute, state: State) -> bool:
        name = dotted(node)
        if name in state:
            return state[name]
        if RUNS.search(name) is not None:
            return not self.resumes_runs
        return (
            isinstance(node, ast.Attribute)
            and node.attr in ("log_dir", "logdir")
            and (self.is_fresh(node.value, state))
        )

    def _is_fresh_call(self, node: ast.Call, state: State) -> bool:
        name = dotted(node.func) or getattr(node.func, "attr", "")
        given = list(given_to(node))
        if STRFTIME.search(name) is not None:
            formats = [each for each in given if isinstance(each, ast.Constant)]
            is_timed = any(HOURS.search(str(each.value)) for each in formats)
            return is_timed or not formats
        if STAMPS.search(name) is not None or name.endswith("SummaryWriter") and not given:
            return True
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        parts = [each for each in (*given, receiver) if each is not None]
        return TEXTS.search(name) is not None and any(self.is_fresh(each, state) for each in parts)


def _is_save(call: ast.Call) -> bool:
    func = call.func
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    is_copy = name == "copy" and not dotted(func).startswith("shutil.")
    return SAVES.search(name) is not None and not is_copy


def _is_main(node: ast.If) -> bool:
    return "__main__" in ast.dump(node.test)


def _bound_in(body: Sequence[ast.stmt]) -> Iterator[str]:
    for node in statements(list(body)):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (dotted(each) for each in targets if isinstance(each, ast.expr))


def _arguments(call: ast.Call, function: Function) -> Iterator[tuple[str, ast.expr]]:
    """Yield the arguments of a call by the parameters that they are given for."""
    names = [name for name in parameter_names(function.args) if name not in ("self", "cls")]
    yield from zip(names, call.args)
    yield from ((each.arg, each.value) for each in call.keywords if each.arg is not None)
