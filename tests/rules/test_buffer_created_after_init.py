"""CKP108: buffers and parameters that appear after construction."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "every program hands in what the constructor needs": TORCH
    + """
class Encoder(nn.Module):
    def __init__(self, out, size=None):
        super().__init__()
        self.out = out
        self.norm = nn.LayerNorm(out)
        self.proj = None
        if size is not None:
            self.build(size)

    def build(self, size):
        device = next(self.parameters()).device
        self.proj = nn.Linear(size, self.out).to(device)

    def forward(self, x):
        if self.proj is None:
            self.proj = nn.Linear(x.shape[1], self.out).to(x.device)
        return self.norm(self.proj(x))

def restored(path, size):
    encoder = Encoder(3, size=size)
    encoder.load_state_dict(torch.load(path))
    return encoder

def saved(path, size):
    encoder = Encoder(4, size)
    torch.save(encoder.state_dict(), path)
""",
    "the loading code creates the buffers first": TORCH
    + """
class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.ready = False

    def create(self, size):
        self.register_buffer("mean", torch.zeros(size))
        self.ready = True

    def forward(self, x):
        if not self.ready:
            self.create(x.shape[1])
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return x - self.mean

def restore(model, path):
    state = torch.load(path)
    for name, module in model.named_modules():
        if isinstance(module, Norm) and f"{name}.mean" in state:
            module.create(state[f"{name}.mean"].shape[0])
    model.load_state_dict(state)
""",
    "the constructor registers it": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))

    def update(self, batch):
        self.mean.lerp_(batch.mean(0), 0.1)
""",
    "a method that the constructor always calls": TORCH
    + """
class Normalizer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.reset(size)

    def reset(self, size):
        self.register_buffer("mean", torch.zeros(size))

    def update(self, batch):
        self.mean.lerp_(batch.mean(0), 0.1)
""",
    "the load hook creates it before the base class looks": TORCH
    + """
class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.epsilon = 1e-5

    def _create(self, shape):
        self.register_buffer("mean", torch.zeros(shape))

    def update(self, batch):
        if not hasattr(self, "mean"):
            self._create(batch.shape[1:])
        self.mean.lerp_(batch.mean(0), 0.1)

    def _load_from_state_dict(self, state_dict, prefix, *args):
        if prefix + "mean" in state_dict and not hasattr(self, "mean"):
            self._create(state_dict[prefix + "mean"].shape)
        super()._load_from_state_dict(state_dict, prefix, *args)
""",
    "a pre-hook creates it": TORCH
    + """
class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self._register_load_state_dict_pre_hook(self._prepare)

    def _prepare(self, state_dict, prefix, *args):
        if prefix + "mean" in state_dict:
            self.register_buffer("mean", torch.zeros_like(state_dict[prefix + "mean"]))

    def update(self, batch):
        if not hasattr(self, "mean"):
            self.register_buffer("mean", torch.zeros(batch.shape[1:]))
        self.mean.lerp_(batch.mean(0), 0.1)
""",
    "its own load_state_dict creates it first": TORCH
    + """
class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.epsilon = 1e-5

    def update(self, batch):
        if not hasattr(self, "mean"):
            self.register_buffer("mean", torch.zeros(batch.shape[1:]))
        self.mean.lerp_(batch.mean(0), 0.1)

    def load_state_dict(self, state_dict, strict=True):
        if "mean" in state_dict:
            self.register_buffer("mean", torch.zeros_like(state_dict["mean"]))
        return super().load_state_dict(state_dict, strict)
""",
    "the load hook calls what assigns a buffer": TORCH
    + """
class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.epsilon = 1e-5

    def _create(self, shape):
        self.mean = nn.Buffer(torch.zeros(shape))

    def update(self, batch):
        if not hasattr(self, "mean"):
            self._create(batch.shape[1:])
        self.mean.lerp_(batch.mean(0), 0.1)

    def _load_from_state_dict(self, state_dict, prefix, *args):
        if prefix + "mean" in state_dict and not hasattr(self, "mean"):
            self._create(state_dict[prefix + "mean"].shape)
        super()._load_from_state_dict(state_dict, prefix, *args)
""",
    "the first call registers nothing under a name": TORCH
    + """
class Attention(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.project = nn.Linear(size, size)

    def forward(self, x):
        if not hasattr(self, "mask"):
            self.register_buffer("mask", None)
        return self.project(x)
""",
    "a table that is not persistent": TORCH
    + """
class Positions(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, x):
        if not hasattr(self, "table"):
            self.register_buffer("table", torch.zeros(x.shape[1], self.size), persistent=False)
        return x + self.table
""",
    "uninitialized parameters know how to load": """
import torch
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import UninitializedParameter

class LazyScale(LazyModuleMixin, nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = UninitializedParameter()

    def initialize_parameters(self, x):
        if self.has_uninitialized_params():
            self.scale.materialize((x.shape[-1],))

    def forward(self, x):
        return x * self.scale
""",
    "a buffer that was declared and given by the caller": TORCH
    + """
class Loss(nn.Module):
    def __init__(self, weight: torch.Tensor):
        super().__init__()
        self.register_buffer("weight", None)
        self.weight = weight

    def forward(self, x):
        return (x * self.weight).mean()
""",
    "registers on another module": """
import torch
from torch import nn

def add_scale(module: nn.Module, size: int) -> None:
    module.register_buffer("scale", torch.ones(size))

class Pruner:
    def apply(self, module: nn.Module) -> None:
        module.register_parameter("mask", nn.Parameter(torch.ones(3)))
""",
    "a buffer of the constructor is registered anew": TORCH
    + """
class Bank(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("queue", torch.zeros(size))

    def shuffle(self):
        self.register_buffer("queue", self.queue[torch.randperm(len(self.queue))])
""",
    "a base class in another file registers it": {
        "base.py": TORCH
        + """
class Statistics(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
""",
        "model.py": """
import torch
from base import Statistics

class Normalizer(Statistics):
    def restart(self):
        self.register_buffer("mean", torch.zeros_like(self.mean))
""",
    },
    "the caller builds it before the first call": TORCH
    + """
class Head(nn.Module):
    def build(self, size):
        self.scale = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.scale
""",
    "names that are made up as they come": TORCH
    + """
class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.ready = None

    def forward(self, x, task):
        if self.ready is None:
            self.register_buffer(f"mean_{task}", x.mean(0))
        return x
""",
}

