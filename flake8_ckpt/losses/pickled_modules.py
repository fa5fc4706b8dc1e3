"""Modules that a program pickles as whole objects: normalizers beside the state_dict that holds them, and others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flake8_ckpt.checkpoints.io_calls import written_by
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.torch import MODULE_METHODS
from flake8_ckpt.frameworks.torch import PICKLERS
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.value_names import path_text


@dataclass(frozen=True)
class PickledModule:
    """A module that is pickled, where, and the class whose state_dict holds it too if it is a normalizer of one."""

    name: str
    locations: tuple[Spot, ...]
    holder: str


def pickled_modules(contract: Contract) -> tuple[PickledModule, ...]:
    """Return the first module of each payload that a function pickles."""
    found = (
        _first_module(unit, contract, payload, locations)
        for unit in followed_functions(contract.hierarchy.symbols)
        for payload, locations in _pickled(unit, contract).items()
    )
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _pickled(unit: FunctionRef, contract: Contract) -> dict[Value, list[Spot]]:
    """Return what a function pickles, with the places where it does."""
    found: dict[Value, list[Spot]] = {}
    for site in unit.function.calls:
        callee = site.call.callee
        if (
            isinstance(callee, Name)
            and contract.hierarchy.symbols.resolve(callee.path, unit.path) in PICKLERS
        ):
            payload, _ = written_by(site.call, unit, contract.evaluator) or (UNKNOWN, UNKNOWN)
            found.setdefault(payload, []).append(Spot(unit.path, site.position))
    return found


def _first_module(
    unit: FunctionRef, contract: Contract, payload: Value, locations: list[Spot]
) -> PickledModule | None:
    for name, value in _objects(payload):
        if _is_module(value, unit, contract):
            return PickledModule(name, tuple(locations), _holder(value, unit, contract))
    return None


def _objects(payload: Value) -> Iterator[tuple[str, Value]]:
    """Yield the objects of a payload under their names: itself, or what is in a mapping or list."""
    if isinstance(payload, Record):
        yield from ((path_text(field.value) or field.key, field.value) for field in payload.fields)
    else:
        options = options_of(payload.of if isinstance(payload, Container) else payload)
        yield from ((path_text(option), option) for option in options)


def _is_module(value: Value, unit: FunctionRef, contract: Contract) -> bool:
    """Tell whether an object is a module, on some path at least."""
    if isinstance(value, (Local, Join)):
        options = options_of(value.value if isinstance(value, Local) else value)
        return any(_is_module(option, unit, contract) for option in options)
    if isinstance(value, Call) and isinstance(value.callee, Attr) and value.callee.name in MODULE_METHODS:
        return _is_module(value.callee.base, unit, contract)
    return contract.hierarchy.is_module(_class_of(value, unit, contract))


def _holder(value: Value, unit: FunctionRef, contract: Contract) -> str:
    """Return the name of the module class that holds a normalizer as an attribute, or an empty string."""
    class_id = _class_of(value, unit, contract)
    owner = _class_of(value.base, unit, contract) if isinstance(value, Attr) else ""
    is_normalizer = contract.kinds.is_normalizer(class_id) or "BatchNorm" in class_id
    held = is_normalizer and contract.hierarchy.is_module(owner)
    return owner.rpartition(":")[2].rpartition(".")[2] if held else ""


def _class_of(value: Value, unit: FunctionRef, contract: Contract) -> str:
    return contract.evaluator.class_of(value, CallContext(unit))
