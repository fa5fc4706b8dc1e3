"""What the inspector says of real checkpoints is what `torch.load` and numpy say of them."""

from __future__ import annotations

import dataclasses
import json
import pickle
import struct
import subprocess
import sys
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from flake8_ckpt.runtime import inspect_checkpoint as exported
from flake8_ckpt.runtime.inspector import CheckpointError
from flake8_ckpt.runtime.inspector import Entry
from flake8_ckpt.runtime.inspector import Report
from flake8_ckpt.runtime.inspector import inspect_checkpoint

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)
EIGHTS = (torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz)
COMPLEX = (torch.complex64, torch.complex128)
SAFE = [("new", True), ("legacy", False)]
KINDS = {"new": "torch zip", "legacy": "torch legacy"}


class Policy(nn.Module):
    """An actor with statistics of its observations."""

    def __init__(self, mean: float = 0.0, var: float = 1.0, count: int = 0) -> None:
        super().__init__()
        self.actor = nn.Linear(3, 2)
        self.normalizer = nn.Module()
        self.normalizer.register_buffer("mean", torch.full((3,), mean))
        self.normalizer.register_buffer("var", torch.full((3,), var))
        self.normalizer.register_buffer("count", torch.tensor(count))


def save(path: Path, value: object, is_new: bool = True) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=is_new)
    return path


def entry_of(report: Report, key: str) -> Entry:
    (entry,) = (entry for entry in report.entries if entry.key == key)
    return entry


def kinds_of(report: Report) -> set[str]:
    return {finding.kind for finding in report.findings}


def flat(value: Any, prefix: str = "") -> dict[str, torch.Tensor]:
    """Return all tensors below a value with dotted keys."""
    if isinstance(value, torch.Tensor):
        return {prefix: value}
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, (list, tuple))
        else ()
    )
    found = {}
    for key, each in pairs:
        found.update(flat(each, f"{prefix}.{key}" if prefix else str(key)))
    return found


def check_same(report: Report, truth: dict[str, torch.Tensor]) -> None:
    """Compare keys, dtypes, shapes, strides, sizes and statistics with what was loaded."""
    entries = {entry.key: entry for entry in report.entries if entry.storage is not None}
    assert list(entries) == list(truth)
    for key, tensor in truth.items():
        entry = entries[key]
        assert entry.dtype == str(tensor.dtype).removeprefix("torch."), key
        assert entry.shape == tuple(tensor.shape), key
        assert entry.nbytes == tensor.numel() * tensor.element_size(), key
        if entry.layout == "strided":
            assert entry.stride == tensor.stride(), key
        if entry.statistics is not None and tensor.numel():
            check_statistics(entry, tensor)


def check_statistics(entry: Entry, tensor: torch.Tensor) -> None:
    known, values = entry.statistics, tensor.double()
    assert known is not None
    finite = values[values.isfinite()]
    assert known.nonfinite == values.numel() - finite.numel()
    if finite.numel():
        assert (known.minimum, known.maximum) == (finite.min().item(), finite.max().item())
        assert known.mean == pytest.approx(finite.mean().item(), rel=1e-9, abs=1e-300)


def sample(dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    values = torch.arange(-6.0, 6.0).reshape(3, 4)
    return (values.abs() if dtype in UNSIGNED or dtype == torch.uint8 else values).to(dtype).to(device)


@pytest.mark.parametrize(("name", "is_new"), SAFE, ids=KINDS)
def test_all_dtypes_as_loaded(tmp_path: Path, device: torch.device, name: str, is_new: bool) -> None:
    dtypes = (*FLOATS, *INTEGERS, *COMPLEX, torch.bool, *(EIGHTS + UNSIGNED if is_new else ()))
    value = {str(dtype): sample(dtype, device) for dtype in dtypes}
    report = inspect_checkpoint(save(tmp_path / "a.pt", {"a": value}, is_new))
    check_same(report, {f"a.{key}": each for key, each in value.items()})
    assert report.kind == KINDS[name] and report.findings == ()
    assert {entry.device for entry in report.entries} == {str(sample(torch.float32, device).device)}


@pytest.mark.parametrize(("name", "is_new"), SAFE, ids=KINDS)
def test_training_state_as_loaded(tmp_path: Path, device: torch.device, name: str, is_new: bool) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)).to(device)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(8, 3, device=device)).sum().backward()
    optimizer.step()
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    path = save(tmp_path / "a.pt", state, is_new)
    report = inspect_checkpoint(path)
    check_same(report, flat(torch.load(path)))
    assert report.normalizers == ("model.1.running",) and report.findings == ()
    assert entry_of(report, "epoch").storage is None


