"""CKP102: constants kept as a plain tensor."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "meets what was brought to the host": TORCH
    + """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.net = nn.Linear(size, 3)
        self.colors = torch.tensor([[0, 0, 1], [0, 1, 0], [1, 0, 0]])

    def forward(self, x):
        y = self.net(x)
        label = y.argmax(-1).detach().cpu()
        self.show(self.colors[label] * label[..., None])
        return y
""",
    "functions of a library may move what they get": "import kornia\nfrom kornia.enhance import normalize as norm\n"
    + TORCH
    + """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.net = nn.Linear(size, 2)
        self.mean = torch.tensor([0.1, 0.2])
        self.std = torch.tensor([0.1, 0.2])
        self.both = torch.tensor([0.1, 0.2])

    def forward(self, x):
        x = kornia.enhance.normalize(x, self.mean, std=self.std)
        return self.net(norm(x, self.both, self.both))
""",
    "handed in by the caller who puts it there": """
from torch import Tensor, nn
import torch

class Norm(nn.Module):
    def __init__(self, features: Tensor, weights: Tensor, device):
        super().__init__()
        self.mean = features.mean(0)
        self.scale = torch.sqrt(features.var(0))
        assert weights.device == device, "the weights have to be where the module is used"
        self.weights = weights

    def forward(self, x):
        return (x - self.mean) / self.scale * self.weights
""",
    "a helper works on what the caller hands in": """
import torch
from torch import Tensor, nn

def spread(x: Tensor, floor: float = 1e-5) -> Tensor:
    return x.var(0).add(floor).sqrt()

class Norm(nn.Module):
    def __init__(self, features: Tensor):
        super().__init__()
        self.scale = spread(features)

    def forward(self, x):
        return x / self.scale
""",
    "a number in the other branch": TORCH
    + """
class Scale(nn.Module):
    def __init__(self, image):
        super().__init__()
        height, width = image.shape[2:]
        if width == height:
            self.scale = 1.0 / width
        else:
            self.scale = torch.tensor([1.0 / width, 1.0 / height])

    def forward(self, x):
        return x * self.scale
""",
    "the function that takes it moves it": TORCH
    + """
