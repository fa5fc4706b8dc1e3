"""Checkpoints that Lightning writes: those of Fabric, and those of a Trainer."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from flake8_ckpt.runtime.verifier.media.medium import Loaded
from flake8_ckpt.runtime.verifier.media.medium import NotCheckable
from flake8_ckpt.runtime.verifier.media.medium import put_state
from flake8_ckpt.runtime.verifier.media.medium import state_of
from flake8_ckpt.runtime.verifier.media.torch_file import refusal

ONE_PROCESS = {"accelerator": "cpu", "devices": 1}
SILENT = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}


def fabric() -> Any:
    """Return a Fabric on the CPU."""
    name = "lightning_fabric" if find_spec("lightning_fabric") else "lightning.fabric"
    return import_module(name).Fabric(**ONE_PROCESS)


def save_fabric(source: Any, path: Path) -> None:
    """Let Fabric write a module, or the state of another object."""
    fabric().save(path, {"subject": source if isinstance(source, nn.Module) else state_of(source)})


def load_fabric(target: Any, path: Path) -> Loaded:
    """Let Fabric load a file into a module, strictly, or put its state into another object."""
    if isinstance(target, nn.Module):
        fabric().load(path, {"subject": target})
        return Loaded(target, None)
    return put_state(target, fabric().load(path)["subject"])


def save_lightning(source: Any, path: Path) -> None:
    """Let a Trainer write the checkpoint of a LightningModule, without its optimizers."""
    if not is_lightning_module(source):
        raise NotCheckable(f"{type(source).__name__} is no LightningModule")
    own = any(base.__module__.startswith("lightning.") for base in type(source).__mro__)
    trainer = import_module("lightning.pytorch" if own else "pytorch_lightning").Trainer(
        **ONE_PROCESS, **SILENT
    )
    trainer.strategy.connect(source)
    trainer.save_checkpoint(path, weights_only=True)


def load_lightning(target: Any, path: Path) -> Loaded:
    """Load a Trainer's checkpoint as `load_from_checkpoint` does, with the hook of the module."""
    checkpoint = torch.load(path, map_location="cpu", weights_only=refusal(path) is None)
    target.on_load_checkpoint(checkpoint)
    target.load_state_dict(checkpoint["state_dict"], strict=target.strict_loading)
    return Loaded(target, checkpoint["state_dict"])


def is_lightning_module(source: object) -> bool:
    """Return whether an object is a LightningModule of either package."""
    return any(base.__name__ == "LightningModule" for base in type(source).__mro__)
