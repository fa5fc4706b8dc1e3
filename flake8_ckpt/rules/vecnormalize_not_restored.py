"""A loaded Stable-Baselines3 model runs on a `VecNormalize` that is fresh, too late or still training.

## What it does

Finds ways to run a model from `PPO.load(...)`, or the load of any other Stable-Baselines3 algorithm, on
wrong statistics:

- *fresh*: its environment is wrapped by `VecNormalize(...)` instead of `VecNormalize.load(...)`;
- *late*: `VecNormalize.load(...)` comes after the model was bound to another wrapper, and the model is
  never bound again with `set_env`;
- *still training*: an evaluation loads the statistics and does not switch `training` off, or the wrapper of
  an `EvalCallback` leaves rewards alone (`norm_reward=False`) and goes on updating;
- *apart*: a model is trained on one `VecNormalize`, and evaluated beside it on a second one that is fresh.

## Why it matters

`PPO.load(path, env=env)` restores the networks and takes the environment as it is.
A fresh wrapper starts at mean 0 and variance 1 and divides by what the first steps look like: nothing fails,
the agent only acts as if it had learned nothing.
A wrapper that keeps training moves the statistics with every evaluated episode, so the same model gives
other results each time.

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
    env.save(folder / "vecnormalize.pkl")
    return model


def evaluate(folder: Path) -> PPO:
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1, seed=1))
    model = PPO.load(folder / "ppo", env=env, device="cpu")
    observation = env.reset()
    for _ in range(16):
        action, _ = model.predict(observation, deterministic=True)
        observation, _, _, _ = env.step(action)
    return model


with tempfile.TemporaryDirectory() as name:
    trained = train(Path(name))
    evaluated = evaluate(Path(name))

learned = trained.get_vec_normalize_env().obs_rms
used = evaluated.get_vec_normalize_env().obs_rms
assert not np.allclose(used.mean, learned.mean)
assert used.count < learned.count
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


def evaluate(folder: Path) -> PPO:
    env = VecNormalize.load(folder / "vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=1, seed=1))
    env.training = False
    env.norm_reward = False
    model = PPO.load(folder / "ppo", env=env, device="cpu")
    observation = env.reset()
    for _ in range(16):
        action, _ = model.predict(observation, deterministic=True)
        observation, _, _, _ = env.step(action)
    return model


with tempfile.TemporaryDirectory() as name:
    trained = train(Path(name))
    evaluated = evaluate(Path(name))

learned = trained.get_vec_normalize_env().obs_rms
used = evaluated.get_vec_normalize_env().obs_rms
assert np.array_equal(used.mean, learned.mean)
assert used.count == learned.count
```

## Fix safety

Unsafe: `training = False` is added below the wrapper, so an evaluation no longer moves the statistics.
How a wrapper gets the statistics of training is shown, because only the author knows where they lie.

## When it stays silent

- The statistics come from anywhere else than the constructor: `VecNormalize.load`, an unpickled wrapper,
  `obs_rms` assigned from a file or from another wrapper, `sync_envs_normalization`.
- The evaluation environment of an `EvalCallback`, which copies the statistics of training before each run,
  where it is made as that of training is, or `training` is switched off anywhere in the program.
- The wrapper normalizes only rewards (`norm_obs=False`).
- The program loads the statistics and goes on training: they are meant to move.
- A restored wrapper is used for `normalize_obs` alone, which never updates.
- The fresh wrapper is one of two branches, and the other one loads the statistics.
- The model was made and trained on this very wrapper before it was saved and loaded again.

## References

- https://stable-baselines3.readthedocs.io/en/master/guide/vec_envs.html#vecnormalize
- https://stable-baselines3.readthedocs.io/en/master/guide/examples.html#pybullet-normalizing-input-features
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.findings import Related
from flake8_ckpt.findings import Spot
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import STATEMENT
from flake8_ckpt.rules.base import Rule

MESSAGES = {
    "fresh": "this 'VecNormalize' is new: it does not fit the model loaded at {model}; use VecNormalize.load()",
    "apart": "this 'VecNormalize' does not have the statistics of the model of {model}: copy its obs_rms",
    "late": "this 'VecNormalize.load' is too late for the model of {model}: give it to model.set_env()",
    "training": "this 'VecNormalize' updates itself in the evaluation of {model}: set its 'training' to False",
}


def check(project: Project) -> Iterator[Finding]:
    """Report wrappers that are fresh, late or still training around the environment of a loaded model."""
    seen: set[Spot] = set()
    for fault in project.losses.wrapper_faults():
        if fault.location not in seen:
            seen.add(fault.location)
            message = MESSAGES[fault.kind].format(model=fault.model)
            related = (Related(fault.model.path, fault.model.position, "the model"),)
            place = fault.location
            fix = Fix("keep_statistics", "unsafe", (("kind", fault.kind),))
            yield Finding(place.path, place.position, RULE.code, message, related, STATEMENT, fix=fix)


RULE = Rule(__name__, "CKP209", check=check)
