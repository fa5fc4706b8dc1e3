"""CKP104 and CKP105: what a plain container holds, by whatever way it gets in, and what else registers it."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "the elements are also put into a module dict one by one": TORCH
    + """
class Mapped(nn.Module):
    def __init__(self, sizes: dict):
        super().__init__()
        self.by_number = {number: nn.Linear(size, size) for number, size in sizes.items()}
        self.by_name = nn.ModuleDict({str(number): layer for number, layer in self.by_number.items()})

    def forward(self, number, x):
        return self.by_number[number](x)
""",
    "a hook fills it that only a lambda calls": TORCH
    + """
class Watched(nn.Module):
    def __init__(self, layers: int, model: nn.Module) -> None:
        super().__init__()
        self.seen = [None for _ in range(layers)]
        for index in range(layers):
            model.register_forward_hook(lambda host, given, index=index: self.note(given, index))

    def note(self, given: tuple[torch.Tensor], index: int) -> None:
        self.seen[index] = given
""",
    "pairs that were handed in": TORCH
    + """
class Hooks(nn.Module):
    def __init__(self, hooks: list[tuple[str, nn.Module]]):
        super().__init__()
        self.hooks = hooks

    def forward(self, x):
        for name, hook in self.hooks:
            hook.remove()
        return x
""",
    "the elements are registered under computed names": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = [nn.Linear(size, size) for size in sizes]
        for index, layer in enumerate(self.layers):
            self.add_module(f"layer_{index}", layer)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
""",
    "tensors that are buffers under computed names": TORCH
    + """
class Tables(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.tables = [torch.arange(size) for size in sizes]
        for index in range(len(sizes)):
            self.register_buffer(f"table_{index}", self.tables[index])

    def forward(self, x):
        return x[self.tables[0]]
""",
    "layers without weights are made when they are first needed": TORCH
    + """
class Joined(nn.Module):
    def __init__(self):
        super().__init__()
        self.pools = []

    def forward(self, x):
        self.pools.append(nn.MaxPool2d(2))
        return self.pools[-1](x)
""",
    "modules of one call": TORCH
    + """
class Joined(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = []

    def forward(self, x):
        self.parts = []
        self.parts.append(nn.Linear(3, 3))
        return self.parts[-1](x)
""",
    "modules that are handed in later": TORCH
    + """
class Watcher(nn.Module):
    def __init__(self):
        super().__init__()
        self.watched = []

    def watch(self, model: nn.Module):
        self.watched.append(model)
""",
    "messages that calls put into a dict of pairs": TORCH
    + """
class Store(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.letters = {index: (torch.zeros(1), torch.zeros(1)) for index in range(size)}

    def forward(self, index, x):
        self.letters[index] = (x, x)
        return x
""",
    "one element is a name": TORCH
    + """
class Store(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.rows = [("left", torch.zeros(size))]
        self.rows += [("right", torch.zeros(size))]

    def forward(self, x):
        return x + self.rows[0][1]
""",
    "the list is a module list in every branch": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, sizes, is_empty):
        super().__init__()
        if is_empty:
            self.layers = nn.ModuleList()
        else:
            self.layers = nn.ModuleList([nn.Linear(size, size) for size in sizes])
        self.count = len(self.layers)

    def forward(self, x):
        return x
""",
    "a class that is handed in may be anything": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, make, sizes):
        super().__init__()
        self.steps = [make(size) for size in sizes]

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x
""",
    "functions that a parameter stands for": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, sizes, make=float):
        super().__init__()
        self.steps = [make(size) for size in sizes]

    def forward(self, x):
        return x * self.steps[0]
""",
    "its own save takes them along": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = [nn.Linear(size, size) for size in sizes]

    def save_checkpoint(self, path):
        torch.save([layer.state_dict() for layer in self.layers], path)

    def load_checkpoint(self, path):
        for layer, state in zip(self.layers, torch.load(path)):
            layer.load_state_dict(state)

    def forward(self, x):
        return self.layers[0](x)
""",
}

FOUND: dict[str, Case] = {
    "a class that a parameter stands for by default": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, sizes, norm=nn.LayerNorm):
        super().__init__()
        self.norms = [norm(size) for size in sizes]  # CKP105

    def forward(self, x):
        return self.norms[0](x)
""",
    "a class with some arguments by default": TORCH
    + """
from functools import partial

class Stacked(nn.Module):
    def __init__(self, sizes, norm=partial(nn.LayerNorm, eps=1e-6)):
        super().__init__()
        self.norms = [norm(size) for size in sizes]  # CKP105

    def forward(self, x):
        return self.norms[0](x)
""",
    "a class that an annotation promises": TORCH
    + """
from typing import Callable, Optional, Type

