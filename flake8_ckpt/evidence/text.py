"""The report of a run as text: one line for each loss, with the mend, and what the run says of the findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flake8_ckpt.evidence.records import Evidence
from flake8_ckpt.evidence.records import Loss

MENDS = {
    "CKP101": "register it as a buffer",
    "CKP104": "register what it holds as buffers, or return it from get_extra_state()",
    "CKP106": "register it as a buffer, or return it from get_extra_state()",
    "CKP107": "register it with persistent=True",
    "CKP109": "register it as a buffer in __init__",
    "CKP110": "register it as a buffer, or return it from get_extra_state()",
    "CKP203": "restore it from the file",
    "CKP205": "restore after it is set, not before",
    "CKP207": "add it to state_dict() and load_state_dict()",
    "CKP208": "call VecNormalize.save() beside the agent's save()",
    "CKP215": "save its statistics beside the model",
    "CKP218": "save it, and restore it before training goes on",
    "CKP204": "put its state into the checkpoint",
}


def report(evidence: Evidence) -> Iterator[str]:
    """Yield the lines of the report."""
    count = len(evidence.losses)
    if not evidence.processes:
        yield (
            "flake8-ckpt watch: nothing was seen: the command starts no Python that can be watched"
            " (python -S, -I and -E cannot)"
        )
        return
    if not evidence.files:
        yield f"flake8-ckpt watch: no file was saved in {_counted(evidence.steps, 'step')}, so nothing can be said"
        return
    for loss in evidence.losses:
        yield loss_line(loss, len({file.path for file in evidence.files}))
    yield from _verdicts(evidence)
    saved = _counted(len({file.path for file in evidence.files}), "file")
    lost = f"{count} lost" if count else "nothing lost"
    yield f"flake8-ckpt watch: {lost} in {_counted(evidence.steps, 'step')} and {saved}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def loss_line(loss: Loss, files: int) -> str:
    """Return one loss in one line: where, which rule, what, and how to mend it."""
    place = f"{loss.file}:{loss.line} " if loss.line else ""
    return f"{place}{loss.code} {message(loss, files)}"


def message(loss: Loss, files: int) -> str:
    """Return what is lost, and how to mend it."""
    mend = MENDS.get(loss.code, MENDS["CKP204"])
    if loss.kind == "unrestored":
        keys = ", ".join(f"'{name}'" for name in loss.attributes)
        return f"{keys} was loaded, but no object had it when training went on: {mend}"
    name = ".".join(filter(None, [loss.owner, ", ".join(loss.attributes)]))
    name += f" (and {_counted(loss.objects - 1, 'more object')} like it)" if loss.objects > 1 else ""
    if loss.kind == "replaced":
        return f"{name} {_overwritten(loss)} before training went on: {mend}"
    where = "the file" if files == 1 else f"any of {files} files"
    return f"{name} {_happened(loss)} and is not in {where}: {mend}"


def _overwritten(loss: Loss) -> str:
    if not loss.after:
        return "was restored, and replaced by another"
    return f"was restored, and set to something else ({_values(loss.before)} -> {_values(loss.after)})"


def _happened(loss: Loss) -> str:
    if loss.kind == "object" and not loss.before:
        return "was used"
    if not loss.after:
        return "changed"
    if loss.kind == "fitted" and loss.before == loss.after:
        return f"was fitted ({_values(loss.after)})"
    return f"changed ({_values(loss.before)} -> {_values(loss.after)})"


def _values(values: tuple[float, ...]) -> str:
    if not values:
        return "nothing"
    texts = [f"{value:.4g}" for value in values]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _verdicts(evidence: Evidence) -> Iterator[str]:
    counts = Counter(finding.verdict for finding in evidence.findings)
    for finding in evidence.findings:
        if finding.verdict == "refuted":
            yield f"{finding.path}:{finding.line} {finding.code} is refuted by this run: {finding.reason}"
    if counts:
        parts = ", ".join(
            f"{counts[name]} {name}" for name in ("confirmed", "refuted", "not seen") if counts[name]
        )
        yield f"flake8-ckpt watch: findings of the linter: {parts}"
