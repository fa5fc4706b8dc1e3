"""What a revision of git holds: read from its objects, with nothing checked out and no program run but git."""

from __future__ import annotations

import difflib
import subprocess
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flake8_ckpt.index.discovery import project_files
from flake8_ckpt.index.discovery import run_git

REGULAR = (b"100644", b"100755")
# Less alike than this, a file that is gone and one that is new are two files.
MIN_ALIKE = 0.6
CHANGES = ("insert", "replace")


class NoRevision(ValueError):
    """A revision that cannot be read; the text says why in one line."""


@dataclass(frozen=True)
class Lines:
    """Ranges of lines, counted from 1, the ends included."""

    ranges: tuple[tuple[int, int], ...]

    def meet(self, first: int, last: int) -> bool:
        """Say whether any of these lines is within a range."""
        return any(first <= end and start <= last for start, end in self.ranges)


def files_at(root: Path, name: str, exclude: Sequence[str]) -> dict[str, bytes]:
    """Return the Python files of a project at a revision, by their path from the root; raise NoRevision."""
    commit = _git(
        root, name, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
    ).strip()
    listed = _git(root, name, "ls-tree", "-r", "-z", commit.decode())
    blobs = dict(_python_blobs(listed))
    wanted = project_files(root, list(blobs), exclude)
    asked = b"".join(blobs[path] + b"\n" for path in wanted)
    return dict(zip(wanted, _contents(_git(root, name, "cat-file", "--batch", given=asked))))


def changed_lines(before: str, after: str) -> Lines:
    """Return which lines of a text are new or changed."""
    if before == after:
        return Lines(())
    matcher = difflib.SequenceMatcher(None, before.split("\n"), after.split("\n"), autojunk=False)
    return Lines(tuple((start + 1, end) for tag, _, _, start, end in matcher.get_opcodes() if tag in CHANGES))


def renamed(gone: Mapping[str, bytes], new: Mapping[str, bytes]) -> dict[str, str]:
    """Return the old path of each new file that is a moved one, be it changed a little."""
    found: dict[str, str] = {}
    left = {path: data.splitlines() for path, data in gone.items() if data.strip()}
    for path, data in new.items():
        lines = data.splitlines()
        likeness = {
            old: difflib.SequenceMatcher(None, other, lines).quick_ratio() for old, other in left.items()
        }
        best = max(likeness, key=lambda old: likeness[old], default="")
        if best and likeness[best] >= MIN_ALIKE:
            found[path] = best
            del left[best]
    return found


def _python_blobs(listed: bytes) -> Iterator[tuple[str, bytes]]:
    for entry in listed.split(b"\0"):
        head, _, path = entry.partition(b"\t")
        mode, _, blob = head.partition(b" blob ")
        if mode in REGULAR and path.endswith(b".py"):
            yield path.decode("utf-8", "surrogateescape"), blob


def _contents(batch: bytes) -> Iterator[bytes]:
    """Yield the objects of `git cat-file --batch`: each is a line with its size, its bytes, and a line feed."""
    at = 0
    while at < len(batch):
        end = batch.index(b"\n", at)
        size = int(batch[at:end].rpartition(b" ")[2])
        yield batch[end + 1 : end + 1 + size]
        at = end + size + 2


def _git(root: Path, name: str, *arguments: str, given: bytes = b"") -> bytes:
    try:
        done = run_git(root, *arguments, given=given)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoRevision(f"git cannot be run: {error}") from error
    if done.returncode:
        raise NoRevision(
            f"{name!r} is no revision of a repository around {root} (a shallow clone may lack it)"
        )
    return done.stdout
