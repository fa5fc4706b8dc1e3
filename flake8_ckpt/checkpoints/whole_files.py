"""Files of one checkpoint, each with the state of one object: those that load expects, and those that it leaves.

    torch.save(net.state_dict(), folder / "net.pt")          net.load_state_dict(torch.load(folder / "net.pt"))
    torch.save(adam.state_dict(), folder / "optim.pt")       adam.load_state_dict(torch.load(folder / "adam.pt"))

A file that both sides name ties the two sets; of the others, "adam.pt" is never written and "optim.pt" never read.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import cached_property

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.evidence import Evidence
from flake8_ckpt.checkpoints.mismatch import Missing
from flake8_ckpt.checkpoints.mismatch import Unrestored
from flake8_ckpt.checkpoints.object_kinds import TRAINING
from flake8_ckpt.checkpoints.pairing.file_names import are_different
from flake8_ckpt.checkpoints.pairing.file_names import file_name
from flake8_ckpt.checkpoints.pairing.file_names import folder_of
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.groups import CheckpointGroups
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.checkpoints.payload import is_state
from flake8_ckpt.checkpoints.payload import object_of
from flake8_ckpt.facts.key_text import ANY
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.value_names import path_text

# Calls that make a file of another one: `shutil.copyfile("last.pt", "best.pt")`, `path.rename("best.pt")`.
COPIES = frozenset(
    "copy copy2 copyfile copytree move rename replace symlink symlink_to link urlretrieve hf_hub_download".split()
)


@dataclass(frozen=True)
class Tied:
    """Files that a function reads from one folder, by their names, and the saves near by that write some of them."""

    loads: Mapping[str, list[LoadEffect]]
    paths: frozenset[str]
    saves: list[SaveEffect] = field(default_factory=list)

    def is_near(self, effect: SaveEffect | LoadEffect) -> bool:
        """Tell whether a save or a load is of the same files."""
        return not self.paths.isdisjoint((effect.unit.path, effect.source.path))


class WholeFiles:
    """Compares the names of the files that functions write and read."""

    def __init__(self, groups: CheckpointGroups, evidence: Evidence) -> None:
        self.groups = groups
        self.evidence = evidence
        self.saves, self.loads = groups.final

    @cached_property
    def missing(self) -> tuple[Missing, ...]:
        """Return the files that a load expects and no save writes."""
        found = [each for tied in self._tied for each in self._missing_in(tied)]
        return tuple({(each.keys, each.loads[0].location): each for each in found}.values())

    @cached_property
    def unrestored(self) -> tuple[Unrestored, ...]:
        """Return the files with state that a save writes and no load reads, though training goes on with the others.

        What load looks for under another name is missing, and told once.
        """
        return tuple(
            each
            for tied in self._tied
            if not any(True for _ in self._missing_in(tied))
            for each in self._unrestored_in(tied)
        )

    def _missing_in(self, tied: Tied) -> Iterator[Missing]:
        written = {file_name(each.file) for each in self.saves if _names(each.file) or tied.is_near(each)}
        lost = [name for name in tied.loads if all(are_different(name, each) for each in written)]
        given = {
            into for name in tied.loads.keys() - set(lost) for load in tied.loads[name] for into in load.into
        }
        for name in lost:
            found = tied.loads[name]
            is_other_form = all(given.issuperset(each.into) for each in found)
            if any(map(_restores, found)) and not is_other_form and name not in self._copied:
                taken = tuple(replace(each, keys=(name,), kind="required") for each in found)
                yield Missing(CheckpointGroup(tied.saves, found), (name,), taken, (tied.saves[0],))

    def _unrestored_in(self, tied: Tied) -> Iterator[Unrestored]:
        resumed = [each for found in tied.loads.values() for each in found if self._restores_training(each)]
        files = [(each, file_of(each.root)) for each in self.loads] if resumed else []
        read = {file_name(file) for each, file in files if _names(file) or tied.is_near(each)}
        for save in self._beside(tied.saves) if resumed else ():
            name = file_name(save.file)
            if name in self._copied or not is_state(save.payload):
                continue
            if all(are_different(name, each) for each in read) and not self._is_part(save):
                group = CheckpointGroup([save], resumed)
                yield Unrestored(group, (name,), (self._at_home(save, name),), (resumed[0],))

    def _is_part(self, save: SaveEffect) -> bool:
        """Tell whether a file holds a part of what another file holds: the backbone of a model, for use."""
        name = path_text(object_of(save.payload))
        others = [each for each in self.saves if each.unit.identity == save.unit.identity]
        wholes = {path_text(object_of(each.payload)) for each in others if is_state(each.payload)} - {""}
        if any(name.startswith(f"{each}.") for each in wholes):
            return True
        return self.evidence.is_covered(object_of(save.payload), save.unit, others)

    @cached_property
    def _tied(self) -> list[Tied]:
        """Return the files that a function reads from one folder, with the saves that write one of these."""
        read: dict[tuple[str, str, tuple[Value, ...]], dict[str, list[LoadEffect]]] = {}
        for load in self.loads:
            name, folder = file_name(file_of(load.root)), folder_of(file_of(load.root))
            if name and ANY not in name and folder:
                one = read.setdefault((load.unit.identity, load.source.identity, folder), {})
                one.setdefault(name, []).append(load)
        tied = (
            Tied(loads, _paths(each for found in loads.values() for each in found)) for loads in read.values()
        )
        found = []
        for each in tied:
            saves = [save for save in self.saves if each.is_near(save) and file_name(save.file) in each.loads]
            found += [replace(each, saves=saves)] if saves else []
        return found

    @cached_property
    def _copied(self) -> frozenset[str]:
        """Return the names of files that are not saved, but copied, linked or fetched."""
        sites = (site for unit in self.groups.units for site in unit.function.calls)
        files = (
            each for site in sites if called_name(site.call) in COPIES for each in arguments_of(site.call)
        )
        return frozenset(map(file_name, files))

    def _beside(self, saves: list[SaveEffect]) -> Iterator[SaveEffect]:
        """Yield the other files that the same function writes to the same folder, each once."""
        homes = {(each.unit.identity, each.source.identity, folder_of(each.file)) for each in saves}
        seen = {file_name(each.file) for each in saves}
        for save in self.saves:
            name = file_name(save.file)
            home = (save.unit.identity, save.source.identity, folder_of(save.file))
            if home in homes and name not in seen and ANY not in name:
                seen.add(name)
                yield save

    def _at_home(self, save: SaveEffect, name: str) -> SaveEffect:
        """Return a save at the statement that spells the name of its file."""
        spelled = any(file_name(each.file) == name for each in self.groups.payloads.seen_by_source(save))
        return replace(save, location=save.save_call) if spelled else save

    def _restores_training(self, load: LoadEffect) -> bool:
        return any(self.evidence.owner_kind(each, load.unit) in TRAINING for each in load.into)


def _names(file: Value) -> bool:
    return file_name(file) != ""


def _paths(effects: Iterable[LoadEffect]) -> frozenset[str]:
    return frozenset(path for each in effects for path in (each.unit.path, each.source.path))


def _restores(load: LoadEffect) -> bool:
    """Tell whether a load puts something into an object."""
    return any(isinstance(each, Attr) for each in load.into)
