"""Load binds a new tensor or module to a name, and the optimizer that was built over the old one never moves it.

## What it does

Finds loads that set an attribute or a variable to what they have read, where an optimizer was built before over
what the name held until then, and nothing builds the optimizer again.
Finds a scheduler, too, that a load takes as a whole object: it steps the optimizer that was pickled with it.

## Why it matters

An optimizer keeps the tensors that it was given, not the names of the attributes that held them.
After the load it goes on to change the old tensor, which nobody uses any more.
The restored one is used, and stays as it is for the rest of the training: a temperature, a log-scale, a whole
network that silently stops learning.

## Bad

```python
import tempfile
from pathlib import Path

import torch
from torch import nn


class SoftActorCritic:
    def __init__(self) -> None:
        self.actor = nn.Linear(3, 1)
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=0.01)
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.alpha_optimizer = torch.optim.Adam([self.log_alpha], lr=0.01)

    def learn(self, observation: torch.Tensor) -> None:
        self.actor_optimizer.zero_grad()
        (-self.actor(observation).mean() * self.log_alpha.exp().detach()).backward()
        self.actor_optimizer.step()
        self.alpha_optimizer.zero_grad()
        self.log_alpha.exp().backward()
        self.alpha_optimizer.step()

    def save(self, path: Path) -> None:
        checkpoint = {
            "actor": self.actor.state_dict(),
            "actor_optimizer": self.actor_optimizer.state_dict(),
            "log_alpha": self.log_alpha,
            "alpha_optimizer": self.alpha_optimizer.state_dict(),
        }
        torch.save(checkpoint, path)

    def load(self, path: Path) -> None:
        checkpoint = torch.load(path, weights_only=True)
        self.actor.load_state_dict(checkpoint["actor"])
        self.actor_optimizer.load_state_dict(checkpoint["actor_optimizer"])
        self.log_alpha = checkpoint["log_alpha"]
        self.alpha_optimizer.load_state_dict(checkpoint["alpha_optimizer"])


def train(path: Path, steps: int, resume: bool = False) -> SoftActorCritic:
    agent = SoftActorCritic()
    if resume:
        agent.load(path)
    for _ in range(steps):
        agent.learn(torch.randn(3))
    agent.save(path)
    return agent


with tempfile.TemporaryDirectory() as folder:
    trained = train(Path(folder) / "agent.pt", steps=5)
    resumed = train(Path(folder) / "agent.pt", steps=5, resume=True)
assert trained.log_alpha.item() < 0
assert resumed.log_alpha.item() == trained.log_alpha.item()
```

## Good

```python
import tempfile
from pathlib import Path

import torch
from torch import nn


class SoftActorCritic:
    def __init__(self) -> None:
        self.actor = nn.Linear(3, 1)
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=0.01)
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.alpha_optimizer = torch.optim.Adam([self.log_alpha], lr=0.01)

    def learn(self, observation: torch.Tensor) -> None:
        self.actor_optimizer.zero_grad()
        (-self.actor(observation).mean() * self.log_alpha.exp().detach()).backward()
        self.actor_optimizer.step()
        self.alpha_optimizer.zero_grad()
        self.log_alpha.exp().backward()
        self.alpha_optimizer.step()

    def save(self, path: Path) -> None:
        checkpoint = {
            "actor": self.actor.state_dict(),
            "actor_optimizer": self.actor_optimizer.state_dict(),
            "log_alpha": self.log_alpha,
            "alpha_optimizer": self.alpha_optimizer.state_dict(),
        }
        torch.save(checkpoint, path)

    def load(self, path: Path) -> None:
        checkpoint = torch.load(path, weights_only=True)
        self.actor.load_state_dict(checkpoint["actor"])
        self.actor_optimizer.load_state_dict(checkpoint["actor_optimizer"])
        self.log_alpha.data.copy_(checkpoint["log_alpha"])
        self.alpha_optimizer.load_state_dict(checkpoint["alpha_optimizer"])


def train(path: Path, steps: int, resume: bool = False) -> SoftActorCritic:
    agent = SoftActorCritic()
    if resume:
        agent.load(path)
    for _ in range(steps):
        agent.learn(torch.randn(3))
    agent.save(path)
    return agent


with tempfile.TemporaryDirectory() as folder:
    trained = train(Path(folder) / "agent.pt", steps=5)
    resumed = train(Path(folder) / "agent.pt", steps=5, resume=True)
assert trained.log_alpha.item() < 0
assert resumed.log_alpha.item() < trained.log_alpha.item()
```

## Fix safety

Unsafe: the loaded value is copied into the tensor that the optimizer trains, which refuses one of another shape.
For modules and schedulers the change is shown.

## When it stays silent

- The value is put into the old tensor or module: `copy_`, `load_state_dict`, `.data = ...`.
- The optimizer is built after the load, or the method that loads builds it again, by itself or in a method that it
  calls, or gives it the new tensor with `add_param_group`.
- More than construction calls the method that builds the optimizer: `reset()` before each run.
- It is not known whether the optimizer is built before the load.
- The code is a test.

## References

- https://docs.pytorch.org/docs/stable/optim.html#constructing-it
- https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.add_param_group.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.findings import Node
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in


def check(project: Project) -> Iterator[Finding]:
    """Report what a load binds anew behind the back of an optimizer."""
    for each in project.losses.orphaned_optimizers():
        kind, remedy = ("module", "load_state_dict()") if each.is_module else ("tensor", "copy_()")
        message = (
            f"'{each.trained}' becomes a new {kind}, and '{each.name}' still trains the old one: "
            f"use {remedy}, or rebuild the optimizer"
        )
        others = [(each.made, "the optimizer is built here")]
        node = Node(("attribute", "statement"), each.trained)
        fix = Fix("fill_in_place", "unsafe", (("kind", kind),))
        yield finding_in(RULE, each.location, message, others, node=node, attribute=each.trained, fix=fix)
    for taken in project.losses.unpickled_schedulers():
        message = (
            f"'{taken.name}' becomes a scheduler that steps a copy of the optimizer: "
            "save its state_dict() and load that"
        )
        node = Node(("attribute", "statement"), taken.name)
        yield finding_in(
            RULE, taken.location, message, node=node, attribute=taken.name, fix=Fix("save_state")
        )


RULE = Rule(__name__, "CKP216", check=check)
