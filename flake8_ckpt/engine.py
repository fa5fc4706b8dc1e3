"""From a root and options to findings: the library's entry point.

A project that has not changed since it was last asked about in the same way gets its last verdict: then neither the
rules nor libcst are imported.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Container
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Optional

from msgspec import Struct
from msgspec.structs import replace

from flake8_ckpt.findings import Confirmed
from flake8_ckpt.findings import Finding
from flake8_ckpt.index.cache import Cache
from flake8_ckpt.index.cache import paused_gc
from flake8_ckpt.index.discovery import package_of
from flake8_ckpt.index.survey import CHANGED
from flake8_ckpt.index.survey import Survey
from flake8_ckpt.index.survey import survey_files
from flake8_ckpt.index.verdicts import Result
from flake8_ckpt.index.verdicts import Verdict
from flake8_ckpt.index.verdicts import key_of
from flake8_ckpt.index.verdicts import question_name
from flake8_ckpt.options import Options
from flake8_ckpt.project_index import Progress
from flake8_ckpt.project_index import cache_of
from flake8_ckpt.project_index import paths_of

if TYPE_CHECKING:
    from flake8_ckpt.checking import Fault
    from flake8_ckpt.index.collection import Executor
    from flake8_ckpt.index.collection import Index
    from flake8_ckpt.index.shared_verdict import SharedVerdict

# Where more than one file in so many is asked about, all are looked at, so that the next run has their verdict.
FEW = 10
# So few files are looked at before all others: where they have nothing to speak of, the project is not read.
ALONE = 3
PART = "part"


class Analysis(Struct, frozen=True):
    """What a run says of a project: `candidates` by file, and what libcst has made of those that are `confirmed`.

    `broken` tells why a file cannot be parsed. `index` is there where the project had to be linked. Nothing is known
    of files that it is not `about`, None means all.
    """

    survey: Survey
    candidates: Mapping[str, Sequence[Finding]]
    confirmed: Mapping[str, Confirmed] = {}
    broken: Mapping[str, str] = {}
    faults: tuple[Fault, ...] = ()
    index: Optional[Index] = None
    about: Optional[frozenset[str]] = None

    @property
    def root(self) -> Path:
        """Return the root of the project."""
        return self.survey.root


def check(
    root: Path,
    options: Options,
    *,
    replaced: Optional[Mapping[str, bytes]] = None,
    paths: Optional[Sequence[str]] = None,
    executor: Optional[Executor] = None,
    progress: Optional[Progress] = None,
) -> list[Finding]:
    """Return the findings of a project in order of path and position.

    `paths` are files to read besides those that belong to the root; `replaced` gives files
    another content than they have on disk. Both name files from the root. New files are
    read in `executor` if there is one. A rule that fails gives one CKP002 finding.
    """
    found = analyze(
        root,
        options,
        replaced=replaced,
        paths=paths,
        executor=executor,
        jobs=options.jobs or 1,
        progress=progress,
    )
    first = min(found.survey.digests, default="")
    findings = [each for path in found.candidates for each in findings_in(found, path).findings]
    return sorted([*findings, *(report_fault(fault, first) for fault in found.faults)])


def analyze(
    root: Path,
    options: Options,
    *,
    replaced: Optional[Mapping[str, bytes]] = None,
    paths: Optional[Sequence[str]] = None,
    about: Optional[Collection[str]] = None,
    executor: Optional[Executor] = None,
    jobs: int = 1,
    progress: Optional[Progress] = None,
) -> Analysis:
    """Look at a project, and link and check it where something is new; see `check`.

    With `about`, only the findings in these files count, which are some of `paths` and `replaced`.
    """
    cache = cache_of(root, options)
    marks = cache.marks() if cache is not None else {}
    with paused_gc():
        survey = survey_files(root, paths_of(root, options, paths or ()), marks, replaced or {})
        few = None if about is None or FEW * len(about) > len(survey.digests) else frozenset(about)
        collect = partial(_analyze, survey, options, few, executor=executor, jobs=jobs, progress=progress)
        if cache is None:
            return collect(None)
        if survey.replaced:
            found = collect(cache)
        else:
            found = _with_verdict(cache, options, survey, paths or (), few, collect)
        cache.store_marks(marks, survey.marks)
        return found


def replace_file(found: Analysis, options: Options, path: str, data: bytes) -> Analysis:
    """Return the analysis of the same project with another content of one file, or one more file."""
    from flake8_ckpt.index.collection import index_survey

    fresh = survey_files(found.root, (), {}, {path: data})
    survey = replace(
        found.survey,
        digests={**found.survey.digests, **fresh.digests},
        replaced={**found.survey.replaced, path: data},
    )
    about = None if found.about is None else found.about | {path}
    if found.index is None:
        return _analyze(survey, options, about, cache_of(found.root, options))
    new = index_survey(fresh, known=options.frameworks)
    index = replace(
        found.index,
        files={**{each: facts for each, facts in found.index.files.items() if each != path}, **new.files},
        digests=survey.digests,
        failed=(*(failure for failure in found.index.failed if failure[0] != path), *new.failed),
    )
    return _judge(survey, options, index, about)


def findings_in(found: Analysis, path: str) -> Confirmed:
    """Return the findings of one file with their exact ranges, and the candidates that libcst does not find.

    Only files that are asked about are read once more; one that has changed since keeps its ranges.
    """
    if found.about is not None and path not in found.about:
        raise LookupError(f"{path} was not asked about")
    if path in found.confirmed:
        return found.confirmed[path]
    return _confirm(found, path) or Confirmed(tuple(found.candidates.get(path, ())))


def _confirm(found: Analysis, path: str) -> Optional[Confirmed]:
    """Return what libcst makes of a file's candidates, None where the file has changed since."""
    candidates = found.candidates.get(path, ())
    if not candidates:
        return Confirmed()
    from flake8_ckpt.checking import confirm_content

    data = found.survey.content_of(path)
    return None if data is None else confirm_content(data, candidates)


