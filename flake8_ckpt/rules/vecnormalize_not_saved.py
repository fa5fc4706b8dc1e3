"""A Stable-Baselines3 model is saved, the statistics of the `VecNormalize` around its environment are not.

## What it does

Finds `model.save(...)`, and `CheckpointCallback(...)` without `save_vecnormalize=True`, for a
Stable-Baselines3 algorithm whose environment is wrapped in `VecNormalize`, where nothing saves the wrapper.
The environment is followed through functions, helper files, attributes and other wrappers.
A `torch.save` of a model of your own counts too, in a function that steps such an environment itself.
So does `getattr(env, "ob_rms", None)` in what is saved: the wrapper calls them `obs_rms`, and None is saved.

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

from flake8_ckpt.checkpoints.io_calls import written_by
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Related
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.stable_baselines3 import CHECKPOINTS
from flake8_ckpt.linked_project import Project
from flake8_ckpt.linking.allocation_sites import Place
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.programs import Programs
from flake8_ckpt.linking.value_names import object_text
from flake8_ckpt.linking.value_names import parts_of
from flake8_ckpt.losses.vecnormalize.statistics import FROZEN
from flake8_ckpt.losses.vecnormalize.statistics import SAVED
from flake8_ckpt.losses.vecnormalize.statistics import Statistics
from flake8_ckpt.losses.vecnormalize.statistics import saves_wrapper
from flake8_ckpt.losses.vecnormalize.wrappers import Environments
from flake8_ckpt.losses.vecnormalize.wrappers import Wrapper
from flake8_ckpt.rules.base import CALL
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import call_of
from flake8_ckpt.rules.base import finding_in

CALLBACK = "CheckpointCallback"
Kept = tuple[Wrapper, Spot]


@dataclass(frozen=True, eq=False)
class Save:
    """A call that saves a model: its name in the code, where it is made, the wrapper of its environment."""

    location: Spot
    name: str
    model: Spot
    wrapper: Wrapper

    @property
    def is_callback(self) -> bool:
        """Tell whether a callback saves the model while it is trained."""
        return self.name == CALLBACK

    @property
    def order(self) -> tuple[bool, str, Position]:
        """Return what to sort saves by: those of the file that makes the model come first."""
        return self.location.path != self.model.path, self.location.path, self.location.position


def check(project: Project) -> Iterator[Finding]:
    """Report models that are saved without the statistics of the VecNormalize around their environment."""
    environments = project.environments
    if not environments.is_present:
        return
    programs, statistics = Programs(environments.makings), Statistics(environments)
    lost: dict[tuple[Spot, Spot], list[Save]] = {}
    for save in _saves(environments):
        done = statistics.done_in(programs.around(save.location.path))
        if SAVED not in done and not (save.wrapper.restored and FROZEN in done):
            lost.setdefault((save.wrapper.location, save.model), []).append(save)
    reported: set[Spot] = set()
    for saves in lost.values():
        first, *others = sorted(saves, key=lambda each: each.order)
        if first.location not in reported:
            reported.add(first.location)
            yield _finding(first, others)
    yield from _misnamed(environments)


def _misnamed(environments: Environments) -> Iterator[Finding]:
    """Report saves that look for the statistics under a name that a VecNormalize does not have, and get None."""
    if not environments.has_obs_rms:
        return
    for unit in environments.units:
        for site in unit.function.calls:
            written = written_by(site.call, unit, environments.evaluator)
            for part in parts_of(written[0]) if written is not None else ():
                if isinstance(part, Join) and NONE in part.options and any(map(_is_misnamed, part.options)):
                    message = "'ob_rms' is None here: a VecNormalize of Stable-Baselines3 has 'obs_rms'"
                    yield finding_in(RULE, Spot(unit.path, site.position), message, node=CALL)


def _is_misnamed(value: Value) -> bool:
    return isinstance(value, Attr) and value.name == "ob_rms"


def _finding(first: Save, others: list[Save]) -> Finding:
    wrapper = first.wrapper.location
    message = f"'{first.name}' is saved without the VecNormalize of {wrapper}: a reload has no statistics"
    if first.is_callback:
        message = f"'{CALLBACK}' leaves out the VecNormalize of {wrapper}: pass save_vecnormalize=True"
    made = Related(wrapper.path, wrapper.position, "the statistics live here")
    spots = dict.fromkeys(each.location for each in others if each.location != first.location)
    related = [Related(each.path, each.position, "saved here too") for each in spots]
    node = call_of(CALLBACK) if first.is_callback else CALL
    return Finding(first.location.path, first.location.position, RULE.code, message, (made, *related), node)


def _saves(environments: Environments) -> Iterator[Save]:
    """Yield the saves of models on normalized environments."""
    for unit in environments.units:
        for site in unit.function.calls:
            place = Place(unit, site.position)
            if isinstance(site.call.callee, Name) and CHECKPOINTS.search(site.call.callee.path):
                name, models = CALLBACK, [] if saves_wrapper(site.call) else _trained_with(unit, environments)
            else:
                name, models = _name(site.call), _saved_at(site.call, place, environments)
            for wrapper, model in models:
                yield Save(place.location, name, model, wrapper)


def _name(call: Call) -> str:
    """Return how the code names what a call saves."""
    if isinstance(call.callee, Attr):
        return object_text(call.callee.base) or "model"
    return (object_text(call.args[0]) if call.args else "") or "model"


def _trained_with(unit: FunctionRef, environments: Environments) -> list[Kept]:
    """Return the wrappers of the models that are trained where a callback, or its maker, is called."""
    callers = [caller for caller, _ in environments.makings.callers.get(unit.identity, ())]
    return [
        kept
        for each in (unit, *callers)
        for model, place in environments.learning(each)
        for kept in _kept(model, place, environments)
    ]


def _saved_at(call: Call, place: Place, environments: Environments) -> list[Kept]:
    """Return the wrappers of the models that a call saves, as a whole or in part."""
    if isinstance(call.callee, Attr) and call.callee.name == "save":
        return _kept(call.callee.base, place, environments)
    written = written_by(call, place.callee, environments.evaluator)
    if written is None:
        return []
    parts = [part for part in parts_of(written[0]) if isinstance(part, Local)]
    models = [part for part in parts if environments.models(part, place)]
    if not models and environments.holds_modules_only(written[0], place):
        return [(wrapper, wrapper.location) for wrapper in environments.stepped(place.callee)]
    return [kept for model in models for kept in _kept(model, place, environments)]


def _kept(model: Value, place: Place, environments: Environments) -> list[Kept]:
    """Return the wrappers of the environment of a model, each with where the model is made."""
    made = environments.models(model, place)
    return [(wrapper, made[0].place.location) for wrapper in environments.runs_on(model, place).wrappers]


RULE = Rule(__name__, "CKP208", check=check)
