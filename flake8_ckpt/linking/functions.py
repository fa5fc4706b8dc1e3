"""Functions and methods as linking names them, every enumeration of them, and what a call binds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cache

from msgspec import Struct

from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.symbols import Symbols

# `tests/test_x.py`, `unit_tests/helpers.py`, `pkg/x_test.py`, `conftest.py`; not `latest/x.py`.
TEST_FILE = re.compile(
    r"(^|/)(tests?|testing|unit_?tests?)/|(^|/)(test_[^/]*|[^/]*_test|conftest|tests)\.py$"
)


@cache
def is_test(path: str) -> bool:
    """Tell whether a file holds tests: those are never writers or readers for other code."""
    return TEST_FILE.search(path) is not None


def called_name(call: Call) -> str:
    """Return the last name of what is called."""
    if isinstance(call.callee, Attr):
        return call.callee.name
    return call.callee.path.rpartition(".")[2].lstrip(":") if isinstance(call.callee, Name) else ""


class FunctionRef(Struct, frozen=True):
    """A function of the project that a call reaches: `class_id` is the class of `self`, `owner` who defines it."""

    identity: str
    function: FunctionFacts
    class_id: str = ""
    owner: str = ""

    @property
    def path(self) -> str:
        """Return the file of the function."""
        return self.identity.partition(":")[0]

    @property
    def name(self) -> str:
        """Return the name of the function."""
        return self.function.name

    @property
    def location(self) -> Spot:
        """Return where the function is defined."""
        return Spot(self.path, self.function.position)

    @property
    def is_bound(self) -> bool:
        """Tell whether the first parameter is given by the call's receiver."""
        return bool(self.owner) and "staticmethod" not in self.function.decorators


@dataclass(frozen=True)
class CallContext:
    """Where a value stands: the function, what its parameters are bound to, what `self` is, how deep we are.

    `route` are the functions whose calls led here, `expanded` remembers what values of the function are here.
    """

    callee: FunctionRef
    bound: Mapping[str, Value] = field(default_factory=dict)
    receiver: Value = SELF
    prefix: str = ""
    calls: int = 0
    route: tuple[str, ...] = ()
    expanded: dict[Value, Value] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def path(self) -> str:
        """Return the file."""
        return self.callee.path

    @property
    def class_id(self) -> str:
        """Return the class of `self`."""
        return self.callee.class_id


def arguments_of(call: Call) -> tuple[Value, ...]:
    """Return what a call is given, by position and by name."""
    return (*call.args, *(value for _, value in call.keywords))


def bind(callee: FunctionRef, args: list[Value], keywords: Mapping[str, Value]) -> dict[str, Value]:
    """Bind a function's parameters to what a call gives, the others to their defaults."""
    names = [each.name for each in callee.function.parameters if not each.name.startswith("*")]
    if callee.is_bound:
        names = names[1:]
    bound: dict[str, Value] = {
        each.name: each.default for each in callee.function.parameters if each.default is not None
    }
    if any(map(is_star, args)) or "**" in keywords:
        bound = dict.fromkeys(names, UNKNOWN)
    bound.update(zip(names, (arg for arg in args if not is_star(arg))))
    bound.update((name, value) for name, value in keywords.items() if name in names)
    extra = tuple(args[len(names) :])
    for each in callee.function.parameters:
        if each.name.startswith("**"):
            bound[each.name[2:]] = _others(keywords, names)
        elif each.name.startswith("*") and extra:
            bound[each.name[1:]] = Container("tuple", join(list(extra)), len(extra), extra)
    return bound


def _others(keywords: Mapping[str, Value], names: Iterable[str]) -> Record:
    """Return what a call gives by name to a function that takes any names: `write(path, net=net)`."""
    given = keywords.keys() - {*names, "**"}
    return Record(
        tuple(Field(name, value) for name, value in keywords.items() if name in given), "**" in keywords
    )


def enter_call(
    callee: FunctionRef,
    receiver: Value,
    args: list[Value],
    keywords: Mapping[str, Value],
    context: CallContext,
) -> CallContext:
    """Return the context of a function that a call enters, its parameters bound to the call's arguments."""
    return CallContext(
        callee,
        bind(callee, args, keywords),
        receiver if callee.is_bound else SELF,
        f"{context.prefix}{callee.function.name}.",
        context.calls + 1,
        (*context.route, context.callee.identity),
    )


def spread(value: Value) -> tuple[Value, ...]:
    """Return the arguments that a starred one stands for, where they are known."""
    inner = value.args[0] if isinstance(value, Call) and is_star(value) and value.args else None
    return inner.items if isinstance(inner, Container) and inner.items else (value,)


def is_star(value: Value) -> bool:
    """Tell whether an argument stands for any number of them."""
    return isinstance(value, Call) and value.callee == Name("*")


def method_ref(owner: str, method: FunctionFacts, class_id: str) -> FunctionRef:
    """Name a method that one class defines, as objects of a class (the same, or a derived one) run it."""
    return FunctionRef(f"{owner}.{method.name}", method, class_id, owner)


def script_of(path: str, symbols: Symbols) -> FunctionRef | None:
    """Return what a file runs when it is imported, None where nothing of it was read."""
    identity = f"{path}:<module>"
    script = symbols.functions.get(identity)
    return FunctionRef(identity, script) if script is not None else None


def followed_functions(symbols: Symbols) -> Iterator[FunctionRef]:
    """Yield the functions that are followed, a method in the class that defines it; not those of tests."""
    for home, class_id, function in _functions(symbols):
        if function.contract and not is_test(home.partition(":")[0]):
            yield _ref(home, class_id, function)


def followed_anywhere(symbols: Symbols) -> Iterator[FunctionRef]:
    """Yield the functions that are followed, those of tests too."""
    for home, class_id, function in _functions(symbols):
        if function.contract:
            yield _ref(home, class_id, function)


def functions_outside_tests(symbols: Symbols) -> Iterator[FunctionRef]:
    """Yield all functions that were read, followed or not, but those of tests."""
    for home, class_id, function in _functions(symbols):
        if not is_test(home.partition(":")[0]):
            yield _ref(home, class_id, function)


def functions_of(facts: FileFacts) -> Iterator[FunctionFacts]:
    """Yield all functions and methods of a file that were read."""
    yield from facts.functions
    for each in facts.classes:
        yield from each.methods


def _functions(symbols: Symbols) -> Iterator[tuple[str, str, FunctionFacts]]:
    """Yield plain functions by their identity, then methods by their class, which is given twice."""
    for identity, function in symbols.functions.items():
        yield identity, "", function
    for class_id, facts in symbols.classes.items():
        for method in facts.methods:
            yield class_id, class_id, method


def _ref(home: str, class_id: str, function: FunctionFacts) -> FunctionRef:
    return method_ref(class_id, function, class_id) if class_id else FunctionRef(home, function)
