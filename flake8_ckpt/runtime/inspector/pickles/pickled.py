"""Read a plain pickle, such as the statistics of a `VecNormalize`."""

from __future__ import annotations

from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.content import Tree
from flake8_ckpt.runtime.inspector.content import describe_unsafe
from flake8_ckpt.runtime.inspector.content import walk_member
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.report import Finding


def read_pickle(region: Region) -> Content:
    """Return the first pickle of a file, which is all that `pickle.load` reads."""
    walked = walk_member(region, "the pickle")
    findings = describe_unsafe(walked.globals, "the pickle")
    if walked.references:
        message = "the pickle refers to objects outside of it: pickle.load refuses it"
        findings = (*findings, Finding("damaged", message))
    rest = region.size - walked.end
    notes = (f"{rest:,} bytes follow the pickle; they were not looked into",) if rest else ()
    return Content("pickle", (Tree(walked.value),), findings, notes)
