"""The inspector on exported programs, folders and indexes of weights, and what hides behind or inside of a file."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from flake8_ckpt.runtime.inspector import CheckpointError
from flake8_ckpt.runtime.inspector import Report
from flake8_ckpt.runtime.inspector import inspect_checkpoint
from tests.runtime.hostile import CANARY
from tests.runtime.hostile import Harm
from tests.runtime.hostile import shell


def keys(report: Report) -> list[str]:
    return [entry.key for entry in report.entries if entry.storage is not None]


def levels(report: Report) -> set[tuple[str, str]]:
    return {(finding.kind, finding.level) for finding in report.findings}


def test_plain_bytes_behind_a_pickle_are_a_note(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"mean": 1.0}) + b"\0" * 7)
    report = inspect_checkpoint(tmp_path / "a.pkl")
    assert report.findings == () and "7 bytes at the end are no pickle" in report.notes[0]


def test_pickles_behind_a_pickle_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"".join(pickle.dumps({"n": each}) for each in range(3)))
    report = inspect_checkpoint(tmp_path / "a.pkl")
    assert [entry.key for entry in report.entries] == ["n", "pickle 2.n", "pickle 3.n"]
    assert (report.findings, report.notes) == ((), ())


@pytest.mark.parametrize("is_new", [None, False], ids=["pickle", "legacy torch"])
def test_command_behind_a_pickle_is_unsafe(tmp_path: Path, is_new: bool | None) -> None:
    path = tmp_path / "a.pt"
    if is_new is None:
        path.write_bytes(pickle.dumps({"n": 1}))
    else:
        torch.save({"w": torch.ones(3)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes() + pickle.dumps(Harm(os.system, shell(tmp_path))))
    assert levels(inspect_checkpoint(path)) == {("unsafe", "command")}
    assert not (tmp_path / CANARY).exists()


def test_members_of_an_archive_are_looked_into(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(3)}, tmp_path / "inner.pt")
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "inner.pt", "inner.pt")
        archive.writestr("harm.pkl", pickle.dumps(Harm(os.system, shell(tmp_path))))
        archive.writestr("readme.txt", "nothing")
    report = inspect_checkpoint(path)
    assert (report.kind, keys(report)) == ("zip archive", ["inner.pt.w"])
    assert [finding.key for finding in report.findings] == ["harm.pkl/the pickle"]
    assert levels(report) == {("unsafe", "command")} and not (tmp_path / CANARY).exists()


def test_member_beside_the_pickle_of_torch_is_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save({"w": torch.ones(3)}, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("a/extra.pkl", pickle.dumps(Harm(os.system, shell(tmp_path))))
    assert levels(inspect_checkpoint(path)) == {("unsafe", "command")}


def test_archives_in_archives_end_somewhere(tmp_path: Path) -> None:
    path = tmp_path / "0.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.pkl", pickle.dumps({"n": 1}))
    for depth in range(1, 7):
        with zipfile.ZipFile(tmp_path / f"{depth}.zip", "w") as archive:
            archive.write(tmp_path / f"{depth - 1}.zip", "a.zip")
    assert [entry.key for entry in inspect_checkpoint(tmp_path / "3.zip").entries] == [
        "a.zip.a.zip.a.zip.a.pkl.n"
    ]
    with pytest.raises(CheckpointError, match="a zip archive, but not of torch"):
        inspect_checkpoint(tmp_path / "6.zip")


def test_exported_program_has_its_weights(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).eval()
    module.get_buffer("1.running_mean").fill_(3.0)
    torch.export.save(torch.export.export(module, (torch.zeros(4, 3),)), tmp_path / "a.pt2")
    report = inspect_checkpoint(tmp_path / "a.pt2")
    assert report.kind == "torch export (pt2)" and report.findings == ()
    entries = {entry.key: entry for entry in report.entries}
    for key, tensor in module.state_dict().items():
        assert (entries[key].shape, entries[key].dtype) == (tuple(tensor.shape), str(tensor.dtype)[6:])
    assert entries["1.running_mean"].statistics is not None
    assert entries["1.running_mean"].statistics.mean == 3.0


def test_compiled_program_in_a_package_is_unsafe(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt2", "w") as archive:
        archive.writestr("a/archive_format", "pt2")
        archive.writestr("a/data/aotinductor/model/x.so", b"\x7fELF")
    assert levels(inspect_checkpoint(tmp_path / "a.pt2")) == {("unsafe", "command")}


def test_exported_program_with_a_damaged_entry(tmp_path: Path) -> None:
    config = {"config": {"w": {"path_name": "weight_0", "tensor_meta": {"sizes": [{"as_int": -1}]}}}}
    with zipfile.ZipFile(tmp_path / "a.pt2", "w") as archive:
        archive.writestr("a/archive_format", "pt2")
        archive.writestr("a/data/weights/model_weights_config.json", json.dumps(config))
    assert [(each.kind, each.key) for each in inspect_checkpoint(tmp_path / "a.pt2").findings] == [
        ("damaged", "w")
    ]


def model_folder(folder: Path, **places: str) -> Path:
    """Write two shards, `a` and `b` with a tensor of their name, and an index of `places`."""
    for name in ("a", "b"):
        save_file({name: torch.ones(2)}, folder / f"model-{name}.safetensors")
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def test_index_and_folder_of_weights(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, a="model-a.safetensors", b="model-b.safetensors")
    torch.save({"step": 1}, folder / "optimizer.pt")
    report = inspect_checkpoint(folder)
    assert (report.kind, keys(report), report.findings) == ("sharded weights", ["a", "b"], ())
    assert "not looked into: optimizer.pt" in report.notes[-1]
    assert keys(inspect_checkpoint(folder / "model.safetensors.index.json")) == ["a", "b"]


@pytest.mark.parametrize(
    ("places", "kind", "word"),
    [
        pytest.param(
            {"a": "model-a.safetensors", "b": "gone.safetensors"}, "damaged", "gone.safetensors is missing"
        ),
        pytest.param({"a": "model-b.safetensors"}, "damaged", "and it is not"),
        pytest.param(
            {"a": "model-a.safetensors", "b": "../b.safetensors"}, "unsafe", "outside of the folder"
        ),
    ],
    ids=["missing shard", "key elsewhere", "path that leaves the folder"],
)
def test_index_that_is_wrong(tmp_path: Path, places: dict[str, str], kind: str, word: str) -> None:
    report = inspect_checkpoint(model_folder(tmp_path, **places))
    assert any(finding.kind == kind and word in finding.message for finding in report.findings)


def test_index_of_pickled_shards(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "pytorch_model-1.bin")
    (tmp_path / "pytorch_model.bin.index.json").write_text('{"weight_map": {"a": "pytorch_model-1.bin"}}')
    report = inspect_checkpoint(tmp_path)
    assert (keys(report), report.findings) == (["a"], ())


def test_other_json_and_other_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"hidden": 3}')
    with pytest.raises(CheckpointError, match="no index of weights"):
        inspect_checkpoint(tmp_path / "config.json")
    with pytest.raises(CheckpointError, match="give one of its files"):
        inspect_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ({"mean": torch.ones(3), "var": torch.ones(3), "count": torch.tensor(4)}, ("(top level)",)),
        (
            {
                "t._extra_state": {
                    "loc.-|-.observation": torch.ones(3),
                    "var.-|-.observation": torch.ones(3),
                    "count": torch.tensor(3),
                }
            },
            ("t._extra_state.observation",),
        ),
        (
            {"t": {"agents-<.>-obs_sum": torch.ones(3), "agents-<.>-obs_ssq": torch.ones(3)}},
            ("t.agents.obs",),
        ),
        ({"o.loc": torch.zeros(2), "o.scale": torch.ones(2)}, ("o",)),
        ({"q.scale": torch.ones(2), "q.zero_point": torch.zeros(2)}, ()),
    ],
    ids=["root", "VecNormV2", "VecNorm", "ObservationNorm", "quantized"],
)
def test_normalizers_of_torchrl_and_at_the_root(
    tmp_path: Path, state: dict[str, object], names: tuple[str, ...]
) -> None:
    torch.save(state, tmp_path / "a.pt")
    report = inspect_checkpoint(tmp_path / "a.pt")
    assert (report.normalizers, report.findings) == (names, ())
