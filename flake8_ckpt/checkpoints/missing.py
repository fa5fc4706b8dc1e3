"""Keys that load reads and no save of the same checkpoint writes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.evidence import Evidence
from flake8_ckpt.checkpoints.formats import TAKEN
from flake8_ckpt.checkpoints.formats import converts
from flake8_ckpt.checkpoints.formats import has_alternative
from flake8_ckpt.checkpoints.formats import is_of_others
from flake8_ckpt.checkpoints.formats import is_renamed
from flake8_ckpt.checkpoints.formats import is_same_format
from flake8_ckpt.checkpoints.formats import is_told_apart
from flake8_ckpt.checkpoints.mismatch import Missing
from flake8_ckpt.checkpoints.mismatch import is_framework_hook
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.group import LoadedPayload
from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.checkpoints.payload import is_given
from flake8_ckpt.checkpoints.payload import missing_depth
from flake8_ckpt.facts.key_text import is_computed
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Param
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import CallContext


class MissingKeys:
    """Finds the keys that are read and never written."""

    def __init__(self, groups: CheckpointGroups, evidence: Evidence) -> None:
        self.groups = groups
        self.hierarchy = groups.hierarchy
        self.evaluator = groups.evaluator
        self.evidence = evidence

    def all(self) -> tuple[Missing, ...]:
        """Return the keys that are read and never written, group by group."""
        in_files = [each for group in self.groups.files for each in self._missing_in(group)]
        in_hooks = _innermost([each for group in self.groups.hooks for each in self._missing_in(group)])
        told = {each.location for missing in in_hooks for each in missing.loads}
        kept = [each for each in in_files if not any(load.location in told for load in each.loads)]
        return (*kept, *(each for each in in_hooks if not self._is_added_later(each)))

    def _is_added_later(self, missing: Missing) -> bool:
        """Tell whether a key that a hook leaves out is known to be added on the way to the file."""
        locations = {each.location for each in missing.loads}
        return any(
            is_given(load.keys, save.payload)
            for group in self.groups.files
            for loaded in group.loaded
            for load in loaded.loads
            if load.location in locations
            for save in self._of_hook(missing, loaded)
        )

    def _of_hook(self, missing: Missing, loaded: LoadedPayload) -> list[SaveEffect]:
        """Return the saves of a file that hold what a hook gives; all, where it is not known which do."""
        hook = missing.group.hook
        if hook is None:
            return loaded.saves
        own = [
            each for each in loaded.saves if hook.writer.identity in (each.source.identity, *each.call_chain)
        ]
        own += [each for each in loaded.saves if each.unit.class_id == hook.class_id and each not in own]
        return own or loaded.saves

    def _missing_in(self, group: CheckpointGroup) -> Iterator[Missing]:
        """Yield each key that is lost in a group once, with all loads that look for it."""
        found: dict[tuple[str, ...], Missing] = {}
        for loaded in group.loaded if group.saves else ():
            for keys, loads in self._ungiven(loaded, group).items():
                if not self._is_excused(keys, loads, loaded):
                    found[keys] = _merged(
                        Missing(group, keys, tuple(loads), tuple(loaded.saves)), found.get(keys)
                    )
        yield from found.values()
        for loaded in group.loaded:
            yield from self._left_out_once(loaded, group)

    def _ungiven(
        self, loaded: LoadedPayload, group: CheckpointGroup
    ) -> dict[tuple[str, ...], list[LoadEffect]]:
        """Return the loads of what no save gives, by the path to the first key that is missing."""
        lost: dict[tuple[str, ...], list[LoadEffect]] = {}
        is_known = is_same_format(loaded)
        for load in loaded.loads:
            is_known_here = is_known or not is_framework_hook(group) and is_renamed(load, loaded)
            if is_known_here and self._is_asked(load, loaded, group):
                depth = missing_depth(load.keys, loaded.saves)
                if depth and not any(is_given(load.keys[:depth], each.payload) for each in loaded.rivals):
                    lost.setdefault(load.keys[:depth], []).append(load)
        return lost

    def _is_asked(self, load: LoadEffect, loaded: LoadedPayload, group: CheckpointGroup) -> bool:
        """Tell whether a load takes a known key out of a payload that the saves of its group give."""
        known = self.groups.symbols.known
        writer = group.hook.writer.function.name if group.hook is not None else ""
        if not load.keys or load.keys[0] in known.hook_keys.get(writer, ()):
            return False
        if any(converts(each, load, known) for each in loaded.saves):
            return False
        if group.hook is None and self._is_given_by_partner(load, loaded):
            return False
        if is_of_nothing(load):
            return False
        return load.kind in TAKEN and not any(map(is_computed, load.keys))

    def _is_excused(self, keys: tuple[str, ...], loads: list[LoadEffect], loaded: LoadedPayload) -> bool:
        """Tell whether load does without a key, or a call that is not followed may give it."""
        if all(each.kind != "required" and self._is_saved_whole(each, loaded) for each in loads):
            if not self.evidence.stops_restore(keys[-1], loaded):
                return True
        exact = [each for each in loaded.loads if each.keys and each.keys[-1] == keys[-1]]
        if has_alternative(keys, loads, loaded) or is_told_apart(keys[-1], exact, loaded):
            return True
        if is_of_others(keys[0], loaded, self.groups.final[0]) or _has_other_source(keys, loads):
            return True
        return any(self._is_passed_elsewhere(keys, each) for each in loaded.saves)

    def _left_out_once(self, loaded: LoadedPayload, group: CheckpointGroup) -> Iterator[Missing]:
        """Yield the keys that some saves give and another, to the very file that is loaded, does not."""
        are_known = not any(contents(each.payload).open for each in loaded.saves)
        for save in loaded.saves if are_known and len(loaded.saves) > 1 else ():
            loads = [each for each in loaded.loads if file_of(each.root) == save.file]
            for load in loads if isinstance(save.file, (Const, Param)) else ():
                depth = missing_depth(load.keys, [save])
                if (
                    depth
                    and not missing_depth(load.keys, loaded.saves)
                    and self.evidence.is_normalizer_load(load)
                ):
                    yield Missing(group, load.keys[:depth], (load,), (save,))

    def _is_passed_elsewhere(self, keys: tuple[str, ...], save: SaveEffect) -> bool:
        """Tell whether a call that cannot be followed gives a wrapper by name what it may write under a key."""
        if not any(self._given_somewhere & self._options(each) for each in save.call_chain):
            return False
        return any(not missing_depth(keys, [each]) for each in self.groups.payloads.seen_by_source(save))

    @cached_property
    def _given_somewhere(self) -> frozenset[tuple[str, str]]:
        """Return the methods that are called on unknown objects, each with a keyword that it is given."""
        return frozenset(
            (site.call.callee.name, keyword)
            for unit in self.groups.units
            for site in unit.function.calls
            if isinstance(site.call.callee, Attr)
            for keyword, _ in site.call.keywords
            if self.evaluator.callee_of(site.call, CallContext(unit)) is None
        )

    def _options(self, identity: str) -> set[tuple[str, str]]:
        """Return the name of a function with each of its parameters."""
        owner, _, name = identity.rpartition(".")
        symbols = self.hierarchy.symbols
        function = symbols.functions.get(identity) or self.hierarchy.methods(owner).get(name)
        return {(name, each.name) for each in function.parameters} if function is not None else set()

    def _is_given_by_partner(self, load: LoadEffect, loaded: LoadedPayload) -> bool:
        """Tell whether a key is read by a hook whose own partner gives it, and which no save of the group asks."""
        hook = self._by_reader.get(load.source.identity)
        if hook is None or hook.hook is None or not hook.saves:
            return False
        writer = hook.hook.writer.identity
        asked = any(writer in (each.source.identity, *each.call_chain) for each in loaded.saves)
        return not asked and not missing_depth(load.keys, hook.saves)

    @cached_property
    def _by_reader(self) -> dict[str, CheckpointGroup]:
        """Return the groups of exact pairs of hooks by the hook that reads."""
        hooks = (each for each in self.groups.hooks if is_framework_hook(each))
        return {each.hook.reader.identity: each for each in hooks if each.hook is not None}

    def _is_saved_whole(self, load: LoadEffect, loaded: LoadedPayload) -> bool:
        """Tell whether what an optional key restores is part of an object that is saved as a whole."""
        targets = [target.base if isinstance(target, Attr) else target for target in load.into]
        return not targets or any(
            self.evidence.is_covered(target, load.unit, loaded.saves) for target in targets
        )


def is_of_nothing(load: LoadEffect) -> bool:
    """Tell whether a load is for an argument that is left out: with no scheduler none is restored."""
    return bool(load.into) and all(isinstance(each, Attr) and each.base == Const(None) for each in load.into)


def _has_other_source(keys: tuple[str, ...], loads: list[LoadEffect]) -> bool:
    """Tell whether all that is taken out of what a key holds may come from another file as well."""
    inner = [each for each in loads if each.keys != keys]
    return bool(inner) and all(each.has_other_source for each in inner)


def _merged(missing: Missing, other: Missing | None) -> Missing:
    """Return what two loaded values of a group miss under one key as one."""
    if other is None:
        return missing
    saves = {id(each): each for each in (*other.saves, *missing.saves)}
    return Missing(missing.group, missing.keys, (*other.loads, *missing.loads), tuple(saves.values()))


def _innermost(found: list[Missing]) -> list[Missing]:
    """Leave out what a hook misses only because a hook that it calls does."""
    nearest: dict[Spot, int] = {}
    for each in found:
        for load in each.loads:
            nearest[load.location] = min(
                len(load.call_chain), nearest.get(load.location, len(load.call_chain))
            )
    return [each for each in found if any(len(one.call_chain) == nearest[one.location] for one in each.loads)]
