"""Read the command line and the configuration of a subcommand as flake8 does."""

from __future__ import annotations

import argparse
import configparser
import os
import sys
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import flake8
from flake8.exceptions import ExecutionError
from flake8.main.options import stage1_arg_parser
from flake8.options.aggregator import aggregate_options
from flake8.options.manager import OptionManager

from flake8_ckpt import __version__
from flake8_ckpt.commands.defaults import set_defaults
from flake8_ckpt.configuration import Configuration
from flake8_ckpt.configuration import load_flake8
from flake8_ckpt.configuration import read_configuration
from flake8_ckpt.index.discovery import MARKERS
from flake8_ckpt.options import Options
from flake8_ckpt.options import add_options
from flake8_ckpt.options import from_namespace
from flake8_ckpt.selection import FAILURES
from flake8_ckpt.selection import PREFIX
from flake8_ckpt.selection import bounded
from flake8_ckpt.selection import is_selected
from flake8_ckpt.selection import names_ours
from flake8_ckpt.selection import root_for
from flake8_ckpt.selection import select_more

Declare = Callable[[OptionManager], None]


def read_project(
    arguments: Sequence[str],
    declare: Declare,
    formatters: Collection[str] = (),
    *,
    streams: Collection[str] = (),
) -> tuple[argparse.Namespace, Options, Path]:
    """Return what is asked of a subcommand that takes paths, our options, and the root of the project."""
    namespace, options, configuration = read_options(arguments, declare, formatters)
    for name in namespace.filenames:
        if name not in streams and not os.path.lexists(name):
            raise ExecutionError(f"path does not exist: {name!r}")
    root = root_for(namespace, options, configuration.folder)
    options = bounded(options, root, namespace, configuration.folder)
    _tell_root(namespace, options, configuration, root)
    return namespace, options, root


def _tell_root(
    namespace: argparse.Namespace, options: Options, configuration: Configuration, root: Path
) -> None:
    """Say on the side where the project begins, if it is asked for or none was found."""
    if options.is_lost and not getattr(namespace, "quiet", 0):
        marks = ", ".join(MARKERS)
        print(
            f"flake8-ckpt: note: nothing around {root} marks a project ({marks}), and much lies below it: only"
            " what you named is read; --ckpt-root=FOLDER reads a whole folder",
            file=sys.stderr,
        )
    elif namespace.verbose:
        why = root_reason(root, options.root is not None, configuration)
        print(f"flake8-ckpt: note: the project is {root}: {why}", file=sys.stderr)


def root_reason(root: Path, is_named: bool, configuration: Configuration) -> str:
    """Return in a few words why a folder is the root of a run."""
    if is_named:
        return configuration.place_of("ckpt-root")
    if root == configuration.folder:
        return "the folder of the configuration"
    mark = next((each for each in MARKERS if os.path.exists(root / each)), "")
    return f"it has {mark}" if mark else "nothing marks a larger one"


def read_options(
    arguments: Sequence[str], declare: Declare, formatters: Collection[str] = ()
) -> tuple[argparse.Namespace, Options, Configuration]:
    """Return what is asked of a subcommand, our options, and what configures it."""
    configuration = read_configuration(arguments)
    namespace = _read_arguments(arguments, declare, formatters, configuration)
    if hasattr(namespace, "select"):
        _select_ours(namespace, configuration)
    return namespace, from_namespace(namespace, configuration), configuration


def _select_ours(namespace: argparse.Namespace, configuration: Configuration) -> None:
    """Have our codes reported where a configuration that selects others does not speak of them.

    What could not be checked is said whenever any of our codes is asked for.
    """
    is_asked = configuration.is_argument("select") or names_ours(namespace)
    if namespace.select is not None and not is_asked:
        select_more(namespace, [PREFIX])
    if is_selected(namespace):
        select_more(namespace, FAILURES)


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
    arguments: Sequence[str], declare: Declare, formatters: Collection[str], configuration: Configuration
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
    set_defaults(manager.parser, manager.parser.prog.rpartition(" ")[2], configuration)
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(manager.parser)
    try:
        config, folder = load_flake8(first.config, first.append_config, isolated=first.isolated)
        namespace: argparse.Namespace = aggregate_options(manager, config, folder, rest)
    except (configparser.Error, ValueError) as error:
        raise ExecutionError(f"configuration: {error}") from error
    namespace.verbose = first.verbose
    namespace.output_file = first.output_file or getattr(namespace, "output_file", None)
    return namespace
