"""Run the command with `python -m flake8_ckpt`."""

from __future__ import annotations

import sys

from flake8_ckpt.cli import main

if __name__ == "__main__":
    sys.exit(main())
