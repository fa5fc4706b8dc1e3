"""Where the project's root is, and which Python files belong to the project."""

from __future__ import annotations

import fnmatch
import os
import subprocess
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from pathlib import PurePath
from types import ModuleType
from typing import Optional

MARKERS = (".git", "pyproject.toml", "setup.cfg", "setup.py")
BUILD_MARKERS = frozenset(MARKERS[1:])
SKIPPED = frozenset({"__pycache__", "__pypackages__", "node_modules", "site-packages"})
# A cloned repository's own configuration must not be able to run a program.
GIT_OPTIONS = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.quotepath=false")
# Set inside git hooks, where they may speak of another repository.
GIT_VARIABLES = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"})
# Nor may an object that it lacks be fetched: how to fetch is a program that its configuration names.
GIT_OFFLINE = {"GIT_ALLOW_PROTOCOL": "", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
GIT_TIMEOUT = 60.0
# A file in /tmp belongs to no project: what lies around it would take minutes to read.
MAX_LOST_FILES = 500
MAX_LOST_ENTRIES = 20_000
Skip = Callable[[str], bool]


def find_root(start: Path, config_dir: Optional[Path]) -> Path:
    """Return the root for `start`: a configuration's directory around it, else the repository, else the nearest mark.

    The packages of a repository are one project, so that a file gets the same findings from each of their folders.
    """
    around = (start, *start.parents)
    if config_dir is not None and config_dir in around:
        return config_dir
    # A home folder that is a repository holds settings, not a project.
    home = Path(os.path.expanduser("~"))
    repositories = (folder for folder in around if folder != home and os.path.exists(folder / MARKERS[0]))
    marked = (folder for folder in around if _is_marked(folder))
    return next(repositories, None) or next(marked, start)


def choose_root(filenames: Sequence[str], config_dir: Optional[Path]) -> Path:
    """Return the root for a run on `filenames`.

    The working directory decides, so that pre-commit's batches of changed files all get
    the same project. Files outside of that root, or a working directory that belongs to no
    project, leave the decision to the folder that the files share.
    """
    here = Path.cwd()
    root = find_root(here, config_dir)
    paths = [Path(os.path.abspath(name)) for name in filenames if name != "-"]
    inside = [path for path in paths if path == root or root in path.parents]
    if not paths or (inside and (root == config_dir or _is_marked(root))):
        return root
    return find_root(_shared_folder(inside or paths), None)


def _shared_folder(paths: Sequence[Path]) -> Path:
    try:
        shared = Path(os.path.commonpath(paths))
    except ValueError:
        shared = paths[0]
    folder = shared if shared.is_dir() else shared.parent
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        if shared in paths and shared.is_dir() and not (folder.parent / "__init__.py").is_file():
            # What lies beside the package of a folder that is named may be anything.
            return folder
        folder = folder.parent
    return folder


def is_lost(root: Path) -> bool:
    """Say whether nothing marks a root as a project, and too much lies below it to be one by chance."""
    if _is_marked(root):
        return False
    seen = found = 0
    pending = [os.fspath(root)]
    for folder in pending:
        for entry in _scan(folder):
            seen += 1
            found += entry.name.endswith(".py")
            if seen > MAX_LOST_ENTRIES or found > MAX_LOST_FILES:
                return True
            if _is_folder(entry) and not _is_foreign(entry.name):
                pending.append(entry.path)
    return False


def package_of(root: Path) -> str:
    """Return the dotted name that a root has as a package itself, or an empty string."""
    parts: list[str] = []
    while (root / "__init__.py").is_file() and root.parent != root:
        parts.append(root.name)
        root = root.parent
    return ".".join(reversed(parts))


def _is_marked(folder: Path) -> bool:
    return any(os.path.exists(folder / marker) for marker in MARKERS)


def relative_path(root: PurePath, filename: str, paths: ModuleType = os.path) -> str:
    """Return a file's path as the project names it: from the root, with forward slashes.

    `paths` is the module for the paths of a system: `ntpath` or `posixpath`.
    """
    absolute = paths.abspath(filename)
    base = paths.join(os.fspath(root), "")
    # The quick way; names that differ in case alone are one file on Windows, which only relpath() knows.
    relative = absolute[len(base) :] if absolute.startswith(base) else _path_outside(absolute, root, paths)
    return str(relative.replace(paths.sep, "/"))


def _path_outside(absolute: str, root: PurePath, paths: ModuleType) -> str:
    """Return a path that leads out of the root; there is none to another drive of Windows."""
    try:
        return str(paths.relpath(absolute, root))
    except ValueError:
        return absolute


def find_files(root: Path, exclude: Sequence[str] = ()) -> list[str]:
    """Return the project's Python files in order, relative to the root.

    Git's view counts where the root lies in a work tree that git can read and that holds
    it. Folders of environments, installed packages and caches are left out, but only below
    the root: a root may itself be an installed package.
    """
    is_match = _matcher(root, tuple(exclude))
    return project_files(root, _list_git(root) or _walk(root, is_match), exclude)


def project_files(root: Path, paths: Sequence[str], exclude: Sequence[str]) -> list[str]:
    """Return those of all paths below a root that are Python files of the project, in order."""
    is_match = _matcher(root, tuple(exclude))
    is_skipped = _folder_filter(paths, is_match)
    return sorted(
        path
        for path in set(paths)
        if path.endswith(".py")
        and _is_printable(path)
        and not is_skipped(path.rpartition("/")[0])
        and not is_match(path)
    )


def is_excluded(root: Path, exclude: Sequence[str], path: str) -> bool:
    """Say whether an exclude option names this file or a folder around it."""
    if not exclude:
        return False
    is_match = _matcher(root, tuple(exclude))
    parts = path.split("/")
    return any(is_match("/".join(parts[:count])) for count in range(1, len(parts) + 1))


def _matcher(root: Path, exclude: tuple[str, ...]) -> Skip:
    """Return flake8's test of an exclude option: the name or the absolute path matches."""
    base = os.path.join(os.fspath(root), "")

    def is_match(path: str) -> bool:
        name = path.rpartition("/")[2]
        absolute = base + path.replace("/", os.sep)
        return any(
            fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(absolute, pattern) for pattern in exclude
        )

    return is_match


def _folder_filter(paths: Sequence[str], is_match: Skip) -> Skip:
    environments = {path.rpartition("/")[0] for path in paths if path.endswith("/pyvenv.cfg")}

    @cache
    def is_skipped(folder: str) -> bool:
        if not folder:
            return False
        parent, _, name = folder.rpartition("/")
        return _is_foreign(name) or folder in environments or is_match(folder) or is_skipped(parent)

    return is_skipped


def _is_foreign(name: str) -> bool:
    return name.startswith(".") or name in SKIPPED


def _is_printable(path: str) -> bool:
    """Say whether a file name is text at all: on Linux it may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _list_git(root: Path) -> list[str]:
    """Return what git lists below the root, or nothing where git has no view of it."""
    if not any(os.path.exists(folder / ".git") for folder in (root, *root.parents)):
        return []
    listing = ("ls-files", "-co", "--exclude-standard", "-z", "--", "*.py", "pyvenv.cfg", "*/pyvenv.cfg")
    try:
        done = run_git(root, *listing)
    except (OSError, subprocess.SubprocessError):
        return []
    return [os.fsdecode(path) for path in done.stdout.split(b"\0") if path] if done.returncode == 0 else []


def run_git(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, with nothing in its environment or configuration that runs other programs."""
    environment = {name: value for name, value in os.environ.items() if name not in GIT_VARIABLES}
    return subprocess.run(
        ("git", *GIT_OPTIONS, *arguments),
        cwd=folder,
        env={**environment, **GIT_OFFLINE},
        input=given,
        capture_output=True,
        timeout=GIT_TIMEOUT,
    )


def _walk(root: Path, is_match: Skip) -> list[str]:
    found: list[str] = []
    pending = [""]
    while pending:
        folder = pending.pop()
        entries = list(_scan(os.path.join(root, folder)))
        names = {entry.name for entry in entries}
        if folder and "pyvenv.cfg" in names:
            continue
        for entry in entries:
            path = f"{folder}{entry.name}"
            if _is_folder(entry):
                if not (_is_foreign(entry.name) or _is_build(entry.name, names) or is_match(path)):
                    pending.append(f"{path}/")
            elif entry.name.endswith(".py") and _is_file(entry):
                found.append(path)
    return found


def _scan(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return


def _is_build(name: str, siblings: set[str]) -> bool:
    """Say whether a folder holds what setuptools built from its siblings."""
    return name == "build" and not siblings.isdisjoint(BUILD_MARKERS)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Say whether to look inside; links are not followed, so that loops do no harm."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Say whether this is a regular file, or a link to one that is there."""
    try:
        return entry.is_file()
    except OSError:
        return False
