"""Calls of libraries that write a payload or load one, with their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from flake8_ckpt.checkpoints.payload import is_load_function
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.frameworks.records import SaveCall
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator


def written_by(
    call: Call, callee: FunctionRef, evaluator: SymbolicEvaluator
) -> Optional[tuple[Value, Value]]:
    """Return the payload and the file of a call that saves, None for other calls."""
    context = CallContext(callee)
    name = evaluator.library_call(call, context)
    known = evaluator.symbols.known
    if name not in known.payload_saves:
        return _written_bytes(call, context, evaluator)
    record = known.saves[name]
    file = _given(call, record.file, record.file_at)
    if record.payload.startswith("**"):
        return _archived(call, record, context, evaluator), file
    payload = _given(call, record.payload, record.payload_at)
    if record.foreign and not any(states_in(evaluator.expand(payload, context))):
        return None
    return payload, file


def _written_bytes(
    call: Call, context: CallContext, evaluator: SymbolicEvaluator
) -> Optional[tuple[Value, Value]]:
    """Return the payload and the file where bytes are written that a library made of a payload."""
    known = evaluator.symbols.known
    held = call.args[0] if call.args else UNKNOWN
    if not isinstance(call.callee, Attr) or not isinstance(held, Call):
        return None
    name = evaluator.library_call(held, context)
    if name not in known.byte_saves or not known.hint("method", "writes bytes").search(call.callee.name):
        return None
    record = known.saves[name]
    return _given(held, record.payload, record.payload_at), call.callee.base


def loader_of(call: Call, context: CallContext, evaluator: SymbolicEvaluator) -> Optional[str]:
    """Return the dotted name of the library's function by which a call loads something, None for other calls."""
    known = evaluator.symbols.known
    name = evaluator.library_call(call, context)
    return name if is_load_function(name, known) or name in known.filling_loads else None


def filled_by(name: str, call: Call, known: Frameworks) -> Value:
    """Return the mapping that a loading call fills in place, Unknown where it fills none."""
    record = known.loads.get(name)
    return _given(call, record.fills, record.fills_at) if record is not None and record.fills else UNKNOWN


def source_of(name: str, call: Call, known: Frameworks) -> Value:
    """Return where a loading call takes what it fills in: what was loaded before, else what it loads itself."""
    record = known.loads.get(name)
    return _given(call, record.payload, record.payload_at) if record is not None and record.payload else call


def _archived(call: Call, record: SaveCall, context: CallContext, evaluator: SymbolicEvaluator) -> Record:
    """Return the payload of a call whose keywords are the keys; more than a file by position has keys unseen."""
    fields: list[Field] = []
    is_open = len(call.args) > 1
    for key, value in call.keywords:
        if key == "**":
            held = evaluator.expand(value, context)
            fields += held.fields if isinstance(held, Record) else ()
            is_open = is_open or not isinstance(held, Record) or held.open
        elif key != record.file and key not in record.settings:
            fields.append(Field(key, value))
    return Record(tuple(fields), is_open)


def _given(call: Call, name: str, index: Optional[int]) -> Value:
    """Return what a call gives for a parameter."""
    found = _argument(call.args, index) if index is not None else None
    return found or dict(call.keywords).get(name) or UNKNOWN


def _argument(args: Sequence[Value], index: int) -> Optional[Value]:
    """Return an argument by its position; a function that only passes its arguments on gives its own."""
    if args and isinstance(args[0], Call) and args[0].callee == Name("*"):
        return Item(args[0].args[0], Const(index))
    return args[index] if index < len(args) else None
