"""Loads with `strict=False` whose report of what did not fit nobody looks at."""

from __future__ import annotations

from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator

# Those of torch: a method that takes others is another one, and may report in its own way.
KEYWORDS = frozenset(["state_dict", "strict", "assign"])


def discarded_load_reports(evaluator: SymbolicEvaluator) -> tuple[Spot, ...]:
    """Return where a load gives a report that is dropped."""
    found = (
        Spot(unit.path, site.position)
        for unit in followed_functions(evaluator.symbols)
        for site in unit.function.calls
        if not site.used and _is_lenient(site.call) and _gives_report(site.call, unit, evaluator)
    )
    return tuple(dict.fromkeys(found))


def _is_lenient(call: Call) -> bool:
    if not isinstance(call.callee, Attr) or call.callee.name != "load_state_dict":
        return False
    keywords = dict(call.keywords)
    strict = call.args[1] if len(call.args) > 1 else keywords.get("strict")
    return strict == Const(False) and KEYWORDS.issuperset(keywords)


def _gives_report(call: Call, unit: FunctionRef, evaluator: SymbolicEvaluator) -> bool:
    """Tell whether a call gives a report: it does where the method is that of torch, as far as is known."""
    callee = evaluator.callee_of(call, CallContext(unit))
    return callee is None or callee.function.returns not in (None, NONE)
