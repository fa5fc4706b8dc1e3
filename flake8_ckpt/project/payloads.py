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

import re
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from itertools import islice
from typing import Optional

from flake8_ckpt.facts.frame import LOADERS
from flake8_ckpt.facts.frame import NOWHERE
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Position
from flake8_ckpt.project.unfold import Callee
from flake8_ckpt.project.unfold import Scope
from flake8_ckpt.project.unfold import Unfolder

# Where a saving function takes the payload and the file: positions of arguments.
WRITERS = {
    "torch.save": (0, 1), "torch.jit.save": (0, 1), "pickle.dump": (0, 1), "cloudpickle.dump": (0, 1),
    "dill.dump": (0, 1), "joblib.dump": (0, 1), "safetensors.torch.save_file": (0, 1), "numpy.save": (1, 0),
    "torch_xla.core.xla_model.save": (0, 1), "mlflow.pytorch.log_model": (0, 1),
    "torch.distributed.checkpoint.save": (0, 1), "torch.distributed.checkpoint.save_state_dict": (0, 1),
}  # fmt: skip
ARCHIVES = frozenset(["numpy.savez", "numpy.savez_compressed"])
# Objects of libraries whose `save` takes a payload: Fabric gives the file first.
SAVING_OBJECTS = {"fabric": (1, 0), "accelerator": (0, 1), "xm": (0, 1)}
LOADER_NAMES = re.compile(
    r"(^|\.)(torch_load|load_fsspec|load_(checkpoint|ckpt)(_file)?|load_state_dict_from_\w+)$"
)
MAX_DEPTH = 5
MAX_WRITINGS = 32
MAX_READINGS = 400
MAX_KEYS = 64
MAX_LEVELS = 4
ANY_KEY = "*"


@dataclass(frozen=True)
class Spot:
    """A place in the project."""

    path: str
    position: Position

    def __str__(self) -> str:
        return f"{self.path}:{self.position.line}"


