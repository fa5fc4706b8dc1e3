"""The algorithms, wrappers and names of Stable-Baselines3."""

from __future__ import annotations

from flake8_ckpt.frameworks.vocabulary import names
from flake8_ckpt.frameworks.vocabulary import names_in_order
from flake8_ckpt.frameworks.vocabulary import pattern

SB3 = "stable_baselines3"
ALGORITHM = pattern(SB3, "class", "algorithms")
ALGORITHM_TABLE = pattern(SB3, "variable", "a table of algorithms")
WRAPPER = pattern(SB3, "class", "the normalizing wrapper")
ENV_NAMES = names(SB3, "variable", "the environment")
ENV_NAME = pattern(SB3, "variable", "an environment")
MODEL_ENV = names(SB3, "method", "the environment of a model")
UNWRAPS = pattern(SB3, "function", "takes a wrapper off")
LIBRARIES = pattern(SB3, "namespace", "its packages")
HOOKS = names_in_order(SB3, "hook", "takes and puts parameters")
WRITERS = names_in_order(SB3, "hook", "runs when an algorithm saves")
(EXCLUDED,) = names_in_order(SB3, "hook", "names what is left out")
(NAMED,) = names_in_order(SB3, "hook", "names what is stored")
SET_UP = names(SB3, "hook", "runs at construction and at load")
RMS = pattern(SB3, "attribute", "statistics")
SAVES = pattern(SB3, "method", "saves")
ASSIGNS = pattern(SB3, "method", "puts statistics in place")
CHECKPOINTS = pattern(SB3, "class", "a callback that saves")
EVALUATES = pattern(SB3, "class", "a callback that evaluates")
