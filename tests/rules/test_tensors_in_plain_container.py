"""CKP104: tensors and parameters in Python containers."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "constants that the constructor puts on the device": TORCH
    + """
class Net(nn.Module):
    def __init__(self, names):
        super().__init__()
        self.maps = []
        for each in names:
            self.maps.append(torch.tensor(each).cuda())

    def forward(self, x):
        return x[self.maps[0]]
""",
    "one tensor is made of all of it": TORCH
    + """
class Table(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.bounds = []
        for each in sizes:
            self.bounds.append(torch.tensor(each))
        self.bounds = torch.stack(self.bounds)

    def forward(self, x):
        return self.bounds.to(x.device)[x]
""",
    "constants that the constructor alone reads": TORCH
    + """
class Head(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.ratios = [torch.tensor(each) for each in sizes]
        self.register_buffer("anchors", self.anchors_of())

    def anchors_of(self):
        return torch.cat([each.sqrt() for each in self.ratios])

    def forward(self, x):
        return x + self.anchors
""",
    "what is picked from it is moved": """
from operator import itemgetter
import torch
from torch import nn

class Tree(nn.Module):
    def __init__(self, paths, device):
        super().__init__()
        self.device = device
        self.paths = {leaf: torch.tensor(path) for leaf, path in paths.items()}
        self.table = nn.Embedding(9, 3)

    def forward(self, leaves):
        found = itemgetter(*leaves.tolist())(self.paths)
        index = torch.cat(found).to(self.device)
        return self.table(index)
""",
    "Parameters that another module has": TORCH
    + """
from typing import Iterable, Optional

class GradientBalance(nn.Module):
    def __init__(self, shared: Optional[Iterable[nn.Parameter]] = None):
        super().__init__()
        self.shared = list(shared) if shared is not None else []

    def forward(self, loss):
        return torch.autograd.grad(loss, self.shared)
""",
    "what a hook is called with": TORCH
    + """
class Bridge(nn.Module):
    def __init__(self, source: nn.Module, target: nn.Module, size: int):
        super().__init__()
        self.layer = nn.Linear(size, size)
        source.register_forward_hook(lambda host, given, made: self.catch(host, given, made))
        target.register_forward_hook(lambda host, given, made: self.use(host, given, made))

    def catch(self, host, given: tuple[torch.Tensor], made: torch.Tensor):
        self.caught = given

    def use(self, host, given: tuple[torch.Tensor], made: torch.Tensor):
        return made + self.layer(self.caught[0])

    def forward(self, x):
        return x
""",
    "calls append their own": TORCH
    + """
class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = [torch.zeros(2)]

    def forward(self, x):
        self.tokens.append(x)
        return x
""",
    "calls store their own": TORCH
    + """
class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = {"first": torch.zeros(2)}

    def forward(self, x, key):
        self.table[key] = x
        return x
""",
    "each is taken to where it is needed": TORCH
    + """
class Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernels = [torch.ones(1, 1, 3, 3), torch.ones(1, 1, 5, 5)]

    def forward(self, x):
        if len(self.kernels) > 3:
            return x
        for kernel in self.kernels:
            x = nn.functional.conv2d(x, kernel.to(x.device))
        return x
""",
    "a ParameterList": TORCH
    + """
class Prompts(nn.Module):
    def __init__(self, tasks, size):
        super().__init__()
        self.prompts = nn.ParameterList([nn.Parameter(torch.zeros(size)) for _ in range(tasks)])

    def forward(self, x, task):
        return x + self.prompts[task]
""",
    "a list turned into a ParameterList": TORCH
    + """
class Prompts(nn.Module):
    def __init__(self, tasks, size):
        super().__init__()
        prompts = []
        for _ in range(tasks):
            prompts.append(nn.Parameter(torch.zeros(size)))
        self.prompts = nn.ParameterList(prompts)

    def forward(self, x, task):
        return x + self.prompts[task]
""",
    "each is registered as a buffer too": TORCH
    + """
class Grids(nn.Module):
    def __init__(self, levels):
        super().__init__()
        self.grids = []
        for i in range(levels):
            grid = torch.zeros(i + 1)
            self.register_buffer(f"grid_{i}", grid)
            self.grids.append(grid)

    def forward(self, x, level):
        return x + self.grids[level]
""",
    "each is set as a parameter too": TORCH
    + """
class Prompts(nn.Module):
    def __init__(self, tasks, size):
        super().__init__()
        self.prompts = []
        for i in range(tasks):
            prompt = nn.Parameter(torch.zeros(size))
            setattr(self, f"prompt_{i}", prompt)
            self.prompts.append(prompt)

    def forward(self, x, task):
        return x + self.prompts[task]
""",
    "parameters of its own layers": TORCH
    + """
class Agent(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.encoder = nn.Linear(size, size)
        self.trained = list(self.encoder.parameters())
        self.weights = [self.encoder.weight, self.encoder.bias]

    def norm(self):
        return sum(p.square().sum() for p in self.trained + self.weights)
""",
    "numbers": TORCH
    + """
class Anchors(nn.Module):
    def __init__(self, count):
        super().__init__()
        ratios = torch.linspace(0.5, 2.0, count)
        self.ratios = [ratio.item() for ratio in ratios]
        self.shapes = {"ratios": ratios.shape}

    def forward(self, x):
        return x * self.ratios[0]
""",
    "outputs of each call": TORCH
    + """
class Probe(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layer = nn.Linear(size, size)
        self.outputs = {}

    def forward(self, x):
        self.outputs = {"input": x, "hidden": self.layer(x)}
        return self.outputs["hidden"]
""",
    "parameters drawn again by each call": TORCH
    + """
class Jitter(nn.Module):
    def __init__(self):
        super().__init__()
        self._params = {}

    def forward(self, x):
        self._params = {"shift": torch.rand(len(x), 1)}
        return x + self._params["shift"]
""",
    "filled and cleared within a call": TORCH
    + """
class Unet(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.down = nn.ModuleList(nn.Linear(size, size) for _ in range(3))
        self.skips = []

    def forward(self, x):
        self.skips = []
        for layer in self.down:
            x = layer(x)
            self.skips.append(x)
        return sum(self.skips)
""",
    "stacked into one buffer": TORCH
    + """
class Codes(nn.Module):
    def __init__(self, count):
        super().__init__()
        codes = [torch.full((4,), float(i)) for i in range(count)]
        self.register_buffer("codes", torch.stack(codes))

    def forward(self, index):
        return self.codes[index]
""",
    "the class is no module": """
import torch

class ReplayBuffer:
    def __init__(self):
        self.observations = []
        self.zeros = [torch.zeros(3) for _ in range(2)]

    def add(self, observation):
        self.observations.append(torch.as_tensor(observation))
""",
    "a list of options": TORCH
    + """
class Layer(nn.Module):
    def __init__(self, sizes=(1, 2), names: tuple[str, ...] = ()):
        super().__init__()
        self.sizes = list(sizes)
        self.names = dict.fromkeys(names, 0.0)
        self.steps = [size * 2 for size in sizes]

    def forward(self, x):
        return x.view(self.sizes) * self.steps[0]
""",
}

FOUND: dict[str, Case] = {
    "constants that stay where they are made": TORCH
    + """
class Net(nn.Module):
    def __init__(self, names):
        super().__init__()
        self.maps = []  # CKP104
        for each in names:
            self.maps.append(torch.tensor(each))

    def forward(self, x):
        return x[self.maps[0]]
""",
    "one tensor is made of it in one arm alone": TORCH
    + """
class Table(nn.Module):
    def __init__(self, sizes, is_one):
        super().__init__()
        self.bounds = []  # CKP104
        for each in sizes:
            self.bounds.append(torch.tensor(each))
        if is_one:
            self.bounds = torch.stack(self.bounds)

    def forward(self, x):
        return self.bounds[0] + x
""",
    "parameters that the constructor alone reads": TORCH
    + """
class Head(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.scales = [nn.Parameter(torch.tensor(each)) for each in sizes]  # CKP104
        self.optimizer = torch.optim.SGD(self.scales, 0.1)
""",
    "what is picked from it is moved here and not there": """
from operator import itemgetter
import torch
from torch import nn

class Tree(nn.Module):
    def __init__(self, paths, device):
        super().__init__()
        self.device = device
        self.paths = {leaf: torch.tensor(path) for leaf, path in paths.items()}  # CKP104

    def forward(self, x, leaves):
        found = itemgetter(*leaves.tolist())(self.paths)
        moved = torch.cat(found).to(self.device)
        return moved.sum() * x + torch.cat(found)
""",
    "tensors that the constructor is given": TORCH
    + """
class Pyramid(nn.Module):
    def __init__(self, kernels: list[torch.Tensor]):
        super().__init__()
        self.kernels = kernels  # CKP104

    def forward(self, x, level):
        return x * self.kernels[level]
""",
    "comprehension of parameters": TORCH
    + """
class Prompts(nn.Module):
    def __init__(self, tasks, size):
        super().__init__()
        self.prompts = [nn.Parameter(torch.zeros(size)) for _ in range(tasks)]  # CKP104

    def forward(self, x, task):
        return x + self.prompts[task]
""",
    "append in a loop": TORCH
    + """
class Prompts(nn.Module):
    def __init__(self, tasks, size):
        super().__init__()
        self.prompts = []  # CKP104
        for _ in range(tasks):
            self.prompts.append(nn.Parameter(torch.zeros(size)))

    def forward(self, x, task):
        return x + self.prompts[task]
""",
    "local list that is kept": TORCH
    + """
class Grids(nn.Module):
    def __init__(self, levels):
        super().__init__()
        grids = []
        for i in range(levels):
            grids.append(torch.linspace(0.0, 1.0, i + 1))
        self.grids = grids  # CKP104

    def forward(self, x, level):
        return x + self.grids[level]
""",
    "extend": TORCH
    + """
class Prompts(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.prompts = []  # CKP104
        self.prompts.extend([nn.Parameter(torch.zeros(size)), nn.Parameter(torch.ones(size))])

    def forward(self, x, task):
        return x + self.prompts[task]
""",
    "dict filled by subscript": TORCH
    + """
class Prompts(nn.Module):
    def __init__(self, tasks: list[str], size: int):
        super().__init__()
        self.prompts = {}  # CKP104
        for task in tasks:
            self.prompts[task] = nn.Parameter(torch.zeros(size))

    def forward(self, x, task):
        return x + self.prompts[task]
""",
    "dict display": TORCH
    + """
class Loss(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = {"actor": torch.ones(2), "critic": torch.ones(2) / 2}  # CKP104

    def forward(self, losses, part):
        return (losses * self.weights[part]).sum()
""",
    "tuple": TORCH
    + """
class Sobel(nn.Module):
    def __init__(self):
        super().__init__()
        x = torch.tensor([[-1.0, 0.0, 1.0]])
        self.kernels = (x, x.T)  # CKP104

    def forward(self, image):
        return [nn.functional.conv2d(image, kernel[None, None]) for kernel in self.kernels]
""",
    "running statistics of several levels": TORCH
    + """
class Levels(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.means = [torch.zeros(size) for size in sizes]  # CKP104

    def update(self, batches):
        for i, batch in enumerate(batches):
            self.means[i] = 0.9 * self.means[i] + 0.1 * batch.mean(0)

    def forward(self, x, level):
        return x - self.means[level]
""",
    "filled in a method that the constructor calls": TORCH
    + """
class Prompts(nn.Module):
    def __init__(self, tasks, size):
        super().__init__()
        self._build(tasks, size)

    def _build(self, tasks, size):
        self.prompts = [nn.Parameter(torch.zeros(size)) for _ in range(tasks)]  # CKP104

    def forward(self, x, task):
        return x + self.prompts[task]
""",
    "helper in another file": {
        "pkg/__init__.py": "",
        "pkg/start.py": """
import torch

def codes(count, size):
    return [torch.randn(size) for _ in range(count)]
""",
        "pkg/model.py": """
from torch import nn
from .start import codes

class Codebook(nn.Module):
    def __init__(self, count, size):
        super().__init__()
        self.codes = codes(count, size)  # CKP104

    def forward(self, x, index):
        return x + self.codes[index]
""",
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_hidden_tensors(case: Case) -> None:
    check_findings(case)
