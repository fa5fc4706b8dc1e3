"""What is sent to the new process and what it sends back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from flake8_ckpt.runtime.verifier.continuation import Outcome
from flake8_ckpt.runtime.verifier.isolation.surroundings import Binding
from flake8_ckpt.runtime.verifier.isolation.surroundings import Surroundings
from flake8_ckpt.runtime.verifier.objects.snapshot import Snapshot
from flake8_ckpt.runtime.verifier.randomness import RandomState


@dataclass(frozen=True)
class Request:
    """A file to load in a new process, into what `make` gives, and how to go on from one random state.

    `medium` is a name of `via`, or "" where `load` loads. `changed` are the bindings that the exercise changed,
    with their values as pickles, b"" where there is none.
    """

    make: Callable[[], Any]
    device: torch.device | None
    medium: str
    load: Callable[[Any, Path], object] | None
    path: Path
    continue_with: Callable[[Any], object] | None
    random: RandomState
    changed: dict[Binding, bytes]


@dataclass(frozen=True)
class Answer:
    """What the new process saw: the object before and after loading, the surroundings, and how it went on.

    `causes` are the changed bindings that matter to going on; `refused` says why the file did not load.
    """

    fresh: Snapshot
    loaded: Snapshot
    surroundings: Surroundings
    outcome: Outcome | str | None
    causes: frozenset[Binding]
    refused: str = ""
