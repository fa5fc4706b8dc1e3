"""Save writes state that the load paired with it never restores.

## What it does

Pairs the code that writes a checkpoint with the code that resumes from it, over all files of the project.
Finds keys that hold state (a `state_dict()`, the statistics of a normalizer, a random state, a counter that
training uses) and that no reader takes out again.
Finds also the state of an optimizer, a scheduler or a scaler that is written to a file of its own which nothing
reads, where the network that is saved beside it is restored.

## Why it matters

The state is in the file, so everything looks complete, and the resumed run starts with fresh state all the same.
A learning rate schedule begins again from its first step, Adam from empty moments, a gradient scaler from
its initial scale.

## Bad

```python
import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR


class Trainer:
    def __init__(self) -> None:
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.scheduler = StepLR(self.optimizer, step_size=10)

    def train(self, epochs: int) -> None:
        for _ in range(epochs):
            self.optimizer.zero_grad()
            self.model(torch.randn(8, 2)).square().mean().backward()
            self.optimizer.step()
            self.scheduler.step()

    def save(self, path: Path) -> None:
        checkpoint = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
        }
        torch.save(checkpoint, path)

    def load(self, path: Path) -> None:
        checkpoint = torch.load(path, weights_only=True)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])


trained = Trainer()
trained.train(epochs=9)
resumed = Trainer()
with tempfile.TemporaryDirectory() as folder:
    trained.save(Path(folder) / "last.pt")
    resumed.load(Path(folder) / "last.pt")
trained.train(epochs=1)
resumed.train(epochs=1)
assert trained.scheduler.get_last_lr()[0] < 0.05
assert resumed.scheduler.get_last_lr()[0] == 0.1
```

## Good

```python
import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR


class Trainer:
    def __init__(self) -> None:
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.scheduler = StepLR(self.optimizer, step_size=10)

    def train(self, epochs: int) -> None:
        for _ in range(epochs):
            self.optimizer.zero_grad()
            self.model(torch.randn(8, 2)).square().mean().backward()
            self.optimizer.step()
            self.scheduler.step()

    def save(self, path: Path) -> None:
        checkpoint = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
        }
        torch.save(checkpoint, path)

    def load(self, path: Path) -> None:
        checkpoint = torch.load(path, weights_only=True)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.scheduler.load_state_dict(checkpoint["scheduler"])


trained = Trainer()
trained.train(epochs=9)
resumed = Trainer()
with tempfile.TemporaryDirectory() as folder:
    trained.save(Path(folder) / "last.pt")
    resumed.load(Path(folder) / "last.pt")
trained.train(epochs=1)
resumed.train(epochs=1)
assert trained.scheduler.get_last_lr()[0] < 0.05
assert resumed.scheduler.get_last_lr()[0] == trained.scheduler.get_last_lr()[0]
```

## Fix safety

Unsafe: a resumed run goes on with what was saved, and a file without the key is refused.
The statement is added where save and load are methods of one class and both are written out; elsewhere it is shown.

## When it stays silent

- The key is a note rather than state: a version, a config, a date, metrics, or a second copy of what another
  key already holds.
- The program never resumes: it only saves, what it reads is for evaluation, export or fine-tuning, or nobody
  calls the method that reads.
- The save is not for this load: it leaves out a key without which the load fails, and another save gives that.
- A setting says where the epochs begin: `range(args.start_epoch, args.epochs)`.
- A reader may take any key: the whole dict is handed on, its items are looped over, the key is computed.
- Another reader of the same checkpoint restores it: a subclass, a helper in another file.
- Keys of hooks that a framework calls are CKP206.
- A file that holds the state of one object: its name is computed, or some load reads it.
- The code is a test.

## References

- https://docs.pytorch.org/tutorials/recipes/recipes/saving_and_loading_a_general_checkpoint.html
- https://docs.pytorch.org/docs/stable/notes/randomness.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.findings import Safety
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in
from flake8_ckpt.rules.base import first_that_fits


def check(project: Project) -> Iterator[Finding]:
    """Report state that save writes and no load takes."""
    told = set()
    for lost in project.contract.unrestored:
        if lost.is_framework_hook or all(project.losses.is_idle(each.source) for each in lost.loads):
            continue
        for location, load in project.contract.locations(lost).items():
            message = (
                f"'{lost.keys[-1]}' is saved, but {load.location} does not restore it: after a resume it starts "
                f"over; load it there"
            )
            told.add(location)
            others = [(load.location, "the payload is read here")]
            safety: Safety = "unsafe" if len(lost.keys) == 1 else "shown"
            fix = Fix("restore_saved", safety, (("key", lost.keys[-1]),))
            yield finding_in(RULE, location, message, others, key=lost.keys[-1], fix=fix)
    for file in project.losses.unread_files():
        if file.location in told:
            continue
        message = first_that_fits(
            f"'{file.name}' is saved to {file.file}, which nothing reads: after a resume it starts over; load it too",
            f"the state of '{file.name}' is saved to a file that nothing reads; load it too",
        )
        others = [(file.restore, "what is saved beside it is restored here")]
        yield finding_in(RULE, file.location, message, others, key=file.name)


RULE = Rule(__name__, "CKP203", check=check)
