"""The ledger of state: for each object what kind it is, and whether it is updated, saved, restored, handed over."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.object_kinds import TRAINING
from flake8_ckpt.checkpoints.object_kinds import ObjectKind
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Name
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.allocation_sites import AllocationSites
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.losses.ledger.aliases import AliasFinder
from flake8_ckpt.losses.ledger.events import COLLECTS
from flake8_ckpt.losses.ledger.events import KEEPS
from flake8_ckpt.losses.ledger.events import is_kept
from flake8_ckpt.losses.ledger.events import is_result_used
from flake8_ckpt.losses.ledger.events import is_update
from flake8_ckpt.losses.ledger.events import only_updates
from flake8_ckpt.losses.ledger.holder import OWN
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.index import MentionIndex
from flake8_ckpt.losses.ledger.kinds import KindFinder
from flake8_ckpt.losses.ledger.mentions import Mention

# `callback.on_epoch(self)`, `hook.after_step(trainer)`.
EVENTS = re.compile(r"^_?(on|before|after|pre|post)_")


class Ledger:
    """Answers questions about objects, which are asked for under one of their names."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.hierarchy = contract.hierarchy
        self.symbols = contract.hierarchy.symbols
        self.known = self.symbols.known

    @cached_property
    def aliases(self) -> AliasFinder:
        """Return who follows objects from name to name."""
        return AliasFinder(MentionIndex(self.contract.groups), AllocationSites(self.contract.evaluator))

    @cached_property
    def kinds(self) -> KindFinder:
        """Return who tells kinds."""
        return KindFinder(self.aliases, self.contract.kinds)

    def kind_of(self, holder: Holder) -> ObjectKind:
        """Return the kind of an object."""
        return self.kinds.of(holder)

    def may_have_items(self, holder: Holder) -> bool:
        """Tell whether some code knows items of an object under one of the names that it had."""
        names = self.aliases.index.containers
        return any(each.name in names for each in self.aliases.sources(holder))

    def kinds_of(self, holder: Holder) -> set[ObjectKind]:
        """Return the kinds of the objects that a name may hold: an item of a container may be one of several."""
        return {self.kinds.of(holder), *self.kinds.by_class(holder)}

    def attributes(self, class_id: str) -> Iterator[tuple[Holder, Spot]]:
        """Yield the attributes of a class, inherited ones too, with the place where each is first set."""
        seen: set[str] = set()
        for owner, method in self.hierarchy.inherited_methods(class_id):
            for write in method.writes:
                if write.how == "assign" and write.attr not in seen:
                    seen.add(write.attr)
                    yield (
                        Holder(class_id, f"{OWN}.{write.attr}"),
                        Spot(owner.partition(":")[0], write.position),
                    )

    def mentions(self, holder: Holder) -> Iterator[Mention]:
        """Yield what the programs that know an object do with it."""
        return self.kinds.mentions(holder)

    def is_updated(self, holder: Holder, kind: str = "") -> bool:
        """Tell whether some program updates an object."""
        return any(is_update(each, kind) for each in self.mentions(holder))

    def is_used(self, holder: Holder) -> bool:
        """Tell whether some program does more with an object than to update it: takes a result, or hands it on."""
        if any(holder.name in facts.normalized for facts in self.symbols.files.values()):
            return True
        calls: dict[tuple[str, str], list[bool]] = {}
        for each in self.mentions(holder):
            if each.how != "called":
                return True
            if each.site is not None or not only_updates(each):
                calls.setdefault((each.unit.identity, each.name), []).append(is_result_used(each))
        # A method of an attribute is mentioned by its use, and again by the call that tells what comes of it.
        return any(all(results) for results in calls.values())

    def is_kept(self, holder: Holder, kind: str = "") -> bool:
        """Tell whether some program saves or restores the state of an object, alone or in that of what holds it."""
        if not self.aliases.of(holder).is_complete or self._is_kept_by_name(holder):
            return True
        if (
            any(is_kept(each, kind) for each in self.mentions(holder))
            or kind == "ema"
            and self._has_kept(holder)
        ):
            return True
        return self.is_part_of_kept(holder, kind)

    def _is_kept_by_name(self, holder: Holder) -> bool:
        """Tell whether a class keeps the attributes that a list names, and it, or one related to it, lists this."""
        return any(
            each.is_attribute and each.length == 1 and each.name in self._listed_around(each.owner)
            for each in self.aliases.of(holder).holders
        )

    def _listed_around(self, class_id: str) -> frozenset[str]:
        classes = self.symbols.classes
        if not self._keep_listed or class_id not in classes:
            return frozenset()
        related = [classes[each] for each in self.hierarchy.relatives(class_id) if each in classes]
        is_kept = any(each.keeps_listed for each in related)
        return frozenset(name for each in related if is_kept for name in each.listed)

    @cached_property
    def _keep_listed(self) -> bool:
        return any(each.keeps_listed for each in self.symbols.classes.values())

    def _has_kept(self, average: Holder) -> bool:
        """Tell whether some program keeps the model in an average: `ema.module.load_state_dict(state)`."""
        names = self.aliases.of(average).holders
        return any(part.parted()[0] in names for part in self.kept)

    def is_handed_over(self, holder: Holder) -> bool:
        """Tell whether an object is given to code that is not known, and that may take care of its state."""
        kind = self.kinds.of(holder)
        if any(self._takes_over(each, kind) for each in self.mentions(holder)):
            return True
        owners = {each.owner for each in self.aliases.of(holder).holders if each.is_attribute}
        is_named = any(is_kept(each, kind) for each in self.aliases.index.mentions.get(holder.name, ()))
        return any(self._is_owner_handed_over(each, is_named) for each in sorted(owners))

    def _is_owner_handed_over(self, class_id: str, is_named: bool) -> bool:
        """Tell whether an object is given as a whole to code that is not known, where it is saved or restored.

        A callback that is told of an event takes what it names: nobody names what no code of the project keeps.
        """
        for each in self._of_instances(class_id):
            if self._takes_over(each):
                return True
            if self._is_given_unseen(each) and each.unit.identity in self._keepers:
                if is_named or not EVENTS.search(each.name):
                    return True
        return False

    def is_part_of_kept(self, holder: Holder, kind: str) -> bool:
        """Tell whether what holds an object is pickled, or is a module that saves it as a part of itself."""
        owners = {each.owner for each in self.aliases.of(holder).holders if each.is_attribute}
        return any(self._is_owner_kept(owner, kind, holder) for owner in sorted(owners))

    def _is_owner_kept(self, class_id: str, kind: str, holder: Holder) -> bool:
        kept = self._pickled_classes
        if self.hierarchy.is_module(class_id) and self._is_registered(holder, kind):
            if self.hierarchy.defines(class_id, "get_extra_state"):
                return True  # The state of a module with extra state is that of its parts, too.
            kept = kept | self._kept_classes
        return any(self.hierarchy.are_related(class_id, each) for each in kept)

    @cached_property
    def _pickled_classes(self) -> frozenset[str]:
        """Return the classes whose objects a payload holds as a whole."""
        return frozenset(
            self._classes_of(each for each in self._kept if each.how == "saved" and not each.name)
        )

    @cached_property
    def _kept_classes(self) -> frozenset[str]:
        """Return the classes of the objects whose state some program saves or restores."""
        return frozenset(self._classes_of(self._kept))

    def _classes_of(self, mentions: Iterable[Mention]) -> Iterator[str]:
        for each in mentions:
            value = (
                each.value.base
                if isinstance(each.value, Attr) and each.value.name == "__dict__"
                else each.value
            )
            class_id = self.contract.evaluator.class_of(value, CallContext(each.unit))
            if class_id in self.symbols.classes:
                yield class_id

    @cached_property
    def _kept(self) -> tuple[Mention, ...]:
        """Return all mentions that save or restore the state of an object."""
        mentions = (each for found in self.aliases.index.mentions.values() for each in found)
        return tuple(each for each in mentions if is_kept(each, "module"))

    def _is_registered(self, holder: Holder, kind: str) -> bool:
        return kind == "module" or any(map(self.hierarchy.is_module, self.kinds.classes(holder)))

    def _of_instances(self, class_id: str) -> Iterator[Mention]:
        """Yield what is done with the objects of a class as a whole."""
        yield from self.mentions(Holder(class_id, OWN))
        for each in self.aliases.instances(class_id):
            yield from self.mentions(each)

    @cached_property
    def _keepers(self) -> frozenset[str]:
        """Return the functions that themselves write a payload, or take keys out of one."""
        groups = self.contract.groups
        effects = (
            *groups.final[0],
            *groups.final[1],
            *(each for group in groups.hooks for each in group.effects),
        )
        return frozenset(each.source.identity for each in effects)

    def _is_given_unseen(self, mention: Mention) -> bool:
        """Tell whether an object is given to a function that is not followed."""
        if mention.how != "given" or mention.site is None:
            return False
        inner = self.aliases.entered(mention.site, mention.unit)
        return inner is None or not inner.function.contract

    def _takes_over(self, mention: Mention, kind: ObjectKind = "") -> bool:
        """Tell whether a call is one of code that is not known, and that may keep what it is given."""
        site, name = mention.site, mention.name
        if site is None or not self._is_given_unseen(mention):
            return False
        callee = site.call.callee
        path = self.symbols.resolve(callee.path, mention.unit.path) if isinstance(callee, Name) else name
        if self.known.hint("function", "sets up mixed precision").search(path):
            return False
        is_collected = isinstance(callee, Attr) and COLLECTS.search(name)
        if is_collected or KEEPS.search(name) or self.known.takes_over(name):
            # The network of a training goes by another name from then on, which is saved or not.
            return kind not in TRAINING or not self.is_never_saved(site.call, mention.unit)
        if not name[:1].isupper():
            return False
        return (
            path not in self.symbols.classes
            and not self.known.role_of(path)
            and not path.startswith("torch.")
        )

    def is_never_saved(self, call: Call, unit: FunctionRef) -> bool:
        """Tell whether a library takes objects over and saves them by a call that is nowhere: `accelerator.prepare`."""
        callee = call.callee
        if not isinstance(callee, Attr):
            return False
        owner = self.contract.evaluator.class_of(callee.base, CallContext(unit)) or last_name(callee.base)
        saver = self.known.savers.get(f"{owner}.{callee.name}", "")
        return saver != "" and saver not in self.aliases.index.calls

    def has_kept_parts(self, holder: Holder) -> bool:
        """Tell whether some program keeps parts of an object: networks in it, or what it was built of."""
        names = {each.path for each in self.aliases.of(holder).holders}
        classes = self.kinds.classes(holder)
        return any(self._is_part(each, names, classes) for each in self.kept)

    def _is_part(self, part: Holder, names: set[str], classes: set[str]) -> bool:
        if part.is_attribute and any(self.hierarchy.are_related(part.owner, each) for each in classes):
            return True
        return any(part.path.startswith(f"{name}.") or part.path.startswith(f"{name}[") for name in names)

    @cached_property
    def kept(self) -> frozenset[Holder]:
        """Return the names of all objects whose state some program saves or restores."""
        found = map(self.aliases.holder_of, self._kept)
        return frozenset(each for each in found if each is not None)
