"""Every function that is followed closely, once: those too that save or load nothing themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cache

from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.symbols import Symbols

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


def followed_functions(symbols: Symbols) -> Iterator[FunctionRef]:
    """Yield the functions and methods that are followed, a method in the class that defines it; not those of tests."""
    for identity, function in symbols.functions.items():
        if function.contract and not is_test(identity.partition(":")[0]):
            yield FunctionRef(identity, function)
    for class_id, facts in symbols.classes.items():
        if not is_test(class_id.partition(":")[0]):
            for method in facts.methods:
                if method.contract:
                    yield FunctionRef(f"{class_id}.{method.name}", method, class_id, class_id)


@dataclass(frozen=True)
class FunctionRef:
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
    """Where a value stands: the function, what its parameters are bound to, what `self` is, how deep we are."""

    callee: FunctionRef
    bound: Mapping[str, Value] = field(default_factory=dict)
    receiver: Value = SELF
    prefix: str = ""
    calls: int = 0

    @property
    def path(self) -> str:
        """Return the file."""
        return self.callee.path

    @property
    def class_id(self) -> str:
        """Return the class of `self`."""
        return self.callee.class_id


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
    stars = [each.name for each in callee.function.parameters if each.name.startswith("*")]
    if stars and extra:
        bound[stars[0][1:]] = Container("tuple", join(list(extra)), len(extra), extra)
    return bound


def spread(value: Value) -> tuple[Value, ...]:
    """Return the arguments that a starred one stands for, where they are known."""
    inner = value.args[0] if isinstance(value, Call) and is_star(value) and value.args else None
    return inner.items if isinstance(inner, Container) and inner.items else (value,)


def is_star(value: Value) -> bool:
    """Tell whether an argument stands for any number of them."""
    return isinstance(value, Call) and value.callee == Name("*")


def functions_of(facts: FileFacts) -> Iterator[FunctionFacts]:
    """Yield all functions and methods of a file that were read."""
    yield from facts.functions
    for class_id in facts.classes:
        yield from class_id.methods
