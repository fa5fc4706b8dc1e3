"""What expressions and annotations are known to give: torch, numpy, containers, numbers."""

from __future__ import annotations

import pytest

from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.facts.values import NONE
from flake8_ckpt.facts.values import NUMBER
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Element
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Instance
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import join

HEADER = """
import collections
import copy
import math
import einops
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch import Tensor
"""
TENSORS = Container("tuple", Tensor())
DATA = Container("tuple", Tensor("data"))
TORCH = {
    "zeros are constant": ("torch.zeros(3)", Tensor()),
    "a draw is random": ("torch.randn(3)", Tensor("random")),
    "a seeded draw is the same again": ("torch.randn(3, generator=data)", Tensor("data")),
    "empty is a placeholder": ("torch.empty(3)", Tensor("empty")),
    "a literal is constant": ("torch.tensor([1.0, 2.0])", Tensor()),
    "either literal is constant": ("torch.tensor(1 if data else 2)", Tensor()),
    "what is handed in is data": ("torch.as_tensor(data)", Tensor("data")),
    "a tensor keeps its origin": ("torch.clone(torch.rand(3))", Tensor("random")),
    "one that requires grad": ("torch.zeros(3, requires_grad=True)", Tensor(trainable=True)),
    "one that may require grad": ("torch.rand(3).requires_grad_()", Tensor("random", True)),
    "moves keep requires grad": (
        "torch.rand(3, requires_grad=True).cuda()",
        Tensor("random", True, placed=True),
    ),
    "views lose requires grad": ("torch.rand(3, requires_grad=True).detach()", Tensor("random")),
    "a complex tensor": ("torch.polar(torch.ones(3), torch.ones(3))", Tensor("complex")),
    "a variable of old": (
        "torch.autograd.Variable(torch.rand(3), requires_grad=True)",
        Tensor("random", True),
    ),
    "a typed tensor of sizes": ("torch.FloatTensor(3, 4)", Tensor("empty")),
    "a typed tensor of data": ("torch.FloatTensor(data)", Tensor("data")),
    "a typed tensor on the device": ("torch.cuda.FloatTensor(3)", Tensor("empty")),
    "the device's state": ("torch.cuda.device_count()", UNKNOWN),
    "a function of the functional namespace": ("F.softmax(data)", Tensor("data", placed=True)),
    "a transform": ("torch.fft.fftfreq(8)", Tensor()),
    "a matrix's inverse": ("torch.linalg.inv(data)", Tensor("data")),
    "a matrix's factors": ("torch.linalg.svd(data)", DATA),
    "the maximum of all": ("torch.max(torch.ones(3))", Tensor(scalar=True)),
    "the maximum by a dimension": ("torch.max(torch.ones(3), 0)", TENSORS),
    "the maximum of two": ("torch.max(torch.ones(3), torch.rand(3))", Tensor("random")),
    "parts": ("torch.split(torch.ones(4), 2)", TENSORS),
    "a function nobody knows": ("torch.frobnicate(data)", UNKNOWN),
    "a parameter": ("nn.Parameter(torch.ones(3))", Parameter()),
    "a buffer": ("nn.Buffer(torch.ones(3))", Buffer()),
    "a buffer that is not saved": ("nn.Buffer(torch.ones(3), persistent=False)", Buffer(False)),
    "a layer": ("nn.Linear(3, 3)", Module("torch.nn.Linear")),
    "a layer that was moved": ("nn.Linear(3, 3).cuda().eval()", Module("torch.nn.Linear")),
    "what a layer says of itself": ("nn.Linear(3, 3).parameters()", UNKNOWN),
    "a layer that was drawn": ("nn.init.normal_(data)", Param("data")),
    "a rearrangement": ("einops.rearrange(data, 'a b -> b a')", Arith((Param("data"),))),
}
METHODS = {
    "an item is a number": ("torch.ones(1).item()", NUMBER),
    "a list is a number": ("torch.ones(1).tolist()", NUMBER),
    "a question is a number": ("torch.ones(1).is_contiguous()", NUMBER),
    "the type is a number": ("torch.ones(1).type()", NUMBER),
    "a cast is a tensor": ("torch.ones(1).type(torch.int64)", Tensor()),
    "an array": ("torch.ones(1).numpy()", NdArray()),
    "chunks": ("torch.ones(4).chunk(2)", TENSORS),
    "one chunk": ("torch.ones(4).chunk(2)[0]", Tensor()),
    "the maximum of all": ("torch.ones(4).max()", Tensor(scalar=True)),
    "made on a device": ("torch.zeros(3, device=device)", Tensor(placed=True)),
    "made on no device of its own": ("torch.zeros(3, device=None)", Tensor()),
    "moved by keyword": ("torch.zeros(3).to(device=device)", Tensor(placed=True)),
    "cast and not moved": ("torch.zeros(3).to(torch.float64)", Tensor()),
    "cast by keyword": ("torch.zeros(3).to(dtype=kind)", Tensor()),
    "computed on a device": ("2 * torch.zeros(3).cuda().exp()[1:] + 1", Tensor(placed=True)),
    "stacked on a device": ("torch.stack([torch.zeros(3).cuda()])", Tensor()),
    "a number as a tensor": ("torch.tensor(-0.5)", Tensor(scalar=True)),
    "numbers as a tensor": ("torch.tensor([0.5])", Tensor()),
    "an empty shape": ("torch.full((), 0.5)", Tensor(scalar=True)),
    "the logarithm of a number": ("torch.tensor(2.0).log() * 2", Tensor(scalar=True)),
    "a number times a vector": ("torch.tensor(2.0) * torch.ones(3)", Tensor()),
    "the square root of a sum": ("torch.sqrt(torch.sum(torch.ones(3)))", Tensor(scalar=True)),
    "a number as a vector": ("torch.tensor(2.0).reshape(1)", Tensor()),
    "the maximum along a dimension": ("torch.ones(4, 4).sum(0)", Tensor()),
    "the maximum along a named dimension": ("torch.ones(4, 4).sum(dim=0)", Tensor()),
    "the maximum by a dimension": ("torch.ones(4).max(0)", TENSORS),
    "drawn in place": ("torch.empty(4).uniform_(0, 1)", Tensor("random")),
    "filled in place": ("torch.empty(4).fill_(1.0)", Tensor()),
    "an array's item": ("np.ones(1).item()", NUMBER),
    "an array's rows": ("np.ones(4).reshape(2, 2)", NdArray()),
    "a number's method": ("(1.5).hex()", NUMBER),
    "a parameter of the function": ("data.clone()", Call(Attr(Param("data"), "clone"))),
    "an attribute": ("self.mean.clone()", Call(Attr(Attr(SELF, "mean"), "clone"))),
    "a tensor's shape": ("torch.ones(4).shape", NUMBER),
    "an array's type": ("np.ones(4).dtype", NUMBER),
    "a transposed tensor": ("torch.ones(4).T", Tensor()),
    "what only a program knows": ("torch.ones(4).mine", UNKNOWN),
    "a number's attribute": ("(1.5).real", NUMBER),
    "a list's attribute": ("[1].mine", UNKNOWN),
    "an attribute's attribute": ("self.mean.mine", Attr(Attr(SELF, "mean"), "mine")),
    "a function of a module": ("torch.zeros", Name("torch.zeros")),
    "an attribute of the base class": ("super().mean", Attr(Super(), "mean")),
}
ARRAYS = {
    "an array": ("np.zeros(3)", NdArray()),
    "an array at random": ("np.random.rand(3)", NdArray()),
    "a number at random": ("np.random.rand()", UNKNOWN),
    "a root of a number": ("np.sqrt(data)", Arith((Param("data"),))),
    "a number's type": ("np.float32(3)", NUMBER),
    "a function nobody knows": ("np.frobnicate(3)", UNKNOWN),
    "arithmetic with a number": ("np.zeros(3) * 2 + 1", NdArray()),
    "a row": ("np.zeros((3, 3))[0]", NdArray()),
    "a tensor of an array": ("torch.from_numpy(np.zeros(3))", Tensor("data")),
    "mathematics": ("math.sqrt(3)", NUMBER),
}
ARITHMETIC = {
    "numbers": ("1 + 2 * 3.0", NUMBER),
    "a tensor and a number": ("-torch.ones(3) ** 2 + 1j", Tensor()),
    "two tensors": ("torch.ones(3) @ torch.rand(3, 3)", Tensor("random")),
    "a parameter and a number": ("nn.Parameter(torch.ones(3)) * 2", Tensor("data")),
    "a number that is handed in": ("data / 2", Arith((Param("data"), Const(2)))),
    "a denial": ("not data", NUMBER),
    "either": ("data or torch.ones(3)", Join((Param("data"), Tensor()))),
    "one of two": ("torch.ones(3) if data else None", Join((Tensor(), NONE))),
    "a comparison of tensors": ("torch.rand(3) < 0.5", Tensor("random")),
    "an identity": ("torch.rand(3) is not data", NUMBER),
    "a membership": ("data in torch.rand(3)", NUMBER),
    "a sum of tensors": ("sum([torch.ones(3), torch.ones(3)])", Tensor()),
    "the absolute tensor": ("abs(torch.rand(3))", Tensor("random")),
    "the larger of two": ("max(1, 2)", NUMBER),
    "text": ("'a' 'b'", Const("ab")),
    "text that no file can hold": ("'\\ud800'", NUMBER),
    "short text": ("'mean'", Const("mean")),
    "long text": (repr("a" * 200), NUMBER),
    "formatted text": ("f'mean_{data}'", Arith((Const("mean_"), Const("${=data}")))),
    "formatted text with a brace": ("f'{{{data}'", Arith((Const("{"), Const("${=data}")))),
    "formatted text beside other text": (
        "'a' f'{data}' 'b'",
        Arith((Const("a"), Const("${=data}"), Const("b"))),
    ),
    "zeros": ("000", Const(0)),
    "a hexadecimal number": ("0x_10", Const(16)),
    "a number of 64 bits": ("9223372036854775807", Const(9223372036854775807)),
    "a number of more bits": ("9223372036854775808", NUMBER),
    "a lambda": ("lambda: torch.ones(3)", UNKNOWN),
    "an ellipsis": ("...", UNKNOWN),
}
CONTAINERS = {
    "an empty list": ("[]", Container("list", UNKNOWN, 0)),
    "a list of tensors": ("[torch.ones(3), torch.zeros(3)]", Container("list", Tensor(), 2)),
    "a list with all of another": ("[*[torch.ones(3)], torch.rand(3)]",
                                   Container("list", Join((Tensor(), Tensor("random"))))),
    "a tuple": ("(1, torch.ones(3))", Container("tuple", Join((Const(1), Tensor())), 2, (Const(1), Tensor()))),
    "a set": ("{1}", Container("set", Const(1), 1)),
    "an element of a tuple": ("(1, torch.ones(3))[1]", Tensor()),
    "some element of a tuple": ("(1, torch.ones(3))[data]", Join((Const(1), Tensor()))),
    "a part of a list": ("[torch.ones(3)][:1]", Container("list", Tensor())),
    "a repeated number": ("[0] * 3", Container("list", Const(0))),
    "a repeated tensor is the same": ("[torch.ones(3)] * 3", Container("list", UNKNOWN)),
    "two lists": ("[1] + [torch.ones(3)]", Container("list", Join((Const(1), Tensor())))),
    "something and a list": ("data + [1]", UNKNOWN),
    "a comprehension": ("[torch.ones(3) for _ in range(3)]", Container("list", Tensor())),
    "a set made": ("{i for i in (1, 1)}", Container("set", Const(1))),
    "a generator": ("list(row for row in torch.ones(3) if row)", Container("list", Tensor())),
    "two loops": ("[b for a in [[torch.ones(3)]] for b in a]", Container("list", Tensor())),
    "a dict made": ("{k: v for k, v in {'a': torch.ones(3), 1: torch.ones(3)}.items()}",
                    Container("dict", Tensor())),
    "counted elements": ("[x for i, x in enumerate([torch.ones(3)])]", Container("list", Tensor())),
    "paired elements": ("[x for i, x in zip([1], [torch.ones(3)])]", Container("list", Tensor())),
    "elements of pairs": ("[x for i, x in [(torch.ones(3), torch.ones(3))]]", Container("list", Tensor())),
    "elements of an attribute": ("[x for x in self.means]", Container("list", Element(Attr(SELF, "means")))),
    "elements of what is handed in": ("list(data)", Container("list", Element(Param("data")))),
    "elements of an array": ("list(np.ones(3))", Container("list", UNKNOWN)),
    "elements of numbers": ("list(3)", Container("list", UNKNOWN)),
    "elements of either": ("list([1] if data else [2])", Container("list", Join((Const(1), Const(2))))),
    "an empty list by name": ("list()", Container("list", UNKNOWN, 0)),
    "a deque": ("collections.deque(maxlen=3)", Container("list", UNKNOWN, 0)),
    "a range": ("range(3)", Container("list", NUMBER)),
    "a record": ("{'a': 1}", Record((Field("a", Const(1)),))),
    "a record of keywords": ("dict(a=1)", Record((Field("a", Const(1)),))),
    "an empty dict": ("dict()", Container("dict", UNKNOWN, 0)),
    "a dict of something": ("dict(data)", Container("dict", UNKNOWN)),
    "a record and another": ("{**{'a': 1}, 'b': 2}", Record((Field("a", Const(1)), Field("b", Const(2))))),
    "two records": ("{'a': 1} | {'b': 2}", Record((Field("a", Const(1)), Field("b", Const(2))))),
    "a dict of computed keys": ("{data: 1, 'a': 1}", Container("dict", Const(1), 2)),
    "a key of a record": ("{'a': torch.ones(3)}['a']", Tensor()),
    "a key that is not there": ("{'a': torch.ones(3)}['b']", UNKNOWN),
    "a key got": ("{'a': torch.ones(3)}.get('a')", Tensor()),
    "a copy of a record": ("{'a': 1}.copy()", Record((Field("a", Const(1)),))),
    "the keys of a record": ("{'a': 1}.keys()", UNKNOWN),
    "a copy of a list": ("[torch.ones(3)].copy()", Container("list", Tensor(), 1)),
    "a popped element": ("[torch.ones(3)].pop()", Tensor()),
    "an index in a list": ("[1].index(1)", UNKNOWN),
    "a deep copy": ("copy.deepcopy(torch.rand(3))", Tensor("random")),
    "an item of what is handed in": ("data['a']", Item(Param("data"), Const("a"))),
    "a part of what is handed in": ("data[1:2:3]", Param("data")),
    "an item by two indices": ("data[0, 1]", Item(Param("data"), UNKNOWN)),
    "an item of a parameter": ("nn.Parameter(torch.ones(3))[0]", Tensor("data")),
    "an item of a number": ("(1)[0]", UNKNOWN),
    "an attribute by its name": ("getattr(self, 'mean')", Attr(SELF, "mean")),
    "an attribute of another": ("getattr(data, 'mean')", Attr(Param("data"), "mean")),
    "an attribute that may be missing": ("getattr(data, 'mean', None)", join([Attr(Param("data"), "mean"), NONE])),
    "an attribute by a computed name": ("getattr(data, name)", UNKNOWN),
    "a length": ("len(self.means)", NUMBER),
    "a call of what is unknown": ("(lambda: 1)()", UNKNOWN),
    "a call of an element": ("self.means[0](data)", Call(Item(Attr(SELF, "means"), Const(0)), (Param("data"),))),
    "a call with all arguments": ("self.make(*data, key=1, **data)", Call(
        Attr(SELF, "make"), (Call(Name("*"), (Param("data"),)),), (("key", Const(1)), ("**", Param("data"))))),
}  # fmt: skip
ANNOTATIONS = {
    "a tensor": ("torch.Tensor", Tensor("data")),
    "a tensor by its own name": ("Tensor", Tensor("data")),
    "a typed tensor": ("torch.LongTensor", Tensor("data")),
    "a parameter": ("nn.Parameter", Parameter()),
    "a layer": ("nn.Linear", Module("torch.nn.Linear")),
    "an array": ("np.ndarray", NdArray()),
    "a number": ("float", NUMBER),
    "a device": ("torch.device", NUMBER),
    "nothing": ("None", NONE),
    "a quoted tensor": ("' torch.Tensor'", Tensor("data")),
    "a broken quote": ("'torch.'", UNKNOWN),
    "a literal": ("3", UNKNOWN),
    "an optional tensor": ("Optional[Tensor]", Join((Tensor("data"), NONE))),
    "a tensor or nothing": ("Tensor | None", Join((Tensor("data"), NONE))),
    "a union": ("Union[Tensor, float]", Join((Tensor("data"), NUMBER))),
    "a final tensor": ("Final[Tensor]", Tensor("data")),
    "an annotated tensor": ("typing.Annotated[Tensor, 'batch size']", Tensor("data")),
    "any list": ("list", Container("list", UNKNOWN)),
    "a list of tensors": ("typing.List[Tensor]", Container("list", Tensor("data"))),
    "a dict of tensors": ("dict[str, Tensor]", Container("dict", Tensor("data"))),
    "a pair": (
        "tuple[int, Tensor]",
        Container("tuple", Join((NUMBER, Tensor("data"))), -1, (NUMBER, Tensor("data"))),
    ),
    "a tuple of any length": ("tuple[Tensor, ...]", DATA),
    "anything": ("Any", UNKNOWN),
    "another generic": ("Type[Tensor]", Name("torch.Tensor")),
    "a function": ("Callable[[int], Tensor]", Name("torch.Tensor")),
    "a class of another file": ("models.Net", Instance("models.Net")),
    "a computed annotation": ("make()", UNKNOWN),
    "too deep an annotation": ("Optional[" * 12 + "Tensor" + "]" * 12, Join((UNKNOWN, NONE))),
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param(*case, id=f"{kind}-{key}".replace(" ", "-"))
        for kind, table in {
            "torch": TORCH,
            "method": METHODS,
            "numpy": ARRAYS,
            "arithmetic": ARITHMETIC,
            "container": CONTAINERS,
        }.items()
        for key, case in table.items()
    ],
)
def test_value_of_an_expression(expression: str, expected: Value) -> None:
    assert _value(expression) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"), ANNOTATIONS.values(), ids=[key.replace(" ", "-") for key in ANNOTATIONS]
)
def test_value_an_annotation_promises(annotation: str, expected: Value) -> None:
    source = f"class Model(nn.Module):\n    def load_state_dict(self, data: {annotation} = None): pass\n"
    (model,) = collect_file((HEADER + source).encode()).classes
    data = model.methods[0].parameters[1]
    assert (data.name, data.annotation, data.default) == ("data", expected, NONE)


@pytest.mark.parametrize(
    ("annotation", "promised"),
    [
        ("Tensor", [Tensor("data")]),
        ("Any", [Call(Name("frobnicate"), (Param("size"),))]),
        ("float", []),
        ("None", []),
    ],
    ids=["a tensor", "anything", "a number", "nothing"],
)
def test_function_that_promises_what_it_gives(annotation: str, promised: list[Value]) -> None:
    source = f"def make(size) -> {annotation}:\n    return frobnicate(size)\n"
    facts = collect_file((HEADER + source).encode())
    assert [each.returns for each in facts.functions] == promised


def _value(expression: str) -> Value:
    """Return what a method that is given `data` assigns to an attribute."""
    source = (
        "class Model(nn.Module):\n    def forward(self, data):\n"
        f"        self.register_buffer('other', data)\n        self.found = {expression}\n"
    )
    (model,) = collect_file((HEADER + source).encode()).classes
    (write,) = (each for each in model.methods[0].writes if each.attr == "found")
    return write.value
