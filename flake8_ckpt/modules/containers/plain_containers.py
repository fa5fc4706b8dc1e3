"""Plain containers on modules that nothing registers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.facts.model import HIDDEN
from flake8_ckpt.facts.model import Register
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.modules.attribute_lifetime import IDLE_USES
from flake8_ckpt.modules.attribute_lifetime import is_statistic
from flake8_ckpt.modules.attribute_lifetime import is_transient
from flake8_ckpt.modules.buffers.registration_paths import unregistered_lists
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.containers.by_use import holds_modules_by_use
from flake8_ckpt.modules.containers.elements import elements_of
from flake8_ckpt.modules.containers.elements import kind_of
from flake8_ckpt.modules.containers.stateless_elements import holds_no_state
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.own_saving import is_carried_by_hooks

# `self.model_kwargs = {...}` is handed on to constructors, and holds no part of this module.
ARGUMENTS = re.compile(r"(args|kwargs|config|cfg|hparams|params|options)$")
CALLS = frozenset(["element()", "element.forward"])
CONTAINERS = frozenset("torch.nn.ModuleList torch.nn.ModuleDict torch.nn.Sequential".split())
TENSORS = (Tensor, Parameter, Buffer)


@dataclass(frozen=True)
class PlainContainer:
    """A plain container: its attribute and kind, the writes that make it, and what it may hold."""

    state: ClassState
    attr: str
    kind: str
    changes: tuple[AttributeWrite, ...]
    element: Value
    modules_by_use: bool

    @property
    def holds_modules(self) -> bool:
        """Tell whether some element is a module."""
        modules = [option for option in options_of(self.element) if isinstance(option, Module)]
        if self.modules_by_use:
            return True
        return not self._is_borrowed and any(
            not holds_no_state(self.state, module.path) for module in modules
        )

    @property
    def _is_borrowed(self) -> bool:
        """Tell whether the list was handed in and nothing calls its modules: they are parts of something else."""
        handed = all(_is_handed_in(change.write.value) for change in self.changes)
        return handed and not any(
            CALLS.intersection(read.use.how) for read in self.state.uses.get(self.attr, ())
        )

    @property
    def holds_tensors(self) -> bool:
        """Tell whether the elements are tensors or Parameters."""
        options = [option for option in options_of(self.element) if option not in (NONE, UNKNOWN)]
        return bool(options) and all(isinstance(option, TENSORS) for option in options)

    @property
    def is_placed(self) -> bool:
        """Tell whether construction puts its tensors where they are used, and no training changes them."""
        options = [option for option in options_of(self.element) if option != NONE]
        return bool(options) and all(
            isinstance(each, Tensor) and each.placed and each.origin != "random" and not each.trainable
            for each in options
        )

    @property
    def is_spent(self) -> bool:
        """Tell whether construction alone reads its constants: what it makes of them is what is used."""
        options = [option for option in options_of(self.element) if option != NONE]
        are_constants = all(
            isinstance(each, Tensor) and each.origin != "random" and not each.trainable for each in options
        )
        return bool(options) and are_constants and not self.state.reads(self.attr)

    @property
    def belongs_to_others(self) -> bool:
        """Tell whether it holds what was handed in: Parameters of other modules, what a later call is given."""
        if not all(_is_handed_in(change.write.value) for change in self.changes):
            return False
        options = [option for option in options_of(self.element) if option not in (NONE, UNKNOWN)]
        if all(isinstance(option, Parameter) for option in options):
            return True
        return all(change.method.name not in CONSTRUCTION for change in self.changes)

    @property
    def is_transient_store(self) -> bool:
        """Tell whether calls put their own tensors into it, or take each one to where it is needed."""
        if is_transient(self.attr) or not is_statistic(self.attr) and self._is_filled_by_calls:
            return True
        if any(change.write.how in ("assign", "delete") for change in self.state.runtime_writes(self.attr)):
            return True
        hows = {how for read in self.state.reads(self.attr) for how in read.use.how}
        if "relocated" in hows and not hows & {"input", "returned"}:
            return True
        return "element.to" in hows and hows <= {"element.to", "item", "iter", *IDLE_USES}

    @property
    def _is_filled_by_calls(self) -> bool:
        return any(each.write.how in ("item", "grow") for each in self.state.runtime_writes(self.attr))


def plain_containers(state: ClassState) -> Iterator[PlainContainer]:
    """Yield the plain containers that a class's construction makes and nothing registers."""
    for attr in state.changes:
        made = unregistered_lists(state, attr, state.constructed(attr))
        if not made or any(
            change.method.owner != state.identity or HIDDEN in change.guards for change in made
        ):
            continue
        if ARGUMENTS.search(attr) or _is_module_container(state) or is_carried_by_hooks(state, attr):
            continue
        if attr not in state.uses and not state.has_unknown_base:
            continue  # nothing reads it
        if _is_made_one(state, attr, made):
            continue
        held = _held(state, attr, made)
        if held is not None and not _is_registered_elsewhere(state, held):
            yield held