@pytest.mark.parametrize(("name", "is_new"), SAFE, ids=KINDS)
def test_views_read_their_own_elements(tmp_path: Path, name: str, is_new: bool) -> None:
    base = torch.arange(60.0).reshape(3, 4, 5)
    base[0, 0, 0] = float("nan")
    views = {
        "base": base,
        "tail": base[1:],
        "column": base[:, 1, ::2],
        "transposed": base.permute(2, 0, 1),
        "expanded": base[1, 1, 1].expand(7, 3),
        "steps": base.reshape(-1)[1::7],
        "empty": base[:0],
        "scalar": base[2, 3, 4],
        "diagonal": base[1].diagonal(),
    }
    path = save(tmp_path / "a.pt", views, is_new)
    report = inspect_checkpoint(path)
    check_same(report, torch.load(path))
    wrong = {finding.key for finding in report.findings}
    assert wrong == {key for key, view in views.items() if view.isnan().any()} == {"base", "transposed"}
    assert len({entry.storage for entry in report.entries}) == 1


@pytest.mark.parametrize("dtype", [*FLOATS, *EIGHTS[:2], *COMPLEX], ids=str)
def test_counts_each_nonfinite_value(tmp_path: Path, dtype: torch.dtype) -> None:
    # Large enough to be looked through, not decoded; 1024 is beyond the range of one eighth-size float.
    values = torch.linspace(-100, 100, 5003)
    values[::1000] = float("nan")
    tensor = values.to(dtype)
    if dtype.is_complex:
        tensor[7] = torch.tensor(complex(1.0, float("inf")))
        tensor[0] = torch.tensor(complex(float("nan"), float("nan")))
    bad = int((~tensor.to(torch.complex128 if dtype.is_complex else torch.float64).isfinite()).sum())
    report = inspect_checkpoint(save(tmp_path / "a.pt", {"w": tensor}))
    assert bad >= 6
    assert [finding.message.split()[0] for finding in report.findings] == [str(bad)]


def test_infinity_counts_as_nonfinite(tmp_path: Path) -> None:
    values = torch.tensor([1.0, float("inf"), float("-inf"), 3.4e38])
    for dtype in (torch.float32, torch.float64, torch.float8_e5m2):
        report = inspect_checkpoint(save(tmp_path / "a.pt", {"w": values.to(dtype)}))
        expected = int((~values.to(dtype).double().isfinite()).sum())
        assert [finding.message.split()[0] for finding in report.findings] == [str(expected)]


def test_large_tensors_are_scanned_when_asked(tmp_path: Path) -> None:
    values = torch.zeros(3_000_000)
    values[-1] = float("nan")
    path = save(tmp_path / "a.pt", {"w": values})
    assert inspect_checkpoint(path).findings == () and inspect_checkpoint(path).read == 0
    (finding,) = inspect_checkpoint(path, scan=True).findings
    assert (finding.kind, finding.key) == ("nonfinite", "w")


def test_unusual_tensors_are_named(tmp_path: Path) -> None:
    tagged = nn.Parameter(torch.ones(2))
    tagged.label = "label"  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = {
            "parameter": nn.Parameter(torch.ones(2)),
            "coo": torch.eye(3).to_sparse(),
            "csr": torch.eye(3).to_sparse_csr(),
            "quantized": torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8),
            "channels": torch.quantize_per_channel(
                torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.quint8
            ),
            "meta": torch.empty(7, 5, device="meta"),
            "storage": torch.ones(3).untyped_storage(),
            "nested": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
            "tagged": tagged,
            "size": torch.Size([2, 3]),
            "dtype": torch.float32,
            "device": torch.device("cpu"),
        }
        report = inspect_checkpoint(save(tmp_path / "a.pt", value))
    found = {entry.key: (entry.dtype, entry.shape, entry.layout, entry.device) for entry in report.entries}
    assert found["parameter"] == ("float32", (2,), "strided", "cpu")
    assert found["coo"] == ("float32", (3, 3), "sparse_coo", "cpu")
    assert found["csr"] == ("float32", (3, 3), "sparse_csr", "cpu")
    assert found["quantized"] == ("qint8", (4,), "strided", "cpu")
    assert found["channels"] == ("quint8", (2, 2), "strided", "cpu")
    assert found["nested"][2] == "nested" and found["tagged"] == found["parameter"]
    assert found["meta"] == ("float32", (7, 5), "strided", "meta")
    assert report.findings == ()


class Tagged(torch.Tensor):
    """A tensor of a class of its own."""


