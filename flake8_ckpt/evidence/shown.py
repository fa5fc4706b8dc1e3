"""Findings as `check --evidence` shows them: what a run says of each, and the losses that the linter did not find."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from msgspec.structs import replace

from flake8_ckpt.evidence.records import Evidence
from flake8_ckpt.evidence.records import JudgedFinding
from flake8_ckpt.evidence.records import Loss
from flake8_ckpt.evidence.text import message
from flake8_ckpt.evidence.verdicts import speaks_of
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.fingerprints import fingerprints


def with_evidence(findings: Mapping[str, Sequence[Finding]], evidence: Evidence) -> dict[str, list[Finding]]:
    """Return the findings of each file with what the run says, and its losses that none of them speaks of."""
    judged = {each.fingerprint: each for each in evidence.findings}
    marks = fingerprints(each for found in findings.values() for each in found)
    return {
        path: [*(_marked(each, judged.get(marks[each])) for each in found), *_losses(path, found, evidence)]
        for path, found in findings.items()
    }


def _marked(finding: Finding, judged: JudgedFinding | None) -> Finding:
    if judged is None or judged.verdict == "not seen":
        return finding
    reason = f": {judged.reason}" if judged.reason else ""
    return replace(finding, message=f"{finding.message} [{judged.verdict} by a run{reason}]")


def _losses(path: str, found: Sequence[Finding], evidence: Evidence) -> Iterator[Finding]:
    files = len({file.path for file in evidence.files})
    for loss in evidence.losses:
        if loss.file == path and loss.line > 0 and not any(speaks_of(each, loss) for each in found):
            yield _finding(loss, files)


def _finding(loss: Loss, files: int) -> Finding:
    return Finding(
        path=loss.file,
        position=Position(loss.line, 0, loss.line, 0),
        code=loss.code,
        message=f"{message(loss, files)} [seen in a run]",
        attribute=loss.attributes[0] if loss.attributes else "",
        class_name=loss.class_name,
    )
