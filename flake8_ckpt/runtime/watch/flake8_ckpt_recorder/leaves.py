"""The values of an object that may be state, by name: looked at in its `__dict__` alone, so no code of it runs."""

from __future__ import annotations

import sys
from typing import Any
from typing import Iterator

from flake8_ckpt_recorder.kinds import ESTIMATOR
from flake8_ckpt_recorder.kinds import LIBRARY
from flake8_ckpt_recorder.kinds import PROJECT
from flake8_ckpt_recorder.kinds import SCALER
from flake8_ckpt_recorder.kinds import SCHEDULER
from flake8_ckpt_recorder.kinds import table_entry
from flake8_ckpt_recorder.prints import is_tensor

# What torch keeps in the `__dict__` of a module.
MODULE_INSIDE = frozenset(
    "training _parameters _buffers _non_persistent_buffers_set _modules _version _backward_hooks "
    "_forward_hooks _forward_pre_hooks _state_dict_hooks _state_dict_pre_hooks _load_state_dict_pre_hooks "
    "_load_state_dict_post_hooks _is_full_backward_hook _backward_pre_hooks _forward_hooks_with_kwargs "
    "_forward_hooks_always_called _forward_pre_hooks_with_kwargs".split()
)
# Of what is judged as a whole: the value that shows that it was used.
WHOLE = {SCHEDULER: "last_epoch", SCALER: "_scale"}
MAX_ATTRIBUTES = 200
MAX_HELD = 64
MAX_TENSORS = 4096


def own_dict(value: Any) -> dict[str, Any]:
    """Return the `__dict__` of an object without running code of its class."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


def leaves_of(value: Any, kind: str) -> Iterator[tuple[str, str, Any]]:
    """Yield name, registration and value of what may be state; the registration is "buffer" or empty."""
    attributes = own_dict(value)
    if kind == PROJECT:
        for name, each in list(attributes.items())[:MAX_ATTRIBUTES]:
            if name not in MODULE_INSIDE or "_parameters" not in attributes:
                yield name, "", each
        buffers = attributes.get("_buffers") or {}
        for name in attributes.get("_non_persistent_buffers_set") or ():
            if name in buffers:
                yield name, "buffer", buffers[name]
    elif kind == LIBRARY:
        yield from ((name, "", attributes[name]) for name in table_entry(type(value)) if name in attributes)
    elif kind == ESTIMATOR:
        yield from (
            (name, "", each) for name, each in attributes.items() if name.endswith("_") and name[:1] != "_"
        )
    elif kind in WHOLE and WHOLE[kind] in attributes:
        yield WHOLE[kind], "", attributes[WHOLE[kind]]


def weights_of(value: Any) -> list[Any]:
    """Return some of the parameters and persistent buffers of a module, those at both ends."""
    torch = sys.modules["torch"]
    if not isinstance(value, torch.nn.Module):
        return []
    found: list[Any] = []
    stack = [value]
    while stack and len(found) < 4096:
        inside = own_dict(stack.pop())
        found += [each for each in (inside.get("_parameters") or {}).values() if each is not None]
        stack += [each for each in (inside.get("_modules") or {}).values() if each is not None]
    return found if len(found) <= 16 else [*found[:8], *found[-8:]]


def held_by(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield path and object of what an object holds: directly, in a container, or as a module."""
    attributes = own_dict(value)
    for name, each in list(attributes.items())[:MAX_ATTRIBUTES]:
        if name == "_modules" and type(each) is dict:
            yield from each.items()
        elif name not in MODULE_INSIDE or "_parameters" not in attributes:
            yield from _in_container(name, each)


def _in_container(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if kind is dict and len(value) <= MAX_HELD:
        yield from ((f"{name}[{key!r}]", each) for key, each in value.items())
    elif kind in (list, tuple) and len(value) <= MAX_HELD:
        yield from ((f"{name}[{index}]", each) for index, each in enumerate(value))
    else:
        yield name, value


def moments_of(value: Any) -> list[Any]:
    """Return some of the tensors that an optimizer keeps for its parameters."""
    torch = sys.modules["torch"]
    if not isinstance(value, torch.optim.Optimizer):
        return []
    states = list((own_dict(value).get("state") or {}).values())[:4]
    return [
        each
        for state in states
        if type(state) is dict
        for each in state.values()
        if isinstance(each, torch.Tensor)
    ]


def tensors_of(module: Any) -> list[tuple[str, Any, str, Any, str]]:
    """Return full name, owner, own name, tensor and table of each parameter and persistent buffer of a module."""
    found: list[tuple[str, Any, str, Any, str]] = []
    stack = [("", module)]
    while stack and len(found) < MAX_TENSORS:
        prefix, each = stack.pop()
        inside = own_dict(each)
        unsaved = inside.get("_non_persistent_buffers_set") or ()
        for table in ("_parameters", "_buffers"):
            for name, value in (inside.get(table) or {}).items():
                if is_tensor(value) and name not in unsaved:
                    found.append((f"{prefix}{name}", each, name, value, table))
        stack += [(f"{prefix}{name}.", part) for name, part in (inside.get("_modules") or {}).items() if part]
    return found