def framed(x: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    begin = start.detach().to(x.device)
    return torch.cat([begin, x])

class Frame(nn.Module):
    def __init__(self):
        super().__init__()
        self.start = torch.zeros(1, 4)

    def forward(self, x):
        return framed(x, self.start)
""",
    "put into an object or a dict beside the input": """
from collections import namedtuple
import torch
from torch import nn

Output = namedtuple("Output", ["logits", "scores"])

class Ranker(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model
        self.nothing = torch.zeros(1)
        self.count = torch.tensor([4])

    def forward(self, x):
        batch = {"x": x, "count": self.count, "grad": torch.zeros(self.count, 3)}
        return Output(logits=self.model(batch), scores=self.nothing)
""",
    "it meets what is made on the host": TORCH
    + """
class Planner(nn.Module):
    def __init__(self, low, high):
        super().__init__()
        self.low = torch.from_numpy(low)
        self.span = torch.from_numpy(high - low)

    def forward(self, state):
        action = self.search(state)
        return self.low + self.span * torch.tensor(action)
""",
    "one of two bounds": TORCH
    + """
class Actor(nn.Module):
    def __init__(self, size, bounds):
        super().__init__()
        self.layer = nn.Linear(size, 1)
        self.half = torch.as_tensor((bounds[1] - bounds[0]) / 2.0, dtype=torch.float32)

    def forward(self, x):
        return torch.tanh(self.layer(x)) * self.half
""",
    "an index, which may lie anywhere": TORCH
    + """
class Shuffle(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.order = torch.arange(size - 1, -1, -1)
        self.layer = nn.Linear(size, size)

    def forward(self, x):
        return self.layer(x[:, self.order])
""",
    "moved in place before a nested function uses it": TORCH
    + """
class Histogram(nn.Module):
    def __init__(self, steps):
        super().__init__()
        self.grid = torch.linspace(0.0, 1.0, steps).view(-1, 1)

    def forward(self, x):
        def weights(values):
            return (values - self.grid).abs()

        device = x.device
        self.grid = self.grid.to(device)
        return weights(x).sum(1)
""",
    "a tensor or a number": TORCH
    + """
class Scale(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scale = torch.full((size,), 0.5) if size else 0.5

    def forward(self, x):
        return x * self.scale
""",
    "a buffer that is not persistent": TORCH
    + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("kernel", torch.ones(1, 1, 3), persistent=False)

    def forward(self, x):
        return nn.functional.conv1d(x, self.kernel)
""",
    "nn Buffer registers": TORCH
    + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = torch.nn.Buffer(torch.ones(1, 1, 3), persistent=False)

    def forward(self, x):
        return nn.functional.conv1d(x, self.kernel)
""",
    "every use moves it by hand": TORCH
    + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = torch.ones(1, 1, 3)

    def forward(self, x):
        return nn.functional.conv1d(x, self.kernel.to(x.device))
""",
    "looked at before it is moved by hand": TORCH
    + """
class Gain(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = torch.tensor(2.0)

    def forward(self, x):
        if self.gain is None or self.gain.ndim > 0:
            return x
        if self.gain:
            x = x * self.gain.to(x)
        return x
""",
    "a parameter of another layer is shared": TORCH
    + """
class Decoder(nn.Module):
    def __init__(self, embedding: nn.Embedding):
        super().__init__()
        self.out = nn.Linear(8, 100)
        self.weight = self.out.weight
        self.tied = embedding.weight

    def forward(self, x):
        return x @ self.weight.T @ self.tied
""",
    "only Python numbers are kept": TORCH
    + """
class Anchors(nn.Module):
    def __init__(self, count: int):
        super().__init__()
        self.ratios = torch.linspace(0.5, 2.0, count).tolist()
        self.largest = torch.linspace(0.5, 2.0, count).max().item()
        self.size = torch.zeros(count, 4).shape[0]
        self.count = len(torch.arange(count))
        self.dtype = torch.zeros(1).dtype

    def forward(self, x):
        return x * self.largest * self.ratios[0] + self.size + self.count
""",
    "used only to decide in Python": TORCH
    + """
class Searched(nn.Module):
    def __init__(self, codes: list[int]):
        super().__init__()
        self.active = torch.tensor(codes)
        self.layers = nn.ModuleList(nn.Linear(8, 8) for _ in codes)

    def forward(self, x):
        for i, layer in enumerate(self.layers):
            if self.active[i]:
                x = layer(x)
        return x
""",
    "complex rotary table in full precision": TORCH
    + """
class Rotary(nn.Module):
    def __init__(self, size, length):
        super().__init__()
        angle = torch.outer(torch.arange(length), 1.0 / 10000 ** (torch.arange(0, size, 2) / size))
        self.freqs_cis = torch.polar(torch.ones_like(angle), angle)

    def forward(self, x):
        return x * self.freqs_cis[: x.shape[1]]
""",
    "the class is no module": """
import torch

class Scheduler:
    def __init__(self, steps):
        self.betas = torch.linspace(0.0, 0.02, steps)

    def step(self, x, t):
        return x * self.betas[t]
""",
    "only reached where the value is no tensor": """
from torch import nn, Tensor, is_tensor

class Loss(nn.Module):
    def __init__(self, weight: float | Tensor):
        super().__init__()
        if is_tensor(weight):
            self.register_buffer("weight", weight)
        else:
            self.weight = weight

    def forward(self, x):
        return (x * self.weight).mean()
""",
    "a float parameter": """
import torch
from torch import nn

class Scale(nn.Module):
    def __init__(self, scale: float = 1.0, bias=0.0):
        super().__init__()
        self.scale = scale
        self.bias = bias * 2

    def forward(self, x):
        return x * self.scale + self.bias
""",
    "a base class in another file registers the name": {
        "kernels.py": TORCH
        + """
class Filter(nn.Module):
    def __init__(self, kernel):
        super().__init__()
        self.register_buffer("kernel", kernel)
""",
        "blur.py": """
import torch
import kernels

class Blur(kernels.Filter):
    def __init__(self):
        super().__init__(torch.ones(1, 1, 3))
        self.kernel = torch.ones(1, 1, 3) / 3

    def forward(self, x):
        return torch.conv1d(x, self.kernel)
""",
    },
    "a local that becomes a buffer": TORCH
    + """
class Positions(nn.Module):
    def __init__(self, length, size):
        super().__init__()
        table = torch.zeros(length, size)
        table[:, 0] = torch.arange(length)
        self.register_buffer("table", table)

    def forward(self, x):
        return x + self.table
""",
    "made on the device of its user at first use": TORCH
    + """
class Quantizer(nn.Module):
    def __init__(self, groups: int, size: int):
        super().__init__()
        self.groups = groups
        self.codes = nn.Parameter(torch.zeros(groups, size))
        self.offsets = None

    def forward(self, x):
        if self.offsets is None:
            self.offsets = torch.arange(self.groups, device=self.codes.device)
        return x + self.offsets
""",
    "a parameter that nn init fills": TORCH
    + """
class Gate(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.gate = nn.Parameter(torch.zeros(size))
        nn.init.constant_(self.gate, 0.5)

    def forward(self, x):
        return x * self.gate
""",
    "a later method sets a buffer and registers it anew": TORCH
    + """
class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))

    def fit(self, size):
        self.mean = torch.zeros(size)
        self.register_buffer("mean", self.mean + 1)

    def forward(self, x):
        return x - self.mean
""",
    "repeated and then moved to the input": TORCH
    + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = torch.ones(1, 1, 3)

    def forward(self, x):
        kernel = self.kernel[0].repeat(x.shape[1], 1, 1)
        return nn.functional.conv1d(x, kernel.type_as(x))
""",
    "moved in place before it is read": TORCH
    + """
class Loss(nn.Module):
    def __init__(self, weights: list[float]):
        super().__init__()
        self.weights = torch.tensor(weights)

    def forward(self, x):
        if self.weights.device != x.device:
            self.weights = self.weights.to(x.device)
        return (x * self.weights).sum()
""",
    "copied into what lies with the input": TORCH
    + """
class Pad(nn.Module):
    def __init__(self):
        super().__init__()
        self.edge = torch.zeros(3)
        self.corner = torch.ones(3)

    def forward(self, x):
        out = torch.empty_like(x)
        out[:3] = self.edge
        out[3:].copy_(self.corner)
        return out
""",
    "made anew on the device of the input": TORCH
    + """
class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        self.factors = torch.tensor([1.0, 2.0])

    def forward(self, x):
        return x * torch.as_tensor(self.factors, device=x.device)
""",
    "put on a device by hand": TORCH
    + """
class Blur(nn.Module):
    def __init__(self, device):
        super().__init__()
        self.kernel = torch.ones(1, 1, 3, device=device)
        self.bias = (torch.ones(1) * 2).to(device).neg()
        self.edge = torch.zeros(1, 1, 3)
        self.edge = self.edge.cuda()

    def forward(self, x):
        return nn.functional.conv1d(x, self.kernel, self.bias) + self.edge
""",
    "a helper puts it on a device": TORCH
    + """
def grid(size, device):
    return torch.linspace(0, 1, size).to(device)

class Warp(nn.Module):
    def __init__(self, size, device):
        super().__init__()
        self.grid = grid(size, device)

    def forward(self, x):
        return x + self.grid
""",
    "without dimensions": TORCH
    + """
class Focal(nn.Module):
    def __init__(self, alpha: float, gamma=2.0):
        super().__init__()
        self.alpha = torch.tensor(alpha)
        self.gamma = torch.as_tensor(gamma).float()
        self.start = torch.zeros(())
        self.mean = torch.ones(3).mean()
        self.both = torch.tensor(1.0) - 0.5

    def forward(self, x):
        return self.alpha * x**self.gamma + self.start + self.mean + self.both
""",
    "only its numbers meet the input": TORCH
    + """
class Pool(nn.Module):
    def __init__(self, sizes: list[int]):
        super().__init__()
        self.sizes = torch.tensor(sizes)

    def forward(self, x):
        for i in range(len(self.sizes)):
            x = x.unfold(1, int(self.sizes[i]), 1) / self.sizes[i].item()
        return x
""",
    "made for the loader and no step": TORCH
    + """
class Pairs(nn.Module):
    def __init__(self, sizes: list[int]):
        super().__init__()
        self.first = torch.tensor(sizes)
        self.table = nn.Embedding(8, 2)

    def forward(self, nodes):
        return self.table(nodes)

    def collate(self, batch):
        return torch.tensor(batch) + self.first

    def loader(self, data):
        return torch.utils.data.DataLoader(data, collate_fn=self.collate)
""",
    "the author says why it is no buffer": TORCH
    + """
class Rope(nn.Module):
    def __init__(self, size):
        super().__init__()
        # Not a buffer: .half() would round the angles.
        self.angles = torch.arange(size) / size

    def forward(self, x):
        return x * self.angles
""",
    "handed on by a helper method": TORCH
    + """
class Smooth(nn.Module):
    def __init__(self):
        super().__init__()
        self.taps = torch.tensor([0.25, 0.5, 0.25])

    def kernel(self):
        return self.taps[None, None]

    def forward(self, x):
        return nn.functional.conv1d(x, self.kernel())
""",
    "moved by the step before a helper reads it": TORCH
    + """
class Affine(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.grid = torch.ones(size)

    def warp(self, x):
        return x + self.grid

    def forward(self, x):
        self.grid = torch.as_tensor(self.grid, device=x.device)
        return self.warp(x)
""",
    "no program moves anything": {
        "blur.py": TORCH
        + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = torch.ones(1, 1, 3)

    def forward(self, x):
        return nn.functional.conv1d(x, self.kernel)
""",
        "train.py": "from blur import Blur\n\ndef main():\n    return Blur()\n\nmain()\n",
        "other.py": "if __name__ == '__main__':\n    net.to(device)\n",
    },
    "the library of a program that makes all on one device": {
        "losses.py": TORCH
        + """
class Quantiles(nn.Module):
    def __init__(self, count):
        super().__init__()
        self.midpoints = (torch.arange(count) + 0.5) / count

    def forward(self, x):
        return x - self.midpoints
""",
        "train.py": """
import torch
from configuration import build

if __name__ == "__main__":
    torch.set_default_device("cuda")
    build().fit()
""",
    },
    "all is made where the modules lie": {
        "blur.py": TORCH
        + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = torch.ones(1, 1, 3)

    def forward(self, x):
        return nn.functional.conv1d(x, self.kernel)
""",
        "train.py": """
import torch
from blur import Blur

if __name__ == "__main__":
    torch.set_default_device("cuda")
    net = Blur().cuda()
""",
    },
    "a test": {
        "tests/test_blur.py": TORCH
        + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = torch.ones(1, 1, 3)
        self.seen = torch.zeros(3)
        self.layers = [nn.Linear(3, 3)]

    def forward(self, x):
        self.seen += x
        return nn.functional.conv1d(x, self.kernel)
""",
    },
    "a module in a list that was one by one made a module list": TORCH
    + """
from copy import deepcopy

class Members(nn.Module):
    def __init__(self, net, count):
        super().__init__()
        members = [deepcopy(net).cuda() for _ in range(count)]
        self.members = nn.ModuleList(members)
        self.first = deepcopy(self.members[0]).cuda()

    def forward(self, x):
        return torch.func.functional_call(self.first, {}, x)
""",
}

FOUND: dict[str, Case] = {
    "what meets the input is brought to the host": TORCH
    + """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.net = nn.Linear(size, 3)
        self.colors = torch.tensor([1, 2, 3])  # CKP102

    def forward(self, x):
        return (self.net(x) * self.colors).cpu()
""",
    "a function of torch takes a constant as it lies": TORCH
    + """
class Blur(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.net = nn.Linear(size, 2)
        self.kernel = torch.ones(1, 1, 3)  # CKP102

    def forward(self, x):
        return self.net(torch.nn.functional.conv1d(x, self.kernel))
""",
    "handed in and kept as it is": """
from torch import Tensor, nn

class Norm(nn.Module):
    def __init__(self, weights: Tensor):
        super().__init__()
        assert weights.ndim == 1
        self.weights = weights  # CKP102

    def forward(self, x):
        return x * self.weights
""",
    "a product is put into an object": """
from collections import namedtuple
import torch
from torch import nn

Output = namedtuple("Output", ["logits", "scores"])

class Ranker(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = torch.ones(4)  # CKP102

    def forward(self, x):
        return Output(logits=x, scores=x * self.gain)
""",
    "a distribution of torch is made with it": """
import torch
from torch import nn
from torch.distributions import Normal

class Policy(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scale = torch.full((size,), 0.1)  # CKP102

    def forward(self, x):
        return Normal(x, self.scale).sample()
""",
    "a function that moves something else": TORCH
    + """
def framed(x: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    return torch.cat([start, x.to(torch.float32)])

class Frame(nn.Module):
    def __init__(self):
        super().__init__()
        self.start = torch.zeros(1, 4)  # CKP102

    def forward(self, x):
        return framed(x, self.start)
""",
    "numbers of the caller in a tensor made here": TORCH
    + """
class Weighted(nn.Module):
    def __init__(self, weights: list[float]):
        super().__init__()
        self.weights = torch.tensor(weights)  # CKP102

    def forward(self, x):
        return x * self.weights
""",
    "a host tensor that is told the device": TORCH
    + """
class Planner(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.low = torch.zeros(size)  # CKP102

    def forward(self, state):
        action = torch.tensor(self.search(state), device=state.device)
        return self.low + action * state
""",
    "an index that is added to the input too": TORCH
    + """
class Shuffle(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.order = torch.arange(size - 1, -1, -1)  # CKP102
        self.layer = nn.Linear(size, size)

    def forward(self, x):
        return self.layer(x[:, self.order] + self.order)
""",
    "kernel": TORCH
    + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = torch.ones(1, 1, 3)  # CKP102

    def forward(self, x):
        return nn.functional.conv1d(x, self.kernel)
""",
    "helper of the same file": TORCH
    + """
def neighbours(size):
    kernel = torch.zeros(size * size, 1, size, size)
    for i in range(size * size):
        kernel[i, 0, i // size, i % size] = 1.0
    return kernel

class Suppression(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.kernel = neighbours(size)  # CKP102

    def forward(self, x):
        return nn.functional.conv2d(x, self.kernel)
""",
    "helper of another file through a re-export": {
        "filters/__init__.py": "from .kernels import gaussian\n",
        "filters/kernels.py": """
import torch

def gaussian(size: int, sigma: float):
    x = torch.arange(size) - size // 2
    weights = torch.exp(-x.pow(2.0) / (2 * sigma**2))
    return weights / weights.sum()
""",
        "losses/ssim.py": """
from torch import nn
from filters import gaussian

class Ssim(nn.Module):
    def __init__(self, size: int):
        super().__init__()
        self.window = gaussian(size, 1.5)  # CKP102

    def forward(self, x, y):
        return (self.window * (x - y)).mean()
""",
    },
    "static method": TORCH
    + """
class Positions(nn.Module):
    def __init__(self, length, size):
        super().__init__()
        self.weights = Positions.sinusoids(length, size)  # CKP102

    @staticmethod
    def sinusoids(length, size):
        angle = torch.arange(length)[:, None] / 10000 ** torch.linspace(0, 1, size // 2)
        return torch.cat([angle.sin(), angle.cos()], dim=-1)

    def forward(self, x):
        return x + self.weights[: x.shape[1]]
""",
    "one of three branches each": TORCH
    + """
class Descriptor(nn.Module):
    def __init__(self, size, kind):
        super().__init__()
        if kind == "gauss":
            self.weighting = torch.hann_window(size)  # CKP102
        elif kind == "flat":
            self.weighting = torch.ones(size)
        else:
            self.weighting = torch.eye(size)

    def forward(self, x):
        return x * self.weighting
""",
    "filled by slices in a local": TORCH
    + """
class Pyramid(nn.Module):
    def __init__(self, levels):
        super().__init__()
        masks = torch.zeros(levels, 1, 5, 5)
        for i in range(levels):
            masks[i, 0, :, :] = i
        self.masks = masks  # CKP102

    def forward(self, x):
        return nn.functional.conv2d(x, self.masks)
""",
    "tensor of the caller with a tensor default": TORCH
    + """
class Invert(nn.Module):
    def __init__(self, largest: torch.Tensor = torch.tensor(1.0)):
        super().__init__()
        self.largest = largest  # CKP102

    def forward(self, x):
        return self.largest - x
""",
    "list rebound to a tensor": TORCH
    + """
class Loss(nn.Module):
    def __init__(self, weights: list[float]):
        super().__init__()
        weights = torch.as_tensor(weights).float().unsqueeze(0)
        self.weights = weights / weights.sum()  # CKP102

    def forward(self, x):
        return (x * self.weights).sum()
""",
    "Variable of an old torch": """
import torch
import torch.nn as nn
from torch.autograd import Variable

class Positions(nn.Module):
    def __init__(self, length, size):
        super(Positions, self).__init__()
        table = torch.zeros(length, size)
        self.table = Variable(table, requires_grad=False)  # CKP102

    def forward(self, x):
        return x + self.table
""",
    "array turned into a tensor": """
import numpy as np
import torch
from torch import nn

class Mel(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.bank = torch.from_numpy(np.linspace(0.0, 1.0, bands)).float()  # CKP102

    def forward(self, x):
        return x @ self.bank
""",
    "moved in one method and forgotten in another": TORCH
    + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = torch.ones(1, 1, 3)  # CKP102

    def forward(self, x):
        return self.sharpen(nn.functional.conv1d(x, self.kernel.to(x)))

    def sharpen(self, x):
        return nn.functional.conv_transpose1d(x, self.kernel)
""",
    "a local between the constant and the input": TORCH
    + """
class Blur(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.window = torch.hann_window(width)  # CKP102

    def forward(self, x):
        window = self.window[None].sqrt()
        if x.shape[-1] > 8:
            window = window.repeat(2, 1)
        return x * window
""",
    "an index into the constant": TORCH
    + """
class Noise(nn.Module):
    def __init__(self, steps: int):
        super().__init__()
        self.betas = torch.linspace(0.0, 0.02, steps)  # CKP102

    def forward(self, x, t):
        return x * self.betas[t]
""",
    "an input turned another way and a lambda": TORCH
    + """
class Weighted(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = torch.tensor([1.0, 2.0])  # CKP102

    def forward(self, parts):
        return sum(map(lambda part: part * self.weights, parts))
""",
    "cast where it is made": TORCH
    + """
class Mask(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mask = torch.ones(size, size).tril().to(torch.bool)  # CKP102

    def forward(self, x):
        return x.masked_fill(self.mask, 0.0)
""",
    "a program moves the module that holds it": {
        "blur.py": TORCH
        + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = torch.ones(1, 1, 3)  # CKP102

    def forward(self, x):
        return nn.functional.conv1d(x, self.kernel)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blur = Blur()

    def forward(self, x):
        return self.blur(x)
""",
        "train.py": """
import sys
from blur import Net

def main(device):
    net = Net().to(device)
    return net

if __name__ == "__main__":
    main(sys.argv[1])
""",
        "show.py": "from blur import Net\n\nfor each in range(3):\n    print(Net())\n",
    },
    "dropped by a method that frees memory": TORCH
    + """
class Positions(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.table = torch.arange(size)  # CKP102

    def release(self):
        self.is_released = True
        del self.table

    def forward(self, x):
        return x + self.table
""",
}

REGRESSIONS: dict[str, Case] = {
    # register_buffer raises KeyError for a name that is already an attribute.
    "plain first and registered afterwards": TORCH
    + """
class Decoder(nn.Module):
    def __init__(self, length):
        super().__init__()
        self.mask = torch.ones(length, length).triu(1)  # CKP102
        self.register_buffer("mask", self.mask)

    def forward(self, x):
        return x.masked_fill(self.mask, 0.0)
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_constants(case: Case) -> None:
    check_findings(case)


@cases(REGRESSIONS)
def test_keeps_reporting(case: Case) -> None:
    check_findings(case)
