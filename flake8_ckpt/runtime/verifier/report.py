"""What a round trip found, as records that print as one line for each problem."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace

# What each kind means, in the order in which a report lists them.
KINDS = {
    "unsafe": "the file loads only with weights_only=False",
    "refused": "the saved state does not load into a new object",
    "lost": "comes back as in a new object",
    "changed": "comes back as something else",
    "aliased": "shares memory with the loaded payload, so that a later update changes both",
    "stale": "a reference taken earlier no longer follows",
    "diverged": "the copies do not go on alike",
    "vacuous": "equal before loading, so nothing was tested",
}
MOST_NOTES = 8


@dataclass(frozen=True)
class Problem:
    """One thing that a round trip does not keep.

    `kind` is a key of `KINDS`, `path` leads to the value ("obs_rms.mean"), and `via` names the trips.
    """

    kind: str
    path: str
    expected: str
    found: str
    via: tuple[str, ...] = ()

    def __str__(self) -> str:
        values = f"was {self.expected}; {self.found}" if self.expected else self.found
        trips = f" ({', '.join(self.via)})" if self.via else ""
        return f"{self.kind:<8}  {self.path}: {values}{trips}"


@dataclass(frozen=True)
class Report:
    """What `verify_roundtrip` saw.

    `problems` fail the trip; `notes` do not: single paths that were vacuous, buffers that updates rebind.
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
        count = "no problem" if self.ok else f"{len(self.problems)} problem" + "s" * (len(self.problems) > 1)
        lines = [f"round trip of {self.subject}: {count}, {self.compared} values compared through {trips}"]
        lines += [f"  {problem}" for problem in self.problems]
        lines += [f"  note: {note}" for note in self.notes[:MOST_NOTES]]
        lines += [f"  note: {len(self.notes) - MOST_NOTES} more"] if len(self.notes) > MOST_NOTES else []
        lines += [f"  not checked: {reason}" for reason in self.skipped]
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


def order(problem: Problem) -> int:
    """Return where a problem stands in a report."""
    return list(KINDS).index(problem.kind)


def gather(problems: list[Problem]) -> tuple[Problem, ...]:
    """Return the problems, sorted by kind, with what is lost on several trips in one; the first says how."""
    groups: dict[tuple[str, ...], list[Problem]] = {}
    for problem in problems:
        words = problem.expected or ("" if problem.kind == "refused" else problem.found)
        groups.setdefault((problem.kind, problem.path, words), []).append(problem)
    return tuple(sorted(map(merge, groups.values()), key=order))


def merge(group: list[Problem]) -> Problem:
    """Return the first of some problems, with the trips of all."""
    trips = dict.fromkeys(via for problem in group for via in problem.via)
    return replace(group[0], via=tuple(trips))


def one_line(error: Exception) -> str:
    """Return what an exception says, in one line, after the name of its class."""
    words = " ".join(line.strip() for line in str(error).splitlines() if line.strip())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
