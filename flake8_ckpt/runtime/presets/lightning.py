"""A LightningModule: trained and saved by a Trainer, restored by another, and trained on by hand."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader
from torch.utils.data import Dataset

from flake8_ckpt.runtime.presets.options import Load
from flake8_ckpt.runtime.presets.options import Save
from flake8_ckpt.runtime.presets.options import Subject

QUIET = {
    "accelerator": "cpu",
    "devices": 1,
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "num_sanity_val_steps": 0,
    "limit_val_batches": 0,
}
# The module refers to its trainer, which refers to everything; what matters of it is listed in `Fit`.
TRAINER = ("module._trainer", "module._fabric")


class Batches(Dataset[Any]):
    """Batches as a dataset: a Trainer would take each item of a list for a loader."""

    def __init__(self, batches: Sequence[Any]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> Any:
        return self.batches[index]


class Fit:
    """A LightningModule with what a Trainer trains it with; the trainer itself is machinery, no state."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.optimizers: list[Any] = []
        self.schedulers: list[Any] = []

    def run(self, batches: Sequence[Any], steps: int, **options: Any) -> None:
        """Let a new Trainer fit the module; a checkpoint goes in with `ckpt_path`."""
        with quiet():
            trainer = new_trainer(self.module, steps)
            trainer.fit(self.module, DataLoader(Batches(batches), batch_size=None), **options)
        self.optimizers = list(trainer.optimizers)
        self.schedulers = [each.scheduler for each in trainer.lr_scheduler_configs]


def fit_of(make: Callable[[], Any]) -> Fit:
    """Return what is fitted, around a new module."""
    return Fit(make())


def restore(fit: Fit, path: Path, batches: Sequence[Any], steps: int) -> None:
    """Let a Trainer restore a checkpoint of as many steps as it may take."""
    fit.run(batches, steps, ckpt_path=str(path))


def continue_training(fit: Fit, batches: Sequence[Any]) -> object:
    """Train on by hand, with new optimizers where nothing has restored any."""
    if not fit.optimizers:
        fit.run(batches, 0)
    return train_by_hand(fit, batches)


def save_fit(fit: Fit, path: Path) -> None:
    """Let the trainer write its checkpoint."""
    fit.module.trainer.save_checkpoint(path)


def new_trainer(module: Any, steps: int) -> Any:
    """Return a Trainer of the library that the module comes from, which writes and prints nothing."""
    homes = [base.__module__ for base in type(module).__mro__ if base.__name__ == "LightningModule"]
    if not homes:
        raise TypeError(f"the lightning preset takes a LightningModule, not a {type(module).__name__}")
    library = "lightning.pytorch" if homes[0].startswith("lightning.") else "pytorch_lightning"
    return import_module(library).Trainer(max_steps=steps, **QUIET)


def train_by_hand(fit: Fit, batches: Sequence[Any]) -> list[object]:
    """Train on each batch as a Trainer does, and return the losses."""
    losses = []
    fit.module.train()
    with without_logging(fit.module):
        for index, batch in enumerate(batches):
            result = fit.module.training_step(batch, index)
            loss = result["loss"] if isinstance(result, dict) else result
            if fit.module.automatic_optimization and loss is not None:
                optimize(fit, loss)
            losses.append(None if loss is None else loss.detach().clone())
    return losses


def optimize(fit: Fit, loss: Any) -> None:
    """Take one step of all optimizers and schedulers."""
    for optimizer in fit.optimizers:
        optimizer.zero_grad()
    loss.backward()
    for each in (*fit.optimizers, *fit.schedulers):
        each.step()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the library's own advice on loaders, loggers and devices to itself for now."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning.pytorch")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"(pytorch_)?lightning\b")
            yield
    finally:
        for logger, level in zip(loggers, levels):
            logger.setLevel(level)


@contextmanager
def without_logging(module: Any) -> Iterator[None]:
    """Let the module log nothing for now: there is no loop of a trainer that would take it."""
    # A partial is machinery to the verifier, and nn.Module lets a plain attribute stand before a method.
    silent = partial(nothing)
    module.__dict__.update({"log": silent, "log_dict": silent})
    try:
        yield
    finally:
        del module.__dict__["log"], module.__dict__["log_dict"]


def nothing(*_: object, **__: object) -> None:
    """Do nothing."""


def lightning(
    make: Callable[[], Any],
    batches: Sequence[Any],
    *,
    steps: int = 4,
    save: Save = save_fit,
    load: Load | None = None,
    ignore: Sequence[str] = (),
) -> Subject:
    """Return the options for what `make` returns, a LightningModule, with `make` among them.

    A Trainer fits it for some `steps` on `batches`, writes a checkpoint, and another Trainer restores it with
    `ckpt_path`; give `save` and `load` of a `Fit`, whose `module` it is, to do as your script does. Both go on
    with `training_step` on each batch, and with the optimizers and schedulers of their trainer.
    """

    # Partials of functions can be sent to a new process, inner functions cannot.
    return Subject(
        make=partial(fit_of, make),
        exercise=partial(Fit.run, batches=batches, steps=steps),
        continue_with=partial(continue_training, batches=batches),
        save=save,
        load=load or partial(restore, batches=batches, steps=steps),
        ignore=(*TRAINER, *ignore),
    )
