"""Run the linter the way a user does, and read its findings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

QUOTED = re.compile(r"'([^']+)'")
MANGLED = re.compile(r"_[A-Za-z]\w*?(__\w+)")


@dataclass(frozen=True)
class Place:
    """Some lines of a file; `path` is relative to the root that was linted."""

    path: str
    line: int
    end_line: int

    def is_near(self, path: str, line: int, distance: int = 0) -> bool:
        """Tell whether the line lies in this place, or at most `distance` lines away."""
        return self.path == path and self.line - distance <= line <= self.end_line + distance


@dataclass(frozen=True)
class Report:
    """A finding as the command prints it."""

    code: str
    place: Place
    column: int
    message: str
    related: tuple[Place, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        """Return the finding's own place and those it is related to."""
        return (self.place, *self.related)

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the message quotes: first the attribute or the key."""
        return tuple(name.removeprefix("self.") for name in QUOTED.findall(self.message))

    def is_about(self, name: str) -> bool:
        """Tell whether the message names this attribute, be it by its mangled name."""
        return not plain_names([name]).isdisjoint(self.names)


def plain_names(names: Iterable[str]) -> frozenset[str]:
    """Return the names, and what the source calls those that Python mangled."""
    found = list(names)
    mangled = (MANGLED.fullmatch(name) for name in found)
    return frozenset(found).union(match[1] for match in mangled if match)


def lint(root: Path, enable: str = "") -> list[Report]:
    """Lint a directory without configuration and cache; `enable` adds opt-in codes."""
    command = [sys.executable, "-m", "flake8_ckpt", "check", "--isolated", "--output-format", "json"]
    command += ["--ckpt-no-cache", "--ckpt-root", str(root)]
    command += ["--ckpt-enable", enable] if enable else []
    done = subprocess.run([*command, str(root)], capture_output=True, text=True, encoding="utf-8")
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the linter failed on {root}:\n{done.stderr}")
    return read_reports(done.stdout, root)


def read_reports(text: str, root: Path) -> list[Report]:
    """Read the JSON that the command prints."""
    return [read_report(entry, root) for entry in json.loads(text or "[]")]


def read_report(entry: dict[str, Any], root: Path) -> Report:
    """Read one finding."""
    related = tuple(read_place(other, root) for other in entry["related"])
    return Report(entry["code"], read_place(entry, root), entry["column"], entry["message"], related)


def read_place(entry: dict[str, Any], root: Path) -> Place:
    """Read where a finding or a related location is."""
    path = os.path.relpath(os.path.abspath(entry["path"]), os.path.abspath(root))
    return Place(path.replace(os.sep, "/"), entry["line"], entry["end_line"])
