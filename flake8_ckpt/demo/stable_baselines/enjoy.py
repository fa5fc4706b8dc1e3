# Modelled on a Stable-Baselines3 project: evaluation of a saved agent.
# The third bug: the environment is normalized by fresh statistics, which evaluation then updates.
"""Load an agent and run it."""

from __future__ import annotations

from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize


def main() -> None:
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1))
    model = PPO.load("ppo_saved", env=env)
    observation = env.reset()
    for _ in range(1000):
        action, _ = model.predict(observation, deterministic=True)
        observation, _, _, _ = env.step(action)


if __name__ == "__main__":
    main()