def test_subclass_of_a_tensor_is_unsafe_and_described(tmp_path: Path) -> None:
    report = inspect_checkpoint(save(tmp_path / "a.pt", {"w": torch.ones(2, 3).as_subclass(Tagged)}))
    assert (entry_of(report, "w").shape, entry_of(report, "w").dtype) == ((2, 3), "float32")
    assert [finding.kind for finding in report.findings] == ["unsafe"]


def test_many_tensors_are_read_within_limits(tmp_path: Path) -> None:
    """Three thousand parameters with the state of Adam are a large model, not an attack."""
    state = {f"layers.{at}.{name}": torch.ones(2) for at in range(3_000) for name in ("weight", "m", "v")}
    report = inspect_checkpoint(save(tmp_path / "a.pt", state))
    assert len(report.entries) == 9_000 and report.findings == ()


def test_whole_module_imports_torch_and_is_keyed_as_its_state(tmp_path: Path) -> None:
    policy = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    report = inspect_checkpoint(save(tmp_path / "a.pt", policy))
    assert [entry.key for entry in report.entries if entry.storage is not None] == list(policy.state_dict())
    assert any("torch.nn.modules.linear.Linear" in finding.message for finding in report.findings)
    assert kinds_of(report) >= {"imports"} and "unsafe" not in kinds_of(report)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore:.*torch.jit:FutureWarning")
def test_script_is_named_as_a_program(tmp_path: Path) -> None:
    script = torch.jit.trace(nn.Linear(3, 2), torch.ones(1, 3))  # type: ignore[no-untyped-call]
    script.save(str(tmp_path / "a.pt"))
    report = inspect_checkpoint(tmp_path / "a.pt")
    check_same(report, dict(script.state_dict()))
    assert report.kind == "TorchScript" and "unsafe" not in kinds_of(report)
    assert any("program" in note for note in report.notes)


def test_byte_order_of_another_machine(tmp_path: Path) -> None:
    from tests.runtime.hostile import mapping
    from tests.runtime.hostile import tensor
    from tests.runtime.hostile import zipped

    values = struct.pack(">4f", 1.0, -2.0, 3.0, float("nan"))
    members = [("a/data.pkl", mapping(w=tensor([4], [1]))), ("a/byteorder", b"big"), ("a/data/0", values)]
    entry = entry_of(inspect_checkpoint(zipped(tmp_path / "a.pt", members)), "w")
    assert entry.statistics is not None
    assert dataclasses.astuple(entry.statistics) == (-2.0, 3.0, pytest.approx(2 / 3), 1)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(Policy(0.5, 2.0, 100), set(), id="trained"),
        pytest.param(Policy(), {"never-updated"}, id="fresh"),
        pytest.param(Policy(0.5, 2.0, 0), set(), id="converted without its count"),
        pytest.param(Policy(0.0, 1.0, 5), {"never-updated"}, id="values as at first"),
        pytest.param(Policy(0.0, 0.0, 0), {"never-updated"}, id="count 0 and mean 0"),
        pytest.param(Policy(0.5, -1.0, 100), {"negative-variance"}, id="negative variance"),
        pytest.param(Policy(float("nan"), 2.0, 100), {"nonfinite"}, id="NaN in the mean"),
        pytest.param(Policy(0.5, float("inf"), 100), {"nonfinite"}, id="infinite variance"),
    ],
)
def test_statistics_of_a_normalizer(tmp_path: Path, policy: Policy, expected: set[str]) -> None:
    report = inspect_checkpoint(save(tmp_path / "a.pt", {"policy": policy.state_dict()}))
    assert report.normalizers == ("policy.normalizer",)
    assert kinds_of(report) == expected


