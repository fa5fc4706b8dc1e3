"""Which media an object goes through, by the names in `via=`, or its own callables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from flake8_ckpt.runtime.verifier.media.folder import load_distributed
from flake8_ckpt.runtime.verifier.media.folder import load_pretrained
from flake8_ckpt.runtime.verifier.media.folder import save_distributed
from flake8_ckpt.runtime.verifier.media.folder import save_pretrained
from flake8_ckpt.runtime.verifier.media.framework import load_fabric
from flake8_ckpt.runtime.verifier.media.framework import load_lightning
from flake8_ckpt.runtime.verifier.media.framework import save_fabric
from flake8_ckpt.runtime.verifier.media.framework import save_lightning
from flake8_ckpt.runtime.verifier.media.medium import Load
from flake8_ckpt.runtime.verifier.media.medium import Loaded
from flake8_ckpt.runtime.verifier.media.medium import Medium
from flake8_ckpt.runtime.verifier.media.medium import Save
from flake8_ckpt.runtime.verifier.media.medium import no_danger
from flake8_ckpt.runtime.verifier.media.medium import state_of
from flake8_ckpt.runtime.verifier.media.safetensors_file import load_safetensors
from flake8_ckpt.runtime.verifier.media.safetensors_file import save_safetensors
from flake8_ckpt.runtime.verifier.media.torch_file import load_torch
from flake8_ckpt.runtime.verifier.media.torch_file import refusal
from flake8_ckpt.runtime.verifier.media.torch_file import refusal_of_any
from flake8_ckpt.runtime.verifier.media.torch_file import save_torch

# The trips that are made where none is named, and all that there are.
DEFAULT = ("torch", "safetensors", "mmap")
KNOWN = {
    each.name: each
    for each in (
        Medium("torch", save_torch, partial(load_torch, mmap=False), refusal),
        Medium("safetensors", save_safetensors, load_safetensors, no_danger),
        Medium("mmap", save_torch, partial(load_torch, mmap=True), refusal),
        Medium("dcp", save_distributed, load_distributed, no_danger),
        Medium("pretrained", save_pretrained, load_pretrained, refusal_of_any),
        Medium("fabric", save_fabric, load_fabric, refusal_of_any),
        Medium("lightning", save_lightning, load_lightning, refusal),
    )
}
# What has to be installed for a medium: one of these packages.
PACKAGES = {
    "safetensors": ("safetensors",),
    "fabric": ("lightning_fabric", "lightning"),
    "lightning": ("pytorch_lightning", "lightning"),
}


def media(
    source: object, via: str | Sequence[str], save: Save | None, load: Load | None, skipped: list[str]
) -> list[Medium]:
    """Return the media to go through, and note the ones that are not installed."""
    if (save is None) != (load is None):
        raise TypeError("save= and load= belong together: give both or none")
    if save is not None and load is not None:
        return [own_medium(save, load)]
    state_of(source)
    found = []
    for name in (via,) if isinstance(via, str) else via:
        if name not in KNOWN:
            raise ValueError(f"unknown trip {name!r} in via=: choose from {', '.join(KNOWN)}")
        packages = PACKAGES.get(name, ())
        if packages and not any(map(find_spec, packages)):
            skipped.append(f"{name}: not installed")
        else:
            found.append(KNOWN[name])
    return found


def own_medium(save: Save, load: Load) -> Medium:
    """Return the medium of an object with its own save and load."""

    def write(source: object, path: Path) -> None:
        save(source, path)

    def read(target: object, path: Path) -> Loaded:
        result = load(target, path)
        return Loaded(result if isinstance(result, type(target)) else target, None)

    return Medium("save and load", write, read, refusal_of_any)


def medium_of(name: str, load: Load | None) -> Medium:
    """Return a medium to load from: one of the known by its name, or one with a callable of its own."""
    return KNOWN[name] if load is None else own_medium(no_save, load)


def no_save(source: object, path: Path) -> None:
    """Write nothing: the file is there already."""
