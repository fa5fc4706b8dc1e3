"""The names of files that are written and read, as far as the code spells them."""

from __future__ import annotations

import re
from posixpath import basename
from posixpath import splitext

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.facts.key_text import ANY
from flake8_ckpt.facts.key_text import is_unknown
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
# Packages whose files no other of them reads.
FORMATS = frozenset(["torch", "numpy", "json", "yaml", "safetensors"])
JOINS = frozenset(["os.path.join", "posixpath.join", "pathlib.Path", "pathlib.PurePath", "str", "os.fspath"])


def share_path(save: SaveEffect, load: LoadEffect) -> bool:
    """Tell whether one function saves to and loads from the very same path, whatever that is."""
    path = file_of(load.root)
    return save.unit == load.unit and path == save.file and path != UNKNOWN and not isinstance(path, Const)


def are_of_two_formats(save: SaveEffect, load: LoadEffect) -> bool:
    """Tell whether a library loads a file that another one writes in its own format."""
    callee = load.root.callee if isinstance(load.root, Call) else UNKNOWN
    loader = callee.path.partition(".")[0] if isinstance(callee, Name) else ""
    return loader != save.library and FORMATS.issuperset((loader, save.library))


def file_name(value: Value) -> str:
    """Return the last part of a path that a value spells, with `*` for what is computed: "last.pt", "epoch_*.pt".

    It may be only the end of the name; there is none, "", where no more than the suffix is spelled.
    """
    for option in options_of(value):
        name = basename(_spelled(option)).lstrip(ANY)
        if name:
            return name if _is_name(name) else ""
    return ""


def folder_of(value: Value) -> tuple[Value, ...]:
    """Return the parts of a path that stand before the name of its file; none where nothing does."""
    while isinstance(value, Local):
        value = value.value
    if isinstance(value, Arith):
        return value.operands[:-1]
    is_joined = isinstance(value, Call) and isinstance(value.callee, Name) and value.callee.path in JOINS
    return value.args[:-1] if is_joined and isinstance(value, Call) else ()


def _spelled(value: Value) -> str:
    """Return the text of a path, of which a part that is a name by itself is all that counts."""
    if isinstance(value, Const):
        return value.value if isinstance(value.value, str) and not is_unknown(value.value) else ANY
    if isinstance(value, Local):
        return _spelled(value.value)
    if isinstance(value, Arith) and value.operands:
        last = basename(_spelled(value.operands[-1]))
        return last if _is_name(last) else "".join(map(_spelled, value.operands))
    return _spelled(_named_in(value)) if isinstance(value, Call) else ANY


def _is_name(text: str) -> bool:
    return splitext(text.lstrip(f"_-.{ANY}"))[1] != ""


def _named_in(value: Call) -> Value:
    """Return the part of a path that its name stands in."""
    if isinstance(value.callee, Name) and value.args:
        if value.callee.path in OPENS:
            return value.args[0]
        return value.args[-1] if value.callee.path in JOINS else UNKNOWN
    if isinstance(value.callee, Attr) and last_name(value.callee) == "joinpath" and value.args:
        return value.args[-1]
    return value.callee.base if isinstance(value.callee, Attr) and value.callee.name == "open" else UNKNOWN


def are_different(one: str, other: str) -> bool:
    """Tell whether two names that are known are those of two files; one may be the end of the other."""
    if not one or not other:
        return False
    ends = one.rpartition(ANY)[2], other.rpartition(ANY)[2]
    if not ends[0].endswith(ends[1]) and not ends[1].endswith(ends[0]):
        return True
    if (ANY in one) == (ANY in other):
        return False
    pattern, name = (one, other) if ANY in one else (other, one)
    parts = ".*".join(map(re.escape, pattern.split(ANY)))
    return len(name) > min(map(len, ends)) and re.search(f"{parts}$", name) is None
