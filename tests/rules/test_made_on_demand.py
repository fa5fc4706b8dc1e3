"""CKP108 for layers and weights that a module makes when it first needs them; CKP105 for those that functions make."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "layers without weights": TORCH
    + """
class Pooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool = None

    def forward(self, x):
        if self.pool is None:
            self.pool = nn.AvgPool1d(x.shape[-1])
        return self.pool(x)
""",
    "the constructor builds it": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layer = None
        self.build(size)

    def build(self, size):
        self.layer = nn.Linear(size, size)

    def forward(self, x):
        if self.layer is None:
            return x
        return self.layer(x)
""",
    "a caller builds it": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = None

    def build(self, size):
        self.layer = nn.Linear(size, size)

    def forward(self, x):
        return x if self.layer is None else self.layer(x)
""",
    "loading builds it first": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = None

    def build(self, size):
        self.layer = nn.Linear(size, size)

    def _load_from_state_dict(self, state, prefix, *args):
        self.build(state[prefix + "layer.weight"].shape[1])
        super()._load_from_state_dict(state, prefix, *args)

    def forward(self, x):
        if self.layer is None:
            self.build(x.shape[-1])
        return self.layer(x)
""",
    "a layer that was handed in": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = None

    def forward(self, x, layer: nn.Linear):
        if self.layer is None:
            self.layer = layer
        return self.layer(x)
""",
    "a list of what a function has stripped of its modules": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.sizes = [nn.utils.parameters_to_vector(nn.Linear(size, size).parameters()).numel() for size in sizes]

    def forward(self, x):
        return x * self.sizes[0]
""",
}

FOUND: dict[str, Case] = {
    "a layer in the forward pass": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = None

    def forward(self, x):
        if self.layer is None:
            self.layer = nn.Linear(x.shape[-1], 3)  # CKP108
        return self.layer(x)
""",
    "a layer in a method that the forward pass calls once": TORCH
    + """
class Stacked(nn.Module):
    def __init__(self):
        super().__init__()
        self.is_built = False

    def _build(self, size):
        self.layer = nn.Linear(size, 3)  # CKP108
        self.is_built = True

    def forward(self, x):
        if not self.is_built:
            self._build(x.shape[-1])
        return self.layer(x)
""",
    "a weight in a method that the forward pass calls once": TORCH
    + """
class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = None

    def _build(self, size):
        self.scale = nn.Parameter(torch.ones(size))  # CKP108

    def forward(self, x):
        if self.scale is None:
            self._build(x.shape[-1])
        return self.scale * x
""",
    "layers that functions of torch give back": TORCH
    + """
from torch.nn.utils import parametrizations
from torch.nn.utils import weight_norm

class Stacked(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.normed = [weight_norm(nn.Linear(size, size)) for size in sizes]  # CKP105
        self.others = [parametrizations.orthogonal(nn.Linear(size, size)) for size in sizes]  # CKP105
        self.bounded = [nn.utils.spectral_norm(nn.Linear(size, size)) for size in sizes]  # CKP105

    def forward(self, x):
        return self.bounded[0](self.others[0](self.normed[0](x)))
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_no_fresh_instance_has(case: Case) -> None:
    check_findings(case)
