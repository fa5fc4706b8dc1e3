"""The judge: what is noise, what is state, and where it stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flake8_ckpt.evidence.collect import collect
from flake8_ckpt.evidence.evidence_file import EvidenceError
from flake8_ckpt.evidence.evidence_file import WritableFile
from flake8_ckpt.evidence.evidence_file import encode
from flake8_ckpt.evidence.evidence_file import read_evidence
from flake8_ckpt.evidence.text import report
from flake8_ckpt.evidence.variables import nature_of_variable
from flake8_ckpt.source.text import parse
from tests.watch.journals import MODULE
from tests.watch.journals import SAVE
from tests.watch.journals import journals_of
from tests.watch.journals import judged
from tests.watch.journals import leaf
from tests.watch.journals import library
from tests.watch.journals import thing
from tests.watch.journals import write_class


@pytest.mark.parametrize(
    ("update", "kind", "noise"),
    [
        ("self.value = x", "tensor", "overwritten"),
        ("self.value[i] = x", "tensor", "store"),
        ("self.value.append(x)", "container", "history"),
        ("self.value.fill_(3)", "tensor", "overwritten"),
        ("self.value.copy_(x)", "tensor", "overwritten"),
        ("value = self.value + x\nprint(value)", "tensor", "unread"),
        ("self.other += 1", "tensor", "unread"),
        ("self.value: float = 0.0", "number", "reset"),
    ],
)
def test_noise(tmp_path: Path, update: str, kind: str, noise: str) -> None:
    write_class(tmp_path, update)
    evidence = judged(tmp_path, thing(tmp_path, leaves={"value": leaf(kind)}))
    assert (evidence.losses, evidence.noise) == ((), {noise: 1})


@pytest.mark.parametrize(
    "update",
    [
        "self.value += x",
        "self.value = 0.9 * self.value + x",
        "old = self.value\nself.value = old + x",
        "self.value, y = self.value + x, 1",
        "self.value, y = merge(self.value, x)",
        "self.value.mul_(0.9).add_(x)",
        "self.value.data.lerp_(x, 0.1)",
        "self.value[:] = self.value + x",
        "self.value[i] = self.value[i] + x",
        "if x > self.value:\n    self.value = x",
        "torch.add(self.value, x, out=self.value)",
        "for name, old in self.value.items():\n    old.mul_(x)",
        "for old, new in zip(self.value, x):\n    old.add_(new)",
        "self.value = self.normalize(x)",
        "with no_grad():\n    try:\n        self.value += x\n    finally:\n        pass",
        "def inner():\n    self.value += x\ninner()",
        "match i:\n    case 1:\n        self.value += x",
    ],
)
def test_state_is_written_from_its_old_value(tmp_path: Path, update: str) -> None:
    write_class(tmp_path, update)
    (loss,) = judged(tmp_path, thing(tmp_path, bases=[MODULE])).losses
    assert (loss.code, loss.kind, loss.file, loss.line) == ("CKP101", "state", "m.py", 3)
    assert (loss.owner, loss.attributes) == ("Thing", ("value",))


def test_value_that_an_episode_sets_back(tmp_path: Path) -> None:
    write_class(tmp_path, "self.value += x", reset="self.value = zeros(3)")
    assert judged(tmp_path, thing(tmp_path)).noise == {"reset": 1}


def test_statistics_that_a_constructor_resets(tmp_path: Path) -> None:
    write_class(tmp_path, "self.value += x", first="0\n        self.reset()", reset="self.value = zeros(3)")
    assert [loss.code for loss in judged(tmp_path, thing(tmp_path)).losses] == ["CKP204"]


def test_statistic_that_was_fitted_once(tmp_path: Path) -> None:
    write_class(tmp_path, "self.mean = x.mean()")
    (tmp_path / "m.py").write_text((tmp_path / "m.py").read_text().replace("self.value", "self.mean"))
    fitted = thing(tmp_path, leaves={"mean": leaf("tensor", "none", prints=2)})
    assert [loss.kind for loss in judged(tmp_path, fitted).losses] == ["fitted"]
    changing = thing(tmp_path, leaves={"mean": leaf("tensor", "none", prints=5)})
    assert judged(tmp_path, changing).noise == {"overwritten": 1}


def test_value_that_another_object_writes(tmp_path: Path) -> None:
    writes = "\n\ndef train(thing, x):\n    thing.value = 0.9 * thing.value + x\n"
    (tmp_path / "m.py").write_text("class Thing:\n    value: object\n" + writes)
    (loss,) = judged(tmp_path, thing(tmp_path)).losses
    assert (loss.code, loss.line) == ("CKP204", 6)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (leaf("array"), "CKP106"),
        (leaf("container"), "CKP104"),
        (leaf("number"), "CKP110"),
        (leaf("tensor", "none"), "CKP109"),
        (leaf("tensor", registration="buffer"), "CKP107"),
    ],
)
def test_codes_on_a_module(tmp_path: Path, facts: dict[str, Any], code: str) -> None:
    write_class(tmp_path, "self.value += x")
    found = thing(tmp_path, bases=[MODULE], leaves={"value": facts})
    assert [loss.code for loss in judged(tmp_path, found).losses] == [code]


@pytest.mark.parametrize(
    ("bases", "code"),
    [
        (["stable_baselines3.common.vec_env.vec_normalize.VecNormalize"], "CKP208"),
        (["gymnasium.core.Wrapper"], "CKP215"),
        ([], "CKP204"),
    ],
)
def test_codes_of_wrappers(tmp_path: Path, bases: list[str], code: str) -> None:
    outer = library("Outer", leaves={}, place=[str(tmp_path / "t.py"), 4])
    outer["class"]["bases"] = bases
    inner = library("RunningMeanStd", id=6, owners=[[5, "obs_rms"]], leaves={"mean": leaf("array")})
    (loss,) = judged(tmp_path, outer, inner).losses
    assert (loss.code, loss.owner, loss.file, loss.line) == (code, "Outer.obs_rms", "t.py", 4)


def test_statistics_of_rewards_matter_to_training_alone(tmp_path: Path) -> None:
    inner = library(
        "RunningMeanStd", owners=[], leaves={"mean": leaf("array")}, variable=["t.py", "f", "ret_rms"]
    )
    assert judged(tmp_path, inner, optimizer=False).losses == ()
    assert [loss.owner for loss in judged(tmp_path, inner).losses] == ["ret_rms"]


@pytest.mark.parametrize(
    ("facts", "is_lost"),
    [
        ({"kind": "optimizer", "steps": 3, "moments": True}, True),
        ({"kind": "optimizer", "steps": 0, "moments": True}, False),
        ({"kind": "optimizer", "steps": 3, "moments": False}, False),
        ({"kind": "optimizer", "steps": 3, "moments": True, "file": 0}, False),
        ({"kind": "scheduler", "leaves": {"last_epoch": leaf("number")}}, True),
        ({"kind": "scheduler", "leaves": {"last_epoch": leaf("number", changed=False)}}, False),
        ({"kind": "scaler", "leaves": {"_scale": leaf("tensor", "none")}}, True),
        ({"kind": "estimator", "leaves": {"mean_": leaf("array", changed=False)}}, True),
    ],
)
def test_whole_objects(tmp_path: Path, facts: dict[str, Any], is_lost: bool) -> None:
    evidence = judged(tmp_path, library("Adam", **facts))
    assert [loss.code for loss in evidence.losses] == (["CKP204"] if is_lost else [])


@pytest.mark.parametrize(("optimizer", "count"), [(True, 1), (False, 0)])
def test_weights_alone_need_no_optimizer(tmp_path: Path, optimizer: bool, count: int) -> None:
    adam = library("Adam", kind="optimizer", steps=3, moments=True, owners=[[9, "gone"]])
    assert len(judged(tmp_path, adam, optimizer=optimizer).losses) == count


def network(**more: Any) -> dict[str, Any]:
    cls = {"name": "Linear", "module": "torch", "bases": [MODULE]}
    facts = {"event": "object", "id": 7, "kind": "module", "class": cls, "leaves": {"()": leaf("weights")}}
    return {**facts, **more}


def test_network_that_no_file_holds(tmp_path: Path) -> None:
    (tmp_path / "t.py").write_text("def main():\n    net = make()\n")
    variable = [str(tmp_path / "t.py"), "main", "net"]
    (loss,) = judged(tmp_path, network(variable=variable), optimizer=False).losses
    assert (loss.owner, loss.file, loss.line) == ("net", "t.py", 2)
    assert judged(tmp_path, network(variable=[*variable[:2], "target_net"]), optimizer=False).losses == ()
    part = network(id=8, owners=[[7, "layer"]])
    assert len(judged(tmp_path, network(), part).losses) == 1


def test_best_metric_matters_where_training_goes_on(tmp_path: Path) -> None:
    write_class(tmp_path, "if x < self.best_loss:\n    self.best_loss = x")
    (tmp_path / "m.py").write_text(
        (tmp_path / "m.py").read_text().replace("self.value", "self.best_loss").replace("normalize", "apply")
    )
    best = thing(tmp_path, leaves={"best_loss": leaf("number", after=[None])})
    assert judged(tmp_path, best).losses == ()
    load = {
        "event": "resumed",
        "path": "",
        "place": ["", 0],
        "keys": ["net"],
        "taken": ["net"],
        "unrestored": [],
    }
    assert [loss.code for loss in judged(tmp_path, best, load).losses] == ["CKP218"]
    foreign = {**load, "keys": ["backbone", "head", "epoch"]}
    assert judged(tmp_path, best, foreign).losses == ()


def test_rank_that_does_not_save(tmp_path: Path) -> None:
    write_class(tmp_path, "self.value += x")
    save = {**SAVE, "keys": [], "optimizer": True}
    saved = thing(tmp_path, leaves={"value": leaf(file=0)})
    journals = journals_of(tmp_path, [save, saved], [thing(tmp_path)])
    assert collect(journals, [], 0, tmp_path).losses == ()
    journals = journals_of(tmp_path, [save], [thing(tmp_path)])
    assert [loss.owner for loss in collect(journals, [], 0, tmp_path).losses] == ["Thing"]


def test_nothing_is_said_where_nothing_is_saved(tmp_path: Path) -> None:
    write_class(tmp_path, "self.value += x")
    evidence = collect(journals_of(tmp_path, [thing(tmp_path)]), [], 0, tmp_path)
    assert evidence.losses == ()
    assert "no file was saved" in "".join(report(evidence))


@pytest.mark.parametrize("found", [{"id": 3}, {"id": 3, "owners": [[3, "self"]]}])
def test_objects_alike_are_one_line(tmp_path: Path, found: dict[str, Any]) -> None:
    write_class(tmp_path, "self.value += x")
    first = thing(tmp_path, id=1, owners=[[2, "one"]])
    second = thing(tmp_path, id=4, owners=[[2, "two"]])
    evidence = judged(tmp_path, first, second, thing(tmp_path, id=2, leaves={}, name="Both"))
    assert [loss.objects for loss in evidence.losses] == [2]
    assert "Both.one.value (and 1 more object like it) changed (0 -> 1)" in "".join(report(evidence))


def test_source_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("class Thing(:\n")
    assert judged(tmp_path, thing(tmp_path)).noise == {"unread": 1}


def test_replaced_value_without_a_line(tmp_path: Path) -> None:
    event: dict[str, Any] = {
        "event": "replaced",
        "object": None,
        "cls": "Net",
        "name": "a.mean",
        "places": [],
    }
    (loss,) = judged(tmp_path, {**event, "before": [1.0], "after": [None]}).losses
    assert (loss.code, loss.line, loss.owner) == ("CKP205", 0, "Net")


@pytest.mark.parametrize(
    ("text", "nature"),
    [
        ("x = f(x)", "overwritten"),
        ("for x in y:\n    x += 1", "reset"),
        ("for i in y:\n    total = 0\n    for j in i:\n        total += j\nuse(total)", "reset"),
        ("total = 0\nfor i in y:\n    total += i\nprint(f'{total}')", "logged"),
        ("for i in y:\n    pass", "unread"),
        ("best = 0\nwhile y:\n    if y > best:\n        best = y", "state"),
        ("mean = 0\nfor i in y:\n    mean.lerp_(i, 0.1)\n    use(mean)", "state"),
        ("mean = 0\nfor i in y:\n    mean, z = 0.9 * mean + i, 1\n    use(mean)", "state"),
        ("mean = 0\nfor i in y:\n    mean[0] = mean[0] + i\n    use(mean)", "state"),
        ("def f():\n    x = 1\nx = 2", "overwritten"),
        ("try:\n    x = 2\nexcept E:\n    x = 3", "overwritten"),
    ],
)
def test_variables(text: str, nature: str) -> None:
    name = next((name for name in ("total", "best", "mean") if name in text), "x")
    assert nature_of_variable(parse(text).tree.body, name)[0] == nature


def test_evidence_file_comes_back(tmp_path: Path) -> None:
    evidence = judged(tmp_path)
    target = WritableFile.open(str(tmp_path / "out" / "evidence.json"))
    target.write(encode(evidence))
    assert read_evidence(str(target.path)) == evidence
    newer = json.loads(target.path.read_text())
    target.path.write_text(json.dumps({**newer, "version": 2}))
    with pytest.raises(EvidenceError, match="version 2"):
        read_evidence(str(target.path))


def test_evidence_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flake8_ckpt.evidence.evidence_file.MAX_SIZE", 1)
    (tmp_path / "e.json").write_text("{}")
    with pytest.raises(EvidenceError, match="too large"):
        read_evidence(str(tmp_path / "e.json"))


def test_folder_that_goes_away_leaves_no_half_file(tmp_path: Path) -> None:
    target = WritableFile.open(str(tmp_path / "out" / "evidence.json"))
    (tmp_path / "out").rmdir()
    with pytest.raises(EvidenceError, match="No such file"):
        target.write(b"{}")
