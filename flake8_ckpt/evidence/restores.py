"""What a load did not bring back, or brought back in vain."""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.evidence.journals import Journal
from flake8_ckpt.evidence.journals import LeafFacts
from flake8_ckpt.evidence.journals import ObjectFacts
from flake8_ckpt.evidence.journals import Replacement
from flake8_ckpt.evidence.judge import Lost
from flake8_ckpt.evidence.judge import Run
from flake8_ckpt.evidence.naming import Line
from flake8_ckpt.evidence.naming import attribute_line
from flake8_ckpt.evidence.naming import chain_of
from flake8_ckpt.evidence.naming import object_line
from flake8_ckpt.evidence.naming import owner_name


def judge_restores(run: Run) -> Iterator[Lost]:
    """Yield what was in a file that the program wrote itself, and is not in the program that went on from it."""
    for journal in run.journals:
        for load in journal.resumptions:
            run.sources.file(load.place[0])
            if run.is_own(load):
                keys = [key for key in load.unrestored if not run.sources.reads_key(key)]
                for key in keys:
                    yield Lost("CKP203", "unrestored", load.place, "", "the loaded file", key)
        for replacement in journal.replacements:
            yield from _replaced(run, journal, replacement)
        yield from _idle_optimizers(run, journal)


def _replaced(run: Run, journal: Journal, found: Replacement) -> Iterator[Lost]:
    holder = journal.objects.get(found.object) if found.object is not None else None
    name = found.name.rpartition(".")[2]
    # A module of a library that is made anew: no line tells, but that where its holder makes it.
    is_whole = not found.places and not found.before and holder is not None
    line = attribute_line(holder, name, run.sources) if is_whole and holder else _overwriting_line(run, found)
    if line is None:
        return
    owner = owner_name(chain_of(holder, journal.objects)) if holder is not None else found.cls
    leaf = LeafFacts(("tensor", "tensor"), "", 0, found.before, found.after, True, 2, 2)
    yield Lost("CKP205", "replaced", line, found.cls, owner, name, leaf)


def _overwriting_line(run: Run, found: Replacement) -> Line | None:
    """Return the line that overwrote a value; None where each computes the new value from the old."""
    name = found.name.rpartition(".")[2]
    if found.places:
        return next((place for place in found.places if not _is_carried(run, name, place)), None)
    writes = [write for write in run.sources.outer_writes(name) if write[1].how in ("constant", "fresh")]
    return (writes[0][0], writes[0][1].line) if writes else ("", 0)


def _is_carried(run: Run, name: str, place: Line) -> bool:
    source = run.sources.file(place[0])
    written = [write for _, uses in source.functions for write in uses.writes] if source is not None else []
    here = [write for write in written if write.line == place[1] and write.target.endswith(f".{name}")]
    return any(write.how == "carried" for write in here)


def _idle_optimizers(run: Run, journal: Journal) -> Iterator[Lost]:
    """Yield the optimizers that were restored and never step, while one that was made later does."""
    optimizers = [each for each in journal.objects.values() if each.kind == "optimizer"]
    for found in optimizers:
        later = [each for each in optimizers if _takes_over(each, found)]
        if found.restored and not found.steps and later:
            chain = chain_of(later[-1], journal.objects)
            line = object_line(chain, run.sources)
            yield Lost("CKP205", "replaced", line, found.class_.name, owner_name(chain))


def _takes_over(other: ObjectFacts, found: ObjectFacts) -> bool:
    return other.id > found.id and other.steps > 0 and not other.restored
