"""What the linter's findings are worth after a run: confirmed, refuted or not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from flake8_ckpt.evidence.collect import collect
from flake8_ckpt.evidence.text import report
from flake8_ckpt.evidence.verdicts import compare
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Position
from flake8_ckpt.findings import Related
from tests.watch.journals import MODULE
from tests.watch.journals import SAVE
from tests.watch.journals import journals_of
from tests.watch.journals import leaf
from tests.watch.journals import thing
from tests.watch.journals import write_class


def finding(code: str, attribute: str, line: int = 3) -> Finding:
    position = Position(line, 8, line, 20)
    return Finding("m.py", position, code, "lost", attribute=attribute, class_name="Thing")


@pytest.mark.parametrize(
    ("facts", "verdict", "reason"),
    [
        (leaf(), "confirmed", ""),
        (leaf(file=0), "refuted", "covered by torch.save"),
        (leaf(changed=False), "refuted", "unchanged in 20 steps"),
    ],
)
def test_verdicts(tmp_path: Path, facts: dict[str, Any], verdict: str, reason: str) -> None:
    write_class(tmp_path, "self.value += x")
    journals = journals_of(
        tmp_path,
        [{**SAVE, "keys": [], "optimizer": True}, thing(tmp_path, bases=[MODULE], leaves={"value": facts})],
    )
    evidence = collect(journals, [], 0, tmp_path)
    asked = [finding("CKP101", "value"), finding("CKP102", "value", 9), finding("CKP101", "other", 9)]
    compared = compare(evidence, asked, journals, tmp_path)
    found = {(each.code, each.attribute): (each.verdict, each.reason) for each in compared.findings}
    assert found["CKP101", "value"] == (verdict, reason)
    assert found["CKP101", "other"] == ("not seen", "")
    text = "\n".join(report(compared))
    assert ("is refuted by this run" in text) is (verdict == "refuted")


@pytest.mark.parametrize("facts", [leaf(), leaf(file=0), leaf(changed=False)])
def test_class_of_the_same_name_elsewhere_is_not_seen(tmp_path: Path, facts: dict[str, Any]) -> None:
    write_class(tmp_path, "self.value += x")
    journals = journals_of(
        tmp_path, [{**SAVE, "keys": [], "optimizer": True}, thing(tmp_path, leaves={"value": facts})]
    )
    asked = [replace(finding("CKP101", "value"), path=path) for path in ("m.py", "other.py")]
    compared = compare(collect(journals, [], 0, tmp_path), asked, journals, tmp_path)
    assert [each.verdict == "not seen" for each in compared.findings] == [False, True]


@pytest.mark.parametrize(("changed", "verdict"), [(False, "confirmed"), (True, "not seen")])
def test_normalizer_that_is_never_updated(tmp_path: Path, changed: bool, verdict: str) -> None:
    write_class(tmp_path, "self.value += x")
    part = thing(tmp_path, name="Part", leaves={"value": leaf(changed=changed)}, owners=[[1, "rms"]])
    journals = journals_of(
        tmp_path, [{**SAVE, "keys": [], "optimizer": True}, part, thing(tmp_path, id=1, leaves={})]
    )
    asked = replace(finding("CKP210", "", 90), key="rms")
    compared = compare(collect(journals, [], 0, tmp_path), [asked], journals, tmp_path)
    assert [each.verdict for each in compared.findings] == [verdict]


def test_object_that_was_never_used_beside_a_saved_one(tmp_path: Path) -> None:
    write_class(tmp_path, "self.value += x")
    saved, idle = ({"value": leaf(file=0)}, {"value": leaf(changed=False)})
    objects = [thing(tmp_path, id=number, leaves=leaves) for number, leaves in enumerate((saved, idle))]
    journals = journals_of(tmp_path, [{**SAVE, "keys": [], "optimizer": True}, *objects])
    compared = compare(collect(journals, [], 0, tmp_path), [finding("CKP101", "value")], journals, tmp_path)
    assert [(each.verdict, each.reason) for each in compared.findings] == [
        ("refuted", "covered by torch.save")
    ]


@pytest.mark.parametrize(
    ("line", "holder", "verdict"),
    [
        (17, "things", "confirmed"),
        (17, "others", "not seen"),
        (16, "things", "not seen"),
    ],
)
def test_finding_on_what_a_load_restores(tmp_path: Path, line: int, holder: str, verdict: str) -> None:
    write_class(tmp_path, "self.value += x")
    restore = 'def load(thing, state):\n    if "value" in state:\n        thing.value = state["value"]\n'
    with (tmp_path / "m.py").open("a") as file:
        file.write(f"\n\n{restore.replace('thing', 'things')}")
    variable = [str(tmp_path / "m.py"), "load", holder]
    journals = journals_of(
        tmp_path, [{**SAVE, "keys": [], "optimizer": True}, thing(tmp_path, variable=variable)]
    )
    evidence = collect(journals, [], 0, tmp_path)
    restored = Related("m.py", Position(line, 0, line, 40), "'value' is restored here")
    asked = Finding("m.py", Position(90, 0, 90, 9), "CKP201", "lost", (restored,), key="value")
    (found,) = compare(evidence, [asked], journals, tmp_path).findings
    assert (len(evidence.losses), found.verdict) == (1, verdict)