def _is_made_one(state: ClassState, attr: str, made: list[AttributeWrite]) -> bool:
    """Tell whether a constructor makes one tensor of all that it has put into a list, under the same name."""
    last = {each.method: each for each in made if each.write.how == "assign"}
    return bool(last) and all(
        isinstance(each.value, Tensor) and any(_is_followed(one, each) for one in made)
        for each in last.values()
    )


def _is_followed(one: AttributeWrite, other: AttributeWrite) -> bool:
    """Tell whether one write is followed by another, whenever it runs."""
    is_later = one.method == other.method and one.write.position.line < other.write.position.line
    return is_later and set(other.guards) <= set(one.guards)


def _is_handed_in(value: Value) -> bool:
    """Tell whether a value is a parameter, a copy of one, or an empty container in its place."""
    filled = [each for each in options_of(value) if not (isinstance(each, Container) and each.size == 0)]
    copied = [each.of if isinstance(each, Container) else each for each in filled]
    given = [each.base if isinstance(each, Element) else each for each in copied]
    return bool(given) and all(isinstance(each, Param) or each == NONE for each in given)


def _is_module_container(state: ClassState) -> bool:
    """Tell whether the class is a module list itself, which its constructor fills."""
    return bool(CONTAINERS & set(state.hierarchy.ancestors(state.identity)))


def _held(state: ClassState, attr: str, made: list[AttributeWrite]) -> PlainContainer | None:
    kinds = {kind for change in made for option in options_of(change.value) if (kind := kind_of(option))}
    by_use = holds_modules_by_use(state, attr, made)
    if not kinds and not by_use:
        return None
    filled = tuple(change for change in made if change.value != NONE)
    kind = sorted(kinds)[0] if kinds else "list"
    return PlainContainer(state, attr, kind, filled, elements_of(state, attr, made), by_use)


def _is_registered_elsewhere(state: ClassState, held: PlainContainer) -> bool:
    """Tell whether the elements are registered one by one under computed names, or handed to a module list."""
    for method, each in state.registers:
        if each.kind == "wrapped" and each.name == held.attr:
            return True
        if "*" in each.name and each.kind != "wrapped":
            value = state.kind_evaluator.resolve(each.value, state.context(method))
            if _may_be_of(held, each, value):
                return True
    return False


def _may_be_of(held: PlainContainer, register: Register, value: Value) -> bool:
    """Tell whether what is registered under a computed name may be an element."""
    options = options_of(value)
    if register.kind == "setattr" and register.name == "*":
        return any(isinstance(option, (Module, Parameter)) for option in options)
    if UNKNOWN in options:
        return True
    if not held.holds_modules:
        return any(isinstance(option, TENSORS) for option in options)
    return any(isinstance(option, Module) for option in options)
