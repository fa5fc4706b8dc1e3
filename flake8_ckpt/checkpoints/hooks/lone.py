"""Hooks that need a partner and have none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.hooks.mapping_keys import MappingKeys
from flake8_ckpt.checkpoints.hooks.methods import HookMethods
from flake8_ckpt.checkpoints.hooks.values import bare_object
from flake8_ckpt.checkpoints.hooks.values import copied
from flake8_ckpt.checkpoints.hooks.values import key_of
from flake8_ckpt.checkpoints.hooks.values import own_attribute
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.torch_methods import LONE
from flake8_ckpt.frameworks.torch_methods import NEEDING
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.modules.class_state import ClassState


@dataclass(frozen=True)
class LoneHook:
    """A hook without a partner, the name of the one that is missing, and a key that nobody reads back."""

    method: FunctionRef
    partner: str
    key: str = ""


class LoneHooks:
    """Finds the hooks without a partner."""

    def __init__(
        self, hierarchy: Hierarchy, kind_evaluator: KindEvaluator, methods: HookMethods, keys: MappingKeys
    ) -> None:
        self.hierarchy = hierarchy
        self.kind_evaluator = kind_evaluator
        self.methods = methods
        self.keys = keys

    def all(self) -> Iterator[LoneHook]:
        """Yield them, class by class."""
        for class_id, facts in self.hierarchy.symbols.classes.items():
            if NEEDING.isdisjoint(facts.method_names) or is_test(class_id.partition(":")[0]):
                continue
            if self.methods.has_plain_bases(class_id):
                for method in self.hierarchy.methods(class_id).values():
                    yield from self._lone(method_ref(class_id, method, class_id))

    def _lone(self, hook: FunctionRef) -> Iterator[LoneHook]:
        name, class_id = hook.function.name, hook.class_id
        if name in LONE and self.hierarchy.is_module(class_id) and not self.methods.has(class_id, LONE[name]):
            if self._needs_partner(hook):
                yield LoneHook(hook, LONE[name])
        elif name == "on_save_checkpoint" and not self.methods.has(class_id, "on_load_checkpoint"):
            yield from self._unread(hook)

    def _needs_partner(self, hook: FunctionRef) -> bool:
        method = hook.function
        if method.name == "set_extra_state":
            return bool(method.writes or method.key_reads)
        given = [each.value for each in method.stores if each.target == Name("return")]
        if method.name == "get_extra_state":
            return any(each not in (NONE, Record(())) for each in given)
        state = ClassState(hook.class_id, self.hierarchy, self.kind_evaluator)
        return bool(given) and all(_is_reshaped(each, state) for each in given)

    def _unread(self, method: FunctionRef) -> Iterator[LoneHook]:
        """Yield the first key that a lone `on_save_checkpoint` adds to hold state, and that nobody reads."""
        for store in method.function.stores:
            key, attr = key_of(store.target), own_attribute(copied(store.value))
            if key and key not in self.keys.read and attr and self.methods.is_changed(method.class_id, attr):
                yield LoneHook(method, "on_load_checkpoint", key)
                return


def _is_reshaped(value: Value, state: ClassState) -> bool:
    """Tell whether a `state_dict` gives that of another object, or keys that the base class does not know."""
    if isinstance(value, Record):
        return not value.open and any(_is_own_key(each, state) for each in value.fields)
    held = bare_object(value)
    return held is not None and not isinstance(held, Super)


def _is_own_key(field: Field, state: ClassState) -> bool:
    """Tell whether a key holds the state of some object, or an attribute that is no parameter or buffer."""
    if bare_object(field.value) is not None:
        return True
    made = state.constructed(own_attribute(field.value))
    return any(isinstance(each.value, (Number, Container, Record)) for each in made)
