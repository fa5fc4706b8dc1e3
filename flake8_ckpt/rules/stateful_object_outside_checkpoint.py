"""A program that saves and resumes updates an object whose state neither its save nor its load mentions.

## What it does

Finds programs that write a checkpoint, read it back and train on, and that hold a normalizer, optimizer,
learning rate scheduler, gradient scaler or moving average of weights whose state is on neither side.
Finds also an optimizer that is saved without what it trains: a network, or a tensor such as a temperature, and a
target network that training moves slowly (`soft_update(self.target, self.net, tau)`) and that the load makes again
as a copy of the live one.
Finds a number that a held object changes while it trains, and depends on: a loss scale, the step of a schedule.
Finds a counter of a training loop that a learning rate, a weight or a scheduler is told, and that begins at zero again,
and a rate of exploration that decays from step to step.
A program also trains on where it loads weights alone, trains what an optimizer was built over, and saves it again.
What an object is, is told by what is done with it: whatever `zero_grad` and `step` are called of is an optimizer.
It is followed through helper functions, constructors, containers and the objects that hold it, so that one that
another class keeps, or a registry, counts as saved.

## Why it matters

The checkpoint looks complete: whatever is written is also restored.
What was forgotten on both sides starts over after each resume: rewards are scaled by fresh statistics, Adam
has no moments, averaged weights begin again at the raw ones.
A temperature that only lives beside its optimizer jumps back to its first value.

## Bad

```python
import tempfile
from pathlib import Path

import torch
from torch import nn


class RewardNormalizer:
    def __init__(self) -> None:
        self.mean = 0.0
        self.m2 = 0.0
        self.count = 0

    def update(self, reward: float) -> None:
        self.count += 1
        delta = reward - self.mean
        self.mean += delta / self.count
        self.m2 += delta * (reward - self.mean)

    def normalize(self, reward: float) -> float:
        return (reward - self.mean) / ((self.m2 / max(self.count, 1)) ** 0.5 + 1e-8)

    def state_dict(self) -> dict[str, float]:
        return {"mean": self.mean, "m2": self.m2, "count": self.count}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.mean = state["mean"]
        self.m2 = state["m2"]
        self.count = int(state["count"])


class Agent:
    def __init__(self) -> None:
        self.policy = nn.Linear(3, 1)
        self.optimizer = torch.optim.Adam(self.policy.parameters())
        self.reward_normalizer = RewardNormalizer()

    def learn(self, observation: torch.Tensor, reward: float) -> None:
        self.reward_normalizer.update(reward)
        loss = -self.policy(observation).sum() * self.reward_normalizer.normalize(reward)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def save(self, path: Path) -> None:
        checkpoint = {
            "policy": self.policy.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        torch.save(checkpoint, path)

    def load(self, path: Path) -> None:
        checkpoint = torch.load(path, weights_only=True)
        self.policy.load_state_dict(checkpoint["policy"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])


def train(path: Path, steps: int, resume: bool = False) -> Agent:
    agent = Agent()
    if resume:
        agent.load(path)
    for step in range(steps):
        agent.learn(torch.randn(3), reward=100.0 + step)
    agent.save(path)
    return agent


with tempfile.TemporaryDirectory() as folder:
    trained = train(Path(folder) / "agent.pt", steps=50)
    resumed = train(Path(folder) / "agent.pt", steps=1, resume=True)
assert trained.reward_normalizer.count == 50
assert resumed.reward_normalizer.count == 1
```

## Good

```python
import tempfile
from pathlib import Path

import torch
from torch import nn


class RewardNormalizer:
    def __init__(self) -> None:
        self.mean = 0.0
        self.m2 = 0.0
        self.count = 0

    def update(self, reward: float) -> None:
        self.count += 1
        delta = reward - self.mean
        self.mean += delta / self.count
        self.m2 += delta * (reward - self.mean)

    def normalize(self, reward: float) -> float:
        return (reward - self.mean) / ((self.m2 / max(self.count, 1)) ** 0.5 + 1e-8)

    def state_dict(self) -> dict[str, float]:
        return {"mean": self.mean, "m2": self.m2, "count": self.count}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.mean = state["mean"]
        self.m2 = state["m2"]
        self.count = int(state["count"])


class Agent:
    def __init__(self) -> None:
        self.policy = nn.Linear(3, 1)
        self.optimizer = torch.optim.Adam(self.policy.parameters())
        self.reward_normalizer = RewardNormalizer()

    def learn(self, observation: torch.Tensor, reward: float) -> None:
        self.reward_normalizer.update(reward)
        loss = -self.policy(observation).sum() * self.reward_normalizer.normalize(reward)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def save(self, path: Path) -> None:
        checkpoint = {
            "policy": self.policy.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "reward_normalizer": self.reward_normalizer.state_dict(),
        }
        torch.save(checkpoint, path)

    def load(self, path: Path) -> None:
        checkpoint = torch.load(path, weights_only=True)
        self.policy.load_state_dict(checkpoint["policy"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.reward_normalizer.load_state_dict(checkpoint["reward_normalizer"])


def train(path: Path, steps: int, resume: bool = False) -> Agent:
    agent = Agent()
    if resume:
        agent.load(path)
    for step in range(steps):
        agent.learn(torch.randn(3), reward=100.0 + step)
    agent.save(path)
    return agent


with tempfile.TemporaryDirectory() as folder:
    trained = train(Path(folder) / "agent.pt", steps=50)
    resumed = train(Path(folder) / "agent.pt", steps=1, resume=True)
assert trained.reward_normalizer.count == 50
assert resumed.reward_normalizer.count == 51
```

## Fix safety

Shown, not applied: both ends change, and files written before lack the key.

## When it stays silent

- The program does not resume: nothing loads what it saves, or what loads only evaluates, exports or starts
  from pretrained weights, which a name says: `pretrained`, `init_from`, `teacher`, `best`. For a normalizer it is
  enough that the program uses the weights.
- No run loads and then trains: the load stands under `if evaluate:` and the training under `if not evaluate:`,
  or the function or the program is over after the load.
- The object is carried another way: as part of a saved module, in a file of its own, by a framework that
  collects what was registered or prepared, by pickling the whole. What `accelerator.prepare` was given counts where
  some code calls `save_state`.
- The object is never stepped or updated, or lives for one call only.
- A gradient scaler is switched off by a constant: it has no state.
- The object is given to code that is not known, and that may keep it.
- A scheduler is told the epoch at each step, is made for the epoch to begin with, or is stepped up to it.
  `ExponentialLR` only multiplies the rate of its optimizer, which is saved.
- A counter or a rate only limits the run, or is only logged; or something else than counting sets it.
- One side mentions it: CKP201, CKP202 or CKP203.
- No program reaches the file: an `archive` or a copy that nothing imports, a file that an `import_module` by
  name cannot choose.
- The code is a test.

## References

- https://docs.pytorch.org/tutorials/recipes/recipes/saving_and_loading_a_general_checkpoint.html
- https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.state_dict.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in
from flake8_ckpt.rules.base import first_that_fits
from flake8_ckpt.rules.base import own_attribute

NOUNS = {
    "counter": "step counter",
    "ema": "moving average",
    "scaler": "gradient scaler",
    "module": "trained network",
    "stateful": "object with state",
    "tensor": "trained tensor",
}


def check(project: Project) -> Iterator[Finding]:
    """Report objects that training updates and that the checkpoint does not hold."""
    for lost in project.losses.unsaved_objects:
        noun = NOUNS.get(lost.kind, lost.kind)
        what = f"the {noun} '{lost.name}' is neither saved nor restored"
        its_state = "it" if lost.kind in ("counter", "number") else "its state"
        message = first_that_fits(
            f"{what} and starts over after a resume; save {its_state} too",
            f"{what}; save and restore {its_state}",
        )
        made = [(lost.made, "it is made here")] if lost.made is not None else []
        attribute = own_attribute(lost.name)
        key = "" if attribute else lost.name
        fix = Fix("add_object", arguments=(("name", lost.name), ("kind", lost.kind)))
        yield finding_in(RULE, lost.location, message, made, attribute=attribute, key=key, fix=fix)


RULE = Rule(__name__, "CKP204", check=check)
