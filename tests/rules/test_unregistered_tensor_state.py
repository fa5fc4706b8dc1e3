"""CKP101: running state kept as a plain tensor."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "a class of a test": {
        "tests/test_policy.py": TORCH
        + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)
""",
    },
    "only the parameter of the other branch is drawn at random": TORCH
    + """
class Conv(nn.Module):
    def __init__(self, size, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(size, size))
        if bias:
            self.bias = nn.Parameter(torch.empty(size))
        else:
            self.bias = torch.zeros(size)
        if bias:
            nn.init.uniform_(self.bias, -1, 1)

    def forward(self, x):
        return x @ self.weight
""",
    "shared with another object that has the same": TORCH
    + """
class Encoder(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.codes = torch.eye(size).cuda()

    def tie(self, other):
        self.codes = other.codes

    def forward(self, x):
        return self.codes.index_select(0, x)

class Model(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.a, self.b = Encoder(size), Encoder(size)
        self.a.tie(self.b)
""",
    "rows of what still runs": TORCH
    + """
class Plans(nn.Module):
    def __init__(self, count):
        super().__init__()
        self.position = torch.zeros(count, dtype=torch.int64)
        self.net = nn.Linear(2, 2)

    def advance(self, index):
        self.position[index] += 1

    def drop(self, running):
        self.position = self.position[running]

    def forward(self, x):
        return self.net(x) * self.position.to(x)
""",
    "one number for each environment": TORCH
    + """
class Plans(nn.Module):
    def __init__(self, num_envs):
        super().__init__()
        self.num_envs = num_envs
        self.active = torch.ones((self.num_envs,), dtype=torch.bool)
        self.ticks = torch.zeros(self.num_envs)

    def pause(self, index):
        kept = self.active.clone()
        kept[index] = False
        self.active = kept

    def forward(self, x):
        self.ticks = self.ticks + 1
        return x[self.active] * self.ticks.to(x)
""",
    "rows set back where a mask says so": TORCH
    + """
class Discounts(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.factor = torch.ones(size)

    def forward(self, reward, is_first):
        self.factor *= 0.99
        self.factor.masked_fill_(is_first, 1.0)
        return reward * self.factor
""",
    "sums that one method takes and sets back": TORCH
    + """
class Prototypes(nn.Module):
    def __init__(self, count, size):
        super().__init__()
        self.centres = nn.Parameter(torch.zeros(count, size))
        self.sums = torch.zeros(count, size)

    def forward(self, x, labels):
        self.sums[labels] += x.detach()
        return torch.cdist(x, self.centres)

    @torch.no_grad()
    def take_over(self):
        self.centres += self.sums
        self.sums = torch.zeros_like(self.centres)
""",
    "a store of experience that computes nothing": TORCH
    + """
class Experience(nn.Module):
    def __init__(self, length, size, device):
        super().__init__()
        self.length = length
        self.actions = torch.zeros((length, size), device=device)
        self.at = 0

    def extend(self, batch):
        self.actions[self.at % self.length] = batch["actions"]
        self.at += 1

    def sample(self, count):
        return self.actions[torch.randint(0, min(self.at, self.length), (count,))]
""",
    "the very tensor is a buffer of another name": TORCH
    + """
class Quantized(nn.Module):
    def __init__(self):
        super().__init__()
        self._scale = torch.ones(1)
        self.register_buffer("scale", self._scale)

    def fit(self, x):
        self._scale.copy_(torch.maximum(self._scale, x.abs().max()))

    def forward(self, x):
        return x / self._scale.to(x)
""",
    "a hidden state that each call begins anew": TORCH
    + """
class Recurrent(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size
        self.hidden = torch.zeros(size)

    def forward(self, batches):
        self.hidden = torch.zeros(self.size)
        for batch in batches:
            self.hidden = torch.tanh(self.hidden + batch)
        return self.hidden

    def last(self):
        return self.hidden
""",
    "only the method that sets it reads it": TORCH
    + """
class Scaler(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)

    def fit(self, batch):
        self.mean = batch.mean(0)
        return batch - self.mean
""",
    "a sum that each call begins anew": TORCH
    + """
class Scaler(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size
        self.mean = torch.zeros(size)

    def forward(self, batches):
        self.mean = torch.zeros(self.size)
        for batch in batches:
            self.mean = self.mean + batch.mean(0)
        return self.mean
""",
    "a buffer may be rebound by its name": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)
