"""The hooks of Lightning and the keys that it writes by itself."""

from __future__ import annotations

# What Lightning itself puts into a checkpoint before its hooks see it.
LIGHTNING_KEYS = frozenset(
    "state_dict epoch global_step pytorch-lightning_version loops callbacks optimizer_states lr_schedulers"
    " hyper_parameters hparams_name datamodule_hyper_parameters native_amp_scaling_state MixedPrecisionPlugin".split()
)
FRAMEWORK_HOOKS = frozenset(
    "state_dict get_extra_state __getstate__ get_parameters on_save_checkpoint get_weights _save_to_state_dict".split()
)
