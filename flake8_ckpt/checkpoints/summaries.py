"""Payloads: what the functions of a project write to a checkpoint, and what they read from one.

A *payload* is a mapping on its way to or from disk. This is how it is followed, on a toy example:

    class Agent:                                          # agent.py
        def save(self, path, metadata=None):
            record = {"net": self.net.state_dict()}
            if metadata:
                record["metadata"] = metadata
            torch.save(record, path)

    def train(resume, path):                              # train.py
        data = torch.load(resume)
        scaler.mean = data["metadata"]["mean"]
        agent = Agent()
        agent.save(path)

1. Each function has a *summary* in terms of its own parameters. That of `Agent.save` is one *writing*:
   {net: always, metadata: maybe, with the value of the parameter `metadata`}, closed, to the file `path`.
   That of `train` begins with the *readings* of its own body: `metadata` and `metadata.mean`, required,
   from the file `resume`, the second into `scaler.mean`.
2. A call brings in the summary of the function it reaches, with the call's arguments in place of the
   parameters. `agent.save(path)` is a writing of `train`, at that call. `metadata` is bound to its default
   None there, so a key that is only maybe written, with this value, is never written by this call.
3. A function that another one calls in this way is a step on the way. The writings and readings of functions
   that nobody calls are *final*: they are what happens to files.
4. Families put final writings and readings together that speak of the same checkpoint (`families.py`), and
   rules compare the keys.

What is not understood opens a payload: no key is called missing from a writing whose payload is open.
Hooks are payloads too. What `state_dict` returns is written, what `load_state_dict` takes out of its
parameter is read; the names of the two methods make them a pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.effects import Summary
from flake8_ckpt.checkpoints.function_body import FunctionBody
from flake8_ckpt.checkpoints.load_effects import load_effects
from flake8_ckpt.checkpoints.save_effects import save_effects
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator

MAX_DEPTH = 5
MAX_WRITINGS = 32
MAX_READINGS = 400


class Payloads:
    """The summaries of all functions that take part in saving and loading."""

    def __init__(self, evaluator: SymbolicEvaluator) -> None:
        self.evaluator = evaluator
        self._summaries: dict[tuple[str, str], Summary] = {}
        self._open: set[tuple[str, str]] = set()

    def summary(self, callee: FunctionRef) -> Summary:
        """Return the summary of a function; that of a function that calls itself is not known inside it."""
        key = (callee.identity, callee.class_id)
        if key in self._open or len(self._open) >= MAX_DEPTH:
            return Summary(is_truncated=True)
        if key not in self._summaries:
            self._open.add(key)
            found = self._summarized(callee)
            self._open.discard(key)
            if self._open and len(self._open) >= MAX_DEPTH - 1:
                return found
            self._summaries[key] = found
        return self._summaries[key]

    def _summarized(self, callee: FunctionRef) -> Summary:
        self.evaluator.begin()
        body = FunctionBody(callee, self.evaluator)
        writings = _bounded_writings(save_effects(body, self.summary))
        readings = _bounded_readings(load_effects(body, self.summary))
        return _unsure(writings, readings) if self.evaluator.is_spent else Summary(writings, readings)


def _unsure(writings: tuple[SaveEffect, ...], readings: tuple[LoadEffect, ...]) -> Summary:
    """Return a summary of a function that is too large to be followed: it may write and read anything."""
    return Summary(
        tuple(replace(each, payload=UNKNOWN) for each in writings),
        (
            *readings,
            *{each.root: replace(each, keys=(), kind="handed", into=()) for each in readings}.values(),
        ),
    )


def _bounded_writings(found: Iterator[SaveEffect]) -> tuple[SaveEffect, ...]:
    """Return the writings of a function; too many of them are one that may write anything."""
    writings = tuple(islice(found, MAX_WRITINGS + 1))
    return writings if len(writings) <= MAX_WRITINGS else (replace(writings[0], payload=UNKNOWN),)


def _bounded_readings(found: Iterator[LoadEffect]) -> tuple[LoadEffect, ...]:
    """Return the readings of a function; where there are too many, each payload may be read in full."""
    readings = tuple(islice(found, MAX_READINGS + 1))
    if len(readings) <= MAX_READINGS:
        return readings
    return tuple({each.root: replace(each, keys=(), kind="handed") for each in readings}.values())