""",
    "nn Buffer registers": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = nn.Buffer(torch.zeros(size))

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)
""",
    "a base class in another file registers the name": {
        "pkg/__init__.py": "",
        "pkg/base.py": TORCH
        + """
class Statistics(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
""",
        "pkg/normalizer.py": """
import torch
from .base import Statistics

class Normalizer(Statistics):
    def __init__(self, size):
        super().__init__(size)
        self.mean = torch.ones(size)

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)
""",
    },
    "the buffer was declared with None": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", None)
        self.mean = torch.zeros(size)

    def update(self, batch):
        self.mean.lerp_(batch.mean(0), 0.1)
""",
    "a helper registers what it is told to": TORCH
    + """
class Statistics(nn.Module):
    def __init__(self, names, size):
        super().__init__()
        self.last = torch.zeros(size)
        self.add("count", torch.zeros(()))
        for name in names:
            self.add(name, torch.zeros(size))

    def add(self, name, value):
        self.register_buffer(name, value)

    def forward(self, x):
        self.last = x
        self.count = self.count + 1
        return x
""",
    "names registered in a loop": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        for name in ("mean", "var"):
            self.register_buffer(f"running_{name}", torch.zeros(size))
        self.running_var = torch.ones(size)

    def update(self, batch):
        self.running_var = 0.9 * self.running_var + 0.1 * batch.var(0)
""",
    "a torchmetrics state is reset and reduced by its base": """
import torch
from torchmetrics import Metric

class Accuracy(Metric):
    def __init__(self):
        super().__init__()
        self.add_state("correct", default=torch.tensor(0), dist_reduce_fx="sum")
        self.correct = torch.tensor(0)

    def update(self, predicted, target):
        self.correct += (predicted == target).sum()

    def compute(self):
        return self.correct
""",
    "a metric state of a base class in another file": {
        "metrics/base.py": """
import torch
from torchmetrics import Metric

class Counting(Metric):
    def __init__(self):
        super().__init__()
        self.add_state("total", default=torch.tensor(0), dist_reduce_fx="sum")
""",
        "metrics/accuracy.py": """
import torch
from metrics.base import Counting

class Accuracy(Counting):
    def __init__(self):
        super().__init__()
        self.total = torch.zeros(())

    def update(self, target):
        self.total += target.numel()
""",
    },
    "the class is no module": """
import torch

class Average:
    def __init__(self, size):
        self.sum = torch.zeros(size)

    def update(self, batch):
        self.sum += batch.sum(0)
""",
    "a class of the project that is only called Module": """
import torch

class Module:
    pass

class Average(Module):
    def __init__(self, size):
        self.sum = torch.zeros(size)

    def update(self, batch):
        self.sum += batch.sum(0)
""",
    "its own state dict carries it": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def state_dict(self, *args, prefix="", **kwargs):
        state = super().state_dict(*args, prefix=prefix, **kwargs)
        state[prefix + "mean"] = self.mean
        return state

    def load_state_dict(self, state, strict=True):
        self.mean = state.pop("mean")
        return super().load_state_dict(state, strict)
""",
    "extra state carries it": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def get_extra_state(self):
        return {"mean": self.mean}

    def set_extra_state(self, state):
        self.mean = state["mean"]
""",
    "its own save writes it": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def save(self, path):
        torch.save({"mean": self.mean}, path)

    def load(self, path):
        self.mean = torch.load(path)["mean"]
