"""What the walk through a function sees, statement by statement: writes, uses, returns, guards."""

from __future__ import annotations

from textwrap import indent
from typing import Union

import pytest

from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.facts.model import MARKS
from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Guard
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import NUMBER
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value

Seen = tuple[str, str, bool, tuple[str, ...]]
Row = tuple[str, list[Seen]]
STATEMENTS: dict[str, Row] = {
    "several targets": ("self.a = self.b = data", [("a", "assign", False, ()), ("b", "assign", False, ())]),
    "an annotated target": ("self.a: Tensor = data", [("a", "assign", False, ())]),
    "an annotation alone": ("self.a: Tensor", []),
    "two statements in a line": ("self.a = data; self.b = data", [
        ("a", "assign", False, ()), ("b", "assign", False, ())]),
    "a tuple of targets": ("self.a, (self.b, c) = data", [("a", "assign", False, ()), ("b", "assign", False, ())]),
    "a starred target": ("self.a, *self.b = data", [("a", "assign", False, ()), ("b", "assign", False, ())]),
    "a tuple of values": ("self.a, self.b = data, 1", [("a", "assign", False, ()), ("b", "assign", False, ())]),
    "the old value goes into the new": ("self.a = 0.9 * self.a + data", [("a", "assign", True, ())]),
    "the old value goes through a local": ("old = self.a\nself.a = old + data", [("a", "assign", True, ())]),
    "the old value goes through a walrus": ("self.a = (old := self.a) + old", [("a", "assign", True, ())]),
    "a look at the old shape": ("self.a = torch.ones(self.a.shape)", [("a", "assign", False, ())]),
    "a new tensor like the old": ("self.a = torch.zeros_like(self.a)", [("a", "assign", False, ())]),
    "the new value is read": ("self.a = data\nself.a = self.a + 1", [
        ("a", "assign", False, ()), ("a", "assign", False, ())]),
    "a move": ("self.a = self.a.to(data)", [("a", "moved", True, ())]),
    "a chain of moves": ("self.a = self.a.detach().cpu()", [("a", "moved", True, ())]),
    "a move of another": ("self.a = self.b.to(data)", [("a", "assign", False, ())]),
    "a sum is no move": ("self.a = self.a.sum()", [("a", "assign", True, ())]),
    "an item": ("self.a[0] = data", [("a", "item", True, ())]),
    "all items": ("self.a[:] = data", [("a", "item", False, ())]),
    "all items by dots": ("self.a[...] = data", [("a", "item", False, ())]),
    "some items": ("self.a[1:] = data", [("a", "item", True, ())]),
    "an item of an item": ("self.a[0][data] = data", [("a", "item", True, ())]),
    "an item by two indices": ("self.a[0, :] = data", [("a", "item", True, ())]),
    "an item of the data": ("self.a.data[0] = data", [("a", "item", True, ())]),
    "the data": ("self.a.data = data", [("a", "inplace", False, ())]),
    "whether it requires grad": ("self.a.requires_grad = True", [("a", "grad", False, ())]),
    "an attribute of an attribute": ("self.a.b = data", [("a", "weights", False, ())]),
    "an attribute of a call": ("self.make().b = data", [("make", "weights", False, ())]),
    "a sum": ("self.a += data", [("a", "augment", True, ())]),
    "a sum of what is new": ("self.a = data\nself.a += 1", [("a", "assign", False, ()), ("a", "augment", False, ())]),
    "a list that grows by a sum": ("self.a += [data]", [("a", "grow", True, ())]),
    "a sum at an item": ("self.a[:] += data", [("a", "item", True, ())]),
    "a sum in the data": ("self.a.data += data", [("a", "inplace", True, ())]),
    "a sum at another's attribute": ("self.a.b += data", [("a", "weights", False, ())]),
    "a change in place": ("self.a.mul_(0.9).add_(data)", [
        ("a", "inplace", True, ()), ("a", "weights", False, ())]),
    "a copy in place": ("self.a.copy_(data)", [("a", "inplace", False, ())]),
    "a copy of the old in place": ("self.a.copy_(self.a + data)", [("a", "inplace", True, ())]),
    "an appended element": ("self.a.append(data)", [("a", "grow", True, ())]),
    "an attribute by its name": ("setattr(self, 'a', data)", [("a", "assign", False, ())]),
    "an attribute past the hooks": ("object.__setattr__(self, 'a', data)", [("a", "assign", False, ("hidden",))]),
    "an attribute by the method": ("self.__setattr__('a', data)", [("a", "assign", False, ())]),
    "a deletion": ("del self.a", [("a", "delete", False, ())]),
    "a deletion of an item": ("del data, self.b[0]", []),
    "two deletions": ("del self.a, data, self.b", [("a", "delete", False, ()), ("b", "delete", False, ())]),
    "a loop's target": ("for self.a in data: pass", [("a", "assign", False, ())]),
    "a resource": ("with data as self.a, open(data): self.b = data", [
        ("a", "assign", False, ()), ("b", "assign", False, ())]),
    "a resource of a coroutine": ("async def run():\n    async with data as self.a:\n        self.b = await data", [
        ("a", "assign", False, ("branch", "nested")), ("b", "assign", False, ("branch", "nested"))]),
    "a function inside": ("def keep(self, value, *rest, **more):\n    self.a = value", [
        ("a", "assign", False, ("branch", "nested"))]),
    "a local of that name": ("a = data", []),
    "nothing after a return": ("return data\nself.a = data", []),
    "nothing after a raise": ("raise ValueError\nself.a = data", []),
}  # fmt: skip
BRANCHES: dict[str, Row] = {
    "the two branches of a test": ("if data:\n    self.a = data\nelse:\n    self.a = None", [
        ("a", "assign", False, ("branch",)), ("a", "assign", False, ("branch",))]),
    "a test that is always true": ("if True:\n    self.a = data\nelse:\n    self.b = data", [
        ("a", "assign", False, ())]),
    "a test that is never true": ("if 0:\n    self.a = data\nelse:\n    self.b = data", [("b", "assign", False, ())]),
    "the opposite of what is never true": ("if not TYPE_CHECKING:\n    self.a = data", [("a", "assign", False, ())]),
    "the opposite of what is not known": ("if not data:\n    self.a = data", [("a", "assign", False, ("branch",))]),
    "nothing after a return that always runs": ("if True:\n    return\nself.a = data", []),
    "the program itself": ("if __name__ == '__main__':\n    self.a = data", [("a", "assign", False, ())]),
    "the program itself, the other way round": ("if '__main__' == __name__:\n    self.a = data", [
        ("a", "assign", False, ())]),
    "another program": ("if __name__ == 'train':\n    self.a = data", [("a", "assign", False, ("branch",))]),
    "not the program itself": ("if __name__ != '__main__':\n    self.a = data", [("a", "assign", False, ("branch",))]),
    "the opposite after a return": ("if self.a is None:\n    return\nself.b = data", [
        ("b", "assign", False, ("some:a", "about:a"))]),
    "one of several tests": ("if self.a is None:\n    pass\nelif not self.b:\n    self.c = data", [
        ("c", "assign", False, ("some:a", "about:a", "unset:b", "about:b"))]),
    "an attribute that is missing": ("if not hasattr(self, 'a'):\n    self.a = data", [
        ("a", "assign", False, ("missing:a",))]),
    "an attribute that is fetched": ("if getattr(self, 'a', None) is None:\n    self.a = data", [
        ("a", "assign", False, ("none:a", "about:a"))]),
    "a fetched flag": ("if getattr(self, 'a', False):\n    self.b = data", [
        ("b", "assign", False, ("set:a", "about:a"))]),
    "a fetched attribute of a computed name": ("if getattr(self, data, False):\n    self.b = data", [
        ("b", "assign", False, ("branch", "about:__dict__"))]),
    "a flag that is compared": ("if self.a == False:\n    self.b = data", [
        ("b", "assign", False, ("unset:a", "about:a"))]),
    "a flag that is not": ("if self.a is not True:\n    self.b = data", [
        ("b", "assign", False, ("unset:a", "about:a"))]),
    "a number that is compared": ("if self.a == 3:\n    self.b = data", [
        ("b", "assign", False, ("branch", "about:a"))]),
    "a number that is less": ("if self.a < 3:\n    self.b = data", [
        ("b", "assign", False, ("branch", "about:a", "order:a"))]),
    "a call that is compared": ("if data() is None:\n    self.b = data", [("b", "assign", False, ("branch",))]),
    "two tests at once": ("if self.a and data:\n    self.c = data", [
        ("c", "assign", False, ("set:a", "branch", "about:a"))]),
    "one of two tests": ("if self.a or data:\n    pass\nelse:\n    self.c = data", [
        ("c", "assign", False, ("unset:a", "branch", "about:a"))]),
    "a loop": ("for each in data:\n    self.a += each", [("a", "augment", True, ("loop",))]),
    "a loop that ends": ("while data:\n    break\nelse:\n    self.a = data", [("a", "assign", False, ())]),
    "nothing after a continue": ("for each in data:\n    continue\n    self.a = each", []),
    "what follows a loop": ("for each in data:\n    break\nself.a = data", [("a", "assign", False, ())]),
    "an attempt": (
        "try:\n    self.a = data\nexcept ValueError:\n    self.b = data\n"
        "else:\n    self.c = data\nfinally:\n    self.d = data",
        [("a", "assign", False, ()), ("c", "assign", False, ()), ("b", "assign", False, ("branch",)),
         ("d", "assign", False, ())]),
    "an attempt that returns": ("try:\n    return data\nfinally:\n    self.a = data\nself.b = data", [
        ("a", "assign", False, ())]),
    "an attempt that fails at first": ("try:\n    return data\nexcept ValueError:\n    pass\nself.b = data", [
        ("b", "assign", False, ())]),
    "the cases of a match": ("match self.a:\n    case 1:\n        self.b = data\n    case _:\n        self.c = data", [
        ("b", "assign", False, ("branch",)), ("c", "assign", False, ("branch",))]),
    "an assertion is no branch": ("assert self.a is not None\nself.b = data", [("b", "assign", False, ())]),
    "what was written in both branches is new": (
        "if data:\n    self.a = data\nelse:\n    self.a = None\nself.a = self.a + 1",
        [("a", "assign", False, ("branch",)), ("a", "assign", False, ("branch",)), ("a", "assign", False, ())]),
    "what was written in one branch may be old": (
        "if data:\n    self.a = data\nself.a = self.a + 1",
        [("a", "assign", False, ("branch",)), ("a", "assign", True, ())]),
}  # fmt: skip
LOCALS: dict[str, tuple[str, Value]] = {
    "an element of a tuple": ("a, b = (torch.ones(3), 1)\nself.x = a", Tensor()),
    "an element of what is handed in": ("a, b = [torch.ones(3), torch.ones(3)]\nself.x = a", Tensor()),
    "the rest": ("a, *b = [torch.ones(3), torch.ones(3)]\nself.x = b", UNKNOWN),
    "a sum": ("a = torch.ones(3)\na += data\nself.x = a", Tensor("data")),
    "a list with more": ("a = [torch.ones(3)]\na += [torch.rand(3)]\nself.x = a",
                         Container("list", Join((Tensor(), Tensor("random"))))),
    "an appended element": ("a = []\na.append(torch.ones(3))\nself.x = a", Container("list", Tensor())),
    "an element appended in a loop": ("a = []\nfor _ in data:\n    a.append(torch.ones(3))\nself.x = a",
                                      Container("list", Tensor())),
    "an extended list": ("a = []\na.extend([torch.ones(3)])\nself.x = a", Container("list", Tensor())),
    "an updated dict": ("a = {data: 1}\na.update({'a': 2})\nself.x = a",
                        Container("dict", Join((Const(1), Const(2))))),
    "a list of what nobody gave": ("a = []\na.append()\nself.x = a", Container("list", UNKNOWN)),
    "an item": ("a = {}\na['b'] = torch.ones(3)\nself.x = a", Record((Field("b", Tensor()),))),
    "an item twice": ("a = {'b': 1}\na['b'] = 2\nself.x = a", Record((Field("b", Const(2)),))),
    "an item of a computed key": ("a = {'b': 1}\na[data] = 2\nself.x = a", Record((Field("b", Const(1)),), True)),
    "an item of a list": ("a = [1]\na[0] = 2\nself.x = a", Container("list", Join((Const(1), Const(2))))),
    "an item of a tensor": ("a = torch.ones(3)\na[0] = 2\nself.x = a", Tensor()),
    "an updated record": ("a = {'b': 1}\na.update({'c': 2})\nself.x = a",
                          Record((Field("b", Const(1)), Field("c", Const(2))))),
    "a record updated by keywords": ("a = {'b': 1}\na.update(c=2)\nself.x = a",
                                     Record((Field("b", Const(1)), Field("c", Const(2))))),
    "a record updated by something": ("a = {'b': 1}\na.update(data)\nself.x = a",
                                      Record((Field("b", Const(1)), Field("**", Param("data"), False)))),
    "a record of two branches": ("a = {'b': 1}\nif data:\n    a['c'] = 2\nself.x = a",
                                 Record((Field("b", Const(1)), Field("c", Const(2), False)))),
    "a record filled in a loop": ("a = {}\nfor _ in data:\n    a['b'] = torch.ones(3)\nself.x = a",
                                  Record((Field("b", Tensor()),))),
    "lists of two branches": ("if data:\n    a = []\nelse:\n    a = [1]\nself.x = a", Container("list", Const(1))),
    "values of two branches": ("if data:\n    a = 1\nelse:\n    a = None\nself.x = a", Join((Const(1), NONE))),
    "the value of the branch that goes on": ("if data:\n    return\nelse:\n    a = 1\nself.x = a", Const(1)),
    "a tensor that requires grad": ("a = torch.ones(3)\na.requires_grad = True\nself.x = a", Tensor(trainable=True)),
    "a number that requires grad": ("a = 1\na.requires_grad = True\nself.x = a", Const(1)),
    "a tensor by a test": ("if isinstance(data, torch.Tensor):\n    self.x = data", Tensor("data")),
    "a tensor by torch's test": ("if torch.is_tensor(data):\n    self.x = data", Tensor("data")),
    "not a tensor by a test": (
        "a = torch.ones(3) if data else 1\nif not torch.is_tensor(a):\n    self.x = a", Const(1)),
    "nothing by a test": ("if data is None:\n    self.x = data", NONE),
    "something by a test": ("a = torch.ones(3) if data else None\nif a is not None:\n    self.x = a", Tensor()),
    "something by an assertion": ("a = torch.ones(3) if data else None\nassert a is not None\nself.x = a", Tensor()),
    "a function inside": ("def a():\n    return 1\nself.x = a", UNKNOWN),
    "a class inside": ("class A:\n    pass\nself.x = A", Name(":Model.set_extra_state.A")),
    "an import inside": ("from torch import ones as a\nself.x = a", Name("torch.ones")),
    "a module imported inside": ("import torch.nn as a\nself.x = a.Linear", Name("torch.nn.Linear")),
    "what a resource gives": ("with torch.ones(3) as a:\n    self.x = a", Tensor()),
    "what a walrus binds": ("if (a := torch.ones(3)) is not None:\n    self.x = a", Tensor()),
    "a loop's target": ("for a in [torch.ones(3)]:\n    self.x = a", Tensor()),
    "a loop's targets": ("for i, (a, b) in enumerate(data):\n    self.x = a", Element(Element(Param("data")))),
    "a comprehension's target stays inside": ("a = 1\nb = [a for a in data]\nself.x = a", Const(1)),
    "what all parameters hold": ("self.x = more", Param("more")),
}  # fmt: skip
USES: dict[str, tuple[str, tuple[str, ...], bool]] = {
    "a read": ("return self.x", ("plain",), True),
    "a read after a write": ("self.x = data\nreturn self.x", ("apart", "plain"), False),
    "a read after a write in one branch": (
        "if data:\n    self.x = data\nreturn self.x",
        ("apart", "plain"),
        True,
    ),
    "a test": ("if self.x:\n    pass", ("test",), True),
    "a test in an expression": ("return 1 if self.x else 2", ("test",), True),
    "a test in a comprehension": ("return [1 for _ in data if self.x]", ("test",), True),
    "a test in a loop": ("while self.x:\n    pass", ("test",), True),
    "a test for None": ("return self.x is None", ("none",), True),
    "a look at the shape": ("return self.x.shape", ("meta",), True),
    "a length": ("return len(self.x)", ("meta",), True),
    "a move": ("return self.x.to(data)", ("moved",), True),
    "a method": ("return self.x.sum()", (".sum",), True),
    "an attribute": ("return self.x.mine", (".mine",), True),
    "an item": ("return self.x[0]", ("item",), True),
    "a call": ("return self.x(data)", ("call",), True),
    "an iteration": ("for each in self.x:\n    each.cuda()", ("iter", "element.cuda"), True),
    "a call of elements": ("return [each(data) for each in self.x]", ("iter", "element()"), True),
    "a starred argument": ("return data(*self.x)", ("plain",), True),
    "a formatted string": ("return f'{data}: {self.x}'", ("plain",), True),
    "a fetch": ("return getattr(self, 'x', 1)", ("plain",), True),
    "an awaited value": ("async def run():\n    return await self.x", ("plain",), True),
    "the bounds of a slice": ("return data[: self.x]", ("plain",), True),
    "a tensor function": ("return torch.matmul(self.x, data)", ("plain", "tensor"), True),
    "a concatenation": ("return torch.cat([self.x, data])", ("plain", "cat"), True),
    "the subject of a match": ("match self.x:\n    case 1:\n        pass", ("plain",), True),
    "a bound attribute by a sum": ("self.x += 1", ("plain", "own"), True),
}
REGISTERS = {
    "a buffer": ("self.register_buffer('mean', torch.ones(3))", ("buffer", "mean", Tensor(), True)),
    "keywords": ("self.register_buffer(name='mean', tensor=data)", ("buffer", "mean", Param("data"), True)),
    "not saved": ("self.register_buffer('mean', None, False)", ("buffer", "mean", NONE, False)),
    "not saved by keyword": ("self.register_buffer('m', None, persistent=False)", ("buffer", "m", NONE, False)),
    "of the base class": ("super().register_buffer('mean', data)", ("buffer", "mean", Param("data"), True)),
    "a computed part": ("self.register_buffer(f'mean_{data}', data)", ("buffer", "mean_*", Param("data"), True)),
    "a sum of names": ("self.register_buffer(data + '_mean', None)", ("buffer", "*_mean", NONE, True)),
    "a name handed in": ("self.register_buffer(data, None)", ("buffer", "$data", NONE, True)),
    "a name of a call": ("self.register_buffer(data(), None)", ("buffer", "*", NONE, True)),
    "a parameter": ("self.register_parameter('w', param=data)", ("parameter", "w", Param("data"), True)),
    "a module": ("self.add_module('net', data)", ("module", "net", Param("data"), True)),
    "a metric state": ("self.add_state('n', default=torch.ones(1))", ("state", "n", Tensor(), True)),
    "a computed attribute": ("setattr(self, data, 1)", ("setattr", "$data", Const(1), True)),
    "handed to a module list": ("self.nets = data\nself.all = torch.nn.ModuleList(self.nets)",
                                ("wrapped", "nets", UNKNOWN, True)),
    "handed on by a local": ("nets = data\nself.nets = nets\nself.all = torch.nn.Sequential(*list(nets.values()))",
                             ("wrapped", "nets", UNKNOWN, True)),
}  # fmt: skip

