"""The options of both front ends: declared once, on flake8's own option manager."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from configparser import RawConfigParser
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Literal
from typing import Optional

from flake8.exceptions import ExecutionError
from flake8.utils import normalize_path
from flake8.utils import parse_comma_separated_list
from msgspec import Struct

from flake8_ckpt.configuration import PREFIX
from flake8_ckpt.configuration import VARIABLES
from flake8_ckpt.configuration import Configuration
from flake8_ckpt.index.discovery import find_root
from flake8_ckpt.index.store import is_url

if TYPE_CHECKING:
    from flake8_ckpt.frameworks.known import Frameworks
    from flake8_ckpt.frameworks.records import Records

ALL = "ALL"
BASELINE = ".flake8_ckpt_baseline.json"
Kind = Literal["text", "list", "flag", "number"]


class Options(Struct, frozen=True, dict=True):
    """What a run needs to know; `jobs` is None where the number of cores decides.

    `own` are the records of the user's files, None where there is no file. `is_lost` says that nothing marks a
    project around the files that are asked about: then only these are read.
    """

    root: Optional[Path] = None
    exclude: tuple[str, ...] = ()
    enable: tuple[str, ...] = ()
    module_bases: tuple[str, ...] = ()
    own: Optional[Records] = None
    baseline: Optional[Path] = None
    no_baseline: bool = False
    cache_dir: Optional[Path] = None
    cache_url: str = ""
    no_cache: bool = False
    jobs: Optional[int] = None
    is_lost: bool = False

    @cached_property
    def frameworks(self) -> Frameworks:
        """Return what is known of libraries, read only where it is asked for."""
        from flake8_ckpt.frameworks.known import DEFAULT
        from flake8_ckpt.frameworks.known import Frameworks

        return DEFAULT if self.own is None else Frameworks(self.own)

    @property
    def framework_key(self) -> str:
        """Return what tells the user's records from others in the key of a cache, "" where there are none."""
        return "" if self.own is None else self.frameworks.key


class Declared(Struct, frozen=True):
    """An option: its name in the section [flake8], and what it is set to."""

    name: str
    kind: Kind
    help: str
    metavar: str = ""
    path: Literal["", "file", "pattern", "file or URL"] = ""

    @property
    def attribute(self) -> str:
        """Return the name of the value in a parsed command line."""
        return self.name.replace("-", "_")


DECLARED = (
    Declared(
        "ckpt-root",
        "text",
        "Folder of the project that is read as a whole. (Default: the folder of the configuration "
        "file, else that of the repository, else the nearest one with pyproject.toml, setup.cfg or setup.py)",
        "folder",
        path="file",
    ),
    Declared(
        "ckpt-exclude",
        "list",
        "Comma-separated list of files or folders that are no part of the project.",
        "patterns",
        path="pattern",
    ),
    Declared(
        "ckpt-enable",
        "list",
        "Comma-separated list of opt-in codes to report, or ALL; CKP11 means all that begin so.",
        "codes",
    ),
    Declared(
        "ckpt-module-bases",
        "list",
        "Comma-separated list of classes outside of the project that are torch modules, as dotted names.",
        "classes",
    ),
    Declared(
        "ckpt-frameworks",
        "list",
        "Comma-separated list of TOML files that tell how your own libraries save and load "
        "(docs/frameworks.md; flake8-ckpt frameworks shows what is known).",
        "files",
        path="file",
    ),
    Declared(
        "ckpt-baseline",
        "text",
        "File of findings that are known and not reported (flake8-ckpt baseline --write makes it)."
        f" (Default: {BASELINE} in the root, where it is there)",
        "file",
        path="file",
    ),
    Declared("ckpt-no-baseline", "flag", "Report what the baseline holds too."),
    Declared(
        "ckpt-cache-dir",
        "text",
        "Folder for the cache (Default: .flake8_ckpt_cache in the root), or, on the command line and in"
        f" {VARIABLES['ckpt-cache-dir']} alone, a URL of fsspec (s3://bucket/folder) where machines with the same"
        " FLAKE8_CKPT_CACHE_KEY share facts (docs/organisation.md).",
        "folder",
        path="file or URL",
    ),
    Declared("ckpt-no-cache", "flag", "Neither read nor write the cache."),
    Declared(
        "ckpt-jobs", "number", "Number of processes that read new files. (Default: the number of cores)", "n"
    ),
)
# Options of one command, by command; a configuration may set them too.
OF_COMMANDS = {"check": ("ckpt-output-format", "ckpt-no-summary"), "fix": ("ckpt-buffer-style",)}
NAMES = (*(each.name for each in DECLARED), *chain.from_iterable(OF_COMMANDS.values()))


