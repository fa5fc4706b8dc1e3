"""Read the command line and the configuration of a subcommand as flake8 does."""

from __future__ import annotations

import argparse
import configparser
import os
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import flake8
from flake8.exceptions import ExecutionError
from flake8.main.options import stage1_arg_parser
from flake8.options.aggregator import aggregate_options
from flake8.options.config import load_config
from flake8.options.manager import OptionManager

from flake8_ckpt import __version__
from flake8_ckpt.options import Options
from flake8_ckpt.options import add_options
from flake8_ckpt.options import from_namespace
from flake8_ckpt.selection import config_directory
from flake8_ckpt.selection import root_for

Declare = Callable[[OptionManager], None]


def read_project(
    arguments: Sequence[str],
    declare: Declare,
    formatters: Collection[str] = (),
    *,
    streams: Collection[str] = (),
) -> tuple[argparse.Namespace, Options, Path]:
    """Return what is asked of a subcommand that takes paths, our options, and the root of the project."""
    namespace, options, config_dir = read_options(arguments, declare, formatters)
    for name in namespace.filenames:
        if name not in streams and not os.path.lexists(name):
            raise ExecutionError(f"path does not exist: {name!r}")
    return namespace, options, root_for(namespace, options, config_dir)


def read_options(
    arguments: Sequence[str], declare: Declare, formatters: Collection[str] = ()
) -> tuple[argparse.Namespace, Options, Optional[Path]]:
    """Return what is asked of a subcommand, our options, and the folder of the configuration."""
    namespace = _read_arguments(arguments, declare, formatters)
    config_dir = config_directory(arguments)
    return namespace, from_namespace(namespace, config_dir), config_dir


@dataclass(frozen=True)
class Formats:
    """The values of --output-format, the one that is meant where none is given, and what the help says of them."""

    names: tuple[str, ...] = ("text", "json")
    default: str = "text"
    help: str = "text or json."


def declare_ours(
    manager: OptionManager, command: str, what: str, *, unused: Collection[str], formats: Formats = Formats()
) -> None:
    """Declare the options that every subcommand has; hide those that a configuration may name in vain."""
    manager.add_option(
        "--output-format",
        choices=formats.names,
        default=formats.default,
        metavar="format",
        help=f"How to print {what}: {formats.help}",
    )
    add_options(manager)
    parser = manager.parser
    parser.prog, parser.usage, parser.epilog = f"flake8-ckpt {command}", "%(prog)s [options] [path ...]", None
    for action in parser._actions:
        if not set(unused).isdisjoint(action.option_strings):
            action.help = argparse.SUPPRESS


def _read_arguments(
    arguments: Sequence[str], declare: Declare, formatters: Collection[str]
) -> argparse.Namespace:
    first_parser = stage1_arg_parser()
    first, rest = first_parser.parse_known_args(arguments)
    manager = OptionManager(
        version=f"flake8-ckpt {__version__}",
        plugin_versions=f"flake8: {flake8.__version__}",
        parents=[first_parser],
        formatter_names=list(formatters),
    )
    declare(manager)
    try:
        config, folder = load_config(first.config, first.append_config, isolated=first.isolated)
        namespace: argparse.Namespace = aggregate_options(manager, config, folder, rest)
    except (configparser.Error, ValueError) as error:
        raise ExecutionError(f"configuration: {error}") from error
    namespace.verbose = first.verbose
    namespace.output_file = first.output_file or getattr(namespace, "output_file", None)
    return namespace
