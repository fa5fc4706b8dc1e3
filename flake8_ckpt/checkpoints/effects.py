"""The records of what a function writes to checkpoints and reads from them."""

from __future__ import annotations

from dataclasses import dataclass

from flake8_ckpt.facts.model import NOWHERE
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import FunctionRef


@dataclass(frozen=True)
class SaveEffect:
    """A payload that is complete: at `location`, where it is handed on, and in the end at `save_call`.

    `call_chain` names the functions that were entered on the way; `unit` is the outermost function.
    `settled_at` is the outermost of these calls that decides which keys there are: it gives or omits an argument.
    `library` is the package whose call writes the file, where one does.
    """

    payload: Value
    file: Value
    location: Spot
    save_call: Spot
    unit: FunctionRef
    source: FunctionRef
    call_chain: tuple[str, ...] = ()
    settled_at: Spot | None = None
    library: str = ""


@dataclass(frozen=True)
class LoadEffect:
    """A key, or with no key all of them, is taken from a payload.

    `keys` is the path to the key from the payload's `root`: a call that loads a file, or a parameter.
    `kind` is that of the key read, or "handed" where a function outside the project is given the value.
    `location` is where the key is taken, `at` the statement of `unit` that does it or calls what does it.
    It is `asked` for where an option says that training goes on.
    It `has_other_source` where the same statement takes it out of something else, which another branch loads.
    """

    root: Value
    keys: tuple[str, ...]
    kind: str
    into: tuple[Value, ...]
    location: Spot
    unit: FunctionRef
    source: FunctionRef
    call_chain: tuple[str, ...] = ()
    guards: Guards = ()
    at: Position = NOWHERE
    has_other_source: bool = False
    asked: bool = False


@dataclass(frozen=True)
class Summary:
    """The saves and loads of a function, in terms of its parameters; one that is truncated is not known.

    `entered` names the functions whose calls are followed: what they give back is known to this one.
    """

    saves: tuple[SaveEffect, ...] = ()
    loads: tuple[LoadEffect, ...] = ()
    is_truncated: bool = False
    entered: frozenset[str] = frozenset()
