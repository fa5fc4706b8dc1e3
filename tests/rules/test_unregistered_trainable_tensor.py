"""CKP103: trainable tensors kept as a plain attribute."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "an argument for a checkpointed function": """
from torch import nn, zeros
from torch.utils.checkpoint import checkpoint

class Recomputed(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.anchor = zeros(1, requires_grad=True)

    def _run(self, anchor, x):
        return self.layer(x)

    def forward(self, x):
        return checkpoint(self._run, self.anchor, x, use_reentrant=True)
""",
    "a parameter": TORCH
    + """
class Policy(nn.Module):
    def __init__(self, actions):
        super().__init__()
        self.log_std = nn.Parameter(torch.zeros(actions))

    def forward(self, mean):
        return mean + self.log_std.exp()
""",
    "a parameter made from a trainable tensor": TORCH
    + """
class Policy(nn.Module):
    def __init__(self, actions, learned: bool):
        super().__init__()
        self.log_std = nn.Parameter(torch.zeros(actions, requires_grad=True), requires_grad=learned)

    def forward(self, mean):
        return mean + self.log_std.exp()
""",
    "registered by name": TORCH
    + """
class Policy(nn.Module):
    def __init__(self, actions):
        super().__init__()
        start = torch.zeros(actions, requires_grad=True)
        self.register_parameter("log_std", nn.Parameter(start))

    def forward(self, mean):
        return mean + self.log_std.exp()
""",
    "a parameter without gradients": TORCH
    + """
class Target(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(size), requires_grad=False)

    def forward(self, x):
        return x * self.weight
""",
    "an input of one call that wants a gradient": TORCH
    + """
class Critic(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.value = nn.Linear(size, 1)

    def forward(self, x):
        self.inputs = x.detach().requires_grad_()
        return torch.autograd.grad(self.value(self.inputs).sum(), self.inputs)
""",
    "the class is no module": """
import torch

class Temperature:
    def __init__(self):
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.optimizer = torch.optim.Adam([self.log_alpha])
""",
    "a local of the constructor": TORCH
    + """
class Rotation(nn.Module):
    def __init__(self, size):
        super().__init__()
        start = torch.eye(size, requires_grad=True)
        self.size = start.shape[0]
        self.weight = nn.Parameter(start.detach())

    def forward(self, x):
        return x @ self.weight / self.size
""",
    "the base class in another file declares a parameter": {
        "base.py": TORCH
        + """
class Policy(nn.Module):
    def __init__(self, actions):
        super().__init__()
        self.log_std = nn.Parameter(torch.zeros(actions))
""",
        "policy.py": """
from base import Policy

class Squashed(Policy):
    def start(self, value):
        self.log_std.requires_grad_(value)

    def forward(self, mean):
        return (mean + self.log_std.exp()).tanh()
""",
    },
}

FOUND: dict[str, Case] = {
    "checkpointed and scaled with": """
import torch
from torch import nn

class Recomputed(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.gain = torch.zeros(1, requires_grad=True)  # CKP103

    def _run(self, gain, x):
        return self.layer(x)

    def forward(self, x):
        return torch.utils.checkpoint.checkpoint(self._run, self.gain, x) * self.gain
""",
    "a product is checkpointed": """
import torch
from torch import nn

class Recomputed(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.gain = torch.zeros(1, requires_grad=True)  # CKP103

    def forward(self, x):
        return torch.utils.checkpoint.checkpoint(self.layer, self.gain * x)
""",
    "trainable in one case only": TORCH
    + """
class Scale(nn.Module):
    def __init__(self, size, learned):
        super().__init__()
        if learned:
            self.scale = torch.ones(size, requires_grad=True)  # CKP103
        else:
            self.scale = torch.ones(size)

    def forward(self, x):
        return x * self.scale
""",
    "factory with requires_grad": TORCH
    + """
class Policy(nn.Module):
    def __init__(self, actions):
        super().__init__()
        self.log_std = torch.zeros(actions, requires_grad=True)  # CKP103

    def forward(self, mean):
        return mean + self.log_std.exp()
""",
    "requires_grad_ at the end of a chain": TORCH
    + """
class Prompt(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.tokens = torch.randn(4, size).mul(0.02).requires_grad_()  # CKP103

    def forward(self, x):
        return torch.cat([self.tokens, x])
""",
    "requires_grad_ with True": TORCH
    + """
class Prompt(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.tokens = torch.zeros(4, size).requires_grad_(True)  # CKP103

    def forward(self, x):
        return torch.cat([self.tokens, x])
""",
    "Variable of an old torch": """
import torch
from torch import nn
from torch.autograd import Variable

class Mixture(nn.Module):
    def __init__(self, parts):
        super().__init__()
        self.logits = Variable(torch.zeros(parts), requires_grad=True)  # CKP103

    def forward(self, x):
        return (self.logits.softmax(0) * x).sum()
""",
    "set in a method that the constructor calls": TORCH
    + """
class Policy(nn.Module):
    def __init__(self, actions):
        super().__init__()
        self.build(actions)

    def build(self, actions):
        self.log_std = torch.full((actions,), -0.5, requires_grad=True)  # CKP103

    def forward(self, mean):
        return mean + self.log_std.exp()
""",
    "local that is kept": TORCH
    + """
class Policy(nn.Module):
    def __init__(self, actions):
        super().__init__()
        log_std = torch.zeros(actions, requires_grad=True)
        self.log_std = log_std  # CKP103

    def forward(self, mean):
        return mean + self.log_std.exp()
""",
    "helper in another file": {
        "start.py": """
import torch

def trainable(size):
    return torch.zeros(size, requires_grad=True)
""",
        "policy.py": """
import start
from torch import nn

class Policy(nn.Module):
    def __init__(self, actions):
        super().__init__()
        self.log_std = start.trainable(actions)  # CKP103

    def forward(self, mean):
        return mean + self.log_std.exp()
""",
    },
    "changed by a method as well is one finding": TORCH
    + """
class Policy(nn.Module):
    def __init__(self, actions):
        super().__init__()
        self.log_std = torch.zeros(actions, requires_grad=True)  # CKP103

    def forward(self, mean):
        return mean + self.log_std.exp()

    def clip(self):
        self.log_std.data.clamp_(-5.0, 2.0)
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_untrained_tensors(case: Case) -> None:
    check_findings(case)
