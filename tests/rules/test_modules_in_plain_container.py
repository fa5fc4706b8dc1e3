"""CKP105: modules in Python containers."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "handed in and asked for one": TORCH
    + """
class Model(nn.Module):
    def __init__(self, encoders):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.encoders = encoders

    def forward(self, x, name):
        return self.layer(self.encoders[name].encode(x))
""",
    "a sequence takes the elements one by one": TORCH
    + """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layers = [nn.Linear(size, size), nn.Linear(size, 2)]
        self.fc = nn.Sequential(self.layers[0], nn.ReLU(), self.layers[1])

    def forward(self, x):
        return self.fc(x)
""",
    "losses of classes that register nothing": TORCH
    + """
class Discounted(nn.Module):
    def __init__(self, gamma=0.99, distance=torch.abs, mode="one"):
        super().__init__()
        self.gamma = torch.tensor(gamma)
        self.distance = distance
        self.mode = mode

    def forward(self, value, target):
        return self.distance(value - self.gamma.to(value) * target).mean()

class OneStep(Discounted):
    def __init__(self, gamma=0.99):
        super().__init__(gamma=gamma, mode="many")

class Learner(nn.Module):
    def __init__(self, count):
        super().__init__()
        self.losses = []
        for _ in range(count):
            self.losses.append(OneStep())

    def forward(self, value, target):
        return sum(loss(value, target) for loss in self.losses)
""",
    "a class around a class that only pools": TORCH
    + """
