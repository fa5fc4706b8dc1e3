"""Archives: several members in one file, each with a payload of its own, are one payload with a key for each.

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.json", json.dumps({"steps": agent.steps}))
        with archive.open("policy.pth", "w") as member:
            torch.save(agent.policy.state_dict(), member)

is a save of {data.json: {steps}, policy.pth: a state} to the file `path`.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple
from typing import Optional

from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.payload import Member
from flake8_ckpt.checkpoints.payload import archive_of
from flake8_ckpt.checkpoints.payload import member_of
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.value_names import object_text

# Methods that give what a buffer in memory holds.
TAKES_BYTES = frozenset(["getvalue", "getbuffer", "read"])
Expand = Callable[[Value], Value]


class Written(NamedTuple):
    """A member of an archive, and the payload that it is given."""

    member: Member
    payload: Value


def with_archives(saves: Iterable[SaveEffect], sites: Iterable[Site], expand: Expand) -> Iterator[SaveEffect]:
    """Yield the saves of a function, with one for each archive instead of those of its members."""
    sites = list(sites)
    members: dict[Value, list[Written]] = {}
    last: dict[Value, SaveEffect] = {}
    buffers: Optional[dict[str, list[Member]]] = None
    for each in saves:
        member = member_of(each.file)
        if member is None and object_text(each.file):
            buffers = _buffered(sites, expand) if buffers is None else buffers
            waiting = buffers.get(object_text(each.file))
            member = waiting.pop(0) if waiting else None
        if member is None:
            yield each
        else:
            members.setdefault(member.path, []).append(Written(member, each.payload))
            last[member.path] = each
    for text in _json(sites, expand) if members else ():
        members.get(text.member.path, []).append(text)
    for path, written in members.items():
        yield replace(last[path], payload=_payload(written), file=path)


def _payload(written: list[Written]) -> Record:
    fields = tuple(Field(each.member.name, each.payload) for each in written if each.member.name)
    return Record(fields, open=len(fields) < len(written))


def _buffered(sites: Iterable[Site], expand: Expand) -> dict[str, list[Member]]:
    """Return the members that are written from buffers, by the buffer: `writestr(name, buffer.getvalue())`."""
    found: dict[str, list[Member]] = {}
    for member, held in _strings(sites, expand):
        if isinstance(held, Call) and isinstance(held.callee, Attr) and held.callee.name in TAKES_BYTES:
            found.setdefault(object_text(expand(held.callee.base)), []).append(member)
    return found


def _json(sites: Iterable[Site], expand: Expand) -> Iterator[Written]:
    """Yield what is written as JSON: `archive.writestr(name, json.dumps(data))`, `json.dump(data, member)`."""
    for member, held in _strings(sites, expand):
        if isinstance(held, Call) and held.callee == Name("json.dumps") and held.args:
            yield Written(member, expand(held.args[0]))
    for site in sites:
        if site.call.callee == Name("json.dump") and len(site.call.args) > 1:
            part = member_of(expand(site.call.args[1]))
            if part is not None:
                yield Written(part, expand(site.call.args[0]))


def _strings(sites: Iterable[Site], expand: Expand) -> Iterator[tuple[Member, Value]]:
    """Yield the members that calls of `writestr` write, each with what it is given."""
    for site in sites:
        callee, args = site.call.callee, site.call.args
        if isinstance(callee, Attr) and callee.name == "writestr" and len(args) > 1:
            path = archive_of(expand(callee.base))
            if path is not None:
                yield Member(path, _name(expand(args[0]))), args[1]


def _name(value: Value) -> str:
    return value.value if isinstance(value, Const) and isinstance(value.value, str) else ""
