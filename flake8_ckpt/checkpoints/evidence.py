"""What is known of the objects that a checkpoint restores: their kind, and whether training goes on with them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.mismatch import Missing
from flake8_ckpt.checkpoints.object_kinds import TRAINING
from flake8_ckpt.checkpoints.object_kinds import Kinds
from flake8_ckpt.checkpoints.object_kinds import ObjectKind
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.group import LoadedPayload
from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.checkpoints.pairing.resume_options import TUNES
from flake8_ckpt.checkpoints.pairing.resume_options import is_resume
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.checkpoints.payload import missing_depth
from flake8_ckpt.checkpoints.payload import object_of
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.model import LOOP
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Guard
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.findings import Position
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator
from flake8_ckpt.linking.value_names import path_text

# Calls of a function that trains: `loss.backward()`, `trainer.fit(...)`, `train_epoch(...)`, `run_training(...)`.
TRAINS = re.compile(r"^(backward|train|fit|learn|run|optimi[sz]e|train_\w+|\w+_train(ing)?|run_\w+)$")
GIVEN_BACK = Name("return")


class Evidence:
    """Tells what loads restore."""

    def __init__(self, groups: CheckpointGroups) -> None:
        self.groups = groups
        self.hierarchy = groups.hierarchy
        self.known = groups.symbols.known
        self.evaluator: SymbolicEvaluator = groups.evaluator
        self.kinds = Kinds(groups.evaluator)

    def resumes(self, loads: Iterable[LoadEffect]) -> bool:
        """Tell whether load goes on with training: it restores an optimizer, a scheduler or a counter."""
        loads = list(loads)
        return any(self.is_training_state(each) for each in loads if each.keys) or any(
            map(self.is_asked_to_resume, loads)
        )

    def is_asked_to_resume(self, load: LoadEffect) -> bool:
        """Tell whether a program that trains restores weights and says that it goes on with them."""
        is_weights = any(isinstance(each, Attr) and each.name == "load_state_dict" for each in load.into)
        if not is_weights or not is_resume(load) or TUNES.search(load.source.identity):
            return False
        methods = self.hierarchy.related_methods(load.unit.class_id) if load.unit.class_id else ()
        return self._trains(load) or any(f"{owner}.{each.name}" in self._saving for owner, each in methods)

    def is_for_training(self, key: str, held: Value, unit: FunctionRef) -> bool:
        """Tell whether an object is one that only training needs: no module that holds it saves it."""
        if self.known.hint("key", "training state").search(key):
            return True
        return self.owner_kind(Attr(held, "state_dict"), unit) in TRAINING

    def is_training_state(self, load: LoadEffect) -> bool:
        """Tell whether a key is state that only training needs."""
        if self.known.hint("key", "training state").search(load.keys[-1]) and load.into:
            return True
        if self.known.hint("key", "counter").search(load.keys[-1]):
            if any(isinstance(each, Attr) for each in load.into):
                return True
            if any(isinstance(each, Local) or each == GIVEN_BACK for each in load.into):
                return self._trains(load)
        kinds = {self.owner_kind(target, load.unit) for target in load.into if not is_made_with(target)}
        return not kinds.isdisjoint(TRAINING)

    def _trains(self, load: LoadEffect) -> bool:
        """Tell whether training goes on after a load: a counter that is printed restores nothing.

        The innermost function says so that trains or saves itself: what it does before the load is over.
        """
        inner = (self._units.get(each) for each in reversed(load.call_chain))
        for unit in (*(each for each in inner if each is not None), load.unit):
            decided = self._works_after(unit, load)
            if decided is not None:
                return decided
        return load.unit.identity in self._saving

    def _works_after(self, unit: FunctionRef, load: LoadEffect) -> bool | None:
        """Tell whether a function trains or saves after a load, None where it does neither."""
        summary = self.groups.payloads.summary(unit)
        saved = {each.location.position for each in summary.saves if not self._passes_on(each)}
        works = [each for each in unit.function.calls if _is_training(each) or each.position in saved]
        seen = [each for each in summary.loads if (each.location, each.keys) == (load.location, load.keys)]
        if not works or not seen:
            return None
        at = seen[0].at
        is_repeated = any(LOOP in each.guards for each in unit.function.calls if each.position == at)
        return any(each.position >= at or is_repeated and LOOP in each.guards for each in works)

    @cached_property
    def _units(self) -> dict[str, FunctionRef]:
        return {each.identity: each for each in self.groups.units}

    @cached_property
    def _saving(self) -> frozenset[str]:
        """Return the functions that save, by themselves or by what they call, more than they have read."""
        saves = (each for each in self.groups.final[0] if not self._passes_on(each))
        return frozenset(name for each in saves for name in (each.unit.identity, *each.call_chain))

    def _passes_on(self, save: SaveEffect) -> bool:
        """Tell whether a program writes again what it has read, in another form: a conversion."""
        roots = {each.root for each in self.groups.payloads.summary(save.unit).loads}
        return any(_read_from(value) in roots for _, value in all_keys(save.payload)) if roots else False

    def is_covered(self, target: Value, unit: FunctionRef, saves: Iterable[SaveEffect]) -> bool:
        """Tell whether an object is part of another object whose state the same class saves as a whole."""
        name = path_text(target)
        saved = {
            path_text(object_of(value))
            for each in self._related(unit, saves)
            for _, value in states_in(each.payload)
        }
        return any(each and name.startswith(f"{each}.") for each in saved)

    def _related(self, unit: FunctionRef, saves: Iterable[SaveEffect]) -> Iterator[SaveEffect]:
        yield from saves
        for class_id in self.hierarchy.ancestors(unit.class_id) if unit.class_id else ():
            for other in self._hooks_by_class[0].get(class_id, ()):
                yield from other.saves
        for other in self._hooks_by_class[1].get(unit.class_id, ()):
            yield from other.saves

    @cached_property
    def _hooks_by_class(self) -> tuple[dict[str, list[CheckpointGroup]], dict[str, list[CheckpointGroup]]]:
        """Return the groups of hooks by their class, and by each ancestor of it."""
        own: dict[str, list[CheckpointGroup]] = {}
        inherited: dict[str, list[CheckpointGroup]] = {}
        for group in self.groups.hooks:
            if group.hook is not None:
                own.setdefault(group.hook.class_id, []).append(group)
                for class_id in self.hierarchy.ancestors(group.hook.class_id)[1:]:
                    inherited.setdefault(class_id, []).append(group)
        return own, inherited

    def restores_normalizer(self, missing: Missing) -> bool:
        """Tell whether what is missing is the state of a normalizer."""
        return any(self.is_normalizer_load(each) for each in missing.loads)

    def is_normalizer_load(self, load: LoadEffect) -> bool:
        """Tell whether a load restores a normalizer: by the object's class, else by the name of key and target."""
        if self.known.hint("key", "normalizer").search(load.keys[-1]):
            return True
        kinds = {self.owner_kind(target, load.unit) for target in load.into if not is_made_with(target)}
        return not kinds.isdisjoint(("normalizer", "environment"))

    def restores_state(self, load: LoadEffect) -> bool:
        """Tell whether a key restores something that training changes."""
        return any(self._is_state(target, load) for target in load.into)

    def stops_restore(self, key: str, loaded: LoadedPayload) -> bool:
        """Tell whether a key that is never there is asked for before another one, which is, restores state."""
        asked = Guard("key", key)
        return any(
            each.keys[-1:] not in ((), (key,))
            and asked in each.guards
            and self.restores_state(each)
            and not missing_depth(each.keys, loaded.saves)
            for each in loaded.loads
        )

    def _is_state(self, target: Value, load: LoadEffect) -> bool:
        if not isinstance(target, Attr):
            return isinstance(target, Local) and self._is_named_as_state(load.keys[-1])
        if not isinstance(target.base, Self):
            if target.name == "load_state_dict" or self.owner_kind(target, load.unit):
                return True
        class_id = self.evaluator.class_of(target.base, CallContext(load.unit))
        if not class_id:
            return self._is_named_as_state(load.keys[-1])
        if target.name in self.hierarchy.method_names(class_id):
            return self.known.hint("method", "restores").search(target.name) is not None
        return self.is_changed(class_id, target.name, load.source.identity)

    def _is_named_as_state(self, key: str) -> bool:
        """Tell whether a key is called as what training counts, or the best that it has reached."""
        return any(self.known.hint("key", says).search(key) for says in ("counter", "best metric"))

    def is_changed(self, class_id: str, attr: str, loader: str) -> bool:
        """Tell whether a method other than construction and the one that loads changes an attribute."""
        begins = self.known.hint("method", "begins with saved state")
        for owner, method in self.hierarchy.related_methods(class_id):
            name = method.name
            if name != "__init__" and f"{owner}.{name}" != loader and not begins.search(name):
                if any(write.attr == attr and write.how != "moved" for write in method.writes):
                    return True
        return False

    def is_loop_counter(self, key: str, value: Value) -> bool:
        """Tell whether a key is called as a counter, and holds a number that is computed: no setting, no constant."""
        if not self._is_named_as_state(key):
            return False
        options = [each.value if isinstance(each, Local) else each for each in options_of(value)]
        if any(map(_begins_by_option, options)):
            return False
        return all(isinstance(each, (Number, Arith, Const)) for each in options) and any(
            isinstance(each, (Number, Arith)) for each in options
        )

    def is_live_counter(self, class_id: str, attr: str) -> bool:
        """Tell whether an attribute is counted up or moved on, and decides something; a count may be used anywhere."""
        methods = [method for _, method in self.hierarchy.related_methods(class_id)]
        counting = [method for method in methods if _counted(method, attr)]
        if not counting and not any(_is_moved_on(method, attr) for method in methods):
            return False
        if any(each.attr == attr and "test" in each.how for method in methods for each in method.uses):
            return True
        return any(
            use.attr == attr and use.position not in _counted(method, attr)
            for method in counting
            for use in method.uses
        )

    def owner_kind(self, target: Value, unit: FunctionRef) -> ObjectKind:
        """Return the kind of the object that a value flows into: that of x for `x.mean` and `x.load_state_dict`."""
        owner = target.base if isinstance(target, Attr) else target
        context = CallContext(unit)
        kinds = {self.kinds.of(self.evaluator.class_of(each, context)) for each in options_of(owner)}
        kind = kinds.pop() if len(kinds) == 1 else ""
        if not kind and isinstance(target, Attr) and isinstance(owner, Self):
            kind = self.kinds.of(self.evaluator.class_of(target, CallContext(unit)))
        return kind


