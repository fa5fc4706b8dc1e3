"""A Stable-Baselines3 model is saved, the statistics of the `VecNormalize` around its environment are not.

## What it does

Finds `model.save(...)`, and `CheckpointCallback(...)` without `save_vecnormalize=True`, for a
Stable-Baselines3 algorithm whose environment is wrapped in `VecNormalize`, where nothing saves the wrapper.
The environment is followed through functions, helper files, attributes and other wrappers.
A `torch.save` of a model of your own counts too, in a function that steps such an environment itself.

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
from dataclasses import dataclass

from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Related
from flake8_ckpt.project.making import Place
from flake8_ckpt.project.making import object_text
from flake8_ckpt.project.payloads import Spot
from flake8_ckpt.project.payloads import written_by
from flake8_ckpt.project.programs import Programs
from flake8_ckpt.project.project import Project
from flake8_ckpt.project.unfold import Callee
from flake8_ckpt.project.vecnormalize import Environments
from flake8_ckpt.project.vecnormalize import Wrapper
from flake8_ckpt.project.wrapper_statistics import CHECKPOINTS
from flake8_ckpt.project.wrapper_statistics import FROZEN
from flake8_ckpt.project.wrapper_statistics import SAVED
from flake8_ckpt.project.wrapper_statistics import Statistics
from flake8_ckpt.project.wrapper_statistics import parts_of
from flake8_ckpt.project.wrapper_statistics import saves_wrapper
from flake8_ckpt.rules.base import Rule


@dataclass(frozen=True, eq=False)
class Save:
    """A call that saves a model, the wrappers of its environment, and how the code names the model."""

    spot: Spot
    wrappers: tuple[Wrapper, ...]
    name: str
    is_callback: bool = False


def check(project: Project) -> Iterator[Finding]:
    """Report models that are saved without the statistics of the VecNormalize around their environment."""
    environments = project.environments
    if not environments.is_present:
        return
    programs, statistics = Programs(environments.makings), Statistics(environments)
    lost: dict[Spot, list[Save]] = {}
    for save in _saves(environments):
        done = statistics.done_in(programs.around(save.spot.path))
        fresh = [each for each in save.wrappers if not each.restored or FROZEN not in done]
        if SAVED not in done and fresh:
            lost.setdefault(fresh[0].spot, []).append(save)
    for wrapper, saves in lost.items():
        yield _finding(wrapper, saves)


def _finding(wrapper: Spot, saves: list[Save]) -> Finding:
    first, *others = sorted(saves, key=lambda each: (each.spot.path, each.spot.position))
    message = (
        f"'{first.name}' is saved without the VecNormalize of {wrapper}: a reload has no statistics for it"
    )
    if first.is_callback:
        message = (
            f"'CheckpointCallback' leaves out the VecNormalize of {wrapper}: pass save_vecnormalize=True"
        )
    related = [Related(each.spot.path, each.spot.position, "saved here too") for each in others]
    made = Related(wrapper.path, wrapper.position, "the statistics live here")
    return Finding(first.spot.path, first.spot.position, RULE.code, message, (made, *related))


def _saves(environments: Environments) -> Iterator[Save]:
    """Yield the saves of models on normalized environments."""
    for unit in environments.units:
        for site in unit.function.calls:
            place = Place(unit, site.position)
            is_callback = (
                isinstance(site.call.callee, Name) and CHECKPOINTS.search(site.call.callee.path) is not None
            )
            if is_callback:
                wrappers = () if saves_wrapper(site.call) else tuple(_trained_with(unit, environments))
            else:
                wrappers = tuple(_saved_at(site.call, place, environments))
            if wrappers:
                yield Save(place.spot, wrappers, _name(site.call), is_callback)


def _name(call: Call) -> str:
    saved = call.args[0] if call.args and isinstance(call.callee, Name) else call.callee
    return object_text(saved.base if saved is call.callee and isinstance(saved, Attr) else saved) or "model"


def _trained_with(unit: Callee, environments: Environments) -> Iterator[Wrapper]:
    """Yield the wrappers of the models that are trained where a callback, or its maker, is called."""
    callers = [caller for caller, _ in environments.makings.callers.get(unit.identity, ())]
    for each in (unit, *callers):
        for model, place in environments.learning(each):
            yield from environments.runs_on(model, place).wrappers


def _saved_at(call: Call, place: Place, environments: Environments) -> Iterator[Wrapper]:
    """Yield the wrappers of the models that a call saves, as a whole or in part."""
    if isinstance(call.callee, Attr) and call.callee.name == "save":
        yield from environments.runs_on(call.callee.base, place).wrappers
    written = written_by(call, place.callee, environments.unfolder)
    if written is None:
        return
    models = [
        part for part in parts_of(written[0]) if isinstance(part, Local) and environments.models(part, place)
    ]
    for model in models:
        yield from environments.runs_on(model, place).wrappers
    if not models and environments.holds_modules_only(written[0], place):
        yield from environments.stepped(place.callee)


RULE = Rule(__name__, "CKP208", check=check)
