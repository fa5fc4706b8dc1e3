"""Where settings come from: the command line, flake8's section [flake8], and [tool.flake8-ckpt] of pyproject.toml."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from configparser import RawConfigParser
from pathlib import Path
from typing import Optional

from flake8.exceptions import ExecutionError
from flake8.main.options import stage1_arg_parser
from flake8.options.config import load_config
from msgspec import Struct

from flake8_ckpt.plain_file import read_plain
from flake8_ckpt.plain_file import refuse_strange

SECTIONS = ("flake8", "flake8:local-plugins")
NAMES = ("setup.cfg", "tox.ini", ".flake8")
PYPROJECT = "pyproject.toml"
TABLE = "flake8-ckpt"
PREFIX = "ckpt-"
# What the environment may say for an option that a project's configuration does not decide.
VARIABLES = {"ckpt-cache-dir": "FLAKE8_CKPT_CACHE_DIR"}


class Configuration(Struct, frozen=True):
    """What configures a run: `section` is [flake8] of `files`, `table` is [tool.flake8-ckpt] of `pyproject`.

    Both map the names of options, with hyphens, to what is written there; those of the table have no prefix.
    """

    arguments: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    section: Mapping[str, str] = {}
    flake8_folder: Optional[Path] = None
    pyproject: Optional[Path] = None
    table: Mapping[str, object] = {}

    @property
    def folder(self) -> Optional[Path]:
        """Return the folder of the configuration that counts most: flake8's, else that of pyproject.toml."""
        return self.flake8_folder or (self.pyproject.parent if self.pyproject is not None else None)

    def place_of(self, name: str) -> str:
        """Return where an option is set, as an error says it: an argument, a variable, or a line of a file."""
        if self.is_argument(name):
            return f"--{name}"
        if os.environ.get(VARIABLES.get(name, "")):
            return VARIABLES[name]
        if name in self.section:
            path, line = _find_in_section(self.files, name)
            return f"{printed(path)}:{line}: {name}"
        short = name.removeprefix(PREFIX)
        if self.pyproject is not None and short in self.table:
            return f"{printed(self.pyproject)}:{_line_in_table(self.pyproject, short)}: {short}"
        return f"--{name}"

    def is_argument(self, name: str) -> bool:
        """Say whether the command line sets an option."""
        return any(each.partition("=")[0] == f"--{name}" for each in self.arguments)

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raise flake8's ExecutionError, with file and line, for an option of ours that there is not."""
        for name in self.section:
            if name.startswith(PREFIX) and name not in known:
                path, line = _find_in_section(self.files, name)
                raise ExecutionError(f"{printed(path)}:{line}: unknown option {name!r}: {_hint(name, known)}")
        short = [each.removeprefix(PREFIX) for each in known]
        for name in self.table:
            if self.pyproject is not None and name not in short:
                line = _line_in_table(self.pyproject, name)
                place = f"{printed(self.pyproject)}:{line}"
                raise ExecutionError(f"{place}: unknown option {name!r}: {_hint(name, short)}")


def read_configuration(arguments: Sequence[str]) -> Configuration:
    """Return what configures a run of flake8 or of our command with these arguments.

    flake8 does not tell its plugins, so ask it again. Raises ExecutionError for a broken pyproject.toml
    that is meant for us.
    """
    try:
        args, _ = stage1_arg_parser().parse_known_args(arguments)
        config, folder = load_flake8(args.config, [], isolated=args.isolated)
        is_used = any(section in config for section in SECTIONS)
        extra = [] if args.isolated else list(args.append_config)
        config.read(extra, encoding="UTF-8")
    # argparse exits; a configuration that cannot be read is flake8's to report.
    except (SystemExit, Exception):
        return Configuration(tuple(arguments))
    pyproject, table = (None, {}) if args.isolated else _find_pyproject(Path.cwd())
    files = [args.config] if args.config else [os.path.join(folder, name) for name in NAMES]
    return Configuration(
        tuple(arguments),
        tuple(Path(os.path.abspath(path)) for path in (*reversed(extra), *files)),
        _section(config),
        Path(os.path.abspath(folder)) if is_used else None,
        pyproject,
        table,
    )


