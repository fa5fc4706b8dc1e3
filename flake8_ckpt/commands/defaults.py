"""What a configuration sets of the options that one command has: `output-format` for `check`, and the like."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Optional

from flake8.exceptions import ExecutionError

from flake8_ckpt.configuration import PREFIX
from flake8_ckpt.configuration import Configuration
from flake8_ckpt.options import OF_COMMANDS
from flake8_ckpt.options import flag_of


def set_defaults(parser: argparse.ArgumentParser, command: str, configuration: Configuration) -> None:
    """Have the options of a command mean what the configuration says, where the command line does not speak of them.

    Raises ExecutionError, with file and line, for a value that makes no sense.
    """
    for name, value in _configured(command, configuration):
        action = _action_of(parser, name)
        if action.choices is None:
            action.default = flag_of(name, value, configuration)
        elif value in action.choices:
            action.default = value
        else:
            known = ", ".join(action.choices)
            raise ExecutionError(f"{configuration.place_of(name)}: {value!r} is none of {known}")


def place_of(name: str, configuration: Configuration) -> str:
    """Return where an option of a command is set, "" where it is not."""
    if configuration.is_argument(name.removeprefix(PREFIX)):
        return f"--{name.removeprefix(PREFIX)}"
    return configuration.place_of(name) if _value_of(name, configuration) is not None else ""


def _configured(command: str, configuration: Configuration) -> Iterator[tuple[str, str]]:
    for name in OF_COMMANDS.get(command, ()):
        value = _value_of(name, configuration)
        if value is not None:
            yield name, value


def _value_of(name: str, configuration: Configuration) -> Optional[str]:
    """Return what [flake8], or else the table of pyproject.toml, says of an option."""
    value = configuration.section.get(name, configuration.table.get(name.removeprefix(PREFIX)))
    return None if value is None else str(value).strip()


def _action_of(parser: argparse.ArgumentParser, name: str) -> argparse.Action:
    option = f"--{name.removeprefix(PREFIX)}"
    return next(each for each in parser._actions if option in each.option_strings)
