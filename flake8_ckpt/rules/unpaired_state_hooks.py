"""One hook of a save and load pair is missing, or the two do not speak of the same keys.

## What it does

Looks at the hooks that a framework calls to save and restore an object: `state_dict` and `load_state_dict`,
`get_extra_state` and `set_extra_state`, `__getstate__` and `__setstate__`, `get_parameters` and
`set_parameters`, `get_weights` and `set_weights`, `on_save_checkpoint` and `on_load_checkpoint`.
Finds a hook whose partner is missing where it is needed, a key that one gives and the other never takes, and a
key that one takes and the other never gives.
Hooks count that a class inherits, also from another file.

## Why it matters

What only one of the two knows is lost, or the load fails.
An extra state without `set_extra_state` makes a strict load refuse the module's own checkpoint; a key that
`load_state_dict` never takes leaves its attribute as the constructor made it.

## Bad

```python
import tempfile
from pathlib import Path

import torch


class AdaptivePenalty:
    def __init__(self, target: float = 0.01) -> None:
        self.target = target
        self.beta = 1.0
        self.updates = 0

    def update(self, divergence: float) -> None:
        self.updates += 1
        rate = 1.0 / self.updates
        self.beta *= 1.0 + rate if divergence > self.target else 1.0 - rate / 2

    def penalty(self, divergence: float) -> float:
        return self.beta * divergence

    def state_dict(self) -> dict[str, float]:
        return {"beta": self.beta, "updates": self.updates}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.beta = state["beta"]


trained = AdaptivePenalty()
for _ in range(10):
    trained.update(divergence=0.1)
resumed = AdaptivePenalty()
with tempfile.TemporaryDirectory() as folder:
    torch.save(trained.state_dict(), Path(folder) / "penalty.pt")
    resumed.load_state_dict(torch.load(Path(folder) / "penalty.pt", weights_only=True))
trained.update(divergence=0.1)
resumed.update(divergence=0.1)
assert trained.updates == 11 and resumed.updates == 1
assert resumed.penalty(0.1) > 1.5 * trained.penalty(0.1)
```

## Good

```python
import tempfile
from pathlib import Path

import torch


class AdaptivePenalty:
    def __init__(self, target: float = 0.01) -> None:
        self.target = target
        self.beta = 1.0
        self.updates = 0

    def update(self, divergence: float) -> None:
        self.updates += 1
        rate = 1.0 / self.updates
        self.beta *= 1.0 + rate if divergence > self.target else 1.0 - rate / 2

    def penalty(self, divergence: float) -> float:
        return self.beta * divergence

    def state_dict(self) -> dict[str, float]:
        return {"beta": self.beta, "updates": self.updates}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.beta = state["beta"]
        self.updates = int(state["updates"])


trained = AdaptivePenalty()
for _ in range(10):
    trained.update(divergence=0.1)
resumed = AdaptivePenalty()
with tempfile.TemporaryDirectory() as folder:
    torch.save(trained.state_dict(), Path(folder) / "penalty.pt")
    resumed.load_state_dict(torch.load(Path(folder) / "penalty.pt", weights_only=True))
trained.update(divergence=0.1)
resumed.update(divergence=0.1)
assert trained.updates == 11 and resumed.updates == 11
assert resumed.penalty(0.1) == trained.penalty(0.1)
```

## When it stays silent

- `__getstate__` alone, which drops a lock or a handle, `__setstate__` that fills in what old pickles lack, and
  `get_weights` alone, which an actor reads from a learner.
- An override that only calls `super()`, or renames old keys before it does.
- The partner is inherited, or comes from a mixin.
- One of the two takes or gives everything: `vars(self).update(state)`, `super().get_parameters()` of a class
  that is not in the project.
- The key is a note: a version, a config.
- Lightning's own keys in `on_load_checkpoint`.
- Statistics of a normalizer that load expects are CKP201; what both hooks forget is CKP207.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.get_extra_state
- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.set_extra_state
- https://docs.python.org/3/library/pickle.html#handling-stateful-objects
- https://lightning.ai/docs/pytorch/stable/api/pytorch_lightning.core.hooks.CheckpointHooks.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.family import CheckpointGroup
from flake8_ckpt.checkpoints.hook_pairs import Hooks
from flake8_ckpt.checkpoints.hook_pairs import LeftKey
from flake8_ckpt.checkpoints.lone_hooks import LoneHook
from flake8_ckpt.checkpoints.mismatch import Missing
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Spot
from flake8_ckpt.linked_project import Project
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in
from flake8_ckpt.rules.base import heading_of


def check(project: Project) -> Iterator[Finding]:
    """Report hooks without their partner, and keys that only one of two hooks knows."""
    hooks = Hooks(project.contract, project.kind_evaluator)
    for missing in project.contract.missing:
        if _is_lost(missing, project.contract, hooks):
            yield _never_given(missing.family, missing.readings[0], missing.keys[-1])
    for family, reading in hooks.disjoint_pairs():
        yield _never_given(family, reading, reading.keys[0])
    yield from _never_taken(hooks)
    for lone in hooks.unpaired_hooks():
        yield _at_heading(lone.method, _alone(lone))
    for bare in hooks.bare():
        writer, reader = bare.hook.writer.function.name, bare.hook.reader.function.name
        message = (
            f"{writer} gives a bare state_dict(), and {reader} at {bare.location} looks under '{bare.key}'"
        )
        yield _at_heading(bare.hook.writer, message, (bare.location, "the key is taken here"))
    for lost in hooks.unpickled():
        message = (
            f"__getstate__ leaves out '{lost.attr}', which __setstate__ at {lost.location} looks for in vain"
        )
        yield _at_heading(lost.hook.writer, message, (lost.location, "it is read here"), attribute=lost.attr)


def _is_lost(missing: Missing, contract: Contract, hooks: Hooks) -> bool:
    """Tell whether one of a pair of hooks needs a key that the other never gives, nor anybody else."""
    hook = missing.family.hook
    if hook is None or not missing.is_framework_hook or contract.restores_normalizer(missing):
        return False
    if hooks.is_given_elsewhere(missing.keys[0], hook):
        return False
    return any(each.kind == "required" or contract.restores_state(each) for each in missing.readings)


def _never_given(family: CheckpointGroup, reading: LoadEffect, key: str) -> Finding:
    given = family.writings[0]
    outcome = "loading fails" if reading.kind == "required" else "it starts anew"
    hook = given.source.function.name
    message = f"'{key}' is read here, and {hook} at {given.location} never gives it: {outcome}"
    return finding_in(RULE, reading.location, message, [(given.location, "the state is given here")])


def _never_taken(hooks: Hooks) -> Iterator[Finding]:
    """Yield one finding for each reading hook that leaves keys where they are."""
    lost: dict[Spot, list[LeftKey]] = {}
    for left in hooks.left_keys():
        lost.setdefault(_definition(left.hook.reader), []).append(left)
    for keys in lost.values():
        reader = keys[0].hook.reader
        names = " and ".join(dict.fromkeys(f"'{each.key}'" for each in keys[:MAX_NAMED]))
        message = f"{reader.function.name} never takes {names}, given at {keys[0].location}: a reload starts it anew"
        yield _at_heading(reader, message, *((each.location, f"'{each.key}' is given here") for each in keys))


def _alone(lone: LoneHook) -> str:
    name = lone.method.function.name
    if lone.key:
        return f"'{lone.key}' is saved here and nobody reads it back: the class has no {lone.partner}"
    if name == "state_dict":
        return f"state_dict has another shape than the base class gives, with no {lone.partner} for it"
    return f"{name} has no {lone.partner} beside it: load_state_dict() fails on this state"


def _at_heading(method: FunctionRef, message: str, *others: tuple[Spot, str], attribute: str = "") -> Finding:
    node = heading_of(method.function)
    return finding_in(RULE, _definition(method), message, others, node=node, attribute=attribute)


def _definition(method: FunctionRef) -> Spot:
    return Spot(method.path, method.function.position)


MAX_NAMED = 2
RULE = Rule(__name__, "CKP206", check=check)
