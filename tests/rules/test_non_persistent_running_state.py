"""CKP107: running state that is registered as not persistent."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "each training step fills it as a whole before it reads it": TORCH
    + """
class Rows(nn.Module):
    def __init__(self, count, batch, size):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(count, size))
        self.register_buffer("local", torch.zeros(batch, size), persistent=False)

    def forward(self, index):
        if not self.training:
            return self.table[index]
        with torch.no_grad():
            self.local.copy_(self.table[index])
        return self.local * 2.0
""",
    "one method takes what was gathered and sets it back": TORCH
    + """
class Gate(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("hits", torch.zeros(size), persistent=False)

    def forward(self, x):
        self.hits.add_((x > 0).sum(0))
        return x

    def take_report(self):
        report = self.hits.clone()
        self.hits.zero_()
        return report
""",
    "persistent": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size), persistent=True)

    def update(self, batch):
        self.mean.lerp_(batch.mean(0), 0.1)
""",
    "a constant": TORCH
    + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("kernel", torch.ones(1, 1, 3), persistent=False)

    def forward(self, x):
        return nn.functional.conv1d(x, self.kernel)
""",
    "a cache for a longer sequence": TORCH
    + """
class Causal(nn.Module):
    def __init__(self, length):
        super().__init__()
        self.register_buffer("mask", torch.ones(length, length).tril(), persistent=False)

    def forward(self, x):
        if x.shape[-1] > self.mask.shape[-1]:
            self.mask = torch.ones(x.shape[-1], x.shape[-1], device=x.device).tril()
        return x * self.mask[: x.shape[-2], : x.shape[-1]]
""",
    "a table that grows by registering it again": TORCH
    + """
class Rotary(nn.Module):
    def __init__(self, size, length):
        super().__init__()
        self.register_buffer("inv_freq", 1.0 / 10000 ** (torch.arange(0, size, 2) / size))
        self._grow(length)

    def _grow(self, length):
        angle = torch.outer(torch.arange(length), self.inv_freq)
        self.register_buffer("cos", angle.cos(), persistent=False)

    def forward(self, x):
        if x.shape[1] > len(self.cos):
            self._grow(x.shape[1])
        return x * self.cos[: x.shape[1]]
""",
    "moved to another device": TORCH
    + """
class Scale(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("scale", torch.ones(size), persistent=False)

    def forward(self, x):
        self.scale = self.scale.to(x.device)
        return x * self.scale
""",
    "scratch of one generation": TORCH
    + """
class Attention(nn.Module):
    def __init__(self, length, size):
        super().__init__()
        self.register_buffer("keys", torch.zeros(length, size), persistent=False)

    def reset(self):
        self.keys = torch.zeros_like(self.keys)

    def forward(self, x, position):
        self.keys[position] = x
        return x @ self.keys.T
""",
    "extra state carries it": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size), persistent=False)

    def update(self, batch):
        self.mean.lerp_(batch.mean(0), 0.1)

    def get_extra_state(self):
        return {"mean": self.mean}

    def set_extra_state(self, state):
        self.mean.copy_(state["mean"])
""",
    "an output of each call": TORCH
    + """
class Router(nn.Module):
    def __init__(self, experts, size):
        super().__init__()
        self.gate = nn.Linear(size, experts)
        self.register_buffer("load", torch.zeros(experts), persistent=False)

    def forward(self, x):
        scores = self.gate(x).softmax(-1)
        self.load = scores.mean(0).detach()
        return scores
""",
    "a metric state is not a buffer": """
import torch
from torchmetrics import Metric

class Mean(Metric):
    def __init__(self):
        super().__init__()
        self.add_state("mean", default=torch.zeros(()), dist_reduce_fx="sum", persistent=False)

    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean()

    def compute(self):
        return self.mean
""",
}

FOUND: dict[str, Case] = {
    "each training step fills one row": TORCH
    + """
class Rows(nn.Module):
    def __init__(self, batch, size):
        super().__init__()
        self.register_buffer("local", torch.zeros(batch, size), persistent=False)  # CKP107

    def forward(self, x, row):
        if not self.training:
            return self.local
        self.local[row].copy_(x)
        return self.local * 2.0
""",
    "evaluation reads what training filled": TORCH
    + """
class Rows(nn.Module):
    def __init__(self, batch, size):
        super().__init__()
        self.register_buffer("local", torch.zeros(batch, size), persistent=False)  # CKP107

    def forward(self, x):
        if self.training:
            self.local.copy_(x.detach())
        return x - self.local
""",
    "what one method takes and sets back, but each step reads": TORCH
    + """
class Gate(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("hits", torch.zeros(size), persistent=False)  # CKP107

    def forward(self, x):
        return x * (self.hits > 3)

    def gather(self, x):
        self.hits.add_((x > 0).sum(0))

    def take_report(self):
        report = self.hits.clone()
        self.hits.zero_()
        return report
""",
    "moving average": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size), persistent=False)  # CKP107

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def forward(self, x):
        return x - self.mean
""",
    "changed in place": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size), persistent=False)  # CKP107

    def update(self, batch):
        self.mean.lerp_(batch.mean(0), 0.1)

    def forward(self, x):
        return x - self.mean
""",
    "counter": TORCH
    + """
class Warmup(nn.Module):
    def __init__(self, steps: int):
        super().__init__()
        self.steps = steps
        self.register_buffer("step", torch.zeros(()), False)  # CKP107

    def forward(self, x):
        self.step += 1
        return x * (self.step / self.steps).clamp(max=1.0)
""",
    "changed through a subscript": TORCH
    + """
class Codebook(nn.Module):
    def __init__(self, codes):
        super().__init__()
        self.register_buffer("usage", torch.zeros(codes), persistent=False)  # CKP107

    def forward(self, index):
        self.usage[index] += 1
        return self.usage.argmin()
""",
    "nn Buffer": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = nn.Buffer(torch.zeros(size), persistent=False)  # CKP107

    def update(self, batch):
        self.mean.lerp_(batch.mean(0), 0.1)

    def forward(self, x):
        return x - self.mean
""",
    "updated by a subclass in another file": {
        "base.py": TORCH
        + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size), persistent=False)  # CKP107

    def forward(self, x):
        return x - self.mean
""",
        "running.py": """
from base import Normalizer

class RunningNormalizer(Normalizer):
    def update(self, batch):
        self.mean.lerp_(batch.mean(0), 0.1)
""",
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_running_state(case: Case) -> None:
    check_findings(case)
