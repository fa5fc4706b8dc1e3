"""CKP110: numbers and flags that methods update."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "only the shape of a parameter is used": TORCH
    + """
class Conv(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(size, size))
        self.gain = self.weight[0].numel() ** 0.5
        self.rows = 2 * self.weight[0].shape[0]

    def forward(self, x):
        return x @ self.weight * self.gain / self.rows
""",
    "the flag is a buffer": TORCH
    + """
class ActNorm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(size))
        self.register_buffer("initialized", torch.tensor(False))

    def forward(self, x):
        if not self.initialized:
            self.bias.data.copy_(-x.mean(0))
            self.initialized.fill_(True)
        return x + self.bias
""",
    "extra state carries the flag": TORCH
    + """
class ActNorm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(size))
        self.initialized = False

    def forward(self, x):
        if not self.initialized:
            self.bias.data.copy_(-x.mean(0))
            self.initialized = True
        return x + self.bias

    def get_extra_state(self):
        return {"initialized": self.initialized}

    def set_extra_state(self, state):
        self.initialized = state["initialized"]
""",
    "the load hook sets the flag": TORCH
    + """
class ActNorm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(size))
        self.initialized = False

    def forward(self, x):
        if not self.initialized:
            self.bias.data.copy_(-x.mean(0))
            self.initialized = True
        return x + self.bias

    def _load_from_state_dict(self, *args):
        super()._load_from_state_dict(*args)
        self.initialized = True
""",
    "a counter is opt-in": TORCH
    + """
class Warmup(nn.Module):
    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self.step = 0

    def forward(self, x):
        self.step += 1
        return x * min(1.0, self.step / self.steps)
""",
    "a mode that callers switch": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.frozen = False

    def freeze(self):
        self.frozen = True

    def update(self, batch):
        if not self.frozen:
            self.mean.lerp_(batch.mean(0), 0.1)
""",
    "a warning that is given once": """
import warnings
from torch import nn

class Layer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layer = nn.Linear(size, size)
        self.warned = False

    def forward(self, x):
        if not self.warned:
            warnings.warn("this layer is slow")
            self.warned = True
        return self.layer(x)
""",
    "a flag that guards something that is no state": """
import socket
from torch import nn

class Encoder(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layer = nn.Linear(size, size)
        self.connected = False
        self.client = None

    def forward(self, x):
        if not self.connected:
            self.client = socket.socket()
            self.connected = True
        self.client.send(b"1")
        return self.layer(x)
""",
    "the class is no module": """
class Schedule:
    def __init__(self, start):
        self.rate = start
        self.initialized = False

    def step(self, weights):
        if not self.initialized:
            weights.copy_(weights * self.rate)
            self.initialized = True
        self.rate *= 0.9
""",
    "a number that nothing changes": TORCH
    + """
class Layer(nn.Module):
    def __init__(self, size, rate: float = 0.1):
        super().__init__()
        self.rate = rate
        self.size = size
        self.deep = size > 3

    def forward(self, x):
        return x * self.rate if self.deep else x / self.size
""",
    "a flag that only goes back to its start": TORCH
    + """
class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.starts = True

    def forward(self, x):
        if self.starts:
            self.mean.copy_(x.mean(0))
            self.starts = True
        return x - self.mean
""",
}

SILENT_WHEN_ENABLED: dict[str, Case] = {
    "extra state carries the counter": TORCH
    + """
class Warmup(nn.Module):
    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self.step = 0

    def forward(self, x):
        self.step += 1
        return x * min(1.0, self.step / self.steps)

    def get_extra_state(self):
        return self.step

    def set_extra_state(self, state):
        self.step = state
""",
}

FOUND: dict[str, Case] = {
    "flag of a weight initialization": TORCH
    + """
class ActNorm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(size))
        self.initialized = False  # CKP110

    def forward(self, x):
        if not self.initialized:
            self.bias.data.copy_(-x.mean(0))
            self.initialized = True
        return x + self.bias
""",
    "flag of a buffer initialization in a method of its own": TORCH
    + """
class Codebook(nn.Module):
    def __init__(self, codes, size):
        super().__init__()
        self.register_buffer("codes", torch.zeros(codes, size))
        self.first = True  # CKP110

    def _start(self, x):
        self.codes.copy_(x[: len(self.codes)])

    def forward(self, x):
        if self.first:
            self._start(x)
            self.first = False
        return torch.cdist(x, self.codes).argmin(-1)
""",
    "an early return guards": TORCH
    + """
class Codebook(nn.Module):
    def __init__(self, codes, size):
        super().__init__()
        self.register_buffer("codes", torch.zeros(codes, size))
        self.initialized = False  # CKP110

    def start(self, x):
        if self.initialized:
            return
        self.codes.data.copy_(x[: len(self.codes)])
        self.initialized = True

    def forward(self, x):
        self.start(x)
        return torch.cdist(x, self.codes).argmin(-1)
""",
}

FOUND_WHEN_ENABLED: dict[str, Case] = {
    "warm-up counter": TORCH
    + """
class Warmup(nn.Module):
    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self.step = 0  # CKP110

    def forward(self, x):
        self.step += 1
        return x * min(1.0, self.step / self.steps)
""",
    "adaptive rate": TORCH
    + """
class Penalty(nn.Module):
    def __init__(self, target: float):
        super().__init__()
        self.target = target
        self.beta = 1.0  # CKP110

    def update(self, kl: float):
        if kl > self.target:
            self.beta *= 1.5
        else:
            self.beta /= 1.5

    def forward(self, loss, kl):
        return loss + self.beta * kl
""",
    "running number": TORCH
    + """
class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        self.largest = 0.0  # CKP110

    def update(self, batch):
        self.largest = max(self.largest, batch.abs().max().item())

    def forward(self, x):
        return x / (self.largest + 1e-8)
""",
    "an initialization flag is reported once": FOUND["flag of a weight initialization"],
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(SILENT_WHEN_ENABLED)
def test_stays_silent_when_enabled(case: Case) -> None:
    check_silent(case, enable=["CKP110"])


@cases(FOUND)
def test_reports_initialization_flags(case: Case) -> None:
    check_findings(case)


@cases(FOUND_WHEN_ENABLED)
def test_reports_numbers_when_enabled(case: Case) -> None:
    check_findings(case, enable=["CKP110"])
