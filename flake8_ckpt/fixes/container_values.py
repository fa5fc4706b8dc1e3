"""What a plain list, tuple or dict of modules looks like where it is made, and what the class does with it."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from flake8_ckpt.confirm.expressions import last_name
from flake8_ckpt.confirm.expressions import targets_of
from flake8_ckpt.confirm.expressions import text_of
from flake8_ckpt.fixes.attribute_writes import is_self
from flake8_ckpt.fixes.piece import ways_to

LISTS = (cst.List, cst.ListComp, cst.Tuple)
DICTS = (cst.Dict,)
# What no ModuleList takes for an element.
NO_ELEMENTS = (
    cst.List,
    cst.Tuple,
    cst.Dict,
    cst.ListComp,
    cst.DictComp,
    cst.Lambda,
    cst.SimpleString,
    cst.Integer,
)
# What `nn.ModuleList` and `nn.ModuleDict` lack of a list and a dict.
NO_LIST_METHODS = frozenset("copy sort remove reverse index count clear __add__".split())
NO_DICT_METHODS = frozenset("get setdefault popitem copy fromkeys".split())
# Names that `nn.ModuleDict` has itself, so that no module can have them.
DICT_NAMES = frozenset(
    "add_module apply bfloat16 buffers call_super_init children clear compile cpu cuda double dump_patches eval "
    "extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu items keys "
    "load_state_dict modules mtia named_buffers named_children named_modules named_parameters parameters pop "
    "register_backward_hook register_buffer register_forward_hook register_forward_pre_hook "
    "register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook "
    "register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook "
    "register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to "
    "to_empty train training type update values xpu zero_grad".split()
)


def kind_of(value: cst.BaseExpression) -> str:
    """Return "list" or "dict" for what makes a container as it stands, else an empty string."""
    if isinstance(value, LISTS):
        return "list"
    if isinstance(value, DICTS):
        return "dict"
    if isinstance(value, cst.Call) and isinstance(value.func, cst.Name):
        return {"list": "list", "tuple": "list", "dict": "dict", "OrderedDict": "dict"}.get(
            value.func.value, ""
        )
    return ""


def obstacle_of_value(value: cst.BaseExpression) -> str:
    """Return why a container cannot hold what a value begins with, or an empty string."""
    if isinstance(value, (cst.List, cst.Tuple)):
        elements = [each.value for each in value.elements]
        return "it holds more than modules" if any(map(_is_no_module, elements)) else ""
    if isinstance(value, cst.ListComp):
        return "its elements are no modules themselves" if _is_no_module(value.elt) else ""
    if isinstance(value, cst.Dict):
        return next(filter(None, map(_obstacle_of_entry, value.elements)), "")
    if isinstance(value, cst.Call) and kind_of(value) == "dict":
        names = [each.keyword.value if each.keyword is not None else "." for each in value.args]
        return next(filter(None, map(_obstacle_of_key, names)), "")
    return ""


def _is_no_module(node: cst.BaseExpression) -> bool:
    return (
        isinstance(node, NO_ELEMENTS)
        or isinstance(node, cst.Name)
        and node.value in ("None", "True", "False")
    )


def _obstacle_of_entry(entry: cst.BaseDictElement) -> str:
    if not isinstance(entry, cst.DictElement):
        return "its keys are not written out"
    key = text_of(entry.key)
    if not key:
        return "its keys are not plain strings"
    return _obstacle_of_key(key) or ("it holds more than modules" if _is_no_module(entry.value) else "")


def _obstacle_of_key(key: str) -> str:
    if "." in key:
        return (
            f"nn.ModuleDict takes no key with a dot: '{key}'"
            if key != "."
            else "its keys are not written out"
        )
    return f"nn.ModuleDict has a method '{key}', and takes no such key" if key in DICT_NAMES else ""


def obstacles_of_uses(class_def: cst.ClassDef, name: str, kind: str) -> Iterator[str]:
    """Yield what a class does with `self.x` that a container of torch does not take."""
    missing, better = (
        (NO_LIST_METHODS, "nn.ModuleList") if kind == "list" else (NO_DICT_METHODS, "nn.ModuleDict")
    )
    for path, node in ways_to(class_def):
        if isinstance(node, cst.Call):
            yield from _of_call(node, name, missing, better)
        elif isinstance(node, cst.BinaryOperation) and is_self(node.right, name):
            yield f"something is added to it from the left, which {better} does not take"
        elif kind == "dict" and isinstance(node, cst.Assign):
            yield from _of_entry(node, name)
        del path


def _of_call(call: cst.Call, name: str, missing: frozenset[str], better: str) -> Iterator[str]:
    method = call.func
    if last_name(method) == "isinstance" and call.args and is_self(call.args[0].value, name):
        yield "its type is looked at"
    if not isinstance(method, cst.Attribute) or not is_self(method.value, name):
        return
    if method.attr.value in missing:
        yield f"{better} has no {method.attr.value}()"
    given = call.args[-1].value if call.args else None
    if method.attr.value in ("append", "insert") and given is not None and _is_no_module(given):
        yield "what is put into it is no module itself"
    if method.attr.value == "update":
        yield "its keys are not written out"


def _of_entry(node: cst.Assign, name: str) -> Iterator[str]:
    for target in targets_of(node):
        if isinstance(target, cst.Subscript) and is_self(target.value, name):
            index = target.slice[0].slice
            key = text_of(index.value) if isinstance(index, cst.Index) else ""
            yield from filter(None, [_obstacle_of_key(key) if key else "its keys are not written out"])
