"""The traps of registering what a list or dict holds."""

from __future__ import annotations

import pytest
from torch import nn

from tests.fixes.fixing import fixed

HEAD = "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n"
INIT = "    def __init__(self, size=4):\n        super().__init__()\n"
RUN = "\n    def forward(self, x):\n        for layer in self.layers:\n            x = layer(x)\n        return x\n"
TWO = "self.layers = [nn.Linear(4, 4), nn.Linear(4, 4)]"
BY_NAME = '\n    def forward(self, x):\n        return self.layers["first"](x)\n'


def made(text: str) -> nn.Module:
    """Return an object of the class in a text."""
    names: dict[str, type[nn.Module]] = {}
    exec(compile(text, "model.py", "exec"), names)
    return names["Net"]()


SHOWN = {
    "a method that no ModuleList has": (
        TWO, RUN + "\n    def mix(self):\n        self.layers.reverse()\n",
        "nn.ModuleList has no reverse()"),
    "a copy": (
        TWO, RUN + "\n    def parts(self):\n        return self.layers.copy()\n",
        "nn.ModuleList has no copy()"),
    "an addition from the left": (
        TWO, RUN + "\n    def parts(self):\n        return [1] + self.layers\n",
        "added to it from the left"),
    "a type that is looked at": (
        TWO,
        RUN + "\n    def parts(self):\n        return isinstance(self.layers, list)\n", "its type is looked at"),
    "functions among the modules": (
        "self.layers = [nn.Linear(4, 4), lambda x: x + 1]", RUN, "it holds more than modules"),
    "lists within the list": (
        "self.layers = [[nn.Linear(4, 4)], [nn.Linear(4, 4)]]", RUN.replace("layer(x)", "layer[0](x)"),
        "it holds more than modules"),
    "a key with a dot": (
        'self.layers = {"first": nn.Linear(4, 4), "a.b": nn.Linear(4, 4)}', BY_NAME, "no key with a dot: 'a.b'"),
    "a key that is a method": (
        'self.layers = {"first": nn.Linear(4, 4), "keys": nn.Linear(4, 4)}', BY_NAME, "has a method 'keys'"),
    "a key that is computed": (
        "self.layers = {}\n        self.layers[str(size)] = nn.Linear(4, 4)", BY_NAME, "its keys are not written out"),
    "a default in a dict": (
        'self.layers = {"first": nn.Linear(4, 4)}',
        '\n    def forward(self, x):\n        return self.layers.get("first")(x)\n', "nn.ModuleDict has no get()"),
}  # fmt: skip


@pytest.mark.parametrize("case", SHOWN.values(), ids=[key.replace(" ", "-") for key in SHOWN])
def test_change_that_would_break_is_only_shown(case: tuple[str, str, str]) -> None:
    line, use, reason = case
    source = f"{HEAD}{INIT}        {line}\n{use}"
    done = fixed(source, "CKP105")
    assert done.text == source
    assert done.only.safety == "shown"
    assert reason in done.only.note


def test_class_attribute_would_hide_the_modules() -> None:
    source = (
        f"{HEAD}    layers = None\n\n{INIT}        self.layers = [nn.Linear(4, 4), nn.Linear(4, 4)]\n{RUN}"
    )
    done = fixed(source, "CKP105")
    assert (done.text, done.only.safety) == (source, "shown")
    assert "the class has 'layers' already" in done.only.note


def test_plain_list_set_again_by_a_method() -> None:
    source = f"{HEAD}{INIT}        self.layers = [nn.Linear(4, 4), nn.Linear(4, 4)]\n{RUN}"
    source += "\n    def grow(self):\n        self.layers = [nn.Linear(4, 4), nn.Linear(4, 4)]\n"
    done = fixed(source, "CKP105")
    assert "grow() sets it to a plain list again" in done.only.note


