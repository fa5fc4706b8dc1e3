"""What the locals of a function say about objects that nothing saves."""

from __future__ import annotations

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.losses.unsaved_object import TAKES_OVER
from flake8_ckpt.losses.unsaved_object import given


def is_wound_forward(value: Value) -> bool:
    """Tell whether a scheduler is made for the epoch at which training goes on."""
    return any(
        isinstance(option, Call)
        and any(name in ("last_epoch", "last_step", "start_epoch") for name, _ in option.keywords)
        for option in options_of(value)
    )


def escapes(name: str, function: FunctionFacts) -> bool:
    """Tell whether an object is given to a constructor or a library that may take care of it."""
    for site in function.calls:
        callee = last_name(site.call.callee)
        takes = (
            callee[:1].isupper()
            and not callee.endswith(("LR", "Scheduler", "Scaler", "Warmup"))
            or TAKES_OVER.search(callee)
        )
        if takes and any(last_name(each) == name for each in given(site)):
            return True
    return False