@dataclass(frozen=True)
class Writing:
    """A payload that is complete: at `spot`, where it is handed on, and in the end at `origin`.

    `via` names the functions that were entered on the way; `unit` is the outermost function.
    """

    payload: Value
    file: Value
    spot: Spot
    origin: Spot
    unit: Callee
    source: Callee
    via: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A key, or with no key all of them, is taken from a payload.

    `keys` is the path to the key from the payload's `root`: a call that loads a file, or a parameter.
    `kind` is that of the key read, or "handed" where a function outside the project is given the value.
    `spot` is where the key is taken, `at` the statement of `unit` that does it or calls what does it.
    """

    root: Value
    keys: tuple[str, ...]
    kind: str
    into: tuple[Value, ...]
    spot: Spot
    unit: Callee
    source: Callee
    via: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    at: Position = NOWHERE


@dataclass(frozen=True)
class Summary:
    """The writings and readings of a function, in terms of its parameters; one that is `cut` is not known."""

    writings: tuple[Writing, ...] = ()
    readings: tuple[Reading, ...] = ()
    cut: bool = False


class Payloads:
    """The summaries of all functions that take part in saving and loading."""

    def __init__(self, unfolder: Unfolder) -> None:
        self.unfolder = unfolder
        self._summaries: dict[tuple[str, str], Summary] = {}
        self._open: set[tuple[str, str]] = set()
        self._sites: list[dict[int, Optional[tuple[Callee, Scope]]]] = []

    def summary(self, callee: Callee) -> Summary:
        """Return the summary of a function; that of a function that calls itself is not known inside it."""
        key = (callee.identity, callee.klass)
        if key in self._open or len(self._open) >= MAX_DEPTH:
            return Summary(cut=True)
        if key not in self._summaries:
            self._open.add(key)
            self.unfolder.begin()
            self._sites.append({})
            writings = _bounded_writings(self._writings(callee))
            readings = _bounded_readings(self._readings(callee))
            found = Summary(writings, readings) if not self.unfolder.is_spent else _unsure(writings, readings)
            self._open.discard(key)
            self._sites.pop()
            if self._open and len(self._open) >= MAX_DEPTH - 1:
                return found
            self._summaries[key] = found
        return self._summaries[key]

    def _writings(self, callee: Callee) -> Iterator[Writing]:
        scope = Scope(callee)
        for site in callee.function.calls:
            given = written_by(site.call, callee, self.unfolder)
            if given is not None:
                spot = Spot(callee.path, site.position)
                payload, file = (self.unfolder.unfold(each, scope) for each in given)
                yield Writing(payload, file, spot, spot, callee, callee)
            else:
                yield from self._brought_writings(site, callee, scope)

    def _brought_writings(self, site: Site, callee: Callee, scope: Scope) -> Iterator[Writing]:
        found = self._entered(site, callee, scope)
        if found is None:
            return
        inner, entered = found
        spot = Spot(callee.path, site.position)
        for each in self.summary(inner).writings:
            payload = _settled(self.unfolder.unfold(each.payload, entered))
            file = self.unfolder.unfold(each.file, entered)
            yield Writing(payload, file, spot, each.origin, callee, each.source, (inner.identity, *each.via))

    def _entered(self, site: Site, callee: Callee, scope: Scope) -> Optional[tuple[Callee, Scope]]:
        """Return the function of the project that a call enters, with its parameters bound."""
        known = self._sites[-1]
        if id(site) not in known:
            known[id(site)] = self._enter(site, scope)
        return known[id(site)]

    def _enter(self, site: Site, scope: Scope) -> Optional[tuple[Callee, Scope]]:
        inner = self.unfolder.callee_of(site.call, scope)
        if inner is None or not inner.function.contract:
            return None
        args = [self.unfolder.unfold(arg, scope) for arg in site.call.args]
        keywords = {name: self.unfolder.unfold(each, scope) for name, each in site.call.keywords}
        receiver = self.unfolder.receiver_of(site.call, scope)
        return inner, self.unfolder.enter(inner, receiver, args, keywords, scope)

    def _readings(self, callee: Callee) -> Iterator[Reading]:
        scope = Scope(callee)
        for read in callee.function.key_reads:
            base = self.unfolder.unfold(read.base, scope)
            into = tuple(self.unfolder.unfold(each, scope) for each in read.into)
            for root, keys in rooted(base):
                spot = Spot(callee.path, read.position)
                path = (*keys, read.key) if read.key else keys
                yield Reading(
                    root, path, read.kind, into, spot, callee, callee, (), read.guards, read.position
                )
        for site in callee.function.calls:
            yield from self._handed(site, callee, scope)
        yield from self._kept(callee, scope)

    def _kept(self, callee: Callee, scope: Scope) -> Iterator[Reading]:
        """Yield what a function gives back of a payload, and the payloads that it keeps as a whole."""
        for store in callee.function.stores:
            kind = "returned" if store.target == Name("return") else "handed"
            for value in _held_in(store.value) if not isinstance(store.target, Local) else ():
                for root, keys in rooted(self.unfolder.unfold(value, scope)):
                    if kind == "returned" or not keys:
                        spot = Spot(callee.path, store.position)
                        seen = kind if value is store.value else "handed"
                        yield Reading(root, keys, seen, (), spot, callee, callee, (), (), store.position)
        for write in callee.function.writes:
            for root, keys in rooted(self.unfolder.unfold(write.value, scope)):
                if not keys:
                    into = (Attr(scope.receiver, write.attr),)
                    spot = Spot(callee.path, write.position)
                    yield Reading(root, keys, "handed", into, spot, callee, callee, (), (), write.position)

    def _handed(self, site: Site, callee: Callee, scope: Scope) -> Iterator[Reading]:
        """Yield what a call reads: through the function it reaches, or unseen in one outside the project."""
        spot = Spot(callee.path, site.position)
        found = self._entered(site, callee, scope)
        summary = self.summary(found[0]) if found is not None else Summary(cut=True)
        if found is not None:
            yield from self._brought_readings(site, callee, summary, found[1])
        if is_loader(site.call, scope, self.unfolder):
            yield from self._filled(site, callee, scope)
            return
        if not summary.cut:
            return
        for value in (*site.call.args, *(each for _, each in site.call.keywords)):
            for root, keys in rooted(self.unfolder.unfold(value, scope)):
                target = self.unfolder.unfold(site.call.callee, scope)
                yield Reading(
                    root, keys, "handed", (target,), spot, callee, callee, (), site.guards, site.position
                )

    def _brought_readings(
        self, site: Site, callee: Callee, summary: Summary, entered: Scope
    ) -> Iterator[Reading]:
        for each in summary.readings:
            if each.kind == "returned":
                continue
            into = tuple(self.unfolder.unfold(value, entered) for value in each.into)
            via = (entered.callee.identity, *each.via)
            for root, keys in rooted(self.unfolder.unfold(each.root, entered)):
                path = (*keys, *each.keys)[:MAX_LEVELS]
                yield replace(each, root=root, keys=path, into=into, unit=callee, via=via, at=site.position)

    def _filled(self, site: Site, callee: Callee, scope: Scope) -> Iterator[Reading]:
        """Yield what a loading function puts straight into the objects it is given: Fabric's `load(path, state)`."""
        root = self.unfolder.unfold(site.call, scope)
        for value in site.call.args[1:]:
            given = self.unfolder.unfold(value, scope)
            for each in given.fields if isinstance(given, Record) else ():
                spot = Spot(callee.path, site.position)
                yield Reading(
                    root, (each.key,), "defaulted", (each.value,), spot, callee, callee, (), (), site.position
                )


