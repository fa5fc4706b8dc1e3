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

from flake8_ckpt.findings import Finding
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import CALL
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in


def check(project: Project) -> Iterator[Finding]:
    """Report normalizers pickled beside the state_dict that holds them, and modules pickled whole."""
    for pickled in project.losses.pickled_modules():
        what = f"'{pickled.name}'" if pickled.name else "a module"
        message = (
            f"{what} is pickled with its class: the file is unreadable once the class is moved or renamed;"
            " save its state_dict()"
        )
        if pickled.holder:
            message = (
                f"'{pickled.name}' is pickled, and the state_dict() of {pickled.holder} holds it too: the copies can"
                " differ; save one of them"
            )
        others = [(location, "pickled here too") for location in pickled.locations]
        yield finding_in(RULE, pickled.locations[0], message, others, node=CALL, key=pickled.name)


RULE = Rule(__name__, "CKP214", opt_in=check)
