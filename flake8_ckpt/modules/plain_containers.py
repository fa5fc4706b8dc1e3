"""Plain containers on modules: what construction puts into them, and whether it is registered elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.facts.model import HIDDEN
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.modules.attribute_lifetime import IDLE_USES
from flake8_ckpt.modules.attribute_lifetime import is_statistic
from flake8_ckpt.modules.attribute_lifetime import is_transient
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.own_saving import is_carried_by_hooks

# `for net in self.nets: net.parameters()`: only modules have these methods.
MODULE_CALLS = frozenset(
    "element.parameters element.named_parameters element.state_dict element.load_state_dict element.eval"
    " element.requires_grad_ element.zero_grad element.modules element.half element.cuda element.train".split()
)
# Modules of torch without parameters and buffers, by the end of their names.
STATELESS = re.compile(
    r"\.(\w*ReLU\d?|(Log)?Sigmoid|Tanh|\w*ELU|Mish|Hardswish|Hardtanh|Hardsigmoid|Soft\w+|LogSoftmax|Dropout\w*"
    r"|AlphaDropout|Identity|Flatten|Unflatten|\w*Loss|\w*Pool\dd|Upsample\w*"
    r"|Pixel\w+|\w*Pad\dd|Fold|Unfold|GLU|SiLU|Threshold"
    r"|CosineSimilarity)$"
)
# `self.model_kwargs = {...}` is handed on to constructors, and holds no part of this module.
ARGUMENTS = re.compile(r"(args|kwargs|config|cfg|hparams|params|options)$")
CONTAINERS = frozenset("torch.nn.ModuleList torch.nn.ModuleDict torch.nn.Sequential".split())
# `self.critics = critics`, iterated over and called: lists of modules by their names.
HANDED_NAMES = re.compile(
    r"^_?(models|encoders|decoders|generators|networks|nets|critics|actors|policies|experts)$"
)
# Methods that strings, mappings, numbers and environments have too: no sign of a module.
PLAIN_METHODS = frozenset(
    "split lower upper strip get keys items values append extend format join startswith endswith replace"
    " item tolist size shape dim reset step close update copy pop index count".split()
)
# A list that was handed in and whose elements are called needs such a name to be one of modules.
MODULE_NAMES = re.compile(
    r"(^|_)(models?|encoders?|decoders?|generators?|layers?|nets?|networks?|modules?|blocks?|critics?|actors?|heads?)$"
)


def is_stateless(module: Module) -> bool:
    """Tell whether a module of torch has neither parameters nor buffers: an activation, a loss, a pooling."""
    return module.path.startswith("torch.nn.") and STATELESS.search(module.path) is not None


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
        return self.modules_by_use or any(not is_stateless(module) for module in modules)

    @property
    def holds_tensors(self) -> bool:
        """Tell whether the elements are tensors or Parameters."""
        options = [option for option in options_of(self.element) if option not in (NONE, UNKNOWN)]
        return bool(options) and all(isinstance(option, (Tensor, Parameter, Buffer)) for option in options)

    @property
    def is_transient_store(self) -> bool:
        """Tell whether calls put their own tensors into it, or take each one to where it is needed."""
        if is_transient(self.attr) or not is_statistic(self.attr) and self._is_filled_by_calls:
            return True
        hows = {how for read in self.state.reads(self.attr) for how in read.use.how}
        return "element.to" in hows and hows <= {"element.to", "item", "iter", *IDLE_USES}

    @property
    def _is_filled_by_calls(self) -> bool:
        return any(each.write.how in ("item", "grow") for each in self.state.runtime_writes(self.attr))


def plain_containers(state: ClassState) -> Iterator[PlainContainer]:
    """Yield the plain containers that a class's construction makes and nothing registers."""
    for attr in state.changes:
        made = state.constructed(attr)
        if not made or any(
            change.method.owner != state.identity or HIDDEN in change.guards for change in made
        ):
            continue
        if (
            state.registered(attr)
            or _is_registered_elsewhere(state, attr)
            or is_carried_by_hooks(state, attr)
        ):
            continue
        if ARGUMENTS.search(attr) or _is_module_container(state):
            continue
        held = _held(state, attr, made)
        if held is not None and not _is_replaced(state, attr):
            yield held


