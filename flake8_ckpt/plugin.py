"""The flake8 plugin: the project is read once, each file's findings are looked up."""

from __future__ import annotations

import argparse
import ast
import io
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Optional

from msgspec import Struct

from flake8_ckpt import __version__
from flake8_ckpt.configuration import read_configuration
from flake8_ckpt.options import Options
from flake8_ckpt.options import add_options
from flake8_ckpt.options import from_namespace

if TYPE_CHECKING:
    from flake8_ckpt.engine import Analysis
    from flake8_ckpt.findings import Finding
    from flake8_ckpt.suppression.known import Known

Report = tuple[int, int, str, type]
# Imports nothing, because it speaks even where our own modules cannot be loaded.
FAILURE = "CKP002 internal error in 'plugin': {}: {}; please report it to flake8-ckpt"


class Session(Struct):
    """One flake8 run: its options, what its baseline knows, and the analysis once it was made.

    `moved` says by new path what files were called when the baseline was written.
    """

    namespace: argparse.Namespace
    options: Options
    root: Path
    known: Optional[Known]
    analysis: Optional[Analysis] = None
    faults: dict[str, list[Finding]] = {}
    moved: dict[str, str] = {}
    failure: Optional[Exception] = None

    def prepare(self, filename: str = "", data: Optional[bytes] = None) -> None:
        """Read the project unless that was done; a failure is kept, and not tried again."""
        if self.analysis is None and self.failure is None:
            try:
                self.analyze(filename, data)
            except Exception as error:
                self.failure = error

    def analyze(self, filename: str, data: Optional[bytes]) -> None:
        """Read the whole project; `data` is the text of `filename` where that is not on the disk."""
        from flake8_ckpt import engine
        from flake8_ckpt.selection import asked_files
        from flake8_ckpt.selection import asked_paths
        from flake8_ckpt.selection import jobs_for
        from flake8_ckpt.selection import project_path

        asked = asked_paths(asked_files(self.namespace), self.options, self.root)
        replaced = {project_path(self.root, filename): data} if data is not None else {}
        jobs, about = jobs_for(self.options), [*asked, *replaced]
        self.keep(
            engine.analyze(self.root, self.options, replaced=replaced, paths=asked, about=about, jobs=jobs)
        )
        for note in engine.notes(self.options):
            print(f"flake8-ckpt: note: {note}", file=sys.stderr)

    def keep(self, analysis: Analysis) -> None:
        """Remember an analysis, and sort its faults by file."""
        from flake8_ckpt.engine import report_fault

        by_path: dict[str, list[Finding]] = defaultdict(list)
        for fault in analysis.faults:
            finding = report_fault(fault, self.first_asked(analysis))
            by_path[finding.path].append(finding)
        self.analysis = analysis
        self.faults = by_path
        self.moved = self.known.moved(analysis.candidates) if self.known is not None else {}

    def first_asked(self, analysis: Analysis) -> str:
        """Return the file that shows a fault of no file: one per run, whatever the number of processes."""
        from flake8_ckpt.selection import asked_files
        from flake8_ckpt.selection import asked_paths

        return min(asked_paths(asked_files(self.namespace), self.options, analysis.root), default="")

    def findings_of(self, filename: str, lines: Sequence[str]) -> list[Finding]:
        """Return the findings of the text that flake8 has of a file, be it saved or not."""
        from flake8_ckpt import engine
        from flake8_ckpt.index.discovery import is_excluded
        from flake8_ckpt.index.survey import IDENTITY
        from flake8_ckpt.selection import STDIN
        from flake8_ckpt.selection import project_path

        text = "".join(lines)
        self.prepare(filename, encode(text) if STDIN in self.namespace.filenames else None)
        if self.analysis is None:
            raise self.failure or RuntimeError("no analysis")
        path = project_path(self.analysis.root, filename, self.analysis.survey.digests)
        if is_excluded(self.analysis.root, self.options.exclude, path):
            return []
        if IDENTITY in path:
            return [self.unread(path)]
        known = self.analysis.survey.digests.get(path)
        if known is None or not _is_text_of(known, filename, text):
            self.keep(engine.replace_file(self.analysis, self.options, path, encode(text)))
        findings = engine.findings_in(self.analysis, path).findings
        return [*self.shown(path, findings, lines), *self.faults.get(path, ())]

    def unread(self, path: str) -> Finding:
        """Return the finding for a file that flake8 can read, and we do not: its name alone is the reason."""
        from flake8_ckpt.index.survey import WITH_COLON
        from flake8_ckpt.rules import unreadable_file

        return unreadable_file.report(path, f"cannot be read ({WITH_COLON})")

    def shown(self, path: str, findings: Sequence[Finding], lines: Sequence[str]) -> Sequence[Finding]:
        """Return the findings of a file that neither a comment nor the baseline hides."""
        if not findings:
            return ()
        from flake8_ckpt.suppression.sieve import sieve

        known = self.known.fingerprints if self.known is not None else frozenset()
        commented = () if self.namespace.disable_noqa else lines
        return sieve(findings, commented, known, self.moved.get(path, "")).shown


