"""What a baseline knows, also of files that were renamed or moved since it was written."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from posixpath import basename

from msgspec import Struct
from msgspec.structs import replace

from flake8_ckpt.findings import Finding
from flake8_ckpt.fingerprints import fingerprints
from flake8_ckpt.suppression.baseline import Entry

# What a finding is about besides its place: the rule, and the attribute or key.
Loss = tuple[str, str]


class Known(Struct, frozen=True):
    """The fingerprints of a baseline, its paths, and what it holds of files that are not there any more."""

    fingerprints: frozenset[str]
    paths: frozenset[str]
    gone: Mapping[str, frozenset[Loss]]

    def moved(self, candidates: Mapping[str, Sequence[Finding]]) -> dict[str, str]:
        """Return by its new path what each file was called that was renamed or moved, where there is no doubt.

        It is a file that the baseline does not name and that loses some of the same things, the only such one, or
        the only one of the same name; and no other file has become it.
        """
        found = {path: _losses(findings) for path, findings in candidates.items() if path not in self.paths}
        pairs = [(new, old) for old, losses in self.gone.items() if (new := _successor(old, losses, found))]
        claims = Counter(new for new, _ in pairs)
        return {new: old for new, old in pairs if claims[new] == 1}


def known_in(root: Path, entries: Iterable[Entry]) -> Known:
    """Return what the entries of a baseline say of the files below a root."""
    entries = list(entries)
    paths = frozenset(each.path for each in entries)
    left = {path for path in paths if not os.path.lexists(root / path)}
    gone = {path: frozenset((each.code, each.name) for each in entries if each.path == path) for path in left}
    return Known(frozenset(each.fingerprint for each in entries), paths, gone)


def fingerprints_in(findings: Iterable[Finding], path: str) -> dict[Finding, str]:
    """Return the fingerprints that the findings of one file would have in another, or in their own where it is ""."""
    if not path:
        return fingerprints(findings)
    before = {replace(each, path=path): each for each in findings}
    return {before[each]: known for each, known in fingerprints(before).items()}


def _losses(findings: Iterable[Finding]) -> frozenset[Loss]:
    return frozenset((each.code, each.attribute or each.key) for each in findings)


def _successor(old: str, losses: frozenset[Loss], found: Mapping[str, frozenset[Loss]]) -> str:
    """Return the only file that loses what a file lost that is gone, or an empty string."""
    alike = [path for path, others in found.items() if not losses.isdisjoint(others)]
    if len(alike) > 1:
        alike = [path for path in alike if basename(path) == basename(old)]
    return alike[0] if len(alike) == 1 else ""