class smooth(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.pool = nn.AvgPool1d(width, stride=1)

    def forward(self, x):
        return self.pool(x)

class split(nn.Module):
    def __init__(self, width, rate):
        super().__init__()
        self.rate = rate
        self.smooth = smooth(width)

    def forward(self, x):
        return x - self.smooth(x)

class Mixed(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.parts = [split(width, 0.5) for width in widths]

    def forward(self, x):
        return sum(part(x) for part in self.parts)
""",
    "those that are modules go into a list of their own": TORCH
    + """
class Chain(nn.Module):
    def __init__(self, *steps):
        super().__init__()
        kept = []
        for step in steps:
            kept.append(step if step is not None else nn.Linear(2, 2))
        self.steps = kept
        self.layers = nn.ModuleList(filter(lambda each: isinstance(each, nn.Module), kept))

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x
""",
    "layers of another module whose weights are looked at": TORCH
    + """
class Fused(nn.Module):
    def __init__(self, leaves: list[nn.Linear]):
        super().__init__()
        self.leaves = leaves
        self.gain = nn.Linear(2, 2)

    def forward(self, x):
        return self.gain(x) @ torch.cat([leaf.weight for leaf in self.leaves])
""",
    "layers handed in that are only looked at": TORCH
    + """
class Plan(nn.Module):
    def __init__(self, layers, size):
        super().__init__()
        self.layers = list(layers)
        self.project = nn.Linear(size, size)

    def forward(self, x):
        for layer in self.layers:
            x = x * layer.scale
        return self.project(x)
""",
    "texts handed in under the name of models": """
from torch import nn

class Ensemble(nn.Module):
    def __init__(self, models):
        super().__init__()
        self.models = models
        self.head = nn.Linear(2, 2)

    def forward(self, x):
        for model in self.models:
            print(model.upper(), model.split("/"))
        return self.head(x)
""",
    "a helper puts each module into the model": TORCH
    + """
def set_module_by_path(root, path, module):
    *parents, last = path.split(".")
    for name in parents:
        root = getattr(root, name)
    setattr(root, last, module)

class Wrapped(nn.Module):
    def __init__(self, net: nn.Module, paths):
        super().__init__()
        self.net = net
        self.wrappers = {}
        for path in paths:
            wrapper = nn.Linear(2, 2)
            set_module_by_path(net, path, wrapper)
            self.wrappers[path] = wrapper

    def forward(self, x):
        return self.net(x)
""",
    "a class of the project that only pools": TORCH
    + """
class MovingAverage(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.width = width
        self.pool = nn.AvgPool1d(width, stride=1)

    def forward(self, x):
        return self.pool(x.repeat(1, 1, self.width))

class Scales(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.averages = [MovingAverage(width) for width in widths]

    def forward(self, x):
        return [average(x) for average in self.averages]
""",
    "a Sequential takes the elements from a second list": TORCH
    + """
class Encoder(nn.Module):
    def __init__(self, sizes, activation):
        super().__init__()
        layers = [nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])]
        sequence = list()
        for layer, size in zip(layers, sizes):
            sequence.append(layer)
            sequence.append(activation())
        self.net = nn.Sequential(*sequence)
        self.layers = layers

    def forward(self, x):
        return [layer(x) for layer in self.layers]
""",
    "one loop fills the list and what a Sequential takes": TORCH
    + """
class Encoder(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layers = []
        sequence = []
        for _ in range(3):
            layer = nn.Linear(size, size)
            self.layers.append(layer)
            sequence.append(layer)
        self.net = nn.Sequential(*sequence)

    def forward(self, x):
        return [layer(x) for layer in self.layers]
""",
    "a ModuleList": TORCH
    + """
class Heads(nn.Module):
    def __init__(self, tasks, size):
        super().__init__()
        self.heads = nn.ModuleList([nn.Linear(size, 1) for _ in range(tasks)])

    def forward(self, x):
        return [head(x) for head in self.heads]
""",
    "a ModuleDict filled by subscript": TORCH
    + """
class Heads(nn.Module):
    def __init__(self, tasks: list[str], size: int):
        super().__init__()
        self.heads = nn.ModuleDict()
        for task in tasks:
            self.heads[task] = nn.Linear(size, 1)

    def forward(self, x, task):
        return self.heads[task](x)
""",
    "add_module with a computed name in the loop": TORCH
    + """
class Encoder(nn.Module):
    def __init__(self, blocks, size):
        super().__init__()
        self._blocks = []
        for i in range(blocks):
            block = nn.Linear(size, size)
            self.add_module(f"block_{i}", block)
            self._blocks.append(block)

    def forward(self, x):
        for block in self._blocks:
            x = block(x)
        return x
""",
    "add_module in a second loop": TORCH
    + """
class Encoder(nn.Module):
    def __init__(self, blocks, size):
        super().__init__()
        self.blocks = [nn.Linear(size, size) for _ in range(blocks)]
        for i, block in enumerate(self.blocks):
            self.add_module("block_" + str(i), block)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
    "setattr with a computed name in the loop": TORCH
    + """
class Pyramid(nn.Module):
    def __init__(self, levels, size):
        super().__init__()
        self.stages = []
        for i in range(levels):
            stage = nn.Linear(size, size)
            setattr(self, "stage%d" % i, stage)
            self.stages.append(stage)

    def forward(self, x):
        return [stage(x) for stage in self.stages]
""",
    "the same modules in a Sequential": TORCH
    + """
class Mlp(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layers = [nn.Linear(size, size), nn.ReLU(), nn.Linear(size, 1)]
        self.net = nn.Sequential(*self.layers)

    def forward(self, x):
        return self.net(x)
""",
    "the same modules in a ModuleList": TORCH
    + """
class Mlp(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layers = []
        for _ in range(3):
            self.layers.append(nn.Linear(size, size))
        self.registered = nn.ModuleList(self.layers)

    def forward(self, x):
        return [layer(x) for layer in self.layers]
""",
    "list rebound to a ModuleList under its own name": TORCH
    + """
class Mlp(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layers = []
        for _ in range(3):
            self.layers.append(nn.Linear(size, size))
        self.layers = nn.ModuleList(self.layers)

    def forward(self, x):
        return [layer(x) for layer in self.layers]
""",
    "layers that are attributes already": TORCH
    + """
class Agent(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.actor = nn.Linear(size, 2)
        self.critic = nn.Linear(size, 1)
        self.parts = [self.actor, self.critic]
        self.by_name = {"actor": self.actor, "critic": self.critic}

    def forward(self, x):
        return [part(x) for part in self.parts]
""",
    "one module hidden from its second owner": TORCH
    + """
class SharedLayer(nn.Module):
    def __init__(self, shared: nn.Linear):
        super().__init__()
        # in a list, so that the layer of the parent is not registered twice
        self.shared = [shared]

    def forward(self, x):
        return self.shared[0](x)
""",
    "hidden by object setattr": TORCH
    + """
class Student(nn.Module):
    def __init__(self, teacher: nn.Module, size: int):
        super().__init__()
        object.__setattr__(self, "teachers", [teacher, nn.Linear(size, size)])
        self.layer = nn.Linear(size, size)

    def forward(self, x):
        return self.layer(x) - self.teachers[0](x)
""",
    "the class is no module": """
from torch import nn

class Search:
    def __init__(self, models: list[nn.Module]):
        self.models = models
        self.extra = [nn.Linear(2, 2), nn.Linear(2, 2)]
""",
    "the branch leaves it empty": TORCH
    + """
class Encoder(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        if sizes:
            self.tables = nn.ModuleList([nn.Embedding(10, size) for size in sizes])
        else:
            self.tables = []

    def forward(self, x):
        return [table(x) for table in self.tables]
""",
    "classes and functions and names": TORCH
    + """
class Mlp(nn.Module):
    def __init__(self, size, names: list[str]):
        super().__init__()
        self.kinds = [nn.Linear, nn.Conv1d]
        self.calls = {"relu": nn.functional.relu, "tanh": torch.tanh}
        self.names = [name.lower() for name in names]
        self.layer = self.kinds[0](size, size)

    def forward(self, x):
        return self.calls["relu"](self.layer(x))
""",
    "layers are registered on the owner by what the list holds": TORCH
    + """
class Target:
    def __init__(self, owner: nn.Module, name: str, size: int):
        self.decoder = nn.Linear(size, size)
        owner.add_module(f"{name}_decoder", self.decoder)

class Model(nn.Module):
    def __init__(self, names: list[str], size: int):
        super().__init__()
        self.targets = {}
        for name in names:
            self.targets[name] = Target(self, name, size)

    def forward(self, x):
        return [target.decoder(x) for target in self.targets.values()]
""",
    "a local list": TORCH
    + """
class Mlp(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        layers = []
        for a, b in zip(sizes, sizes[1:]):
            layers += [nn.Linear(a, b), nn.ReLU()]
        self.net = nn.Sequential(*layers)

    def forward(self, x):
        return self.net(x)
""",
    "activations that hold nothing": TORCH
    + """
class Mlp(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layer = nn.Linear(size, size)
        self.activations = {"relu": nn.ReLU(), "tanh": nn.Tanh()}

    def forward(self, x, name):
        return self.activations[name](self.layer(x))
""",
}

FOUND: dict[str, Case] = {
    "a sequence takes one of the elements": TORCH
    + """
class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layers = [nn.Linear(size, size), nn.Linear(size, 2)]  # CKP105
        self.fc = nn.Sequential(self.layers[0], nn.ReLU())

    def forward(self, x):
        return self.layers[1](self.fc(x))
""",
    "modules of a base that computes nothing itself": TORCH
    + """
class Pool(nn.Module):
    pass

class Several(nn.Module):
    def __init__(self, pools: list[Pool]):
        super().__init__()
        self.pools = [pool.train() for pool in pools]  # CKP105

    def forward(self, x):
        return torch.cat([pool(x) for pool in self.pools])
""",
    "modules of a base of which one has weights": TORCH
    + """
class Pool(nn.Module):
    def forward(self, x):
        return x.mean(1)

class Gated(Pool):
    def __init__(self, size):
        super().__init__()
        self.gate = nn.Linear(size, 1)

    def forward(self, x):
        return (x * self.gate(x)).mean(1)

class Several(nn.Module):
    def __init__(self, pools: list[Pool]):
        super().__init__()
        self.pools = [pool.train() for pool in pools]  # CKP105

    def forward(self, x):
        return torch.cat([pool(x) for pool in self.pools])
""",
    "a Sequential takes the elements of another list": TORCH
    + """
class Encoder(nn.Module):
    def __init__(self, size):
        super().__init__()
        layers = [nn.Linear(size, size), nn.Linear(size, size)]
        heads = [nn.Linear(size, 1), nn.Linear(size, 1)]
        sequence = []
        for layer in layers:
            sequence.append(layer)
        self.net = nn.Sequential(*sequence)
        self.heads = heads  # CKP105

    def forward(self, x):
        return [head(self.net(x)) for head in self.heads]
""",
    "a class of the project that drops out while it trains": TORCH
    + """
class Noise(nn.Module):
    def __init__(self, rate):
        super().__init__()
        self.drop = nn.Dropout(rate)

    def forward(self, x):
        return self.drop(x)

class Noises(nn.Module):
    def __init__(self, rates):
        super().__init__()
        self.noises = [Noise(rate) for rate in rates]  # CKP105

    def forward(self, x):
        return [noise(x) for noise in self.noises]
""",
    "a class of the project that asks whether it trains": TORCH
    + """
class Noise(nn.Module):
    def forward(self, x):
        return x + torch.rand_like(x) if self.training else x

class Noises(nn.Module):
    def __init__(self, count):
        super().__init__()
        self.noises = [Noise() for _ in range(count)]  # CKP105

    def forward(self, x):
        return [noise(x) for noise in self.noises]
""",
    "a class of the project around a module that is handed in": TORCH
    + """
class Residual(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return x + self.inner(x)

class Chain(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.parts = [Residual(nn.Linear(size, size)) for _ in range(3)]  # CKP105

    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return x
""",
    "models handed in that go through a method of their own": """
from torch import nn

class Ensemble(nn.Module):
    def __init__(self, encoders):
        super().__init__()
        self.encoders = encoders  # CKP105

    def forward(self, x):
        for encoder in self.encoders:
            x = encoder.encode(x)
        return x
""",
    "numbers set under computed names beside a list of modules": """
from names import NAMES
from torch import nn

class Stack(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = [nn.Linear(size, size) for size in sizes]  # CKP105
        for name in NAMES:
            setattr(self, name, 3)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
""",
    "comprehension": TORCH
    + """
class Heads(nn.Module):
    def __init__(self, tasks, size):
        super().__init__()
        self.heads = [nn.Linear(size, 1) for _ in range(tasks)]  # CKP105

    def forward(self, x):
        return [head(x) for head in self.heads]
""",
    "append in a loop": TORCH
    + """
class Heads(nn.Module):
    def __init__(self, tasks, size):
        super().__init__()
        self.heads = []  # CKP105
        for _ in range(tasks):
            self.heads.append(nn.Linear(size, 1))

    def forward(self, x):
        return [head(x) for head in self.heads]
""",
    "dict filled by subscript": TORCH
    + """
class Descriptor(nn.Module):
    def __init__(self, kinds: list[str]):
        super().__init__()
        self.features = {}  # CKP105
        for kind in kinds:
            self.features[kind] = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))

    def forward(self, x, kind):
        return self.features[kind](x)
""",
    "list multiplied": TORCH
    + """
class Shared(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layers = [nn.Linear(size, size)] * 3  # CKP105

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
""",
    "tuple set before the base constructor": TORCH
    + """
class Twin(nn.Module):
    def __init__(self, size):
        self.critics = (nn.Linear(size, 1), nn.Linear(size, 1))  # CKP105
        super().__init__()

    def forward(self, x):
        return torch.min(*(critic(x) for critic in self.critics))
""",
    "a loss with weights among its bases": TORCH
    + """
class Weighted(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.gain = nn.Linear(size, size)

    def forward(self, x):
        return self.gain(x)

class Squared(Weighted):
    def __init__(self, size):
        super().__init__(size)

class Learner(nn.Module):
    def __init__(self, count):
        super().__init__()
        self.losses = [Squared(2) for _ in range(count)]  # CKP105

    def forward(self, x):
        return sum(loss(x) for loss in self.losses)
""",
    "a class that calls a network which it was given": TORCH
    + """
class Around(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.size = torch.zeros(2)
        self.net = net

    def grow(self):
        self.size = self.size + 1

    def reset(self):
        self.size = torch.zeros(2)

    def forward(self, x):
        return self.net(x) * self.size.to(x)

class Learner(nn.Module):
    def __init__(self, nets):
        super().__init__()
        self.parts = [Around(net) for net in nets]  # CKP105

    def forward(self, x):
        return sum(part(x) for part in self.parts)
""",
    "models handed in": """
from typing import List
from torch import nn

class Ensemble(nn.Module):
    def __init__(self, models: List[nn.Module]):
        super().__init__()
        self.models = models  # CKP105

    def forward(self, x):
        return sum(model(x) for model in self.models) / len(self.models)
""",
    "built in a method that the constructor calls": TORCH
    + """
class Bridge(nn.Module):
    def __init__(self, layers, size):
        super().__init__()
        self._build(layers, size)

    def _build(self, layers, size):
        self.bridge = [nn.Linear(size, size) for _ in range(layers)]  # CKP105

    def forward(self, states):
        return [layer(state) for layer, state in zip(self.bridge, states)]
""",
    "modules and base of other files": {
        "nets/__init__.py": "from .layers import Block\nfrom .base import Network\n",
        "nets/base.py": "from torch import nn\n\nclass Network(nn.Module):\n    pass\n",
        "nets/layers.py": """
from torch import nn

class Block(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layer = nn.Linear(size, size)
""",
        "tower.py": """
import nets

class Tower(nets.Network):
    def __init__(self, blocks, size):
        super().__init__()
        self.blocks = [nets.Block(size) for _ in range(blocks)]  # CKP105

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
    },
    "helper of the same file": TORCH
    + """
def mlp(size):
    return nn.Sequential(nn.Linear(size, size), nn.ReLU(), nn.Linear(size, 1))

class Ensemble(nn.Module):
    def __init__(self, members, size):
        super().__init__()
        self.members = [mlp(size) for _ in range(members)]  # CKP105

    def forward(self, x):
        return torch.stack([member(x) for member in self.members])
""",
    "local list that is kept": TORCH
    + """
class Mlp(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        layers = []
        for a, b in zip(sizes, sizes[1:]):
            layers.append(nn.Linear(a, b))
        self.layers = layers  # CKP105

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
""",
    "a buffer beside the list registers no element": TORCH
    + """
class Experts(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("scale", torch.ones(size))
        self.parts = [nn.Linear(size, size) for _ in range(3)]  # CKP105

    def forward(self, x):
        return sum(part(x) for part in self.parts) * self.scale
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_hidden_modules(case: Case) -> None:
    check_findings(case)
