"""Compare the keys of a file with what the code of a project needs of it and takes from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.report import Report

Keys = tuple[str, ...]
MOST_FINDINGS = 200


@dataclass(frozen=True)
class Reader:
    """Code that reads a checkpoint: where it stands, the keys it fails without, and those it takes at all."""

    place: str
    required: tuple[Keys, ...]
    taken: tuple[Keys, ...]


@dataclass(frozen=True)
class KnownCheckpoint:
    """A checkpoint of a project: the keys that its writers give, and its readers."""

    writers: tuple[str, ...]
    keys: tuple[Keys, ...]
    readers: tuple[Reader, ...]


def with_contract(report: Report, checkpoints: Sequence[KnownCheckpoint], project: str) -> Report:
    """Return the report with what the readers of a project lack in a file, and what none of them restores.

    The file is compared with the checkpoint of the project with whose keys it shares most.
    """
    top = {keys[0] for keys in report.keys}
    scored = [(len(top & _top(each)), -len(_top(each) - top), each) for each in checkpoints]
    best = max((score[:2] for score in scored), default=(0, 0))
    if best[0] == 0:
        note = f"no checkpoint of {project} has keys like those of the file, so there is nothing to compare it with"
        return replace(report, notes=(*report.notes, note))
    known = [each for *score, each in scored if tuple(score) == best]
    readers = [reader for each in known for reader in each.readers]
    places = ", ".join(dict.fromkeys(reader.place for reader in readers))
    writers = ", ".join(dict.fromkeys(place for each in known for place in each.writers))
    note = f"compared with what {writers} saves and {places} reads"
    findings = (*report.findings, *_findings(report, readers))
    return replace(report, findings=findings, notes=(*report.notes, note))


def _top(checkpoint: KnownCheckpoint) -> set[str]:
    paths = (*checkpoint.keys, *(keys for each in checkpoint.readers for keys in each.taken))
    return {keys[0] for keys in paths if keys}


def _findings(report: Report, readers: Sequence[Reader]) -> list[Finding]:
    """Return required keys that are not there, then the keys at the top that nobody takes."""
    there = set(report.keys)
    parents = {keys[:-1] for keys in there} | {()}
    missing = {
        keys: reader.place
        for reader in reversed(readers)
        for keys in reader.required
        if keys not in there and keys[:-1] in parents
    }
    found = [
        Finding("mismatch", f"{place} needs it, and the file lacks it", ".".join(keys))
        for keys, place in missing.items()
    ]
    taken = {keys[0] for reader in readers for keys in reader.taken if keys}
    if any(not keys for reader in readers for keys in reader.taken):
        return found
    top = dict.fromkeys(keys[0] for keys in report.keys)
    found += [
        Finding("never-restored", "no reader of the project restores it", key)
        for key in top
        if key not in taken
    ]
    return found[:MOST_FINDINGS]
