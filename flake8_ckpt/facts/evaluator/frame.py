"""What is known at one point of one function: locals, what depends on what, conditions, events."""

from __future__ import annotations

import ast
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from msgspec.structs import replace

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.conditions.scopes import stable
from flake8_ckpt.facts.evaluator.input_mixing import AS_IT_LIES
from flake8_ckpt.facts.evaluator.input_mixing import INPUT
from flake8_ckpt.facts.evaluator.input_mixing import SOURCE
from flake8_ckpt.facts.evaluator.input_mixing import attributes_in
from flake8_ckpt.facts.evaluator.object_identity import is_object
from flake8_ckpt.facts.evaluator.object_identity import named
from flake8_ckpt.facts.evaluator.path_states import State
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.model import NOWHERE
from flake8_ckpt.facts.model import REMARK
from flake8_ckpt.facts.model import Guard
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.facts.model import Handler
from flake8_ckpt.facts.model import KeyKind
from flake8_ckpt.facts.model import KeyRead
from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.model import Skip
from flake8_ckpt.facts.model import Store
from flake8_ckpt.facts.model import Use
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.model import WriteKind
from flake8_ckpt.facts.names import Names
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.findings import Position

Evaluate = Callable[[Any, "Frame"], v.Value]
LOOKS = frozenset(["meta", "none", "test", "cadence"])
SYMBOLIC = (v.Call, v.Param, v.Item, v.Attr, v.Local, v.Join, v.Element)
FLOW = "#"
# A write is made of a few attributes.
MAX_SOURCES = 8
MAX_SHOWN_FLOWS = 8
MAX_FLOWS = 16
# Written code nests some ten levels; sums and chains of calls that a program wrote nest thousands.
MAX_DEPTH = 100


def _is_restored(tokens: Iterable[str]) -> bool:
    """Tell whether what a local holds was taken from a payload."""
    for token in tokens:
        if token[0] == FLOW:
            return True
    return False


