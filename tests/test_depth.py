"""Generated code, far deeper and longer than written code: its leaves are lost, the rest is still read."""

from __future__ import annotations

import pytest

from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.facts.value_bounds import MAX_FIELDS
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
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
NESTED = 180
# Beside each of these the kernel is found, in the same function and in others.
DEEP = {
    "a sum": f"        x = {LONG}\n",
    "a sum on the right": "        x = " + "a + (" * NESTED + "a" + ")" * NESTED + "\n",
    "a chain of calls": f"        self.other = {CHAIN}\n",
    "a chain of calls under a loop": f"        for each in {CHAIN}:\n            pass\n",
    "calls within calls": "        x = " + "abs(" * NESTED + "a" + ")" * NESTED + "\n",
    "lists within lists": "        x = " + "[" * NESTED + "a" + "]" * NESTED + "\n",
    "dicts within dicts": "        x = " + "{'a': " * NESTED + "a" + "}" * NESTED + "\n",
    "comprehensions within comprehensions": ("        x = " + "[" * 90 + "a" + " for a in b]" * 90 + "\n"),
    "a conjunction": f"        x = {' and '.join(['a'] * 7000)}\n",
    "denials": f"        if {'not ' * 1500}a:\n            pass\n",
    "a ladder of choices": f"        x = {'a if b else ' * 900}c\n",
    "joined strings": "        x = (\n" + "            'a'\n" * 20000 + "        )\n",
    "lambdas": f"        x = {'lambda: ' * 95}0\n",
    "keys within keys": f"        x = {{}}\n        x{'[0]' * 3000} = 1\n",
    "targets within targets": "        " + "(" * 150 + "a" + ",)" * 150 + " = size\n",
    "in a nested function": f"        def inner():\n            return {LONG}\n",
    "beside another statement": f"        x = 1; y = {LONG}\n",
    "in a condition": f"        if {LONG}:\n            pass\n",
    "a ladder of conditions": "        if size:\n            pass\n"
    + "        elif size:\n            pass\n" * 3000,
    "blocks within blocks": "".join(f"{' ' * (8 + each)}if size:\n" for each in range(90))
    + " " * 98
    + "pass\n",
    "a sum within blocks": (
        "".join(f"{' ' * (8 + each)}if size:\n" for each in range(90)) + " " * 98 + f"x = {LONG}\n"
    ),
}
HEADINGS = {
    "a decorator": f"@decorated({LONG})\n    def f(self):",
    "a default": f"def f(self, x={LONG}):",
    "an annotation": f"def f(self, x: {LONG}):",
    "a promise": f"def f(self) -> {LONG}:",
}


@cases(DEEP)
def test_deep_statement_leaves_the_rest_of_its_function(case: str) -> None:
    assert [(each.code, each.position.line) for each in lint(HEAD + case + USE)] == [("CKP102", 8)]


@cases(HEADINGS)
def test_deep_heading_leaves_its_class(case: str) -> None:
    source = f"{HEAD}{USE}\n    {case}\n        self.kernel.add_(1)\n"
    assert [each.code for each in lint(source)] == ["CKP101"]


def test_deep_base_leaves_its_file() -> None:
    source = f"{HEAD}{USE}\nclass Other({LONG}):\n    def f(self):\n        self.x = 1\n"
    assert [each.code for each in lint(source)] == ["CKP102"]


@pytest.mark.parametrize("bracket", ["()", "[]", "{}"])
def test_what_no_parser_can_read_says_so(bracket: str) -> None:
    assert collect_file(f"x = {bracket[0] * 5000}1{bracket[1] * 5000}\n".encode()).error.startswith(
        "cannot be parsed"
    )


def test_nested_blocks_beyond_the_parser_say_so() -> None:
    source = "".join(" " * each + "if x:\n" for each in range(150)) + " " * 150 + "pass\n"
    assert "indentation" in collect_file(source.encode()).error


MANY = 3000
# Each takes seconds where it is linear in the number of its branches, and hours where it is not.
LONG_FUNCTIONS = {
    "keys under conditions": "".join(f"    if c:\n        d['k{each}'] = v\n" for each in range(MANY)),
    "keys in two branches": "".join(
        f"    if c:\n        d['k{each}'] = v\n    else:\n        d['l{each}'] = v\n" for each in range(MANY)
    ),
    "locals under conditions": "".join(f"    if c:\n        x{each} = v\n" for each in range(MANY)),
    "a ladder": "    if c:\n        pass\n"
    + "".join(f"    elif c == {each}:\n        d['k{each}'] = v\n" for each in range(MANY)),
    "keys in loops": "".join(f"    for x in c:\n        d['k{each}'] = x\n" for each in range(MANY)),
    "keys in attempts": "".join(
        f"    try:\n        d['k{each}'] = v\n    except KeyError:\n        pass\n" for each in range(MANY)
    ),
}


@cases(LONG_FUNCTIONS)
def test_long_function_is_read_to_its_end(case: str) -> None:
    source = f"import torch\n\ndef save(path, c, v):\n    d = {{'first': 1}}\n{case}    torch.save(d, path)\n"
    (function,) = collect_file(source.encode()).functions
    (save,) = (each.call for each in function.calls if each.call.callee == Name("torch.save"))
    (payload, _) = save.args
    assert isinstance(payload, Record) and payload.fields[0].key == "first"
    assert payload.open == (len(payload.fields) == MAX_FIELDS)


def test_keys_of_many_branches_are_all_kept() -> None:
    body = "".join(f"    if c:\n        d['k{each}'] = v\n" for each in range(MAX_FIELDS))
    source = f"import torch\n\ndef save(path, c, v):\n    d = {{}}\n{body}    torch.save(d, path)\n"
    (function,) = collect_file(source.encode()).functions
    (save,) = (each.call for each in function.calls if each.call.callee == Name("torch.save"))
    fields = tuple(Field(f"k{each}", Param("v"), False) for each in range(MAX_FIELDS))
    assert save.args[0] == Record(fields)


def test_value_too_deep_loses_its_leaves() -> None:
    deep = "[" * 12 + "data" + "]" * 12
    source = f"import torch\n\ndef save(data, path):\n    torch.save({{'a': {{'b': {deep}, 'c': 1}}, 'd': 2}}, path)\n"
    (function,) = collect_file(source.encode()).functions
    outer = function.calls[0].call.args[0]
    assert isinstance(outer, Record) and [each.key for each in outer.fields] == ["a", "d"]
    inner = outer.fields[0].value
    assert isinstance(inner, Record) and [each.key for each in inner.fields] == ["b", "c"]


def test_large_call_keeps_its_object_and_its_arguments() -> None:
    many = ", ".join(f"data[{number}].value" for number in range(40))
    source = f"import torch\n\ndef load(agent, data, path):\n    net = agent.build({many})\n    torch.save(net, path)\n"
    (function,) = collect_file(source.encode()).functions
    (store,) = [each for each in function.stores if isinstance(each.target, Local)]
    assert store.target == Local("net", Call(Attr(Param("agent"), "build"), (UNKNOWN,) * 40))
