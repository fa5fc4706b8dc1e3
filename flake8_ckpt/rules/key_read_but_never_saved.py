"""Load reads a key that no save paired with it writes: what the key restores starts over.

## What it does

Pairs the code that reads a checkpoint with the code that writes it, over all files of the project.
Finds keys that are read with `checkpoint["key"]`, `.get`, `.pop` or behind `if "key" in checkpoint`, and that
none of the writers gives.
A key that is nearly the same as a written one is named in the message.

## Why it matters

With `checkpoint["step"]` the resume fails with a `KeyError`, on the day it is needed.
With `.get("step", 0)` or a guard it does not fail: the counter starts at zero, the learning rate warms up
a second time, and nothing says so.

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
        self.steps = 0

    def learning_rate(self) -> float:
        return 1e-3 * min(1.0, (self.steps + 1) / 100)

    def train(self, batches: int) -> None:
        for _ in range(batches):
            for group in self.optimizer.param_groups:
                group["lr"] = self.learning_rate()
            self.optimizer.zero_grad()
            self.model(torch.randn(8, 2)).square().mean().backward()
            self.optimizer.step()
            self.steps += 1

    def save(self, path: Path) -> None:
        checkpoint = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.steps,
        }
        torch.save(checkpoint, path)

    def load(self, path: Path) -> None:
        checkpoint = torch.load(path, weights_only=True)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.steps = checkpoint.get("step", 0)


trained = Trainer()
trained.train(batches=100)
resumed = Trainer()
with tempfile.TemporaryDirectory() as folder:
    trained.save(Path(folder) / "last.pt")
    resumed.load(Path(folder) / "last.pt")
assert resumed.steps == 0
assert resumed.learning_rate() < trained.learning_rate()
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
        self.steps = 0

    def learning_rate(self) -> float:
        return 1e-3 * min(1.0, (self.steps + 1) / 100)

    def train(self, batches: int) -> None:
        for _ in range(batches):
            for group in self.optimizer.param_groups:
                group["lr"] = self.learning_rate()
            self.optimizer.zero_grad()
            self.model(torch.randn(8, 2)).square().mean().backward()
            self.optimizer.step()
            self.steps += 1

    def save(self, path: Path) -> None:
        checkpoint = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.steps,
        }
        torch.save(checkpoint, path)

    def load(self, path: Path) -> None:
        checkpoint = torch.load(path, weights_only=True)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.steps = checkpoint["steps"]


trained = Trainer()
trained.train(batches=100)
resumed = Trainer()
with tempfile.TemporaryDirectory() as folder:
    trained.save(Path(folder) / "last.pt")
    resumed.load(Path(folder) / "last.pt")
assert resumed.steps == 100
assert resumed.learning_rate() == trained.learning_rate()
```

## Fix safety

Unsafe: where the save writes a key that is almost the same, the load reads that one; a file that was written with
the other spelling, by an older version, is no longer understood.
Where there is no such key, what the save would have to write is shown.

## When it stays silent

- `.get(key, default)` of something that training does not change: a version, a config, a metric.
- The key is an old name that is looked for after the new one, or a wrapper that is taken off first
  (`if "state_dict" in checkpoint`), or the same object is restored from another key that is saved.
- Some part of what the writer gives is not known: a spread, a computed key, a helper that cannot be followed.
- The file that is read is not one that this project writes: downloaded weights, another program.
- Statistics of a normalizer are CKP201; keys of hooks that a framework calls are CKP206.
- The code is a test.

## References

- https://docs.pytorch.org/tutorials/recipes/recipes/saving_and_loading_a_general_checkpoint.html
- https://docs.pytorch.org/docs/stable/generated/torch.load.html
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in


def check(project: Project) -> Iterator[Finding]:
    """Report keys that load reads and no save writes."""
    contract = project.contract
    for missing in contract.missing:
        if contract.restores_normalizer(missing) or missing.is_framework_hook:
            continue
        if contract.matters(missing):
            key, location = missing.keys[-1], missing.loads[0].location
            save = contract.own_save(missing.saves[0])
            fails = any(each.kind == "required" for each in missing.loads)
            mend = f"did you mean '{missing.similar}'?" if missing.similar else "save it there"
            outcome = "loading fails" if fails else "it is not restored"
            message = f"'{key}' is read here, but {save} does not save it: {outcome}; {mend}"
            others = [(save, "the payload is written here")]
            fix = Fix("read_similar", "unsafe", (("key", key), ("similar", missing.similar)))
            yield finding_in(RULE, location, message, others, key=key, fix=fix)


RULE = Rule(__name__, "CKP202", check=check)
