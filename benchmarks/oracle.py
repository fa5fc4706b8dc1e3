"""Score the linter against what the objects of real packages hold after construction, or record that anew.

`score` reads such a record; `make` writes one and is the only part that needs torch.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from benchmarks.agreement import ARGUABLE
from benchmarks.agreement import JUDGED
from benchmarks.agreement import RIGHT
from benchmarks.agreement import UNJUDGED
from benchmarks.agreement import WRONG
from benchmarks.agreement import Constructed
from benchmarks.agreement import Package
from benchmarks.agreement import Tensor
from benchmarks.agreement import Verdict
from benchmarks.agreement import is_found
from benchmarks.agreement import is_reachable
from benchmarks.agreement import judge
from benchmarks.agreement import read_objects
from benchmarks.linter import lint
from benchmarks.scope import read_hierarchy
from benchmarks.table import format_table
from benchmarks.table import percent


def read_packages(objects: dict[str, list[Constructed]], directory: Path, enable: str) -> Iterator[Package]:
    """Lint the packages of a record one after the other; those that are not there are said so."""
    for name, constructed in objects.items():
        root = find_package(directory, name)
        if root is None:
            print(f"{name}: not in {directory}, left out", file=sys.stderr)
        else:
            yield Package(name, tuple(constructed), read_hierarchy(root), tuple(lint(root, enable)))


def find_package(directory: Path, name: str) -> Optional[Path]:
    """Return the directory of an unpacked wheel, however its name is spelt."""
    wanted = normalized(name)
    return next((path for path in sorted(directory.iterdir()) if normalized(path.name) == wanted), None)


def normalized(name: str) -> str:
    """Return a distribution's name in the one spelling that all of its spellings share."""
    return re.sub(r"[-_.]+", "-", name).lower()


def format_recall(packages: Sequence[Package]) -> str:
    """Count the plain tensors by package and list those not found."""
    rows = []
    missed = []
    total: Counter[str] = Counter()
    for package in packages:
        counts, lines = recall_of(package)
        total += counts
        missed += lines
        rows += [recall_row(package.name, counts)] if counts else []
    head = ["package", "plain tensors", "found", "percent", "set in the package", "percent"]
    return "\n".join([format_table(head, [*rows, recall_row("all", total)]), "", "not found:", *missed])


def recall_of(package: Package) -> tuple[Counter[str], list[str]]:
    """Count one package's plain tensors; describe those not found."""
    counts: Counter[str] = Counter()
    missed = []
    for owner in package.objects:
        for tensor in owner.plain:
            found, reachable = is_found(tensor, owner, package), is_reachable(tensor, package)
            counts.update(all=1, found=int(found), reachable=int(reachable), both=int(found and reachable))
            if not found:
                missed.append(f"  {owner.label}.{tensor.attribute} {format_places(tensor)}")
    return counts, missed


def recall_row(name: str, counts: Counter[str]) -> list[object]:
    """Lay out one package's counts over both denominators: all, and those that its own lines set."""
    every, inside = percent(counts["found"], counts["all"]), percent(counts["both"], counts["reachable"])
    return [name, counts["all"], counts["found"], every, counts["reachable"], inside]


def format_places(tensor: Tensor) -> str:
    """List the places that set a tensor."""
    return ", ".join(f"{path}:{line}" for path, line in sorted(tensor.at))


def format_verdicts(verdicts: Sequence[Verdict]) -> str:
    """Count the findings on constructed classes by rule and list all but the right ones."""
    codes = sorted({verdict.report.code for verdict in verdicts})
    rows = [verdict_row(code, [v for v in verdicts if v.report.code == code]) for code in codes]
    head = ["rule", "findings", RIGHT, ARGUABLE, WRONG, UNJUDGED, "wrong of judged", "wrong at most"]
    table = format_table(head, [*rows, verdict_row("all", verdicts)])
    doubtful = sorted((v for v in verdicts if v.word != RIGHT), key=lambda v: (v.word, v.package))
    return "\n".join([table, "", *(format_verdict(verdict) for verdict in doubtful)])


