"""What a function takes out of payloads: by itself, and through the functions that it calls."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import Summary
from flake8_ckpt.checkpoints.function_body import FunctionBody
from flake8_ckpt.checkpoints.io_calls import filled_by
from flake8_ckpt.checkpoints.io_calls import loader_of
from flake8_ckpt.checkpoints.io_calls import source_of
from flake8_ckpt.checkpoints.pairing.resume_options import asks_to_resume
from flake8_ckpt.checkpoints.payload import ANY_KEY
from flake8_ckpt.checkpoints.payload import MAX_LEVELS
from flake8_ckpt.checkpoints.payload import archive_of
from flake8_ckpt.checkpoints.payload import is_state
from flake8_ckpt.checkpoints.payload import object_of
from flake8_ckpt.checkpoints.payload import rooted
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Position
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of


def load_effects(body: FunctionBody, summary_of: Callable[[FunctionRef], Summary]) -> Iterator[LoadEffect]:
    """Yield the keys that a function takes, then what it hands to others, then what it keeps as a whole."""
    for read in body.unit.function.key_reads:
        base = body.expand(read.base)
        into = tuple(map(body.expand, read.into))
        key = body.evaluator.key(read.key, body.context)
        kind = "wholesale" if key == ANY_KEY else read.kind
        roots = list(rooted(base, body.known))
        has_other = _are_unlike(roots) or any(_is_from_call(each, body.known) for each in _bound_to(base))
        for root, keys in roots:
            path = (*keys, key) if key not in ("", ANY_KEY) else keys
            found = _effect(body, root, path, kind, into, read.position, read.guards)
            yield replace(found, has_other_source=has_other) if has_other else found
    for site in body.unit.function.calls:
        yield from _in_call(site, body, summary_of)
    yield from _given_back(body)
    yield from _kept(body)


def _are_unlike(roots: list[tuple[Value, tuple[str, ...]]]) -> bool:
    """Tell whether something is taken from several files, and not under the same keys."""
    return len(dict(roots)) > 1 and len({keys for _, keys in roots}) > 1


def _bound_to(value: Value) -> Iterator[Value]:
    """Yield what a local is bound to, in each branch."""
    for option in options_of(value):
        yield from _bound_to(option.value) if isinstance(option, Local) else (option,)


def _is_from_call(value: Value, known: Frameworks) -> bool:
    """Tell whether a value is what a call gives that loads no checkpoint: `json.load(f)`."""
    return isinstance(value, Call) and not any(True for _ in rooted(value, known))


def _effect(
    body: FunctionBody,
    root: Value,
    keys: tuple[str, ...],
    kind: str,
    into: tuple[Value, ...],
    position: Position,
    guards: Guards = (),
) -> LoadEffect:
    """Return what a statement of the function itself takes."""
    asked = asks_to_resume(guards)
    spot = body.spot(position)
    return LoadEffect(root, keys, kind, into, spot, body.unit, body.unit, (), guards, position, asked=asked)


def _given_back(body: FunctionBody) -> Iterator[LoadEffect]:
    """Yield what a function returns of a payload, and the payloads that it puts somewhere as a whole."""
    for store in body.unit.function.stores:
        kind = "returned" if store.target == Name("return") else "handed"
        for value in _held_in(store.value) if not isinstance(store.target, Local) else ():
            for root, keys in body.rooted(value):
                if kind == "returned" or not keys:
                    seen = kind if value is store.value or _is_tuple(store.value) else "handed"
                    yield _effect(body, root, keys, seen, (), store.position)


def _kept(body: FunctionBody) -> Iterator[LoadEffect]:
    """Yield the payloads that a method keeps as a whole in attributes of its object."""
    for write in body.unit.function.writes:
        for root, keys in body.rooted(write.value):
            if not keys:
                into = (Attr(body.context.receiver, write.attr),)
                yield _effect(body, root, keys, "handed", into, write.position)


def _in_call(
    site: Site, body: FunctionBody, summary_of: Callable[[FunctionRef], Summary]
) -> Iterator[LoadEffect]:
    """Yield what a call reads: through the function it reaches, or unseen in one outside the project."""
    summaries = [(entered, summary_of(entered.callee)) for entered in body.entered(site)]
    for entered, summary in summaries:
        yield from _brought_in(site, body, summary, entered)
    loader = loader_of(site.call, body.context, body.evaluator)
    if loader is not None:
        filled = list(_filled(loader, site, body))
        yield from filled
        if filled or source_of(loader, site.call, body.known) is site.call:
            return
    if not summaries or any(summary.is_truncated for _, summary in summaries):
        yield from _handed_on(site, body)


def _handed_on(site: Site, body: FunctionBody) -> Iterator[LoadEffect]:
    """Yield the payloads that a call is given which is not followed: it may read all keys."""
    for value in arguments_of(site.call):
        for root, keys in body.rooted(value):
            into = (body.expand(site.call.callee),)
            kind = "required" if len(keys) == 1 and archive_of(root) is not None else "handed"
            yield _effect(body, root, keys, kind, into, site.position, site.guards)


def _brought_in(
    site: Site, body: FunctionBody, summary: Summary, entered: CallContext
) -> Iterator[LoadEffect]:
    """Yield what the function takes that a call enters, with the call's arguments for its parameters."""
    evaluator = body.evaluator
    for each in summary.loads:
        if each.kind == "returned":
            continue
        into = tuple(evaluator.expand(value, entered) for value in each.into)
        call_chain = (entered.callee.identity, *each.call_chain)
        taken = tuple(evaluator.key(key, entered) for key in each.keys)
        for root, keys in rooted(evaluator.expand(each.root, entered), body.known):
            path = (*keys, *taken)[:MAX_LEVELS]
            yield replace(
                each,
                root=root,
                keys=path,
                into=into,
                unit=body.unit,
                call_chain=call_chain,
                at=site.position,
                asked=each.asked or asks_to_resume(site.guards),
            )


def _filled(loader: str, site: Site, body: FunctionBody) -> Iterator[LoadEffect]:
    """Yield what a loading function puts straight into the objects it is given: Fabric's `load(path, state)`."""
    given = body.expand(filled_by(loader, site.call, body.known))
    source = body.expand(source_of(loader, site.call, body.known))
    roots = list(rooted(source, body.known)) or [(source, ())]
    for each in given.fields if isinstance(given, Record) else ():
        into = object_of(each.value) if is_state(each.value) else each.value
        for root, keys in roots:
            yield _effect(body, root, (*keys, each.key), "defaulted", (into,), site.position)


def _held_in(value: Value) -> tuple[Value, ...]:
    """Return what a function gives back or keeps: each of several values in a display."""
    return (value.items or (value.of,)) if isinstance(value, Container) else (value,)


def _is_tuple(value: Value) -> bool:
    """Tell whether a value is a tuple that a caller can take apart."""
    return isinstance(value, Container) and bool(value.items)
