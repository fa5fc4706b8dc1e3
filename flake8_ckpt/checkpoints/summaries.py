"""Payloads: what the functions of a project write to a checkpoint, and what they read from one.

A *payload* is a mapping on its way to or from disk. This is how it is followed, on a toy example:

    class Agent:                                          # agent.py
        def save(self, path, metadata=None):
            record = {"net": self.net.state_dict()}
            if metadata:
                record["metadata"] = metadata
            torch.save(record, path)

    def train(resume, path):                              # train.py
        data = torch.load(resume)
        scaler.mean = data["metadata"]["mean"]
        agent = Agent()
        agent.save(path)

1. Each function has a *summary* in terms of its own parameters. That of `Agent.save` is one *writing*:
   {net: always, metadata: maybe, with the value of the parameter `metadata`}, closed, to the file `path`.
   That of `train` begins with the *readings* of its own body: `metadata` and `metadata.mean`, required,
   from the file `resume`, the second into `scaler.mean`.
2. A call brings in the summary of the function it reaches, with the call's arguments in place of the
   parameters. `agent.save(path)` is a writing of `train`, at that call. `metadata` is bound to its default
   None there, so a key that is only maybe written, with this value, is never written by this call.
3. A function that another one calls in this way is a step on the way. The writings and readings of functions
   that nobody calls are *final*: they are what happens to files.
4. Families put final writings and readings together that speak of the same checkpoint (`families.py`), and
   rules compare the keys.

What is not understood opens a payload: no key is called missing from a writing whose payload is open.
Hooks are payloads too. What `state_dict` returns is written, what `load_state_dict` takes out of its
parameter is read; the names of the two methods make them a pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Optional

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.effects import Summary
from flake8_ckpt.checkpoints.io_calls import filled_by
from flake8_ckpt.checkpoints.io_calls import loader_of
from flake8_ckpt.checkpoints.io_calls import source_of
from flake8_ckpt.checkpoints.io_calls import written_by
from flake8_ckpt.checkpoints.payload import MAX_LEVELS
from flake8_ckpt.checkpoints.payload import is_state
from flake8_ckpt.checkpoints.payload import object_of
from flake8_ckpt.checkpoints.payload import rooted
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import enter_call
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator

MAX_DEPTH = 5
MAX_WRITINGS = 32
MAX_READINGS = 400


class Payloads:
    """The summaries of all functions that take part in saving and loading."""

    def __init__(self, evaluator: SymbolicEvaluator) -> None:
        self.evaluator = evaluator
        self.known = evaluator.symbols.known
        self._summaries: dict[tuple[str, str], Summary] = {}
        self._open: set[tuple[str, str]] = set()
        self._sites: list[dict[int, Optional[tuple[FunctionRef, CallContext]]]] = []

    def summary(self, callee: FunctionRef) -> Summary:
        """Return the summary of a function; that of a function that calls itself is not known inside it."""
        key = (callee.identity, callee.class_id)
        if key in self._open or len(self._open) >= MAX_DEPTH:
            return Summary(is_truncated=True)
        if key not in self._summaries:
            self._open.add(key)
            self.evaluator.begin()
            self._sites.append({})
            writings = _bounded_writings(self._writings(callee))
            readings = _bounded_readings(self._readings(callee))
            found = (
                Summary(writings, readings) if not self.evaluator.is_spent else _unsure(writings, readings)
            )
            self._open.discard(key)
            self._sites.pop()
            if self._open and len(self._open) >= MAX_DEPTH - 1:
                return found
            self._summaries[key] = found
        return self._summaries[key]

    def _writings(self, callee: FunctionRef) -> Iterator[SaveEffect]:
        scope = CallContext(callee)
        for site in callee.function.calls:
            given = written_by(site.call, callee, self.evaluator)
            if given is not None:
                location = Spot(callee.path, site.position)
                payload, file = (self.evaluator.expand(each, scope) for each in given)
                yield SaveEffect(payload, file, location, location, callee, callee)
            else:
                yield from self._brought_writings(site, callee, scope)

    def _brought_writings(self, site: Site, callee: FunctionRef, scope: CallContext) -> Iterator[SaveEffect]:
        found = self._entered(site, callee, scope)
        if found is None:
            return
        inner, entered = found
        location = Spot(callee.path, site.position)
        for each in self.summary(inner).writings:
            payload = _settled(self.evaluator.expand(each.payload, entered))
            file = self.evaluator.expand(each.file, entered)
            yield SaveEffect(
                payload,
                file,
                location,
                each.save_call,
                callee,
                each.source,
                (inner.identity, *each.call_chain),
            )

    def _entered(
        self, site: Site, callee: FunctionRef, scope: CallContext
    ) -> Optional[tuple[FunctionRef, CallContext]]:
        """Return the function of the project that a call enters, with its parameters bound."""
        known = self._sites[-1]
        if id(site) not in known:
            known[id(site)] = self._enter(site, scope)
        return known[id(site)]

    def _enter(self, site: Site, scope: CallContext) -> Optional[tuple[FunctionRef, CallContext]]:
        inner = self.evaluator.callee_of(site.call, scope)
        if inner is None or not inner.function.contract:
            return None
        args = [self.evaluator.expand(arg, scope) for arg in site.call.args]
        keywords = {name: self.evaluator.expand(each, scope) for name, each in site.call.keywords}
        receiver = self.evaluator.receiver_of(site.call, scope)
        return inner, enter_call(inner, receiver, args, keywords, scope)

    def _readings(self, callee: FunctionRef) -> Iterator[LoadEffect]:
        scope = CallContext(callee)
        for read in callee.function.key_reads:
            base = self.evaluator.expand(read.base, scope)
            into = tuple(self.evaluator.expand(each, scope) for each in read.into)
            for root, keys in rooted(base, self.known):
                location = Spot(callee.path, read.position)
                path = (*keys, read.key) if read.key else keys
                yield LoadEffect(
                    root, path, read.kind, into, location, callee, callee, (), read.guards, read.position
                )
        for site in callee.function.calls:
            yield from self._handed(site, callee, scope)
        yield from self._kept(callee, scope)

    def _kept(self, callee: FunctionRef, scope: CallContext) -> Iterator[LoadEffect]:
        """Yield what a function gives back of a payload, and the payloads that it keeps as a whole."""
        for store in callee.function.stores:
            kind = "returned" if store.target == Name("return") else "handed"
            for value in _held_in(store.value) if not isinstance(store.target, Local) else ():
                for root, keys in rooted(self.evaluator.expand(value, scope), self.known):
                    if kind == "returned" or not keys:
                        location = Spot(callee.path, store.position)
                        seen = kind if value is store.value else "handed"
                        yield LoadEffect(
                            root, keys, seen, (), location, callee, callee, (), (), store.position
                        )
        for write in callee.function.writes:
            for root, keys in rooted(self.evaluator.expand(write.value, scope), self.known):
                if not keys:
                    into = (Attr(scope.receiver, write.attr),)
                    location = Spot(callee.path, write.position)
                    yield LoadEffect(
                        root, keys, "handed", into, location, callee, callee, (), (), write.position
                    )

    def _handed(self, site: Site, callee: FunctionRef, scope: CallContext) -> Iterator[LoadEffect]:
        """Yield what a call reads: through the function it reaches, or unseen in one outside the project."""
        location = Spot(callee.path, site.position)
        found = self._entered(site, callee, scope)
        summary = self.summary(found[0]) if found is not None else Summary(is_truncated=True)
        if found is not None:
            yield from self._brought_readings(site, callee, summary, found[1])
        loader = loader_of(site.call, scope, self.evaluator)
        if loader is not None:
            filled = list(self._filled(loader, site, callee, scope))
            yield from filled
            if filled or source_of(loader, site.call, self.known) is site.call:
                return
        if not summary.is_truncated:
            return
        for value in (*site.call.args, *(each for _, each in site.call.keywords)):
            for root, keys in rooted(self.evaluator.expand(value, scope), self.known):
                target = self.evaluator.expand(site.call.callee, scope)
                yield LoadEffect(
                    root, keys, "handed", (target,), location, callee, callee, (), site.guards, site.position
                )

    def _brought_readings(
        self, site: Site, callee: FunctionRef, summary: Summary, entered: CallContext
    ) -> Iterator[LoadEffect]:
        for each in summary.readings:
            if each.kind == "returned":
                continue
            into = tuple(self.evaluator.expand(value, entered) for value in each.into)
            call_chain = (entered.callee.identity, *each.call_chain)
            for root, keys in rooted(self.evaluator.expand(each.root, entered), self.known):
                path = (*keys, *each.keys)[:MAX_LEVELS]
                yield replace(
                    each,
                    root=root,
                    keys=path,
                    into=into,
                    unit=callee,
                    call_chain=call_chain,
                    at=site.position,
                )

    def _filled(self, name: str, site: Site, callee: FunctionRef, scope: CallContext) -> Iterator[LoadEffect]:
        """Yield what a loading function puts straight into the objects it is given: Fabric's `load(path, state)`."""
        given = self.evaluator.expand(filled_by(name, site.call, self.known), scope)
        source = self.evaluator.expand(source_of(name, site.call, self.known), scope)
        location = Spot(callee.path, site.position)
        roots = list(rooted(source, self.known)) or [(source, ())]
        for each in given.fields if isinstance(given, Record) else ():
            into = object_of(each.value) if is_state(each.value) else each.value
            for root, keys in roots:
                yield LoadEffect(
                    root,
                    (*keys, each.key),
                    "defaulted",
                    (into,),
                    location,
                    callee,
                    callee,
                    (),
                    (),
                    site.position,
                )