FOUND: dict[str, Case] = {
    "one program leaves out what the constructor needs": TORCH
    + """
class Encoder(nn.Module):
    def __init__(self, out, size=None):
        super().__init__()
        self.out = out
        self.norm = nn.LayerNorm(out)
        self.proj = None
        if size is not None:
            self.build(size)

    def build(self, size):
        device = next(self.parameters()).device
        self.proj = nn.Linear(size, self.out).to(device)

    def forward(self, x):
        if self.proj is None:
            self.proj = nn.Linear(x.shape[1], self.out).to(x.device)  # CKP108
        return self.norm(self.proj(x))

def restored(path, size):
    encoder = Encoder(3)
    encoder.load_state_dict(torch.load(path))
    return encoder

def saved(path, size):
    encoder = Encoder(4, size)
    torch.save(encoder.state_dict(), path)
""",
    "one program hands in nothing": TORCH
    + """
class Encoder(nn.Module):
    def __init__(self, out, size=None):
        super().__init__()
        self.out = out
        self.norm = nn.LayerNorm(out)
        self.proj = None
        if size is not None:
            self.build(size)

    def build(self, size):
        device = next(self.parameters()).device
        self.proj = nn.Linear(size, self.out).to(device)

    def forward(self, x):
        if self.proj is None:
            self.proj = nn.Linear(x.shape[1], self.out).to(x.device)  # CKP108
        return self.norm(self.proj(x))

def restored(path, size):
    encoder = Encoder(3, None)
    encoder.load_state_dict(torch.load(path))
    return encoder

def saved(path, size):
    encoder = Encoder(4, size)
    torch.save(encoder.state_dict(), path)
""",
    "the loading code trains the model": TORCH
    + """
class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size

    def train(self, mode=True):
        if not hasattr(self, "head"):
            self.head = nn.Linear(self.size, self.size)  # CKP108
        return super().train(mode)

    def forward(self, x):
        return self.head(x)

def restore(model, path):
    state = torch.load(path)
    model.load_state_dict(state["model"])
    model.train()
    return state["epoch"]
""",
    "other code creates the buffers": TORCH
    + """
class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.ready = False

    def create(self, size):
        self.register_buffer("mean", torch.zeros(size))  # CKP108
        self.ready = True

    def forward(self, x):
        if not self.ready:
            self.create(x.shape[1])
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return x - self.mean

def prepare(model, sizes):
    for module, size in zip(model.modules(), sizes):
        module.create(size)
    return model
""",
    "registered on the first update": TORCH
    + """
class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.epsilon = 1e-5

    def update(self, batch):
        if not hasattr(self, "mean"):
            self.register_buffer("mean", torch.zeros(batch.shape[1:]))  # CKP108
        self.mean.lerp_(batch.mean(0), 0.1)

    def forward(self, x):
        return x - self.mean
""",
    "the constructor creates them only with a shape": TORCH
    + """
class RunningMeanStd(nn.Module):
    def __init__(self, shape=None):
        super().__init__()
        self.shape = shape
        if shape is not None:
            self._create(shape)

    def _create(self, shape):
        self.register_buffer("mean", torch.zeros(shape))  # CKP108
        self.register_buffer("var", torch.ones(shape))
        self.shape = shape

    def update(self, batch):
        if self.shape is None:
            self._create(batch.shape[1:])
        self.mean.lerp_(batch.mean(0), 0.1)
        self.var.lerp_(batch.var(0), 0.1)

    def forward(self, x):
        return (x - self.mean) / self.var.sqrt()
""",
    "a parameter on the first call": TORCH
    + """
class LazyScale(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = None

    def forward(self, x):
        if self.scale is None:
            self.scale = nn.Parameter(torch.ones(x.shape[-1]))  # CKP108
        return x * self.scale
""",
    "a declared buffer that a method fills": TORCH
    + """
class Whitening(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", None)

    def fit(self, data):
        self.mean = data.mean(0)  # CKP108

    def forward(self, x):
        return x - self.mean
""",
    "the load hook acts after the base class": TORCH
    + """
class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.ready = None

    def update(self, batch):
        if not hasattr(self, "mean"):
            self.register_buffer("mean", torch.zeros(batch.shape[1:]))  # CKP108
        self.mean.lerp_(batch.mean(0), 0.1)

    def forward(self, x):
        return x - self.mean

    def _load_from_state_dict(self, state_dict, prefix, *args):
        super()._load_from_state_dict(state_dict, prefix, *args)
        if prefix + "mean" in state_dict:
            self.ready = state_dict[prefix + "mean"].shape
""",
    "a base class of another file": {
        "pkg/__init__.py": "",
        "pkg/layer.py": "from torch import nn\n\nclass Layer(nn.Module):\n    pass\n",
        "pkg/model.py": """
import torch
from .layer import Layer

class Lazy(Layer):
    def update(self, batch):
        if not hasattr(self, "mean"):
            self.register_buffer("mean", torch.zeros(batch.shape[1:]))  # CKP108
        self.mean.lerp_(batch.mean(0), 0.1)

    def forward(self, x):
        return x - self.mean
""",
    },
    "the load hook only sets a flag before the base class looks": TORCH
    + """
class Norm(nn.Module):
    def forward(self, x):
        if not hasattr(self, "mean"):
            self.register_buffer("mean", x.mean(0))  # CKP108
        return x - self.mean

    def _load_from_state_dict(self, *args):
        self.is_restored = True
        super()._load_from_state_dict(*args)
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_late_registration(case: Case) -> None:
    check_findings(case)
