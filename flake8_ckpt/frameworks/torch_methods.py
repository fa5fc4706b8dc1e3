"""Methods of `nn.Module` and of hooks that torch and pickle call."""

from __future__ import annotations

import re

CARRIERS = frozenset(
    "state_dict get_extra_state _save_to_state_dict on_save_checkpoint load_state_dict set_extra_state"
    " _load_from_state_dict on_load_checkpoint save save_checkpoint state save_state get_state".split()
)
LOADERS = frozenset("load_state_dict set_extra_state _load_from_state_dict on_load_checkpoint".split())
MOVERS = frozenset("_apply to cuda cpu half float double".split())
CONSTRUCTION = frozenset(
    "__init__ __post_init__ __new__ reset_parameters _reset_parameters __attrs_post_init__".split()
)
UNEVENTFUL = frozenset("__repr__ extra_repr __str__ __getstate__ __setstate__ __deepcopy__".split())
# Not `set_grad_checkpointing`, which trades memory for time.
SAVERS = re.compile(
    r"(^|_)(save|dump|serialize|export)(_|$)|^_?get_\w*state$|state_dict|statistics_dict"
    r"|extra_state|^_?load_state|(?<!grad_)(?<!gradient_)(?<!activation_)checkpoint(?!ing)"
)
CASTS = re.compile(r"(^|[._])(to|move|cast|send)_\w+$|(device|dtype)$")
STEPS = frozenset(
    "forward __call__ step training_step validation_step test_step predict_step update normalize call"
    " compute_loss".split()
)
# Classes of other packages whose hooks do nothing of their own.
PLAIN_BASES = re.compile(
    r"^(object|abc\.ABC|typing\.\w+|typing_extensions\.\w+|torch\.nn\.(modules\.(\w+\.)?)?[A-Z]\w*"
    r"|torch\.jit\.ScriptModule)$|(^|\.)(LightningModule|LightningDataModule|Callback|PyTorchModelHubMixin)$"
)
# Modules that a trainer saves as they are, never as a part of another module.
ROOT_MODULES = re.compile(r"(^|\.)LightningModule$")
# Methods that restore a state or begin anew: what only these change is no progress of training.
RESTARTS = re.compile(
    r"(^|_)(load|restore|resume|set|setstate|start|begin|setup|open|connect|reset|init|initialize|clear|close"
    r"|shutdown)(_|$)"
)
LONE = {
    "get_extra_state": "set_extra_state",
    "set_extra_state": "get_extra_state",
    "state_dict": "load_state_dict",
}
NEEDING = frozenset([*LONE, "on_save_checkpoint"])
# Hooks that torch, pickle, Lightning, Stable-Baselines3 or Ray call when they save.
FRAMEWORK_HOOKS = frozenset(
    "state_dict get_extra_state __getstate__ get_parameters on_save_checkpoint get_weights _save_to_state_dict".split()
)
