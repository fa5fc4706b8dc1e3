"""Generated code that is nested far deeper than written code: it is left out, and the rest is still read."""

from __future__ import annotations

import pytest

from flake8_ckpt.facts.collect import collect_file
from tests.rule_cases import cases
from tests.rule_cases import lint

HEAD = """
import torch
from torch import nn

class Layer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.kernel = torch.zeros(size)
"""
USE = """
    def forward(self, x):
        return x + self.kernel
"""
LONG = " + ".join(["a"] * 7000)
CHAIN = "torch.ones(1)" + ".abs()" * 3000
# The statement is left out, the others of its function are read.
LEFT_OUT = {
    "a sum": f"        x = {LONG}\n",
    "a chain of calls": f"        self.other = {CHAIN}\n",
    "a conjunction": f"        x = {' and '.join(['a'] * 7000)}\n",
    "joined strings": "        x = (\n" + "            'a'\n" * 20000 + "        )\n",
    "lambdas": f"        x = {'lambda: ' * 95}0\n",
}
# The whole function is left out, without an end of the process or an error.
DROPPED = {
    "in a nested function": f"        def inner():\n            return {LONG}\n",
    "beside another statement": f"        x = 1; y = {LONG}\n",
    "in a condition": f"        if {LONG}:\n            pass\n",
    "a ladder of conditions": "        if size:\n            pass\n"
    + "        elif size:\n            pass\n" * 3000,
}


@cases(LEFT_OUT)
def test_deep_statement_is_left_out(case: str) -> None:
    assert [(each.code, each.position.line) for each in lint(HEAD + case + USE)] == [("CKP102", 8)]


@cases(DROPPED)
def test_deep_function_is_left_out(case: str) -> None:
    assert lint(HEAD + case + USE) == []


@pytest.mark.parametrize("heading", [f"@decorated({LONG})\n    def f(self):", f"def f(self, x={LONG}):"])
def test_deep_heading_is_left_out(heading: str) -> None:
    source = f"{HEAD}{USE}\n    {heading}\n        self.kernel.add_(1)\n"
    assert [each.code for each in lint(source)] == ["CKP102"]


def test_what_no_parser_can_read_says_so() -> None:
    assert "nested parentheses" in collect_file(f"x = {'(' * 500}1{')' * 500}\n".encode()).error
