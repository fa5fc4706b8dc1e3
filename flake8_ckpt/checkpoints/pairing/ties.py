"""What ties a save to a load: that their functions are partners, that they name one file, or that their keys agree."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.pairing.file_names import are_different
from flake8_ckpt.checkpoints.pairing.file_names import are_of_two_formats
from flake8_ckpt.checkpoints.pairing.file_names import file_name
from flake8_ckpt.checkpoints.pairing.file_names import share_path
from flake8_ckpt.checkpoints.pairing.function_names import are_partners
from flake8_ckpt.checkpoints.pairing.resume_options import is_resume
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.checkpoints.payload import is_state
from flake8_ckpt.checkpoints.payload import object_of
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Self
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.value_names import last_name

# Keys that say nothing on which checkpoint it is.
COMMON_KEYS = frozenset("model state_dict net network weights epoch config args step optimizer".split())
# One key in common may be chance, unless it is all that is read and not a common one.
MIN_SHARED = 2
# A function by its file, its class ("" for none) and its name.
Step = tuple[str, str, str]


class SaveTexts:
    """Remembers what each save spells: the name of its file, its keys, and whose state it holds."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._keys: dict[int, frozenset[str]] = {}
        self._others: dict[int, bool] = {}

    def name(self, save: SaveEffect) -> str:
        """Return the name of the file."""
        if id(save) not in self._names:
            self._names[id(save)] = file_name(save.file)
        return self._names[id(save)]

    def keys(self, save: SaveEffect) -> frozenset[str]:
        """Return the keys of the payload itself."""
        if id(save) not in self._keys:
            self._keys[id(save)] = frozenset(contents(save.payload).slots)
        return self._keys[id(save)]

    def saves_another(self, save: SaveEffect) -> bool:
        """Tell whether a method saves parts of another object than its own."""
        if id(save) not in self._others:
            self._others[id(save)] = saves_another(save)
        return self._others[id(save)]


class Ties:
    """Asks the saves that stand near one loaded value what ties them to it."""

    def __init__(self, hierarchy: Hierarchy, loads: Sequence[LoadEffect], texts: SaveTexts) -> None:
        self.hierarchy = hierarchy
        self.texts = texts
        self.symbols = hierarchy.symbols
        self.loads = loads
        self.keys = {each.keys[0] for each in loads if each.keys}
        self.names = {file_name(file_of(each.root)) for each in loads}
        self.sources = dict.fromkeys(_step(each.source) for each in loads)
        self.steps = {step for each in loads for step in self._steps(each)}

    def are_strangers(self, save: SaveEffect) -> bool:
        """Tell whether a save writes another file than the one that is loaded, or one of another kind."""
        if all(are_of_two_formats(save, each) for each in self.loads):
            return True
        name = self.texts.name(save)
        return all(are_different(name, each) for each in self.names)

    def is_direct(self, save: SaveEffect) -> bool:
        """Tell whether a save belongs to the loaded value by its file, or by the very functions that hold the keys."""
        if any(share_path(save, each) for each in self.loads) or self._names_same_file(save):
            return True
        one = _step(save.source)
        return any(are_partners(one[2], each[2]) and self._may_be_pair(one, each) for each in self.sources)

    def is_partner(self, save: SaveEffect) -> bool:
        """Tell whether a function on the way of a save is the partner of one on the way of the loads."""
        return any(
            are_partners(one[2], other[2]) and self._may_be_pair(one, other)
            for one in dict.fromkeys(self._steps(save))
            for other in self.steps
        )

    def is_alike(self, save: SaveEffect) -> bool:
        """Tell whether the keys that are read are clearly those of a payload that is written near by."""
        load = self.loads[0]
        shared = self._shared(save)
        if save.unit.identity != load.unit.identity and shared and self._resumes_in_class(save):
            return True
        one, other = save.source.class_id, load.source.class_id
        if one and other and not self.hierarchy.are_related(one, other):
            return self.texts.saves_another(save) and self._are_same_parts(save)
        if save.unit.identity == load.unit.identity and (shared or self._resumes_bare(save)):
            return True
        return len(shared) >= MIN_SHARED or bool(shared - COMMON_KEYS) and shared == self.keys

    def _resumes_in_class(self, save: SaveEffect) -> bool:
        """Tell whether one class saves, by whatever it holds, and is asked to resume from what has these keys."""
        other = self.loads[0].unit.class_id
        classes = {step[1] for step in self._steps(save)} - {""}
        is_own = other and any(self.hierarchy.are_related(each, other) for each in classes)
        return bool(is_own) and self.keys <= self.texts.keys(save) and any(map(is_resume, self.loads))

    def _resumes_bare(self, save: SaveEffect) -> bool:
        """Tell whether a load restores the very object whose bare state is saved, or is called a resume of it."""
        if not is_state(save.payload):
            return False
        saved = object_of(save.payload)
        bare = [each for each in self.loads if not each.keys]
        if any(saved in map(_restored, each.into) for each in bare):
            return True
        part = last_name(saved)
        return bool(part) and any(is_resume(each) and part in map(_restored_part, each.into) for each in bare)

    def _names_same_file(self, save: SaveEffect) -> bool:
        """Tell whether the names of the two files are the same; in two modules one key must be, too."""
        name = self.texts.name(save)
        if not name or name not in self.names:
            return False
        return any(save.unit.path == each.unit.path for each in self.loads) or bool(self._shared(save))

    def _are_same_parts(self, save: SaveEffect) -> bool:
        """Tell whether the parts of an object that another one saves have the names of those that are restored."""
        held = {key: _part(slot.value) for key, slot in contents(save.payload).slots.items()}
        found = {
            each.keys[0]
            for each in self.loads
            if len(each.keys) == 1 and held.get(each.keys[0]) in set(map(_restored_part, each.into)) - {""}
        }
        return len(found) >= MIN_SHARED

    def _shared(self, save: SaveEffect) -> set[str]:
        return self.keys.intersection(self.texts.keys(save))

    def _may_be_pair(self, one: Step, other: Step) -> bool:
        """Tell whether two functions are of one class hierarchy, or plain functions of one file."""
        if one[1] or other[1]:
            return bool(one[1] and other[1]) and self.hierarchy.are_related(one[1], other[1])
        return one[0] == other[0]

    def _steps(self, effect: SaveEffect | LoadEffect) -> Iterator[Step]:
        """Yield the functions on the way to a file, from the outermost to the one that saves or loads."""
        yield _step(effect.unit)
        yield _step(effect.source)
        for identity in effect.call_chain:
            path, _, qualified = identity.partition(":")
            head, _, name = qualified.rpartition(".")
            yield path, f"{path}:{head}" if f"{path}:{head}" in self.symbols.classes else "", name


def saves_another(save: SaveEffect) -> bool:
    """Tell whether a method saves parts of another object than its own, as a callback does those of its trainer."""
    held = [object_of(value) for _, value in states_in(save.payload)]
    return bool(held) and all(isinstance(each, Attr) and not isinstance(each.base, Self) for each in held)


def _part(value: Value) -> str:
    return last_name(object_of(value) if is_state(value) else value)


def _restored_part(target: Value) -> str:
    return last_name(_restored(target))


def _restored(target: Value) -> Value:
    """Return the object that a load puts something into."""
    return target.base if isinstance(target, Attr) and target.name == "load_state_dict" else target


def _step(function: FunctionRef) -> Step:
    return function.path, function.class_id, function.function.name
