"""Methods of `nn.Module` and of hooks that torch and pickle call."""

from __future__ import annotations

from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.vocabulary import names
from flake8_ckpt.frameworks.vocabulary import pattern

CARRIERS = names("torch", "hook", "carries state")
LOADERS = names("torch", "hook", "loads state")
MOVERS = names("torch", "hook", "moves the module")
CONSTRUCTION = names("torch", "hook", "runs at construction")
UNEVENTFUL = names("torch", "hook", "nothing of training")
STEPS = names("torch", "hook", "a step")
SAVERS = pattern("torch", "method", "saves or carries state")
CASTS = pattern("torch", "method", "casts")
RESTARTS = pattern("torch", "method", "restores or begins anew")
PLAIN_BASES = pattern("torch", "class", "hooks that do nothing of their own")
ROOT_MODULES = pattern("torch", "class", "modules that a trainer saves as they are")
FRAMEWORK_HOOKS = names("torch", "hook", "a framework calls it to save")
_PARTNERS = {each.names[0]: each.partner for each in DEFAULT.records.hook if each.partner}
LONE = {each: _PARTNERS[f"torch.nn.Module.{each}"] for each in names("torch", "hook", "needs its partner")}
NEEDING = frozenset([*LONE, "on_save_checkpoint"])
