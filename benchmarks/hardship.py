"""Be hard on the cache of a real project: no wrong findings, no traceback, and a cache that works afterwards.

    python -m benchmarks.hardship FOLDER --kills 200

Runs are killed at random moments, begin at once on a cold cache, find files of it damaged or gone, and a disk with
no room, where this user may mount one. Every answer is compared with that of a run without a cache.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from benchmarks.table import format_table
from flake8_ckpt import engine
from flake8_ckpt.index.folder import FOLDER
from flake8_ckpt.index.signature import KEY_VARIABLE
from flake8_ckpt.options import Options

CHECK = (sys.executable, "-m", "flake8_ckpt", "check", "--isolated", "--no-summary", "--ckpt-root=.", ".")
FLAKE8 = (sys.executable, "-m", "flake8", "--isolated", "--select=CKP", "--ckpt-root=.", "-j1", ".")
HEAD = ("hardship", "times", "in the middle", "wrong answers", "tracebacks", "cache at a loss")
AT_ONCE = 8
DAMAGES = 60


@dataclass
class Tally:
    """What was seen: how often, and how often it hit a run in the middle, gave a wrong answer or a broken cache."""

    times: int = 0
    hits: int = 0
    wrong: int = 0
    tracebacks: int = 0
    lost: int = 0


@dataclass
class Victim:
    """A copy of a project with two states of one file, the right answer to each, and where its cache lies."""

    root: Path
    dice: random.Random
    texts: Sequence[bytes] = ()
    answers: dict[int, str] = field(default_factory=dict)
    state: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, source: Path, scratch: Path, dice: random.Random) -> Victim:
        """Copy a project; its second state lacks the second half of the file with most findings."""
        shutil.copytree(source, scratch / "tree", ignore=shutil.ignore_patterns(".git", "__pycache__"))
        found = cls(scratch / "tree", dice)
        paths = [line.split(":")[0] for line in found.check("--ckpt-no-cache").stdout.decode().splitlines()]
        path = max(sorted(set(paths)), key=paths.count)
        text = (found.root / path).read_bytes()
        lines = text.splitlines(keepends=True)
        found.file, found.texts = found.root / path, (text, b"".join(lines[: len(lines) // 2]))
        for state in (1, 0):
            found.turn(state)
            begin = time.perf_counter()
            found.answers[state] = found.check("--ckpt-no-cache").stdout.decode()
            found.seconds = time.perf_counter() - begin
        return found

    file: Path = Path()

    @property
    def cache(self) -> Path:
        """Return the folder of the cache."""
        return self.root / FOLDER

    def turn(self, state: int) -> None:
        """Bring the project into a state."""
        self.file.write_bytes(self.texts[state])
        self.state = state

    def check(self, *options: str) -> subprocess.CompletedProcess[bytes]:
        """Run the command."""
        return subprocess.run([*CHECK, *options], cwd=self.root, capture_output=True)

    def judge(self, tally: Tally) -> None:
        """Ask again, and then once more: the answer is right, and the second one comes from the cache."""
        done = self.check()
        tally.times += 1
        tally.wrong += done.stdout.decode() != self.answers[self.state]
        tally.tracebacks += b"Traceback" in done.stderr
        self.check()
        tally.lost += engine.analyze(self.root, Options(root=self.root)).index is not None


def killed(victim: Victim, count: int) -> Tally:
    """Kill runs of both front ends at random moments: with a cold cache, a changed file, and nothing changed."""
    tally = Tally()
    for number in range(count):
        victim.turn(victim.dice.randrange(2))
        if number % 4 == 0:
            shutil.rmtree(victim.cache, ignore_errors=True)
        command = FLAKE8 if number % 5 == 0 else CHECK
        process = subprocess.Popen(
            command, cwd=victim.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(victim.dice.uniform(0, 1.1 * victim.seconds))
        process.send_signal(signal.SIGKILL)
        tally.hits += process.wait() == -signal.SIGKILL
        victim.judge(tally)
    return tally


def at_once(victim: Victim, count: int) -> Tally:
    """Begin eight runs of flake8 on a cold cache, for a user who has no key yet."""
    tally = Tally()
    for _ in range(max(1, count // 50)):
        shutil.rmtree(victim.cache, ignore_errors=True)
        with tempfile.TemporaryDirectory() as home:
            env = {**os.environ, "XDG_CACHE_HOME": home, KEY_VARIABLE: ""}
            runs = [
                subprocess.Popen(
                    FLAKE8, cwd=victim.root, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
                )
                for _ in range(AT_ONCE)
            ]
            ends = [each.communicate() for each in runs]
        said = {out.decode() for out, _ in ends}
        tally.hits += AT_ONCE
        tally.wrong += said != {victim.answers[victim.state]}
        tally.tracebacks += sum(b"Traceback" in error for _, error in ends)
        victim.judge(tally)
    return tally


def damaged(victim: Victim, count: int) -> Tally:
    """Cut files of the cache, turn bits of them round, put one in the place of another, and lose them."""
    tally = Tally()
    for number in range(min(count, DAMAGES)):
        victim.judge(Tally())
        path = victim.dice.choice(sorted(victim.cache.glob("*.bin")))
        data = bytearray(path.read_bytes())
        place = victim.dice.randrange(len(data))
        if number % 4 == 0:
            del data[place:]
        elif number % 4 == 1:
            data[place] ^= 1 << victim.dice.randrange(8)
        elif number % 4 == 2:
            data = bytearray(victim.dice.choice(sorted(victim.cache.glob("*.bin"))).read_bytes())
        path.unlink() if number % 4 == 3 else path.write_bytes(data)
        tally.hits += 1
        victim.judge(tally)
    return tally


def gone(victim: Victim, count: int) -> Tally:
    """Delete the folder of the cache again and again while runs go on."""
    tally = Tally()
    stop = threading.Event()

    def delete() -> None:
        while not stop.wait(victim.seconds / 20):
            shutil.rmtree(victim.cache, ignore_errors=True)

    for _ in range(max(1, count // 20)):
        thread = threading.Thread(target=delete)
        thread.start()
        done = victim.check()
        stop.set()
        thread.join()
        stop.clear()
        tally.wrong += done.stdout.decode() != victim.answers[victim.state]
        tally.hits += 1
        victim.judge(tally)
    return tally


def no_room(victim: Victim, count: int) -> Tally:
    """Let the cache lie on a disk that is full, or fills; nothing where this user may not mount one."""
    tally = Tally()
    shutil.rmtree(victim.cache, ignore_errors=True)
    victim.cache.mkdir()
    for size in ("4k", "64k", "256k"):
        mount = ("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(victim.cache))
        if subprocess.run(mount, capture_output=True).returncode:
            continue
        try:
            for state in (0, 1, 0):
                victim.turn(state)
                done = victim.check()
                tally.times += 1
                tally.hits += not list(victim.cache.glob("facts-*"))
                tally.wrong += done.stdout.decode() != victim.answers[state]
                tally.tracebacks += b"Traceback" in done.stderr
                tally.lost += bool(list(victim.cache.glob("*.tmp")))
        finally:
            subprocess.run(("umount", str(victim.cache)), check=True)
    shutil.rmtree(victim.cache)
    return tally


HARDSHIPS: Mapping[str, Callable[[Victim, int], Tally]] = {
    "killed": killed,
    "eight at once": at_once,
    "damaged files": damaged,
    "deleted in mid-run": gone,
    "no room": no_room,
}


def rows(folder: Path, asked: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """Yield a row for each hardship."""
    with tempfile.TemporaryDirectory() as scratch:
        victim = Victim.of(folder, Path(scratch), random.Random(asked.seed))
        for name in asked.only:
            tally = HARDSHIPS[name](victim, asked.kills)
            numbers = (tally.times, tally.hits, tally.wrong, tally.tracebacks, tally.lost)
            yield name, *map(str, numbers)
            print(name, tally, file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Print the table; return 1 where anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hardship", description=__doc__)
    parser.add_argument("folder", type=Path, help="a project; a copy of it is used")
    parser.add_argument("--kills", type=int, default=200, help="how many runs to kill")
    parser.add_argument("--only", nargs="+", choices=HARDSHIPS, default=list(HARDSHIPS), help="which ones")
    parser.add_argument("--seed", type=int, default=0, help="another number gives other moments")
    asked = parser.parse_args(arguments)
    table = list(rows(asked.folder.resolve(), asked))
    print(format_table(HEAD, table))
    return int(any(each != "0" for row in table for each in row[3:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
