"""`check --diff-base REV`: which findings a change since a revision of git has caused, or touches."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
from flake8.exceptions import ExecutionError

from flake8_ckpt import engine
from flake8_ckpt.findings import Finding
from flake8_ckpt.fingerprints import fingerprints
from flake8_ckpt.index.revision import Lines
from flake8_ckpt.index.revision import NoRevision
from flake8_ckpt.index.revision import changed_lines
from flake8_ckpt.index.revision import files_at
from flake8_ckpt.index.revision import renamed
from flake8_ckpt.options import Options
from flake8_ckpt.source.text import lenient_text
from flake8_ckpt.suppression.sieve import is_failure


@dataclass(frozen=True)
class Change:
    """What has happened to a project since a revision, whose files are `before`."""

    found: engine.Analysis
    options: Options
    before: Mapping[str, bytes]

    def caused(self, path: str, findings: Sequence[Finding]) -> list[Finding]:
        """Return those findings of a file that stand on a changed line, or that the revision did not have."""
        if not findings:
            return []
        lines, marks, known = self._lines(path), fingerprints(findings), self._known(path)
        return [
            each
            for each in findings
            if is_failure(each)
            or marks[each] not in known
            or lines.meet(each.position.line, max(each.position.line, each.position.end_line))
        ]

    def _lines(self, path: str) -> Lines:
        old = self.before.get(self._old_paths.get(path, path), b"")
        return changed_lines(lenient_text(old), lenient_text(self._content(path)))

    def _known(self, path: str) -> frozenset[str]:
        """Return the fingerprints that the findings of a file had, as if it had been where it is now."""
        old = engine.findings_in(self._analysis, self._old_paths.get(path, path)).findings
        return frozenset(fingerprints(msgspec.structs.replace(each, path=path) for each in old).values())

    @cached_property
    def _analysis(self) -> engine.Analysis:
        # Only what is replaced is read: the files of the revision, and none of the disk.
        alone = msgspec.structs.replace(self.options, is_lost=True)
        return engine.analyze(self.found.root, alone, replaced=self.before)

    @cached_property
    def _old_paths(self) -> dict[str, str]:
        now = self.found.survey.digests
        gone = {path: data for path, data in self.before.items() if path not in now}
        return (
            renamed(gone, {path: self._content(path) for path in now if path not in self.before})
            if gone
            else {}
        )

    def _content(self, path: str) -> bytes:
        return self.found.survey.content_of(path) or b""


def change_since(name: str, found: engine.Analysis, options: Options) -> Change:
    """Return what has happened since a revision; raise flake8's ExecutionError where it cannot be read."""
    try:
        return Change(found, options, files_at(Path(found.root), name, options.exclude))
    except NoRevision as error:
        raise ExecutionError(f"--diff-base: {error}") from error
