"""Changes of what an attribute of `self` holds by itself: the weights of a submodule."""

from __future__ import annotations

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import Frame


def note_weights(value: v.Value, frame: Frame) -> None:
    """Note that a tensor is changed that an attribute's object holds: `self.layer.weight.data.mul_(2)`."""
    attr = _owner(value)
    if attr is not None:
        frame.write(attr, "weights", v.UNKNOWN)


def _owner(value: v.Value) -> str | None:
    """Return x for `self.x.weight`, `self.x[0].bias` and what iterating over `self.x.parameters()` gives."""
    inside = False
    while not isinstance(value, v.Attr) or value.base != v.SELF:
        if isinstance(value, v.Call):
            value = value.callee
        elif isinstance(value, (v.Attr, v.Item, v.Element)):
            inside = inside or isinstance(value, v.Attr)
            value = value.base
        elif isinstance(value, v.Local):
            value = value.value
        else:
            return None
    return value.name if inside else None
