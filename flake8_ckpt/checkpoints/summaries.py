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

1. Each function has a *summary* in terms of its own parameters. That of `Agent.save` is one *save effect*,
   in short a save: {net: always, metadata: maybe, with the value of the parameter `metadata`}, closed, to
   the file `path`.
   That of `train` begins with the *load effects* of its own body: `metadata` and `metadata.mean`, required,
   from the file `resume`, the second into `scaler.mean`.
2. A call brings in the summary of the function it reaches, with the call's arguments in place of the
   parameters. `agent.save(path)` is a save of `train`, at that call. `metadata` is bound to its default
   None there, so a key that is only maybe written, with this value, is never written by this call.
3. A function that another one calls in this way is a step on the way. The saves and loads of functions
   that nobody calls are *final*: they are what happens to files.
4. Groups put final saves and loads together that speak of the same checkpoint (`pairing/`), and
   rules compare the keys.

What is not understood opens a payload for the keys that nothing else in it gives, at its own level and in
this one save: no key is called missing from where it may be. Each loaded value is compared with its own saves.
Hooks are payloads too. What `state_dict` returns is written, what `load_state_dict` takes out of its
parameter is read; the names of the two methods make them a pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from flake8_ckpt.checkpoints.archives import with_archives
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
MAX_SAVES = 32
MAX_LOADS = 400


class Payloads:
    """The summaries of all functions that take part in saving and loading."""

    def __init__(self, evaluator: SymbolicEvaluator) -> None:
        self.evaluator = evaluator
        self._summaries: dict[tuple[str, str], Summary] = {}
        self._open: set[tuple[str, str]] = set()
        # How often one of them was not known inside another one.
        self._cuts = 0

    def summary(self, callee: FunctionRef) -> Summary:
        """Return the summary of a function; that of a function that calls itself is not known inside it."""
        key = (callee.identity, callee.class_id)
        if key in self._open or len(self._open) >= MAX_DEPTH:
            self._cuts += 1
            return Summary(is_truncated=True)
        if key not in self._summaries:
            self._open.add(key)
            before = self._cuts
            found = self._summarized(callee)
            self._open.discard(key)
            if self._cuts > before and len(self._open) >= MAX_DEPTH - 1:
                return found
            self._summaries[key] = found
        return self._summaries[key]

    def seen_by_source(self, save: SaveEffect) -> list[SaveEffect]:
        """Return a save as the function that saves knows it, before a caller brings in its arguments."""
        return [each for each in self.summary(save.source).saves if each.save_call == save.save_call]

    def load_of_source(self, load: LoadEffect) -> list[LoadEffect]:
        """Return a load as the function that takes the key knows it."""
        found = self.summary(load.source).loads
        return [each for each in found if (each.location, each.keys) == (load.location, load.keys)]

    def _summarized(self, callee: FunctionRef) -> Summary:
        before = self.evaluator.begin()
        body = FunctionBody(callee, self.evaluator)
        found = save_effects(body, self.summary)
        saves = _bounded_saves(with_archives(found, callee.function.calls, body.expand))
        body.has_lost_value = False
        loads = _bounded_loads(load_effects(body, self.summary))
        self.evaluator.budget = before
        return Summary(
            saves,
            _unsure(loads) if body.has_lost_value else loads,
            entered=body.entered_functions(),
        )


def _unsure(loads: tuple[LoadEffect, ...]) -> tuple[LoadEffect, ...]:
    """Return the loads of a function where what one of them takes is not known: it may be any key."""
    roots = {each.root: replace(each, keys=(), kind="handed", into=()) for each in loads}
    return (*loads, *roots.values())


def _bounded_saves(found: Iterator[SaveEffect]) -> tuple[SaveEffect, ...]:
    """Return the saves of a function; too many of them are one that may write anything."""
    saves = tuple(islice(found, MAX_SAVES + 1))
    return saves if len(saves) <= MAX_SAVES else (replace(saves[0], payload=UNKNOWN),)


def _bounded_loads(found: Iterator[LoadEffect]) -> tuple[LoadEffect, ...]:
    """Return the loads of a function; where there are too many, each payload may be read in full."""
    loads = tuple(islice(found, MAX_LOADS + 1))
    if len(loads) <= MAX_LOADS:
        return loads
    return tuple({each.root: replace(each, keys=(), kind="handed") for each in loads}.values())
