"""State is restored from a checkpoint, and code that runs afterwards resets, rebuilds or overwrites it.

## What it does

Finds counters, normalizers, optimizers, schedulers, weights and other objects that a load restores and that later
code replaces:

- a statement of the same function, or a helper of any name that is called after the load, such as `train()`;
- set-up that the constructor runs and the load runs again, also under a flag that only the constructor sets;
- a field of a restored object (`self.progress.step = 0`), or a setter that is given statistics of the data;
- `net.apply(init_weights)` and `net.reset_parameters()`;
- a first step, in a class that is no module: `if not self.ready:` sets the state, and no load sets the flag.

## Why it matters

Save and load agree, a test of the pair passes, and the resumed run still starts from the beginning.
A frame counter that `train()` sets to zero repeats the exploration of the first frames and writes its logs
over the old ones; an optimizer that is built again after the load has lost its moments.

## Bad

```python
import tempfile
from pathlib import Path

import torch
from torch import nn


class Trainer:
    def __init__(self) -> None:
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.frame = 0

    def epsilon(self) -> float:
        return max(0.1, 1.0 - self.frame / 100)

    def train(self, frames: int) -> None:
        self.frame = 0
        for _ in range(frames):
            noise = self.epsilon() * torch.randn(8, 2)
            self.optimizer.zero_grad()
            self.model(noise).square().mean().backward()
            self.optimizer.step()
            self.frame += 1

    def save(self, path: Path) -> None:
        checkpoint = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "frame": self.frame,
        }
        torch.save(checkpoint, path)

    def restore(self, path: Path) -> None:
        checkpoint = torch.load(path, weights_only=True)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.frame = checkpoint["frame"]


def run(path: Path, frames: int) -> Trainer:
    trainer = Trainer()
    if path.exists():
        trainer.restore(path)
    trainer.train(frames)
    trainer.save(path)
    return trainer


with tempfile.TemporaryDirectory() as folder:
    trained = run(Path(folder) / "last.pt", frames=50)
    resumed = run(Path(folder) / "last.pt", frames=1)
assert trained.frame == 50
assert resumed.frame == 1
assert resumed.epsilon() > trained.epsilon()
```

## Good

```python
import tempfile
from pathlib import Path

import torch
from torch import nn


class Trainer:
    def __init__(self) -> None:
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.frame = 0

    def epsilon(self) -> float:
        return max(0.1, 1.0 - self.frame / 100)

    def train(self, frames: int) -> None:
        for _ in range(frames):
            noise = self.epsilon() * torch.randn(8, 2)
            self.optimizer.zero_grad()
            self.model(noise).square().mean().backward()
            self.optimizer.step()
            self.frame += 1

    def save(self, path: Path) -> None:
        checkpoint = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "frame": self.frame,
        }
        torch.save(checkpoint, path)

    def restore(self, path: Path) -> None:
        checkpoint = torch.load(path, weights_only=True)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.frame = checkpoint["frame"]


def run(path: Path, frames: int) -> Trainer:
    trainer = Trainer()
    if path.exists():
        trainer.restore(path)
    trainer.train(frames)
    trainer.save(path)
    return trainer


with tempfile.TemporaryDirectory() as folder:
    trained = run(Path(folder) / "last.pt", frames=50)
    resumed = run(Path(folder) / "last.pt", frames=1)
assert trained.frame == 50
assert resumed.frame == 51
assert resumed.epsilon() < trained.epsilon()
```

## When it stays silent

- The assignment runs before the load, or only where nothing was loaded (`else:`, `if self.scaler is None:`).
- The new value is made from the restored one: `epoch + 1`, `.to(device)`, a wrapper such as
  `DistributedDataParallel`, a scheduler that is wound forward to the restored step.
- What is replaced was not restored: the count of one episode, a new head on pretrained weights.
- An option asks for it: `if args.reset_optimizer:`, `if self.finetune:`.
- Another method makes an object of its own to use, as the one that loads does.
- A constructor loads before it has made what it loads into: that fails.
- The name stands for another object from then on: the variable of a loop, an object of another class.
- The checkpoint itself gives what the object is rebuilt from, and it is loaded afterwards.
- The function is over after the branch that loads, or the new object is filled from the checkpoint further down.
- The attribute is cleared (`= None`) after use, or set to another object that already exists.
- The code is a test.

## References

- https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html
- https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.load_state_dict.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Node
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in
from flake8_ckpt.rules.base import first_that_fits
from flake8_ckpt.rules.base import own_attribute


def check(project: Project) -> Iterator[Finding]:
    """Report restored state that later code replaces."""
    for each in project.losses.overwrites():
        name = each.name.rpartition(".")[2]
        message = first_that_fits(
            f"'{name}' is overwritten here, after {each.restored} restored it: the saved value is lost; set it before "
            "the load",
            f"'{name}' is overwritten here, after a load restored it: the saved value is lost; set it before the load",
        )
        node = Node(("attribute", "mutation", "statement"), name)
        others = [(each.restored, "it is restored here")]
        attribute = own_attribute(each.name)
        key = "" if attribute else each.name
        yield finding_in(RULE, each.location, message, others, node=node, attribute=attribute, key=key)


RULE = Rule(__name__, "CKP205", check=check)
