"""What a function saves: by calls of libraries, and through the functions of the project that it calls."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace

from flake8_ckpt.checkpoints.dispatched_saves import handed_payload
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.effects import Summary
from flake8_ckpt.checkpoints.function_body import FunctionBody
from flake8_ckpt.checkpoints.io_calls import written_by
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.facts.member_values import holds_state
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of


def save_effects(body: FunctionBody, summary_of: Callable[[FunctionRef], Summary]) -> Iterator[SaveEffect]:
    """Yield the payloads that a function completes, in the order of its calls."""
    for site in body.unit.function.calls:
        given = written_by(site.call, body.unit, body.evaluator)
        if given is not None:
            location = body.spot(site.position)
            payload, file = map(body.expand, given)
            name = body.evaluator.library_call(site.call, body.context)
            library = name.partition(".")[0]
            yield SaveEffect(payload, file, location, location, body.unit, body.unit, library=library)
        else:
            yield from _brought_in(site, body, summary_of)


def _brought_in(
    site: Site, body: FunctionBody, summary_of: Callable[[FunctionRef], Summary]
) -> Iterator[SaveEffect]:
    """Yield what the function saves that a call enters, with the call's arguments for its parameters."""
    contexts = body.entered(site)
    if not contexts:
        yield from _dispatched(site, body)
    for entered in contexts:
        for each in summary_of(entered.callee).saves:
            payload = _settled(body.evaluator.expand(each.payload, entered))
            location = body.spot(site.position)
            yield replace(
                each,
                payload=payload,
                file=body.evaluator.expand(each.file, entered),
                location=location,
                settled_at=each.settled_at if _has_same_keys(payload, each.payload) else location,
                unit=body.unit,
                call_chain=(entered.callee.identity, *each.call_chain),
            )


def _has_same_keys(payload: Value, other: Value) -> bool:
    """Tell whether a call decides nothing about the keys of what it saves."""
    return {keys for keys, _ in all_keys(payload)} == {keys for keys, _ in all_keys(other)}


def _dispatched(site: Site, body: FunctionBody) -> Iterator[SaveEffect]:
    """Yield the payload that a call hands to code of which only the name is known."""
    if any(map(holds_state, arguments_of(site.call))):
        payload = handed_payload(site.call, tuple(map(body.expand, arguments_of(site.call))))
        if payload is not None:
            location = body.spot(site.position)
            yield SaveEffect(payload, UNKNOWN, location, location, body.unit, body.unit)


def _settled(payload: Value) -> Value:
    """Leave out the keys of a payload that a call never writes: those under a condition, of an argument it omits."""
    if isinstance(payload, Join):
        return Join(tuple(_settled(option) for option in payload.options))
    if not isinstance(payload, Record):
        return payload
    kept = tuple(each for each in payload.fields if each.always or not _is_nothing(each.value))
    return Record(kept, payload.open)


def _is_nothing(value: Value) -> bool:
    while isinstance(value, (Attr, Item, Call)):
        value = value.callee if isinstance(value, Call) else value.base
    if isinstance(value, Container):
        return value.size == 0
    return value == NONE or isinstance(value, Record) and not value.fields and not value.open
