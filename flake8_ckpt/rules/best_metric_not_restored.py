"""A resumed run starts its best metric again, and the first epoch overwrites the best checkpoint with a worse.

## What it does

Finds programs that save, resume and train on, and in which a metric decides what is saved as the best: a number
that is compared with each new value, set to it where that is better, and whose comparison runs a save.
The comparison may leave a margin, `loss < best - min_delta`, and a method may tell its caller, who saves:
`if tracker.update(loss): save(model)`.
A program resumes as well where it begins with the very file that a better value overwrites, or with the target
networks that it trains on.
Reported is a metric that begins with a constant, and that no load restores; of several that decide one save, the first.

## Why it matters

After the resume the best value is infinity, or zero, once more.
Whatever the first epoch gives is better, so that the best checkpoint of days of training is overwritten, and a
training that has passed its best ends with a file that is worse than the one it had.

## Bad

```python
import tempfile
from pathlib import Path

import torch
from torch import nn


def train(folder: Path, losses: list[float]) -> float:
    model = nn.Linear(3, 1)
    optimizer = torch.optim.Adam(model.parameters())
    epoch = 0
    best_loss = float("inf")
    if (folder / "last.pt").exists():
        checkpoint = torch.load(folder / "last.pt", weights_only=True)
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        epoch = checkpoint["epoch"]
    for loss in losses:
        optimizer.zero_grad()
        (model(torch.ones(3)).sum() * loss).backward()
        optimizer.step()
        epoch += 1
        if loss < best_loss:
            best_loss = loss
            torch.save({"model": model.state_dict(), "loss": loss}, folder / "best.pt")
        checkpoint = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": epoch,
        }
        torch.save(checkpoint, folder / "last.pt")
    return float(torch.load(folder / "best.pt", weights_only=True)["loss"])


with tempfile.TemporaryDirectory() as folder:
    first = train(Path(folder), [3.0, 1.0, 2.0])
    second = train(Path(folder), [4.0])
assert first == 1.0
assert second == 4.0
```

## Good

```python
import tempfile
from pathlib import Path

import torch
from torch import nn


def train(folder: Path, losses: list[float]) -> float:
    model = nn.Linear(3, 1)
    optimizer = torch.optim.Adam(model.parameters())
    epoch = 0
    best_loss = float("inf")
    if (folder / "last.pt").exists():
        checkpoint = torch.load(folder / "last.pt", weights_only=True)
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        epoch = checkpoint["epoch"]
        best_loss = checkpoint["best_loss"]
    for loss in losses:
        optimizer.zero_grad()
        (model(torch.ones(3)).sum() * loss).backward()
        optimizer.step()
        epoch += 1
        if loss < best_loss:
            best_loss = loss
            torch.save({"model": model.state_dict(), "loss": loss}, folder / "best.pt")
        checkpoint = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": epoch,
            "best_loss": best_loss,
        }
        torch.save(checkpoint, folder / "last.pt")
    return float(torch.load(folder / "best.pt", weights_only=True)["loss"])


with tempfile.TemporaryDirectory() as folder:
    first = train(Path(folder), [3.0, 1.0, 2.0])
    second = train(Path(folder), [4.0])
assert first == 1.0
assert second == 1.0
```

## Fix safety

Shown, not applied: both ends change, and files written before lack the key.

## When it stays silent

- The program does not resume, or what it loads are only weights of another file; or it says that it fine-tunes.
- Something else sets the metric as well: a value from the checkpoint, from an argument, or of an evaluation before
  the first epoch.
- The metric begins anew in each turn of a loop, as a fold or a seed does.
- What the comparison decides is no save.
- The metric is saved and never restored: CKP203.
- The code is a test.

## References

- https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html
- https://github.com/pytorch/examples/blob/main/imagenet/main.py
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.findings import Node
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import STATEMENT
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in
from flake8_ckpt.rules.base import own_attribute


def check(project: Project) -> Iterator[Finding]:
    """Report metrics that a resumed run starts again, though they decide what is kept."""
    for each in project.losses.forgotten_bests():
        attribute = own_attribute(each.name)
        message = (
            f"'{each.name.rpartition('.')[2]}' starts over after a resume, and the first epoch overwrites the best "
            f"checkpoint: save and restore it"
        )
        node = Node(("attribute", "statement"), attribute) if attribute else STATEMENT
        yield finding_in(
            RULE,
            each.location,
            message,
            [(each.save, "it decides this save")],
            node=node,
            attribute=attribute,
            key="" if attribute else each.name,
            fix=Fix("save_metric", arguments=(("name", each.name),)),
        )


RULE = Rule(__name__, "CKP218", check=check)
