"""Calls of Python's own functions: containers, numbers, copies, attributes by their names."""

from __future__ import annotations

from collections.abc import Sequence

from flake8_ckpt.facts import torch_calls as torchlib
from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.evaluator.registrations import set_attribute
from flake8_ckpt.facts.key_text import SPREAD
from flake8_ckpt.facts.member_values import element_of
from flake8_ckpt.facts.value_bounds import bounded
from flake8_ckpt.frameworks.torch import COMPILERS
from flake8_ckpt.frameworks.torch import REPARAMETRIZERS

NUMBER_FUNCTIONS = frozenset(
    "len int float str bool isinstance issubclass hasattr callable id hash repr ord chr round any all"
    " type".split()
)
CONTAINERS: dict[str, v.ContainerKind] = {
    "list": "list", "tuple": "tuple", "set": "set", "frozenset": "set", "sorted": "list", "reversed": "list",
    "iter": "list", "filter": "list", "deque": "list", "collections.deque": "list",
}  # fmt: skip
DICTS = frozenset(
    ["dict", "OrderedDict", "collections.OrderedDict", "collections.defaultdict", "typing.OrderedDict"]
)
COPIES = frozenset(["copy.copy", "copy.deepcopy", "deepcopy", "typing.cast"])


def call_builtin(
    path: str, args: tuple[v.Value, ...], keywords: tuple[tuple[str, v.Value], ...], frame: Frame
) -> v.Value | None:
    """Return what a function of Python gives; None for any other."""
    if path == "super":
        return v.Super()
    if path in NUMBER_FUNCTIONS:
        return v.NUMBER
    if path in CONTAINERS:
        if not args:
            return v.Container("list", v.UNKNOWN, 0)
        return bounded(v.Container(CONTAINERS[path], element_of(args[0])))
    if path in DICTS:
        for each in args:
            frame.key(each, "", "wholesale")
        return _dict_of(args, keywords, frame.contract)
    if path in ("sum", "max", "min", "abs"):
        of_elements = len(args) == 1 and path != "abs"
        return bounded(torchlib.combine([element_of(each) if of_elements else each for each in args]))
    if args and (path in COMPILERS or path.startswith("torch.nn.utils.") and REPARAMETRIZERS.match(path)):
        return args[0]
    if path in COPIES and args:
        return v.Record(args[-1].fields, args[-1].open) if isinstance(args[-1], v.Record) else args[-1]
    if path in ("os.path.join", "pathlib.Path"):
        return bounded(v.Arith(args)) if args else v.NUMBER
    if path == "range":
        return v.Container("list", v.NUMBER)
    if path == "setattr" and len(args) == 3 and args[0] == v.SELF:
        return set_attribute(args[1], args[2], frame)
    if path == "getattr" and len(args) > 1:
        return _get_attribute(args, frame)
    return None


def _dict_of(
    args: tuple[v.Value, ...], keywords: tuple[tuple[str, v.Value], ...], keeps_spreads: bool
) -> v.Value:
    """Return a dict; where spreads are kept, what it is made of besides names is one of its fields."""
    fields = tuple(v.Field(key, value) for key, value in keywords if key != SPREAD)
    base = _record_of_pairs(args[0]) if args else v.Record(())
    spread = [value for key, value in keywords if key == SPREAD]
    if not isinstance(base, v.Record) and fields:
        base, spread = v.Record(()), [base, *spread]
    if isinstance(base, v.Record) and (base.fields or fields):
        kept = tuple(v.Field(SPREAD, bounded(each), False) for each in spread) if keeps_spreads else ()
        return v.Record((*base.fields, *kept, *fields), base.open or len(kept) < len(spread))
    return v.Container("dict", v.UNKNOWN, -1 if args or keywords else 0)


def _record_of_pairs(value: v.Value) -> v.Value:
    """Return the record that a list of pairs gives, `[("epoch", self.epoch), ...]`, else the value."""
    pairs = v.options_of(value.of) if isinstance(value, v.Container) else ()
    fields = [
        v.Field(each.items[0].value, each.items[1])
        for each in pairs
        if isinstance(each, v.Container) and len(each.items) == 2
        if isinstance(each.items[0], v.Const) and isinstance(each.items[0].value, str)
    ]
    is_whole = isinstance(value, v.Container) and len(fields) == value.size
    return v.Record(tuple(fields)) if fields and is_whole else value


def _get_attribute(args: Sequence[v.Value], frame: Frame) -> v.Value:
    key = args[1]
    if isinstance(key, v.Join):
        return v.join([_get_attribute((args[0], each, *args[2:]), frame) for each in key.options])
    if not isinstance(key, v.Const) or not isinstance(key.value, str):
        if args[0] == v.SELF:
            frame.read("__dict__", "plain")  # any attribute
        return v.UNKNOWN
    if args[0] == v.SELF:
        frame.read(key.value, "plain")
        return v.Attr(v.SELF, key.value)
    if isinstance(args[0], (v.Attr, v.Local, v.Param, v.Call)):
        return v.join([v.Attr(args[0], key.value), *args[2:]])
    return v.UNKNOWN
