"""CKP106: numpy state on a module."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

NUMPY = "import numpy as np\nimport torch\nfrom torch import nn\n"

SILENT: dict[str, Case] = {
    "a new epoch begins by the method that construction runs": """
import numpy as np
from torch import nn

class Prior(nn.Module):
    def __init__(self, count, size):
        super().__init__()
        self.count = count
        self.net = nn.Linear(size, size)
        self.start_over()

    def start_over(self):
        self.left = np.arange(self.count)

    def take(self, index):
        self.left = self.left[np.where(self.left != index)[0]]
        if self.left.shape[0] == 0:
            self.start_over()

    def forward(self, x):
        self.take(self.left[0])
        return self.net(x)
""",
    "nothing changes it": NUMPY
    + """
class Grid(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.points = np.linspace(0.0, 1.0, size)

    def forward(self, x):
        return x * float(self.points[0])
""",
    "the class is no module": NUMPY
    + """
class RunningMean:
    def __init__(self, size):
        self.mean = np.zeros(size)

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)
""",
    "turned into a buffer": NUMPY
    + """
class Scaler(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("scale", torch.from_numpy(np.ones(size)))

    def update(self, batch):
        self.scale = torch.as_tensor(np.abs(batch.numpy()).max(0))
""",
    "extra state carries it": NUMPY
    + """
class Scaler(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scale = np.ones(size)

    def update(self, batch):
        self.scale = np.maximum(self.scale, np.abs(batch).max(0))

    def get_extra_state(self):
        return torch.from_numpy(self.scale)

    def set_extra_state(self, state):
        self.scale = state.numpy()
""",
    "a cache that the load hook makes again": NUMPY
    + """
class Usage(nn.Module):
    def __init__(self):
        super().__init__()
        self.counts = {}
        self.table = np.zeros(4)

    def update(self, code):
        self.counts[code] = self.counts.get(code, 0) + 1
        self.table[code] += 1

    def make_table(self):
        self.table = np.zeros(4)
        for code, count in self.counts.items():
            self.table[code] = count

    def forward(self, x):
        return x * float(self.table[0])

    def get_extra_state(self):
        return dict(self.counts)

    def set_extra_state(self, state):
        self.counts = dict(state)
        self.make_table()
""",
    "its own state dict carries it": NUMPY
    + """
class Scaler(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.scale = np.ones(size)

    def update(self, batch):
        self.scale = np.maximum(self.scale, np.abs(batch).max(0))

    def state_dict(self, *args, **kwargs):
        return {**super().state_dict(*args, **kwargs), "scale": self.scale.tolist()}

    def load_state_dict(self, state, strict=True):
        self.scale = np.array(state.pop("scale"))
        super().load_state_dict(state, strict)
""",
    "an output of each call": NUMPY
    + """
class Probe(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layer = nn.Linear(size, size)
        self.last = np.zeros(size)

    def forward(self, x):
        y = self.layer(x)
        self.last = y.detach().cpu().numpy()
        return y
""",
    "scratch of an episode": NUMPY
    + """
class Recurrent(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.trace = np.zeros(size)

    def reset(self):
        self.trace = np.zeros(8)

    def forward(self, x):
        self.trace = 0.9 * self.trace + x.numpy()
        return torch.from_numpy(self.trace)
""",
    "a Python number": NUMPY
    + """
class Scaler(nn.Module):
    def __init__(self, values):
        super().__init__()
        self.largest = float(np.max(values))

    def update(self, batch):
        self.largest = max(self.largest, float(np.max(batch)))
""",
}

FOUND: dict[str, Case] = {
    "construction sets it up by a method of its own": """
import numpy as np
from torch import nn

class Prior(nn.Module):
    def __init__(self, count, size):
        super().__init__()
        self.count = count
        self.net = nn.Linear(size, size)
        self.set_up()

    def set_up(self):
        self.hits = np.zeros(self.count)  # CKP106

    def forward(self, x, index):
        self.hits[index] += 1
        return self.net(x) * float(self.hits.max())
""",
    "the load hook only clears it": NUMPY
    + """
class Usage(nn.Module):
    def __init__(self):
        super().__init__()
        self.counts = {}
        self.table = np.zeros(4)  # CKP106

    def update(self, code):
        self.table[code] += 1

    def make_table(self):
        self.table = np.zeros(4)

    def forward(self, x):
        return x * float(self.table[0])

    def get_extra_state(self):
        return dict(self.counts)

    def set_extra_state(self, state):
        self.counts = dict(state)
        self.make_table()
""",
    "a base class and its heir both make it": {
        "base.py": "import numpy as np\nfrom torch import nn\n\n\nclass Base(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.total = np.zeros(3)  # CKP106\n",
        "heir.py": """import numpy as np
from base import Base


class Heir(Base):
    def __init__(self):
        super().__init__()
        self.total = np.ones(3)

    def forward(self, x):
        self.total = self.total + x.mean(0).numpy()
        return x
""",
    },
    "moving average": NUMPY
    + """
class Scaler(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.mean = np.zeros(size)  # CKP106

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def forward(self, x):
        return x - torch.from_numpy(self.mean)
""",
    "augmented assignment": """
from numpy import zeros
from torch import nn

class Scaler(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.sum = zeros(size)  # CKP106

    def update(self, batch):
        self.sum += batch.sum(0)

    def forward(self, x):
        return x * self.sum[0]
""",
    "changed through a subscript": """
import numpy
from torch import nn

class Counts(nn.Module):
    def __init__(self, states):
        super().__init__()
        self.visits = numpy.zeros(states, dtype=int)  # CKP106

    def forward(self, x, state):
        self.visits[state] += 1
        return x / self.visits[state]
""",
    "set in a method that the constructor calls": NUMPY
    + """
class Scaler(nn.Module):
    def __init__(self, size):
        super().__init__()
        self._start(size)

    def _start(self, size):
        self.mean = np.full(size, 1.0)  # CKP106

    def update(self, batch):
        self.mean = np.maximum(self.mean, batch.max(0))

    def forward(self, x):
        return x - torch.from_numpy(self.mean)
""",
    "base class and helper in other files": {
        "pkg/__init__.py": "",
        "pkg/layer.py": "from torch import nn\n\nclass Layer(nn.Module):\n    pass\n",
        "pkg/start.py": "import numpy as np\n\ndef identity(size):\n    return np.eye(size)\n",
        "pkg/model.py": """
import torch
from pkg.layer import Layer
from pkg.start import identity

class Whitening(Layer):
    def __init__(self, size):
        super().__init__()
        self.covariance = identity(size)  # CKP106

    def update(self, batch):
        self.covariance = 0.9 * self.covariance + 0.1 * batch.T @ batch

    def forward(self, x):
        return x @ torch.from_numpy(self.covariance)
""",
    },
    "array of the caller": NUMPY
    + """
class Scaler(nn.Module):
    def __init__(self, mean: np.ndarray):
        super().__init__()
        self.mean = mean  # CKP106

    def update(self, batch: np.ndarray):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def forward(self, x):
        return x - torch.from_numpy(self.mean)
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_array_state(case: Case) -> None:
    check_findings(case)
