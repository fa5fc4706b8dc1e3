"""Objects that a class keeps beside what a library saves of it: plain attributes of a `LightningModule`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import Call
from flake8_ckpt.frameworks.records import LoadCall
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import followed_functions
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.losses.ledger.ledger import Ledger
from flake8_ckpt.losses.unsaved.unsaved_object import UnsavedObject

LOST = frozenset(["normalizer", "ema"])


class UnsavedBesideLibrary:
    """Asks the classes that a library saves by itself, in projects that let it resume."""

    def __init__(self, contract: Contract, ledger: Ledger) -> None:
        self.hierarchy = contract.hierarchy
        self.symbols = contract.hierarchy.symbols
        self.known = self.symbols.known
        self.evaluator = contract.evaluator
        self.ledger = ledger

    def all(self) -> Iterator[UnsavedObject]:
        """Yield the attributes with state of their own that no hook of the class hands to the library."""
        for class_id in self.symbols.classes:
            library = self._library_of(class_id)
            if library and not is_test(class_id.partition(":")[0]) and any(self._lost_in(class_id)):
                if library in self._resumed:
                    yield from self._lost_in(class_id)

    def _library_of(self, class_id: str) -> str:
        """Return the library that saves the objects of a class without its help, "" where the class has a hook."""
        keepers = (each for each in self.hierarchy.ancestors(class_id) if each in self.known.kept_classes)
        library = next(keepers, "").partition(".")[0]
        if library and any(self.hierarchy.defines(class_id, name) for name in self.known.save_hooks):
            return ""
        return library

    @cached_property
    def _resumed(self) -> frozenset[str]:
        """Return the libraries that some function asks to go on from a checkpoint."""
        found: set[str] = set()
        for unit in followed_functions(self.symbols):
            for site in unit.function.calls:
                name = self.evaluator.library_call(site.call, CallContext(unit))
                record = self.known.loads.get(name)
                if record is not None and record.fills and _names_file(site.call, record):
                    found.add(name.partition(".")[0])
        return frozenset(found)

    def _lost_in(self, class_id: str) -> Iterator[UnsavedObject]:
        for holder, made in self.ledger.attributes(class_id):
            kind = self.ledger.kind_of(holder)
            if (
                kind in LOST
                and self.ledger.is_updated(holder, kind)
                and not self.ledger.is_kept(holder, kind)
            ):
                if not any(map(self.hierarchy.is_module, self.ledger.kinds.classes(holder))):
                    yield UnsavedObject(holder.path, kind, made, None)


def _names_file(call: Call, record: LoadCall) -> bool:
    """Tell whether a call says from which file to go on: `trainer.fit(model, ckpt_path=path)`."""
    by_name = dict(call.keywords).get(record.file)
    if by_name is not None:
        return by_name != NONE
    return record.file_at is not None and len(call.args) > record.file_at
