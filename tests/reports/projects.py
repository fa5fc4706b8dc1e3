"""Small projects for the formats: what each would get wrong if it believed the code that it shows."""

from __future__ import annotations

from pathlib import Path

from tests.front_end import NORMALIZER
from tests.front_end import Run
from tests.front_end import check
from tests.front_end import write

# A tab, a wide character and text beyond the first plane stand before what is found.
WIDE = """\
import torch
from torch import nn


class Normalizer(nn.Module):
\tdef __init__(self, size: int) -> None:
\t\tsuper().__init__()
\t\tnote = "größe 𐐀"; self.mean = torch.zeros(
\t\t\tsize,
\t\t)

\tdef update(self, batch: torch.Tensor) -> None:
\t\tself.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

\tdef forward(self, batch: torch.Tensor) -> torch.Tensor:
\t\treturn batch - self.mean
"""
# The key tries to end whatever it is written into: markup, a workflow command, JSON, a terminal's colors.
KEY = "<script>alert(1)</script>,::error::x%0A\\n::set-env::\\x1b[31m](1)\\u202e&\\\"'"
HOSTILE = f'''\
import torch


def save(model, path):
    torch.save({{"model": model.state_dict()}}, path)


def load(model, optimizer, path):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["{KEY}"])
    optimizer.step()


def main(model, optimizer):
    load(model, optimizer, "a.pt")
    save(model, "a.pt")
'''
HOSTILE_NAME = "<img src=x onerror=alert(1)>, 100% [a](1).py"
PROJECT = {
    "setup.cfg": "",
    "pkg/plain.py": NORMALIZER,
    "pkg/wide.py": WIDE,
    f"pkg/{HOSTILE_NAME}": HOSTILE,
    "pkg/broken.py": "def f(:\n",
}


def reported(folder: Path, form: str, *arguments: str) -> Run:
    """Write the project into a folder that is a repository, unless it is there, and check it in a format."""
    if not (folder / ".git").exists():
        write(folder, PROJECT)
        (folder / ".git").mkdir()
    return check(folder, "--isolated", "--ckpt-no-cache", f"--output-format={form}", *arguments)
