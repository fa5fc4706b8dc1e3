"""Run the command with `python -m flake8_ckpt`."""

from __future__ import annotations

import os
import sys


def forget_working_folder() -> None:
    """Look for modules elsewhere than in the working folder, where `python -m` looks first.

    A cloned project may have a `msgspec.py` there; only a clone of ours is needed itself.
    """
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    here = os.getcwd()
    if sys.path[:1] in ([here], [""]) and not os.path.samefile(ours, here):
        del sys.path[0]


if __name__ == "__main__":
    forget_working_folder()
    from flake8_ckpt.cli import main

    sys.exit(main())
