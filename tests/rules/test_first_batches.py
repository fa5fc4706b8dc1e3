"""CKP110: flags and counts that let a first batch overwrite what was restored."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "a flag that is a buffer": """
import torch
from torch import nn
class Norm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("initialized", torch.tensor(0, dtype=torch.uint8))

    def forward(self, x):
        if not self.initialized:
            self.mean.copy_(x.mean(0))
            self.initialized.fill_(1)
        return x - self.mean
""",
    "flag restored by the load hook": """
import torch
from torch import nn
class Norm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.register_buffer("mean", torch.zeros(d))
        self.initialized = False

    def _load_from_state_dict(self, *args):
        super()._load_from_state_dict(*args)
        self.initialized = True

    def forward(self, x):
        if not self.initialized:
            self.mean.copy_(x.mean(0))
            self.initialized = True
        return x - self.mean
""",
    "a compiled flag": """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc = nn.Linear(d, d)
        self.compiled = False

    def forward(self, x):
        if not self.compiled:
            self.fn = torch.compile(self.fc)
            self.compiled = True
        return self.fn(x)
""",
    "constants filled lazily": """
import torch
from torch import nn
class Pos(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.register_buffer("table", torch.zeros(d))
        self.filled = False

    def forward(self, x):
        if not self.filled:
            self.table.copy_(torch.arange(self.table.shape[0]))
            self.filled = True
        return x + self.table
""",
    "a count that only delays": """
import torch
from torch import nn
class Ema(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.register_buffer("mean", torch.zeros(d))
        self.n = 0

    def forward(self, x):
        if self.training and self.n % 10 == 0:
            self.mean.mul_(0.9).add_(0.1 * x.mean(0))
        self.n += 1
        return x - self.mean
""",
    "set up by the user before training": """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc = nn.Linear(d, d)
        self.register_buffer("scale", torch.ones(d))
        self.is_set_up = False

    def setup(self, data):
        if not self.is_set_up:
            self.scale.copy_(data.std(0))
            self.is_set_up = True

    def forward(self, x):
        return self.fc(x / self.scale)
""",
}

FOUND: dict[str, Case] = {
    "rescaled in a helper of the base, class chosen at run time": {
        "base.py": """
import torch
from torch import nn
class Base(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        KernelClass = getattr(nn, cfg.kind)
        self.kernel = KernelClass(3, 3)
        self.initialized = False  # CKP110

    def init_kernel(self, n):
        if not self.initialized and n > 0:
            with torch.no_grad():
                self.kernel.weight.data *= 1.0 / n
            self.initialized = True
""",
        "sub.py": """
from base import Base
class Sub(Base):
    def forward(self, x):
        self.init_kernel(x.shape[0])
        return self.kernel(x)
""",
    },
    "early return": """
import torch
from torch import nn
class ActNorm(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.loc = nn.Parameter(torch.zeros(n))
        self.scale = nn.Parameter(torch.ones(n))
        self.is_initialized = False  # CKP110

    def initialize(self, x):
        if self.is_initialized:
            return
        self.loc.data.copy_(-x.mean(0))
        self.scale.data.copy_(1 / (x.std(0) + 1e-6))
        self.is_initialized = True

    def forward(self, x):
        if self.training:
            self.initialize(x)
        return self.scale * (x + self.loc)
""",
    "flag named first, in a quantizer": """
import torch
from torch import nn
class Vq(nn.Module):
    def __init__(self, k, d):
        super().__init__()
        self.register_buffer("codebook", torch.zeros(k, d))
        self.first = True  # CKP110

    def _init_codebook(self, x):
        idx = torch.randperm(x.shape[0])[: self.codebook.shape[0]]
        self.codebook.data.copy_(x[idx])

    def encode(self, x):
        if self.training and self.first:
            self._init_codebook(x)
            self.first = False
        return torch.cdist(x, self.codebook).argmin(-1)

    def forward(self, x):
        return self.codebook[self.encode(x)]
""",
    "update called by another class only": """
import torch
from torch import nn
class Whitener(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("var", torch.ones(d))
        self.ready = False  # CKP110

    def observe(self, x):
        if not self.ready:
            self.mean = x.mean(0)
            self.var = x.var(0)
            self.ready = True
        else:
            self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
            self.var = 0.9 * self.var + 0.1 * x.var(0)

    def forward(self, x):
        return (x - self.mean) / self.var.sqrt()
""",
    "a count begins the average": """
import torch
from torch import nn
class Ema(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.register_buffer("mean", torch.zeros(d))
        self.n = 0  # CKP110

    def forward(self, x):
        if self.training:
            if self.n == 0:
                self.mean.copy_(x.mean(0))
            else:
                self.mean.mul_(0.9).add_(0.1 * x.mean(0))
            self.n += 1
        return x - self.mean
""",
    "a plain class, not a module": """
import numpy as np
class Norm:
    def __init__(self, d):
        self.mean = np.zeros(d)
        self.initialized = False

    def observe(self, x):
        if not self.initialized:
            self.mean = x.mean(0)  # CKP205
            self.initialized = True
        else:
            self.mean = 0.9 * self.mean + 0.1 * x.mean(0)

    def __call__(self, x):
        return x - self.mean

    def state_dict(self):
        return {"mean": self.mean}

    def load_state_dict(self, state):
        self.mean = state["mean"]
""",
    "module state beside parameters in a wrapper": """
import torch
from torch import nn
class Popart(nn.Module):
    def __init__(self, d, beta=0.999):
        super().__init__()
        self.lin = nn.Linear(d, 1)
        self.beta = beta
        self.mu = nn.Parameter(torch.zeros(1), requires_grad=False)
        self.nu = nn.Parameter(torch.zeros(1), requires_grad=False)
        self.updates = 0  # CKP110

    def forward(self, x):
        return self.lin(x)

    def update(self, x):
        self.updates += 1
        rate = max(1.0 / self.updates, 1 - self.beta)
        self.mu.data.mul_(1 - rate).add_(rate * x.mean())
        self.nu.data.mul_(1 - rate).add_(rate * x.pow(2).mean())
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_flags_and_counts(case: Case) -> None:
    check_findings(case)
