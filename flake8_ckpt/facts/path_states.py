"""What one path through a function knows, and how paths are joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join


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
    records = [value for each in values if isinstance(value := _as_record(each), Record)]
    if len(records) == len(values):
        return _join_records(records)
    containers = [value for value in values if isinstance(value, Container)]
    if len(containers) == len(values) and len({each.kind for each in containers}) == 1:
        known = [each.of for each in containers if each.size != 0]
        return Container(containers[0].kind, join(known), -1)
    return join(list(values))


def _as_record(value: Value) -> Value:
    """Return an empty dict as a record: its first key may come under a condition."""
    return Record(()) if value == Container("dict", UNKNOWN, 0) else value


def _join_records(records: Sequence[Record]) -> Record:
    keys = dict.fromkeys(each.key for record in records for each in record.fields)
    fields = []
    for key in keys:
        found = [each for record in records for each in record.fields if each.key == key]
        always = len(found) == len(records) and all(each.always for each in found)
        fields.append(Field(key, join([each.value for each in found]), always))
    return Record(tuple(fields), any(record.open for record in records))
