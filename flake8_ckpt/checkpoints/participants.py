"""Which functions take part in a checkpoint."""

from __future__ import annotations

from flake8_ckpt.checkpoints.function_names import are_partners
from flake8_ckpt.checkpoints.payload import loads
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Name
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator


def depends(method: FunctionFacts, own: set[str]) -> bool:
    """Tell whether an inherited method calls, or is the partner of, a method that a class defines itself."""
    if any(called_name(site.call) in own for site in method.calls):
        return True
    return any(are_partners(name, method.name) or are_partners(method.name, name) for name in own)


def saves_or_loads(call: Call, scope: CallContext, evaluator: SymbolicEvaluator) -> bool:
    """Tell whether a call itself writes or reads a file."""
    known = evaluator.symbols.known
    if isinstance(call.callee, Name):
        path = call.callee.path
        return path in known.payload_calls or loads(path, known)
    name = evaluator.library_call(call, scope)
    return name in known.payload_calls