def verdict_row(code: str, verdicts: Sequence[Verdict]) -> list[object]:
    """Count one rule's findings; those not judged for their arguments are wrong at worst."""
    counts = Counter(verdict.word for verdict in verdicts)
    words = [counts[word] for word in (RIGHT, ARGUABLE, WRONG, UNJUDGED)]
    judged = sum(words[:3])
    open_ones = sum(verdict.word == UNJUDGED and verdict.report.code in JUDGED for verdict in verdicts)
    worst = percent(counts[WRONG] + open_ones, judged + open_ones)
    return [code, len(verdicts), *words, percent(counts[WRONG], judged), worst]


def format_verdict(verdict: Verdict) -> str:
    """Describe one finding in a line."""
    report = verdict.report
    where = f"{report.place.path}:{report.place.line}"
    return f"  {verdict.word}: {verdict.package} {where} {report.code} {report.message} [{verdict.reason}]"


def format_share(packages: Sequence[Package], verdicts: Sequence[Verdict]) -> str:
    """Say how many findings the judgement is about."""
    classes = sum(len(package.objects) for package in packages)
    findings = sum(len(package.reports) for package in packages)
    return f"{findings} findings, {len(verdicts)} of them on the {classes} constructed classes"


def score(record: Path, directory: Path, enable: str) -> None:
    """Print both scores."""
    packages = list(read_packages(read_objects(record), directory, enable))
    verdicts = [verdict for package in packages for verdict in judge(package)]
    print(format_recall(packages), format_share(packages, verdicts), sep="\n\n")
    print(f"\n{format_verdicts(verdicts)}")


def make(packages: Iterable[str], output: Path, limit: float) -> None:
    """Construct the classes of installed packages, each package in its own process, and write the record."""
    with output.open("w", encoding="utf-8") as stream:
        for package in packages:
            lines = list(construct(package, limit))
            stream.writelines(f"{line}\n" for line in lines)
            print(f"{package}: {len(lines)} classes constructed", file=sys.stderr)


def construct(package: str, limit: float) -> Iterator[str]:
    """Yield the record's lines; a process that dies or hangs is begun again after the class it was at."""
    start: Optional[int] = 0
    while start is not None:
        command = [sys.executable, "-m", "benchmarks.construct", package, "--start", str(start)]
        lines = output_of(command, limit).splitlines()
        yield from (line for line in lines if line.startswith("{"))
        begun = [int(line.split()[1]) for line in lines if line.startswith("at ")]
        start = begun[-1] + 1 if begun and lines[-1] != "done" else None


def output_of(command: list[str], limit: float) -> str:
    """Run a command for at most `limit` seconds and return what it printed until then."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=limit)
    except subprocess.TimeoutExpired as error:
        return (error.stdout or b"").decode("utf-8", "replace")
    if done.returncode:
        print(done.stderr.decode("utf-8", "replace"), file=sys.stderr)
    return done.stdout.decode("utf-8", "replace")


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.oracle", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    scoring = commands.add_parser("score", help="score the linter against a record")
    scoring.add_argument("record", type=Path, metavar="ORACLE.jsonl")
    scoring.add_argument("--packages", type=Path, required=True, help="unpacked wheels, one directory each")
    scoring.add_argument("--enable", default="", help="opt-in rules to score too, or ALL")
    making = commands.add_parser("make", help="construct the module classes of installed packages")
    making.add_argument("packages", nargs="+", metavar="PACKAGE")
    making.add_argument("--output", type=Path, required=True)
    making.add_argument("--limit", type=float, default=600.0, help="seconds for one process")
    return parser


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run one of the two commands."""
    options = build_parser().parse_args(argv)
    if options.command == "make":
        make(options.packages, options.output, options.limit)
    else:
        score(options.record, options.packages, options.enable)
    return 0


if __name__ == "__main__":
    sys.exit(main())
