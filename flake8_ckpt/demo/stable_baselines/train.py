# Modelled on a Stable-Baselines3 project that trains on a normalized environment.
# The second bug: the model is saved, and the statistics of the VecNormalize around its environment are not.
"""Train an agent and save it."""

from __future__ import annotations

from stable_baselines.features import StandardizedExtractor
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize


def main() -> None:
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4), norm_obs=True, norm_reward=True)
    model = PPO("MlpPolicy", env, policy_kwargs={"features_extractor_class": StandardizedExtractor})
    model.learn(total_timesteps=100_000)
    model.save("ppo_saved")


if __name__ == "__main__":
    main()