LAYOUTS = {
    "metadata lists": {"metadata": {"obs_normalizer_mean": [0.1, 0.2], "obs_normalizer_var": [1.0, 2.0]}},
    "running_mean and running_var": {"running_mean": torch.ones(3), "running_var": torch.ones(3)},
    "underscores": {"_mean": torch.ones(3), "_var": torch.ones(3), "_std": torch.ones(3), "count": 3},
    "sums": {"_sum": torch.ones(3), "_sumsq": torch.ones(3), "_count": torch.tensor(2)},
    "second moment": {"mean": torch.ones(3), "m2": torch.ones(3), "count": torch.tensor(4)},
    "running_variance": {
        "running_mean": torch.ones(3),
        "running_variance": torch.ones(3),
        "current_count": 3,
    },
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_layout_of_a_normalizer_is_known(tmp_path: Path, layout: dict[str, object]) -> None:
    report = inspect_checkpoint(save(tmp_path / "a.pt", {"actor.weight": torch.ones(2, 2), **layout}))
    assert len(report.normalizers) == 1 and report.findings == ()


@pytest.mark.parametrize(
    "state",
    [
        pytest.param({"actor.weight": torch.ones(2, 2)}, id="weights alone"),
        pytest.param({"policy.mean.weight": torch.ones(2, 2), "policy.log_std": torch.ones(2)}, id="heads"),
        pytest.param(
            {"actor": nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).state_dict()}, id="batch norm"
        ),
        pytest.param(
            {"actor.w": torch.ones(2, 2), "mean": torch.ones(2), "std": torch.ones(3)}, id="two shapes"
        ),
    ],
)
def test_policy_without_normalizer(tmp_path: Path, state: dict[str, object]) -> None:
    assert "missing-normalizer" in kinds_of(inspect_checkpoint(save(tmp_path / "a.pt", state)))


def test_model_without_policy_needs_no_normalizer(tmp_path: Path) -> None:
    assert inspect_checkpoint(save(tmp_path / "a.pt", nn.Linear(2, 2).state_dict())).findings == ()


@pytest.mark.parametrize(
    ("prefixes", "expected"),
    [
        pytest.param("", [], id="none"),
        pytest.param("module.", ["module"], id="DataParallel"),
        pytest.param("_orig_mod.", ["_orig_mod"], id="compiled"),
        pytest.param("module._orig_mod.", ["module", "module._orig_mod"], id="both"),
    ],
)
@pytest.mark.parametrize("parent", ["", "model"])
def test_prefixes_of_wrappers(tmp_path: Path, prefixes: str, expected: list[str], parent: str) -> None:
    state = {f"{prefixes}{key}": each for key, each in nn.Linear(2, 2).state_dict().items()}
    report = inspect_checkpoint(save(tmp_path / "a.pt", {parent: state, "step": 1} if parent else state))
    found = [finding.key for finding in report.findings if finding.kind == "prefix"]
    assert sorted(found) == [f"{parent}.{each}" if parent else each for each in expected]


def test_submodule_named_module_is_no_prefix(tmp_path: Path) -> None:
    state = {"module.weight": torch.ones(2), "head.weight": torch.ones(2)}
    assert inspect_checkpoint(save(tmp_path / "a.pt", state)).findings == ()


def test_numpy_files_as_numpy_reads_them(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy", reason="npz files are made by numpy")
    arrays = {
        "mean": numpy.linspace(0, 1, 5),
        "var": numpy.ones(5, ">f8") * 2,
        "count": numpy.array(3),
        "fortran": numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)),
        "half": numpy.ones((2, 0), numpy.float16),
        "text": numpy.array(["a", "bc"]),
        "flags": numpy.array([True, False]),
    }
    numpy.savez(tmp_path / "a.npz", **arrays)
    numpy.savez_compressed(tmp_path / "b.npz", **arrays)
    for name in ("a.npz", "b.npz"):
        report = inspect_checkpoint(tmp_path / name)
        assert {entry.key: entry.shape for entry in report.entries} == {k: v.shape for k, v in arrays.items()}
        assert (report.kind, report.findings, len(report.normalizers)) == ("npz", (), 1)
        for key in ("mean", "var", "count", "fortran", "flags"):
            entry = entry_of(report, key)
            assert entry.dtype == arrays[key].dtype.newbyteorder("=").name
            check_statistics(entry, torch.from_numpy(arrays[key].astype("f8")))


def test_npy_file_as_numpy_reads_it(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy", reason="npy files are made by numpy")
    array = numpy.arange(12, dtype="i2").reshape(3, 4)
    numpy.save(tmp_path / "a.npy", array)
    (entry,) = inspect_checkpoint(tmp_path / "a.npy").entries
    assert (entry.dtype, entry.shape, entry.nbytes) == ("int16", (3, 4), 24)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_arrays_of_each_protocol(tmp_path: Path, protocol: int) -> None:
    numpy = pytest.importorskip("numpy", reason="the arrays are numpy's")
    arrays = {
        "mean": numpy.linspace(0, 1, 7),
        "var": numpy.linspace(1, 2, 7).astype(">f4"),
        "count": numpy.float64(12.5),
        "matrix": numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)),
        "long": numpy.arange(20_000.0),
    }
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(arrays, protocol))
    report = inspect_checkpoint(tmp_path / "a.pkl")
    assert (report.kind, report.findings, len(report.normalizers)) == ("pickle", (), 1)
    for key in ("mean", "var", "count", "matrix"):
        array = numpy.asarray(arrays[key])
        entry = entry_of(report, key)
        assert (entry.dtype, entry.shape) == (array.dtype.newbyteorder("=").name, array.shape)
        check_statistics(entry, torch.from_numpy(array.astype("f8")))
    assert entry_of(report, "long").shape == (20_000,)


