"""One input of the fuzzer: the linter reads it with all its rules, and what must not happen is told."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Optional

import msgspec

from flake8_ckpt import engine
from flake8_ckpt.engine import Analysis
from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.fixes.fixed_text import UNSAFE
from flake8_ckpt.fixes.fixed_text import fix_text
from flake8_ckpt.options import Options

OPTIONS = Options(no_cache=True, enable=("ALL",))
# What a file of less than a megabyte may cost, in seconds of processor time and in MiB beside what the process had.
MOST_SECONDS = 2.0
MOST_MEBIBYTES = 500
SMALL = 1_000_000
# A run that takes so long is cut, and what it was at is told.
PATIENCE = 30
STATUS = Path("/proc/self/status")
REFERENCES = Path("/proc/self/clear_refs")


class TooLong(BaseException):
    """A trial that was cut."""


@dataclass(frozen=True)
class Trial:
    """What became of one input: its cost in seconds and MiB, how many findings, and what was wrong."""

    seconds: float
    mebibytes: float
    findings: int
    faults: tuple[str, ...]


def try_out(files: Mapping[str, bytes], root: Path) -> Trial:
    """Lint files and mend them; they lie nowhere, but are read as if they were in an empty folder."""
    trial, found = lint(files, root)
    if found is None:
        return trial
    return replace(trial, faults=(*trial.faults, *broken_by_a_fix(found, files)))


def lint(files: Mapping[str, bytes], root: Path) -> tuple[Trial, Optional[Analysis]]:
    """Lint files; there is no analysis where that raises."""
    forget_peak()
    before, begin = peak(), time.process_time()
    try:
        with limited():
            found = engine.analyze(root, OPTIONS, replaced=files)
            confirmed = [engine.findings_in(found, path) for path in found.candidates]
    except (Exception, TooLong) as error:
        return Trial(time.process_time() - begin, peak() - before, 0, (told(error),)), None
    seconds, mebibytes = time.process_time() - begin, peak() - before
    lost = [each for file in confirmed for each in file.lost]
    faults = [
        *(f"CKP002 in {each.place}: {each.error}" for each in found.faults),
        *(f"libcst finds no node: {each.code} {each.node.kinds}" for each in lost),
        *unlike_in_the_cache(found),
        *(costs(seconds, mebibytes) if sum(map(len, files.values())) < SMALL else ()),
    ]
    return Trial(seconds, mebibytes, sum(len(each.findings) for each in confirmed), tuple(faults)), found


def costs(seconds: float, mebibytes: float) -> Iterator[str]:
    """Yield what is too much."""
    if seconds > MOST_SECONDS:
        yield f"more than {MOST_SECONDS:.0f} s"
    if mebibytes > MOST_MEBIBYTES:
        yield f"more than {MOST_MEBIBYTES} MiB"


def unlike_in_the_cache(found: Analysis) -> Iterator[str]:
    """Yield what comes back from the form of the cache as something else."""
    for path, facts in found.index.files.items() if found.index is not None else ():
        try:
            if msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=FileFacts) != facts:
                yield "facts change in the cache"
        except Exception as error:
            yield f"facts cannot be kept: {told(error)}"


def broken_by_a_fix(found: Analysis, files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the fixes that raise, or would leave a text that is no Python any more."""
    for path in found.candidates.keys() - found.broken:
        try:
            with limited():
                fixed = fix_text(files[path], engine.findings_in(found, path).findings, allowed=UNSAFE)
        except (Exception, TooLong) as error:
            yield f"fix: {told(error)}"
            continue
        if fixed.refused.startswith("the fixed file"):
            yield f"fix: {fixed.refused}"


def told(error: BaseException) -> str:
    """Return an exception with the innermost of our lines."""
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "flake8_ckpt" in code.co_filename:
            place = f" at {code.co_filename.rpartition('flake8_ckpt/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__}: {' '.join(str(error).split())[:100]}{place}"


@contextmanager
def limited() -> Iterator[None]:
    """Cut what runs for longer than anybody waits."""

    def cut(number: int, frame: Optional[FrameType]) -> None:
        raise TooLong(f"more than {PATIENCE} s")

    before = signal.signal(signal.SIGPROF, cut)
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def forget_peak() -> None:
    """Let the largest size of this process be that of now, where the system can do that."""
    with suppress(OSError):
        REFERENCES.write_text("5")


def peak() -> float:
    """Return the largest size of this process in MiB, 0 where the system does not say."""
    if sys.platform != "linux":
        return 0.0
    line = next(each for each in STATUS.read_text().splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