@dataclass
class Frame:
    """The walk through one function: its state now, the conditions around it, and what it has seen.

    `evaluators` say what each kind of expression may be. `text` is the function's own, empty where its locals
    can be seen from outside, `shared` are the names that it binds for its file. `owner` is the class whose method it
    is, "" for a plain function. `remarks` are the lines of the file whose comments speak of buffers, `ordered` those
    that may compare by less or greater. `depth` counts the blocks and expressions around what is looked at.
    """

    names: Names
    evaluators: Mapping[type, Evaluate]
    contract: bool = False
    text: str = ""
    owner: str = ""
    state: State = field(default_factory=State)
    numbers: frozenset[str] = frozenset()
    remarks: frozenset[int] = frozenset()
    ordered: frozenset[int] = frozenset()
    shared: frozenset[str] = frozenset()
    depth: int = 0
    guards: Guards = ()
    scope: tuple[str, ...] = ()
    bound: dict[str, int] = field(default_factory=dict)
    position: Position = NOWHERE
    testing: bool = False
    showing: bool = False
    handing: bool = False
    depends: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    writes: list[Write] = field(default_factory=list)
    registers: list[Register] = field(default_factory=list)
    calls: list[Site] = field(default_factory=list)
    key_reads: list[KeyRead] = field(default_factory=list)
    flows: dict[str, dict[v.Value, None]] = field(default_factory=dict)
    stores: list[Store] = field(default_factory=list)
    handlers: list[Handler] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    leaves: list[tuple[int, int]] = field(default_factory=list)
    lenient: bool = False
    returns: list[v.Value] = field(default_factory=list)
    nested: dict[str, Callable[[tuple[v.Value, ...], tuple[tuple[str, v.Value], ...]], v.Value]] = field(
        default_factory=dict
    )
    fills: dict[str, None] = field(default_factory=dict)
    aliases: dict[str, set[str]] = field(default_factory=dict)
    wrapped: dict[str, Position] = field(default_factory=dict)
    drawn: dict[str, str] = field(default_factory=dict)
    gathered: dict[str, set[str]] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    sweeps: set[str] = field(default_factory=set)
    uses: dict[str, dict[str, None]] = field(default_factory=dict)
    first_uses: dict[str, Position] = field(default_factory=dict)
    use_positions: dict[str, Position] = field(default_factory=dict)

    def evaluate(self, node: ast.expr) -> v.Value:
        """Return the value of an expression; what is nested too deeply is Unknown, and not looked at."""
        evaluate = self.evaluators.get(type(node))
        if evaluate is None or self.depth >= MAX_DEPTH:
            return v.UNKNOWN
        self.depth += 1
        value = evaluate(node, self)
        self.depth -= 1
        return value

    def evaluate_kept(self, node: ast.expr) -> v.Value:
        """Return the value of what an object or a dict takes as it is: an attribute that stands alone meets nothing."""
        attr = self_attribute(node)
        known = f"{AS_IT_LIES}{attr}" in self.depends
        value = self.evaluate(node)
        if attr is not None and not known:
            self.depends.discard(f"{AS_IT_LIES}{attr}")
        return value

    def peek(self, node: ast.expr) -> v.Value:
        """Return the value of an expression without noting anything of it."""
        if isinstance(node, (ast.Constant, ast.Name)):
            depends, self.depends = self.depends, set()
            value = self.evaluate(node)
            self.depends = depends
            return value
        self.state.enter()
        value = Frame(
            self.names, self.evaluators, owner=self.owner, state=self.state, depth=self.depth
        ).evaluate(node)
        self.state.leave()
        return value

    def read(self, attr: str, how: str) -> None:
        """Note that an attribute of `self` is read, and that what is being computed depends on it."""
        self.seen.add(attr)
        how = "test" if self.testing and how in ("plain", "item") else how
        if how == "plain" and (self.showing or self.handing):
            how = "shown" if self.showing else "handed"
        hows = self.uses.setdefault(attr, {})
        earlier = self.state.written.get(attr)
        if how == "plain" and ("own" in hows or earlier is not None or attr in self.state.defined):
            hows["apart"] = None
        hows[how] = None
        self.use_positions.setdefault(attr, self.position)
        if earlier is None:
            self.first_uses.setdefault(attr, self.position)
        if how not in LOOKS:
            if earlier is None and how != "shown":
                hows["held"] = None
            self.depends |= {attr} if earlier is None else earlier
            self.depends.add(f"{SOURCE}{attr}")
            if how != "moved" and earlier is None and attr not in self.moved:
                self.depends.add(f"{AS_IT_LIES}{attr}")

    def read_own(self, attr: str) -> None:
        """Note that `+=` reads an attribute; a plain read of it elsewhere in the method is marked as "apart"."""
        hows = dict(self.uses.get(attr, {}))
        apart = "apart" in hows or "plain" in hows and "own" not in hows
        showing, self.showing = self.showing, False
        self.read(attr, "plain")
        self.showing = showing
        held = {"held": None} if "held" in self.uses[attr] else {}
        self.uses[attr] = {**hows, **held, "plain": None, "own": None, **({"apart": None} if apart else {})}

    def write(self, attr: str, how: WriteKind, value: v.Value, carried: bool = False) -> None:
        """Note that an attribute of `self` is set or changed."""
        carried = carried and attr not in self.state.written or attr in self.depends
        guards = (*self.guards, REMARK) if self.is_remarked else self.guards
        after = self.state.define(attr, self.position.line) if how == "assign" else ()
        restored = _is_restored(self.depends)
        sources = tuple(sorted(token[1:] for token in self.depends if token.startswith(SOURCE)))[:MAX_SOURCES]
        self.writes.append(Write(attr, how, value, self.position, carried, guards, restored, after, sources))
        self.mix()
        if how == "assign" or how == "inplace" and not carried:
            self.state.write(attr, frozenset(self.depends))
        elif how == "moved":
            self.moved.add(attr)
        if how != "weights":
            self.flow(v.Attr(v.SELF, attr))

    @property
    def is_remarked(self) -> bool:
        """Whether a comment in the statement, or on the line above it, says something of buffers."""
        lines = range(self.position.line - 1, self.position.end_line + 1)
        return bool(self.remarks) and not self.remarks.isdisjoint(lines)

    def mix(self) -> None:
        """Note which attributes meet an input in what is being computed."""
        if INPUT not in self.depends:
            return
        for attr in attributes_in(self.depends):
            self.uses.setdefault(attr, {})["input"] = None
            self.use_positions.setdefault(attr, self.position)

    def give_back(self) -> None:
        """Note which attributes a method gives to its caller as they lie."""
        for attr in attributes_in(self.depends):
            self.uses.setdefault(attr, {})["returned"] = None

    def leave_behind(self, kinds: frozenset[str], of_local: bool = False) -> None:
        """Take kinds of tokens away from what is being computed: it was moved, or became a number.

        What a local was made of has met already, or comes from two branches and never meets.
        """
        if not kinds:
            return
        if not of_local:
            self.mix()
        if INPUT not in kinds:
            for attr in attributes_in(self.depends):
                self.uses.setdefault(attr, {})["relocated"] = None
        self.depends = {token for token in self.depends if token[:1] not in kinds}

    def look_at_shape(self, before: set[str]) -> None:
        """Note that of what was met since `before` only the shape or type is used: it holds after a load too."""
        gone = (INPUT, AS_IT_LIES, SOURCE)
        self.depends = before | {each for each in self.depends - before if not each.startswith(gone)}

    def bind(self, name: str, value: v.Value, depends: Iterable[str]) -> None:
        """Bind a local; where saving and loading is followed, an object keeps the name it is bound to."""
        if self.contract:
            self.bound[name] = self.bound.get(name, 0) + (2 if LOOP in self.guards else 1)
        if self.contract and is_object(value, self.names.known):
            held = v.Name(f":{name}") if name in self.shared else named(name, value)
            self.store(held, value)
            value = held
        elif self.contract:
            self.flow(v.Local(name, v.UNKNOWN))
            if _is_restored(self.state.taint.get(name, ())) and not _is_restored(depends):
                self.store(v.Local(name, v.UNKNOWN), value)
        self.state.bind(name, value, frozenset(depends))

    def follow(self, held: v.Value, filled: v.Value) -> None:
        """Give a payload that was filled to all that hold the very same one: other locals, other payloads."""
        if not isinstance(filled, v.Record):
            return
        for name, value in self.state.locals.items():
            if value is held:
                self.state.hold(name, filled)
            elif isinstance(value, v.Record) and any(each.value is held for each in value.fields):
                fields = (
                    v.Field(each.key, filled if each.value is held else each.value, each.always)
                    for each in value.fields
                )
                self.state.hold(name, v.Record(tuple(fields), value.open))

    def store(self, target: v.Value, value: v.Value) -> None:
        """Note that something other than an attribute of `self` is set."""
        if self.contract:
            self.stores.append(Store(target, value, self.position, self.guards, _is_restored(self.depends)))
            self.flow(target)

    def key(self, base: v.Value, key: str, kind: KeyKind) -> None:
        """Note that a key is taken from a mapping whose origin linking may know."""
        if not self.contract or not isinstance(base, SYMBOLIC):
            return
        if kind == "required" and (self.lenient or Guard("key", key) in self.guards):
            kind = "guarded"
        self.depends.add(f"{FLOW}{len(self.key_reads)}")
        self.key_reads.append(KeyRead(base, key, kind, self.position, (), self.guards))

    def flow(self, into: v.Value) -> None:
        """Note that what is being computed goes into something, and with it the keys it was taken from."""
        for token in self.depends:
            if token[0] == FLOW:
                targets = self.flows.get(token)
                if targets is None:
                    self.flows[token] = {into: None}
                elif len(targets) < MAX_FLOWS:
                    targets[into] = None

    def calls_seen(self) -> tuple[Site, ...]:
        """Return the calls, their scopes without the flags that the function itself changes."""
        changed = {name for name, count in self.bound.items() if count > 1}
        written = {f"self.{each.attr}" for each in self.writes}
        return tuple(
            replace(each, scope=settled)
            if len(settled := stable(each.scope, changed, written)) != len(each.scope)
            else each
            for each in self.calls
        )

    def flows_of(self, index: int) -> tuple[v.Value, ...]:
        """Return what a key goes into that was read, by the index of its reading."""
        return tuple(self.flows.get(f"{FLOW}{index}", ()))

    def key_reads_seen(self) -> tuple[KeyRead, ...]:
        """Return the keys that were read, each with what it flows into."""
        return tuple(
            replace(each, into=into[:MAX_SHOWN_FLOWS]) if (into := self.flows_of(index)) else each
            for index, each in enumerate(self.key_reads)
        )

    def local(self, name: str) -> v.Value:
        """Return the value of a local and note what it depends on."""
        tokens = self.state.taint.get(name)
        if tokens:
            self.depends |= tokens
        return self.state.locals.get(name, v.UNKNOWN)

    def registers_seen(self) -> tuple[Register, ...]:
        """Return the registrations, with a "wrapped" one for each attribute whose elements a module list took."""
        taken = dict(self.wrapped)
        for name, place in self.wrapped.items():
            taken.update((self.drawn.get(each, each), place) for each in self.gathered.get(name, ()))
        names = {
            attr: place for name, place in taken.items() for attr in sorted(self.aliases.get(name, {name}))
        }
        wrapped = [Register("wrapped", attr, v.UNKNOWN, place) for attr, place in names.items()]
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
