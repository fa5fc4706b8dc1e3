"""One thing that a round trip does not keep, as a record that prints as one line."""

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
    "unread": "lost, and going on did not read it",
    "renewed": "lost, and going on made it anew",
    "vacuous": "equal before loading, so nothing was tested",
}


@dataclass(frozen=True)
class Origin:
    """Where a value comes from: `name` ("Policy.mean"), its first assignment, and the code of the rule about it."""

    name: str
    file: str
    line: int
    code: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code} {self.name}"


@dataclass(frozen=True)
class Problem:
    """One thing that a round trip does not keep.

    `kind` is a key of `KINDS`, `path` leads to the value ("obs_rms.mean"), and `via` names the trips.
    `origin` is there for values of classes whose source can be read.
    """

    kind: str
    path: str
    expected: str
    found: str
    via: tuple[str, ...] = ()
    origin: Origin | None = None

    def __str__(self) -> str:
        return f"{self.kind:<8}  {self.path}: {self.values}{self.ending}"

    @property
    def values(self) -> str:
        """What was expected, and what is there."""
        return f"was {self.expected}; {self.found}" if self.expected else self.found

    @property
    def ending(self) -> str:
        """The trips in brackets, and where the value comes from."""
        words = f" ({', '.join(self.via)})" if self.via else ""
        return f"{words}, {self.origin}" if self.origin else words


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
