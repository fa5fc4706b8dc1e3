"""The list of `scan`: one repository a line, a folder or an address of git."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from urllib.parse import urlsplit

from flake8.exceptions import ExecutionError

from flake8_ckpt.index.store import is_url
from flake8_ckpt.index.store import without_password
from flake8_ckpt.plain_file import read_plain
from flake8_ckpt.selection import STDIN

# The short form that git knows, git@github.com:owner/name.git; a drive of Windows has one letter.
SHORT_ADDRESS = re.compile(r"(?:[\w.-]+@)?[\w.-]{2,}:(?!//)\S+")


@dataclass(frozen=True)
class Repository:
    """A line of the list: its name in the report, and its folder, or the address that it is cloned from."""

    name: str
    folder: str = ""
    address: str = ""

    @property
    def place(self) -> str:
        """Return where it is, as it may be printed."""
        return without_password(self.address) if self.address else self.folder


def read_list(name: str) -> list[Repository]:
    """Return what a file or standard input lists; raise ExecutionError where there is nothing to scan."""
    try:
        data = sys.stdin.buffer.read() if name == STDIN else read_plain(name)
        found = repositories(data.decode("utf-8-sig").splitlines())
    except OSError as error:
        raise ExecutionError(f"{name}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ExecutionError(f"{name}: is not text in UTF-8: a list has one repository a line") from error
    if not found:
        raise ExecutionError(f"{name}: names no repository: a list has a folder or an address of git a line")
    return found


def repositories(lines: Iterable[str]) -> list[Repository]:
    """Return the repositories that lines name, each once; empty lines and those that begin with # name none."""
    named = (line.strip() for line in lines)
    found = (_repository(line) for line in named if line and not line.startswith("#"))
    return _with_own_names(list(dict.fromkeys(found)))


def _repository(line: str) -> Repository:
    if is_url(line) or (SHORT_ADDRESS.fullmatch(line) and not os.path.lexists(line)):
        return Repository(_last_parts(line), address=line.rstrip("/"))
    folder = os.path.normpath(line)
    return Repository(folder.replace(os.sep, "/"), os.path.abspath(folder))


def _last_parts(address: str) -> str:
    """Return owner and name, which are the last two parts of an address."""
    path = urlsplit(address).path if is_url(address) else address.partition(":")[2]
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    return "/".join(parts[-2:]).removesuffix(".git") or "repository"


def _with_own_names(found: Sequence[Repository]) -> list[Repository]:
    """Return the repositories so that no two have one name."""
    seen: Counter[str] = Counter()
    named = []
    for each in found:
        seen[each.name] += 1
        count = seen[each.name]
        named.append(each if count == 1 else replace(each, name=f"{each.name} ({count})"))
    return named
