"""What is restored under an `if` that asks whether a checkpoint holds a key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.facts.model import KeyRead
from flake8_ckpt.facts.model import Skip
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Position
from flake8_ckpt.linking.functions import FunctionRef


def restored_under(skip: Skip, unit: FunctionRef, contract: Contract) -> Iterator[KeyRead]:
    """Yield the reads which an `if` asks for, of keys whose value goes into state under it."""
    for index in skip.reads:
        asked = unit.function.key_reads[index]
        if any(_restores(each, skip, unit, contract) for each in _reads_of(asked, skip, unit)):
            yield asked


def _reads_of(asked: KeyRead, skip: Skip, unit: FunctionRef) -> Iterator[KeyRead]:
    """Yield the reads that give the value of a key which a test asks for: its own, and those under the `if`."""
    for read in unit.function.key_reads:
        same = read.key == asked.key and read.base == asked.base
        if read is asked or same and _is_under(read.position, skip):
            yield read


def _is_under(position: Position, skip: Skip) -> bool:
    return skip.position.line <= position.line <= skip.position.end_line


def _restores(read: KeyRead, skip: Skip, unit: FunctionRef, contract: Contract) -> bool:
    """Tell whether what is read goes into state under the `if` itself, and not only after it."""
    changed = set(_changed(skip, unit))
    for reading in _readings_of(read, unit, contract):
        into = tuple(
            target
            for name, target in zip(read.into, reading.into)
            if name in changed or isinstance(name, Local) and _is_under(read.position, skip)
        )
        found = replace(reading, into=into)
        if into and (contract.restores_state(found) or contract.evidence.is_normalizer_reading(found)):
            return True
    return False


def _readings_of(read: KeyRead, unit: FunctionRef, contract: Contract) -> Iterator[LoadEffect]:
    for each in contract.families.payloads.summary(unit).readings:
        if each.source == unit and each.location.position == read.position and each.keys[-1:] == (read.key,):
            yield each


def _changed(skip: Skip, unit: FunctionRef) -> Iterator[Value]:
    """Yield what is called or set under an `if`."""
    function = unit.function
    yield from (site.call.callee for site in function.calls if _is_under(site.position, skip))
    yield from (store.target for store in function.stores if _is_under(store.position, skip))
    yield from (Attr(SELF, write.attr) for write in function.writes if _is_under(write.position, skip))
