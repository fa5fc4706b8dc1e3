"""What makes two findings the same finding: in reports, in a baseline and in the evidence of a run.

A fingerprint is made of the rule, the file, the class and the function or class around the finding, and the
attribute or key that is lost. It is never made of a line or of a message: so it survives code that moves and
wording that changes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

from flake8_ckpt.findings import Finding

LENGTH = 16


def fingerprint(finding: Finding) -> str:
    """Return 16 hexadecimal digits that stay while the finding is about the same loss."""
    return _digest(finding, 1)


def fingerprints(findings: Iterable[Finding]) -> dict[Finding, str]:
    """Return a fingerprint for each finding, no two alike.

    Of several findings that are about the same loss, the first in order of position has the plain fingerprint, and each
    of the others one of its own.
    """
    seen: Counter[str] = Counter()
    found: dict[Finding, str] = {}
    for finding in sorted(set(findings)):
        plain = fingerprint(finding)
        seen[plain] += 1
        found[finding] = plain if seen[plain] == 1 else _digest(finding, seen[plain])
    return found


def _digest(finding: Finding, number: int) -> str:
    lost = finding.attribute or finding.key
    parts = (finding.code, finding.path, finding.class_name, finding.symbol, lost, str(number))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]
