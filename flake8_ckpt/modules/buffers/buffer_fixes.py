"""What a project knows of a plain tensor before it may become a buffer; the codemod knows the file."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from msgspec.structs import replace

from flake8_ckpt.facts.model import REMARK
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Fix
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.members import AttributeWrite

CODEMOD = "register_buffer"
META = (
    "from_pretrained() fills a buffer that the file lacks with uninitialized memory:"
    " set it in _init_weights() as well"
)


def state_fix(state: ClassState, name: str, writes: Sequence[AttributeWrite]) -> Fix:
    """Return the fix for a tensor that a checkpoint must hold: old checkpoints lack the key."""
    return _fix(state, name, writes, Fix(CODEMOD, "unsafe"))


def constant_fix(state: ClassState, name: str, writes: Sequence[AttributeWrite]) -> Fix:
    """Return the fix for a tensor that only has to move with the module."""
    return _fix(state, name, writes, Fix(CODEMOD, "safe", (("persistent", "no"),)))


def parameter_fix(state: ClassState, name: str) -> Fix:
    """Return the fix for a tensor that is to be trained; torch refuses a plain tensor in the place of a parameter."""
    for change in state.runtime_writes(name):
        if change.write.how == "assign" and change.value != NONE:
            reason = f"{change.method.name}() sets it to another tensor, which torch refuses for a parameter"
            return Fix("parameter", reason=reason)
    obstacle = _obstacle(state, name)
    return Fix("parameter", "shown" if obstacle else "unsafe", reason=obstacle)


def _fix(state: ClassState, name: str, writes: Sequence[AttributeWrite], fix: Fix) -> Fix:
    if any(REMARK in each.guards for each in writes):
        return Fix()
    obstacle = _obstacle(state, name) or _other_arm(state, name, writes)
    if obstacle:
        return replace(fix, safety="shown", reason=obstacle)
    # A bare annotation is unknown too, and harmless.
    doubtful = next((base for base, _ in _base_attributes(state, name)), "")
    reason = f"the class {doubtful} must not have a class attribute of that name" if doubtful else ""
    if state.has_unknown_base and fix.safety == "safe":
        reason = "a base class from elsewhere must not have an attribute of that name"
    return replace(fix, safety="unsafe", reason=reason) if reason else fix


def _obstacle(state: ClassState, name: str) -> str:
    """Return why a change of this file alone would break something, or an empty string."""
    if {each.method.owner for each in state.constructed(name)} - {state.identity}:
        return "a base class sets it too: register it there"
    for base, value in _base_attributes(state, name):
        if value != UNKNOWN:
            return f"the class {base} has a class attribute of that name, which torch refuses: remove it"
    for change in state.runtime_writes(name):
        if change.write.how == "assign" and _is_no_tensor(change.value):
            return f"{change.method.name}() sets it to what is no tensor, which torch refuses for a buffer"
    return META if state.is_filled_by_transformers else ""


def _base_attributes(state: ClassState, name: str) -> Iterator[tuple[str, Value]]:
    """Yield the base classes that give the name something, with that; the codemod looks at the class itself."""
    for owner in state.hierarchy.ancestors(state.identity):
        facts = state.hierarchy.symbols.classes.get(owner)
        if facts is not None and owner != state.identity and name in dict(facts.attributes):
            yield facts.name, dict(facts.attributes)[name]


def _other_arm(state: ClassState, name: str, writes: Sequence[AttributeWrite]) -> str:
    """Return where construction sets it to what may be no tensor, or an empty string."""
    known = {each.write.position for each in writes}
    others = [
        each for each in state.constructed(name) if each.value != NONE and each.write.position not in known
    ]
    return f"line {others[0].write.position.line} sets it to what may be no tensor" if others else ""


def _is_no_tensor(value: Value) -> bool:
    return value != NONE and isinstance(value, (Const, Number, NdArray))
