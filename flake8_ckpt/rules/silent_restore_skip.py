"""A restore is skipped without a word when the checkpoint does not hold its key.

## What it does

Finds `if key in checkpoint:`, `checkpoint.get(key)` with a test for `None`, and
`getattr(env, "obs_rms", None)` with one, around code that restores state, where the other case says nothing.
It speaks of keys that some save of the project writes; a key that none writes is CKP201 or CKP202.

## Why it matters

The guard is written to read old checkpoints, and stays for ever.
From then on a missing key is never an error: an older file, a file of another experiment, a component that
was switched off in the first run all resume with fresh state, and the log looks as always.

## Bad

```python
import tempfile
from pathlib import Path

import torch
from torch import nn


def save(path: Path, policy: nn.Module, obs_norm: nn.Module) -> None:
    torch.save({"policy": policy.state_dict(), "obs_norm": obs_norm.state_dict()}, path)


def resume(path: Path, policy: nn.Module, obs_norm: nn.Module) -> None:
    checkpoint = torch.load(path, weights_only=True)
    policy.load_state_dict(checkpoint["policy"])
    if "obs_norm" in checkpoint:
        obs_norm.load_state_dict(checkpoint["obs_norm"])


def as_written_by_an_older_release(path: Path) -> None:
    checkpoint = torch.load(path, weights_only=True)
    checkpoint.pop("obs_norm")
    torch.save(checkpoint, path)


policy, obs_norm = nn.Linear(3, 1), nn.BatchNorm1d(3, affine=False)
obs_norm(torch.randn(64, 3) + 100.0)
resumed_policy, resumed_norm = nn.Linear(3, 1), nn.BatchNorm1d(3, affine=False)
with tempfile.TemporaryDirectory() as name:
    file = Path(name) / "checkpoint.pt"
    save(file, policy, obs_norm)
    as_written_by_an_older_release(file)
    resume(file, resumed_policy, resumed_norm)

assert torch.equal(resumed_policy.weight, policy.weight)
assert torch.equal(resumed_norm.running_mean, torch.zeros(3))
```

## Good

```python
import tempfile
from pathlib import Path

import torch
from torch import nn


def save(path: Path, policy: nn.Module, obs_norm: nn.Module) -> None:
    torch.save({"policy": policy.state_dict(), "obs_norm": obs_norm.state_dict()}, path)


def resume(path: Path, policy: nn.Module, obs_norm: nn.Module) -> None:
    checkpoint = torch.load(path, weights_only=True)
    policy.load_state_dict(checkpoint["policy"])
    if "obs_norm" in checkpoint:
        obs_norm.load_state_dict(checkpoint["obs_norm"])
    else:
        raise ValueError(f"{path.name} holds no statistics of the observations")


def as_written_by_an_older_release(path: Path) -> None:
    checkpoint = torch.load(path, weights_only=True)
    checkpoint.pop("obs_norm")
    torch.save(checkpoint, path)


policy, obs_norm = nn.Linear(3, 1), nn.BatchNorm1d(3, affine=False)
obs_norm(torch.randn(64, 3) + 100.0)
resumed_policy, resumed_norm = nn.Linear(3, 1), nn.BatchNorm1d(3, affine=False)
with tempfile.TemporaryDirectory() as name:
    file = Path(name) / "checkpoint.pt"
    save(file, policy, obs_norm)
    resume(file, resumed_policy, resumed_norm)
    as_written_by_an_older_release(file)
    try:
        resume(file, nn.Linear(3, 1), nn.BatchNorm1d(3, affine=False))
    except ValueError as error:
        message = str(error)

assert torch.equal(resumed_norm.running_mean, obs_norm.running_mean)
assert "holds no statistics" in message
```

## When it stays silent

- The other case raises, logs at warning or above, or calls `warnings.warn`.
- The guard is about the run, not about the checkpoint: `if self.scaler is not None:`.
- What the key holds is no state: a version, a configuration, a metric.
- The guard unwraps or renames: `if "state_dict" in checkpoint: checkpoint = checkpoint["state_dict"]`.

## References

- https://docs.pytorch.org/tutorials/recipes/recipes/saving_and_loading_a_general_checkpoint.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import replace

from flake8_ckpt.facts.model import KeyRead
from flake8_ckpt.facts.model import Skip
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.project.contract import Contract
from flake8_ckpt.project.payloads import Reading
from flake8_ckpt.project.payloads import Spot
from flake8_ckpt.project.payloads import contents
from flake8_ckpt.project.project import Project
from flake8_ckpt.project.unfold import Callee
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in

Places = Mapping[tuple[Spot, str], list[Spot]]
MAX_NAMES = 3


def check(project: Project) -> Iterator[Finding]:
    """Report guards around restores of written keys that say nothing where the key is absent."""
    written = _written(project)
    found: dict[Spot, Finding] = {}
    for unit in project.families.units:
        for skip in unit.function.skips:
            spot = Spot(unit.path, _keyword(skip.position))
            lost = dict(_lost(skip, unit, project.contract, written))
            if lost and spot not in found:
                others = [(place, "written here") for place in lost.values()]
                found[spot] = finding_in(RULE, spot, _message(list(lost)), others)
    yield from found.values()


def _keyword(position: Position) -> Position:
    return Position(position.line, position.col, position.line, position.col + len("if"))


def _written(project: Project) -> Places:
    """Return the places that write a key, for each place that reads it."""
    found: dict[tuple[Spot, str], list[Spot]] = defaultdict(list)
    hooks = (each for each in project.families.hooks if each.hook and each.hook.writer.function.name != "__getstate__")
    for family in (*project.families.files, *hooks):
        for reading in family.readings:
            if reading.keys:
                spots = (each.origin for each in family.writings if _holds(each.payload, reading.keys))
                found[reading.spot, reading.keys[-1]] += spots
    return found


def _holds(payload: Value, keys: tuple[str, ...]) -> bool:
    """Tell whether a payload holds a key, at least sometimes."""
    for key in keys:
        slots = contents(payload).slots
        if key not in slots:
            return False
        payload = slots[key].value
    return True


def _lost(skip: Skip, unit: Callee, contract: Contract, written: Places) -> Iterator[tuple[str, Spot]]:
    """Yield the keys that are restored under an `if` alone, with a place that writes them."""
    for index in skip.reads:
        asked = unit.function.key_reads[index]
        places = written.get((Spot(unit.path, asked.position), asked.key), [])
        if places and any(_restores(each, skip, unit, contract) for each in _reads_of(asked, skip, unit)):
            yield asked.key, places[0]


def _reads_of(asked: KeyRead, skip: Skip, unit: Callee) -> Iterator[KeyRead]:
    """Yield the reads that give the value of a key which a test asks for: its own, and those under the `if`."""
    for read in unit.function.key_reads:
        if read is asked or read.key == asked.key and read.base == asked.base and _is_under(read.position, skip):
            yield read


def _is_under(position: Position, skip: Skip) -> bool:
    return skip.position.line <= position.line <= skip.position.end_line


def _restores(read: KeyRead, skip: Skip, unit: Callee, contract: Contract) -> bool:
    """Tell whether what is read goes into state under the `if` itself, and not only after it."""
    changed = set(_changed(skip, unit))
    for reading in contract.families.payloads.summary(unit).readings:
        if reading.source == unit and reading.spot.position == read.position and reading.keys[-1:] == (read.key,):
            into = tuple(
                target
                for name, target in zip(read.into, reading.into)
                if name in changed or isinstance(name, Local) and _is_under(read.position, skip)
            )
            if into and _is_state(replace(reading, into=into), contract):
                return True
    return False


def _changed(skip: Skip, unit: Callee) -> Iterator[Value]:
    """Yield what is called or set under an `if`."""
    function = unit.function
    yield from (site.call.callee for site in function.calls if _is_under(site.position, skip))
    yield from (store.target for store in function.stores if _is_under(store.position, skip))
    yield from (Attr(SELF, write.attr) for write in function.writes if _is_under(write.position, skip))


def _is_state(reading: Reading, contract: Contract) -> bool:
    return contract.restores_state(reading) or contract.is_normalizer_reading(reading)


def _message(keys: list[str]) -> str:
    names = ", ".join(f"'{key}'" for key in keys[:MAX_NAMES])
    return f"without {names} this restores nothing and says nothing: a resumed run starts with fresh state"


RULE = Rule(__name__, "CKP213", opt_in=check)
