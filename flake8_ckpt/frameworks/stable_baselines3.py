"""The algorithms, wrappers and names of Stable-Baselines3."""

from __future__ import annotations

import re

ALGORITHM = re.compile(
    r"^(stable_baselines3?|sb3_contrib|sbx)\..*\b(PPO[12]?|A2C|DQN|SAC|TD3|DDPG|HER|TRPO|ACER|ACKTR|GAIL|TQC"
    r"|QRDQN|ARS|RecurrentPPO|MaskablePPO|CrossQ|DroQ|SimBa|BaseAlgorithm|BaseRLModel|OnPolicyAlgorithm"
    r"|OffPolicyAlgorithm)$"
)
ALGORITHM_TABLE = re.compile(r"(^|[._:])(ALGOS?|\w+_ALGOS?|ALGO_\w+)$")
WRAPPER = re.compile(r"(^|[.:])VecNormalize$")
ENV_NAMES = frozenset(["env", "venv", "vec_env", "envs", "environment"])
ENV_NAME = re.compile(r"(^|_)(v?envs?|wrapper|environments?)\d*(_?(train|eval|test|norm|stage|vec)\w*)?$")
# What a model, or another wrapper, gives back of its environment.
MODEL_ENV = frozenset(["get_env", "get_vec_normalize_env"])
UNWRAPS = re.compile(r"unwrap_vec|get_vec_?norm")
LIBRARIES = re.compile(r"^(stable_baselines3|sb3_contrib|sbx)\.")
HOOKS = ("get_parameters", "set_parameters")
# What an algorithm's `save` runs, what it leaves out and what it stores by name; what `load` runs.
WRITERS = ("get_parameters", "save")
EXCLUDED = "_excluded_save_params"
NAMED = "_get_torch_save_params"
# What the library calls when it constructs an algorithm, and again when it loads one.
SET_UP = frozenset(["_setup_model"])
RMS = re.compile(r"^_?(obs?|observation|state|ret|rew|reward)s?_?rms\w*$")
SAVES = re.compile(
    r"^_?(save\w*|dumps?|export\w*|persist\w*|store\w*|backup\w*|upload\w*|package_to_hub|push_to_hub"
    r"|log_model|log_artifact\w*)$"
)
ASSIGNS = re.compile(
    r"(sync|copy|share|transfer|set|load|restore|update|init)\w*(norm|rms|stats|statistics|running_average)"
    r"|^__setstate__$",
    re.I,
)
CHECKPOINTS = re.compile(r"(^|[.:])CheckpointCallback$")
EVALUATES = re.compile(r"(^|[.:])(Maskable)?EvalCallback$")
