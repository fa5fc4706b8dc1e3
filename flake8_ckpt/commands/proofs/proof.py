"""Ask the process that runs the user's code about findings, before and after their fix."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from flake8_ckpt.commands.proofs.class_uses import calls_of
from flake8_ckpt.commands.proofs.class_uses import heirs_of
from flake8_ckpt.commands.proofs.watched_run import Call
from flake8_ckpt.commands.proofs.watched_run import WatchedRun
from flake8_ckpt.engine import Analysis
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Safety
from flake8_ckpt.fixes.fixed_text import fix_text
from flake8_ckpt.runtime.prove.launch import ask
from flake8_ckpt.runtime.prove.records import Answer
from flake8_ckpt.runtime.prove.records import Question
from flake8_ckpt.runtime.prove.records import Request
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode

# On a copy even what is only shown is tried.
ANY: tuple[Safety, ...] = ("safe", "unsafe", "shown")


@dataclass(frozen=True)
class Proof:
    """A finding, what running its code showed, and the same after a fix; `fix` says what the fix is."""

    finding: Finding
    before: Answer
    fix: str = ""
    after: Answer | None = None


def proofs_of(found: Analysis, findings: Sequence[Finding], run: WatchedRun) -> Iterator[Proof]:
    """Yield a proof for each finding; those of one class are asked together, and made first as the run made them."""
    ordered = sorted(findings, key=lambda each: (each.path, each.class_name, each.position))
    for (path, class_name), group in groupby(ordered, key=lambda each: (each.path, each.class_name)):
        calls = run.calls_of(path, class_name)
        yield from _proofs_of_class(found, path, class_name, list(group), calls)


def _proofs_of_class(
    found: Analysis, path: str, class_name: str, findings: list[Finding], calls: tuple[Call, ...]
) -> Iterator[Proof]:
    reasons = {finding: _out_of_reach(finding) for finding in findings}
    yield from (Proof(each, Answer("not built", reason)) for each, reason in reasons.items() if reason)
    asked = [each for each, reason in reasons.items() if not reason]
    if not asked:
        return
    questions = tuple(map(_question, asked))
    with tempfile.TemporaryDirectory(prefix="flake8-ckpt-state-") as folder:
        request = Request(
            str(found.root),
            str(Path(found.root, path)),
            class_name,
            questions,
            calls=(*calls, *calls_of(found, class_name)),
            heirs=heirs_of(found, class_name),
            state=str(Path(folder, "before.pt")),
        )
        before = ask(request).answers
        proven = {each: answer for each, answer in zip(asked, before) if answer.verdict == "proven"}
        titles, text = fixed_text(found, path, list(proven))
        mended = {each: answer for each, answer in proven.items() if each in titles}
        after = _after(request, mended, text) if mended else {}
    yield from (
        Proof(each, answer, titles.get(each, ""), after.get(each)) for each, answer in zip(asked, before)
    )


def _question(finding: Finding) -> Question:
    return Question(finding.code, finding.attribute, finding.position.line, finding.position.end_line)


def _after(request: Request, proven: Mapping[Finding, Answer], text: str) -> dict[Finding, Answer]:
    """Return what the same questions give once the fix is applied, with the arguments that worked before."""
    arguments = {tuple(answer.arguments.items()): answer.arguments for answer in proven.values()}
    fixed = replace(
        request,
        questions=tuple(map(_question, proven)),
        text=text,
        calls=(*arguments.values(), *request.calls),
        is_fixed=True,
        moves=any(answer.moves for answer in proven.values()),
    )
    return dict(zip(proven, ask(fixed).answers))


def _out_of_reach(finding: Finding) -> str:
    """Return why a finding is none that running one class can prove."""
    from flake8_ckpt.runtime.prove.codes import COVERED

    if finding.code not in COVERED or not finding.class_name:
        return f"{finding.code} is about a program here, not a class: `flake8-ckpt watch` sees it"
    return ""


def fixed_text(found: Analysis, path: str, findings: Sequence[Finding]) -> tuple[dict[Finding, str], str]:
    """Return what the fix of each finding of a file does, where it has one, and the file with all of them."""
    data = found.survey.content_of(path)
    if data is None or not findings:
        return {}, ""
    fixed = fix_text(data, findings, allowed=ANY)
    try:
        text = decode(fixed.data)
    except Unreadable:
        return {}, ""
    return {
        each.finding: each.suggestion.title for each in fixed.applied if each.suggestion is not None
    }, text
