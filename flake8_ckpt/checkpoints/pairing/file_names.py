"""The names of files that are written and read, as far as the code spells them."""

from __future__ import annotations

from posixpath import basename
from posixpath import splitext

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.linking.value_names import last_name

# Calls that give a file or a path: of the first argument, or of all of them, one below the other.
OPENS = frozenset(["open", "io.open", "gzip.open", "pathlib.Path.open"])
JOINS = frozenset(["os.path.join", "posixpath.join", "pathlib.Path", "pathlib.PurePath", "str", "os.fspath"])


def share_path(save: SaveEffect, load: LoadEffect) -> bool:
    """Tell whether one function saves to and loads from the very same path, whatever that is."""
    path = file_of(load.root)
    return save.unit == load.unit and path == save.file and path != UNKNOWN and not isinstance(path, Const)


def file_name(value: Value) -> str:
    """Return the last part of a path that a value spells, "" where it is computed: `f"{folder}/last.pt"`."""
    for option in options_of(value):
        while isinstance(option, (Local, Arith, Call)):
            option = _last_part(option)
        if isinstance(option, Const) and isinstance(option.value, str):
            name = basename(option.value)
            return name if splitext(name.lstrip("_-."))[1] else ""
    return ""


def _last_part(value: Local | Arith | Call) -> Value:
    """Return the part of a path that its name stands in."""
    if isinstance(value, Local):
        return value.value
    if isinstance(value, Arith):
        return value.operands[-1] if value.operands else UNKNOWN
    if isinstance(value.callee, Name) and value.args:
        if value.callee.path in OPENS:
            return value.args[0]
        return value.args[-1] if value.callee.path in JOINS else UNKNOWN
    if isinstance(value.callee, Attr) and last_name(value.callee) == "joinpath" and value.args:
        return value.args[-1]
    return value.callee.base if isinstance(value.callee, Attr) and value.callee.name == "open" else UNKNOWN


def are_different(one: str, other: str) -> bool:
    """Tell whether two names that are known are those of two files; one may be the end of the other."""
    return bool(one and other) and not one.endswith(other) and not other.endswith(one)
