"""What is restored only under an `if` that asks whether a checkpoint holds a key, and is skipped in silence."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.facts.model import KeyRead
from flake8_ckpt.facts.model import Skip
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Spot
from flake8_ckpt.linking.functions import FunctionRef

# A place that writes a key, by the place that reads it.
Places = Mapping[tuple[Spot, str], Spot]


@dataclass(frozen=True)
class SkippedRestore:
    """An `if` that restores nothing where its keys are absent, with a place that writes each of them."""

    location: Spot
    written: Mapping[str, Spot]


def skipped_restores(contract: Contract) -> Iterator[SkippedRestore]:
    """Yield the guards around restores of keys that some save writes."""
    if not any(unit.function.skips for unit in contract.groups.units):
        return
    written = _written(contract)
    seen: set[Spot] = set()
    for unit in contract.groups.units:
        for skip in unit.function.skips:
            location = Spot(unit.path, skip.position)
            lost = dict(_lost(skip, unit, contract, written))
            if lost and location not in seen:
                seen.add(location)
                yield SkippedRestore(location, lost)


def _written(contract: Contract) -> Places:
    found: dict[tuple[Spot, str], Spot] = {}
    for group in (*contract.groups.files, *contract.groups.hooks):
        for load in group.loads if not _is_pickling(group) else ():
            if load.keys and (load.location, load.keys[-1]) not in found:
                for save in group.saves:
                    if _holds(save.payload, load.keys):
                        found[load.location, load.keys[-1]] = save.save_call
                        break
    return found


def _is_pickling(group: CheckpointGroup) -> bool:
    return group.hook is not None and group.hook.writer.name == "__getstate__"


def _holds(payload: Value, keys: tuple[str, ...]) -> bool:
    """Tell whether a payload holds a key, at least sometimes."""
    for key in keys:
        slots = contents(payload).slots
        if key not in slots:
            return False
        payload = slots[key].value
    return True


def _lost(skip: Skip, unit: FunctionRef, contract: Contract, written: Places) -> Iterator[tuple[str, Spot]]:
    """Yield the keys that are restored under an `if` alone, with a place that writes them."""
    for read in _restored_under(skip, unit, contract):
        place = written.get((Spot(unit.path, read.position), read.key))
        yield from ((read.key, place),) if place is not None else ()


def _restored_under(skip: Skip, unit: FunctionRef, contract: Contract) -> Iterator[KeyRead]:
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
    for load in _loads_of(read, unit, contract):
        into = tuple(
            target
            for name, target in zip(read.into, load.into)
            if name in changed or isinstance(name, Local) and _is_under(read.position, skip)
        )
        found = replace(load, into=into)
        if into and (contract.restores_state(found) or contract.evidence.is_normalizer_load(found)):
            return True
    return False


def _loads_of(read: KeyRead, unit: FunctionRef, contract: Contract) -> Iterator[LoadEffect]:
    for each in contract.groups.payloads.summary(unit).loads:
        if each.source == unit and each.location.position == read.position and each.keys[-1:] == (read.key,):
            yield each


def _changed(skip: Skip, unit: FunctionRef) -> Iterator[Value]:
    """Yield what is called or set under an `if`."""
    function = unit.function
    yield from (site.call.callee for site in function.calls if _is_under(site.position, skip))
    yield from (store.target for store in function.stores if _is_under(store.position, skip))
    yield from (Attr(SELF, write.attr) for write in function.writes if _is_under(write.position, skip))
