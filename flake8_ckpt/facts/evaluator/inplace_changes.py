"""Tensors that are changed where they are, by whatever name: through a local, a view, an index, an argument.

mean = self.mean
mean.mul_(0.9)                     # changes self.mean
self.queue[0].copy_(key)           # changes self.queue
moving_average(self.mean, x)       # changes it too, if the function changes its first parameter
"""

from __future__ import annotations

from collections.abc import Sequence

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.frameworks.torch import INPLACE_HARMLESS
from flake8_ckpt.frameworks.torch import OVERWRITES

# Methods and fields of a tensor that give the same memory in another shape.
SHARING = frozenset(
    "view view_as reshape detach squeeze unsqueeze expand flatten transpose permute t narrow select diagonal"
    " data T mT real imag".split()
)
# The arguments of torch's functions that these change: running statistics.
FILLED = {
    "torch.nn.functional.batch_norm": (1, 2),
    "torch.nn.functional.instance_norm": (1, 2),
    "torch.batch_norm": (3, 4),
}
FILLED_NAMES = frozenset(["running_mean", "running_var"])


def is_inplace(method: str) -> bool:
    """Tell whether a method of a tensor changes it: its name ends in one underscore."""
    return method.endswith("_") and not method.endswith("__") and method not in INPLACE_HARMLESS


def overwrites(method: str, args: Sequence[v.Value]) -> bool:
    """Tell whether what such a method leaves owes nothing to what was there."""
    return method in OVERWRITES and not (method == "set_" and not args)


def note_inplace(base: v.Value, method: str, args: Sequence[v.Value], frame: Frame) -> None:
    """Note what a method call changes: an attribute of `self`, or a parameter of a plain function."""
    if not is_inplace(method):
        return
    value = args[0] if method == "copy_" and args else v.Tensor("data")
    for option in v.options_of(base):
        root, is_part = _root(option)
        if isinstance(root, v.Attr):
            frame.write(root.name, "item" if is_part else "inplace", value, not overwrites(method, args))
        elif isinstance(root, v.Param):
            frame.fills[root.name] = None


def note_item(held: v.Value, value: v.Value, is_carried: bool, frame: Frame) -> None:
    """Note what is changed where an item of a local is set."""
    for option in v.options_of(held):
        root, _ = _root(option)
        if isinstance(root, v.Attr):
            frame.write(root.name, "item", value, is_carried)
        elif isinstance(root, v.Param):
            frame.fills[root.name] = None


def note_filled(
    path: str, args: Sequence[v.Value], keywords: Sequence[tuple[str, v.Value]], frame: Frame
) -> None:
    """Note the statistics that a function of torch keeps up to date in its arguments."""
    filled = [args[index] for index in FILLED.get(path, ()) if index < len(args)]
    filled += [value for name, value in keywords if path in FILLED and name in FILLED_NAMES]
    for each in filled:
        root, _ = _root(each)
        if isinstance(root, v.Attr):
            frame.write(root.name, "inplace", v.Tensor("data"), True)


def attribute_shared(value: v.Value) -> str:
    """Return the attribute of `self` whose memory a value shares, or an empty string."""
    root, _ = _root(value)
    return root.name if isinstance(root, v.Attr) else ""


def _root(value: v.Value) -> tuple[v.Value, bool]:
    """Return the attribute or parameter whose memory a value shares, and whether it is a part of it."""
    is_part = False
    while True:
        if isinstance(value, v.Local):
            value = value.value
        elif isinstance(value, (v.Item, v.Element)):
            value, is_part = value.base, True
        elif isinstance(value, v.Attr) and value.base != v.SELF and value.name in SHARING:
            value = value.base
        elif isinstance(value, v.Call) and isinstance(value.callee, v.Attr) and value.callee.name in SHARING:
            value = value.callee.base
        else:
            break
    if isinstance(value, v.Attr) and value.base == v.SELF or isinstance(value, v.Param):
        return value, is_part
    return v.UNKNOWN, False
