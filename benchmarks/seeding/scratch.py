"""A scratch copy of a project that a benchmark edits, and what the linter finds in it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Code that a project carries along, or that no program of it runs.
SKIPPED = re.compile(
    r"(^|/)(tests?|docs?|\.[^/]+|build|third_party|site-packages)/|(^|/)(test_[^/]*|conftest|setup)\.py$"
)


@dataclass(frozen=True, order=True)
class Found:
    """A finding of the linter: its place within the project, its code and what it says."""

    path: str
    line: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.code} {self.message}"


class Scratch:
    """A copy of a project in a folder of its own; the original is never written to."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.name = source.name
        self.root = folder / source.name
        self.cache = folder / f"{source.name}.cache"
        shutil.copytree(source, self.root, symlinks=True, ignore=shutil.ignore_patterns(".git"))

    def python_files(self) -> list[Path]:
        """Return the files of the project's own programs, sorted."""
        return [
            path
            for path in sorted(self.root.rglob("*.py"))
            if path.is_file() and not SKIPPED.search(path.relative_to(self.root).as_posix())
        ]

    def lint(self, *options: str) -> list[Found]:
        """Return what `check` finds, whatever the project's own configuration and comments say."""
        command = [
            sys.executable,
            "-m",
            "flake8_ckpt",
            "check",
            "--isolated",
            "--disable-noqa",
            "--exit-zero",
        ]
        command += [
            "--output-format=json",
            "--ckpt-root=.",
            "--ckpt-jobs=1",
            f"--ckpt-cache-dir={self.cache}",
        ]
        done = subprocess.run([*command, *options, "."], cwd=self.root, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{self.name}: check exits with {done.returncode}: {done.stderr[-500:]}")
        findings: list[dict[str, Any]] = json.loads(done.stdout or "[]")
        return sorted(
            Found(Path(each["path"]).as_posix(), each["line"], each["code"], each["message"])
            for each in findings
        )
