"""Which tests execute which lines: run the tests once, each case as a context of its own of coverage.

What a module runs when it is imported is no case's own: else the first case that needs it would have it alone.
"""

from __future__ import annotations

import ast
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import coverage
import msgspec
import pytest

from benchmarks.mutations import FUNCTIONS

Place = tuple[str, int]


@dataclass(frozen=True)
class Reached:
    """For each case its seconds, and for each file and line the cases that execute it, by their number."""

    seconds: Mapping[str, float]
    lines: Mapping[str, Mapping[int, Sequence[int]]]

    @cached_property
    def names(self) -> Sequence[str]:
        """Return the cases in the order of their numbers."""
        return list(self.seconds)

    def cases(self, path: str, own: Iterable[Place], named: Iterable[Place], most: float) -> list[str]:
        """Return the cases that execute one of a mutant's own lines, within so many seconds.

        Where none does, all: those first that execute a line that names what the mutant edits. Those that
        execute the most of its file come before others: they go on where others are silent early.
        """
        reached = self._at(own)
        first = set() if reached else self._at(named)
        depth = Counter(case for cases in self.lines.get(path, {}).values() for case in cases)
        order = sorted(
            reached or range(len(self.names)), key=lambda case: (case not in first, -depth[case], case)
        )
        return list(_within([self.names[case] for case in order], self.seconds, most))

    def _at(self, places: Iterable[Place]) -> set[int]:
        return {case for path, line in places for case in self.lines.get(path, {}).get(line, ())}


def _within(cases: Sequence[str], seconds: Mapping[str, float], most: float) -> Iterator[str]:
    for case in cases:
        most -= seconds[case]
        if most >= 0:
            yield case


class Watch:
    """A plugin of pytest that makes each case a context, and notes its processor time."""

    def __init__(self, watched: coverage.Coverage) -> None:
        self.watched = watched
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Watch one case."""
        started = time.process_time()
        self.watched.switch_context(item.nodeid)
        result = yield
        self.watched.switch_context("")
        self.seconds[item.nodeid] = time.process_time() - started
        return result


def learn(tests: Sequence[str], package: str, output: Path) -> int:
    """Run the tests below the current folder, write what they reach, and return the exit code of pytest."""
    watched = coverage.Coverage(data_file=None, config_file=False, include=[f"{package}/*"])
    watch = Watch(watched)
    watched.start()
    code = pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", *tests], plugins=[watch])
    watched.stop()
    data = watched.get_data()
    numbers = {name: number for number, name in enumerate(watch.seconds)}
    lines = {
        os.path.relpath(path): {
            line: [numbers[case] for case in cases if case]
            for line, cases in data.contexts_by_lineno(path).items()
            if line in late
        }
        for path in data.measured_files()
        if (late := within_functions(Path(path).read_bytes()))
    }
    output.write_bytes(msgspec.json.encode(Reached(watch.seconds, lines)))
    return int(code)


def within_functions(source: bytes) -> set[int]:
    """Return the lines of a file that do not run when it is imported."""
    bodies = [node.body for node in ast.walk(ast.parse(source)) if isinstance(node, FUNCTIONS)]
    return {line for body in bodies for line in range(body[0].lineno, (body[-1].end_lineno or 0) + 1)}


def read(path: Path) -> Reached:
    """Read what was learned."""
    return msgspec.json.decode(path.read_bytes(), type=Reached)


if __name__ == "__main__":
    sys.exit(learn(sys.argv[3:], sys.argv[1], Path(sys.argv[2])))