HELD: dict[str, tuple[str, set[str]]] = {
    "a look at the shape": ("return self.x.shape", set()),
    "a read after a write": ("self.x = data\nreturn self.x", set()),
    "a read that goes nowhere": ("self.x.sum()", {"held"}),
    "a read after a write in one branch": (
        "if data:\n    self.x = data\nreturn self.x",
        {"held", "returned"},
    ),
    "a read that is returned": ("return self.x", {"held", "returned"}),
    "a read beside an input": ("return self.x + data", {"held", "returned", "input"}),
}


def _named(table: Union[dict[str, Row], dict[str, tuple[str, Value]]]) -> list[str]:
    return [key.replace(" ", "-") for key in table]


@pytest.mark.parametrize(("body", "expected"), STATEMENTS.values(), ids=_named(STATEMENTS))
def test_writes_of_a_statement(body: str, expected: list[Seen]) -> None:
    assert _writes(body) == expected


@pytest.mark.parametrize(("body", "expected"), BRANCHES.values(), ids=_named(BRANCHES))
def test_writes_under_conditions(body: str, expected: list[Seen]) -> None:
    assert _writes(body) == expected


@pytest.mark.parametrize(("body", "expected"), LOCALS.values(), ids=_named(LOCALS))
def test_value_that_a_local_holds(body: str, expected: Value) -> None:
    (write,) = _walked(body).writes
    assert (write.attr, write.value) == ("x", expected)


