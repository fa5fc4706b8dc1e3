"""Methods that the project's loading code calls on modules first, so that they have what a checkpoint holds.

for module in model.modules():
    if isinstance(module, Lazy) and "mean" in state:
        module.create_buffers(state["mean"].shape)
model.load_state_dict(state)
"""

from __future__ import annotations

from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Super
from flake8_ckpt.frameworks.torch_methods import STEPS
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import functions_outside_tests
from flake8_ckpt.linking.symbols import Symbols

# What loading code calls on any module, whatever it does in some.
ORDINARY = STEPS | frozenset("train eval to cuda cpu half float double apply compile requires_grad_".split())


def methods_called_by_loads(symbols: Symbols) -> frozenset[str]:
    """Return the names of the methods that functions call on other objects, beside what they take from a payload."""
    return frozenset(name for unit in functions_outside_tests(symbols) for name in _called(unit)) - ORDINARY


def _called(unit: FunctionRef) -> set[str]:
    if not unit.function.key_reads:
        return set()
    callees = (site.call.callee for site in unit.function.calls)
    return {
        each.name
        for each in callees
        if isinstance(each, Attr) and each.base != SELF and not isinstance(each.base, Super)
    }
