"""Which findings of a file are shown, and which a comment or the baseline keeps back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flake8_ckpt.findings import Finding
from flake8_ckpt.suppression.comments import MARK
from flake8_ckpt.suppression.comments import is_ignored
from flake8_ckpt.suppression.known import fingerprints_in


@dataclass(frozen=True)
class Sieved:
    """The findings of one file: those that are left, and those that are hidden."""

    shown: tuple[Finding, ...]
    by_comment: tuple[Finding, ...] = ()
    by_baseline: tuple[Finding, ...] = ()


def sieve(findings: Sequence[Finding], lines: Sequence[str], known: frozenset[str], was: str = "") -> Sieved:
    """Return what is left of the findings of a file with these lines, where a baseline knows some fingerprints.

    `was` is the path of a moved file when the baseline was written. That a file could not be checked is never hidden
    by a baseline.
    """
    ignored = _ignored(findings, lines)
    left = [each for each in findings if each not in ignored]
    hidden = _known(left, known, was)
    return Sieved(tuple(each for each in left if each not in hidden), tuple(ignored), tuple(hidden))


def codes_by_name() -> dict[str, str]:
    """Return the code of each rule by its name; the rules are only imported where someone asks."""
    from flake8_ckpt.rules.base import all_rules

    return {rule.name: rule.code for rule in all_rules()}


def is_failure(finding: Finding) -> bool:
    """Say whether a finding only tells that something could not be checked."""
    return finding.code.startswith("CKP0")


def _ignored(findings: Sequence[Finding], lines: Sequence[str]) -> list[Finding]:
    if not findings or not any(MARK in line.lower() for line in lines):
        return []
    names = codes_by_name()
    return [each for each in findings if is_ignored(each, lines, names)]


def _known(findings: Sequence[Finding], known: frozenset[str], was: str) -> list[Finding]:
    if not known:
        return []
    found = fingerprints_in(findings, was)
    return [each for each in findings if found[each] in known and not is_failure(each)]
