"""Which functions take part in a checkpoint."""

from __future__ import annotations

from flake8_ckpt.checkpoints.function_names import are_partners
from flake8_ckpt.checkpoints.payload import loads
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Name
from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.library_calls import method_of_variable


def depends(method: FunctionFacts, own: set[str]) -> bool:
    """Tell whether an inherited method calls, or is the partner of, a method that a class defines itself."""
    if any(called_name(site.call) in own for site in method.calls):
        return True
    return any(are_partners(name, method.name) or are_partners(method.name, name) for name in own)


def saves_or_loads(call: Call, known: Frameworks) -> bool:
    """Tell whether a call itself writes or reads a file, by its name alone."""
    if isinstance(call.callee, Name):
        return call.callee.path in known.payload_saves or loads(call.callee.path, known)
    return isinstance(call.callee, Attr) and method_of_variable(call.callee, known) != ""
