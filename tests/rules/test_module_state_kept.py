"""Module state that is kept after all, or that nobody has to keep: no rule reports it."""

from __future__ import annotations

import pytest

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

NET = (
    TORCH
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.mean = torch.zeros(3){mark}

    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x

    def forward(self, x):
        return self.layer(x - self.mean)
"""
)
TRAIN = """
def train(path, steps):
    net = torch.load(path, weights_only=False) if path else Net()
    optimizer = torch.optim.Adam(net.parameters())
    for step in range(steps):
        net(torch.ones(3)).sum().backward()
        optimizer.step()
        {save}
"""


def trained(save: str, mark: str = "") -> str:
    """Return a program that trains a module with running state, and saves it in some way."""
    return NET.format(mark=mark) + TRAIN.format(save=save)


SILENT: dict[str, Case] = {
    "always pickled whole": trained("torch.save(net, path)"),
    "pickled whole beside the state of its optimizer": trained(
        'torch.save({"net": net, "optimizer": optimizer.state_dict()}, path)'
    ),
    "pickled in what holds it": trained("torch.save(net, path)")
    .replace("Net()", "Held()")
    .replace(
        "def train",
        "class Held(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.net = Net()\n\ndef train",
    ),
    "set by name in a loop over names": TORCH
    + """
class Species(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.a = torch.randn(n)
        self.b = torch.randn(n)
        for name in ["a", "c", "d", "e", "f", "g", "h", "b"]:
            setattr(self, name, nn.Parameter(torch.randn(n)))

    def forward(self, x):
        return x * self.a + self.b
""",
    "names in a local": TORCH
    + """
class Species(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.a = torch.randn(n)
        names = ("a", "b")
        for name in names:
            setattr(self, name, nn.Parameter(torch.randn(n)))

    def forward(self, x):
        return x * self.a
""",
    "buffers with a suffix in a loop": TORCH
    + """
class Statistics(nn.Module):
    def __init__(self, n):
        super().__init__()
        for kind in ("mean", "var"):
            self.register_buffer(f"running_{kind}", torch.zeros(n))

    def update(self, x):
        self.running_mean = 0.9 * self.running_mean + 0.1 * x
""",
    "a Parameter moved to where it lies": TORCH
    + """
class Graph(nn.Module):
    def __init__(self, n, device):
        super().__init__()
        self.source = nn.Parameter(torch.randn(n).to(device), requires_grad=True).to(device)
        self.target = nn.Parameter(torch.randn(n, device=device)).to(device)

    def forward(self, x):
        return x @ self.source @ self.target
""",
    "a module list that takes more": TORCH
    + """
class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = [nn.Linear(3, 3), nn.Linear(3, 3)]
        self.more = [nn.Linear(3, 3), nn.Linear(3, 3)]
        layers = nn.ModuleList(self.first)
        layers.extend(self.more)
        self.layers = layers

    def forward(self, x):
        for layer in [*self.first, *self.more]:
            x = layer(x)
        return x
""",
    "an attribute that is a module list and takes more": TORCH
    + """
class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = [nn.Linear(3, 3) for _ in range(3)]
        self.layers = nn.ModuleList()
        self.layers.extend(self.blocks)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
    "rows that a loop fills before they are read": TORCH
    + """
class Neighbors(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.codes = nn.Parameter(torch.randn(n, 3))
        self.nearest = torch.zeros(n)
        self.where = torch.zeros(n, 2)

    def search(self, points):
        for i in range(len(points)):
            self.nearest[i] = (self.codes - points[i]).norm(dim=1).min()
        for j, point in enumerate(points):
            self.where[j, :] = point[:2]
        return self.nearest.detach(), self.where
""",
    "a placeholder that a step rebuilds from a saved buffer": TORCH
    + """
class Grid(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("length", torch.zeros(1))
        self.register_buffer("grid", torch.zeros(1), persistent=False)
        self.register_buffer("step", torch.zeros(1), persistent=False)

    def forward(self, x):
        if self.grid.shape[-1] == 1:
            if self.length[0] == 0:
                self.length[0] = x.shape[-1]
            self.grid = torch.linspace(-1, 1, int(self.length[0])).to(self.grid)
            self.step = (2.0 / self.length[0]).view_as(self.step)
        return x * self.step + self.grid
""",
}

EMBEDDER = (
    TORCH
    + """
class Embedder(nn.Module):
    def __init__(self, tables: list[nn.Embedding], size=0):
        super().__init__()
        self.tables = tables{mark}

    def forward(self, x):
        return sum(table(x) for table in self.tables)

class World(nn.Module):
    def __init__(self):
        super().__init__()
        {made}

    def forward(self, x):
        return self.embedder(x)
"""
)


def embedded(made: str, mark: str = "") -> str:
    """Return a module that is handed a list, and the module that does so."""
    return EMBEDDER.format(made=made, mark=mark)


SILENT_LISTS: dict[str, Case] = {
    "handed a module list by name": embedded(
        "self.embedder = Embedder(tables=nn.ModuleList([nn.Embedding(2, 3)]))"
    ),
    "handed a module list by position": embedded(
        "self.embedder = Embedder(nn.ModuleList([nn.Embedding(2, 3)]), 3)"
    ),
    "handed a local module list": embedded(
        "tables = nn.ModuleList([nn.Embedding(2, 3)])\n        self.embedder = Embedder(tables)"
    ),
}

# What looks alike and is lost all the same.
FOUND: dict[str, Case] = {
    "handed a list and a module list": embedded(
        "self.embedder = Embedder(nn.ModuleList([nn.Linear(2, 3)]))\n"
        "        self.other = Embedder([nn.Linear(2, 3)])",
        "  # CKP105",
    ),
    "handed a module for another parameter": embedded(
        "self.embedder = Embedder([nn.Linear(2, 3)], nn.ModuleList([]))", "  # CKP105"
    ),
    "a subclass may be handed something else": embedded(
        "self.embedder = Embedder(nn.ModuleList([nn.Linear(2, 3)]))", "  # CKP105"
    )
    + "\nclass Wide(Embedder):\n    pass\n",
    "nobody is seen to construct it": embedded("self.embedder = None", "  # CKP105"),
    "pickled whole and in parts": trained(
        "torch.save(net, path)\n        torch.save(net.state_dict(), path)", "  # CKP101"
    ),
    "pickled whole and filled from parts": trained(
        'torch.save(net, path)\n        net.load_state_dict(torch.load("best.pt"))', "  # CKP101"
    ),
    "something unknown gives its parts": trained(
        "torch.save(net, path)\n        torch.save(path.state_dict(), path)", "  # CKP101"
    ),
    "another module is pickled whole": trained(
        "torch.save(nn.Linear(2, 2), path)\n        torch.save(net.layer.state_dict(), path)", "  # CKP101"
    ),
    "a name that the loop leaves out": TORCH
    + """
class Species(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.z = torch.randn(n)  # CKP101
        for name in ["a", "b"]:
            setattr(self, name, nn.Parameter(torch.randn(n)))

    def forward(self, x):
        return x * self.a + self.z
""",
    "a row of the caller's choice": TORCH
    + """
class Memory(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.usage = torch.zeros(n)  # CKP101
        self.counts = torch.zeros(n)  # CKP101

    def update(self, rows, n):
        for i in rows:
            self.usage[i] = 1.0
        for i in range(n):
            if rows[i]:
                self.counts[i] = 1.0
        return self.usage + self.counts
""",
    "a list of modules that only looks like the other": TORCH
    + """
class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = [nn.Linear(3, 3) for _ in range(3)]  # CKP105
        names = []
        names.extend(self.blocks)
        self.layers = nn.ModuleList()

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""",
}


@cases({**SILENT, **SILENT_LISTS})
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_looks_alike(case: Case) -> None:
    check_findings(case)


@pytest.mark.parametrize("path", ["tests/net.py", "test_net.py", "pkg/net_test.py", "conftest.py"])
def test_modules_of_tests_are_left_alone(path: str) -> None:
    case = FOUND["a row of the caller's choice"]
    assert isinstance(case, str)
    check_silent({path: case.replace("  # CKP101", "")})
