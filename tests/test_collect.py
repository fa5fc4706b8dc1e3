"""Facts are a pure function of a file's bytes, however its statements share lines."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.values import Name
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import parse
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SCRIPT = """\
import torch

model = torch.nn.Linear(2, 2)
torch.save(model.state_dict(), "model.pt")
"""
SHARED = {
    "an import and a call": 'import matplotlib; matplotlib.use("Agg")\n',
    "two calls": 'print("a"); print("b")\n',
    "a block on one line": 'if True: print("a"); print("b")\n',
}


def script_of(source: str) -> FunctionFacts:
    """Return what a file does when it runs."""
    return next(each for each in collect_file(source.encode()).functions if each.name == "<module>")


@pytest.mark.parametrize(
    "line", ["x = 1\n", "class A(B):\n    def f(self):\n        self.x = torch.zeros(1)\n"]
)
def test_equal_bytes_give_equal_facts(line: str) -> None:
    assert collect_file(line.encode()) == collect_file(line.encode())


def test_broken_text_raises_for_the_parser_only() -> None:
    with pytest.raises(Unreadable):
        parse("def f(:\n")
    assert collect_file(b"def f(:\n").error_line == 1


def test_facts_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "from flake8_ckpt.facts.collect import collect_file\n"
        "import msgspec, pathlib, sys\n"
        "print(msgspec.msgpack.encode(collect_file(pathlib.Path(sys.argv[1]).read_bytes())).hex())\n"
    )
    # Where torch lies, without its import.
    torch = find_spec("torch")
    assert torch is not None and torch.origin is not None
    path = os.path.join(os.path.dirname(torch.origin), "nn", "modules", "batchnorm.py")
    environments = ({**os.environ, "PYTHONHASHSEED": seed} for seed in ("0", "1", "2"))
    command = [sys.executable, "-c", code, path]
    outputs = {subprocess.run(command, env=each, capture_output=True).stdout for each in environments}
    assert len(outputs) == 1 and len(outputs.pop()) > 1000


@pytest.mark.parametrize("line", SHARED.values(), ids=[key.replace(" ", "-") for key in SHARED])
def test_statements_on_one_line_leave_the_script_as_it_is(line: str) -> None:
    calls = script_of(line + SCRIPT).calls
    (save,) = (each for each in calls if each.call.callee == Name("torch.save"))
    assert save.position.line == len((line + SCRIPT).splitlines())


def test_statements_on_one_line_are_each_seen() -> None:
    source = 'import torch; torch.save({"a": 1}, "a.pt"); torch.save({"b": 2}, "b.pt")\n'
    saves = [each for each in script_of(source).calls if each.call.callee == Name("torch.save")]
    assert [each.position.col for each in saves] == [14, 44]


LAYER = """
import torch
from torch import nn

class Layer(nn.Module):
    def __init__(self):
        super().__init__(); self.size = 3; {statement}

    def forward(self, x):
        return x + self.kernel
"""


def test_buffer_registered_on_a_shared_line_is_kept() -> None:
    check_silent(LAYER.format(statement='self.register_buffer("kernel", torch.zeros(3))'))


def test_tensor_set_on_a_shared_line_is_lost() -> None:
    check_findings(LAYER.format(statement="self.kernel = torch.zeros(3)  # CKP102"))
