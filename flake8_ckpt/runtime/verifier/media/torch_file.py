"""Files that torch.save writes, and what speaks against loading them."""

from __future__ import annotations

import pickle
import re
import zipfile
from pathlib import Path

import torch

from flake8_ckpt.runtime.verifier.media.medium import Loaded
from flake8_ckpt.runtime.verifier.media.medium import put_state
from flake8_ckpt.runtime.verifier.media.medium import state_of
from flake8_ckpt.runtime.verifier.problem import one_line


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
