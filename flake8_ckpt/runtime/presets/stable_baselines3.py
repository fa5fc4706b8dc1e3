"""A stable-baselines3 agent: trained, saved with its VecNormalize, and continued from a new episode."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from flake8_ckpt.runtime.presets.options import CHECKER
from flake8_ckpt.runtime.presets.options import Load
from flake8_ckpt.runtime.presets.options import Options
from flake8_ckpt.runtime.presets.options import Save

# What differs between any two runs: the time of day, and where the log goes.
CLOCKS = ("start_time", "ep_info_buffer[*]['t']", "_logger")
SEED = 0


def begin_training(agent: Any, steps: int) -> None:
    """Train a new agent."""
    agent.learn(steps)


def continue_training(agent: Any, steps: int) -> object:
    """Train on from the first step of an episode, and return what the agent then sees, does and gets."""
    environment = agent.get_env()
    environment.seed(SEED)
    # learn() resets the environment where there is no last observation.
    agent._last_obs = None
    agent.learn(steps, reset_num_timesteps=False)
    environment.seed(SEED)
    observation = environment.reset()
    action, _ = agent.predict(observation, deterministic=True)
    after, reward, _, _ = environment.step(action)
    agent._last_obs = None
    return {"observation": observation, "action": action, "next observation": after, "reward": reward}


def save_agent(agent: Any, folder: Path) -> None:
    """Write an agent, its replay buffer and its VecNormalize, as far as it has them, into a folder."""
    folder.mkdir(exist_ok=True)
    agent.save(folder / "agent.zip")
    if getattr(agent, "replay_buffer", None) is not None:
        agent.save_replay_buffer(folder / "replay_buffer.pkl")
    if agent.get_vec_normalize_env() is not None:
        agent.get_vec_normalize_env().save(folder / "vec_normalize.pkl")


def load_agent(agent: Any, folder: Path) -> object:
    """Return the agent of a folder, on the environment of another that was just made."""
    from stable_baselines3.common.vec_env import VecNormalize

    environment = agent.get_env()
    if (folder / "vec_normalize.pkl").exists():
        environment = VecNormalize.load(str(folder / "vec_normalize.pkl"), environment.venv)
    loaded = type(agent).load(folder / "agent.zip", env=environment, device=agent.device)
    if (folder / "replay_buffer.pkl").exists():
        loaded.load_replay_buffer(folder / "replay_buffer.pkl")
    return loaded


def stable_baselines3(
    steps: int = 64, *, save: Save = save_agent, load: Load = load_agent, ignore: Sequence[str] = ()
) -> Options:
    """Return the options for an agent that `make` returns with its environment; `steps` is each training.

    Both copies go on from the first step of an episode under one seed, since simulators are not saved: they
    train, and then act on normalized observations. `save(agent, path)` and `load(agent, path)`, which returns
    the loaded agent, do as your scripts do; those of the preset keep all that the library can keep.
    """

    # Partials of functions can be sent to a new process, inner functions cannot.
    train, go_on = partial(begin_training, steps=steps), partial(continue_training, steps=steps)
    return Options(
        exercise=train, continue_with=go_on, save=save, load=load, ignore=(*CLOCKS, *CHECKER, *ignore)
    )
