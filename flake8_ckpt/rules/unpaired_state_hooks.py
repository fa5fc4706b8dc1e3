"""One hook of a save and load pair is missing, or the two do not know the same keys.

## What it does

Looks at the hooks that a framework calls to save and restore an object: `state_dict` and `load_state_dict`,
`get_extra_state` and `set_extra_state`, `__getstate__` and `__setstate__`, `get_parameters` and
`set_parameters`, `get_weights` and `set_weights`, `on_save_checkpoint` and `on_load_checkpoint`.
Finds a hook whose partner is missing where it is needed, a key that one gives and the other never takes, and a
key that one takes and the other never gives.
Hooks count that a class inherits, also from another file, in the order in which Python looks for methods: a
`state_dict` that calls `Ordered.state_dict(self)` needs the `load_state_dict` of `Ordered`, too.
Finds a load, inherited or not, that hands all keys to one object (`self.net.load_state_dict(state)`) where the
state of that object is given under a key.
Finds as well a lock or a queue in what a hook gives, and `on_save_checkpoint` of a `LightningDataModule`.

## Why it matters

What only one of the two knows is lost, or the load fails.
An extra state without `set_extra_state` makes a strict load refuse the module's own checkpoint; a key that
`load_state_dict` never takes leaves its attribute as the constructor made it.
A lock cannot be pickled, so that saving fails; Lightning 2 calls no checkpoint hooks of a data module.

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

from flake8_ckpt.findings import Finding
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_in
from flake8_ckpt.rules.base import first_that_fits
from flake8_ckpt.rules.base import heading_of

MAX_NAMED = 2


def check(project: Project) -> Iterator[Finding]:
    """Report hooks without their partner, and keys that only one of two hooks knows."""
    yield from _never_given(project)
    yield from _never_taken(project)
    yield from _without_partner(project)
    for bare in project.losses.hooks.bare():
        writer, reader = bare.hook.writer, bare.hook.reader.name
        message = first_that_fits(
            f"{writer.name}() returns a bare state_dict(), and {reader}() at {bare.location} reads '{bare.key}': "
            "return it under that key",
            f"{writer.name}() returns a bare state_dict(), and {reader}() reads '{bare.key}': "
            "return it under that key",
        )
        others = [(bare.location, "the key is taken here")]
        yield finding_in(RULE, writer.location, message, others, node=heading_of(writer.name))
    for whole in project.losses.hooks.whole():
        writer, reader = whole.hook.writer, whole.hook.reader.name
        message = first_that_fits(
            f"{writer.name}() gives the state under '{whole.key}', and {reader}() at {whole.location} takes all for "
            "it: loading fails; take the key",
            f"{writer.name}() gives the state under '{whole.key}', {reader}() takes all for it: loading fails; take "
            "the key",
        )
        others = [(whole.location, "all keys are taken here")]
        yield finding_in(RULE, writer.location, message, others, node=heading_of(writer.name))
    for lost in project.losses.hooks.unpickled():
        writer = lost.hook.writer
        message = first_that_fits(
            f"__getstate__() drops '{lost.attr}', which __setstate__() at {lost.location} reads: it fails; set it "
            "there first",
            f"__getstate__() drops '{lost.attr}', which __setstate__() reads: it fails; set it there first",
        )
        others, node = [(lost.location, "it is read here")], heading_of(writer.name)
        yield finding_in(RULE, writer.location, message, others, node=node, attribute=lost.attr)
    for held in project.losses.hooks.unpicklable():
        writer = held.hook.writer
        what = f"'{held.key}' holds a {held.kind}, which cannot be pickled"
        message = f"{what}: torch.save() of this state fails; leave it out"
        yield finding_in(RULE, writer.location, message, node=heading_of(writer.name))


def _never_given(project: Project) -> Iterator[Finding]:
    for lost in project.losses.ungiven_keys():
        outcome = "loading fails" if lost.is_required else "it starts over"
        giver = f"{lost.giver.name}()"
        message = first_that_fits(
            f"'{lost.key}' is read here but {giver} at {lost.given} does not give it: {outcome}; add it there",
            f"'{lost.key}' is read here but {giver} does not give it: {outcome}; add it there",
        )
        yield finding_in(
            RULE, lost.location, message, [(lost.given, "the state is given here")], key=lost.key
        )


def _never_taken(project: Project) -> Iterator[Finding]:
    """Yield one finding for each reading hook that leaves keys where they are."""
    for left in project.losses.untaken_keys():
        names = list(dict.fromkeys(f"'{each.key}'" for each in left.keys[:MAX_NAMED]))
        many = " and ".join(names)
        them, start = ("it", "it starts") if len(names) == 1 else ("them", "they start")
        message = first_that_fits(
            f"{left.taker.name}() leaves {many}, given at {left.keys[0].location}: after a load {start} over; "
            f"restore {them}",
            f"{left.taker.name}() leaves {many} in the state: after a load {start} over; restore {them} here",
            f"{left.taker.name}() leaves {names[0]} in the state: after a load it starts over; restore it here",
        )
        others = [(each.location, f"'{each.key}' is given here") for each in left.keys]
        node, key = heading_of(left.taker.name), left.keys[0].key
        yield finding_in(RULE, left.taker.location, message, others, node=node, key=key)


def _without_partner(project: Project) -> Iterator[Finding]:
    for lone in project.losses.hooks.unpaired_hooks():
        message = _alone(lone.method.name, lone.partner, lone.key)
        yield finding_in(RULE, lone.method.location, message, node=heading_of(lone.method.name), key=lone.key)
    for two in project.losses.hooks.two_bases():
        hook, partner = two.hook, two.partner
        message = first_that_fits(
            f"{hook.name}() is defined here and {partner.name}() comes from {two.base}: they do not fit; override both",
            f"{hook.name}() is defined here and {partner.name}() comes from another base: override both",
        )
        others = [(partner.location, "its partner")]
        yield finding_in(RULE, hook.location, message, others, node=heading_of(hook.name))
    for hook in project.losses.hooks.uncalled():
        message = (
            f"Lightning 2 never calls {hook.name}() of a data module: nothing is saved; use state_dict() and "
            "load_state_dict()"
        )
        yield finding_in(RULE, hook.location, message, node=heading_of(hook.name))


def _alone(hook: str, partner: str, key: str) -> str:
    if key:
        return f"'{key}' is saved here and nothing restores it: it starts over after a load; add {partner}()"
    if hook == "state_dict":
        return f"state_dict() gives another shape than the base class loads: loading fails; add {partner}()"
    return f"{hook}() has no {partner}(): load_state_dict() fails on this state; add {partner}()"


RULE = Rule(__name__, "CKP206", check=check)
