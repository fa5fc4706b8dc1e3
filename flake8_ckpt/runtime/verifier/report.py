"""What a round trip found, as a record that prints as one line for each object that does not hold something."""

from __future__ import annotations

from dataclasses import dataclass

from flake8_ckpt.runtime.verifier.grouping import note_lines
from flake8_ckpt.runtime.verifier.grouping import problem_lines
from flake8_ckpt.runtime.verifier.problem import Problem

MOST_NOTES = 8


@dataclass(frozen=True)
class Report:
    """What `verify_roundtrip` saw.

    `problems` fail the trip; `notes` do not: lost values that make no difference to going on, single paths that
    were vacuous, buffers that updates rebind.
    `skipped` says what was not checked and why; `compared` counts the values that were compared.
    """

    subject: str
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    skipped: tuple[str, ...]
    trips: tuple[str, ...]
    compared: int

    @property
    def ok(self) -> bool:
        """Return whether nothing failed."""
        return not self.problems

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return the report: a headline, the problems, the notes, and what was not checked."""
        trips = ", ".join(self.trips) or "nothing"
        problems, notes = problem_lines(self.problems), note_lines(self.notes)
        count = f"{len(problems)} problem" + "s" * (len(problems) > 1) if problems else "no problem"
        lines = [f"round trip of {self.subject}: {count}, {self.compared} values compared through {trips}"]
        lines += [f"  {problem}" for problem in problems]
        lines += [f"  note: {note}" for note in notes[:MOST_NOTES]]
        lines += [f"  note: {len(notes) - MOST_NOTES} more"] if len(notes) > MOST_NOTES else []
        lines += [f"  not checked: {reason}" for reason in self.skipped]
        if any(note.kind == "unread" for note in self.notes):
            lines.append(
                "  (unread: lost, but a copy goes on all the same; continue_with may have to do more)"
            )
        if any(problem.kind == "lost" for problem in self.problems):
            lines.append(
                "  (a value that is meant not to be kept: ignore=('its.path',), with * as a wildcard)"
            )
        return lines


class RoundtripError(AssertionError):
    """A round trip that does not keep everything; `report` has the details."""

    __module__ = "flake8_ckpt.runtime"

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report