def _held_in(value: Value) -> tuple[Value, ...]:
    """Return what a function gives back or keeps: each of several values in a display."""
    return (value.items or (value.of,)) if isinstance(value, Container) else (value,)


def written_by(call: Call, callee: Callee, unfolder: Unfolder) -> Optional[tuple[Value, Value]]:
    """Return the payload and the file of a call that saves, None for other calls."""
    target = call.callee
    keywords = dict(call.keywords)
    if isinstance(target, Name):
        name = unfolder.symbols.resolve(target.path, callee.path)
        if name in ARCHIVES:
            fields = tuple(Field(key, value) for key, value in call.keywords if key != "**")
            opened = len(fields) != len(call.keywords) or len(call.args) > 1
            return Record(fields, opened), call.args[0] if call.args else UNKNOWN
        places = WRITERS.get(name)
    else:
        owner = _last_name(target.base) if isinstance(target, Attr) and target.name == "save" else ""
        places = SAVING_OBJECTS.get(owner)
    if places is None:
        return None
    given = _argument(call.args, places[0]) or _first(
        keywords, "obj", "state", "state_dict", "tensors", "value"
    )
    file = _argument(call.args, places[1]) or _first(keywords, "f", "file", "path", "filename", "filepath")
    return given or UNKNOWN, file or UNKNOWN


def is_loader(call: Call, scope: Scope, unfolder: Unfolder) -> bool:
    """Tell whether a call loads a file by a function of a library."""
    target = call.callee
    if isinstance(target, Name):
        return loads(unfolder.symbols.resolve(target.path, scope.path))
    return isinstance(target, Attr) and target.name == "load" and is_saving_object(target.base)


def is_saving_object(value: Value) -> bool:
    """Tell whether an object is one of a library that saves and loads payloads, by its name."""
    return _last_name(value) in SAVING_OBJECTS


def _last_name(value: Value) -> str:
    if isinstance(value, (Attr, Local, Param)):
        return value.name
    return value.path.rpartition(".")[2] if isinstance(value, Name) else ""


def _argument(args: Sequence[Value], index: int) -> Optional[Value]:
    """Return an argument by its position; a function that only passes its arguments on gives its own."""
    if args and isinstance(args[0], Call) and args[0].callee == Name("*"):
        return Item(args[0].args[0], Const(index))
    return args[index] if index < len(args) else None