class CheckpointPlugin:
    """What flake8 sees: it makes one of these for each file."""

    name = "flake8-ckpt"
    version = __version__
    _session: Optional[Session] = None

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        self.filename = filename
        self.lines = lines

    @staticmethod
    def add_options(option_manager: Any) -> None:
        """Declare the options."""
        add_options(option_manager)

    @classmethod
    def parse_options(cls, _manager: Any, namespace: argparse.Namespace, _filenames: Sequence[str]) -> None:
        """Begin a run. The project is read here when flake8 is about to fork workers.

        flake8 runs no plugin on a file that it cannot parse, and `--select=CKP` would hide that it says so.
        """
        from flake8_ckpt.selection import FAILURES
        from flake8_ckpt.selection import FLAKE8_FAILURES
        from flake8_ckpt.selection import bounded
        from flake8_ckpt.selection import is_selected
        from flake8_ckpt.selection import is_worker
        from flake8_ckpt.selection import known_findings
        from flake8_ckpt.selection import root_for
        from flake8_ckpt.selection import select_more

        cls._session = None
        if namespace.bug_report or not is_selected(namespace):
            return
        select_more(namespace, (*FAILURES, *FLAKE8_FAILURES))
        configuration = read_configuration(sys.argv[1:])
        options = from_namespace(namespace, configuration)
        root = root_for(namespace, options, configuration.folder)
        options = bounded(options, root, namespace, configuration.folder)
        cls._session = Session(namespace, options, root, known_findings(options, root))
        if _is_parallel(namespace) and not is_worker():
            cls._session.prepare()

    def run(self) -> Iterator[Report]:
        """Give the findings of this file; never raise, because that would end the whole run."""
        if self._session is None:
            return
        try:
            findings = self._session.findings_of(self.filename, self.lines)
        except Exception as error:
            yield 1, 0, FAILURE.format(type(error).__name__, " ".join(str(error).split())), type(self)
            return
        for finding in findings:
            yield finding.position.line, finding.position.col, f"{finding.code} {finding.message}", type(self)


def _is_parallel(namespace: argparse.Namespace) -> bool:
    jobs = namespace.jobs
    return "-" not in namespace.filenames and (jobs.is_auto or jobs.n_jobs > 1)


def encode(text: str) -> bytes:
    """Encode a text as the coding cookie in it says, so that it can be decoded again."""
    data = text.encode("utf-8", "surrogatepass")
    with suppress(SyntaxError, LookupError, UnicodeError):
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if encoding != "utf-8":
            return text.encode(encoding)
    return data


def _is_text_of(digest: bytes, filename: str, text: str) -> bool:
    """Say whether a text is what the project has read: as it is, or from the file as flake8 decodes it.

    The second look is needed for carriage returns, byte order marks and wrong encodings.
    """
    from flake8_ckpt.index.survey import digest_of

    if digest == digest_of(encode(text)):
        return True
    from flake8_ckpt.source.text import Unreadable
    from flake8_ckpt.source.text import decode

    try:
        data = Path(filename).read_bytes()
        return digest == digest_of(data) and decode(data) == text
    except Unreadable:
        return True
    except OSError:
        return False
