"""Record what the linter makes of some folders, to see that a change of its insides changes nothing.

    python -m benchmarks.golden FOLDER... --output BEFORE
    python -m benchmarks.golden FOLDER... --output AFTER --against BEFORE

Findings alone are too blunt: a weakened guard may show in a table of `contract` only, and a lost fact in
nothing yet. So four texts are written for each folder, and their hashes printed: the facts of its files, the
tables of `contract`, the findings with all rules on, and where each finding ends and what it names.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import hashlib
import io
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from flake8_ckpt.cli import main as flake8_ckpt
from flake8_ckpt.facts.collect import collect_file

KINDS = ("facts", "contract", "findings", "ranges")
RANGE = ("end_line", "end_column", "class", "attribute")
SHOWN = 12


def main(arguments: Sequence[str]) -> int:
    """Record the folders; with `--against`, say what differs and return 1 if anything does."""
    asked = read_arguments(arguments)
    folders = [Path(each).resolve() for each in asked.folders]
    with multiprocessing.Pool(asked.jobs) as pool:
        records = pool.map(record, folders, chunksize=1)
    different = 0
    for name, texts in zip(names_of(folders), records):
        for kind, text in texts.items():
            place = asked.output / kind / f"{name}.txt"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        print(name, *(f"{kind} {digest(text)}" for kind, text in texts.items()))
        if asked.against is not None:
            different += sum(
                [show_difference(asked.against, name, kind, texts[kind]) for kind in asked.kinds]
            )
    print(f"{len(folders)} folders, {different} differences")
    return int(different > 0)


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.golden", description=__doc__)
    parser.add_argument("folders", nargs="+", help="projects, each read as a root of its own")
    parser.add_argument("--output", type=Path, required=True, help="where the texts are written")
    parser.add_argument("--against", type=Path, help="the texts of another run, to compare with")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="what to compare")
    parser.add_argument("--jobs", type=int, default=2, help="folders read at the same time")
    return parser.parse_args(arguments)


def names_of(folders: Sequence[Path]) -> list[str]:
    """Name each folder by the end of its path, as much of it as tells it from the others."""
    length = 1
    while len({folder.parts[-length:] for folder in folders}) < len(set(folders)):
        length += 1
    return ["+".join(folder.parts[-length:]) for folder in folders]


def record(folder: Path) -> dict[str, str]:
    """Return the four texts of a folder."""
    findings = json.loads(printed(folder, "check", "--ckpt-enable=ALL"))
    ranges = [
        (each["code"], each["path"], each["line"], [each.get(key) for key in RANGE]) for each in findings
    ]
    return {
        "facts": "\n".join(facts_in(folder)),
        "contract": indented(json.loads(printed(folder, "contract"))),
        "findings": indented(without_ranges(findings)),
        "ranges": indented(ranges),
    }


def printed(folder: Path, command: str, *options: str) -> str:
    """Return what a command of the linter prints as JSON."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")  # flake8 writes to the buffer within
    before = os.getcwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            common = ["--isolated", f"--ckpt-root={folder}", "--ckpt-no-cache", "--ckpt-jobs=1"]
            flake8_ckpt([command, "--output-format=json", *common, *options])
    except SystemExit as end:
        if end.code not in (0, 1):
            raise RuntimeError(f"{command} on {folder} exits with {end.code}") from end
    finally:
        os.chdir(before)
    out.seek(0)
    return out.read()


def facts_in(folder: Path) -> Iterator[str]:
    """Yield one line for each file: its path and the hash of its facts."""
    for path in sorted(folder.rglob("*.py")):
        facts = msgspec.json.encode(collect_file(path.read_bytes()))
        yield f"{path.relative_to(folder).as_posix()} {hashlib.sha256(facts).hexdigest()[:16]}"


def without_ranges(value: Any) -> Any:
    """Return findings without what the kind "ranges" holds."""
    if isinstance(value, dict):
        return {key: without_ranges(each) for key, each in value.items() if key not in RANGE}
    return [without_ranges(each) for each in value] if isinstance(value, list) else value


def indented(value: Any) -> str:
    """Return JSON with one value a line, so that differences can be read."""
    return json.dumps(value, indent=1, sort_keys=True)


def digest(text: str) -> str:
    """Return a short hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def show_difference(against: Path, name: str, kind: str, text: str) -> int:
    """Print the first lines that differ from the other run's; return 1 if any do."""
    before = against / kind / f"{name}.txt"
    old = before.read_text(encoding="utf-8") if before.exists() else ""
    if old == text:
        return 0
    lines = list(difflib.unified_diff(old.splitlines(), text.splitlines(), "before", "after", "", "", 2, ""))
    print(f"  {kind} of {name} differ:", *lines[:SHOWN], sep="\n    ")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
