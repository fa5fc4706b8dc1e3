"""Pairs of methods that a framework calls: what one returns, its partner is given."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.hooks.values import asks_base
from flake8_ckpt.checkpoints.pairing.function_names import SETTER
from flake8_ckpt.checkpoints.pairing.function_names import are_partners
from flake8_ckpt.checkpoints.pairing.function_names import is_hook_name
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.group import Hook
from flake8_ckpt.checkpoints.pairing.group import LoadedPayload
from flake8_ckpt.checkpoints.pairing.group import is_exact_pair
from flake8_ckpt.checkpoints.pairing.participants import Participants
from flake8_ckpt.checkpoints.pairing.round_trips import gives_mapping
from flake8_ckpt.checkpoints.pairing.round_trips import is_round_trip
from flake8_ckpt.checkpoints.pairing.round_trips import takes_mapping
from flake8_ckpt.checkpoints.summaries import Payloads
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.symbolic_values import SymbolicEvaluator

# A class with more methods that give or take mappings, none of which is called as a hook, keeps no state in them.
MAX_TRIED = 64


class HookGroups:
    """Finds the pairs of hooks of a project."""

    def __init__(self, participants: Participants, evaluator: SymbolicEvaluator, payloads: Payloads) -> None:
        self.participants = participants
        self.evaluator = evaluator
        self.payloads = payloads

    def all(self) -> list[CheckpointGroup]:
        """Return the groups of all pairs; one that several classes share is that of the class that defines it."""
        found: dict[tuple[str, str], CheckpointGroup] = {}
        for class_id in self.participants.classes:
            for hook in self._best_hooks(class_id):
                key = (hook.writer.identity, hook.reader.identity)
                if key not in found or hook.class_id == hook.writer.owner:
                    found[key] = self._hook_group(hook)
            for hook, group in self._round_trips(class_id):
                key = (hook.writer.identity, hook.reader.identity)
                if key not in found:
                    found[key] = group
        return list(found.values())

    def _round_trips(self, class_id: str) -> Iterator[tuple[Hook, CheckpointGroup]]:
        """Yield the pairs that no name tells, by the attributes that come back from where they went."""
        methods = [
            method_ref(owner, method, class_id) for owner, method in self.participants.methods(class_id)
        ]
        paired = {each.identity for hook in self._hooks_of(class_id) for each in (hook.writer, hook.reader)}
        alone = [each for each in methods if each.identity not in paired]
        readers = [each for each in alone if takes_mapping(each.function)]
        writers = [each for each in alone if gives_mapping(each.function)] if readers else []
        if len(writers) * len(readers) > MAX_TRIED:
            return
        for writer in writers:
            for reader in readers:
                group = self._hook_group(Hook(class_id, writer, reader))
                if is_round_trip(group.saves, group.loads):
                    yield Hook(class_id, writer, reader), group

    def _hooks_of(self, class_id: str) -> Iterator[Hook]:
        methods = {
            method.name: method_ref(owner, method, class_id)
            for owner, method in self.participants.methods(class_id)
        }
        readers = [name for name in methods if is_hook_name(name) or name.endswith(SETTER)]
        for name, writer in methods.items() if readers else ():
            for other in readers:
                if are_partners(name, other):
                    reader = methods[other]
                    yield Hook(class_id, writer, reader)

    def _best_hooks(self, class_id: str) -> Iterator[Hook]:
        """Yield the pairs of a class; a partner of exactly the same name is preferred to one that is alike."""
        found = list(self._hooks_of(class_id))
        exact = {each.reader.identity for each in found if is_exact_pair(each)}
        exact |= {each.writer.identity for each in found if is_exact_pair(each)}
        for each in found:
            if is_exact_pair(each) or each.reader.identity not in exact and each.writer.identity not in exact:
                yield each

    def _hook_group(self, hook: Hook) -> CheckpointGroup:
        returned = self._returned(hook.writer)
        parameters = [each.name for each in hook.reader.function.parameters[1:]]
        loads = [
            each
            for each in self.payloads.summary(hook.reader).loads
            if isinstance(each.root, Param) and each.root.name in parameters
        ]
        return CheckpointGroup(returned, loads, hook, [LoadedPayload(loads, returned)])

    def _returned(self, writer: FunctionRef) -> list[SaveEffect]:
        """Return what a hook gives back, as saves, or where it returns nothing, what it adds to its argument."""
        found = []
        for store in writer.function.stores:
            if store.target == Name("return"):
                location = Spot(writer.path, store.position)
                payload = self.evaluator.expand(store.value, CallContext(writer))
                found.append(SaveEffect(payload, Const(None), location, location, writer, writer))
        return found or self._filled_in(writer)

    def _filled_in(self, writer: FunctionRef) -> list[SaveEffect]:
        """Return the keys that a hook adds to the mapping it is given, as one save."""
        names = [each.name for each in writer.function.parameters[1:]]
        if not names:
            return []
        target = Param(names[-1] if writer.name == "on_save_checkpoint" else names[0])
        added = self.evaluator.added_to(writer.function, target)
        places = [each.position for each in writer.function.stores if isinstance(each.target, Item)]
        if not added or not places:
            return []
        context = CallContext(writer)
        fields = tuple(
            Field(each.key, self.evaluator.expand(each.value, context), each.always) for each in added
        )
        location = Spot(writer.path, places[-1])
        payload = Record(tuple(each for each in fields if each.key), not all(each.key for each in fields))
        if any(target in site.call.args and not asks_base(site.call) for site in writer.function.calls):
            payload = Record(payload.fields, True)
        return [SaveEffect(payload, Const(None), location, location, writer, writer)]
