"""Where programs that go on after a restart save: each save with a class or function that holds what belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Optional

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.evidence import is_made_with
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.missing import is_of_nothing
from flake8_ckpt.checkpoints.object_kinds import TRAINING
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.resume_options import TUNES
from flake8_ckpt.checkpoints.pairing.resume_options import is_resume
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.value_names import path_text
from flake8_ckpt.losses.ledger.holder import ANY_ITEM
from flake8_ckpt.losses.ledger.holder import OWN
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.index import root_of
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.ledger.mentions import NAMING
from flake8_ckpt.losses.ledger.mentions import kept_in
from flake8_ckpt.losses.resumption import Resumption
from flake8_ckpt.losses.resumption import called_as
from flake8_ckpt.losses.unsaved.continued_runs import ContinuedRuns
from flake8_ckpt.losses.unsaved.own_files import is_own_file
from flake8_ckpt.losses.unsaved.own_files import is_same_file
from flake8_ckpt.losses.unsaved.own_files import share_folder
from flake8_ckpt.losses.unsaved.unsaved_object import keys_of

# Calls of a function that trains.
STEPS = frozenset(["backward", "step", "zero_grad"])


@dataclass(frozen=True)
class SavePoint:
    """A save of a program that trains on with its file, and one class or function whose objects belong to it.

    `shown` is how the save names an object of the class, as `self.agent`. `names` are the keys of
    both sides. Where there is no `location`, objects are reported where they are made.
    `ends` are the function that saves and the one that loads, where these are known.
    `entered` are the functions on the way from the unit to the file. Where the program does not train on, it only
    uses what was saved: that concerns normalizers alone. What is given by a hook `of_tools` is optimizers and the
    like alone: whoever calls the hook saves the networks. What is trained on may be known by its `weights_alone`.
    """

    owner: str
    location: Optional[Spot]
    unit: Optional[FunctionRef] = None
    shown: str = OWN
    names: frozenset[str] = frozenset()
    entered: tuple[str, ...] = ()
    trains_on: bool = True
    ends: Optional[tuple[FunctionRef, FunctionRef]] = None
    of_tools: bool = False
    weights_alone: bool = False


class GroupPoints:
    """Finds them by the checkpoints of which both ends are known."""

    def __init__(self, contract: Contract, ledger: Ledger) -> None:
        self.contract = contract
        self.hierarchy = contract.hierarchy
        self.evaluator = contract.evaluator
        self.ledger = ledger
        self.resumption = Resumption(contract.groups)
        self.continued = ContinuedRuns(ledger, contract.groups.payloads, self.resumption)
        self._restored: dict[int, frozenset[str]] = {}

    @cached_property
    def found(self) -> tuple[SavePoint, ...]:
        """Return the save points of all checkpoints, each once: a program saves in many places."""
        found = {(each.owner, each.location, each.names, each.trains_on): each for each in self._found()}
        return tuple(found.values())

    def _found(self) -> Iterator[SavePoint]:
        groups = self.contract.groups
        for group in (*groups.hooks, *groups.files):
            names = keys_of(group)
            for save in group.saves if group.loads else ():
                yield from self._in_classes(save, group, names)
                yield from self._in_functions(save, group, names)

    def _in_classes(
        self, save: SaveEffect, group: CheckpointGroup, names: frozenset[str]
    ) -> Iterator[SavePoint]:
        location = self.contract.own_save(save)
        is_state = any(_is_state(target) for each in group.loads for target in each.into)
        for class_id, shown in self._classes(save, is_state).items():
            loads = [each for each in group.loads if self._restores_into(each, class_id)]
            if not loads and shown != OWN:
                # What an object holds is restored by its method, though that names it otherwise.
                loads = [
                    each for each in group.loads if self.resumption.is_of(save.source, each.source.class_id)
                ]
            if loads and self._is_resumed(class_id, loads, save):
                trains_on = self._goes_on(save, group.loads)
                is_inherited = save.source.owner in self.hierarchy.ancestors(class_id)[1:]
                own = self._own_call(save, class_id)
                holds = self._own_call(save, save.source.class_id) if shown != OWN else None
                here = None if is_inherited else own or holds or location
                shown = OWN if own is not None else shown
                ends = (save.source, loads[0].source)
                of_tools = group.hook is not None and self._is_of_tools(save)
                alone = self._is_by_weights(save, group.loads)
                yield SavePoint(class_id, here, None, shown, names, (), trains_on, ends, of_tools, alone)
                for each in self._filling(class_id, save):
                    goes_on = trains_on or self._registers_training(each, save)
                    yield SavePoint(each, None, None, shown, names, (), goes_on, weights_alone=alone)

    def _is_of_tools(self, save: SaveEffect) -> bool:
        """Tell whether all objects in a payload are optimizers and the like."""
        saved = [self.ledger.aliases.holders.of(value, save.unit) for value, _ in kept_in(save.payload)]
        return all(each is not None and not self.ledger.kinds_of(each).isdisjoint(TRAINING) for each in saved)

    def _registers_training(self, class_id: str, save: SaveEffect) -> bool:
        """Tell whether a class itself puts what only training needs into a registry that a save goes through."""
        saved = (self.ledger.aliases.holders.of(value, save.unit) for value, _ in kept_in(save.payload))
        items = {each.path for each in saved if each is not None and each.path.endswith(ANY_ITEM)}
        return any(
            not self.ledger.kinds_of(Holder(class_id, each)).isdisjoint(TRAINING) for each in sorted(items)
        )

    def _own_call(self, save: SaveEffect, class_id: str) -> Optional[Spot]:
        """Return the statement of a method of the class itself that writes the file, or calls what does."""
        own = [seen.location for unit, seen in self._way(save) if self.resumption.is_of(unit, class_id)]
        return own[-1] if own else None

    def _in_functions(
        self, save: SaveEffect, group: CheckpointGroup, names: frozenset[str]
    ) -> Iterator[SavePoint]:
        """Yield the functions on the way to a file that hold what belongs to it in their locals."""
        if not any(kept_in(save.payload)) or not self._goes_on(save, group.loads):
            return
        is_resumed, is_repeated = False, False
        for unit, seen in self._way(save):
            loads = [each for each in group.loads if unit.identity in (each.unit.identity, *each.call_chain)]
            in_loop = _is_in_loop(unit, seen)
            runs = in_loop or any(called_name(each.call) in STEPS for each in unit.function.calls)
            if self._goes_on(save, loads) or is_resumed and runs and not is_repeated:
                is_resumed = True
                if not TUNES.search(unit.identity):
                    ends = (save.source, (loads or group.loads)[0].source)
                    alone = self._is_by_weights(save, group.loads)
                    entered = seen.call_chain
                    yield SavePoint(
                        unit.identity, seen.location, unit, "", names, entered, ends=ends, weights_alone=alone
                    )
            is_repeated = is_repeated or in_loop

    def _way(self, save: SaveEffect) -> Iterator[tuple[FunctionRef, SaveEffect]]:
        """Yield the functions on the way to a file, each with the save as it sees it."""
        yield save.unit, save
        for identity in save.call_chain:
            unit = self.ledger.aliases.index.function(identity)
            seen = self.contract.groups.payloads.summary(unit).saves if unit is not None else ()
            own = [each for each in seen if each.save_call == save.save_call]
            if unit is not None and own:
                yield unit, own[0]

    def _classes(self, save: SaveEffect, is_state: bool = False) -> dict[str, str]:
        """Return the classes that hold what is saved, or that are modules and saved, each as the save names it.

        What is not known but `is_state` belongs to the class that saves it: `getattr(self, name).state_dict()`.
        """
        saved = list(self._saved(save))
        own = (save.source.owner, save.source.class_id, save.unit.class_id)
        found = {each: OWN for each in own if each and (saved or is_state)}
        for value, unit in saved:
            holder = self.ledger.aliases.holders.of(value, unit)
            if holder is not None and isinstance(value, Attr):
                for owner in self._owners(holder):
                    found.setdefault(owner, path_text(value.base) or OWN)
            module = self._module(value, unit)
            if module:
                found.setdefault(module, path_text(value) or OWN)
        return found

    def _saved(self, save: SaveEffect) -> Iterator[tuple[Value, FunctionRef]]:
        """Yield what a payload holds, as the function knows it that saves, and as the outermost one does.

        What an object saves of itself is its own, whatever a program calls the object.
        """
        seen = self.contract.groups.payloads.seen_by_source(save)
        own = [(value, each.unit) for each in seen for value, _ in kept_in(each.payload)]
        yield from own
        if not any(isinstance(root_of(value), Self) for value, _ in own):
            yield from ((value, save.unit) for value, _ in kept_in(save.payload))

    def _owners(self, holder: Holder) -> list[str]:
        """Return the classes of the object that an object is an attribute of."""
        if holder.is_attribute and holder.length == 1:
            return [holder.owner]
        base, _ = holder.parted()
        classes = self.hierarchy.symbols.classes
        return sorted(each for each in self.ledger.kinds.classes(base) if each in classes)

    def _module(self, value: Value, unit: FunctionRef) -> str:
        """Return the class of a saved module whose `state_dict` is that of torch: it knows nothing of optimizers."""
        class_id = self.evaluator.class_of(value, CallContext(unit))
        if class_id not in self.hierarchy.symbols.classes or not self.hierarchy.is_module(class_id):
            return ""
        is_custom = any(self.hierarchy.defines(class_id, name) for name in ("state_dict", "get_extra_state"))
        return "" if is_custom else class_id

    def _filling(self, class_id: str, save: SaveEffect) -> Iterator[str]:
        """Yield the classes that derive from one, and leave it to its save what is saved of them."""
        names = {save.source.function.name, save.unit.function.name}
        for each in self.hierarchy.subclasses(class_id):
            own = set(self.hierarchy.symbols.classes[each].method_names)
            if own.isdisjoint(names):
                yield each

    def _restores_into(self, load: LoadEffect, class_id: str) -> bool:
        """Tell whether a load is one of a class, or puts something into its objects."""
        if id(load) not in self._restored:
            self._restored[id(load)] = self._restored_by(load)
        return any(self.hierarchy.are_related(each, class_id) for each in self._restored[id(load)])

    def _restored_by(self, load: LoadEffect) -> frozenset[str]:
        """Return the classes that a load is one of, or into whose objects it puts something."""
        owners = {load.source.class_id, load.unit.class_id}
        for each in (load, *self.contract.groups.payloads.load_of_source(load)):
            for holder, value in self._targets(each):
                owners.update(self._owners(holder))
                owners.add(self.evaluator.class_of(value, CallContext(each.unit)))
        return frozenset(owners).intersection(self.hierarchy.symbols.classes)

    def _targets(self, load: LoadEffect) -> Iterator[tuple[Holder, Value]]:
        for target in load.into:
            held = target.base if isinstance(target, Attr) and target.name == "load_state_dict" else target
            for value in options_of(held):
                seen, unit = self.ledger.aliases.index.at_home(value, load)
                named = self.ledger.aliases.holders.of(seen, unit) if isinstance(value, NAMING) else None
                yield from ((named, value),) if named is not None else ()

    def _is_resumed(self, class_id: str, loads: list[LoadEffect], save: SaveEffect) -> bool:
        owners = {each.source.class_id or class_id for each in loads}
        names = {called_as(each.source.class_id, each.source.function) for each in loads}
        if any(self.resumption.is_resumed(each, names) for each in sorted(owners)):
            return True
        return any(self._resumes(save, each) for each in loads)

    def _goes_on(self, save: SaveEffect, loads: list[LoadEffect]) -> bool:
        """Tell whether training goes on: its state is restored, or it asks to resume, or its own file is read."""
        if any(map(self.restores_training, loads)):
            return True
        return any(self._resumes(save, each) for each in loads)

    def _is_by_weights(self, save: SaveEffect, loads: list[LoadEffect]) -> bool:
        """Tell whether nothing but weights that are trained on says that training goes on."""
        return not any(map(self.restores_training, loads)) and not any(
            self._reads_back(save, x) for x in loads
        )

    def _resumes(self, save: SaveEffect, load: LoadEffect) -> bool:
        """Tell whether a program goes on with what it writes."""
        return self._reads_back(save, load) or self.continued.is_one(save, load)

    def _reads_back(self, save: SaveEffect, load: LoadEffect) -> bool:
        """Tell whether a program that trains reads back what it writes, or says that this is what it does."""
        is_own = self.resumption.is_of(save.source, load.source.class_id)
        is_same = is_same_file(save, load) or is_own and self._are_alike(save, load, is_own_file)
        if is_same and self._trains_on(save, load):
            return True
        return is_resume(load) and self._trains_beside(save, load)

    def _trains_beside(self, save: SaveEffect, load: LoadEffect) -> bool:
        """Tell whether an object, or one function, loads, trains and saves what is restored."""
        if not load.into or not self.resumption.trains(save.unit):
            return False
        return save.unit == load.unit or self.resumption.is_of(save.unit, load.unit.class_id)

    def _trains_on(self, save: SaveEffect, load: LoadEffect) -> bool:
        """Tell whether a load puts something back into an object that is saved, and its function then trains."""
        owner, called = load.source.class_id, called_as(load.source.class_id, load.source.function)
        if self.resumption.is_of(save.source, owner) and load.source.name == "__init__":
            return self.resumption.is_resumed(owner, {called})
        if self.resumption.is_of(save.source, owner) and self._are_alike(save, load, share_folder):
            return self.resumption.is_trained_on({called}) or self.resumption.is_made_with(owner, called)
        if not any(
            called_name(s.call) in STEPS and s.position.line > load.at.line for s in load.unit.function.calls
        ):
            return False
        values = (self.ledger.aliases.index.at_home(value, save) for value, _ in kept_in(save.payload))
        saved = {self.ledger.aliases.holders.of(value, unit) for value, unit in values}
        return any(holder in saved for holder, _ in self._targets(load))

    def _are_alike(
        self, save: SaveEffect, load: LoadEffect, test: Callable[[SaveEffect, LoadEffect], bool]
    ) -> bool:
        """Tell whether a save and a load pass a test as the methods of the object itself see them."""
        payloads = self.contract.groups.payloads
        saves, loads = payloads.seen_by_source(save), payloads.load_of_source(load)
        return any(test(one, other) for one in saves for other in loads)

    def restores_training(self, load: LoadEffect) -> bool:
        """Tell whether a load restores what only training needs."""
        if is_of_nothing(load):
            return False
        if load.keys and self.contract.evidence.is_training_state(load):
            return True
        return any(
            not self.ledger.kinds_of(each).isdisjoint(TRAINING)
            for each, value in self._targets(load)
            if not load.keys or value not in load.into or not is_made_with(value)
        )


def _is_in_loop(unit: FunctionRef, save: SaveEffect) -> bool:
    """Tell whether a function saves again and again."""
    at = save.location.position
    return any(LOOP in site.guards for site in unit.function.calls if site.position == at)


def _is_state(target: Value) -> bool:
    """Tell whether a load restores the state of an object as a whole."""
    return isinstance(target, Attr) and target.name == "load_state_dict"
