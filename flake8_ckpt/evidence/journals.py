"""Read what the recorders of all processes wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from typing import Optional

import msgspec
from msgspec import Struct
from msgspec import field


class ClassPlace(Struct, frozen=True):
    """A class: its name, those of the user's own in its order of resolution with their files, and all names."""

    name: str
    module: str
    own: tuple[tuple[str, str], ...] = ()
    bases: tuple[str, ...] = ()


class LeafFacts(Struct, frozen=True):
    """One value of an object over the run: as it was first seen and last; `file` is the first that held it."""

    kind: tuple[str, str]
    registration: str
    size: int
    before: tuple[Optional[float], ...]
    after: tuple[Optional[float], ...]
    changed: bool
    prints: int
    sightings: int
    file: Optional[int] = None


class ObjectFacts(Struct, frozen=True):
    """One watched object; `file` is the first that held it whole, `owners` are who holds it and by what path.

    `made` are the plain arguments of its constructor, as text, positional ones under their number.
    """

    id: int
    kind: str
    class_: ClassPlace = field(name="class")
    place: tuple[str, int] = ("", 0)
    found: str = "birth"
    owners: tuple[tuple[int, str], ...] = ()
    variable: Optional[tuple[str, str, str]] = None
    made: dict[str, str] = {}
    steps: int = 0
    moments: bool = False
    restored: bool = False
    file: Optional[int] = None
    leaves: dict[str, LeafFacts] = {}


class LocalFacts(Struct, frozen=True):
    """One local variable of a function of the user's; `at_save` says that it lived when a file was written."""

    file: str
    function: str
    name: str
    at_save: bool
    leaf: LeafFacts


class SaveFacts(Struct, frozen=True):
    """One call that wrote a file."""

    number: int
    how: str
    path: str
    place: tuple[str, int]
    step: int
    keys: tuple[str, ...]
    optimizer: bool


class Resumption(Struct, frozen=True):
    """A file that was loaded, and trained from: which of its keys went somewhere, and which to no object."""

    path: str
    place: tuple[str, int]
    keys: tuple[str, ...]
    taken: tuple[str, ...]
    unrestored: tuple[str, ...]


class Replacement(Struct, frozen=True):
    """A tensor of a module that was restored, and had another value when training went on."""

    object: Optional[int]
    cls: str
    name: str
    places: tuple[tuple[str, int], ...]
    before: tuple[Optional[float], ...]
    after: tuple[Optional[float], ...]


class Hello(Struct, frozen=True):
    """The first words of a process."""

    pid: int
    parent: int
    rank: Optional[int]
    python: str
    folder: str


class Farewell(Struct, frozen=True):
    """The last words of a process."""

    steps: int
    seconds: float
    faults: int


class Journal(Struct):
    """What one process said."""

    hello: Optional[Hello] = None
    farewell: Optional[Farewell] = None
    saves: list[SaveFacts] = []
    objects: dict[int, ObjectFacts] = {}
    locals: dict[tuple[str, str, str], LocalFacts] = {}
    resumptions: list[Resumption] = []
    replacements: list[Replacement] = []
    faults: list[str] = []

    @property
    def steps(self) -> int:
        """Return the optimizer steps, as far as they are known."""
        return self.farewell.steps if self.farewell else max((save.step for save in self.saves), default=0)


def read_journals(folder: Path) -> list[Journal]:
    """Return the journals of a run in the order in which the processes began."""
    names = sorted(folder.glob("*.jsonl"), key=lambda path: int(path.stem.partition("-")[2]))
    return [journal for name in names if (journal := _read(name)).hello is not None]


def _read(path: Path) -> Journal:
    journal = Journal()
    for event in _events(path):
        _take(journal, event.pop("event", ""), event)
    return journal


def _events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a file; the last line of a process that was killed may be half a line."""
    for line in path.read_bytes().splitlines():
        try:
            yield msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError:
            continue


def _take(journal: Journal, event: str, fields: dict[str, Any]) -> None:
    if event == "hello":
        journal.hello = msgspec.convert(fields, Hello)
    elif event == "exit":
        journal.farewell = msgspec.convert(fields, Farewell)
    elif event == "save":
        journal.saves.append(msgspec.convert(fields, SaveFacts))
    elif event == "object":
        found = msgspec.convert(fields, ObjectFacts)
        journal.objects[found.id] = found
    elif event == "local":
        local = msgspec.convert(fields, LocalFacts)
        journal.locals[local.file, local.function, local.name] = local
    elif event == "fault":
        journal.faults.append(f"{fields.get('where')}: {fields.get('error')}")
    elif event == "resumed":
        journal.resumptions.append(msgspec.convert(fields, Resumption))
    elif event == "replaced":
        journal.replacements.append(msgspec.convert(fields, Replacement))
