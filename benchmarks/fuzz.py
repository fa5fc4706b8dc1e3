"""Feed the linter what nobody has written by hand: no exception, no CKP002, no long wait, no large memory.

    nice python -m benchmarks.fuzz FOLDER... --inputs 50000 --jobs 2 --keep FAULTS

Inputs come from seven sources: programs of a grammar of our domain, many of them in one file, hypothesmith, the
Python files of the folders, of the standard library with its tests and of site-packages, and such files with damaged
bytes, lines or trees. What fails is kept with its faults in a folder.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import sys
import sysconfig
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import as_completed
from contextlib import suppress
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fuzzing.damage import damaged
from benchmarks.fuzzing.damage import rearranged
from benchmarks.fuzzing.damage import regrown
from benchmarks.fuzzing.programs import joined
from benchmarks.fuzzing.programs import program
from benchmarks.fuzzing.trial import Trial
from benchmarks.fuzzing.trial import try_out
from benchmarks.table import format_table

# The share of the inputs that each source gives; all files are read where there are fewer than their share.
SHARES: Mapping[str, float] = {
    "files": 0.52,
    "grammar": 0.14,
    "joined": 0.002,
    "hypothesmith": 0.004,
    "bytes": 0.07,
    "lines": 0.12,
    "trees": 0.14,
}
# A process reads so many inputs, and the next one begins with a clean memory.
CHUNK = 100
# Files that are damaged are of a size of which many can be read.
MOST_BYTES = 60_000
# Words of files that the linter reads closely.
TELLING = (b"torch", b"state_dict", b"pickle", b"checkpoint")
LIBRARIES = ["hypothesis", "libcst", "flake8_ckpt.engine", "flake8_ckpt.checking", "benchmarks.fuzzing.trial"]
HEAD = ("source", "inputs", "findings", "CPU s", "longest s", "largest MiB", "faults")
Files = Mapping[str, bytes]
# Sources that need nothing but dice.
MADE: Mapping[str, Callable[[random.Random], Files]] = {"grammar": program, "joined": joined}


@dataclass(frozen=True)
class Chunk:
    """What one process reads: so many inputs of a source, by a seed or from some files."""

    source: str
    seed: int
    count: int
    paths: tuple[Path, ...] = ()


def main(arguments: Sequence[str]) -> int:
    """Run all, print a table and the faults by kind, and return 1 where there are any."""
    asked = read_arguments(arguments)
    paths = sorted({path for folder in [*asked.folders, *system_folders()] for path in folder.rglob("*.py")})
    chunks = list(plan(paths, asked.inputs, asked.seed, asked.sources))
    asked.keep.mkdir(parents=True, exist_ok=True)
    trials: dict[str, list[dict[str, Any]]] = {source: [] for source in asked.sources}
    end = time.monotonic() + 60 * asked.minutes
    with ThreadPoolExecutor(asked.jobs) as pool:
        asked_for = {pool.submit(run, each, asked.keep, end): each for each in chunks}
        for number, done in enumerate(as_completed(asked_for), 1):
            chunk, told = asked_for[done], done.result()
            trials[chunk.source] += told
            line = f"{number}/{len(chunks)} {chunk.source}: {len(told)}"
            print(line, *new_faults(told), sep="\n    ", file=sys.stderr, flush=True)
    print(format_table(HEAD, [row(source, told) for source, told in trials.items()]))
    faults = Counter(fault for told in trials.values() for each in told for fault in each["faults"])
    print(*(f"{count} x {fault}" for fault, count in faults.most_common()), sep="\n")
    return 1 if faults else 0


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="*", help="more folders with Python files")
    parser.add_argument("--inputs", type=int, default=50_000, help="how many inputs in all")
    parser.add_argument("--sources", nargs="+", choices=SHARES, default=list(SHARES), help="which sources")
    parser.add_argument("--seed", type=int, default=0, help="another number gives other inputs")
    parser.add_argument("--minutes", type=float, default=600, help="begin nothing new after so long")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes at a time")
    parser.add_argument("--keep", type=Path, default=Path("faults"), help="where to keep inputs that fail")
    return parser.parse_args(arguments)


def system_folders() -> Iterator[Path]:
    """Yield the folders of the standard library and of installed packages."""
    yield from {Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")}


def plan(paths: Sequence[Path], inputs: int, seed: int, sources: Sequence[str]) -> Iterator[Chunk]:
    """Yield the chunks of all sources by turns, so that an early end has seen some of each."""
    dice = random.Random(seed)
    whole = sum(SHARES[source] for source in sources)
    chosen = dice.sample(paths, min(len(paths), round(inputs * SHARES["files"] / whole)))
    telling = [path for path in paths if is_telling(path)] or list(paths)
    found = []
    for source in sources:
        count = len(chosen) if source == "files" else round(inputs * SHARES[source] / whole)
        for first in range(0, count, CHUNK):
            size = min(CHUNK, count - first)
            own = chosen[first : first + size] if source == "files" else dice.choices(telling, k=2 * size)
            found.append(Chunk(source, dice.getrandbits(32), size, tuple(own)))
    dice.shuffle(found)
    yield from found


def is_telling(path: Path) -> bool:
    """Say whether a file is worth damaging."""
    with suppress(OSError):
        data = path.read_bytes()
        return len(data) < MOST_BYTES and any(word in data for word in TELLING)
    return False


def run(chunk: Chunk, keep: Path, end: float) -> list[dict[str, Any]]:
    """Run a chunk in a process of its own, and return what became of each input; nothing after the end."""
    if time.monotonic() > end:
        return []
    with tempfile.TemporaryDirectory() as scratch:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(LIBRARIES)
        process = context.Process(target=run_here, args=(chunk, Path(scratch), keep))
        process.start()
        process.join()
        lines = (Path(scratch) / "trials").read_text().splitlines()
        told = [json.loads(line) for line in lines]
        if process.exitcode:
            files = {path.name: path.read_bytes() for path in (Path(scratch) / "input").iterdir()}
            error = (Path(scratch) / "errors").read_text().strip().rpartition("\n")[2]
            died = Trial(0.0, 0.0, 0, (f"process ended with {process.exitcode}: {error}",))
            keep_input(keep, chunk, files, died)
            told.append(asdict(died))
    return told


def run_here(chunk: Chunk, scratch: Path, keep: Path) -> None:
    """Read the inputs of a chunk; write down what becomes of each, and first the input itself."""
    warnings.simplefilter("ignore")
    sys.stderr = open(scratch / "errors", "w")
    for name in ("root", "input"):
        (scratch / name).mkdir()
    try_out({"first.py": b"import torch\nclass A(torch.nn.Module): pass\n"}, scratch / "root")
    with open(scratch / "trials", "w") as told:
        for files in inputs_of(chunk):
            for name, data in files.items():
                (scratch / "input" / name).write_bytes(data)
            trial = try_out(files, scratch / "root")
            print(json.dumps(asdict(trial)), file=told, flush=True)
            if trial.faults:
                keep_input(keep, chunk, files, trial)


def inputs_of(chunk: Chunk) -> Iterator[Files]:
    """Yield the inputs of a chunk."""
    if chunk.source == "hypothesmith":
        yield from drawn(chunk)
        return
    dice = random.Random(chunk.seed)
    if chunk.source in MADE:
        yield from (MADE[chunk.source](dice) for _ in range(chunk.count))
        return
    for index in range(chunk.count):
        with suppress(OSError, SyntaxError, ValueError, RecursionError, AttributeError, TypeError):
            yield {"input.py": one_input(chunk, index, dice)}


def one_input(chunk: Chunk, index: int, dice: random.Random) -> bytes:
    """Return a file, or one that comes of it; raises where a tree cannot be written down again."""
    data = chunk.paths[index].read_bytes()
    if chunk.source == "files":
        return data
    if chunk.source == "bytes":
        return damaged(data, dice)
    other = chunk.paths[-1 - index].read_bytes()
    if chunk.source == "lines":
        return rearranged(data, dice, other)
    return regrown(data.decode(), dice, other.decode()).encode()


def drawn(chunk: Chunk) -> list[Files]:
    """Return what hypothesmith makes: texts of any grammar, and trees of libcst."""
    import hypothesmith
    from hypothesis import HealthCheck
    from hypothesis import Phase
    from hypothesis import given
    from hypothesis import seed
    from hypothesis import settings

    found: list[Files] = []

    def note(text: str) -> None:
        found.append({"input.py": text.encode("utf-8", "surrogatepass")})

    limits = settings(
        max_examples=chunk.count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    texts = hypothesmith.from_grammar() | hypothesmith.from_node()
    seed(chunk.seed)(limits(given(texts)(note)))()
    return found


def keep_input(keep: Path, chunk: Chunk, files: Files, trial: Trial) -> None:
    """Write an input that failed, and why, into a folder of its own."""
    name = f"{chunk.source}-{chunk.seed:08x}"
    folder = keep / f"{name}-{sum(each.name.startswith(name) for each in keep.iterdir())}"
    folder.mkdir()
    for path, data in files.items():
        (folder / path).write_bytes(data)
    (folder / "faults.txt").write_text("\n".join(trial.faults) + "\n")


def new_faults(told: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the faults of a chunk, each once."""
    return sorted({fault for each in told for fault in each["faults"]})


def row(source: str, told: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sum a source up."""
    seconds, sizes = ([each[name] for each in told] or [0.0] for name in ("seconds", "mebibytes"))
    findings, faults = sum(each["findings"] for each in told), sum(bool(each["faults"]) for each in told)
    longest = f"{max(seconds):.2f}"
    return [
        source,
        f"{len(told):,}",
        f"{findings:,}",
        f"{sum(seconds):.0f}",
        longest,
        f"{max(sizes):.0f}",
        f"{faults}",
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