def _is_module_container(state: ClassState) -> bool:
    """Tell whether the class is a module list itself, which its constructor fills."""
    return bool(CONTAINERS & set(state.hierarchy.ancestors(state.identity)))


def _held(state: ClassState, attr: str, made: list[AttributeWrite]) -> PlainContainer | None:
    kinds = {kind for change in made for option in options_of(change.value) if (kind := _kind(option))}
    by_use = _is_modules_by_use(state, attr, made)
    if not kinds and not by_use:
        return None
    elements = [_element(state, change) for change in made]
    elements += [
        _unregistered(state, change.write.value, change.value)
        for change in state.changes[attr]
        if change.method.runs_at_construction and change.write.how in ("grow", "item")
    ]
    element = join([each for each in elements if each != UNKNOWN])
    filled = tuple(change for change in made if change.value != NONE)
    return PlainContainer(state, attr, sorted(kinds)[0] if kinds else "list", filled, element, by_use)


def _kind(value: Value) -> str:
    if isinstance(value, Record):
        return "dict"
    return value.kind if isinstance(value, Container) else ""


def _element(state: ClassState, change: AttributeWrite) -> Value:
    found: list[Value] = []
    raw = change.write.value
    if any(isinstance(each, Param) for each in options_of(raw)) and _may_be_empty(change.value):
        return UNKNOWN
    for option in options_of(change.value):
        if isinstance(option, Container) and option.size != 1 and option.size != 0:
            source = raw.of if isinstance(raw, Container) else UNKNOWN
            found.append(_unregistered(state, source, option.of))
        elif isinstance(option, Record):
            sources = {each.key: each.value for each in raw.fields} if isinstance(raw, Record) else {}
            found += [
                _unregistered(state, sources.get(each.key, UNKNOWN), each.value) for each in option.fields
            ]
    return join(found) if found else UNKNOWN


def _may_be_empty(value: Value) -> bool:
    return any(
        option == NONE or isinstance(option, Container) and option.size == 0 for option in options_of(value)
    )


def _unregistered(state: ClassState, raw: Value, value: Value) -> Value:
    """Return an element's value, Unknown where it is an attribute that is registered by itself."""
    for option in options_of(raw):
        if isinstance(option, Attr) and option.base == SELF and state.registered(option.name):
            return UNKNOWN
    return value


def _is_registered_elsewhere(state: ClassState, attr: str) -> bool:
    """Tell whether the elements are registered one by one under computed names, or handed to a module list."""
    for method, each in state.registers:
        if each.kind == "wrapped" and each.name == attr:
            return True
        if each.kind == "setattr" and each.name == "*":
            value = state.kind_evaluator.resolve(each.value, state.context(method))
            if any(isinstance(option, (Module, Parameter)) for option in options_of(value)):
                return True
        elif "*" in each.name and each.kind != "wrapped":
            return True
    return False


def _is_replaced(state: ClassState, attr: str) -> bool:
    """Tell whether later methods refill the container: then it holds what a call made."""
    return any(change.write.how in ("assign", "delete") for change in state.runtime_writes(attr))


def _is_modules_by_use(state: ClassState, attr: str, made: list[AttributeWrite]) -> bool:
    hows = {how for read in state.uses.get(attr, ()) for how in read.use.how}
    if not all(_is_handed_in(change) for change in made):
        return False
    if hows & MODULE_CALLS:
        return True
    methods = {how[8:] for how in hows if how.startswith("element.")}
    if HANDED_NAMES.search(attr) and "iter" in hows and methods - PLAIN_METHODS:
        return True
    called = "element()" in hows or "element.forward" in hows
    copied = any(isinstance(change.write.value, Container) for change in made)
    return called and copied and MODULE_NAMES.search(attr) is not None


def _is_handed_in(change: AttributeWrite) -> bool:
    raw = change.write.value
    if isinstance(raw, Param):
        return change.value == UNKNOWN
    return (
        isinstance(raw, Container)
        and raw.size == -1
        and isinstance(change.value, Container)
        and change.value.of == UNKNOWN
    )
