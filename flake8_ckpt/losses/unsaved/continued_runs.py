"""Programs that begin with the weights of an earlier run, train, and save the same objects again.

agent = Agent()
if args.checkpoint:
    agent.load(args.checkpoint)
for episode in range(args.episodes):
    agent.train(buffer)
    agent.save(f"agent_{episode}.pth")
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.pairing.function_names import are_partners
from flake8_ckpt.checkpoints.pairing.resume_options import BEGINS
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.checkpoints.summaries import Payloads
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Position
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.linking.value_names import parts_of
from flake8_ckpt.losses.ledger.holder import OWN
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.index import root_of
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.ledger.mentions import NAMING
from flake8_ckpt.losses.ledger.mentions import Mention
from flake8_ckpt.losses.ledger.mentions import kept_in
from flake8_ckpt.losses.ledger.mentions import trained_in
from flake8_ckpt.losses.resumption import Resumption
from flake8_ckpt.losses.unsaved.own_files import is_same_file

# What asks for a file of an earlier run: `--ckpt`, `--load_model`, `netG`. `--weights` may begin with those of others.
CONTINUES = re.compile(
    r"resum|contin|recover|restor|ckpt|check_?point|model|(^|[^a-z])(re)?load|(^|[^a-z])(last|latest)|^net",
    re.I,
)
# What gives an optimizer, or what it is built over: `model.configure_optimizers()`, `param_groups(model)`.
OPTIMIZES = re.compile(r"optim|param", re.I)


class ContinuedRuns:
    """Asks the functions that both a save and a load go through."""

    def __init__(self, ledger: Ledger, payloads: Payloads, resumption: Resumption) -> None:
        self.ledger = ledger
        self.payloads = payloads
        self.resumption = resumption

    def is_one(self, save: SaveEffect, load: LoadEffect) -> bool:
        """Tell whether a program loads what it trains and saves, before it does either."""
        seen = (load, *self.payloads.load_of_source(load))
        states = ((target, each) for each in seen for target in each.into if _is_state(target))
        restored = {named for target, each in states for named in self._named(_base(target), each)}
        if not any(map(self._is_trained, restored)) or self._begins_anew(load):
            return False
        if not self._is_of_same_objects(save, load, restored):
            return False
        saving = {save.unit.identity, *save.call_chain}
        return any(each.identity in saving and self._goes_on(each, save, load) for each in self._way(load))

    def _is_of_same_objects(self, save: SaveEffect, load: LoadEffect, restored: set[Holder]) -> bool:
        """Tell whether two methods of one class are partners, or a load restores an object that is saved."""
        named = {name for value, _ in kept_in(save.payload) for name in _locals(value)}
        loaded = {name for value in load.into for name in _locals(value)}
        if named and loaded and named.isdisjoint(loaded):
            return False  # Two functions make an object of one class each.
        one, other = save.source, load.source
        if self.resumption.is_of(one, other.class_id) and are_partners(one.name, other.name):
            return True
        saved = (each for value, _ in kept_in(save.payload) for each in self._named(value, save))
        return self._is_of_earlier_run(save, load) and not restored.isdisjoint(saved)

    def _is_of_earlier_run(self, save: SaveEffect, load: LoadEffect) -> bool:
        """Tell whether a file is the one that is saved, or what asks for it says that it is of an earlier run."""
        return is_same_file(save, load) or any(map(CONTINUES.search, self._words(load)))

    def _named(self, value: Value, effect: SaveEffect | LoadEffect) -> set[Holder]:
        """Return what names an object, or each that it may be, in the functions whose locals these are."""
        aliases = self.ledger.aliases
        seen = (aliases.index.at_home(each, effect) for each in options_of(value) if isinstance(each, NAMING))
        found = (aliases.holders.of(each, unit) for each, unit in seen)
        return {each for each in found if each is not None}

    def _is_trained(self, restored: Holder) -> bool:
        """Tell whether an optimizer is built over an object, or over parts of it."""
        if any(map(_is_optimized, self.ledger.mentions(restored))):
            return True
        classes, path = self.ledger.kinds.classes(restored), f"{restored.path}."
        return any(
            each.owner in classes or each.owner == restored.owner and each.path.startswith(path)
            for each in self._trained
        )

    def trains_restored(self, tool: Holder) -> bool:
        """Tell whether an optimizer, or that of a scheduler, is built over something that some load restores.

        It is, too, where that has no name.
        """
        given = [
            named
            for unit, made in self.ledger.kinds.made(tool)
            if isinstance(made, Call)
            for arg in arguments_of(made)
            for value in (arg, *(each for each, _ in trained_in(arg)))
            if (named := self._held(value, unit)) is not None
        ]
        over = [each for each in given if self.ledger.kind_of(each) == "optimizer" and each != tool]
        if over:
            return any(map(self.trains_restored, over))
        return not given or any(map(self._is_restored, given))

    def _held(self, value: Value, unit: FunctionRef) -> Holder | None:
        return self.ledger.aliases.holders.of(value, unit) if isinstance(value, NAMING) else None

    def _is_restored(self, module: Holder) -> bool:
        """Tell whether a load restores a module, what holds it, or parts of it."""
        names = self.ledger.aliases.of(module).holders
        around = {*names, *(each.parted()[0] for each in names)} - {Holder(each.owner, OWN) for each in names}
        if not around.isdisjoint(self._all_restored):
            return True
        classes, paths = self.ledger.kinds.classes(module), tuple(f"{each.path}." for each in names)
        return any(each.owner in classes or each.path.startswith(paths) for each in self._all_restored)

    @cached_property
    def _all_restored(self) -> frozenset[Holder]:
        """Return all that loads put something into, as far as it has names."""
        aliases = self.ledger.aliases
        mentions = (each for found in aliases.index.mentions.values() for each in found)
        named = (aliases.holder_of(each) for each in mentions if each.how == "restored")
        return frozenset(each for each in named if each is not None)

    @cached_property
    def _trained(self) -> frozenset[Holder]:
        """Return all that optimizers are built over, as far as it has names."""
        aliases = self.ledger.aliases
        mentions = (each for found in aliases.index.mentions.values() for each in found)
        named = (aliases.holder_of(each) for each in mentions if each.how == "trained")
        return frozenset(each for each in named if each is not None)

    def _way(self, load: LoadEffect) -> Iterator[FunctionRef]:
        """Yield the functions on the way to a file that is loaded, from the outermost on."""
        yield load.unit
        found = map(self.ledger.aliases.index.function, load.call_chain)
        yield from (each for each in found if each is not None)

    def _goes_on(self, unit: FunctionRef, save: SaveEffect, load: LoadEffect) -> bool:
        """Tell whether a function loads once, then trains, and only then saves."""
        summary = self.payloads.summary(unit)
        loads = [each.at for each in summary.loads if _are_same_load(each, load)]
        saves = [each.location.position for each in summary.saves if each.save_call == save.save_call]
        if not loads or not saves or min(saves) <= max(loads):
            return False
        if any(_is_repeated(unit, each) for each in loads):
            return False
        return self.resumption.trains_from(unit, loads)

    def _begins_anew(self, load: LoadEffect) -> bool:
        """Tell whether the code says that a file is one to begin with, of another training."""
        return any(map(BEGINS.search, self._words(load)))

    def _words(self, load: LoadEffect) -> list[str]:
        """Return the names of the functions on the way to a load, of what asks for it, and of its file."""
        ways = (load.unit.identity, load.source.identity, *load.call_chain)
        names = [each.rpartition(":")[2] for each in ways]
        ends = ((load.unit, load.at), (load.source, load.location.position))
        loading = (each for unit, at in ends for each in unit.function.calls if each.position == at)
        names += [flag for each in loading for flag in each.scope if not flag.startswith("!")]
        for each in (load, *self.payloads.load_of_source(load)):
            names += [guard.name for guard in each.guards]
            names += [_spelled(part) for part in parts_of(file_of(each.root))]
        return names


def _locals(value: Value) -> Iterator[str]:
    """Yield the names under which functions know the object that a path begins with."""
    for each in options_of(value):
        root = root_of(each)
        while isinstance(root, Local):
            yield root.name
            root = root_of(root.value)


def _is_optimized(mention: Mention) -> bool:
    is_asked = mention.how in ("called", "given") and OPTIMIZES.search(mention.name) is not None
    return mention.how == "trained" or is_asked


def _are_same_load(one: LoadEffect, other: LoadEffect) -> bool:
    return (one.location, one.source.identity) == (other.location, other.source.identity)


def _is_repeated(unit: FunctionRef, position: Position) -> bool:
    return any(LOOP in each.guards for each in unit.function.calls if each.position == position)


def _is_state(target: Value) -> bool:
    return isinstance(target, Attr) and target.name == "load_state_dict"


def _base(target: Value) -> Value:
    return target.base if isinstance(target, Attr) else target


def _spelled(part: Value) -> str:
    """Return the name or the text that is a part of a path."""
    named = part.key if isinstance(part, Item) else part
    if isinstance(named, Const):
        return str(named.value)
    return last_name(part) if isinstance(part, (Attr, Item, Local, Param)) else ""
