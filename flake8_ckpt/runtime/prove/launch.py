"""Start the process that runs the user's code, stop it at its limits, and read what it answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from flake8_ckpt.runtime.prove.records import Answer
from flake8_ckpt.runtime.prove.records import Outcome
from flake8_ckpt.runtime.prove.records import Request
from flake8_ckpt.runtime.prove.records import read_outcome
from flake8_ckpt.runtime.prove.records import write_request

SECONDS = 30
GIBIBYTES = 2
CHILD = "flake8_ckpt.runtime.prove.child"
MEMORY_WORDS = ("MemoryError", "bad_alloc", "can't allocate memory", "Cannot allocate memory")
# So many bytes of what a process said last are looked at.
LONGEST_TAIL = 4000


def ask(request: Request, seconds: float = SECONDS) -> Outcome:
    """Return the answers to a request, each of them "not built" where a limit stops the process."""
    with tempfile.TemporaryDirectory(prefix="flake8-ckpt-prove-") as folder:
        question, answer, said = (Path(folder, name) for name in ("request.json", "answer.json", "said"))
        write_request(request, question)
        reason = _run([str(question), str(answer)], Path(folder), said, seconds)
        with suppress(OSError, ValueError, KeyError, TypeError):
            return _completed(read_outcome(answer), request, reason)
        return _completed(Outcome(), request, reason or _last_words(said))


def _run(arguments: list[str], folder: Path, said: Path, seconds: float) -> str:
    """Run the process; return the limit that stopped it, or nothing."""
    work = folder / "work"
    work.mkdir()
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-B", "-m", CHILD, *arguments],
            cwd=work,
            env=_environment(work),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=os.name == "posix",
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"stopped at the limit of {seconds:g} s"
        finally:
            _end(process)
    return ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started."""
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _environment(work: Path) -> dict[str, str]:
    """Return an environment in which this package is found, nothing is downloaded and nothing is displayed."""
    ours = Path(__file__).parents[3]
    paths = [str(ours), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
        "WANDB_MODE": "disabled",
        "HF_HUB_OFFLINE": "1",
        "TMPDIR": str(work),
        "MPLCONFIGDIR": str(work),
    }


def _last_words(said: Path) -> str:
    """Return why a process ended without an answer, from what it said last."""
    tail = said.read_bytes()[-LONGEST_TAIL:].decode("utf-8", "replace")
    if any(word in tail for word in MEMORY_WORDS):
        return MEMORY_WORDS[0]
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    return f"the process ended: {lines[-1][:200]}" if lines else "the process ended without a word"


def _completed(outcome: Outcome, request: Request, reason: str) -> Outcome:
    """Return an outcome with an answer for each question."""
    lacking = len(request.questions) - len(outcome.answers)
    more = [Answer("not built", reason or "no answer came")] * lacking
    return Outcome(tuple(map(_with_limit, (*outcome.answers, *more))), outcome.walls)


def _with_limit(answer: Answer) -> Answer:
    """Return an answer that names the limit that it ran into, where it did."""
    if answer.verdict == "not built" and any(word in answer.reason for word in MEMORY_WORDS):
        return replace(answer, reason=f"stopped at the limit of {GIBIBYTES} GB of memory")
    return answer
