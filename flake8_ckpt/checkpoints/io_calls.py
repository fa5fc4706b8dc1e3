"""Calls of libraries that write a payload or load one, with their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Optional

from flake8_ckpt.checkpoints.payload import is_saving_object
from flake8_ckpt.checkpoints.payload import last_name
from flake8_ckpt.checkpoints.payload import loads
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.persistence import ARCHIVES
from flake8_ckpt.frameworks.persistence import SAVING_OBJECTS
from flake8_ckpt.frameworks.persistence import WRITERS
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator


def written_by(
    call: Call, callee: FunctionRef, evaluator: SymbolicEvaluator
) -> Optional[tuple[Value, Value]]:
    """Return the payload and the file of a call that saves, None for other calls."""
    target = call.callee
    keywords = dict(call.keywords)
    if isinstance(target, Name):
        name = evaluator.symbols.resolve(target.path, callee.path)
        if name in ARCHIVES:
            fields = tuple(Field(key, value) for key, value in call.keywords if key != "**")
            opened = len(fields) != len(call.keywords) or len(call.args) > 1
            return Record(fields, opened), call.args[0] if call.args else UNKNOWN
        places = WRITERS.get(name)
    else:
        owner = last_name(target.base) if isinstance(target, Attr) and target.name == "save" else ""
        places = SAVING_OBJECTS.get(owner)
    if places is None:
        return None
    given = _argument(call.args, places[0]) or _first(
        keywords, "obj", "state", "state_dict", "tensors", "value"
    )
    file = _argument(call.args, places[1]) or _first(keywords, "f", "file", "path", "filename", "filepath")
    return given or UNKNOWN, file or UNKNOWN


def is_loader(call: Call, scope: CallContext, evaluator: SymbolicEvaluator) -> bool:
    """Tell whether a call loads a file by a function of a library."""
    target = call.callee
    if isinstance(target, Name):
        return loads(evaluator.symbols.resolve(target.path, scope.path))
    return isinstance(target, Attr) and target.name == "load" and is_saving_object(target.base)


def _argument(args: Sequence[Value], index: int) -> Optional[Value]:
    """Return an argument by its position; a function that only passes its arguments on gives its own."""
    if args and isinstance(args[0], Call) and args[0].callee == Name("*"):
        return Item(args[0].args[0], Const(index))
    return args[index] if index < len(args) else None


def _first(keywords: Mapping[str, Value], *names: str) -> Optional[Value]:
    return next((keywords[name] for name in names if name in keywords), None)
