"""A clone of a repository that is scanned: its newest commit, without hooks, submodules, or questions to a user."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flake8.exceptions import ExecutionError

from flake8_ckpt.index.discovery import GIT_VARIABLES
from flake8_ckpt.index.discovery import run_git
from flake8_ckpt.index.folder import user_folder
from flake8_ckpt.index.store import without_password

SECONDS = 600.0
CLONE = (
    "git",
    *("-c", "core.hooksPath=/dev/null"),
    *("clone", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--"),
)
# Nobody answers a question, an address names no program (ext::), and large files are not fetched.
CLONING = {
    "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GIT_LFS_SKIP_SMUDGE": "1",
}
BATCH = "ssh -o BatchMode=yes"


@contextmanager
def clones_folder() -> Iterator[Path]:
    """Give an empty folder that is removed at the end: among the user's caches, where no stranger puts settings."""
    try:
        own = user_folder()
        own.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        own = None
    with tempfile.TemporaryDirectory(prefix="scan-", dir=own, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def clone(address: str, folder: Path) -> None:
    """Clone what is at an address into a folder; raise ExecutionError, in one line, where that fails."""
    environment = {name: value for name, value in os.environ.items() if name not in GIT_VARIABLES}
    environment.setdefault("GIT_SSH_COMMAND", BATCH)
    try:
        done = subprocess.run(
            [*CLONE, address, os.fspath(folder)],
            env={**environment, **CLONING},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise ExecutionError(f"cannot be cloned: not there after {SECONDS:g} s") from error
    except OSError as error:
        raise ExecutionError(f"cannot be cloned: git cannot be run ({error})") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").replace(address, without_password(address))
        lines = [line for line in said.splitlines() if line and not line.startswith(("warning:", "hint:"))]
        raise ExecutionError(f"cannot be cloned: {lines[0] if lines else 'git does not say why'}")


def commit_of(folder: Path) -> str:
    """Return the commit that a folder is at, "" where it is no top of a repository."""
    if not (folder / ".git").exists():
        return ""
    try:
        done = run_git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("ascii", "replace").strip() if done.returncode == 0 else ""
