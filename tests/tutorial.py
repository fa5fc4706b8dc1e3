"""Follow a tutorial in an empty folder: write the files that it shows, run its commands, and see what they print."""

from __future__ import annotations

import math
import re
import shlex
import sys
import tempfile
from pathlib import Path

from tests.front_end import run

BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"# (\w+\.py)\n")
PROGRAMS = {"python": (), "flake8-ckpt": ("-m", "flake8_ckpt"), "pytest": ("-m", "pytest")}
PLAIN = {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
# The size of a file depends on the version of torch, and the time on the machine.
VOLATILE = re.compile(r"torch zip, [\d.]+ \w+|in \d+\.\d+s")
NOTE = re.compile(r"^flake8-ckpt: note: .*\n", re.MULTILINE)
NUMBER = re.compile(r"(-?\d+\.\d+)")


def with_outputs(text: str) -> str:
    """Return the text with the output of each command as it is now, where it is not what is shown."""
    with tempfile.TemporaryDirectory() as folder:
        return BLOCK.sub(lambda block: _follow(Path(folder), block), text)


def alike(shown: str, printed: str) -> bool:
    """Tell whether two outputs are the same, up to the last digits of a float32 and what is volatile."""
    one, other = (NUMBER.split(VOLATILE.sub("", text)) for text in (shown, printed))
    return one[::2] == other[::2] and all(
        math.isclose(float(left), float(right), rel_tol=1e-4, abs_tol=1e-6)
        for left, right in zip(one[1::2], other[1::2])
    )


def _follow(folder: Path, block: re.Match[str]) -> str:
    kind, body = block.groups()
    if kind == "python":
        name = NAME.match(body)
        assert name, f"the first line does not name a file: {body.partition(chr(10))[0]}"
        (folder / name[1]).write_text(body, encoding="utf-8")
        return block[0]
    commands = [line for line in body.splitlines() if line.startswith("$ ")]
    printed = "".join(f"{command}\n{_output(folder, command)}" for command in commands)
    return block[0] if alike(body, printed) else f"```{kind}\n{printed}```"


def _output(folder: Path, command: str) -> str:
    program, *arguments = shlex.split(command.removeprefix("$ "))
    done = run(folder, *PROGRAMS[program], *map(_word, arguments), env=PLAIN)
    # Here the errors come last; in a terminal, a note that comes before the work stands first.
    early = "".join(NOTE.findall(done.err))
    return (early + done.out + NOTE.sub("", done.err)).replace(f"{folder}/", "")


def _word(argument: str) -> str:
    """Return a word of a command line; the Python that `watch` is given is the one that runs the tests."""
    return sys.executable if argument == "python" else argument