FIXED = {
    "self.layers = [nn.Linear(4, 4) for _ in range(2)]": 4,
    "self.layers = (nn.Linear(4, 4), nn.ReLU())": 2,
    "self.layers = []\n        for _ in range(3):\n            self.layers.append(nn.Linear(4, 4))": 6,
    "self.layers = list(nn.Linear(4, 4) for _ in range(2))": 4,
    "self.layers = [nn.Linear(4, 4), nn.Linear(4, 4)]\n        self.layers += [nn.Linear(4, 4)]": 6,
}


@pytest.mark.parametrize("lines", FIXED)
def test_list_of_modules_is_registered(lines: str) -> None:
    done = fixed(f"{HEAD}{INIT}        {lines}\n{RUN}", "CKP105")
    assert done.only.safety == "unsafe"
    assert len(made(done.text).state_dict()) == FIXED[lines]


def test_dict_of_modules_is_registered() -> None:
    lines = 'self.layers = {"first": nn.Linear(4, 4)}\n        self.layers["last"] = nn.Linear(4, 4)'
    done = fixed(f"{HEAD}{INIT}        {lines}\n{BY_NAME}", "CKP105")
    assert sorted(made(done.text).state_dict())[0] == "layers.first.bias"


def test_constants_in_a_list_are_no_parameters() -> None:
    source = f"{HEAD}{INIT}        self.layers = [torch.ones(4), torch.zeros(4)]\n"
    source += "\n    def forward(self, x):\n        return x + self.layers[0] + self.layers[1]\n"
    done = fixed(source, "CKP104")
    assert (done.text, done.only.safety) == (source, "shown")
    assert 'self.register_buffer(f"layers_{index}", tensor)' in done.only.code


def test_parameters_in_a_list_are_registered() -> None:
    source = f"{HEAD}{INIT}        self.layers = [nn.Parameter(torch.ones(4)) for _ in range(2)]\n"
    source += "\n    def forward(self, x):\n        return x + self.layers[0]\n"
    done = fixed(source, "CKP104")
    assert sorted(made(done.text).state_dict()) == ["layers.0", "layers.1"]


def test_parameter_that_a_method_would_replace() -> None:
    source = f"{HEAD}{INIT}        self.weight = torch.ones(4, requires_grad=True)\n"
    source += "\n    def forward(self, x):\n        return x * self.weight\n"
    assert [name for name, _ in made(fixed(source, "CKP103").text).named_parameters()] == ["weight"]
    source += "\n    def reset(self):\n        self.weight = torch.ones(4, requires_grad=True)\n"
    done = fixed(source, "CKP103")
    assert (done.text, done.only.safety) == (source, "shown")


REGISTRATIONS = {
    'self.register_buffer("mean", torch.zeros(4), persistent=False)': 'self.register_buffer("mean", torch.zeros(4))',
    'self.register_buffer("mean", torch.zeros(4), False)': 'self.register_buffer("mean", torch.zeros(4))',
    'self.register_buffer(persistent=False, name="mean", tensor=torch.zeros(4))':
        'self.register_buffer(name="mean", tensor=torch.zeros(4))',
    "self.mean = nn.Buffer(torch.zeros(4), persistent=False)": "self.mean = nn.Buffer(torch.zeros(4))",
}  # fmt: skip


@pytest.mark.parametrize("line", REGISTRATIONS)
def test_buffer_is_saved(line: str) -> None:
    use = "\n    def update(self, x):\n        self.mean = 0.9 * self.mean + x\n"
    use += "\n    def forward(self, x):\n        return x - self.mean\n"
    done = fixed(f"{HEAD}{INIT}        {line}\n{use}", "CKP107")
    assert f"        {REGISTRATIONS[line]}\n" in done.text
    assert list(made(done.text).state_dict()) == ["mean"]


@pytest.mark.parametrize(("more", "safety"), [(", persistent=False", "safe"), ("", "unsafe")])
def test_result_of_a_registration(more: str, safety: str) -> None:
    source = f'{HEAD}{INIT}        self.mean = self.register_buffer("mean", torch.zeros(4){more})\n'
    source += "\n    def forward(self, x):\n        return x - self.mean\n"
    done = fixed(source, "CKP111")
    assert f'        self.register_buffer("mean", torch.zeros(4){more})\n' in done.text
    assert done.only.safety == safety
