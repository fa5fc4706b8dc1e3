"""What one path through a function knows, and how paths are joined.

A branch works on the state itself; what it changes is written down with what was there before. When it
ends, the changes are taken back and handed out, so that entering, leaving and joining branches costs as
much as they change, not as much as the function holds:

    state.enter()            # if condition:
    ...                      #     x = 1
    taken = state.leave()    #     (x is what it was; taken.locals is {"x": 1})
    state.join([taken, Changes()])
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from types import MappingProxyType
from typing import NamedTuple
from typing import TypeVar

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.value_bounds import record_of

Tokens = frozenset[str]
Lines = frozenset[int]
NOTHING: Tokens = frozenset()
NOWHERE: Lines = frozenset()
# A constructor sets an attribute in a few places; where there are more, line 0 stands for all of them.
MAX_LINES = 16
MANY: Lines = frozenset([0])
Held = TypeVar("Held")


class Changes(NamedTuple):
    """What one branch binds and writes; a branch that is dead does not reach what follows."""

    locals: Mapping[str, v.Value] = MappingProxyType({})
    taint: Mapping[str, Tokens] = MappingProxyType({})
    written: Mapping[str, Tokens] = MappingProxyType({})
    defined: Mapping[str, Lines] = MappingProxyType({})
    dead: bool = False


@dataclass
class _Before:
    """What the names that a branch has changed stood for before it; None for nothing."""

    dead: bool = False
    locals: dict[str, v.Value | None] = field(default_factory=dict)
    taint: dict[str, Tokens | None] = field(default_factory=dict)
    written: dict[str, Tokens | None] = field(default_factory=dict)
    defined: dict[str, Lines | None] = field(default_factory=dict)


class State:
    """What a path through a function knows: locals, their dependence on attributes, attributes set so far.

    `defined` are the lines where some path may have assigned or registered an attribute.
    """

    def __init__(self) -> None:
        self.locals: dict[str, v.Value] = {}
        self.taint: dict[str, Tokens] = {}
        self.written: dict[str, Tokens] = {}
        self.defined: dict[str, Lines] = {}
        self.dead = False
        self._before = [_Before()]

    def hold(self, name: str, value: v.Value) -> None:
        """Let a local hold a value; what it depends on stays."""
        self._before[-1].locals.setdefault(name, self.locals.get(name))
        self.locals[name] = value

    def bind(self, name: str, value: v.Value, depends: Tokens) -> None:
        """Bind a local to a value that depends on some attributes."""
        self.hold(name, value)
        self._before[-1].taint.setdefault(name, self.taint.get(name))
        self.taint[name] = depends

    def write(self, attr: str, depends: Tokens) -> None:
        """Note that an attribute is set to something that depends on some attributes."""
        self._before[-1].written.setdefault(attr, self.written.get(attr))
        self.written[attr] = depends

    def define(self, attr: str, line: int) -> tuple[int, ...]:
        """Note that an attribute is assigned or registered in a line; return where that may have happened before."""
        before = self.defined.get(attr, NOWHERE)
        self._define(attr, before | {line} if len(before) < MAX_LINES else MANY)
        return tuple(sorted(before))

    def _define(self, attr: str, lines: Lines) -> None:
        self._before[-1].defined.setdefault(attr, self.defined.get(attr))
        self.defined[attr] = lines

    def enter(self) -> None:
        """Begin a branch."""
        self._before.append(_Before(self.dead))

    def leave(self) -> Changes:
        """End the branch: take back what it has changed, and return it."""
        before = self._before.pop()
        changes = Changes(
            _taken_back(self.locals, before.locals),
            _taken_back(self.taint, before.taint),
            _taken_back(self.written, before.written),
            _taken_back(self.defined, before.defined),
            self.dead,
        )
        self.dead = before.dead
        return changes

    def join(self, branches: Sequence[Changes]) -> None:
        """Join the branches that go on; where none does, the path is dead and knows what the first knew."""
        alive = [each for each in branches if not each.dead]
        self.dead = not alive
        if len(alive) < 2:
            self._adopt(alive[0] if alive else branches[0])
            return
        for name in {name: None for each in alive for name in each.locals}:
            held = [each.locals.get(name, self.locals.get(name)) for each in alive]
            self.hold(name, join_paths([value for value in held if value is not None]))
        for name in {name: None for each in alive for name in each.taint}:
            tokens = NOTHING.union(*(each.taint.get(name, self.taint.get(name, NOTHING)) for each in alive))
            self._before[-1].taint.setdefault(name, self.taint.get(name))
            self.taint[name] = tokens
        for attr in {attr: None for each in alive for attr in each.written}:
            written = [each.written.get(attr, self.written.get(attr)) for each in alive]
            if None not in written:
                self.write(attr, NOTHING.union(*(each for each in written if each is not None)))
        for attr in {attr: None for each in alive for attr in each.defined}:
            lines = (each.defined.get(attr, self.defined.get(attr, NOWHERE)) for each in alive)
            self._define(attr, NOWHERE.union(*lines))

    def _adopt(self, changes: Changes) -> None:
        for name, value in changes.locals.items():
            self.hold(name, value)
        for name, tokens in changes.taint.items():
            self._before[-1].taint.setdefault(name, self.taint.get(name))
            self.taint[name] = tokens
        for attr, tokens in changes.written.items():
            self.write(attr, tokens)
        for attr, lines in changes.defined.items():
            self._define(attr, lines)


def _taken_back(now: dict[str, Held], before: Mapping[str, Held | None]) -> dict[str, Held]:
    """Put back what names stood for, and return what they stood for until now."""
    if not before:
        return {}
    changed = {name: now[name] for name in before}
    for name, value in before.items():
        if value is None:
            del now[name]
        else:
            now[name] = value
    return changed


def join_paths(values: Sequence[v.Value]) -> v.Value:
    """Join the values of one local on several paths; records keep their keys, containers their elements."""
    first = values[0]
    if all(value is first for value in values) or all(value == first for value in values):
        return first
    records = [value for each in values if isinstance(value := _as_record(each), v.Record)]
    if len(records) == len(values):
        return _join_records(records)
    containers = [value for value in values if isinstance(value, v.Container)]
    if len(containers) == len(values) and len({each.kind for each in containers}) == 1:
        known = [each.of for each in containers if each.size != 0]
        return v.Container(containers[0].kind, v.join(known), -1)
    return v.join(list(values))


def _as_record(value: v.Value) -> v.Value:
    """Return an empty dict as a record: its first key may come under a condition."""
    return v.Record(()) if value == v.Container("dict", v.UNKNOWN, 0) else value


def _join_records(records: Sequence[v.Record]) -> v.Record:
    """Join what the paths hold under each key; the fields that all of them begin with stay as they are."""
    first = records[0].fields
    shared = min(_shared(first, record.fields) for record in records[1:])
    changed = {each.key for record in records for each in record.fields[shared:]}
    if not changed.isdisjoint(each.key for each in first[:shared]):
        shared = 0
    found: dict[str, list[v.Field]] = {}
    for record in records:
        for each in record.fields[shared:]:
            found.setdefault(each.key, []).append(each)
    joined = (_join_fields(each, len(records)) for each in found.values())
    return record_of((*first[:shared], *joined), any(record.open for record in records))


def _shared(fields: Sequence[v.Field], others: Sequence[v.Field]) -> int:
    """Return how many fields at the start of two records are the very same."""
    count = 0
    for one, other in zip(fields, others):
        if one is not other:
            break
        count += 1
    return count


def _join_fields(fields: Sequence[v.Field], paths: int) -> v.Field:
    """Join what several paths hold under one key."""
    if len(fields) == 1 and not fields[0].always:
        return fields[0]
    always = len(fields) == paths and all(each.always for each in fields)
    return v.Field(fields[0].key, v.join([each.value for each in fields]), always)
