"""Which objects are watched, and as what: the user's own, and a table of library classes that hold state."""

from __future__ import annotations

import sys
from typing import Any

from flake8_ckpt_recorder.places import class_file
from flake8_ckpt_recorder.places import is_project_file

# Library classes by where they are defined, and the attributes that are their state.
TABLE: dict[tuple[str, str], tuple[str, ...]] = {
    ("gymnasium", "RunningMeanStd"): ("mean", "var", "count"),
    ("stable_baselines3", "RunningMeanStd"): ("mean", "var", "count"),
    ("gymnasium", "NormalizeObservation"): (),
    ("gymnasium", "NormalizeReward"): (),
    ("gym", "RunningMeanStd"): ("mean", "var", "count"),
    ("gym", "NormalizeObservation"): (),
    ("gym", "NormalizeReward"): (),
    ("stable_baselines3", "VecNormalize"): (),
}
PROJECT, LIBRARY, ESTIMATOR = "project", "library", "estimator"
OPTIMIZER, SCHEDULER, SCALER, MODULE = "optimizer", "scheduler", "scaler", "module"


class Kinds:
    """The kind of each class, asked once."""

    def __init__(self) -> None:
        self._known: dict[type[Any], str] = {}

    def of(self, cls: type[Any]) -> str:
        """Return as what the objects of a class are watched; an empty string where they are not."""
        kind = self._known.get(cls)
        if kind is None:
            kind = self._known[cls] = _kind(cls)
        return kind


def _kind(cls: type[Any]) -> str:
    torch = sys.modules.get("torch")
    if torch is None or issubclass(cls, (type, BaseException)):
        return ""
    for kind, base in _torch_bases(torch):
        if issubclass(cls, base):
            return PROJECT if kind == MODULE and is_project_file(class_file(cls)) else kind
    if cls.__module__ not in ("builtins", "typing") and is_project_file(class_file(cls)):
        return PROJECT
    if table_entry(cls) is not None:
        return LIBRARY
    estimator = getattr(sys.modules.get("sklearn.base"), "BaseEstimator", None)
    return ESTIMATOR if estimator is not None and issubclass(cls, estimator) else ""


def _torch_bases(torch: Any) -> list[tuple[str, type[Any]]]:
    scheduler = torch.optim.lr_scheduler
    amp = sys.modules.get("torch.amp.grad_scaler") or sys.modules.get("torch.cuda.amp.grad_scaler")
    bases = [
        (OPTIMIZER, torch.optim.Optimizer),
        (SCHEDULER, getattr(scheduler, "LRScheduler", None) or scheduler._LRScheduler),
        (SCHEDULER, scheduler.ReduceLROnPlateau),
        (SCALER, getattr(amp, "GradScaler", None)),
        (MODULE, torch.nn.Module),
    ]
    return [(kind, base) for kind, base in bases if base is not None]


def table_entry(cls: type[Any]) -> Any:
    """Return the attributes that the table gives for a class or a base of it, or None."""
    for base in cls.__mro__:
        entry = TABLE.get((base.__module__.partition(".")[0], base.__name__))
        if entry is not None:
            return entry
    return None


def describe(cls: type[Any]) -> dict[str, Any]:
    """Return what the judge needs to find the sources of a class and of its bases."""
    own = [(base.__qualname__, class_file(base)) for base in cls.__mro__[:-1]]
    return {
        "name": cls.__qualname__,
        "module": cls.__module__,
        "own": [entry for entry in own if is_project_file(entry[1])],
        "bases": [f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__[:-1]],
    }