def load_flake8(named: Optional[str], extra: list[str], *, isolated: bool) -> tuple[RawConfigParser, str]:
    """Return flake8's configuration and its folder, as flake8 finds them.

    Raises ExecutionError for a device, a pipe or a huge file in its place, at which flake8 itself would hang.
    """
    here = Path.cwd()
    found = [folder / name for folder in (here, *here.parents) for name in NAMES]
    for path in [] if isolated else [Path(named)] if named else found:
        try:
            refuse_strange(path)
        except OSError as error:
            raise ExecutionError(f"{printed(path)}: cannot be read: {error.strerror}") from error
    config, folder = load_config(named, extra, isolated=isolated)
    return config, folder


def printed(path: Path) -> str:
    """Return a path as messages name it: from the working folder where it lies below it, with forward slashes."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def _section(config: RawConfigParser) -> dict[str, str]:
    if not config.has_section("flake8"):
        return {}
    return {name.replace("_", "-"): value for name, value in config.items("flake8")}


def _find_in_section(files: Sequence[Path], name: str) -> tuple[Path, int]:
    """Return the file and line of an option: the first file that has it wins."""
    spelled = re.compile(rf"^{_spelled(name)}\s*[=:]", re.IGNORECASE)
    for path in files:
        is_ours = False
        for number, line in enumerate(_lines(path), 1):
            if line.startswith("["):
                is_ours = line.startswith("[flake8]")
            elif is_ours and spelled.match(line):
                return path, number
    return files[0], 1


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        return []


def _find_pyproject(start: Path) -> tuple[Optional[Path], dict[str, object]]:
    """Return the nearest pyproject.toml with a table for us, and the table; home ends the search, as flake8's."""
    home = Path(os.path.expanduser("~"))
    for folder in (start, *start.parents):
        if folder == home and folder != start:
            break
        table = _table_of(folder / PYPROJECT)
        if table is not None:
            return folder / PYPROJECT, table
    return None, {}


def _table_of(path: Path) -> Optional[dict[str, object]]:
    """Return our table of a file, if it has one; the reader of TOML is only imported where our name is in it."""
    try:
        data = read_plain(path)
    except OSError:
        return None
    if TABLE.encode() not in data:
        return None
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        tool = tomllib.loads(data.decode("utf-8-sig")).get("tool", {})
    except (ValueError, RecursionError) as error:
        if f"tool.{TABLE}".encode() not in data:
            return None
        detail = " ".join(str(error).split())
        raise ExecutionError(f"{printed(path)}: [tool.{TABLE}] cannot be read: {detail}") from error
    if not isinstance(tool, dict) or TABLE not in tool:
        return None
    table = tool[TABLE]
    if not isinstance(table, dict):
        raise ExecutionError(f"{printed(path)}: [tool.{TABLE}] is not a table")
    return {name.replace("_", "-"): value for name, value in table.items()}


def _line_in_table(path: Path, name: str) -> int:
    """Return the line of a key in our table, that of the table where it is not found."""
    spelled = re.compile(rf"^\s*[\"']?{_spelled(name)}[\"']?\s*=")
    lines = _lines(path)
    first = next((number for number, line in _headers(lines) if TABLE in line), 1)
    for number in range(first + 1, len(lines) + 1):
        line = lines[number - 1]
        if line.lstrip().startswith("["):
            break
        if spelled.match(line):
            return number
    return first


def _headers(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(lines, 1) if line.lstrip().startswith("["))


def _spelled(name: str) -> str:
    """Return a pattern for an option: flake8 and we take underscores for hyphens."""
    return "[-_]".join(map(re.escape, name.split("-")))


def _hint(name: str, known: Collection[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
