"""Read the command line and the configuration of a subcommand as flake8 does."""

from __future__ import annotations

import argparse
import configparser
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence

import flake8
from flake8.exceptions import ExecutionError
from flake8.main.options import stage1_arg_parser
from flake8.options.aggregator import aggregate_options
from flake8.options.config import load_config
from flake8.options.manager import OptionManager

from flake8_ckpt import __version__


def read_arguments(
    arguments: Sequence[str], declare: Callable[[OptionManager], None], formatters: Collection[str] = ()
) -> argparse.Namespace:
    """Return what the command line and the configuration say of the options that a subcommand declares."""
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


def hide(parser: argparse.ArgumentParser, options: Collection[str]) -> None:
    """Leave options out of the help: those that a configuration may name and that mean nothing here."""
    for action in parser._actions:
        if not set(options).isdisjoint(action.option_strings):
            action.help = argparse.SUPPRESS
