"""What is known at one point of one function: locals, what depends on what, conditions, events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field

from msgspec.structs import replace

from flake8_ckpt.facts.model import Handler
from flake8_ckpt.facts.model import KeyRead
from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.model import Skip
from flake8_ckpt.facts.model import Store
from flake8_ckpt.facts.model import Use
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.names import Names
from flake8_ckpt.facts.path_states import State
from flake8_ckpt.facts.value_bounds import brief
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Position
from flake8_ckpt.frameworks.persistence import LOADERS
from flake8_ckpt.frameworks.torch import MODULE_METHODS

LOOKS = frozenset(["meta", "none", "test"])
NOWHERE = Position(1, 0, 1, 0)
SYMBOLIC = (Call, Param, Item, Attr, Local, Join, Element)
FLOW = "#"
MAX_FLOWS = 8


def is_object(value: Value) -> bool:
    """Tell whether a value is some object with an identity, not a payload that was read from a file."""
    if isinstance(value, Join):
        return all(is_object(option) for option in value.options)
    if isinstance(value, (Item, Element)):
        return isinstance(value.base, (Call, Local)) and not is_loaded(value)
    return isinstance(value, Module) or isinstance(value, Call) and not is_loaded(value)


def is_loaded(value: Value) -> bool:
    """Tell whether a value is, or is part of, what a loading function of a library returned."""
    while isinstance(value, (Item, Element, Attr, Local)):
        value = value.value if isinstance(value, Local) else value.base
    if not isinstance(value, Call):
        return isinstance(value, Param)
    callee = value.callee
    return (
        isinstance(callee, Name)
        and callee.path in LOADERS
        or isinstance(callee, Attr)
        and (callee.name in ("get", "pop", "copy") and is_loaded(callee.base))
    )


def named(name: str, value: Value) -> Local:
    """Return an object under the name of a local; moving an object does not make it another one."""
    held = value
    while isinstance(held, Call) and isinstance(held.callee, Attr) and held.callee.name in MODULE_METHODS:
        held = held.callee.base
    if isinstance(held, Local) and held.name == name:
        return held
    options = [
        option.value if isinstance(option, Local) and option.name == name else option
        for option in options_of(value)
    ]
    return Local(name, brief(join(options)))


def _is_restored(tokens: Iterable[str]) -> bool:
    """Tell whether what a local holds was taken from a payload."""
    return any(token.startswith(FLOW) for token in tokens)


@dataclass
class Frame:
    """The walk through one function: its state now, the conditions around it, and what it has seen.

    `text` is the function's own, empty where its locals can be seen from outside.
    """

    names: Names
    contract: bool = False
    text: str = ""
    state: State = field(default_factory=State)
    guards: tuple[str, ...] = ()
    position: Position = NOWHERE
    testing: bool = False
    depends: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    writes: list[Write] = field(default_factory=list)
    registers: list[Register] = field(default_factory=list)
    calls: list[Site] = field(default_factory=list)
    key_reads: list[KeyRead] = field(default_factory=list)
    flows: dict[int, dict[Value, None]] = field(default_factory=dict)
    stores: list[Store] = field(default_factory=list)
    handlers: list[Handler] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    leaves: list[tuple[int, int]] = field(default_factory=list)
    lenient: bool = False
    returns: list[Value] = field(default_factory=list)
    aliases: dict[str, set[str]] = field(default_factory=dict)
    wrapped: dict[str, Position] = field(default_factory=dict)
    uses: dict[str, dict[str, None]] = field(default_factory=dict)
    first_uses: dict[str, Position] = field(default_factory=dict)
    use_positions: dict[str, Position] = field(default_factory=dict)

    def read(self, attr: str, how: str) -> None:
        """Note that an attribute of `self` is read, and that what is being computed depends on it."""
        self.seen.add(attr)
        how = "test" if self.testing and how in ("plain", "item") else how
        hows = self.uses.setdefault(attr, {})
        if how == "plain" and "own" in hows:
            hows["apart"] = None
        hows[how] = None
        self.use_positions.setdefault(attr, self.position)
        earlier = self.state.written.get(attr)
        if earlier is None:
            self.first_uses.setdefault(attr, self.position)
        if how not in LOOKS:
            self.depends |= {attr} if earlier is None else earlier

    def read_own(self, attr: str) -> None:
        """Note that `+=` reads an attribute; a plain read of it elsewhere in the method is marked as "apart"."""
        hows = dict(self.uses.get(attr, {}))
        apart = "apart" in hows or "plain" in hows and "own" not in hows
        self.read(attr, "plain")
        self.uses[attr] = {**hows, "plain": None, "own": None, **({"apart": None} if apart else {})}

    def write(self, attr: str, how: str, value: Value, carried: bool = False) -> None:
        """Note that an attribute of `self` is set or changed."""
        carried = carried and attr not in self.state.written or attr in self.depends
        self.writes.append(
            Write(attr, how, value, self.position, carried, self.guards, _is_restored(self.depends))
        )
        if how == "assign":
            self.state.written[attr] = frozenset(self.depends)
        self.flow(Attr(SELF, attr))

    def bind(self, name: str, value: Value, depends: Iterable[str]) -> None:
        """Bind a local; where saving and loading is followed, an object keeps the name it is bound to."""
        if self.contract and is_object(value):
            held = named(name, value)
            self.store(held, value)
            value = held
        elif self.contract:
            self.flow(Local(name, UNKNOWN))
            if _is_restored(self.state.taint.get(name, ())) and not _is_restored(depends):
                self.store(Local(name, UNKNOWN), value)
        self.state.locals[name] = value
        self.state.taint[name] = frozenset(depends)

    def follow(self, held: Value, filled: Value) -> None:
        """Give a payload that was filled to all that hold the very same one: other locals, other payloads."""
        if not isinstance(filled, Record):
            return
        for name, value in self.state.locals.items():
            if value is held:
                self.state.locals[name] = filled
            elif isinstance(value, Record) and any(each.value is held for each in value.fields):
                fields = (
                    Field(each.key, filled if each.value is held else each.value, each.always)
                    for each in value.fields
                )
                self.state.locals[name] = Record(tuple(fields), value.open)

    def store(self, target: Value, value: Value) -> None:
        """Note that something other than an attribute of `self` is set."""
        if self.contract:
            self.stores.append(Store(target, value, self.position, self.guards, _is_restored(self.depends)))
            self.flow(target)

    def key(self, base: Value, key: str, kind: str) -> None:
        """Note that a key is taken from a mapping whose origin linking may know."""
        if not self.contract or not isinstance(base, SYMBOLIC):
            return
        if kind == "required" and (self.lenient or f"key:{key}" in self.guards):
            kind = "guarded"
        self.depends.add(f"{FLOW}{len(self.key_reads)}")
        self.key_reads.append(KeyRead(base, key, kind, self.position, (), self.guards))

    def flow(self, into: Value) -> None:
        """Note that what is being computed goes into something, and with it the keys it was taken from."""
        for token in self.depends:
            if token.startswith(FLOW):
                self.flows.setdefault(int(token[len(FLOW) :]), {})[into] = None

    def key_reads_seen(self) -> tuple[KeyRead, ...]:
        """Return the keys that were read, each with what it flows into."""
        return tuple(
            replace(each, into=tuple(self.flows.get(index, ()))[:MAX_FLOWS])
            for index, each in enumerate(self.key_reads)
        )

    def local(self, name: str) -> Value:
        """Return the value of a local and note what it depends on."""
        self.depends |= self.state.taint.get(name, frozenset())
        return self.state.locals.get(name, UNKNOWN)

    def registers_seen(self) -> tuple[Register, ...]:
        """Return the registrations, with a "wrapped" one for each attribute whose elements a module list took."""
        names = {
            attr: place
            for name, place in self.wrapped.items()
            for attr in sorted(self.aliases.get(name, {name}))
        }
        wrapped = [Register("wrapped", attr, UNKNOWN, place) for attr, place in names.items()]
        return (*self.registers, *wrapped)

    def uses_seen(self) -> tuple[Use, ...]:
        """Return one record per attribute that was read."""
        return tuple(
            Use(
                attr,
                tuple(hows),
                attr in self.first_uses,
                self.first_uses.get(attr, self.use_positions[attr]),
            )
            for attr, hows in self.uses.items()
        )