def _held_in(value: Value) -> tuple[Value, ...]:
    """Return what a function gives back or keeps: each of several values in a display."""
    return (value.items or (value.of,)) if isinstance(value, Container) else (value,)


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


def _unsure(writings: tuple[SaveEffect, ...], readings: tuple[LoadEffect, ...]) -> Summary:
    """Return a summary of a function that is too large to be followed: it may write and read anything."""
    return Summary(
        tuple(replace(each, payload=UNKNOWN) for each in writings),
        (
            *readings,
            *{each.root: replace(each, keys=(), kind="handed", into=()) for each in readings}.values(),
        ),
    )


def _bounded_writings(found: Iterator[SaveEffect]) -> tuple[SaveEffect, ...]:
    """Return the writings of a function; too many of them are one that may write anything."""
    writings = tuple(islice(found, MAX_WRITINGS + 1))
    return writings if len(writings) <= MAX_WRITINGS else (replace(writings[0], payload=UNKNOWN),)


def _bounded_readings(found: Iterator[LoadEffect]) -> tuple[LoadEffect, ...]:
    """Return the readings of a function; where there are too many, each payload may be read in full."""
    readings = tuple(islice(found, MAX_READINGS + 1))
    if len(readings) <= MAX_READINGS:
        return readings
    return tuple({each.root: replace(each, keys=(), kind="handed") for each in readings}.values())
