"""Which saves and which loads speak of the same file.

They are put together where they are partners in one class (`save` and `load`, `get_x` and `set_x`), partners by
name in one file, share the value of the file's path, or where the keys of the two overlap clearly in files of
which one imports the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.pairing.file_names import share_file
from flake8_ckpt.checkpoints.pairing.function_names import are_partners
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.group import Groups
from flake8_ckpt.checkpoints.pairing.group import by_root
from flake8_ckpt.checkpoints.pairing.group import unique
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.summaries import Payloads
from flake8_ckpt.facts.values import Param
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import FunctionRef

# A package of many scripts with the same keys: beyond this it is not known which save a load belongs to.
MAX_NEAR = 256
# Keys that say nothing on which checkpoint it is.
COMMON_KEYS = frozenset("model state_dict net network weights epoch config args step optimizer".split())
# One key in common may be chance, unless it is all that is read and not a common one.
MIN_SHARED = 2
Saves = Mapping[str, list[SaveEffect]]
# A function by its file, its class ("" for none) and its name.
Step = tuple[str, str, str]


def final_effects(
    units: Iterable[FunctionRef], payloads: Payloads
) -> tuple[list[SaveEffect], list[LoadEffect]]:
    """Return the saves and loads that happen to files: those that no other function brings about."""
    summaries = [payloads.summary(unit) for unit in units]
    saves = [each for summary in summaries for each in summary.saves]
    loads = [each for summary in summaries for each in summary.loads]
    passed = {(each.save_call, name) for each in saves for name in each.call_chain}
    stepped = {(each.location, each.keys, name) for each in loads for name in each.call_chain}
    kept = [each for each in saves if (each.save_call, each.unit.identity) not in passed]
    taken = [each for each in loads if (each.location, each.keys, each.unit.identity) not in stepped]
    return unique(kept), [each for each in taken if not isinstance(each.root, Param)]


class FileGroups:
    """Puts saves and loads of files together."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        self.symbols = hierarchy.symbols
        self._imports: dict[str, set[str]] = {}

    def of(self, saves: list[SaveEffect], loads: list[LoadEffect]) -> list[CheckpointGroup]:
        """Return the groups of which both ends are known."""
        groups = Groups()
        by_home, by_import = self._indexed(saves)
        for loaded in by_root(loads):
            near = {id(each): each for each in self._near(loaded, by_home, by_import)}
            for load in loaded:
                groups.same(loaded[0], load)
            for save in self._partners(list(near.values()), loaded):
                groups.same(save, loaded[0])
        return [group for group in groups.all() if group.saves and group.loads]

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

    def _partners(self, saves: list[SaveEffect], loaded: list[LoadEffect]) -> Iterator[SaveEffect]:
        """Yield those of some saves that speak of the same checkpoint as the loads of one loaded value."""
        keys = {each.keys[0] for each in loaded if each.keys}
        steps = {step for each in loaded for step in self._steps(each)}
        for save in saves:
            is_same = self._overlap(save, loaded[0], keys)
            is_same = is_same or any(share_file(save, each) for each in loaded)
            if is_same or self._are_paired(save, steps):
                yield save

    def _near(self, loaded: list[LoadEffect], by_home: Saves, by_import: Saves) -> Iterator[SaveEffect]:
        """Yield the saves of the same files and classes, and those of files where one imports the other.

        Where they are too many, there are none: which of them belongs to the load is not known.
        """
        own = sorted({home for load in loaded for home in self._homes(load)})
        others = sorted({home for load in loaded for home in self._imported(load.unit.path)} - {*own})
        near = [saves.get(home, []) for saves in (by_home, by_import) for home in own]
        near += [by_home.get(home, []) for home in others]
        if sum(map(len, near)) <= MAX_NEAR:
            yield from (save for saves in near for save in saves)

    def _overlap(self, save: SaveEffect, load: LoadEffect, keys: set[str]) -> bool:
        """Tell whether the keys that are read are clearly those of a payload that is written near by."""
        shared = keys & set(contents(save.payload).slots)
        one, other = save.source.class_id, load.source.class_id
        if one and other and not self.hierarchy.are_related(one, other):
            return False
        if save.unit.identity == load.unit.identity and shared:
            return True
        return len(shared) >= MIN_SHARED or bool(shared - COMMON_KEYS) and shared == keys

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

    def _are_paired(self, save: SaveEffect, steps: set[Step]) -> bool:
        """Tell whether a function on the way of a save is the partner of one of the steps of a load."""
        return any(
            are_partners(one[2], other[2]) and self._may_be_pair(one, other)
            for one in dict.fromkeys(self._steps(save))
            for other in steps
        )

    def _may_be_pair(self, one: Step, other: Step) -> bool:
        """Tell whether two functions are of one class hierarchy, or plain functions of one file."""
        if one[1] or other[1]:
            return bool(one[1] and other[1]) and self.hierarchy.are_related(one[1], other[1])
        return one[0] == other[0]

    def _steps(self, effect: SaveEffect | LoadEffect) -> Iterator[Step]:
        """Yield the functions on the way to a file, from the outermost to the one that saves or loads."""
        for callee in (effect.unit, effect.source):
            yield callee.path, callee.class_id, callee.function.name
        for identity in effect.call_chain:
            path, _, qualified = identity.partition(":")
            head, _, name = qualified.rpartition(".")
            yield path, f"{path}:{head}" if f"{path}:{head}" in self.symbols.classes else "", name
