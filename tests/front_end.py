"""Run the two front ends as a user does, each in a process of its own, on a small project."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from typing import Optional
from typing import Union

from flake8_ckpt.cli import main

NORMALIZER = """\
import torch
from torch import nn


class Normalizer(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.mean = torch.zeros(size)

    def update(self, batch: torch.Tensor) -> None:
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return batch - self.mean
"""
CLEAN = NORMALIZER.replace("self.mean = torch.zeros(size)", 'self.register_buffer("mean", torch.zeros(size))')
# The class that makes `Policy` a module is in another file, and says so only there.
BASE = "from torch import nn\n\n\nclass Base(nn.Module):\n    pass\n"
POLICY = NORMALIZER.replace("from torch import nn\n", "from base import Base\n").replace("nn.Module", "Base")
WARM_UP = """\
from torch import nn


class WarmUp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def forward(self, batch):
        self.steps += 1
        return batch * min(1.0, self.steps / 100)
"""
TIMEOUT = 120.0
# Run flake8 without its own plugins: some of them give up on such code before we see it.
ALONE = """\
import sys

from flake8.main.cli import main
from flake8.plugins import finder

find_plugins = finder._find_importlib_plugins
ours = "flake8-ckpt", "flake8"
finder._find_importlib_plugins = lambda: (
    plugin for plugin in find_plugins()
    if plugin.package == "flake8-ckpt" or plugin.entry_point.group == "flake8.report"
)
sys.exit(main(sys.argv[1:]))
"""
# Root may read and write everything, unless it gives these up.
CAPABILITIES = "-dac_override,-dac_read_search"


@dataclass(frozen=True)
class Run:
    """What a process printed and returned."""

    code: int
    out: str
    err: str

    @property
    def codes(self) -> list[str]:
        """Return the path and code of each printed finding."""
        fields = [line.split(" ", 2) for line in self.out.splitlines()]
        return [f"{place.split(':')[0].removeprefix('./')} {code}" for place, code, _ in fields]


def write(folder: Path, files: Mapping[str, Union[str, bytes]]) -> Path:
    """Write files into a folder, in UTF-8 and without translating newlines; return the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def run(
    folder: Path, *arguments: str, stdin: Union[str, bytes] = b"", env: Optional[Mapping[str, str]] = None
) -> Run:
    """Run Python with these arguments in a folder."""
    done = subprocess.run(
        [*_without_privileges(), sys.executable, *arguments],
        cwd=folder,
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        env={**os.environ, **(env or {})},
        capture_output=True,
        timeout=TIMEOUT,
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


def is_restricted() -> bool:
    """Say whether file permissions count for the processes that are run here."""
    return os.geteuid() != 0 or bool(_without_privileges())


@cache
def _without_privileges() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    command = ("setpriv", f"--inh-caps={CAPABILITIES}", f"--bounding-set={CAPABILITIES}")
    try:
        works = subprocess.run([*command, "true"], capture_output=True).returncode == 0
    except OSError:
        return ()
    return command if works else ()


def flake8(folder: Path, *arguments: str, **options: Any) -> Run:
    """Run flake8."""
    return run(folder, "-m", "flake8", *arguments, **options)


def check(folder: Path, *arguments: str, **options: Any) -> Run:
    """Run `flake8-ckpt check`, without the line that sums up."""
    return command(folder, "check", "--no-summary", *arguments, **options)


def command(folder: Path, *arguments: str, **options: Any) -> Run:
    """Run `flake8-ckpt`."""
    return run(folder, "-m", "flake8_ckpt", *arguments, **options)


def here(folder: Path, *arguments: str) -> Run:
    """Run `flake8-ckpt` in this process, which is ten times as fast as in one of its own."""
    before, streams = os.getcwd(), (sys.stdout, sys.stderr)
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    os.chdir(folder)
    sys.stdout, sys.stderr = out, err
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        os.chdir(before)
        sys.stdout, sys.stderr = streams
    return Run(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))


def both(folder: Path, *arguments: str, **options: Any) -> Run:
    """Run both front ends, assert that they print and return the same, and return that."""
    ours = check(folder, *arguments, **options)
    theirs = flake8(folder, *arguments, **options)
    assert (ours.out, ours.code) == (theirs.out, theirs.code), (ours, theirs)
    assert (ours.err, theirs.err) == ("", "")
    return ours


def flake8_without_plugins(folder: Path, *arguments: str) -> Run:
    """Run flake8 with our plugin alone."""
    return run(folder, "-c", ALONE, *arguments)


def findings(folder: Path, *arguments: str, **options: Any) -> list[dict[str, Any]]:
    """Run `flake8-ckpt check` and return its findings as it says them in JSON."""
    found: list[dict[str, Any]] = json.loads(check(folder, "--output-format=json", *arguments, **options).out)
    return found
