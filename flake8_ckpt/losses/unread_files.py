"""State of optimizers and the like that has a file of its own, which no load reads though the network is restored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flake8_ckpt.checkpoints.effects import SaveEffect
from flake8_ckpt.checkpoints.object_kinds import TRAINING
from flake8_ckpt.checkpoints.pairing.file_names import file_name
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.ledger.mentions import Mention
from flake8_ckpt.losses.ledger.mentions import branches_of
from flake8_ckpt.losses.unsaved.save_points import STEPS


@dataclass(frozen=True)
class UnreadFile:
    """The state that a file holds, the file's name, where it is saved, and where its owner restores something else."""

    name: str
    file: str
    location: Spot
    restore: Spot


class UnreadFiles:
    """Asks the saves of one object's state each."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.final = ledger.contract.groups.final

    def all(self) -> Iterator[UnreadFile]:
        """Yield each object once."""
        seen: set[Holder] = set()
        for save in self.final[0]:
            name = file_name(save.file)
            for holder in self._holders(save) if name and not self._is_read(name) else ():
                restores = self._restored_beside(holder) if holder not in seen else []
                if restores and self._is_lost(holder):
                    seen.add(holder)
                    yield UnreadFile(holder.path, name, save.save_call, restores[0].location)

    def _holders(self, save: SaveEffect) -> Iterator[Holder]:
        """Yield the object whose state is all that a save writes, or each that it may be."""
        callee = save.payload.callee if isinstance(save.payload, Call) else None
        if isinstance(callee, Attr) and callee.name == "state_dict":
            for value in branches_of(callee.base):
                holder = self.ledger.aliases.holders.of(*self.ledger.aliases.index.at_home(value, save))
                if holder is not None and self._is_of_source(holder, save):
                    yield holder

    def _is_of_source(self, holder: Holder, save: SaveEffect) -> bool:
        """Tell whether an attribute is one of the class whose method saves, where objects of several classes may be."""
        source = save.source.class_id
        return not (source and holder.is_attribute) or self.ledger.hierarchy.are_related(holder.owner, source)

    def _is_read(self, name: str) -> bool:
        return any(_may_end(name, each) or _may_end(each, name) for each in self._read)

    @cached_property
    def _read(self) -> frozenset[str]:
        """Return the names of the files that are read."""
        return frozenset(file_name(file_of(load.root)) for load in self.final[1]) - {""}

    def _is_lost(self, holder: Holder) -> bool:
        ledger = self.ledger
        if ledger.kind_of(holder) not in TRAINING or not ledger.is_updated(holder, ledger.kind_of(holder)):
            return False
        return not any(map(_is_restored, ledger.mentions(holder))) and not ledger.is_handed_over(holder)

    def _restored_beside(self, holder: Holder) -> list[Mention]:
        """Return where something is restored to be trained on that the owner of an object saves, too."""
        hierarchy = self.ledger.hierarchy
        return [
            mention
            for each, mention in self._restored
            if each != holder
            and _trains(mention.unit)
            and (
                each.owner == holder.owner
                or each.owner in hierarchy.symbols.classes
                and hierarchy.are_related(each.owner, holder.owner)
            )
        ]

    @cached_property
    def _restored(self) -> list[tuple[Holder, Mention]]:
        """Return the objects that are saved and restored, each with where it is restored."""
        mentions = [each for found in self.ledger.aliases.index.mentions.values() for each in found]
        named = [(self.ledger.aliases.holder_of(each), each) for each in mentions if each.how == "restored"]
        saved = {self.ledger.aliases.holder_of(each) for each in mentions if each.how == "saved"}
        return [(holder, each) for holder, each in named if holder is not None and holder in saved]


def _trains(unit: FunctionRef) -> bool:
    """Tell whether training goes on where something is restored: any other method may restore weights for use.

    A constructor that sets networks to evaluation does.
    """
    called = {called_name(site.call) for site in unit.function.calls}
    return not called.isdisjoint(STEPS) or unit.name == "__init__" and "eval" not in called


def _may_end(name: str, end: str) -> bool:
    """Tell whether a name is another one, or ends with it where that is what follows a computed part: `_optim.pt`."""
    return name == end or end[0] in "_-." and name.endswith(end)


def _is_restored(mention: Mention) -> bool:
    return mention.how == "restored" or mention.how == "called" and "load" in mention.name
