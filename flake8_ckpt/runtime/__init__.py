"""The torch half: a reference normalizer, the round-trip verifier and the checkpoint inspector.

Nothing is imported before it is asked for, so that a test run that uses none of it pays nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flake8_ckpt.runtime.inspector import inspect_checkpoint
    from flake8_ckpt.runtime.normalizers.discounted_return import DiscountedReturnNormalizer
    from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
    from flake8_ckpt.runtime.normalizers.running_mean_std_dict import RunningMeanStdDict
    from flake8_ckpt.runtime.saving import save_checkpoint
    from flake8_ckpt.runtime.verifier import IncompatibleCheckpoint
    from flake8_ckpt.runtime.verifier import RoundtripError
    from flake8_ckpt.runtime.verifier import assert_roundtrip
    from flake8_ckpt.runtime.verifier import audit
    from flake8_ckpt.runtime.verifier import load_compatible
    from flake8_ckpt.runtime.verifier import verify_roundtrip
    from flake8_ckpt.runtime.wrappers.gymnasium_wrapper import NormalizedVectorEnv
    from flake8_ckpt.runtime.wrappers.stable_baselines3_wrapper import NormalizedVecEnv

# What this package offers, and the module that has it.
HOMES = {
    "RunningMeanStd": "normalizers.running_mean_std",
    "RunningMeanStdDict": "normalizers.running_mean_std_dict",
    "DiscountedReturnNormalizer": "normalizers.discounted_return",
    "save_checkpoint": "saving",
    "assert_roundtrip": "verifier",
    "verify_roundtrip": "verifier",
    "audit": "verifier",
    "load_compatible": "verifier",
    "RoundtripError": "verifier",
    "IncompatibleCheckpoint": "verifier",
    "inspect_checkpoint": "inspector",
    "NormalizedVectorEnv": "wrappers.gymnasium_wrapper",
    "NormalizedVecEnv": "wrappers.stable_baselines3_wrapper",
}
# What these need, and how it is installed.
NEEDS = {
    "torch": "pip install 'flake8-ckpt[runtime]'",
    "numpy": "pip install numpy",
    "gymnasium": "pip install gymnasium",
    "stable_baselines3": "pip install stable-baselines3",
}
__all__ = [
    "DiscountedReturnNormalizer",
    "IncompatibleCheckpoint",
    "NormalizedVecEnv",
    "NormalizedVectorEnv",
    "RoundtripError",
    "RunningMeanStd",
    "RunningMeanStdDict",
    "assert_roundtrip",
    "audit",
    "inspect_checkpoint",
    "load_compatible",
    "save_checkpoint",
    "verify_roundtrip",
]


def __getattr__(name: str) -> object:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        needed = (error.name or "").partition(".")[0]
        if needed not in NEEDS:
            raise
        message = f"{__name__}.{name} needs {needed}: {NEEDS[needed]}"
        raise ModuleNotFoundError(message, name=needed) from error


def __dir__() -> list[str]:
    return __all__
