"""The traps of registering a buffer: what must not be done, what must be said, and what must stay."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.fixes.fixing import Outcome
from tests.fixes.fixing import fixed

HEAD = "import torch\nfrom torch import Tensor, nn\n\n\nclass Net(nn.Module):\n"
INIT = "    def __init__(self, size=4):\n        super().__init__()\n"
UPDATE = """
    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)

    def forward(self, x):
        return x - self.mean
"""
USE = "\n    def forward(self, x):\n        return x + self.table\n"
MEAN = "        self.mean = torch.zeros(size)\n"


def state(body: str, head: str = HEAD, after: str = UPDATE) -> Outcome:
    """Fix a class with a running mean."""
    return fixed(head + body + after, "CKP101")


def constant(line: str, use: str = USE) -> Outcome:
    """Fix a class with a table."""
    return fixed(f"{HEAD}{INIT}        {line}\n{use}", "CKP102")


def made(text: str) -> nn.Module:
    """Return an object of the class in a text."""
    names: dict[str, type[nn.Module]] = {}
    exec(compile(text, "model.py", "exec"), names)
    return names["Net"]()


SHOWN = {
    "a class default of the same name": (
        state, "    mean = None\n" + INIT + MEAN, "the class has 'mean' already"),
    "before the base class is set up": (
        state, INIT.replace("        super().__init__()\n", "") + MEAN + "        super().__init__()\n",
        "comes before super().__init__()"),
    "a base class that is set up under a condition": (
        state, INIT.replace("        super", "        if size:\n            super") + MEAN,
        "comes before super().__init__()"),
    "a base class that is set up once more": (
        state, INIT + MEAN + "        nn.Module.__init__(self)\n", "is set up again below line"),
    "attributes that the class looks up itself": (
        state, INIT + MEAN + "\n    def __getattr__(self, name):\n        return getattr(self.net, name)\n",
        "has a __getattr__() of its own"),
    "several targets": (
        state, INIT + "        self.mean = self.first = torch.zeros(size)\n", "sets more than 'mean' alone"),
    "a tuple": (
        state, INIT + "        self.mean, self.size = torch.zeros(size), size\n", "sets more than 'mean' alone"),
    "a later number": (
        state, INIT + MEAN + "\n    def reset(self):\n        self.mean = 0.0\n", "sets it to what is no tensor"),
    "a method that the constructor calls": (
        state, INIT + "        self.clear(size)\n\n    def clear(self, size):\n" + MEAN, "clear() sets it"),
    "another arm with something else": (
        state, INIT + "        if size:\n    " + MEAN + "        else:\n            self.mean = slice(None)\n",
        "what may be no tensor"),
}  # fmt: skip


@pytest.mark.parametrize("case", SHOWN.values(), ids=[key.replace(" ", "-") for key in SHOWN])
def test_change_that_would_break_is_only_shown(case: tuple[object, str, str]) -> None:
    _, body, reason = case
    done = state(body)
    assert done.text == HEAD + body + UPDATE
    assert done.only.safety == "shown"
    assert reason in done.only.note
    assert done.only.code.startswith('self.register_buffer("mean", ')


def test_class_default_of_a_base_class_in_another_file() -> None:
    files = {
        "base.py": "from torch import nn\n\n\nclass Base(nn.Module):\n    mean = None\n",
        "model.py": "import torch\nfrom base import Base\n\n\nclass Net(Base):\n" + INIT + MEAN + UPDATE,
    }
    done = fixed(files, "CKP101")
    assert (done.text, done.only.safety) == (files["model.py"], "shown")
    assert "the class Base has a class attribute of that name" in done.only.note


def test_buffers_that_from_pretrained_would_spoil() -> None:
    source = (
        f"from transformers import PreTrainedModel\n{HEAD}{INIT}        self.table = torch.arange(4)\n{USE}"
    )
    done = fixed(source.replace("nn.Module", "PreTrainedModel"), "CKP102")
    assert done.only.safety == "shown"
    assert "_init_weights()" in done.only.note


def test_comment_on_buffers_is_the_authors_word() -> None:
    source = f"{HEAD}{INIT}        # not a buffer: the checkpoints of others lack it\n{MEAN}{UPDATE}"
    done = fixed(source, "CKP101")
    assert (done.text, [each.safety for each in done.found if each.edits]) == (source, [])


def test_bare_annotation_at_class_level_is_fine() -> None:
    done = state("    mean: Tensor\n\n" + INIT + MEAN)
    assert done.only.safety == "unsafe"
    assert list(made(done.text).state_dict()) == ["mean"]


def test_annotation_moves_to_the_class() -> None:
    done = state('    """A mean."""\n\n' + INIT + MEAN.replace("self.mean", "self.mean: Tensor"))
    assert '    """A mean."""\n\n    mean: Tensor\n\n    def __init__' in done.text
    assert list(made(done.text).state_dict()) == ["mean"]


def test_first_of_several_writes_registers() -> None:
    body = INIT + "        self.mean = None\n        if size:\n    " + MEAN
    text = state(body).text
    assert 'self.register_buffer("mean", None)' in text
    assert "            self.mean = torch.zeros(size)" in text
    assert list(made(text).state_dict()) == ["mean"]


def test_each_branch_registers() -> None:
    done = state(
        INIT
        + "        if size > 9:\n    "
        + MEAN
        + "        else:\n            self.mean = torch.ones(size)\n"
    )
    assert done.text.count('self.register_buffer("mean", torch.') == 2
    assert list(made(done.text).state_dict()) == ["mean"]


def test_changes_in_place_stay() -> None:
    done = state(INIT + MEAN + "        self.mean[0] = 1.0\n        self.mean += 1.0\n")
    assert torch.equal(made(done.text).state_dict()["mean"], torch.tensor([2.0, 1.0, 1.0, 1.0]))


def test_unsafe_change_names_the_key_and_the_cure() -> None:
    note = state(INIT + MEAN).only.note
    assert note == (
        "adds the key 'mean' to the state_dict: load older checkpoints with load_compatible() of flake8_ckpt.runtime"
    )


def test_style_of_the_file_is_followed() -> None:
    body = INIT + "        self.first = nn.Buffer(torch.zeros(2))\n" + MEAN
    assert "self.mean = nn.Buffer(torch.zeros(size))" in state(body).text
    assert (
        "self.mean = nn.Buffer(torch.zeros(size))"
        in fixed(HEAD + INIT + MEAN + UPDATE, "CKP101", "nn.Buffer").text
    )
    assert 'self.register_buffer("mean"' in fixed(HEAD + body + UPDATE, "CKP101", "register_buffer").text


def test_none_is_no_buffer_object() -> None:
    body = INIT + "        self.mean = None\n        if size:\n    " + MEAN
    assert 'self.register_buffer("mean", None)' in fixed(HEAD + body + UPDATE, "CKP101", "nn.Buffer").text


def test_import_is_added_where_torch_has_no_name() -> None:
    files = {
        "base.py": "from torch import nn\n\n\nclass Base(nn.Module):\n    pass\n",
        "model.py": "from base import Base\nfrom torch import zeros\n\n\nclass Net(Base):\n"
        + INIT + MEAN.replace("torch.", "") + UPDATE,
    }  # fmt: skip
    text = fixed(files, "CKP101", "nn.Buffer").text
    assert text.startswith("from base import Base\nfrom torch import zeros\nfrom torch import nn\n\n\nclass")
    assert "self.mean = nn.Buffer(zeros(size))" in text


SAFE = [
    "self.table = torch.arange(4)",
    "self.table = torch.tensor([[1, 2], [3, -4]])",
    "self.table = torch.tril(torch.ones(size, size)).bool()",
    "self.table = torch.zeros(4, dtype=torch.long)",
    "self.table = (torch.arange(4) > 2).unsqueeze(0)",
    "self.table = ~torch.eye(4, dtype=torch.bool)",
    "rows = torch.arange(4)\n        self.table = rows.view(1, -1)[:, 1:]",
    "self.table = torch.linspace(0, 1, 4).long()",
]


@pytest.mark.parametrize("line", SAFE)
def test_table_of_integers_is_safe(line: str) -> None:
    before, done = made(f"{HEAD}{INIT}        {line}\n{USE}"), constant(line)
    after = made(done.text)
    assert (done.only.safety, done.only.note) == ("safe", "")
    assert torch.equal(after.table, before.table)  # type: ignore[arg-type]
    assert torch.equal(after.to(torch.bfloat16).table, before.table)  # type: ignore[arg-type]
    assert not after.state_dict()
    assert after.to("meta").table.is_meta


UNSAFE = {
    "self.table = torch.linspace(0, 1, 4)": "follows .to(dtype)",
    "self.table = torch.arange(size)": "follows .to(dtype)",
    "self.table = torch.arange(4) / 2": "follows .to(dtype)",
    "self.table = torch.tensor([1, 2.5])": "follows .to(dtype)",
    "self.table = torch.zeros(4)": "follows .to(dtype)",
    "self.table = torch.arange(4, dtype=torch.float32)": "follows .to(dtype)",
}


@pytest.mark.parametrize("line", UNSAFE)
def test_table_that_a_cast_would_round_is_not_safe(line: str) -> None:
    done = constant(line)
    assert done.only.safety == "unsafe"
    assert UNSAFE[line] in done.only.note


def test_base_class_from_elsewhere_is_not_known() -> None:
    source = f"{HEAD.replace('nn.Module', 'nn.Identity')}{INIT}        self.table = torch.arange(4)\n{USE}"
    done = fixed(source, "CKP102")
    assert done.only.safety == "unsafe"
    assert "a base class from elsewhere" in done.only.note


def test_argument_may_be_no_tensor() -> None:
    source = f"{HEAD}{INIT.replace('size=4', 'table: Tensor')}        self.table = table\n{USE}"
    done = fixed(source, "CKP102")
    assert done.only.safety == "unsafe"
    assert "a caller may hand in what is no tensor" in done.only.note


def test_table_that_the_host_needs_is_not_safe() -> None:
    use = USE + "\n    def rows(self, x):\n        return x[self.table.numpy()]\n"
    assert "on the host" in constant("self.table = torch.arange(4)", use).only.note


def test_table_beside_another_that_stays_is_not_safe() -> None:
    source = f"{HEAD}{INIT}        self.table = torch.arange(4)\n        self.other = torch.rand(4)\n"
    source += "\n    def forward(self, x):\n        return x + self.other[self.table] + self.table\n"
    done = fixed(source, "CKP102")
    assert done.only.safety == "unsafe"
    assert "with 'self.other', which does not move with the module" in done.only.note


def test_table_that_starts_as_none_is_what_it_becomes() -> None:
    lines = "self.table = None\n        if size:\n            self.table = torch.linspace(0, 1, 4)"
    assert fixed(f"{HEAD}{INIT}        {lines}\n{USE}", "CKP112").only.safety == "unsafe"
    done = fixed(f"{HEAD}{INIT}        {lines.replace('linspace(0, 1, 4)', 'arange(4)')}\n{USE}", "CKP112")
    assert done.only.safety == "safe"