def report_fault(fault: Fault, default_path: str) -> Finding:
    """Return the CKP002 finding for a fault."""
    from flake8_ckpt import checking

    return checking.report_fault(fault, default_path)


def notes(options: Options) -> Sequence[str]:
    """Return what a user should know of a cache that does not work: a line for each thing."""
    if not options.cache_url:
        return ()
    from flake8_ckpt.index.store import open_store

    return open_store(options.cache_url).notes


def _analyze(
    survey: Survey,
    options: Options,
    about: Optional[frozenset[str]],
    cache: Optional[Cache],
    *,
    executor: Optional[Executor] = None,
    jobs: int = 1,
    progress: Optional[Progress] = None,
) -> Analysis:
    from flake8_ckpt.index.collection import index_survey

    alone = None
    if about is not None and len(about) <= ALONE:
        alone = index_survey(survey.only(about), known=options.frameworks)
        if not alone.failed and all(each.is_mute for each in alone.files.values()):
            return Analysis(survey, {}, about=about)
    index = index_survey(
        survey,
        cache=cache,
        executor=executor,
        jobs=jobs,
        progress=progress,
        known=options.frameworks,
        made=alone,
    )
    return _judge(survey, options, index, about)


def _judge(survey: Survey, options: Options, index: Index, about: Optional[frozenset[str]]) -> Analysis:
    from flake8_ckpt.checking import link_and_check

    checked = link_and_check(survey.root, options, index, about)
    broken = {path: facts.error for path, facts in index.files.items() if facts.error}
    return Analysis(survey, checked.candidates, {}, broken, checked.faults, index, about)


def _with_verdict(
    cache: Cache,
    options: Options,
    survey: Survey,
    asked: Sequence[str],
    about: Optional[frozenset[str]],
    collect: Callable[[Cache], Analysis],
) -> Analysis:
    """Return the last verdict where it is on the same project, else a new one, which is kept.

    A verdict about a few files has a place of its own, so that it takes that of no other.
    It also keeps what libcst has said of the candidates in the files that were asked about.
    """
    question = question_name(_question(survey.root, options))
    key = key_of(question, survey)
    last = cache.verdict(question)
    part = cache.verdict(f"{question}-{PART}") if about is not None else None
    # Where this machine has been asked before, little may be new, and no other is asked.
    others = _others(cache, options, survey) if last is None and about is None else None
    theirs = others.read(key) if others is not None else None
    earlier = [each for each in (last, part, theirs) if each is not None]
    known = next((each for each in earlier if each.answers(key, about)), None)
    found = collect(cache) if known is None else _from_verdict(survey, known)
    if found.index is None and known is None and last is not None:
        # The other files were not read: they are as they were.
        found = replace(
            found, broken={path: why for path, why in last.broken.items() if path in survey.digests}
        )
    if found.faults or CHANGED in found.broken.values():
        return found
    named = frozenset(asked)
    results = {path: _result(found, path, earlier, named) for path in found.candidates}
    kept = None if found.about is None else tuple(sorted(found.about))
    verdict = Verdict(key, results, dict(found.broken), kept).with_others(part)
    if verdict not in (last, part):
        cache.store_verdict(question if kept is None else f"{question}-{PART}", verdict)
    if others is not None and theirs != verdict:
        others.write(verdict)
    return replace(
        found, confirmed={path: each.confirmed for path, each in results.items() if each.confirmed}
    )


def _others(cache: Cache, options: Options, survey: Survey) -> Optional[SharedVerdict]:
    """Return where other machines have their verdict, None where nothing is shared."""
    if cache.store is None:
        return None
    from flake8_ckpt.index.shared_verdict import shared_verdict

    return shared_verdict(cache, survey, _question(survey.root, options))


def _from_verdict(survey: Survey, verdict: Verdict) -> Analysis:
    candidates = {path: each.candidates for path, each in verdict.results.items()}
    about = None if verdict.about is None else frozenset(verdict.about)
    return Analysis(survey, candidates, broken=verdict.broken, about=about)


def _result(found: Analysis, path: str, earlier: Sequence[Verdict], asked: Container[str]) -> Result:
    """Return what was found in a file; what libcst has said of an unchanged one before, it says again."""
    digest, candidates = found.survey.digests.get(path, b""), tuple(found.candidates[path])
    known = (each.confirmed(path, digest, candidates) for each in earlier)
    confirmed = next((each for each in known if each is not None), None)
    if confirmed is None and path in asked:
        confirmed = _confirm(found, path)
    return Result(digest, candidates, confirmed)


def _question(root: Path, options: Options) -> list[str]:
    """Return a way to ask: all options that decide what is found."""
    parts = ["enable", *sorted(options.enable), "bases", *sorted(options.module_bases)]
    return [*parts, "frameworks", options.framework_key, "package", package_of(root)]