# flake8 has no types, so its option manager is Any here.
def add_options(option_manager: Any) -> None:
    """Declare the options, on the command line and in the configuration file.

    flake8 shows its own traceback for a flag or number that is none, so it gets all values as text.
    """
    for each in DECLARED:
        # flake8 takes a URL for a path.
        is_path = each.path in ("file", "pattern")
        arguments: dict[str, Any] = {"metavar": each.metavar, "normalize_paths": is_path}
        if each.kind == "flag":
            arguments = {"action": "store_const", "const": "true"}
        if each.kind == "list":
            arguments["comma_separated_list"] = True
        option_manager.add_option(
            f"--{each.name}", default=None, parse_from_config=True, help=each.help, **arguments
        )


def from_namespace(namespace: argparse.Namespace, configuration: Configuration) -> Options:
    """Return the options that a parsed command line and configuration give.

    Raises flake8's ExecutionError, in one line, for values that make no sense.
    """
    configuration.refuse_unknown(NAMES)
    _add_table(namespace, configuration)
    cache_dir, cache_url = _cache_place(namespace, configuration)
    return Options(
        root=_existing_folder(namespace.ckpt_root, configuration),
        exclude=tuple(namespace.ckpt_exclude or ()),
        enable=_known_codes(namespace.ckpt_enable or (), configuration),
        module_bases=tuple(namespace.ckpt_module_bases or ()),
        own=_own_records(namespace.ckpt_frameworks or (), configuration),
        baseline=_baseline(namespace.ckpt_baseline, configuration),
        no_baseline=flag_of("ckpt-no-baseline", namespace.ckpt_no_baseline, configuration),
        cache_dir=cache_dir,
        cache_url=cache_url,
        no_cache=flag_of("ckpt-no-cache", namespace.ckpt_no_cache, configuration),
        jobs=_positive("ckpt-jobs", namespace.ckpt_jobs, configuration),
    )


def _add_table(namespace: argparse.Namespace, configuration: Configuration) -> None:
    """Set what pyproject.toml says, where neither the command line nor flake8's configuration does."""
    for each in DECLARED:
        value = configuration.table.get(each.name.removeprefix(PREFIX))
        if value is not None and getattr(namespace, each.attribute) is None:
            setattr(namespace, each.attribute, _as_text(each, value, configuration))


def _as_text(option: Declared, value: object, configuration: Configuration) -> object:
    """Return a value of pyproject.toml as flake8 gives those of its own configuration."""
    if option.kind in ("flag", "number"):
        return str(value)
    wants_list = option.kind == "list"
    if isinstance(value, str):
        texts = parse_comma_separated_list(value) if wants_list else [value]
    elif wants_list and isinstance(value, list) and all(isinstance(each, str) for each in value):
        texts = [str(each) for each in value]
    else:
        wanted = "a list of texts" if wants_list else "a text"
        raise ExecutionError(f"{configuration.place_of(option.name)}: {value!r} is not {wanted}")
    folder = os.fspath(configuration.pyproject.parent) if configuration.pyproject is not None else ""
    if option.path == "file" or (option.path == "file or URL" and not any(map(is_url, texts))):
        texts = [os.path.join(folder, os.path.expanduser(each)) for each in texts]
    elif option.path == "pattern":
        texts = [normalize_path(each, folder) for each in texts]
    return texts if wants_list else texts[0]


def _absolute(value: Optional[str], config_dir: Optional[Path]) -> Optional[Path]:
    """Return an absolute path; a bare name in a configuration file is relative to that file."""
    if not value:
        return None
    expanded = os.path.expanduser(value)
    if config_dir is not None and not os.path.exists(expanded):
        return Path(os.path.abspath(config_dir / expanded))
    return Path(os.path.abspath(expanded))