def test_plain_containers_are_safe(tmp_path: Path) -> None:
    value = OrderedDict(
        a={1, 2}, b=frozenset([3]), c=(1.5, None), d=b"x" * 70_000, e=2**200, f=range(3), g="x"
    )
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        (tmp_path / "a.pkl").write_bytes(pickle.dumps(value, protocol))
        assert inspect_checkpoint(tmp_path / "a.pkl").findings == ()


def test_safetensors_as_loaded(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.torch", reason="the file is made by safetensors")
    dtypes = (*FLOATS, *INTEGERS, torch.bool, *EIGHTS[:2])
    state = {str(dtype): sample(dtype, torch.device("cpu")) for dtype in dtypes} | {"empty": torch.ones(0, 3)}
    library.save_file(state, tmp_path / "a.safetensors", metadata={"format": "pt"})
    report = inspect_checkpoint(tmp_path / "a.safetensors")
    truth = library.load_file(tmp_path / "a.safetensors")
    assert report.kind == "safetensors" and report.findings == ()
    assert {entry.key for entry in report.entries} == set(truth)
    for entry in report.entries:
        assert (entry.shape, f"torch.{entry.dtype}") == (
            tuple(truth[entry.key].shape),
            str(truth[entry.key].dtype),
        )


@pytest.mark.parametrize("length", [0x80, 0x180, 0x8080])
def test_safetensors_header_whose_length_looks_like_a_pickle(tmp_path: Path, length: int) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode().ljust(length)
    (tmp_path / "a").write_bytes(struct.pack("<Q", length) + header + struct.pack("<2f", 1.0, 2.0))
    report = inspect_checkpoint(tmp_path / "a")
    assert report.kind == "safetensors" and entry_of(report, "w").shape == (2,)


def test_distributed_checkpoint_as_saved(tmp_path: Path) -> None:
    checkpoint = pytest.importorskip("torch.distributed.checkpoint", reason="torch is built without it")
    state = {
        "model": {"w": torch.randn(3, 4), "norm": Policy(0.5, 2.0, 7).normalizer.state_dict()},
        "step": 5,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        checkpoint.save(state, checkpoint_id=tmp_path / "dcp")
    report = inspect_checkpoint(tmp_path / "dcp")
    truth = {f"model.{key}": each for key, each in flat(state["model"]).items()}
    assert {entry.key: (entry.shape, entry.dtype) for entry in report.entries} == {
        key: (tuple(each.shape), str(each.dtype).removeprefix("torch.")) for key, each in truth.items()
    }
    assert (report.kind, report.findings) == ("distributed checkpoint", ())
    check_statistics(entry_of(report, "model.norm.mean"), truth["model.norm.mean"])
    (tmp_path / "dcp" / "__0_0.distcp").write_bytes(b"short")
    assert kinds_of(inspect_checkpoint(tmp_path / "dcp")) == {"damaged"}


def test_report_is_json(tmp_path: Path) -> None:
    report = inspect_checkpoint(save(tmp_path / "a.pt", Policy().state_dict()))
    again = json.loads(json.dumps(dataclasses.asdict(report)))
    assert again["entries"][0]["shape"] == [2, 3]
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.kind = "other"  # type: ignore[misc]


def test_package_offers_the_inspector() -> None:
    assert exported is inspect_checkpoint
    with pytest.raises(CheckpointError):
        exported("there is no such file")


@pytest.mark.parametrize("option", ["--json", "--fail-on=unsafe"])
def test_inspector_loads_neither_torch_nor_the_linter(tmp_path: Path, option: str) -> None:
    pytest.importorskip("flake8", reason="the command belongs to the linter, which is not installed")
    save(tmp_path / "a.pt", Policy().state_dict())
    code = f"""
import sys
from contextlib import redirect_stdout
from io import StringIO

from flake8_ckpt.cli import main

with redirect_stdout(StringIO()):
    main(["inspect", "a.pt", {option!r}])
print(*sorted(sys.modules))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    names = {name.split(".")[0] for name in done.stdout.split()}
    assert names.isdisjoint({"torch", "numpy", "libcst", "rich", "safetensors", "msgspec"})
    assert "flake8_ckpt.engine" not in done.stdout.split()
