"""The outputs in `docs/formats.md`: each command of the page is run on the file that the page shows."""

from __future__ import annotations

import re
import shlex
import tempfile
from pathlib import Path

from tests.front_end import command
from tests.front_end import write

FILE = re.compile(r"```python\n# (?P<name>\S+)\n(?P<code>.*?)```", re.DOTALL)
OUTPUT = re.compile(r"```console\n\$ flake8-ckpt (?P<command>[^\n]*)\n.*?```", re.DOTALL)


def with_outputs(text: str) -> str:
    """Return the page with what its commands print."""
    shown = FILE.search(text)
    assert shown is not None, "the page shows no file"
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), {shown["name"]: shown["code"], ".git/HEAD": ""})
        return OUTPUT.sub(lambda found: _with_output(found["command"], Path(folder)), text)


def _with_output(asked: str, folder: Path) -> str:
    done = command(folder, *shlex.split(asked), "--isolated", "--ckpt-no-cache", "--no-summary")
    return f"```console\n$ flake8-ckpt {asked}\n{done.out.rstrip()}\n```"
