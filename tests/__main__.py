"""All checks in one command, `python -m tests`: types, style and our own rules, pages, tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# The tests come last, so that the last line counts them.
CHECKS = (
    ("mypy",),
    ("ruff", "check"),
    ("ruff", "format", "--check"),
    ("flake8",),
    ("tests.docs", "--check"),
    ("tests.records", "--check"),
    ("pytest", "-q", "-n", "auto", "--maxprocesses", "4", "--dist", "loadgroup"),
)


def main() -> int:
    """Run the checks until one fails; return its exit code."""
    for check in CHECKS:
        print("$", "python -m", *check, flush=True)
        code = subprocess.run([sys.executable, "-m", *check], cwd=ROOT).returncode
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
