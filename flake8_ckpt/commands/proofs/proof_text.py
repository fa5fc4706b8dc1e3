"""Show proofs: a few lines each, or JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

from flake8_ckpt.commands.proofs.proof import Proof
from flake8_ckpt.commands.proofs.watched_run import WatchedRun
from flake8_ckpt.runtime.prove.records import Answer


def as_text(proof: Proof, run: WatchedRun) -> str:
    """Return a proof as lines: the verdict, how the object was made and changed, what was lost before and after."""
    finding, before = proof.finding, proof.before
    what = ".".join(filter(None, (finding.class_name, finding.attribute))) or finding.key
    head = " ".join(filter(None, (f"{finding.path}:{finding.position.line}", finding.code, what)))
    lines = [f"{head}: {before.verdict}{_why(before)}"]
    lines += [f"  {line}" for line in _details(proof)]
    seen = run.changes.get((finding.path, finding.attribute))
    lines += [f"  seen in the watched run: {seen}"] if seen else []
    return "\n".join(lines)


def _why(answer: Answer) -> str:
    return f": {answer.reason}" if answer.reason else ""


def _details(proof: Proof) -> Iterator[str]:
    before, after = proof.before, proof.after
    if before.built:
        yield f"made: {before.built}{f', then {before.ran}' if before.ran else ''}"
    if before.lost:
        yield f"before: {before.lost[0]}"
        yield from (f"        {line}" for line in before.lost[1:])
    yield from (f"note: {note}" for note in before.notes)
    if after is None:
        return
    if after.verdict == "refuted":
        yield f"after {proof.fix}: nothing lost"
    elif after.verdict == "proven":
        yield f"after {proof.fix}: still {after.lost[0]}"
    else:
        yield f"after {proof.fix}: not proven, {after.reason}"
    if after.older:
        yield f"old checkpoints: {after.older}"


def summary(proofs: Sequence[Proof]) -> str:
    """Return the count of each verdict in one line."""
    counts = Counter(proof.before.verdict for proof in proofs)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("proven", "refuted", "not built"))


def as_json(proofs: Sequence[Proof]) -> list[dict[str, Any]]:
    """Return the proofs as plain values; lines and columns count from 1."""
    return [_entry(proof) for proof in proofs]


def _entry(proof: Proof) -> dict[str, Any]:
    finding = proof.finding
    return {
        "code": finding.code,
        "path": finding.path,
        "line": finding.position.line,
        "column": finding.position.col + 1,
        "class": finding.class_name,
        "attribute": finding.attribute,
        **_answer(proof.before),
        "fix": None if proof.after is None else {"title": proof.fix, **_fixed(proof.after)},
    }


def _fixed(answer: Answer) -> dict[str, Any]:
    """Return an answer of fixed code, of which "refuted" is the best that can be said: nothing is lost any more."""
    verdicts = {"refuted": "nothing lost", "proven": "still lost", "not built": "not built"}
    return {**_answer(answer), "verdict": verdicts[answer.verdict]}


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "verdict": answer.verdict,
        "reason": answer.reason,
        "built": answer.built,
        "ran": answer.ran,
        "lost": list(answer.lost),
        "notes": list(answer.notes),
        "older": answer.older,
    }
