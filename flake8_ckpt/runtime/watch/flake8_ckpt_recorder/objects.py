"""The objects that are watched: what each held when it was born, and when it was last looked at."""

from __future__ import annotations

import math
import weakref
from typing import Any
from typing import Iterator
from typing import Optional

from flake8_ckpt_recorder.journal import Journal
from flake8_ckpt_recorder.kinds import MODULE
from flake8_ckpt_recorder.kinds import PROJECT
from flake8_ckpt_recorder.kinds import Kinds
from flake8_ckpt_recorder.kinds import describe
from flake8_ckpt_recorder.leaves import held_by
from flake8_ckpt_recorder.leaves import leaves_of
from flake8_ckpt_recorder.leaves import moments_of
from flake8_ckpt_recorder.leaves import weights_of
from flake8_ckpt_recorder.places import Place
from flake8_ckpt_recorder.prints import Sight
from flake8_ckpt_recorder.prints import look

MAX_OBJECTS = 5000
MAX_OF_CLASS = 500
MAX_PRINTS = 8
WEIGHTS = "()"


class Leaf:
    """One value of an object over time."""

    def __init__(self, registration: str, sight: Sight) -> None:
        self.registration = registration
        self.first = self.last = sight
        self.marks = {sight.mark}
        self.sightings = 1
        self.file: Optional[int] = None

    def see(self, sight: Sight) -> bool:
        """Take a later sight; return whether the value is another."""
        self.sightings += 1
        if sight.mark == self.last.mark and sight.kind == self.last.kind:
            return False
        self.last = sight
        if len(self.marks) < MAX_PRINTS:
            self.marks.add(sight.mark)
        return True

    def as_json(self) -> dict[str, Any]:
        """Return what the judge needs."""
        return {
            "kind": [self.first.kind, self.last.kind],
            "registration": self.registration,
            "size": self.last.size,
            "before": finite(self.first.shown),
            "after": finite(self.last.shown),
            "changed": self.first.mark != self.last.mark or self.first.kind != self.last.kind,
            "prints": len(self.marks),
            "sightings": self.sightings,
            "file": self.file,
        }


def finite(values: tuple[float, ...]) -> list[Optional[float]]:
    """Return values as JSON has them: it knows neither NaN nor infinity."""
    return [value if math.isfinite(value) else None for value in values]


class Watched:
    """One object, held weakly."""

    def __init__(self, serial: int, value: Any, kind: str, place: Place, found: str) -> None:
        self.serial = serial
        self.ref = weakref.ref(value)
        self.kind = kind
        self.cls = type(value)
        self.place = place
        self.found = found
        self.leaves: dict[str, Leaf] = {}
        self.owners: list[tuple[int, str]] = []
        self.steps = 0
        self.has_moments = False
        self.is_restored = False
        # What `state_dict()` returned last: it may go to a file when the object is gone.
        self.state: Any = None
        self.file: Optional[int] = None
        self.variable: Optional[tuple[str, str, str]] = None
        # The plain arguments that its constructor was given.
        self.made: dict[str, str] = {}
        self.is_news = True

    def as_json(self) -> dict[str, Any]:
        """Return what the judge needs."""
        return {
            "id": self.serial,
            "kind": self.kind,
            "class": describe(self.cls),
            "place": self.place,
            "found": self.found,
            "owners": self.owners,
            "variable": self.variable,
            "made": self.made,
            "steps": self.steps,
            "moments": self.has_moments,
            "restored": self.is_restored,
            "file": self.file,
            "leaves": {name: leaf.as_json() for name, leaf in self.leaves.items()},
        }


class Objects:
    """All that is watched in this process."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.kinds = Kinds()
        self._by_id: dict[int, Watched] = {}
        self._of_class: dict[type[Any], int] = {}
        self._serial = 0

    def forget(self) -> None:
        """Begin anew, in the child of a fork."""
        self._by_id.clear()
        self._of_class.clear()
        self._serial = 0

    def get(self, value: Any) -> Optional[Watched]:
        """Return the record of an object, if it is watched."""
        watched = self._by_id.get(id(value))
        return watched if watched is not None and watched.ref() is value else None

    def add(self, value: Any, place: Place, found: str) -> Optional[Watched]:
        """Watch an object, unless it is none to watch, or there are too many."""
        cls = type(value)
        kind = self.kinds.of(cls)
        count = self._of_class.get(cls, 0)
        if not kind or count >= MAX_OF_CLASS or len(self._by_id) >= MAX_OBJECTS or self.get(value):
            return None
        try:
            watched = Watched(self._serial, value, kind, place, found)
        except TypeError:
            return None
        self._serial += 1
        self._of_class[cls] = count + 1
        self._settle(self._by_id.get(id(value)))
        self._by_id[id(value)] = watched
        self.see(watched, value)
        return watched

    def count(self, cls: type[Any]) -> int:
        """Return how many objects of a class are watched."""
        return self._of_class.get(cls, 0)

    def is_full(self, cls: type[Any]) -> bool:
        """Tell whether a class has so many objects that they are data."""
        return self._of_class.get(cls, 0) >= MAX_OF_CLASS

    def everything(self) -> list[Watched]:
        """Return the records of all that was watched."""
        return list(self._by_id.values())

    def alive(self) -> Iterator[tuple[Watched, Any]]:
        """Yield the records of what still lives, with the objects."""
        for watched in list(self._by_id.values()):
            value = watched.ref()
            if value is not None:
                yield watched, value

    def see_all(self) -> None:
        """Look at everything again."""
        for watched, value in self.alive():
            self.see(watched, value)

    def see(self, watched: Watched, value: Any) -> None:
        """Look at an object again."""
        for name, registration, each in leaves_of(value, watched.kind):
            sight = look(each)
            leaf = watched.leaves.get(name)
            if sight is None:
                continue
            if leaf is None:
                watched.leaves[name] = Leaf(registration, sight)
                watched.is_news = True
            elif leaf.see(sight):
                watched.is_news = True
        watched.has_moments = watched.has_moments or bool(moments_of(value))
        if watched.kind in (PROJECT, MODULE):
            self._see_weights(watched, value)

    def _see_weights(self, watched: Watched, value: Any) -> None:
        marks = [sight for each in weights_of(value) if (sight := look(each)) is not None]
        if not marks:
            return
        checksum = hash(tuple(each.mark for each in marks))
        sight = Sight("weights", sum(each.size for each in marks), checksum, marks[0].shown)
        leaf = watched.leaves.get(WEIGHTS)
        if leaf is None:
            watched.leaves[WEIGHTS] = Leaf("", sight)
        elif leaf.see(sight):
            watched.is_news = True

    def begin_anew(self, module: Any) -> None:
        """Take the weights of a module that was restored as those that it began with: they come from a file."""
        inside = {id(part) for part in module.modules()}
        for watched, value in self.alive():
            if id(value) in inside and watched.leaves.pop(WEIGHTS, None) is not None:
                self._see_weights(watched, value)
                watched.is_news = True

    def link(self) -> None:
        """Note who holds whom."""
        for watched, value in self.alive():
            for path, each in held_by(value):
                held = self.get(each)
                if held is not None and held is not watched and (watched.serial, path) not in held.owners[:8]:
                    held.owners.append((watched.serial, path))
                    held.is_news = True

    def tell(self) -> None:
        """Write what is new to the journal."""
        for watched in list(self._by_id.values()):
            self._settle(watched)

    def _settle(self, watched: Optional[Watched]) -> None:
        if watched is not None and watched.is_news:
            watched.is_news = False
            self.journal.write("object", **watched.as_json())
