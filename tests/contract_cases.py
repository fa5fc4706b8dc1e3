"""Small projects for tests of the checkpoint contract: what is written, what is read, and what belongs together.

A payload is spelled with its keys: `net step? meta(mean ...)` has the key `step` under a condition, and in
`meta` the key `mean` and others that are not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import pytest

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Finding
from flake8_ckpt.linked_project import Project
from tests.rule_cases import Case
from tests.rule_cases import lint

Expected = TypeVar("Expected")


def answers(table: Mapping[str, tuple[Case, Expected]]) -> pytest.MarkDecorator:
    """Parametrize a test with cases and what is expected of each."""
    return pytest.mark.parametrize(
        ("case", "expected"), table.values(), ids=[key.replace(" ", "-") for key in table]
    )


def link(case: Case) -> Project:
    """Link a small project."""
    files = {"train.py": case} if isinstance(case, str) else case
    return Project({path: collect_file(source.encode()) for path, source in files.items()})


def spell(payload: Value) -> str:
    """Return the keys of a payload as a text."""
    held = contents(payload)
    words = []
    for key, slot in held.slots.items():
        inner = spell(slot.value) if contents(slot.value).slots else ""
        words.append(key + ("" if slot.always else "?") + (f"({inner})" if inner else ""))
    return " ".join([*words, *(["..."] if held.open else [])])


def written(case: Case) -> list[str]:
    """Return the payloads that reach a file, each with the outermost function that writes it."""
    writings, _ = link(case).groups.final
    return sorted({f"{each.unit.function.name}: {spell(each.payload)}" for each in writings})


def read(case: Case) -> list[str]:
    """Return the keys that are read from files, each with its kind; `-` stands for the whole payload."""
    _, readings = link(case).groups.final
    return sorted({f"{'.'.join(each.keys) or '-'} {each.kind}" for each in readings})


def joined(case: Case) -> list[str]:
    """Return the families of files: the functions that write, and those that read."""
    return sorted(f"{_writers(each)} -> {_readers(each)}" for each in link(case).groups.files)


def hooked(case: Case) -> list[str]:
    """Return the pairs of hooks, each with its class."""
    hooks = [each.hook for each in link(case).groups.hooks]
    return sorted(
        f"{each.class_id}: {each.writer.function.name} -> {each.reader.function.name}"
        for each in hooks
        if each
    )


def missing(case: Case) -> list[str]:
    """Return the keys that are read and never written."""
    return sorted(".".join(each.keys) for each in link(case).contract.missing)


def unrestored(case: Case) -> list[str]:
    """Return the keys of state that is written and never read."""
    return sorted(".".join(each.keys) for each in link(case).contract.unrestored)


def contract_findings(case: Case) -> list[Finding]:
    """Return what all rules about checkpoints find, the opt-in ones too."""
    return [each for each in lint(case, enable=["ALL"]) if each.code.startswith("CKP2")]


def _writers(family: CheckpointGroup) -> str:
    return ", ".join(sorted({each.unit.function.name for each in family.saves}))


def _readers(family: CheckpointGroup) -> str:
    return ", ".join(sorted({_reader(each) for each in family.loads}))


def _reader(reading: LoadEffect) -> str:
    return reading.unit.function.name
