"""Write the Python files of one commit of a repository."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO
from typing import Optional


def make_checkouts(names: Iterable[str], mirrors: Path, checkouts: Path) -> None:
    """Write the Python files of each `OWNER+NAME@COMMIT` that is not there yet."""
    for name in sorted(set(names)):
        repository, _, commit = name.partition("@")
        git_dir = find_mirror(mirrors, repository)
        if git_dir and not (checkouts / name).exists():
            extract(git_dir, commit, checkouts / name)


def find_mirror(mirrors: Path, name: str) -> Optional[Path]:
    """Return the git directory of a repository."""
    candidates = [mirrors / name / "repo", mirrors / f"{name}.git", mirrors / name / ".git", mirrors / name]
    return next((found for found in candidates if (found / "HEAD").is_file()), None)


def extract(git_dir: Path, commit: str, target: Path) -> None:
    """Write the Python files of a commit; a copy that lacks other objects is good enough."""
    listing = git(git_dir, ["ls-tree", "-r", "-z", commit], b"").decode("utf-8", "surrogateescape")
    entries = [entry.partition("\t") for entry in listing.split("\0") if entry]
    files = {name: kind.split()[2] for kind, _, name in entries if is_python_file(kind, name)}
    wanted = "".join(f"{blob}\n" for blob in files.values()).encode()
    blobs = io.BytesIO(git(git_dir, ["cat-file", "--batch"], wanted))
    partial = target.with_name(target.name + ".partial")
    for name in files:
        (partial / name).parent.mkdir(parents=True, exist_ok=True)
        (partial / name).write_bytes(read_blob(blobs))
    partial.rename(target)


def read_blob(blobs: BinaryIO) -> bytes:
    """Read the next answer of `git cat-file --batch`; an absent object is empty."""
    head = blobs.readline().split()
    if head[1] != b"blob":
        return b""
    return blobs.read(int(head[2]) + 1)[:-1]


def is_python_file(kind: str, name: str) -> bool:
    """Tell whether an entry of a tree is a regular Python file."""
    return kind.startswith("100") and name.endswith(".py") and ".." not in name.split("/")


def git(git_dir: Path, arguments: list[str], stdin: bytes) -> bytes:
    """Run git on a repository that may belong to someone else."""
    command = ["git", "-c", "safe.directory=*", f"--git-dir={git_dir}", *arguments]
    return subprocess.run(command, input=stdin, stdout=subprocess.PIPE, check=True).stdout
