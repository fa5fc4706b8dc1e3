"""Whether what is written and what is read go by the name of the same file."""

from __future__ import annotations

from posixpath import basename

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of


def share_file(save: SaveEffect, load: LoadEffect) -> bool:
    """Tell whether a function loads the file that it, or another one of its file, saves."""
    if save.unit.identity != load.unit.identity and save.unit.path != load.unit.path:
        return False
    loaded = load.root.args[0] if isinstance(load.root, Call) and load.root.args else None
    if loaded is None:
        return False
    if save.unit == load.unit and loaded == save.file and not isinstance(loaded, Const):
        return True
    one, other = file_name(save.file), file_name(loaded)
    return bool(one) and one == other


def file_name(value: Value) -> str:
    """Return the last part of a path that a value spells, "" where it is computed."""
    for option in options_of(value):
        if isinstance(option, Arith) and option.operands:
            option = option.operands[-1]
        if (
            isinstance(option, Call)
            and option.args
            and isinstance(option.callee, Name)
            and option.callee.path == "open"
        ):
            return file_name(option.args[0])
        if isinstance(option, Const) and isinstance(option.value, str):
            name = basename(option.value)
            return name if len(name) > len(".pt") else ""
    return ""