def _first(keywords: Mapping[str, Value], *names: str) -> Optional[Value]:
    return next((keywords[name] for name in names if name in keywords), None)


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


def rooted(value: Value) -> Iterator[tuple[Value, tuple[str, ...]]]:
    """Yield the roots of a value that comes out of a payload, with the keys that lead to it."""
    for option in options_of(value):
        keys: list[str] = []
        while isinstance(option, (Item, Local)):
            if isinstance(option, Item):
                key = option.key
                keys.append(key.value if isinstance(key, Const) and isinstance(key.value, str) else ANY_KEY)
                option = option.base
            else:
                option = option.value
        if isinstance(option, Join):
            for root, before in rooted(option):
                yield root, (*before, *reversed(keys))
        elif is_root(option) and len(keys) <= MAX_LEVELS:
            yield option, tuple(reversed(keys))


def is_root(value: Value) -> bool:
    """Tell whether a value may be a payload as it was loaded or handed in."""
    if isinstance(value, Param):
        return value.name not in ("self", "cls")
    if not isinstance(value, Call):
        return False
    if isinstance(value.callee, Name):
        return loads(value.callee.path)
    return (
        isinstance(value.callee, Attr) and value.callee.name == "load" and is_saving_object(value.callee.base)
    )


def loads(path: str) -> bool:
    """Tell whether a function of a library loads a file, by its absolute name."""
    return path in LOADERS or ":" not in path and LOADER_NAMES.search(path) is not None


@dataclass(frozen=True)
class Slot:
    """What a key of a payload holds; `always` is false where a condition decides."""

    value: Value
    always: bool = True


@dataclass(frozen=True)
class Contents:
    """The keys of a payload; there may be others where it is `open`."""

    slots: Mapping[str, Slot]
    open: bool = False


def contents(value: Value) -> Contents:
    """Return the keys of a payload; one that is not understood, or that has too many keys, is open."""
    if isinstance(value, Record):
        return _contents_of(value)
    options = [option for option in options_of(value) if option != NONE]
    if not options:
        return Contents({}, open=value == UNKNOWN)
    found = [_contents_of(option) for option in options]
    keys = list(dict.fromkeys(key for each in found for key in each.slots))
    slots = {}
    for key in keys[:MAX_KEYS]:
        held = [each.slots[key] for each in found if key in each.slots]
        always = len(held) == len(options_of(value)) and all(slot.always for slot in held)
        slots[key] = Slot(held[0].value, always)
    return Contents(slots, len(keys) > MAX_KEYS or any(each.open for each in found))


def _contents_of(value: Value) -> Contents:
    if isinstance(value, Record):
        slots = {each.key: Slot(each.value, each.always) for each in value.fields[:MAX_KEYS]}
        return Contents(slots, value.open or len(value.fields) > MAX_KEYS)
    if isinstance(value, Container) and value.kind == "dict" and value.size == 0:
        return Contents({})
    return Contents({}, open=True)


def _unsure(writings: tuple[Writing, ...], readings: tuple[Reading, ...]) -> Summary:
    """Return a summary of a function that is too large to be followed: it may write and read anything."""
    return Summary(
        tuple(replace(each, payload=UNKNOWN) for each in writings),
        (
            *readings,
            *{each.root: replace(each, keys=(), kind="handed", into=()) for each in readings}.values(),
        ),
    )


def _bounded_writings(found: Iterator[Writing]) -> tuple[Writing, ...]:
    """Return the writings of a function; too many of them are one that may write anything."""
    writings = tuple(islice(found, MAX_WRITINGS + 1))
    return writings if len(writings) <= MAX_WRITINGS else (replace(writings[0], payload=UNKNOWN),)


def _bounded_readings(found: Iterator[Reading]) -> tuple[Reading, ...]:
    """Return the readings of a function; where there are too many, each payload may be read in full."""
    readings = tuple(islice(found, MAX_READINGS + 1))
    if len(readings) <= MAX_READINGS:
        return readings
    return tuple({each.root: replace(each, keys=(), kind="handed") for each in readings}.values())
