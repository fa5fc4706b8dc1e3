"""A policy is saved, and the running statistics of the environment it was trained on are in no file.

## What it does

Finds programs that make an environment which normalizes with running statistics, save a policy, and load such
a file somewhere, while nothing takes the statistics out of the environment.
The environment is Gymnasium's or Gym's `NormalizeObservation` or `NormalizeReward`, a vector environment of
Tianshou that normalizes, or a class of the project whose `step` or `reset` updates a mean and a variance.

## Why it matters

The policy has only ever seen normalized observations, and the numbers that normalize them live in the wrapper.
Neither `policy.state_dict()` nor `model.save(...)` knows of it, and Gymnasium's wrappers have no method to save.
Whoever loads the policy makes a wrapper with mean 0 and variance 1: an agent that solved its task acts as if it
had been trained for another one, and a resumed run starts with a policy that does not fit what it sees.

## Bad

```python
import io

import gymnasium as gym
import numpy as np
import torch
from torch import nn


def make_env() -> gym.Env:
    return gym.wrappers.NormalizeObservation(gym.make("Pendulum-v1"))


def train(file: io.BytesIO) -> gym.Env:
    env = make_env()
    policy = nn.Linear(3, 1)
    env.reset(seed=0)
    for _ in range(50):
        env.step(np.array([1.0], dtype=np.float32))
    torch.save(policy.state_dict(), file)
    return env


def evaluate(file: io.BytesIO) -> gym.Env:
    env = make_env()
    policy = nn.Linear(3, 1)
    policy.load_state_dict(torch.load(file, weights_only=True))
    return env


archive = io.BytesIO()
trained = train(archive)
archive.seek(0)
loaded = evaluate(archive)
trained.update_running_mean = loaded.update_running_mean = False
observation = np.array([0.0, 1.0, 8.0])
assert not np.allclose(trained.observation(observation), loaded.observation(observation), atol=0.1)
```

## Good

```python
import io

import gymnasium as gym
import numpy as np
import torch
from torch import nn


def make_env() -> gym.Env:
    return gym.wrappers.NormalizeObservation(gym.make("Pendulum-v1"))


def train(file: io.BytesIO) -> gym.Env:
    env = make_env()
    policy = nn.Linear(3, 1)
    env.reset(seed=0)
    for _ in range(50):
        env.step(np.array([1.0], dtype=np.float32))
    torch.save({"policy": policy.state_dict(), "obs_rms": env.obs_rms}, file)
    return env


def evaluate(file: io.BytesIO) -> gym.Env:
    env = make_env()
    policy = nn.Linear(3, 1)
    data = torch.load(file, weights_only=False)
    policy.load_state_dict(data["policy"])
    env.obs_rms = data["obs_rms"]
    env.update_running_mean = False
    return env


archive = io.BytesIO()
trained = train(archive)
archive.seek(0)
loaded = evaluate(archive)
trained.update_running_mean = False
observation = np.array([0.0, 1.0, 8.0])
assert np.array_equal(trained.observation(observation), loaded.observation(observation))
```

## When it stays silent

- Some code of the program takes the statistics out of the environment (`env.obs_rms`), a method of the
  wrapper that gives them is called, or the environment itself is saved.
  Handing them from one environment of a run to another, `test.set_obs_rms(train.get_obs_rms())`, keeps nothing.
- Nothing in the program loads a policy: there is no second run that misses them.
- Only rewards are normalized, and no load goes on with training: a finished policy sees no rewards.
- The payload has a part that is not understood, or a key that speaks of statistics.
- The wrapper is made with `training=False`, or every call asks it not to normalize.
- The wrapper is a `VecNormalize` of Stable-Baselines3, which can save itself: CKP208 and CKP209.
- The policy normalizes by itself, with statistics that are part of the module.

## References

- https://gymnasium.farama.org/api/wrappers/observation_wrappers/#gymnasium.wrappers.NormalizeObservation
- https://tianshou.org/en/stable/03_api/env/venv_wrappers.html
- https://github.com/thu-ml/tianshou/issues/443
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import CALL
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in


def check(project: Project) -> Iterator[Finding]:
    """Report policies that are saved without the statistics of their environment."""
    for lost in project.losses.unsaved_environments():
        environment = lost.environment
        where = f"{environment.location.path.rpartition('/')[2]}:{environment.location.position.line}"
        message = (
            f"'{environment.first}' of {environment.name} ({where}) is not saved and starts over after"
            " loading; save it beside the policy"
        )
        others = [(environment.location, "the statistics live here")]
        others += [(each, "saved without them here too") for each in lost.others]
        yield finding_in(RULE, lost.location, message, others, node=CALL, key=environment.first)


RULE = Rule(__name__, "CKP215", check)
