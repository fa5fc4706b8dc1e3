"""A Stable-Baselines3 model is saved, the statistics of the `VecNormalize` around its environment are not.

## What it does

Finds `model.save(...)`, and `CheckpointCallback(...)` without `save_vecnormalize=True`, for a
Stable-Baselines3 algorithm whose environment is wrapped in `VecNormalize`, where nothing saves the wrapper.
The environment is followed through functions, helper files, attributes and other wrappers.
A `torch.save` of a model of your own counts too, in a function that steps such an environment itself.
So does an `EvalCallback` that saves the best model, where nothing else saves the wrapper.
A helper that saves a model, and the wrapper if it is given one, is followed: a call that gives it a normalized
model alone is reported.
So is `getattr(env, "ob_rms", None)` in what is saved: the wrapper calls them `obs_rms`, and None is saved.

## Why it matters

The archive of the model holds the networks and the optimizer.
The running mean and variance of the observations live in the wrapper, outside of it.
The policy has only ever seen normalized observations: whoever loads the archive can give it raw ones, or
ones normalized by fresh statistics, and in both cases an agent that solved its task acts at random.
The statistics cannot be computed again without the policies that collected them.

## Bad

```python
import tempfile
from pathlib import Path

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize


def train(folder: Path) -> PPO:
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=2, seed=0))
    model = PPO("MlpPolicy", env, n_steps=32, batch_size=32, seed=0, device="cpu")
    model.learn(total_timesteps=64)
    model.save(folder / "ppo")
    return model


with tempfile.TemporaryDirectory() as name:
    trained = train(Path(name))
    files = [path.name for path in Path(name).iterdir()]
    restored = PPO.load(Path(name) / "ppo", device="cpu")

observation = np.array([[1.0, 0.0, 4.0]], dtype=np.float32)
seen_in_training = trained.get_vec_normalize_env().normalize_obs(observation)
expected, _ = trained.predict(seen_in_training, deterministic=True)
action, _ = restored.predict(observation, deterministic=True)
assert files == ["ppo.zip"]
assert restored.get_vec_normalize_env() is None
assert not np.allclose(action, expected)
```

## Good

```python
import tempfile
from pathlib import Path

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize


def train(folder: Path) -> PPO:
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=2, seed=0))
    model = PPO("MlpPolicy", env, n_steps=32, batch_size=32, seed=0, device="cpu")
    model.learn(total_timesteps=64)
    model.save(folder / "ppo")
    env.save(folder / "vecnormalize.pkl")
    return model


def load(folder: Path) -> PPO:
    env = VecNormalize.load(folder / "vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=1))
    env.training = False
    env.norm_reward = False
    return PPO.load(folder / "ppo", env=env, device="cpu")


with tempfile.TemporaryDirectory() as name:
    trained = train(Path(name))
    restored = load(Path(name))

observation = np.array([[1.0, 0.0, 4.0]], dtype=np.float32)
seen_in_training = trained.get_vec_normalize_env().normalize_obs(observation)
seen_in_evaluation = restored.get_vec_normalize_env().normalize_obs(observation)
expected, _ = trained.predict(seen_in_training, deterministic=True)
action, _ = restored.predict(seen_in_evaluation, deterministic=True)
assert np.array_equal(seen_in_evaluation, seen_in_training)
assert np.allclose(action, expected)
```

## Fix safety

Unsafe: one more file is written beside the model.
It has to be loaded with `VecNormalize.load(path, env)` wherever the model is.

## When it stays silent

- The wrapper is saved anywhere in the program: `env.save(...)`, `model.get_vec_normalize_env().save(...)`,
  `model.get_env().save(...)`, a callback of the project, `CheckpointCallback(save_vecnormalize=True)`,
  `pickle.dump(env, file)`, or its `obs_rms` written to a file of another kind.
- The wrapper normalizes only rewards (`norm_obs=False`): the policy does not depend on its statistics.
- The statistics were loaded from a file and frozen (`training = False`): that file still holds them.
- `save_vecnormalize` is a value that the source does not tell, or what is pickled is unknown.
- Some code takes the statistics out of the wrapper (`env.obs_rms`), whatever it does with them.
- The saved model is another one than the one on the normalized environment.

## References

- https://stable-baselines3.readthedocs.io/en/master/guide/vec_envs.html#vecnormalize
- https://stable-baselines3.readthedocs.io/en/master/guide/callbacks.html#checkpointcallback
- https://stable-baselines3.readthedocs.io/en/master/guide/save_format.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.findings import Related
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import CALL
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import call_of
from flake8_ckpt.rules.base import finding_in

# What makes a callback save the wrapper, too.
OPTIONS = {"CheckpointCallback": "pass save_vecnormalize=True"}
NEW_BEST = "save it in callback_on_new_best"

FIX = Fix("save_statistics", "unsafe")


def check(project: Project) -> Iterator[Finding]:
    """Report models that are saved without the statistics of the VecNormalize around their environment."""
    for lost in project.losses.unsaved_statistics():
        message = (
            f"'{lost.name}' is saved without the VecNormalize of {lost.wrapper}, which starts over after loading:"
            " call its save() too"
        )
        if lost.callback:
            mend = OPTIONS.get(lost.callback, NEW_BEST)
            message = f"'{lost.callback}' saves the model without the VecNormalize of {lost.wrapper}: {mend}"
        made = Related(lost.wrapper.path, lost.wrapper.position, "the statistics live here")
        saves = [Related(each.path, each.position, "saved here too") for each in lost.others]
        place, node = lost.location, call_of(lost.callback) if lost.callback else CALL
        others = (made, *saves)
        yield Finding(place.path, place.position, RULE.code, message, others, node, key=lost.name, fix=FIX)
    for call in project.losses.omitted_statistics():
        message = (
            f"'{call.helper}' is not given the VecNormalize of {call.wrapper} to save: pass {call.argument}="
        )
        written = [(call.wrapper, "the statistics live here")]
        yield finding_in(RULE, call.location, message, written, node=CALL, key=call.argument)
    for location in project.losses.misnamed_statistics():
        message = "a VecNormalize of Stable-Baselines3 has no 'ob_rms', so None is saved: use 'obs_rms'"
        yield finding_in(RULE, location, message, node=CALL)


RULE = Rule(__name__, "CKP208", check=check)
