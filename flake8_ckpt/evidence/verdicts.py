"""What a run says of the linter's findings: confirmed, refuted or not seen."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from msgspec.structs import replace

from flake8_ckpt.evidence.records import Evidence
from flake8_ckpt.evidence.records import JudgedFinding
from flake8_ckpt.evidence.records import Loss
from flake8_ckpt.findings import Finding


def compare(evidence: Evidence, findings: Sequence[Finding]) -> Evidence:
    """Return the evidence with what it says of each finding."""
    judged = tuple(_judged(finding, evidence.losses) for finding in findings)
    losses = tuple(_marked(loss, findings) for loss in evidence.losses)
    return replace(evidence, losses=losses, findings=judged)


def _judged(finding: Finding, losses: Sequence[Loss]) -> JudgedFinding:
    is_confirmed = any(speaks_of(finding, loss) for loss in losses)
    return JudgedFinding(
        fingerprint="",
        code=finding.code,
        path=finding.path,
        line=finding.position.line,
        attribute=finding.attribute,
        verdict="confirmed" if is_confirmed else "not seen",
        reason="",
    )


def _marked(loss: Loss, findings: Sequence[Finding]) -> Loss:
    found = any(speaks_of(finding, loss) for finding in findings)
    return replace(loss, finding="confirmed" if found else "none")


def speaks_of(finding: Finding, loss: Loss) -> bool:
    """Tell whether a finding and a loss mean the same: class and attribute, or the same statement."""
    if finding.class_name and finding.attribute in loss.attributes:
        if finding.class_name.rpartition(".")[2] == loss.class_name.rpartition(".")[2]:
            return True
    return any(path == loss.file and first <= loss.line <= last for path, first, last in _lines(finding))


def _lines(finding: Finding) -> Iterator[tuple[str, int, int]]:
    yield finding.path, finding.position.line, finding.position.end_line
    for each in finding.related:
        yield each.path, each.position.line, each.position.end_line
