"""Read a plain pickle, such as the statistics of a `VecNormalize`, and the pickles that follow it."""

from __future__ import annotations

from typing import Optional

from flake8_ckpt.runtime.inspector.budget import Budget
from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.content import Tree
from flake8_ckpt.runtime.inspector.content import describe_unsafe
from flake8_ckpt.runtime.inspector.content import walk_member
from flake8_ckpt.runtime.inspector.pickles.safety import level_of
from flake8_ckpt.runtime.inspector.pickles.walker import PickleError
from flake8_ckpt.runtime.inspector.pickles.walker import Walked
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.report import Finding

MOST_PICKLES = 1000


def read_pickle(region: Region, budget: Optional[Budget] = None) -> Content:
    """Return the pickles of a file: the first, which `pickle.load` reads, and those behind it, by their number."""
    budget = budget or Budget()
    walked = walk_member(region, "the pickle", budget=budget)
    found = _content(walked, "the pickle", ())
    more = read_rest(region, walked.end, budget)
    trees, findings = (*found.trees, *more.trees), (*found.findings, *more.findings)
    return Content("pickle", trees, findings, more.notes)


def _content(walked: Walked, place: str, prefix: tuple[str, ...]) -> Content:
    findings = describe_unsafe(walked.globals, place)
    if walked.references:
        message = f"{place} refers to objects outside of it: pickle.load refuses it"
        findings = (*findings, Finding("damaged", message))
    return Content("pickle", (Tree(walked.value, prefix=prefix),), findings)


def read_rest(region: Region, end: int, budget: Budget) -> Content:
    """Return what follows the first pickle of a file: more pickles, each of which a further load would read."""
    trees: list[Tree] = []
    findings: list[Finding] = []
    for number in range(2, MOST_PICKLES):
        if end >= region.size:
            break
        place = f"pickle {number}"
        try:
            walked = walk_member(region, f"{place}, at byte {end:,}", end, budget)
        except PickleError as error:
            return Content("", tuple(trees), (*findings, *_refusal(error)), (_note(region.size - end),))
        content = _content(walked, place, (place,))
        trees += content.trees
        findings += content.findings
        end = walked.end
    notes = (_note(region.size - end),) if end < region.size else ()
    return Content("", tuple(trees), tuple(findings), notes)


def _note(rest: int) -> str:
    return f"{rest:,} bytes at the end are no pickle; nothing reads them with the file"


def _refusal(error: PickleError) -> tuple[Finding, ...]:
    """Return a finding where the rest names a command before it proves to be no pickle."""
    if any(level_of(use) == "command" for use in error.globals):
        return (Finding("unsafe", str(error), "the rest of the file", "command"),)
    return ()
