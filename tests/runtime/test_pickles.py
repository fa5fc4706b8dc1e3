"""A pickle of a whole normalizer names the front door, `flake8_ckpt.runtime`, so files outlive our inner layout."""

from __future__ import annotations

import pickle
import pickletools
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import flake8_ckpt.runtime as runtime
from flake8_ckpt.runtime import DiscountedReturnNormalizer
from flake8_ckpt.runtime import RunningMeanStd
from flake8_ckpt.runtime import RunningMeanStdDict

LOAD = """\
import sys
import torch

module = torch.load(sys.argv[1], weights_only=False)
print({key: value.tolist() for key, value in module.state_dict().items()})
print(module)
"""


def statistics() -> RunningMeanStd:
    module = RunningMeanStd(2, clip=3.0, until=100, decay=0.5)
    module.update(torch.arange(8.0).reshape(4, 2))
    module.freeze()
    return module


def waiting() -> RunningMeanStd:
    module = RunningMeanStd(2, sync="manual")
    module.update(torch.arange(8.0).reshape(4, 2))
    return module


def nested() -> RunningMeanStdDict:
    module = RunningMeanStdDict({"joints": 2, "sensors": {"depth": None}}, epsilon=1e-5)
    module.update({"joints": torch.ones(3, 2), "sensors": {"depth": torch.ones(3, 4)}})
    return module


def returns() -> DiscountedReturnNormalizer:
    module = DiscountedReturnNormalizer(3, gamma=0.9)
    module.update(torch.ones(3), torch.zeros(3, dtype=torch.bool))
    return module


MAKERS = {make.__name__: make for make in (statistics, waiting, nested, returns)}


def own_names(pickled: bytes) -> set[str]:
    """Return the modules of ours that a pickle of protocol 2 imports from."""
    names = [str(arg) for opcode, arg, _ in pickletools.genops(pickled) if opcode.name == "GLOBAL"]
    return {name.partition(" ")[0] for name in names if name.startswith("flake8_ckpt")}


@pytest.mark.parametrize("name", MAKERS)
def test_pickle_names_the_front_door(name: str) -> None:
    assert own_names(pickle.dumps(MAKERS[name](), protocol=2)) == {"flake8_ckpt.runtime"}


@pytest.mark.parametrize("name", MAKERS)
def test_whole_module_loads_in_a_fresh_process(tmp_path: Path, name: str) -> None:
    module: nn.Module = MAKERS[name]()
    torch.save(module, tmp_path / "whole.pt")
    command = [sys.executable, "-c", LOAD, str(tmp_path / "whole.pt")]
    done = subprocess.run(command, capture_output=True, text=True)
    state = {key: value.tolist() for key, value in module.state_dict().items()}
    assert done.stdout == f"{state}\n{module}\n", done.stderr


def test_copy_goes_on_alike() -> None:
    module = waiting()
    copy = pickle.loads(pickle.dumps(module))
    for each in (module, copy):
        each.update(torch.full((4, 2), 7.0))
        each.sync()
    assert torch.equal(copy.mean, module.mean) and torch.equal(copy.m2, module.m2)
    assert copy.settings == module.settings


@pytest.mark.parametrize("name", runtime.__all__)
def test_public_class_says_where_to_import_it(name: str) -> None:
    offered = getattr(runtime, name)
    assert not isinstance(offered, type) or offered.__module__ == "flake8_ckpt.runtime"
