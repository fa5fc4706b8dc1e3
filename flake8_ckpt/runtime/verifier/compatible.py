"""Load a checkpoint from before a fix: what the fix added keeps its fresh value, anything else is refused."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn

from flake8_ckpt.runtime.verifier.problem import one_line

PREFIXES = ("module.", "_orig_mod.")


class IncompatibleCheckpoint(ValueError):
    """A checkpoint that differs in more than what a fix added; nothing of it was loaded."""

    __module__ = "flake8_ckpt.runtime"


@dataclass(frozen=True)
class Compatible:
    """What `load_compatible` did: the keys that kept their fresh values, and the prefix that it took off."""

    filled: tuple[str, ...]
    prefix: str


def load_compatible(
    module: nn.Module,
    state: Mapping[str, Any],
    *,
    added: str | Sequence[str] | None = None,
    prefixes: Sequence[str] = PREFIXES,
) -> Compatible:
    """Load a state_dict that was saved before a fix registered more state.

    Keys that the module has and `state` has not are filled with the module's present values, so give a new
    one: those named in `added` (with * as a wildcard), or, without it, any buffers. One warning lists them.
    A prefix that all keys begin with ("module." of DDP, "_orig_mod." of torch.compile) is taken off if the
    module's own keys do not begin with it, and the record and the warning name it.

    Raise IncompatibleCheckpoint for unexpected keys, missing parameters, other shapes and other kinds of
    numbers, and for whatever the module itself refuses; then the module is as it was. A copy of the module
    is loaded first, so there must be memory for one.
    """
    prefix = prefix_of(state, module, prefixes)
    bare = {key[len(prefix) :]: value for key, value in state.items()}
    trial = copied(module)
    added = (added,) if isinstance(added, str) else added
    missing, problems = differences(trial, bare)
    allowed = {key for key in missing if may_be_added(key, module, added)}
    refused = [key for key in missing if key not in allowed]
    problems += [f"missing {', '.join(refused)}{hint(refused, module)}"] if refused else []
    full = bare | {key: value for key, value in module.state_dict().items() if key in allowed}
    problems = problems or refusal(trial, full)
    if problems:
        raise IncompatibleCheckpoint(f"{type(module).__name__} was left as it was: {'; '.join(problems)}")
    module.load_state_dict(full)
    return announce(module, Compatible(tuple(missing), prefix))


def prefix_of(state: Mapping[str, Any], module: nn.Module, prefixes: Sequence[str]) -> str:
    """Return the prefixes that stand before all keys of a state and before none of the module's."""
    own = module.state_dict().keys()
    found = ""
    while state:
        more = next((p for p in prefixes if all(key.startswith(found + p) for key in state)), None)
        if more is None or any(key.startswith(more) for key in own):
            break
        found += more
    return found


def copied(module: nn.Module) -> nn.Module:
    """Return a copy to try the state on."""
    try:
        return copy.deepcopy(module)
    except Exception as error:
        message = f"{type(module).__name__} cannot be copied to try the state on: {one_line(error)}"
        raise IncompatibleCheckpoint(message) from error


def differences(trial: nn.Module, state: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the keys that a state lacks by the module's own account, and what else is wrong with it."""
    problems = other_kinds(trial.state_dict(), state)
    try:
        missing, unexpected = trial.load_state_dict(state, strict=False)
    except Exception as error:
        return [], [*problems, one_line(error)]
    in_order = [key for key in trial.state_dict() if key in missing]
    return in_order, [*problems, *([f"unexpected {', '.join(unexpected)}"] if unexpected else [])]


def other_kinds(own: Mapping[str, Any], state: Mapping[str, Any]) -> list[str]:
    """Return the values that would be cast to another kind of number, such as floats to integers."""
    both = [(key, own[key], state[key]) for key in own if key in state]
    tensors = [(k, a, b) for k, a, b in both if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)]
    return [f"{k} is {b.dtype}, not {a.dtype}" for k, a, b in tensors if number_kind(a) != number_kind(b)]


def number_kind(value: torch.Tensor) -> str:
    """Return which kind of number a tensor holds."""
    if value.dtype is torch.bool:
        return "bool"
    return "complex" if value.is_complex() else "float" if value.is_floating_point() else "integer"


def may_be_added(key: str, module: nn.Module, added: Sequence[str] | None) -> bool:
    """Return whether a fix may have added this key."""
    if added is None:
        return key in dict(module.named_buffers(remove_duplicate=False))
    return any(fnmatchcase(key, pattern) for pattern in added)


def hint(refused: list[str], module: nn.Module) -> str:
    """Return how to go on, if the keys are state that the module really has."""
    parameters = dict(module.named_parameters(remove_duplicate=False))
    if all(key in parameters for key in refused):
        return " (parameters; name them in added= if the fix added them)"
    return " (name them in added= if the fix added them)"


def refusal(trial: nn.Module, full: dict[str, Any]) -> list[str]:
    """Return what a module says against the whole state, if it does."""
    try:
        trial.load_state_dict(full)
    except Exception as error:
        return [one_line(error)]
    return []


def announce(module: nn.Module, record: Compatible) -> Compatible:
    """Warn once of all that was not in the checkpoint as it is in the module, and return the record."""
    words = [f"{', '.join(record.filled)} not in it, fresh values kept"] if record.filled else []
    words += [f"prefix {record.prefix!r} taken off"] if record.prefix else []
    if words:
        message = f"{type(module).__name__} loaded an older checkpoint: {'; '.join(words)}"
        warnings.warn(message, UserWarning, stacklevel=3)
    return record
