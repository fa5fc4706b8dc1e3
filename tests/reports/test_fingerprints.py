"""Fingerprints: the same for the same loss, wherever it moves and however it is worded."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from flake8_ckpt.engine import check
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.fingerprints import fingerprint
from flake8_ckpt.fingerprints import fingerprints
from flake8_ckpt.options import Options
from tests.front_end import NORMALIZER
from tests.front_end import write

LOST = Finding(
    "pkg/a.py", Position(8, 8, 8, 9), "CKP101", "lost", attribute="mean", class_name="N", symbol="N.__init__"
)
# In the same function, two payloads lack the same key.
READS = """\
import torch


def save(model, path):
    torch.save({"model": model.state_dict()}, path)


def load(model, optimizer, path):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    optimizer.load_state_dict(checkpoint["optim"])
    optimizer.step()


def main(model, optimizer):
    load(model, optimizer, "a.pt")
    save(model, "a.pt")
"""


@pytest.mark.parametrize(
    "change",
    [
        {"message": "in other words"},
        {"position": Position(80, 4, 81, 2)},
        {"exact": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_stays_the_same(change: dict[str, object]) -> None:
    assert fingerprint(replace(LOST, **change)) == fingerprint(LOST)


@pytest.mark.parametrize("field", ["code", "path", "attribute", "class_name", "symbol"])
def test_another_loss_is_another(field: str) -> None:
    assert fingerprint(replace(LOST, **{field: "other"})) != fingerprint(LOST)


def test_key_stands_for_an_attribute() -> None:
    by_key = replace(LOST, attribute="", key="mean")
    assert fingerprint(by_key) != fingerprint(replace(by_key, key="var"))


def test_two_alike_are_told_apart() -> None:
    later = replace(LOST, position=Position(9, 8, 9, 9))
    found = fingerprints([later, LOST])
    assert found[LOST] == fingerprint(LOST) != found[later]
    assert fingerprints([LOST, later]) == found


def test_path_that_is_no_text_has_one() -> None:
    assert len(fingerprint(replace(LOST, path="caf\udce9.py"))) == 16


def test_rules_say_what_is_lost(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER, "b.py": READS})
    found = {each.code: each for each in check(tmp_path, Options(no_cache=True))}
    assert (found["CKP101"].attribute, found["CKP101"].symbol) == ("mean", "Normalizer.__init__")
    assert (found["CKP202"].key, found["CKP202"].symbol) == ("optim", "load")


def test_moved_code_keeps_it(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": READS})
    (before,) = check(tmp_path, Options(no_cache=True))
    write(tmp_path, {"a.py": READS.replace("def load", '"""Moved."""\n\nNOTHING = None\n\n\ndef load')})
    (after,) = check(tmp_path, Options(no_cache=True))
    assert before.position != after.position
    assert fingerprint(before) == fingerprint(after)
