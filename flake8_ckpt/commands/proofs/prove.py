"""The subcommand `prove`: run the code that a finding speaks of, and see whether what it calls lost is lost."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

from flake8.exceptions import ExecutionError
from flake8.options.manager import OptionManager
from msgspec.structs import replace

from flake8_ckpt import engine
from flake8_ckpt.commands.arguments import declare_ours
from flake8_ckpt.commands.arguments import read_options
from flake8_ckpt.commands.proofs.proof import Proof
from flake8_ckpt.commands.proofs.proof import proofs_of
from flake8_ckpt.commands.proofs.proof_text import as_json
from flake8_ckpt.commands.proofs.proof_text import as_text
from flake8_ckpt.commands.proofs.proof_text import summary
from flake8_ckpt.commands.proofs.watched_run import WatchedRun
from flake8_ckpt.commands.proofs.watched_run import read_run
from flake8_ckpt.findings import Finding
from flake8_ckpt.index.cache import paused_gc
from flake8_ckpt.options import ALL
from flake8_ckpt.options import Options
from flake8_ckpt.rules.base import all_rules
from flake8_ckpt.selection import asked_paths
from flake8_ckpt.selection import is_under
from flake8_ckpt.selection import jobs_for
from flake8_ckpt.selection import project_path
from flake8_ckpt.selection import root_for

PROVEN, REFUTED, NOT_BUILT = 0, 1, 2
PLACE = re.compile(r"(.+):(\d+)")
CODE = re.compile(r"CKP\d+")
UNUSED = frozenset(["--bug-report", "--enable-extensions", "--require-plugins", "--output-file"])
# Findings of the linter itself have nothing to run.
OWN = ("CKP0",)
WARNING = (
    "prove imports and runs this project's code, as you asked: each class in a process of its own,"
    " with {seconds} s, {memory} GB of memory and no network"
)


def prove_findings(arguments: Sequence[str]) -> int:
    """Prove the findings that are asked for; return 0 if all are proven, 1 if one is refuted, else 2."""
    from flake8_ckpt.runtime.prove.launch import GIBIBYTES
    from flake8_ckpt.runtime.prove.launch import SECONDS

    namespace, options, configuration = read_options(arguments, _declare)
    target = _target(namespace)
    run = read_run(namespace.evidence)
    root = root_for(namespace, options, configuration.folder).absolute()
    with paused_gc():
        found = engine.analyze(
            root,
            replace(options, enable=_enabled(target, options)),
            paths=asked_paths([name for name in namespace.filenames if Path(name).is_file()], options, root),
            jobs=jobs_for(options),
        )
    findings = _asked(found, target, namespace.filenames)
    print(
        f"flake8-ckpt: note: {WARNING.format(seconds=SECONDS, memory=GIBIBYTES)}", file=sys.stderr, flush=True
    )
    return _show(proofs_of(found, findings, run), namespace, run)


def _show(proofs: Iterator[Proof], namespace: argparse.Namespace, run: WatchedRun) -> int:
    """Print each proof as it comes, or all as JSON, and return the exit code."""
    shown: list[Proof] = []
    for proof in proofs:
        shown.append(proof)
        if namespace.output_format == "text":
            print(as_text(proof, run), flush=True)
    print(json.dumps(as_json(shown), indent=2) if namespace.output_format == "json" else summary(shown))
    verdicts = {proof.before.verdict for proof in shown}
    if "refuted" in verdicts:
        return REFUTED
    return PROVEN if verdicts == {"proven"} else NOT_BUILT


def _target(namespace: argparse.Namespace) -> str:
    """Take what is to be proven from the arguments: a place, a code, or nothing for all; what is left are paths."""
    names = list(namespace.filenames) if namespace.filenames != ["."] or namespace.all else []
    if namespace.all:
        target = ""
    elif not names:
        raise ExecutionError("prove: name a finding as FILE:LINE or by its code, or give --all PATH")
    else:
        target = names.pop(0)
    place = PLACE.fullmatch(target)
    if place is not None and Path(place[1]).is_file():
        if names:
            raise ExecutionError(f"prove: give one FILE:LINE at a time, without {names[0]!r}")
        names = [place[1]]
    elif target and not CODE.fullmatch(target):
        raise ExecutionError(
            f"prove: {target!r} is neither FILE:LINE of a file that exists nor a code such as CKP101"
        )
    for name in names:
        if not Path(name).exists():
            raise ExecutionError(f"path does not exist: {name!r}")
    namespace.filenames = names or ["."]
    return target


def _enabled(target: str, options: Options) -> tuple[str, ...]:
    """Return which opt-in rules run: at a place all of them, and the one that is named."""
    if PLACE.fullmatch(target):
        return (ALL,)
    if target and target not in {rule.code for rule in all_rules()}:
        raise ExecutionError(f"prove: there is no rule {target}; `flake8-ckpt rules` lists them")
    return (*options.enable, target) if target else options.enable


def _asked(found: engine.Analysis, target: str, names: Sequence[str]) -> list[Finding]:
    """Return the findings that are asked for; raise where there are none."""
    place = PLACE.fullmatch(target)
    known = found.survey.digests
    if place is not None:
        path = project_path(found.root, place[1], known)
        here = [each for each in _findings(found) if each.path == path]
        line = int(place[2])
        at = [each for each in here if each.position.line <= line <= each.position.end_line]
        if not at:
            lines = ", ".join(f"{each.position.line} ({each.code})" for each in here)
            there = f"; those of this file stand at {lines}" if here else "; this file has none"
            raise ExecutionError(f"prove: there is no finding at {target}{there}")
        return at
    asked = [project_path(found.root, name, known) for name in names]
    chosen = [
        each
        for each in _findings(found)
        if (not target or each.code == target) and any(is_under(each.path, one) for one in asked)
    ]
    if not chosen:
        raise ExecutionError(f"prove: there is no finding{f' of {target}' if target else ''} to prove")
    return chosen


def _findings(found: engine.Analysis) -> list[Finding]:
    paths = sorted(found.candidates)
    findings = [each for path in paths for each in engine.findings_in(found, path).findings]
    return [each for each in findings if not each.code.startswith(OWN)]


def _declare(manager: OptionManager) -> None:
    manager.add_option(
        "--evidence", metavar="file", default="", help="What `flake8-ckpt watch --output` wrote."
    )
    manager.add_option("--all", action="store_true", help="Prove all findings under the paths.")
    declare_ours(manager, "prove", "the verdicts", unused=UNUSED)
    manager.parser.usage = "%(prog)s [options] FILE:LINE | CODE [path ...] | --all [path ...]"
    manager.parser.description = (
        "Prove findings by running the code: import the class, make an object, let the method run that changes what"
        " is said to be lost, save and load it, and look. Then the fix of the rule is applied to a copy and proven"
        " too. This runs your code: in a process with limits of time and memory, without a network. Ends with 0 if"
        " all is proven, 1 if something is refuted (a false alarm: please report it), 2 if nothing could be run."
    )