@pytest.mark.parametrize(
    ("body", "hows", "first"), USES.values(), ids=[key.replace(" ", "-") for key in USES]
)
def test_use_of_an_attribute(body: str, hows: tuple[str, ...], first: bool) -> None:
    (use,) = (each for each in _walked(body).uses if each.attr == "x")
    assert (tuple(each for each in use.how if each not in MARKS), use.first) == (hows, first)


@pytest.mark.parametrize(("body", "marks"), HELD.values(), ids=[key.replace(" ", "-") for key in HELD])
def test_what_becomes_of_an_attribute(body: str, marks: set[str]) -> None:
    (use,) = (each for each in _walked(body).uses if each.attr == "x")
    assert set(use.how) & MARKS == marks


@pytest.mark.parametrize(
    ("body", "expected"), REGISTERS.values(), ids=[key.replace(" ", "-") for key in REGISTERS]
)
def test_registration(body: str, expected: tuple[str, str, Value, bool]) -> None:
    (found,) = _walked(body).registers
    assert (found.kind, found.name, found.value, found.persistent) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return", None),
        ("return torch.ones(3)", Tensor()),
        ("if data:\n    return torch.ones(3)\nreturn None", Join((Tensor(), NONE))),
        ("def inner():\n    return torch.ones(3)\nreturn len(data)", NUMBER),
        (
            "for each in data:\n    return self.mean\nelse:\n    return data",
            Join((Attr(SELF, "mean"), Param("data"))),
        ),
    ],
    ids=[
        "nothing",
        "a tensor",
        "a tensor or nothing",
        "not what a function inside gives",
        "in a loop or after it",
    ],
)
def test_returns_of_a_function(body: str, expected: Value) -> None:
    assert _walked(body).returns == expected


def _writes(body: str) -> list[Seen]:
    return [
        (each.attr, each.how, each.carried, tuple(map(_word, each.guards))) for each in _walked(body).writes
    ]


def _word(guard: Guard) -> str:
    return f"{guard.kind}:{guard.name}" if guard.name else guard.kind


def _walked(body: str) -> FunctionFacts:
    """Return the facts of a method that is read whatever it holds, because checkpoints call it."""
    source = (
        "import torch\nclass Model(torch.nn.Module):\n    def set_extra_state(self, data, *rest, **more):\n"
    )
    facts = collect_file((source + indent(body, " " * 8) + "\n").encode())
    assert facts.error == ""
    return facts.classes[0].methods[0]
