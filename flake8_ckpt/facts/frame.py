"""What is known at one point of one function: locals, what depends on what, conditions, events."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from flake8_ckpt.facts.model import KeyRead
from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.model import Use
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.names import Names
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.findings import Position

LOOKS = frozenset(["meta", "none", "test"])
NOWHERE = Position(1, 0, 1, 0)


@dataclass
class State:
    """What a path through a function knows: locals, their dependence on attributes, attributes set so far."""

    locals: dict[str, Value] = field(default_factory=dict)
    taint: dict[str, frozenset[str]] = field(default_factory=dict)
    written: dict[str, frozenset[str]] = field(default_factory=dict)
    dead: bool = False

    def copy(self) -> State:
        """Return a copy for a branch."""
        return State(dict(self.locals), dict(self.taint), dict(self.written), self.dead)


def merge(states: Sequence[State]) -> State:
    """Join the paths that go on; where none does, the result is dead."""
    alive = [state for state in states if not state.dead]
    if len(alive) < 2:
        return (
            alive[0]
            if alive
            else State(dict(states[0].locals), dict(states[0].taint), dict(states[0].written), True)
        )
    names = {name for state in alive for name in state.locals}
    merged = State()
    for name in names:
        values = [state.locals[name] for state in alive if name in state.locals]
        merged.locals[name] = join_paths(values)
        merged.taint[name] = frozenset().union(*(state.taint.get(name, frozenset()) for state in alive))
    for attr in set.intersection(*(set(state.written) for state in alive)):
        merged.written[attr] = frozenset().union(*(state.written[attr] for state in alive))
    return merged


def join_paths(values: Sequence[Value]) -> Value:
    """Join the values of one local on several paths; records keep their keys, containers their elements."""
    first = values[0]
    if all(value == first for value in values):
        return first
    if all(isinstance(value, Record) for value in values):
        return _join_records([value for value in values if isinstance(value, Record)])
    containers = [value for value in values if isinstance(value, Container)]
    if len(containers) == len(values) and len({each.kind for each in containers}) == 1:
        known = [each.of for each in containers if each.size != 0]
        return Container(containers[0].kind, join(known), -1)
    return join(list(values))


def _join_records(records: Sequence[Record]) -> Record:
    keys = dict.fromkeys(each.key for record in records for each in record.fields)
    fields = []
    for key in keys:
        found = [each for record in records for each in record.fields if each.key == key]
        always = len(found) == len(records) and all(each.always for each in found)
        fields.append(Field(key, join([each.value for each in found]), always))
    return Record(tuple(fields), any(record.open for record in records))


@dataclass
class Frame:
    """The walk through one function: its state now, the conditions around it, and what it has seen."""

    names: Names
    contract: bool = False
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
        self.uses.setdefault(attr, {})[how] = None
        self.use_positions.setdefault(attr, self.position)
        earlier = self.state.written.get(attr)
        if earlier is None:
            self.first_uses.setdefault(attr, self.position)
        if how not in LOOKS:
            self.depends |= {attr} if earlier is None else earlier

    def write(self, attr: str, how: str, value: Value, carried: bool = False) -> None:
        """Note that an attribute of `self` is set or changed."""
        carried = carried and attr not in self.state.written or attr in self.depends
        self.writes.append(Write(attr, how, value, self.position, carried, self.guards))
        if how == "assign":
            self.state.written[attr] = frozenset(self.depends)

    def bind(self, name: str, value: Value, depends: Iterable[str]) -> None:
        """Bind a local."""
        self.state.locals[name] = value
        self.state.taint[name] = frozenset(depends)

    def local(self, name: str) -> Value:
        """Return the value of a local and note what it depends on."""
        self.depends |= self.state.taint.get(name, frozenset())
        return self.state.locals.get(name, UNKNOWN)

    def registers_seen(self) -> tuple[Register, ...]:
        """Return the registrations, with a "wrapped" one for each attribute whose elements a module list took."""
        names = {
            attr: place for name, place in self.wrapped.items() for attr in sorted(self.aliases.get(name, {name}))
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
