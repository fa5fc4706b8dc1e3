"""The steps of optimizers, and the dictionaries that optimizers, schedulers and scalers give of themselves."""

from __future__ import annotations

import sys
from typing import Any

from flake8_ckpt_recorder.imports import AfterImport
from flake8_ckpt_recorder.loads import Loads
from flake8_ckpt_recorder.places import caller
from flake8_ckpt_recorder.recorder import Recorder
from flake8_ckpt_recorder.wrapping import wrap

BIRTHS = (
    ("torch.optim.optimizer", "Optimizer"),
    ("torch.optim.lr_scheduler", "LRScheduler", "_LRScheduler", "ReduceLROnPlateau"),
    ("torch.amp.grad_scaler", "GradScaler"),
    ("gymnasium.wrappers.stateful_observation", "NormalizeObservation"),
    ("gymnasium.wrappers.stateful_reward", "NormalizeReward"),
    ("gymnasium.wrappers.vector.stateful_observation", "NormalizeObservation"),
    ("gymnasium.wrappers.vector.stateful_reward", "NormalizeReward"),
    ("gymnasium.wrappers.normalize", "NormalizeObservation", "NormalizeReward", "RunningMeanStd"),
    ("gymnasium.wrappers.utils", "RunningMeanStd"),
    ("stable_baselines3.common.vec_env.vec_normalize", "VecNormalize"),
    ("stable_baselines3.common.running_mean_std", "RunningMeanStd"),
)


def hook_steps(recorder: Recorder, loads: Loads) -> None:
    """Count steps, and look around at the first, tenth, hundredth and so on."""
    from importlib import import_module

    objects = recorder.objects

    def look() -> None:
        recorder.look_around(sys._getframe(2), recorder.walks == 0)
        recorder.walks += 1

    first_look = recorder.journal.guard(look)

    def before_step(optimizer: Any, args: Any, kwargs: Any) -> None:
        recorder.steps += 1
        if loads.pending:
            loads.before_step()
        if recorder.steps == recorder.next_look:
            recorder.next_look *= 10
            first_look()
        watched = objects.get(optimizer)
        if watched is not None:
            watched.steps += 1

    module = import_module("torch.optim.optimizer")
    module.register_optimizer_step_pre_hook(before_step)


def hook_births(recorder: Recorder, imports: AfterImport) -> None:
    """Note where the user's code makes optimizers, schedulers, scalers and the normalizers of libraries."""

    def around(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        recorder.journal.guard(recorder.objects.add)(self, caller(2), "birth")

    def hook(module: str, *names: str) -> None:
        def found(loaded: Any) -> None:
            for name in names:
                cls = getattr(loaded, name, None)
                if cls is not None and "__init__" in cls.__dict__:
                    wrap(cls, "__init__", around)

        imports.after(module, recorder.journal.guard(found))

    for module, *names in BIRTHS:
        hook(module, *names)


def hook_states(recorder: Recorder, imports: AfterImport) -> None:
    """Remember which object a returned dictionary came from."""

    def around(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        state = original(self, *args, **kwargs)
        recorder.returned(self, state)
        return state

    def hook(module: str, *names: str) -> None:
        def found(loaded: Any) -> None:
            for name in names:
                cls = getattr(loaded, name, None)
                if cls is not None and "state_dict" in cls.__dict__:
                    wrap(cls, "state_dict", around)

        imports.after(module, recorder.journal.guard(found))

    hook("torch.optim.optimizer", "Optimizer")
    hook("torch.optim.lr_scheduler", *_schedulers())
    hook("torch.amp.grad_scaler", "GradScaler")


def _schedulers() -> list[str]:
    found = vars(sys.modules["torch.optim.lr_scheduler"])
    return [name for name, each in found.items() if isinstance(each, type) and "state_dict" in each.__dict__]
