"""Which functions take part in a checkpoint."""

from __future__ import annotations

from flake8_ckpt.checkpoints.function_names import are_partners
from flake8_ckpt.checkpoints.payload import is_saving_object
from flake8_ckpt.checkpoints.payload import loads
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Name
from flake8_ckpt.frameworks.persistence import ARCHIVES
from flake8_ckpt.frameworks.persistence import WRITERS
from flake8_ckpt.linking.functions import called_name


def depends(method: FunctionFacts, own: set[str]) -> bool:
    """Tell whether an inherited method calls, or is the partner of, a method that a class defines itself."""
    if any(called_name(site.call) in own for site in method.calls):
        return True
    return any(are_partners(name, method.name) or are_partners(method.name, name) for name in own)


def saves_or_loads(call: Call) -> bool:
    """Tell whether a call itself writes or reads a file, by its name alone."""
    if isinstance(call.callee, Name):
        return call.callee.path in WRITERS or call.callee.path in ARCHIVES or loads(call.callee.path)
    return (
        isinstance(call.callee, Attr)
        and call.callee.name in ("save", "load")
        and is_saving_object(call.callee.base)
    )