""",
    "the whole object is pickled": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def save(self, path):
        torch.save(self, path)
""",
    "an output is kept for inspection": TORCH
    + """
class Attention(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.query = nn.Linear(size, size)
        self.weights = torch.zeros(1)

    def forward(self, x):
        weights = (self.query(x) @ x.transpose(1, 2)).softmax(-1)
        self.weights = weights.detach()
        return weights @ x
""",
    "a cache is computed again before it is read": TORCH
    + """
class Similarity(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.embedding = nn.Embedding(size, 8)
        self.normed = torch.zeros(size, 8)

    def forward(self, x):
        self.normed = nn.functional.normalize(self.embedding.weight, dim=-1)
        return x @ self.normed.T
""",
    "scratch of an episode starts afresh in reset": TORCH
    + """
class RecurrentPolicy(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.cell = nn.GRUCell(size, size)
        self.hidden = torch.zeros(1, 8)

    def reset(self):
        self.hidden = torch.zeros(1, 8)

    def forward(self, observation):
        self.hidden = self.cell(observation, self.hidden)
        return self.hidden
""",
    "the expression ends in a number": TORCH
    + """
class Scale(nn.Module):
    def __init__(self, weights: torch.Tensor):
        super().__init__()
        self.largest = weights.abs().max().item()

    def update(self, batch):
        self.largest = max(self.largest, batch.abs().max().item())
""",
    "only reached where the value is no tensor": TORCH
    + """
class GuidedBlur(nn.Module):
    def __init__(self, eps: float | torch.Tensor):
        super().__init__()
        if isinstance(eps, torch.Tensor):
            self.register_buffer("eps", eps)
        else:
            self.eps = eps

    def soften(self):
        self.eps = self.eps * 2
""",
    "a property stores it in a buffer": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("_mean", torch.zeros(size))
        self.mean = torch.zeros(size)

    @property
    def mean(self):
        return self._mean

    @mean.setter
    def mean(self, value):
        self._mean.copy_(value)

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)
""",
    "a parameter is assigned by name": TORCH
    + """
class Prototype(nn.Module):
    def __init__(self, size):
        super().__init__()
        setattr(self, "center", nn.Parameter(torch.zeros(size)))

    def update(self, batch):
        self.center.data = batch.mean(0)
""",
    "drawn at random only where it is moved": TORCH
    + """
