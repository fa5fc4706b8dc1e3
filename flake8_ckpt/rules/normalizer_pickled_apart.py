"""A normalizer that `state_dict()` already holds is pickled to a second file, or a module is pickled whole.

## What it does

Finds `pickle.dump`, `joblib.dump` and `torch.save` of a module object, by itself or in a mapping or list: a
normalizer that is a submodule of a model whose `state_dict()` carries it, or any whole module.

## Why it matters

Two files that hold the same statistics are written at different times and disagree sooner or later: the
evaluation normalizes with the one and was trained with the other.
A pickled module also holds its class by name: after a file is moved or an attribute is renamed it cannot be
read any more, `torch.load` refuses it by default, and reading it runs code.

## Bad

```python
import pickle
import tempfile
from pathlib import Path

import torch
from torch import nn


class Policy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.obs_norm = nn.BatchNorm1d(3, affine=False)
        self.head = nn.Linear(3, 1)

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        return self.head(self.obs_norm(observation))

    def save(self, folder: Path) -> None:
        torch.save(self.state_dict(), folder / "policy.pt")

    def save_statistics(self, folder: Path) -> None:
        with open(folder / "obs_norm.pkl", "wb") as file:
            pickle.dump(self.obs_norm, file)


def warm_up(policy: Policy, observations: torch.Tensor, folder: Path) -> None:
    policy.obs_norm(observations)
    policy.save_statistics(folder)


def train(policy: Policy, observations: torch.Tensor, folder: Path) -> None:
    policy(observations)
    policy.save(folder)


def act(observation: torch.Tensor, folder: Path) -> torch.Tensor:
    policy = Policy()
    policy.load_state_dict(torch.load(folder / "policy.pt", weights_only=True))
    with open(folder / "obs_norm.pkl", "rb") as file:
        obs_norm = pickle.load(file)
    return policy.head(obs_norm.eval()(observation))


trained, observation = Policy(), torch.ones(1, 3)
with tempfile.TemporaryDirectory() as name:
    warm_up(trained, torch.randn(64, 3), Path(name))
    train(trained, torch.randn(64, 3) + 100.0, Path(name))
    action = act(observation, Path(name))

assert not torch.allclose(action, trained.eval()(observation))
```

## Good

```python
import tempfile
from pathlib import Path

import torch
from torch import nn


class Policy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.obs_norm = nn.BatchNorm1d(3, affine=False)
        self.head = nn.Linear(3, 1)

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        return self.head(self.obs_norm(observation))

    def save(self, folder: Path) -> None:
        torch.save(self.state_dict(), folder / "policy.pt")


def warm_up(policy: Policy, observations: torch.Tensor) -> None:
    policy.obs_norm(observations)


def train(policy: Policy, observations: torch.Tensor, folder: Path) -> None:
    policy(observations)
    policy.save(folder)


def act(observation: torch.Tensor, folder: Path) -> torch.Tensor:
    policy = Policy()
    policy.load_state_dict(torch.load(folder / "policy.pt", weights_only=True))
    return policy.eval()(observation)


trained, observation = Policy(), torch.ones(1, 3)
with tempfile.TemporaryDirectory() as name:
    warm_up(trained, torch.randn(64, 3))
    train(trained, torch.randn(64, 3) + 100.0, Path(name))
    action = act(observation, Path(name))

assert torch.allclose(action, trained.eval()(observation))
```

## When it stays silent

- What is written is a `state_dict()`, a mapping of tensors, or an object whose class is not known.
- The normalizer is no module, or is part of none: then its own file is the place for it.
- Scripted and exported models, which are made to be loaded without their class.
- Objects that are no modules: configurations, scalers of scikit-learn, Stable-Baselines3 models and wrappers.

## References

- https://docs.pytorch.org/docs/stable/notes/serialization.html
- https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html#save-load-entire-model
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from flake8_ckpt.checkpoints.io_calls import written_by
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Spot
from flake8_ckpt.frameworks.torch import MODULE_METHODS
from flake8_ckpt.linked_project import Project
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.value_names import path_text
from flake8_ckpt.rules.base import CALL
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in

PICKLERS = frozenset(["torch.save", "pickle.dump", "cloudpickle.dump", "dill.dump", "joblib.dump"])


def check(project: Project) -> Iterator[Finding]:
    """Report normalizers pickled beside the state_dict that holds them, and modules pickled whole."""
    yield from dict.fromkeys(
        finding_in(RULE, spots[0], message, [(location, "pickled here too") for location in spots], node=CALL)
        for unit in followed_functions(project.symbols)
        for payload, spots in _pickled(unit, project).items()
        for message in islice(_messages(payload, unit, project), 1)
    )


def _messages(payload: Value, unit: FunctionRef, project: Project) -> Iterator[str]:
    """Yield what is wrong with each module of a payload."""
    for name, value in _objects(payload):
        if _is_module(value, unit, project):
            yield _message(name, value, unit, project)


def _pickled(unit: FunctionRef, project: Project) -> dict[Value, list[Spot]]:
    """Return what a function pickles, with the places where it does."""
    found: dict[Value, list[Spot]] = {}
    for site in unit.function.calls:
        callee = site.call.callee
        if isinstance(callee, Name) and project.symbols.resolve(callee.path, unit.path) in PICKLERS:
            payload, _ = written_by(site.call, unit, project.families.evaluator) or (UNKNOWN, UNKNOWN)
            found.setdefault(payload, []).append(Spot(unit.path, site.position))
    return found


def _objects(payload: Value) -> Iterator[tuple[str, Value]]:
    """Yield the objects of a payload under their names: itself, or what is in a mapping or list."""
    if isinstance(payload, Record):
        yield from ((path_text(field.value) or field.key, field.value) for field in payload.fields)
    else:
        options = options_of(payload.of if isinstance(payload, Container) else payload)
        yield from ((path_text(option), option) for option in options)


def _is_module(value: Value, unit: FunctionRef, project: Project) -> bool:
    """Tell whether an object is a module, on some path at least."""
    if isinstance(value, (Local, Join)):
        options = options_of(value.value if isinstance(value, Local) else value)
        return any(_is_module(option, unit, project) for option in options)
    if isinstance(value, Call) and isinstance(value.callee, Attr) and value.callee.name in MODULE_METHODS:
        return _is_module(value.callee.base, unit, project)
    return project.hierarchy.is_module(_class_of(value, unit, project))


def _class_of(value: Value, unit: FunctionRef, project: Project) -> str:
    return project.families.evaluator.class_of(value, CallContext(unit))


def _message(name: str, value: Value, unit: FunctionRef, project: Project) -> str:
    class_id = _class_of(value, unit, project)
    owner = _class_of(value.base, unit, project) if isinstance(value, Attr) else ""
    is_normalizer = project.contract.kinds.is_normalizer(class_id) or "BatchNorm" in class_id
    if is_normalizer and project.hierarchy.is_module(owner):
        holder = owner.rpartition(":")[2].rpartition(".")[2]
        return f"'{name}' is pickled, and the state_dict() of {holder} holds it too: the two copies will disagree"
    what = f"'{name}'" if name else "a module"
    return f"{what} is pickled as a whole: the file is lost once its class is moved or renamed"


RULE = Rule(__name__, "CKP214", opt_in=check)
