"""What the rules on module state say: the thing, what happens to it, and the change that mends it."""

from __future__ import annotations

import pytest

from flake8_ckpt.findings import Finding
from flake8_ckpt.rules.base import MAX_MESSAGE
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import all_rules
from flake8_ckpt.rules.base import first_that_fits
from tests.rule_cases import TORCH
from tests.rule_cases import lint

RULES = [rule for rule in all_rules() if rule.code.startswith("CKP1")]
# Words that a reader of English does not expect here.
UNWANTED = ("afresh", "anew", "carries on", "carries it on", "speaks of", "omits", "a reload")
CLASS = """
class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        {made}

    def {method}(self, x):
        {used}
"""
PARAMETER = "self.p = nn.Parameter(torch.zeros(()))\n        self.{name} = self.p.exp().item()"
SAID: list[tuple[str, str, str, str]] = [
    (
        "self.mean = torch.zeros(n)",
        "update",
        "self.mean = 0.9 * self.mean + x",
        "'mean' is changed by update() but is not a buffer: it starts over after loading;"
        " use register_buffer('mean', ...)",
    ),
    (
        "self.order = torch.randperm(n)",
        "forward",
        "return x[self.order]",
        "'order' is drawn at random but is not a buffer: a loaded module has another;"
        " use register_buffer('order', ...)",
    ),
    (
        "self.mask = torch.ones(n)",
        "forward",
        "return x * self.mask",
        "'mask' meets the input but is not a buffer: .to() leaves it behind;"
        " use register_buffer('mask', ..., persistent=False)",
    ),
    (
        "self.mask = torch.ones(n)\n        self.register_buffer('mask', self.mask)",
        "forward",
        "return x * self.mask",
        "'mask' is set before register_buffer() registers it, which raises KeyError; use a local variable",
    ),
    (
        "self.scale = torch.ones(n, requires_grad=True)",
        "forward",
        "return x * self.scale",
        "'scale' requires grad but is not a Parameter: parameters() lacks it and it is not saved;"
        " use nn.Parameter(...)",
    ),
    (
        "self.parts = {1: torch.ones(n), 2: torch.ones(n)}",
        "forward",
        "return x * self.parts[n]",
        "'parts' keeps tensors in a plain dict: they are neither saved nor moved;"
        " use buffers or nn.ParameterDict",
    ),
    (
        "self.layers = [nn.Linear(n, n), nn.Linear(n, n)]",
        "forward",
        "return self.layers[0](x)",
        "'layers' keeps modules in a plain list: they are not trained, saved or moved; use nn.ModuleList(...)",
    ),
    (
        "self.register_buffer('mean', torch.zeros(n), persistent=False)",
        "update",
        "self.mean += x",
        "'mean' has persistent=False but update() changes it: it starts over after loading;"
        " remove persistent=False",
    ),
    (
        "self.returns = None",
        "forward",
        "self.returns = x if self.returns is None else self.returns.detach() * 0.9 + x",
        "'returns' starts as None and forward() builds on it but it is not a buffer: it is None after loading;"
        " register it",
    ),
    (
        "self.register_buffer('mean', torch.zeros(n))\n        self.count = 0",
        "update",
        "self.count += 1\n        self.mean += (x - self.mean) / self.count",
        "'count' weighs the updates of 'mean' but is not saved: it starts over after loading; make it a buffer",
    ),
    (
        PARAMETER.format(name="alpha"),
        "loss",
        "return x * self.alpha",
        "'alpha' is computed from 'p' when the object is made: loading leaves it as it was; make it a property",
    ),
    (
        "self.mean = self.register_buffer('mean', torch.zeros(n))",
        "forward",
        "return x - self.mean",
        "'mean' is set to what register_buffer() returns, which is None: the tensor is lost;"
        " remove the assignment",
    ),
]


def findings_of(rule: Rule) -> list[Finding]:
    """Return what a rule says of the bad program on its page."""
    bad = rule.page.partition("## Bad")[2].partition("```python\n")[2].partition("```")[0]
    return [each for each in lint(bad, enable=[rule.code]) if each.code == rule.code]


@pytest.mark.parametrize(("made", "method", "used", "message"), SAID, ids=[each[3][:30] for each in SAID])
def test_message(made: str, method: str, used: str, message: str) -> None:
    (finding,) = lint(TORCH + CLASS.format(made=made, method=method, used=used))
    assert finding.message == message


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_message_is_one_line_that_says_what_to_do(rule: Rule) -> None:
    for finding in findings_of(rule):
        assert finding.message.startswith("'") and "; " in finding.message
        assert len(finding.message) <= MAX_MESSAGE
        assert not any(word in finding.message for word in UNWANTED)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_page_is_in_plain_words(rule: Rule) -> None:
    assert findings_of(rule)
    assert not any(word in rule.page for word in ("afresh", "anew", "carries on", "speaks of"))


def test_long_name_is_said_once() -> None:
    name = "running_mean_of_observations"
    source = CLASS.format(
        made=f"self.{name} = torch.zeros(n)", method="update", used=f"self.{name} = self.{name} + x"
    )
    (finding,) = lint(TORCH + source)
    assert finding.message == (
        f"'{name}' is changed by update() but is not a buffer: it starts over after loading; register it"
    )


def test_last_wording_is_taken_where_none_fits() -> None:
    assert first_that_fits("a" * 121, "b" * 122) == "b" * 122
    assert first_that_fits("a" * 121, "b" * 120, "c") == "b" * 120


def test_models_of_transformers_compute_their_buffers() -> None:
    made = CLASS.format(made="self.mask = torch.ones(n)", method="forward", used="return x * self.mask")
    (finding,) = lint("from transformers import PreTrainedModel\n" + TORCH + made)
    assert "_init_weights()" in finding.message
