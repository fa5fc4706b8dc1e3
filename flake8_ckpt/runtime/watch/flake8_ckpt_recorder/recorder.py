"""What one process knows: the objects, the files that were written, the steps that were made."""

from __future__ import annotations

import sys
import threading
import time
from types import FrameType
from typing import Any
from typing import Optional

from flake8_ckpt_recorder.births import Births
from flake8_ckpt_recorder.heap import walk
from flake8_ckpt_recorder.journal import Journal
from flake8_ckpt_recorder.locals_of_frames import Locals
from flake8_ckpt_recorder.objects import Objects
from flake8_ckpt_recorder.payloads import Payload
from flake8_ckpt_recorder.payloads import cover
from flake8_ckpt_recorder.payloads import read_payload
from flake8_ckpt_recorder.places import Place


class Recorder:
    """The state of the recorder; one for each process."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.objects = Objects(journal)
        self.births = Births(self.objects)
        self.locals = Locals(journal)
        self.local = threading.local()
        self.steps = 0
        self.files = 0
        self.walks = 0
        self.next_look = 1
        self.has_ended = False
        self.seconds = 0.0

    def forget(self) -> None:
        """Begin anew in the child of a fork: what the parent held is the parent's to tell."""
        self.journal.forked()
        self.objects.forget()
        self.locals.forget()
        self.steps = self.files = 0
        self.has_ended = False

    def returned(self, value: Any, state: Any) -> None:
        """Remember the dictionary that the `state_dict()` of an object returned last."""
        watched = self.objects.get(value)
        if watched is not None:
            watched.state = state

    def look_around(self, frame: Optional[FrameType], is_walk: bool) -> None:
        """Look at everything that is watched, after a walk over the heap or without."""
        if is_walk:
            walk(self.objects)
        self.objects.see_all()
        self.locals.see(frame)
        self.locals.name_objects(frame, self.objects)

    def saved(self, how: str, path: str, place: Place, values: list[tuple[str, Any]]) -> None:
        """Note a file that was written, and which of the watched values are in it."""
        begin = time.perf_counter()
        number, self.files = self.files, self.files + 1
        frame = sys._getframe(1)
        self.walks += 1
        self.look_around(frame, self.walks == 1 or self.files == 1)
        payload = read_payload(values, getattr(self.local, "reduced", {}))
        for watched in self.objects.everything():
            cover(watched, payload, number)
        self.locals.cover(frame, payload, number)
        self.objects.link()
        self._write_save(how, path, place, payload, number)
        self.tell()
        self.seconds += time.perf_counter() - begin

    def _write_save(self, how: str, path: str, place: Place, payload: Payload, number: int) -> None:
        self.journal.write(
            "save",
            number=number,
            how=how,
            path=path,
            place=place,
            step=self.steps,
            keys=payload.keys[:200],
            optimizer=payload.has_optimizer,
        )

    def tell(self) -> None:
        """Write what is new."""
        self.objects.tell()
        self.locals.tell()

    def exit(self) -> None:
        """Look a last time, and say that the process ends in order; once, however it ends."""
        if self.has_ended:
            return
        self.has_ended = True
        if "torch" in sys.modules:
            self.objects.see_all()
            self.objects.link()
            self.tell()
        self.journal.write("exit", steps=self.steps, seconds=self.seconds, faults=self.journal.faults)
