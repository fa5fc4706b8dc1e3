"""Modules that run once before they are loaded, so that what they register late is there: with a dummy batch.

class Learner(nn.Module):
    def __init__(self, net):
        self.encoder = Encoder(net)
        self.encoder(torch.zeros(2, 3, 8, 8))
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Instance
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch_methods import STEPS
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import functions_outside_tests
from flake8_ckpt.linking.value_names import path_text

# What is called on any module, and runs nothing.
ORDINARY = frozenset(
    "train eval to cuda cpu half float double apply compile requires_grad_ parameters named_parameters modules"
    " state_dict load_state_dict children named_modules".split()
)


def run_in_constructors(hierarchy: Hierarchy) -> frozenset[str]:
    """Return the classes whose objects a constructor calls that makes them."""
    symbols = hierarchy.symbols
    return frozenset(
        symbols.resolve(name, identity.partition(":")[0])
        for identity, facts in symbols.classes.items()
        for method in facts.methods
        if method.name == "__init__"
        for use in method.uses
        if "call" in use.how or any(f".{each}" in use.how for each in STEPS)
        for write in method.writes
        if write.attr == use.attr
        for option in options_of(write.value)
        for name in _class_names(option)
    )


def run_before_loads(hierarchy: Hierarchy) -> bool:
    """Tell whether code that loads a state into an object runs that very object first."""
    return any(map(_runs_first, functions_outside_tests(hierarchy.symbols)))


def _runs_first(unit: FunctionRef) -> bool:
    ran: set[str] = set()
    for site in unit.function.calls:
        callee = site.call.callee
        if not isinstance(callee, Attr):
            ran.add(path_text(callee))
        elif callee.name == "load_state_dict" and path_text(callee.base) in ran - {""}:
            return True
        elif callee.name not in ORDINARY and site.call.args:
            ran.add(path_text(callee.base))
    return False


def _class_names(value: Value) -> Iterator[str]:
    if isinstance(value, (Module, Instance)):
        yield value.path
    elif isinstance(value, Call) and isinstance(value.callee, Name):
        yield value.callee.path