def _cache_place(namespace: argparse.Namespace, configuration: Configuration) -> tuple[Optional[Path], str]:
    """Return the folder for the cache, and the URL of one that machines share; most often there is neither.

    What comes with a cloned project must not make us write outside of it, nor talk to a machine.
    """
    name = "ckpt-cache-dir"
    if not configuration.is_argument(name):
        namespace.ckpt_cache_dir = os.environ.get(VARIABLES[name]) or namespace.ckpt_cache_dir
    value, folder = namespace.ckpt_cache_dir, configuration.folder
    is_ours = configuration.is_argument(name) or bool(os.environ.get(VARIABLES[name]))
    if value and is_url(value):
        if not is_ours:
            ways = f"--{name} or in {VARIABLES[name]}"
            raise ExecutionError(f"{configuration.place_of(name)}: {value!r} is a URL: give it by {ways}")
        return None, value
    if is_ours or folder is None:
        return _absolute(value, None), ""
    path = _absolute(value and normalize_path(value, os.fspath(folder)), folder)
    if path is not None:
        own = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
        _refuse_outside(name, path, (folder, own), value, configuration)
    return path, ""


def _existing_folder(value: Optional[str], configuration: Configuration) -> Optional[Path]:
    folder = _absolute(value, configuration.folder)
    if folder is not None and not folder.is_dir():
        raise ExecutionError(f"{configuration.place_of('ckpt-root')}: {value!r} is not a folder")
    if folder is not None:
        # A cloned project must not have us read the home folder of its reader, and leave a cache there.
        _refuse_elsewhere("ckpt-root", folder, value, configuration)
    return folder


def _baseline(value: Optional[str], configuration: Configuration) -> Optional[Path]:
    path = _absolute(value, configuration.folder)
    if path is not None:
        _refuse_elsewhere("ckpt-baseline", path, value, configuration)
    return path


def _refuse_elsewhere(name: str, path: Path, value: object, configuration: Configuration) -> None:
    """Raise for a path of a configuration that leads out of its folder and of the repository around that."""
    if configuration.folder is not None and not configuration.is_argument(name):
        around = find_root(configuration.folder, None)
        _refuse_outside(name, path, (configuration.folder, around), value, configuration)


def _refuse_outside(
    name: str, path: Path, allowed: Sequence[Path], value: object, configuration: Configuration
) -> None:
    """Raise for a path of a configuration that leads out of all folders that are allowed, be it through links."""
    real = Path(os.path.realpath(path))
    if not any(real.is_relative_to(os.path.realpath(each)) for each in allowed):
        place = configuration.place_of(name)
        raise ExecutionError(f"{place}: {value!r} is outside of {allowed[0]}: give it on the command line")


def _own_records(names: Sequence[str], configuration: Configuration) -> Optional[Records]:
    """Return what the user's files say of libraries; the reader of TOML is only imported where there is one."""
    paths = {path: name for name in names if (path := _absolute(name, configuration.folder)) is not None}
    if not paths:
        return None
    for path, name in paths.items():
        _refuse_elsewhere("ckpt-frameworks", path, name, configuration)
    from flake8_ckpt.frameworks.user_file import RefusedFile
    from flake8_ckpt.frameworks.user_file import read_records

    try:
        return read_records(paths)
    except RefusedFile as error:
        raise ExecutionError(f"--ckpt-frameworks: {error}") from error


def _positive(name: str, text: Optional[str], configuration: Configuration) -> Optional[int]:
    if text is None:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ExecutionError(f"{configuration.place_of(name)}: {text!r} is not a positive number")
    return int(text)


def flag_of(name: str, text: Optional[str], configuration: Configuration) -> bool:
    """Return what a flag is set to, False where it is not; raise ExecutionError for what is neither true nor false."""
    states = RawConfigParser.BOOLEAN_STATES
    if text is not None and text.lower() not in states:
        raise ExecutionError(f"{configuration.place_of(name)}: {text!r} is neither true nor false")
    return text is not None and states[text.lower()]


def _known_codes(asked: Sequence[str], configuration: Configuration) -> tuple[str, ...]:
    """Return the codes that --ckpt-enable means, in full; the rules are only imported where there are any."""
    if not asked:
        return ()
    from flake8_ckpt.rules.base import all_rules

    prefixes = [each.upper() for each in asked]
    if ALL in prefixes:
        return (ALL,)
    known = [rule.code for rule in all_rules()]
    for text, prefix in zip(asked, prefixes):
        if not any(code.startswith(prefix) for code in known):
            opt_in = ", ".join(rule.code for rule in all_rules() if rule.opt_in is not None)
            place = configuration.place_of("ckpt-enable")
            raise ExecutionError(f"{place}: unknown code {text!r}; the opt-in codes are {opt_in}")
    return tuple(code for code in known if code.startswith(tuple(prefixes)))
