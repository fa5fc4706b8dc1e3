"""Which saves and which loads speak of the same file.

A loaded value belongs first to its partners: the saves that name the same file, or whose functions are a pair with
those that load it (`save` and `load` of one class, `write_x` and `read_x` of one file). Where it has none, it
belongs to the saves near by, in files of which one imports the other, whose keys clearly are those that are read.
A save that belongs to no load in the first way is a rival of those with the same keys.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.pairing.file_names import file_name
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.group import Groups
from flake8_ckpt.checkpoints.pairing.group import LoadedPayload
from flake8_ckpt.checkpoints.pairing.group import by_root
from flake8_ckpt.checkpoints.pairing.group import unique
from flake8_ckpt.checkpoints.pairing.ties import SaveTexts
from flake8_ckpt.checkpoints.pairing.ties import Ties
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.checkpoints.summaries import Payloads
from flake8_ckpt.facts.values import Param
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import FunctionRef

# A package of many scripts with the same keys: beyond this it is not known which save a load belongs to.
MAX_NEAR = 256
# Saves of the same file that are looked at for one load, most of them of classes that are not related.
MAX_SCANNED = 2048
Saves = Mapping[str, list[SaveEffect]]


def final_effects(
    units: Iterable[FunctionRef], payloads: Payloads
) -> tuple[list[SaveEffect], list[LoadEffect]]:
    """Return the saves and loads that happen to files: those that no other function brings about.

    What a function gives back of a payload is no load where its callers are followed: they say what they take.
    """
    summaries = [payloads.summary(unit) for unit in units]
    saves = [each for summary in summaries for each in summary.saves]
    loads = [each for summary in summaries for each in summary.loads]
    entered = {name for summary in summaries for name in summary.entered}
    passed = {(each.save_call, name) for each in saves for name in each.call_chain}
    stepped = {(each.location, each.keys, name) for each in loads for name in each.call_chain}
    kept = [each for each in saves if (each.save_call, each.unit.identity) not in passed]
    taken = [
        each
        for each in loads
        if (each.location, each.keys, each.unit.identity) not in stepped
        and not isinstance(each.root, Param)
        and not (each.kind == "returned" and each.unit.identity in entered)
    ]
    return unique(kept), taken


def payload_parameters(units: Iterable[FunctionRef], payloads: Payloads) -> list[LoadEffect]:
    """Return what functions take out of a payload that they are given by nobody who is known: `resume(state)`."""
    summaries = [payloads.summary(unit) for unit in units]
    entered = {name for summary in summaries for name in summary.entered}
    return [
        each
        for summary in summaries
        for each in summary.loads
        if isinstance(each.root, Param) and each.keys and each.unit.identity not in entered
    ]


class FileGroups:
    """Puts saves and loads of files together."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.symbols = hierarchy.symbols
        self._texts = SaveTexts()
        self._imports: dict[str, set[str]] = {}

    def of(self, saves: list[SaveEffect], loads: list[LoadEffect]) -> list[CheckpointGroup]:
        """Return the groups of which both ends are known."""
        by_home, by_import = self._indexed(saves)
        found: list[LoadedPayload] = []
        alike: list[list[SaveEffect]] = []
        for loaded in by_root(loads):
            ties = Ties(self.hierarchy, loaded, self._texts)
            near = {id(each): each for each in self._near(loaded, by_home, by_import)}.values()
            own = [each for each in near if not ties.are_strangers(each)]
            found.append(_bound(loaded, own, ties))
            is_loaded = not isinstance(loaded[0].root, Param)
            alike.append([each for each in own if is_loaded and ties.is_alike(each)])
        bound = {id(save) for each in found for save in each.saves}
        groups = Groups()
        for each, others in zip(found, alike):
            each.by_keys = not each.saves
            each.rivals += [save for save in others if each.saves and id(save) not in bound]
            each.saves = each.saves or others
            _together(each, groups)
        return [group for group in groups.all(found) if group.saves and group.loads]

    def _indexed(self, saves: list[SaveEffect]) -> tuple[Saves, Saves]:
        """Return the saves by their files and classes, and by the files that theirs import."""
        by_home: dict[str, list[SaveEffect]] = defaultdict(list)
        by_import: dict[str, list[SaveEffect]] = defaultdict(list)
        for save in saves:
            for home in self._homes(save):
                by_home[home].append(save)
            for home in self._imported(save.unit.path):
                by_import[home].append(save)
        return by_home, by_import

    def _near(self, loaded: list[LoadEffect], by_home: Saves, by_import: Saves) -> Iterator[SaveEffect]:
        """Yield the saves of the same files and classes, and those of files where one imports the other.

        Where they are too many, there are none: which of them belongs to the load is not known.
        """
        own = sorted({home for load in loaded for home in self._homes(load)})
        others = sorted({home for load in loaded for home in self._imported(load.unit.path)} - {*own})
        near = [saves.get(home, []) for saves in (by_home, by_import) for home in own]
        near += [by_home.get(home, []) for home in others]
        if sum(map(len, near)) <= MAX_SCANNED:
            kept = list(self._that_may_belong([save for saves in near for save in saves], loaded))
            yield from kept if len(kept) <= MAX_NEAR else ()

    def _that_may_belong(self, saves: list[SaveEffect], loaded: list[LoadEffect]) -> Iterator[SaveEffect]:
        """Yield the saves but those of classes that have nothing to do with that of the load, nor the same file."""
        classes = {callee.class_id for each in loaded for callee in (each.unit, each.source)}
        if "" in classes:
            yield from saves
            return
        related = {each for class_id in classes for each in self.hierarchy.relatives(class_id)}
        names = {file_name(file_of(each.root)) for each in loaded} - {""}
        for save in saves:
            own = {save.unit.class_id, save.source.class_id}
            is_named = names and self._texts.name(save) in names
            if "" in own or own & related or is_named or self._texts.saves_another(save):
                yield save

    def _homes(self, effect: SaveEffect | LoadEffect) -> set[str]:
        """Return where partners of a save or load are looked for: its classes and its files."""
        found = set()
        for callee in (effect.unit, effect.source):
            found.add(callee.path)
            found.update(
                each for each in self.hierarchy.ancestors(callee.class_id) if each in self.symbols.classes
            )
        return found

    def _imported(self, path: str) -> set[str]:
        """Return the files of the project that a file imports something of."""
        if path not in self._imports:
            names = self.symbols.imports.get(path, {}).values()
            modules = (self.symbols.resolve(name, path).partition(":") for name in names)
            self._imports[path] = {module for module, colon, _ in modules if colon}
        return self._imports[path]


def _bound(loaded: list[LoadEffect], saves: list[SaveEffect], ties: Ties) -> LoadedPayload:
    """Return a loaded value with its partners: those that are so directly where there are any."""
    direct = [each for each in saves if ties.is_direct(each)]
    told = set(map(id, direct))
    others = [each for each in saves if id(each) not in told and ties.is_partner(each)]
    return LoadedPayload(loaded, direct or others, others if direct else [], by_helper=not direct)


def _together(loaded: LoadedPayload, groups: Groups) -> None:
    members: list[SaveEffect | LoadEffect] = [*loaded.loads, *loaded.saves, *loaded.rivals]
    for each in members:
        groups.same(loaded.loads[0], each)
