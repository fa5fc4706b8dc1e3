"""What `check --show-settings` prints: each setting of a run, and where it comes from."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from flake8_ckpt.commands.arguments import root_reason
from flake8_ckpt.commands.defaults import place_of
from flake8_ckpt.configuration import PREFIX
from flake8_ckpt.configuration import Configuration
from flake8_ckpt.configuration import printed
from flake8_ckpt.index.store import without_password
from flake8_ckpt.options import BASELINE
from flake8_ckpt.options import DECLARED
from flake8_ckpt.options import OF_COMMANDS
from flake8_ckpt.options import Options
from flake8_ckpt.selection import known_findings

FLAKE8 = (
    "select",
    "extend-select",
    "ignore",
    "extend-ignore",
    "per-file-ignores",
    "exclude",
    "extend-exclude",
)


def settings_text(
    namespace: argparse.Namespace, options: Options, configuration: Configuration, root: Path
) -> str:
    """Return a table of names, values and places; of options that are not set, only our own are named."""
    rows = [*_computed(options, configuration, root), *_declared(namespace, configuration)]
    rows += _of_check(namespace, configuration)
    rows += _of_flake8(namespace, configuration)
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join("  ".join((*map(str.ljust, row[:2], widths), row[2])).rstrip() for row in rows)


def _computed(options: Options, configuration: Configuration, root: Path) -> Iterator[tuple[str, str, str]]:
    yield "project", root.as_posix(), root_reason(root, options.root is not None, configuration)
    path = options.baseline or root / BASELINE
    known = known_findings(options, root)
    count = len(known.fingerprints) if known is not None else 0
    is_used = path.exists() and not options.no_baseline
    yield "baseline", printed(path) if is_used else "none", f"{count} known" if is_used else ""


def _declared(namespace: argparse.Namespace, configuration: Configuration) -> Iterator[tuple[str, str, str]]:
    for each in DECLARED:
        value = getattr(namespace, each.attribute)
        is_default = value is None
        yield each.name, "-" if is_default else _shown(value), _place(each.name, is_default, configuration)


def _of_check(namespace: argparse.Namespace, configuration: Configuration) -> Iterator[tuple[str, str, str]]:
    """Yield the options of `check` alone that someone has set."""
    for name in OF_COMMANDS["check"]:
        if place := place_of(name, configuration):
            value = getattr(namespace, name.removeprefix(PREFIX).replace("-", "_"))
            yield name, _shown(value), _without_name(place, name)


def _of_flake8(namespace: argparse.Namespace, configuration: Configuration) -> Iterator[tuple[str, str, str]]:
    """Yield those of flake8's options that decide what is reported and that someone has set."""
    for name in FLAKE8:
        if name in configuration.section or configuration.is_argument(name):
            value = getattr(namespace, name.replace("-", "_"))
            yield name, _shown(value), _place(name, False, configuration)


def _shown(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return without_password(" ".join(text.split())) or "-"


def _place(name: str, is_default: bool, configuration: Configuration) -> str:
    return "default" if is_default else _without_name(configuration.place_of(name), name)


def _without_name(place: str, name: str) -> str:
    return place.removesuffix(f": {name}").removesuffix(f": {name.removeprefix(PREFIX)}")