class Stacked(nn.Module):
    def __init__(self, size, make: Callable[..., nn.Linear], norm: Optional[Type[nn.Module]] = None):
        super().__init__()
        self.layers = [make(size), make(size)]  # CKP105
        self.norms = [norm(size), norm(size)]  # CKP105

    def forward(self, x):
        return self.norms[0](self.layers[0](x))
""",
    "a class that a branch chooses": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, sizes, is_wide):
        super().__init__()
        block = nn.Linear if is_wide else nn.Bilinear
        self.layers = [block(size, size) for size in sizes]  # CKP105

    def forward(self, x):
        return self.layers[0](x)
""",
    "a class out of a table": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, sizes, kind):
        super().__init__()
        layer = {"dense": nn.Linear, "other": nn.LazyLinear}[kind]
        self.layers = [layer(size, size) for size in sizes]  # CKP105

    def forward(self, x):
        return self.layers[0](x)
""",
    "a class that a function gives": {
        "norms.py": "from torch import nn\ndef norm_of(kind):\n    return nn.LayerNorm if kind else nn.BatchNorm1d\n",
        "stacked.py": """
from norms import norm_of
from torch import nn

class Stacked(nn.Module):
    def __init__(self, sizes, kind):
        super().__init__()
        norm = norm_of(kind)
        self.norms = [norm(size) for size in sizes]  # CKP105

    def forward(self, x):
        return self.norms[0](x)
""",
    },
    "a helper that is handed the class": {
        "makers.py": "from torch import nn\ndef made(block, size):\n    return block(size)\n",
        "stacked.py": """
from makers import made
from torch import nn

class Stacked(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.norms = [made(nn.LayerNorm, size) for size in sizes]  # CKP105

    def forward(self, x):
        return self.norms[0](x)
""",
    },
    "a class under another name, of another file": {
        "layers.py": """
from functools import partial
from torch import nn

class Dense(nn.Linear):
    pass

Full = Dense
Plain = partial(nn.Linear, bias=False)
""",
        "stacked.py": """
from layers import Full
from layers import Plain
from torch import nn

class Stacked(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = [Full(size, size) for size in sizes]  # CKP105
        self.others = [Plain(size, size) for size in sizes]  # CKP105

    def forward(self, x):
        return self.others[0](self.layers[0](x))
""",
    },
    "lists of lists": TORCH
    + """
class Grid(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.cells = [[nn.Linear(size, size) for _ in range(2)] for _ in range(2)]  # CKP105
        self.tables = {"left": (torch.zeros(size), torch.ones(size)), "right": None}  # CKP104

    def forward(self, x):
        return self.cells[0][1](x) + self.tables["left"][0]
""",
    "modules are made when they are first needed": TORCH
    + """
class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.heads = {}  # CKP105

    def add_task(self, name, size):
        self.heads[name] = nn.Linear(size, size)

    def forward(self, name, x):
        return self.heads[name](x)
""",
    "a later method prunes what is a module list from then on": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = [nn.Linear(size, size) for size in sizes]  # CKP105

    def reset(self):
        self.layers = nn.ModuleList()

    def forward(self, x):
        return self.layers[0](x)
""",
    "a later method shortens it": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = [nn.Linear(size, size) for size in sizes]  # CKP105

    def prune(self, count):
        self.layers = self.layers[:count]

    def forward(self, x):
        return self.layers[0](x)
""",
    "one layer where there is one, else a list": TORCH
    + """
class Heads(nn.Module):
    def __init__(self, sizes, is_discrete, is_multiple):
        super().__init__()
        if is_discrete:
            self.head = nn.Linear(3, 3)
        if is_multiple:
            self.head = [nn.Linear(3, size) for size in sizes]  # CKP105

    def forward(self, x):
        return self.head[0](x)
""",
    "parameters have computed names, not the layers": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = []  # CKP105
        for index, size in enumerate(sizes):
            setattr(self, f"weight_{index}", nn.Parameter(torch.zeros(size)))
            self.layers.append(nn.Linear(size, size))

    def forward(self, x):
        return self.layers[0](x)
""",
    "gradient checkpointing saves nothing": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = [nn.Linear(size, size) for size in sizes]  # CKP105

    def set_grad_checkpointing(self, is_on=True):
        for layer in self.layers:
            layer.grad_checkpointing = is_on

    def forward(self, x):
        return self.layers[0](x)
""",
    "handed in, and called beside others": TORCH
    + """
class Net(nn.Module):
    def __init__(self, encoders, decoders):
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        self.decoders = list(decoders)  # CKP105

    def forward(self, x):
        for index, (encoder, decoder) in enumerate(zip(self.encoders, self.decoders)):
            x = decoder(encoder(x))
        return x
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_lost_elements(case: Case) -> None:
    check_findings(case)