class Noise(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size
        self.offsets = torch.zeros(size)

    def to(self, device):
        self.offsets.copy_(torch.randn(self.size))
        return super().to(device)

    def forward(self, x):
        return x + self.offsets
""",
    "a static method hands back what it is given where that is long enough": TORCH
    + """
class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.zeros(1)

    @staticmethod
    def grown(old, size):
        return old if old.shape[0] >= size else torch.arange(size)

    def forward(self, x):
        self.table = self.grown(self.table, x.shape[0])
        return x + self.table[: x.shape[0]]
""",
}

FOUND: dict[str, Case] = {
    "drawn at random in both branches": TORCH
    + """
class Conv(nn.Module):
    def __init__(self, size, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(size, size))
        if bias:
            self.bias = nn.Parameter(torch.empty(size))
        else:
            self.bias = torch.zeros(size)  # CKP101
        nn.init.uniform_(self.bias, -1, 1)

    def forward(self, x):
        return x @ self.weight
""",
    "taken from an object of another kind": TORCH
    + """
class Encoder(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.codes = torch.eye(size)  # CKP101

    def tie(self, other):
        self.codes = other.fitted

    def forward(self, x):
        return self.codes.index_select(0, x)

class Model(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.a, self.b = Encoder(size), Encoder(size)
        self.a.tie(self.b)
""",
    "running means of some channels": TORCH
    + """
class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.running_mean = torch.zeros(size)  # CKP101

    def prune(self, kept):
        self.running_mean = self.running_mean[kept]

    def forward(self, x):
        self.running_mean = 0.9 * self.running_mean + 0.1 * x.mean(0)
        return x - self.running_mean
""",
    "the last entry of what was carried": TORCH
    + """
class Last(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.total = torch.zeros(2, size)  # CKP101

    def shrink(self):
        self.total = self.total[0]

    def forward(self, x):
        self.total = self.total + x.mean(0)
        return x - self.total
""",
    "a store that a subclass computes with": TORCH
    + """
class Experience(nn.Module):
    def __init__(self, length, size):
        super().__init__()
        self.keys = torch.zeros((length, size))  # CKP101

    def extend(self, at, batch):
        self.keys[at] = batch["keys"]

    def nearest(self, x):
        return self.keys[torch.cdist(x, self.keys.to(x)).argmin(1)]

class Recall(Experience):
    def forward(self, x):
        return self.nearest(x)
""",
    "a store beside weights": TORCH
    + """
class Recall(nn.Module):
    def __init__(self, length, size):
        super().__init__()
        self.net = nn.Linear(size, size)
        self.keys = torch.zeros((length, size))  # CKP101

    def extend(self, at, batch):
        self.keys[at] = batch["keys"]

    def nearest(self, x):
        return self.keys[torch.cdist(self.net(x), self.keys.to(x)).argmin(1)]
""",
    "totals in a class without a forward pass": TORCH
    + """
class Totals(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rewards = torch.zeros(size)  # CKP101

    def add(self, arm, reward):
        self.rewards[arm] += reward

    def best(self):
        return self.rewards.argmax()
""",
    "sums that another method reads too": TORCH
    + """
class Prototypes(nn.Module):
    def __init__(self, count, size):
        super().__init__()
        self.centres = nn.Parameter(torch.zeros(count, size))
        self.sums = torch.zeros(count, size)  # CKP101

    def forward(self, x, labels):
        self.sums[labels] += x.detach()
        return torch.cdist(x, self.centres)

    def take_over(self):
        self.centres.data += self.sums
        self.sums = torch.zeros_like(self.centres)

    def score(self, x):
        return x @ self.sums.to(x).t()
""",
    "a new tensor takes the place of the one that is a buffer": TORCH
    + """
class Quantized(nn.Module):
    def __init__(self):
        super().__init__()
        self._scale = torch.ones(1)  # CKP101
        self.register_buffer("scale", self._scale)

    def fit(self, x):
        self._scale = torch.maximum(self._scale, x.abs().max())

    def forward(self, x):
        return x / self._scale.to(x)
""",
    "a buffer of another name that is not saved": TORCH
    + """
class Quantized(nn.Module):
    def __init__(self):
        super().__init__()
        self._scale = torch.ones(1)  # CKP101
        self.register_buffer("scale", self._scale, persistent=False)

    def fit(self, x):
        self._scale.copy_(torch.maximum(self._scale, x.abs().max()))

    def forward(self, x):
        return x / self._scale.to(x)
""",
    "a buffer is made of a copy": TORCH
    + """
class Quantized(nn.Module):
    def __init__(self):
        super().__init__()
        self._scale = torch.ones(1)  # CKP101
        self.register_buffer("scale", self._scale.clone())

    def fit(self, x):
        self._scale.copy_(torch.maximum(self._scale, x.abs().max()))

    def forward(self, x):
        return x / self._scale.to(x)
""",
    "moving average": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)  # CKP101

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
        self.mean = torch.zeros(size)  # CKP101

    def update(self, batch):
        self.mean.mul_(0.9).add_(0.1 * batch.mean(0))

    def forward(self, x):
        return x - self.mean
""",
    "counter as a tensor": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self):
        super().__init__()
        self.count = torch.zeros((), dtype=torch.long)  # CKP101

    def forward(self, x):
        self.count += len(x)
        return x / self.count
""",
    "changed through a subscript": TORCH
    + """
class Codebook(nn.Module):
    def __init__(self, codes: int):
        super().__init__()
        self.usage = torch.zeros(codes)  # CKP101

    def forward(self, index):
        self.usage[index] += 1
        return self.usage.argmin()
""",
    "set in a method that the constructor calls": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size
        self._build()

    def _build(self):
        self.mean = torch.zeros(self.size)  # CKP101

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def forward(self, x):
        return x - self.mean
""",
    "class hierarchy and re-export across files": {
        "pkg/__init__.py": "from .base import Layer as Layer\n",
        "pkg/base.py": "from torch import nn\n\nclass Layer(nn.Module):\n    pass\n",
        "pkg/normalizer.py": """
import torch as t
from . import Layer as Base

class Normalizer(Base):
    def __init__(self, size):
        super().__init__()
        self.mean = t.zeros(size)  # CKP101

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def forward(self, x):
        return x - self.mean
""",
    },
    "base class through a star import": {
        "layers.py": "import torch.nn as tnn\n\nclass Layer(tnn.Module):\n    pass\n",
        "normalizer.py": """
from torch import zeros
from layers import *

class Normalizer(Layer):
    def __init__(self, size):
        super().__init__()
        self.mean = zeros(size)  # CKP101

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def forward(self, x):
        return x - self.mean
""",
    },
    "helper in another file returns the tensor": {
        "pkg/__init__.py": "",
        "pkg/initial.py": """
import torch

def start(size):
    ones = torch.ones(size)
    return ones / ones.sum()
""",
        "pkg/model.py": """
from torch import nn
from pkg.initial import start

class Sampler(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weights = start(size)  # CKP101

    def update(self, losses):
        self.weights = 0.9 * self.weights + 0.1 * losses.softmax(0)

    def forward(self):
        return self.weights.multinomial(1)
""",
    },
    "optional tensor of the caller": """
from typing import Optional
import torch
from torch import nn, Tensor

class Normalizer(nn.Module):
    def __init__(self, size, mean: Optional[Tensor] = None):
        super().__init__()
        self.mean = mean if mean is not None else torch.zeros(size)  # CKP101

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def forward(self, x):
        return x - self.mean
""",
    "built in place in a local": TORCH
    + """
class Transition(nn.Module):
    def __init__(self, states):
        super().__init__()
        counts = torch.zeros(states, states)
        for i in range(states):
            counts[i, i] = 1.0
        self.counts = counts  # CKP101

    def observe(self, a, b):
        self.counts[a, b] += 1

    def forward(self, a):
        return self.counts[a] / self.counts[a].sum()
""",
    "made like another tensor": TORCH
    + """
class Ema(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(size))
        self.shadow = torch.zeros_like(self.weight)  # CKP101

    def update(self):
        self.shadow.lerp_(self.weight.detach(), 0.01)

    def forward(self, x):
        return x * self.shadow
""",
    "set by setattr with a constant name": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        setattr(self, "mean", torch.zeros(size))  # CKP101

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def forward(self, x):
        return x - self.mean
""",
    "a random permutation differs in a fresh instance": TORCH
    + """
class Shuffle(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.order = torch.randperm(size)  # CKP101

    def forward(self, x):
        return x[:, self.order]
""",
    "a Lightning module": """
import torch
import pytorch_lightning as pl

class Learner(pl.LightningModule):
    def __init__(self, size):
        super().__init__()
        self.baseline = torch.zeros(size)  # CKP101

    def training_step(self, batch, index):
        self.baseline = 0.9 * self.baseline + 0.1 * batch.mean(0)
        return (batch - self.baseline).square().mean()
""",
    "assigned in two branches": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size, warm: bool):
        super().__init__()
        if warm:
            self.mean = torch.ones(size)  # CKP101
        else:
            self.mean = torch.zeros(size)

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def forward(self, x):
        return x - self.mean
""",
    "updated by a subclass in another file": {
        "base.py": TORCH
        + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)  # CKP101

    def forward(self, x):
        return x - self.mean
""",
        "running.py": """
from base import Normalizer

class RunningNormalizer(Normalizer):
    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)
""",
    },
    "one of two methods that fit it looks first": TORCH
    + """
class Whitening(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.shift = torch.zeros(size)  # CKP101

    def fit(self, data: torch.Tensor):
        if self.shift is None:
            self.shift = data.mean(0)

    def refit(self, data: torch.Tensor):
        self.shift = data.mean(0)

    def forward(self, x):
        return x - self.shift
""",
    "the flag that ends it is turned by another method": TORCH
    + """
class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.collecting = True
        self.mean = torch.zeros(size)  # CKP101

    def freeze(self):
        self.collecting = False

    def forward(self, x):
        if self.collecting:
            self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return x - self.mean
""",
    "updated by another object, whose method has the name of an own one": TORCH
    + """
class Norm(nn.Module):
    def __init__(self, average, size):
        super().__init__()
        self.average = average
        self.mean = torch.zeros(size)  # CKP101

    def update(self, mean, x):
        self.is_updated = True
        return mean

    def forward(self, x):
        self.mean = self.average.update(self.mean, x)
        return x - self.mean
""",
    "one of two values comes from a method that reads the old one": TORCH
    + """
class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = torch.zeros(size)  # CKP101

    def blended(self, x):
        return 0.9 * self.mean + 0.1 * x.mean(0)

    def forward(self, x):
        if self.training:
            mean = self.blended(x)
        else:
            mean = x.mean(0)
        self.mean = mean
        return x - mean
""",
    "random draws that construction fills in": TORCH
    + """
class Projection(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.directions = torch.zeros(size, size)  # CKP101
        self.directions.copy_(torch.randn(size, size))

    def forward(self, x):
        return x @ self.directions
""",
    "a fitted value that starts empty in one case only": TORCH
    + """
class Svdd(nn.Module):
    def __init__(self, size, is_centred):
        super().__init__()
        if is_centred:
            self.center = torch.zeros(size)  # CKP101
        else:
            self.center = torch.empty(size)

    def fit(self, data):
        self.center = data.mean(0)

    def forward(self, x):
        return (x - self.center).square().sum(1)
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_lost_state(case: Case) -> None:
    check_findings(case)


def test_names_further_assignments() -> None:
    (finding,) = check_findings(FOUND["assigned in two branches"])
    assert [related.position.line for related in finding.related] == [10]
    assert "'mean'" in finding.message
