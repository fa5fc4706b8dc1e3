"""The parts of the recorder that run in a stranger's program: prints, places of calls, tracebacks."""

from __future__ import annotations

import ast
import sys
import warnings
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import flake8_ckpt

sys.path.append(str(Path(flake8_ckpt.__file__).parent / "runtime" / "watch"))

from flake8_ckpt_recorder import arguments  # noqa: E402
from flake8_ckpt_recorder import payloads  # noqa: E402
from flake8_ckpt_recorder import places  # noqa: E402
from flake8_ckpt_recorder import tracebacks  # noqa: E402
from flake8_ckpt_recorder.prints import look  # noqa: E402

VALUES = [0.5, -1.25, 3.0]


@pytest.mark.parametrize(
    "value",
    [
        torch.tensor(VALUES),
        torch.tensor(VALUES, dtype=torch.float64),
        torch.tensor(VALUES, dtype=torch.bfloat16),
        torch.tensor([*VALUES, 9.0])[:3],
        torch.tensor([[each, 0.0] for each in VALUES])[:, 0],
        torch.nn.Parameter(torch.tensor(VALUES)),
        np.array(VALUES),
        np.array(VALUES, dtype="float32"),
        VALUES,
        tuple(VALUES),
        deque(VALUES),
        dict(enumerate(VALUES)),
    ],
    ids=str,
)
def test_one_value_has_one_print(value: Any) -> None:
    sight, plain = look(value), look(VALUES)
    assert sight is not None and plain is not None
    assert (sight.mark, sight.shown) == (plain.mark, tuple(VALUES))


def test_large_values_are_sampled_alike() -> None:
    large = torch.randn(100, 123)
    one, other, changed = look(large), look(large.double().numpy()), look(large + 1)
    assert one is not None and other is not None and changed is not None
    assert one.mark == other.mark != changed.mark


@pytest.mark.parametrize(
    "value",
    [
        True,
        "text",
        object(),
        torch.zeros(2, device="meta"),
        torch.zeros(2).to_sparse(),
        np.array(["a"]),
        np.bool_(True),
        list(range(65)),
        {"a": "b"},
        [[[[1.0]]]],
    ],
    ids=lambda value: type(value).__name__,
)
def test_nothing_to_see(value: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert look(value) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0),
        (0.5, 0.5),
        (torch.tensor(7), 7.0),
        (np.float64(2.5), 2.5),
        (np.array([4]), 4.0),
        (1e300, 1e300),
    ],
)
def test_numbers_are_exact(value: object, number: float) -> None:
    sight = look(value)
    assert sight is not None and sight.number == number


def test_looking_changes_nothing() -> None:
    state, mode = torch.get_rng_state(), torch.is_grad_enabled()
    look(torch.ones(3, requires_grad=True) * 2)
    assert torch.equal(torch.get_rng_state(), state) and torch.is_grad_enabled() is mode


def holds(payload: object, value: object, name: str = "value") -> bool:
    sight = look(value)
    assert sight is not None
    return payloads.read_payload([("", payload)], {}).holds(value, name, sight)


MEAN = torch.tensor(VALUES)


@pytest.mark.parametrize(
    ("payload", "value", "name", "expected"),
    [
        ({"a": {"b": [MEAN]}}, MEAN, "mean", True),
        ({"a": MEAN.tolist()}, MEAN, "mean", True),
        ({"a": MEAN + 1}, MEAN, "mean", False),
        ({"m": MEAN.clone(), "v": MEAN + 1}, {"x": MEAN, "y": MEAN + 1}, "stats", True),
        ({"m": MEAN.clone()}, {"x": MEAN, "y": MEAN + 1}, "stats", False),
        ({"epsilon": 0.25}, 0.25, "rate", True),
        ({"total": 1024}, 1024, "num_timesteps", False),
        ({"timesteps": 1024}, 1024, "num_timesteps", True),
        ({"timesteps": 1024.0001}, 1024, "num_timesteps", False),
        ({"opt": {"state": {0: {"step": 20}}, "param_groups": []}}, 20, "step", False),
    ],
)
def test_what_a_file_holds(payload: object, value: object, name: str, expected: bool) -> None:
    assert holds(payload, value, name) is expected


def test_frames_of_ours_are_not_shown() -> None:
    code = compile("def call(f):\n    f()\n", str(Path(tracebacks.HERE) / "births.py"), "exec")
    names: dict[str, Any] = {}
    exec(code, names)

    def fail() -> None:
        raise ValueError

    with pytest.raises(ValueError) as caught:
        names["call"](fail)
    trace = tracebacks.prune(caught.value.__traceback__)
    files = []
    while trace is not None:
        files.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    assert files == [__file__, __file__]


@pytest.mark.parametrize(
    ("name", "expected"), [(__file__, True), (torch.__file__, False), ("<string>", False)]
)
def test_files_of_the_user(name: str, expected: bool) -> None:
    assert places.is_project_file(name) is expected


def test_standard_library_is_not_the_users() -> None:
    assert not places.is_project_file(warnings.__file__)


@pytest.mark.parametrize(
    "value",
    [
        torch.zeros(2),
        np.float64(0.5),
        float("nan"),
        "a text that is longer than a word",
        "x\ny",
        [1, object()],
        {"api_key": "s3cr3t"},
        list(range(17)),
        [[[[1]]]],
        2**70,
        type("Odd", (int,), {"__repr__": lambda self: 1 / 0})(3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_argument_that_is_not_written_down(value: object) -> None:
    assert arguments.plain_arguments((value,), {"size": value, "password": 1}) == {}


@pytest.mark.parametrize(
    "value", [None, True, -3, 0.1, "relu", (), (3,), [1, (2, 3)], {"depth": {1: (2.5,)}}]
)
def test_argument_comes_back_as_it_was(value: object) -> None:
    found = arguments.plain_arguments((value, torch.zeros(1)), {"size": value})
    assert {name: ast.literal_eval(text) for name, text in found.items()} == {"0": value, "size": value}
