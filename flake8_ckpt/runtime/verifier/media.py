"""How an object is saved and loaded: torch, a memory-mapped torch file, safetensors, or callables of its own."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from typing import cast

import torch
from torch import nn

from flake8_ckpt.runtime.verifier.problem import one_line

Save = Callable[[Any, Path], object]
Load = Callable[[Any, Path], object]
MEDIA = ("torch", "safetensors", "mmap")


class NotCheckable(Exception):
    """A medium that cannot hold this object; the text says why."""


@dataclass(frozen=True)
class Loaded:
    """An object after loading, and the payload that it was loaded from."""

    target: object
    payload: object


@dataclass(frozen=True)
class Medium:
    """One way to a file and back; `unsafe` says why a written file needs weights_only=False, if it does."""

    name: str
    save: Callable[[object, Path], None]
    load: Callable[[object, Path], Loaded]
    unsafe: Callable[[Path], str | None]


def medium(name: str) -> Medium:
    """Return the medium of this name; raise NotCheckable where it is not installed."""
    if name == "safetensors":
        if find_spec("safetensors") is None:
            raise NotCheckable("not installed")
        return Medium(name, save_safetensors, load_safetensors, no_danger)
    mmap = name == "mmap"
    return Medium(name, save_torch, lambda target, path: load_torch(target, path, mmap), refusal)


def media(
    source: object,
    via: str | Sequence[str],
    save: Save | None,
    load: Load | None,
    skipped: list[str],
) -> list[Medium]:
    """Return the media to go through, and note the ones that are not installed."""
    if (save is None) != (load is None):
        raise TypeError("save= and load= belong together: give both or none")
    if save is not None and load is not None:
        return [own_medium(save, load)]
    state_of(source)
    found = []
    for name in (via,) if isinstance(via, str) else via:
        if name not in MEDIA:
            raise ValueError(f"unknown trip {name!r} in via=: choose from {', '.join(MEDIA)}")
        try:
            found.append(medium(name))
        except NotCheckable as reason:
            skipped.append(f"{name}: {reason}")
    return found


def own_medium(save: Save, load: Load) -> Medium:
    """Return the medium of an object with its own save and load."""

    def write(source: object, path: Path) -> None:
        save(source, path)

    def read(target: object, path: Path) -> Loaded:
        result = load(target, path)
        return Loaded(result if isinstance(result, type(target)) else target, None)

    return Medium("save and load", write, read, refusal_of_any)


def state_of(source: object) -> object:
    """Return the state_dict of an object; raise TypeError where it has none."""
    read = getattr(source, "state_dict", None)
    if read is None or not hasattr(source, "load_state_dict"):
        name = type(source).__name__
        raise TypeError(
            f"{name} has no state_dict and load_state_dict: pass save=f(object, path) and load=f(object, path)"
        )
    return read()


def put_state(target: Any, state: object) -> Loaded:
    """Load a state, strictly into a module."""
    if isinstance(target, nn.Module):
        target.load_state_dict(cast(Mapping[str, object], state), strict=True)
    else:
        target.load_state_dict(state)
    return Loaded(target, state)


def save_torch(source: object, path: Path) -> None:
    """Write the state with torch.save."""
    torch.save(state_of(source), path)


def load_torch(target: object, path: Path, mmap: bool) -> Loaded:
    """Load the state with torch.load; an unsafe one too, so that the other checks have something to check.

    The file was written in this process a moment ago. Tensors come back where they were when saved.
    """
    safe = refusal(path) is None
    return put_state(target, torch.load(path, mmap=mmap, weights_only=safe))


def refusal(path: Path) -> str | None:
    """Return why torch.load refuses a file under weights_only=True, in one line."""
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        return f"it needs weights_only=False, for {named[1]}" if named else one_line(error)
    return None


def refusal_of_any(path: Path) -> str | None:
    """Return why a written file, or one in a written folder, is refused; only files of torch.save are asked."""
    files = sorted(path.rglob("*")) if path.is_dir() else sorted(path.parent.glob(f"{path.name}*"))
    reasons = (refusal(file) for file in files if is_torch_file(file))
    return next((reason for reason in reasons if reason is not None), None)


def is_torch_file(path: Path) -> bool:
    """Return whether torch.save wrote a file."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = {name.rpartition("/")[2] for name in archive.namelist()}
    return "data.pkl" in names and "constants.pkl" not in names


def no_danger(path: Path) -> None:
    """Return None: the format holds nothing but tensors."""


def save_safetensors(source: object, path: Path) -> None:
    """Write the state, each tensor as a copy of its own; raise NotCheckable where it holds something else."""
    from safetensors.torch import save_file

    state = state_of(source)
    if not isinstance(state, dict):
        raise NotCheckable(f"the state is a {type(state).__name__}, the format holds tensors by name")
    for name, value in state.items():
        if not isinstance(value, torch.Tensor) or hasattr(value, "__tensor_flatten__"):
            raise NotCheckable(f"{name!r} is a {type(value).__name__}, the format holds plain tensors only")
    try:
        save_file({name: value.detach().clone().contiguous() for name, value in state.items()}, path)
    except (ValueError, KeyError, RuntimeError) as error:
        raise NotCheckable(str(error).splitlines()[0]) from error


def load_safetensors(target: object, path: Path) -> Loaded:
    """Load the state from a safetensors file; its tensors come back on the CPU."""
    from safetensors.torch import load_file

    return put_state(target, load_file(path))
