"""Options of `verify_roundtrip` for the frameworks that agents are trained with.

`verify_roundtrip(make, **presets.stable_baselines3(save=save, load=load))` asks whether what your `save` and `load`
keep is enough. A framework is imported when its preset runs.
"""

from __future__ import annotations

from flake8_ckpt.runtime.presets.gymnasium import gymnasium
from flake8_ckpt.runtime.presets.lightning import lightning
from flake8_ckpt.runtime.presets.options import Options
from flake8_ckpt.runtime.presets.stable_baselines3 import stable_baselines3

__all__ = ["Options", "gymnasium", "lightning", "stable_baselines3"]
