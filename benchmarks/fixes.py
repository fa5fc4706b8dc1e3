"""Apply the fixes to copies of real packages, and compare the classes as they were with the fixed ones.

    python -m benchmarks.fixes FOLDER... [--deps FOLDER]

Each FOLDER is a package that can be imported from the folder around it; `--deps` is where else to look for modules.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flake8_ckpt import engine
from flake8_ckpt.findings import Finding
from flake8_ckpt.fixes.fixed_text import UNSAFE
from flake8_ckpt.fixes.fixed_text import Proposal
from flake8_ckpt.fixes.fixed_text import fix_text
from flake8_ckpt.options import ALL
from flake8_ckpt.options import Options

TIMEOUT = 900
MOVED_ONLY = ("CKP102", "CKP112")


@dataclass(frozen=True)
class Target:
    """A fix that was applied, and the class that it changed."""

    finding: Finding
    module: str
    safety: str


def main() -> None:
    """Print a line for each fix and the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--deps", type=Path)
    args = parser.parse_args()
    total: Counter[str] = Counter()
    for folder in args.folders:
        counts = check_package(folder.resolve(), args.deps)
        print(f"{folder.name}: {dict(sorted(counts.items()))}", flush=True)
        total += counts
    print(f"all: {dict(sorted(total.items()))}")


def check_package(folder: Path, deps: Path | None) -> Counter[str]:
    """Fix a copy of a package and compare what it does; return how often each thing was so."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "fixed" / folder.name
        shutil.copytree(folder, copy)
        targets = list(fix_package(copy, counts))
        files = Path(name) / "files"
        files.mkdir()
        others = [folder.parent, *([deps] if deps else [])]
        old = run_worker(others, files, targets, ["--old"])
        new = run_worker([copy.parent, *others], files, targets, [])
    for target, before, after in zip(targets, old, new, strict=True):
        verdict = compare(target, before, after)
        counts.update([f"{target.safety}: {verdict.partition(':')[0]}"])
        place = f"{target.finding.path}:{target.finding.position.line}"
        print(f"  {target.safety} {target.finding.code} {place} {target.finding.attribute}: {verdict}")
    return counts


def fix_package(copy: Path, counts: Counter[str]) -> Iterator[Target]:
    """Apply all fixes that can be, and yield those that changed a class."""
    found = engine.analyze(copy, Options(enable=(ALL,), no_cache=True))
    for path in sorted(found.candidates):
        findings = engine.findings_in(found, path).findings
        data = (copy / path).read_bytes()
        fixed = fix_text(data, findings, allowed=UNSAFE)
        counts["refused files"] += bool(fixed.refused)
        counts["left"] += len(fixed.left)
        (copy / path).write_bytes(fixed.data)
        yield from (target_of(copy.name, each) for each in fixed.applied if _is_state(each.finding))


def _is_state(finding: Finding) -> bool:
    return bool(finding.class_name and finding.attribute) and finding.code.startswith("CKP1")


def target_of(package: str, proposal: Proposal) -> Target:
    """Return what a fix changed."""
    module = (
        f"{package}/{proposal.finding.path}".removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    )
    safety = proposal.suggestion.safety if proposal.suggestion is not None else ""
    return Target(proposal.finding, module, safety)


def run_worker(
    parents: Sequence[Path], files: Path, targets: Sequence[Target], more: Sequence[str]
) -> list[dict[str, Any]]:
    """Describe the classes as they are in the first of some folders that has them."""
    wanted = "".join(
        json.dumps(
            {"module": each.module, "class": each.finding.class_name, "attribute": each.finding.attribute}
        )
        + "\n"
        for each in targets
    )
    path = os.pathsep.join([str(parents[0]), os.getcwd(), *map(str, parents[1:])])
    command = [sys.executable, "-m", "benchmarks.fixed_classes", str(files), *more]
    env = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, input=wanted, capture_output=True, text=True, timeout=TIMEOUT, env=env)
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    missing = [{"made": False, "error": f"worker: {done.stderr[-200:]}"}] * (len(targets) - len(entries))
    return entries + missing


def compare(target: Target, old: dict[str, Any], new: dict[str, Any]) -> str:
    """Return what a fix did to its class, in words that begin with the kind of outcome."""
    if not old["made"]:
        return f"not made before: {old['error']}" if not new["made"] else "made only after"
    if not new["made"]:
        return f"BROKEN: no longer made: {new['error']}"
    if old["output"] != new["output"]:
        return f"BROKEN: other output: {old['output']} {new['output']}"
    if old["held"] != new["held"] and target.finding.code != "CKP111":
        return "BROKEN: holds something else"
    if target.safety == "safe" and (old["keys"] != new["keys"] or old["cast"] != new["cast"]):
        return "BROKEN: not safe"
    if (
        old["old"] == "written"
        and new["old"] != "strict"
        and (target.safety == "safe" or new["old"] != "compatible")
    ):
        return f"BROKEN: old checkpoint: {new['old']}"
    if target.finding.code not in MOVED_ONLY and new["kept"] is False:
        return "BROKEN: not kept"
    if target.finding.code in MOVED_ONLY and new["moved"] is False:
        return "BROKEN: not moved"
    return f"proven, {'run' if new['output'] else 'not run'}: kept {old['kept']} -> {new['kept']}"


if __name__ == "__main__":
    main()
