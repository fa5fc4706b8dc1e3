"""The walk over a pickle finds all that Python's own unpickler would import."""

from __future__ import annotations

import collections
import datetime
import fractions
import io
import pathlib
import pickle
import pickletools
import random
from typing import Any

import pytest

from flake8_ckpt.runtime.inspector.budget import Budget
from flake8_ckpt.runtime.inspector.pickles.operations import OPERATIONS
from flake8_ckpt.runtime.inspector.pickles.operations import PUSHES
from flake8_ckpt.runtime.inspector.pickles.safety import SAFE
from flake8_ckpt.runtime.inspector.pickles.walker import PickleError
from flake8_ckpt.runtime.inspector.pickles.walker import walk_pickle
from flake8_ckpt.runtime.inspector.region import region_of
from tests.runtime.hostile import tensor

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


class Keywords:
    """An object that is made with keywords."""

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Any]]:
        return (), {}


class Pair:
    """An object whose state is a pair."""

    def __getstate__(self) -> tuple[None, dict[str, int]]:
        return None, {"value": 1}


SHARED = [1, 2.5, "text", b"bytes", None, True, 2**70, -1]
OBJECTS: list[Any] = [
    SHARED,
    {"a": SHARED, "b": SHARED, (1, 2, 3, 4): {1, 2}, "frozen": frozenset("ab")},
    collections.OrderedDict(a=1, b=collections.deque([1, 2])),
    collections.defaultdict(list, a=[1]),
    [datetime.datetime(2020, 1, 1), fractions.Fraction(1, 3), pathlib.PurePosixPath("a/b")],
    [Keywords(), Pair(), Keywords, len, bytearray(b"x" * 70_000), b"y" * 70_000, "z" * 70_000],
    2 ** (8 * 300),
]


class Inert:
    """What stands for everything that a pickle would import: it takes any call and does nothing."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None: ...

    def __call__(self, *arguments: Any, **keywords: Any) -> Inert:
        return self

    def __setstate__(self, state: Any) -> None: ...

    def append(self, item: Any) -> None: ...

    def extend(self, items: Any) -> None: ...

    def add(self, item: Any) -> None: ...

    def __setitem__(self, key: Any, value: Any) -> None: ...


class Recorder(pickle._Unpickler):
    """The unpickler that is written in Python, which notes what it would import and imports nothing."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.names: list[str] = []

    def find_class(self, module: Any, name: Any) -> Any:
        self.names.append(f"{module}.{name}")
        return Inert

    def get_extension(self, code: int) -> None:
        self.names.append(f"copyreg.<extension {code}>")
        self.append(Inert)  # type: ignore[attr-defined]

    def persistent_load(self, identity: Any) -> Any:
        return Inert()


def imported(data: bytes) -> list[str]:
    """Return what Python's unpickler would import, up to where it fails."""
    recorder = Recorder(data)
    try:
        recorder.load()
    # Anything may go wrong with a mutated pickle, and it does not matter what.
    except Exception:
        pass
    return recorder.names


def listed(data: bytes) -> set[str]:
    try:
        uses = walk_pickle(region_of(data), 0, Budget()).globals
    except PickleError as error:
        uses = error.globals
    return {use.path for use in uses}


def test_all_opcodes_are_known() -> None:
    assert {opcode.name for opcode in pickletools.opcodes} == set(PUSHES) | set(OPERATIONS)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_same_globals_as_the_unpickler(protocol: int) -> None:
    for value in OBJECTS:
        data = pickle.dumps(value, protocol)
        walked = walk_pickle(region_of(data), 0, Budget())
        assert {use.path for use in walked.globals} == set(imported(data))
        assert walked.end == len(data)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_come_out_as_they_are(protocol: int) -> None:
    value = [1, 2.5, "text", None, True, [], (), (1,), (1, 2), (1, 2, 3), -(2**40)]
    data = pickle.dumps(value, protocol)
    assert walk_pickle(region_of(data), 0, Budget()).value == value


@pytest.mark.parametrize("seed", range(10))
def test_mutated_pickles_hide_nothing(seed: int) -> None:
    """Change, insert and remove bytes: whatever the unpickler then imports is still listed."""
    chance = random.Random(seed)
    samples = [pickle.dumps(value, protocol) for value in OBJECTS[:5] for protocol in PROTOCOLS]
    samples.append(b"\x80\x02" + tensor([2, 2], [2, 1]) + b".")
    codes = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]
    found = 0
    for _ in range(150):
        data = bytearray(chance.choice(samples))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            data[at : at + chance.randint(0, 2)] = chance.choice(codes) * chance.randint(0, 2)
        names = {name for name in imported(bytes(data)) if "<" not in name}
        found += bool(names)
        assert names <= listed(bytes(data)), bytes(data)
    assert found > 30


def test_allowed_names_run_nothing() -> None:
    commands = {
        "eval",
        "exec",
        "compile",
        "getattr",
        "setattr",
        "__import__",
        "open",
        "input",
        "globals",
        "vars",
    }
    assert not {f"{module}.{name}" for module in ("builtins", "__builtin__") for name in commands} & SAFE
    assert not {
        name for name in SAFE if name.startswith(("os.", "posix.", "subprocess.", "sys.", "importlib."))
    }
