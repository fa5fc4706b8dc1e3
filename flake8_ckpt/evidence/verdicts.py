"""What a run says of the linter's findings: confirmed, refuted or not seen."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from flake8_ckpt.evidence.collect import relative
from flake8_ckpt.evidence.journals import Journal
from flake8_ckpt.evidence.journals import ObjectFacts
from flake8_ckpt.evidence.records import Evidence
from flake8_ckpt.evidence.records import JudgedFinding
from flake8_ckpt.evidence.records import Loss
from flake8_ckpt.evidence.records import Verdict
from flake8_ckpt.findings import Finding
from flake8_ckpt.fingerprints import fingerprints

# Rules that say that a value changes and is not saved: a run can show the contrary.
REFUTABLE = frozenset("CKP101 CKP104 CKP106 CKP107 CKP109 CKP110 CKP204 CKP207 CKP218".split())
# Rules on a save that leaves out what a load restores: they point at the lines that restore it.
LEFT_OUT = frozenset(["CKP201"])
# The rule on normalizers that are never updated.
IDLE = "CKP210"
ENOUGH_STEPS = 10
Seen = tuple[bool, str]
# File, class and attribute.
Name = tuple[str, str, str]


def compare(
    evidence: Evidence, findings: Sequence[Finding], journals: Sequence[Journal], root: Path
) -> Evidence:
    """Return the evidence with what it says of each finding."""
    seen = _seen(journals, root)
    marks = fingerprints(findings)
    judged = tuple(_judged(each, marks[each], evidence, seen) for each in sorted(marks))
    losses = tuple(_marked(loss, findings) for loss in evidence.losses)
    return replace(evidence, losses=losses, findings=judged)


def _judged(finding: Finding, mark: str, evidence: Evidence, seen: dict[Name, list[Seen]]) -> JudgedFinding:
    verdict, reason = _verdict(finding, evidence, seen)
    return JudgedFinding(
        fingerprint=mark,
        code=finding.code,
        path=finding.path,
        line=finding.position.line,
        attribute=finding.attribute,
        verdict=verdict,
        reason=reason,
    )


def _verdict(finding: Finding, evidence: Evidence, seen: dict[Name, list[Seen]]) -> tuple[Verdict, str]:
    if any(speaks_of(finding, loss) for loss in evidence.losses):
        return "confirmed", ""
    if finding.code == IDLE and evidence.steps >= ENOUGH_STEPS:
        sightings = seen.get((finding.path, finding.class_name.rpartition(".")[2], finding.key), [])
        if sightings and not any(changed for changed, _ in sightings):
            return "confirmed", f"unchanged in {evidence.steps} steps"
    sightings = seen.get((finding.path, finding.class_name.rpartition(".")[2], finding.attribute), [])
    if not sightings or finding.code not in REFUTABLE or evidence.steps < ENOUGH_STEPS:
        return "not seen", ""
    files = sorted({file for changed, file in sightings if file})
    if any(changed for changed, file in sightings if not file):
        return "not seen", ""
    # Beside those that a file has there may be others that were made and never used.
    return "refuted", f"covered by {files[0]}" if files else f"unchanged in {evidence.steps} steps"


def _seen(journals: Sequence[Journal], root: Path) -> dict[Name, list[Seen]]:
    """Return for file, class and attribute whether each object's value changed, and the file that has it, if any."""
    found: dict[Name, list[Seen]] = {}
    for journal in journals:
        paths = {save.number: relative(save.path, root) or save.how for save in journal.saves}
        for each in journal.objects.values():
            for (path, *names), changed, file in _attributes(each, journal):
                name = relative(path, root), names[0], names[1]
                found.setdefault(name, []).append((changed, paths.get(file, "") if file is not None else ""))
    return found


def _attributes(found: ObjectFacts, journal: Journal) -> Iterator[tuple[Name, bool, int | None]]:
    for name, leaf in found.leaves.items():
        for cls, path in found.class_.own:
            yield (path, cls.rpartition(".")[2], name), leaf.changed, _first(found.file, leaf.file)
    changed = [leaf for leaf in found.leaves.values() if leaf.changed]
    files = [_first(found.file, leaf.file) for leaf in changed]
    whole = found.file if not changed or None in files else files[0]
    for key, way in found.owners:
        for cls, path in journal.objects[key].class_.own if key in journal.objects else ():
            attribute = way.partition("[")[0]
            yield (path, cls.rpartition(".")[2], attribute), bool(changed or found.steps), whole


def _first(file: int | None, other: int | None) -> int | None:
    return other if file is None else file


def _marked(loss: Loss, findings: Sequence[Finding]) -> Loss:
    found = any(speaks_of(finding, loss) for finding in findings)
    return replace(loss, finding="confirmed" if found else "none")


def speaks_of(finding: Finding, loss: Loss) -> bool:
    """Tell whether a finding and a loss mean the same: class and attribute, the same statement, or its restore."""
    paths = {finding.path, *(each.path for each in finding.related)}
    # Many projects have more than one `RunningMeanStd`, and libraries have theirs.
    if finding.class_name and finding.attribute in loss.attributes and loss.file in (*paths, ""):
        if finding.class_name.rpartition(".")[2] == loss.class_name.rpartition(".")[2]:
            return True
    if loss.kind == "unrestored" and finding.code == loss.code and finding.key in loss.attributes:
        return True
    lines = list(_lines(finding))
    meant = [(loss.file, loss.line), *(loss.restores if finding.code in LEFT_OUT else ())]
    return any(path == file and first <= line <= last for path, first, last in lines for file, line in meant)


def _lines(finding: Finding) -> Iterator[tuple[str, int, int]]:
    yield finding.path, finding.position.line, finding.position.end_line
    for each in finding.related:
        yield each.path, each.position.line, each.position.end_line