def _is_moved_on(method: FunctionFacts, attr: str) -> bool:
    """Tell whether a method makes a number of what it was: `self.epsilon = max(0.05, 0.99 * self.epsilon)`."""
    return any(
        write.attr == attr and write.carried and isinstance(write.value, (Arith, Number))
        for write in method.writes
        if write.how == "assign"
    )


def _begins_by_option(value: Value) -> bool:
    """Tell whether a number counts on from where a setting says: `for epoch in range(args.start_epoch, n)`."""
    while isinstance(value, (Arith, Local)):
        value = value.operands[0] if isinstance(value, Arith) else value.value
    return isinstance(value, Attr) and not isinstance(value.base, Self)


def _is_training(site: Site) -> bool:
    return TRAINS.search(called_name(site.call)) is not None


def is_made_with(target: Value) -> bool:
    """Tell whether a target is a new object that is made with what a key holds: `opt = Adam(net, lr=saved["lr"])`."""
    return isinstance(target, Local) and isinstance(target.value, Call)


def _counted(method: FunctionFacts, attr: str) -> set[Position]:
    """Return where a method counts an attribute up."""
    return {write.position for write in method.writes if write.attr == attr and write.how == "augment"}


def _read_from(value: Value) -> Value:
    """Return the mapping that a value is an item of: d for `d["epoch"]` and `d.get("epoch")`."""
    while isinstance(value, Local):
        value = value.value
    if isinstance(value, Call) and isinstance(value.callee, Attr) and value.callee.name == "get":
        return value.callee.base
    return value.base if isinstance(value, Item) else value
