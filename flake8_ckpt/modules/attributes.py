"""The record of an attribute of a module class, and what rules ask about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Fix
from flake8_ckpt.modules.attribute_lifetime import Lifetime
from flake8_ckpt.modules.attribute_lifetime import is_idle
from flake8_ckpt.modules.attribute_lifetime import is_moved_by_hand
from flake8_ckpt.modules.attribute_lifetime import is_only_handed_on
from flake8_ckpt.modules.attribute_lifetime import is_optional
from flake8_ckpt.modules.attribute_lifetime import is_placeholder
from flake8_ckpt.modules.attribute_lifetime import is_random
from flake8_ckpt.modules.attribute_lifetime import is_statistic
from flake8_ckpt.modules.attribute_lifetime import is_trainable
from flake8_ckpt.modules.attribute_lifetime import is_transient
from flake8_ckpt.modules.attribute_lifetime import is_window
from flake8_ckpt.modules.attribute_lifetime import lifetime
from flake8_ckpt.modules.buffers.buffer_fixes import constant_fix
from flake8_ckpt.modules.buffers.buffer_fixes import parameter_fix
from flake8_ckpt.modules.buffers.buffer_fixes import state_fix
from flake8_ckpt.modules.buffers.registration_paths import buffers_apart
from flake8_ckpt.modules.buffers.registration_paths import is_buffer_itself
from flake8_ckpt.modules.carried_writes import depends_on_previous_value
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.own_saving import is_carried_by_hooks
from flake8_ckpt.modules.own_saving import is_moved_by_hooks
from flake8_ckpt.modules.own_saving import is_rebuilt_by_hooks


@dataclass(frozen=True)
class Attribute:
    """An attribute of a module class, with the writes of construction that make it what it is."""

    state: ClassState
    name: str
    writes: tuple[AttributeWrite, ...] = ()

    @cached_property
    def lifetime(self) -> Lifetime:
        """Return how it lives: constant, state, fitted, cache or scratch."""
        return lifetime(self.state, self.name)

    @property
    def change(self) -> AttributeWrite:
        """Return the first write after construction, one that builds on the old value if there is one."""
        later = self.state.runtime_writes(self.name)
        return next((each for each in later if depends_on_previous_value(self.state, each)), later[0])

    @property
    def is_carried_by_hooks(self) -> bool:
        """Tell whether the class's own saving mentions it."""
        return is_carried_by_hooks(self.state, self.name)

    @property
    def is_rebuilt_by_hooks(self) -> bool:
        """Tell whether the class's own loading makes it anew."""
        return is_rebuilt_by_hooks(self.state, self.name)

    @property
    def is_moved_by_hooks(self) -> bool:
        """Tell whether the class moves it itself in `_apply` or `to`."""
        return is_moved_by_hooks(self.state, self.name)

    @property
    def is_moved_by_hand(self) -> bool:
        """Tell whether every later use moves it first."""
        return is_moved_by_hand(self.state, self.name)

    @property
    def is_trainable(self) -> bool:
        """Tell whether it requires grad."""
        return is_trainable(self.state, self.name)

    @property
    def is_only_handed_on(self) -> bool:
        """Tell whether it is only there to give a checkpointed function an argument that requires grad."""
        return is_only_handed_on(self.state, self.name)

    @property
    def is_buffer_itself(self) -> bool:
        """Tell whether a buffer is made of the very tensor, which is only ever changed where it lies."""
        return is_buffer_itself(self.state, self.name)

    @property
    def is_optional(self) -> bool:
        """Tell whether construction may leave None or a number."""
        return is_optional(self.state, self.name)

    @property
    def is_placeholder(self) -> bool:
        """Tell whether construction leaves only an empty tensor."""
        return is_placeholder(self.state, self.name)

    @property
    def is_idle(self) -> bool:
        """Tell whether later methods look at its shape or branch on it, and no more."""
        return is_idle(self.state, self.name)

    @property
    def is_random(self) -> bool:
        """Tell whether construction draws it at random."""
        return is_random(self.state, self.name)

    @property
    def is_statistic(self) -> bool:
        """Tell whether it has a name that running statistics have."""
        return is_statistic(self.name)

    @property
    def is_transient(self) -> bool:
        """Tell whether its name says that it belongs to one sequence or one call."""
        return is_transient(self.name)

    @property
    def is_window(self) -> bool:
        """Tell whether it gathers what one method takes and sets back."""
        return is_window(self.state, self.name)

    @property
    def is_used_in_steps(self) -> bool:
        """Tell whether a forward pass or an update reads it."""
        return any(each.method.name in self.state.stepping for each in self.state.reads(self.name))

    @property
    def is_buffer_elsewhere(self) -> bool:
        """Tell whether another arm of construction registers what this one derives from data and keeps plain."""
        derived = any(
            isinstance(option, Tensor) and option.origin == "data"
            for each in self.writes
            for option in options_of(each.value)
        )
        return derived and any(buffers_apart(self.state, each) for each in self.writes)

    @property
    def is_constant(self) -> bool:
        """Tell whether it stays as construction left it, and other code reads it as a tensor."""
        if self.is_trainable or self.is_placeholder or self.is_idle or self.is_carried_by_hooks:
            return False
        if self.is_buffer_elsewhere:
            return False
        return self.lifetime == "cache" or self.lifetime == "constant" and not self.is_random

    @property
    def state_fix(self) -> Fix:
        """Return the fix that makes it a buffer which is saved."""
        return state_fix(self.state, self.name, self.writes)

    @property
    def constant_fix(self) -> Fix:
        """Return the fix that makes it a buffer which is not saved."""
        return constant_fix(self.state, self.name, self.writes)

    @property
    def parameter_fix(self) -> Fix:
        """Return the fix that makes it a parameter."""
        return parameter_fix(self.state, self.name)
