"""CKP109: running tensors that start as None."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "a hidden state that a method turns round for a part of a file that saves": TORCH
    + """
class Agent(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size
        self.lstm = nn.LSTM(size, size)

    def run(self, x, a, b):
        a = a.transpose(0, 1)
        b = b.transpose(0, 1)
        out, (a, b) = self.lstm(x, (a, b))
        return a.transpose(0, 1), b.transpose(0, 1), out

    def predict(self, x):
        if getattr(self, "first", None) is None:
            self.first = torch.zeros(1, 1, self.size)
            self.second = torch.zeros(1, 1, self.size)
        self.first, self.second, out = self.run(x, self.first.clone(), self.second)
        return out

def save(agent, path):
    torch.save({"agent": agent.state_dict()}, path)

class Other(nn.Module):
    @staticmethod
    def save(agent, path):
        torch.save(agent, path)
""",
    "a hidden state that a method turns round for a part": TORCH
    + """
class Agent(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size
        self.lstm = nn.LSTM(size, size)

    def run(self, x, a, b):
        a = a.transpose(0, 1)
        b = b.transpose(0, 1)
        out, (a, b) = self.lstm(x, (a, b))
        return a.transpose(0, 1), b.transpose(0, 1), out

    def predict(self, x):
        if getattr(self, "first", None) is None:
            self.first = torch.zeros(1, 1, self.size)
            self.second = torch.zeros(1, 1, self.size)
        self.first, self.second, out = self.run(x, self.first.clone(), self.second)
        return out
""",
    "a hidden state that a method runs through a part": TORCH
    + """
class Agent(nn.Module):
    def __init__(self, size, steps):
        super().__init__()
        self.size, self.steps = size, steps
        self.lstm = nn.LSTM(size, size)
        self.head = nn.Linear(size, 2)

    def run(self, seq, a, b):
        out, (a, b) = self.lstm(seq, (a, b))
        return a, b, self.head(out)

    def predict(self, x):
        seen = getattr(self, "seen", None)
        if seen is None:
            self.seen = torch.zeros(1, self.steps, self.size)
            self.first = torch.zeros(1, 1, self.size)
            self.second = torch.zeros(1, 1, self.size)
        self.seen = self.seen.roll(-1, dims=1)
        self.seen[0][-1] = x
        self.first, self.second, action = self.run(self.seen, self.first, self.second)
        return action
""",
    "a hidden state that a cell gives back": TORCH
    + """
class Agent(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.cell = nn.GRUCell(size, size)
        self.carry = None

    def forward(self, x: torch.Tensor):
        if self.carry is None:
            self.carry = torch.zeros_like(x)
        self.carry = self.cell(x, self.carry)
        return self.carry
""",
    "a plan is begun with the one of the step before": TORCH
    + """
class Planner(nn.Module):
    def __init__(self, horizon, size):
        super().__init__()
        self.horizon, self.size = horizon, size
        self.net = nn.Linear(size, size)
        self._prev_mean = None

    def plan(self, x):
        mean = torch.zeros(self.horizon, self.size)
        if self._prev_mean is not None:
            mean[:-1] = self._prev_mean[1:]
        mean = mean + self.net(x)
        self._prev_mean = mean
        return mean[0]
""",
    "never set but as a sum with itself": TORCH
    + """
class Average(nn.Module):
    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.detach()
        return x - self.mean
""",
    "fitted on demand": TORCH
    + """
class Whitening(nn.Module):
    def __init__(self):
        super().__init__()
        self.fitted = False

    def fit(self, data: torch.Tensor):
        self.mean = data.mean(0)
        self.fitted = True

    def forward(self, x):
        if not self.fitted:
            self.fit(x)
        return x - self.mean
""",
    "fitted into a buffer": TORCH
    + """
class Whitening(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("fitted", torch.tensor(False))

    def fit(self, data: torch.Tensor):
        self.mean = data.mean(0)
        self.fitted.fill_(True)

    def forward(self, x):
        if not self.fitted:
            raise RuntimeError("fit it first")
        return x - self.mean
""",
    "a buffer from the start": TORCH
    + """
class Returns(nn.Module):
    def __init__(self, environments, gamma):
        super().__init__()
        self.gamma = gamma
        self.register_buffer("returns", torch.zeros(environments))

    def update(self, reward):
        self.returns = self.returns * self.gamma + reward
        return self.returns
""",
    "a cache made for the shape at hand": TORCH
    + """
class Causal(nn.Module):
    def __init__(self):
        super().__init__()
        self.mask = None

    def forward(self, x):
        if self.mask is None or self.mask.shape[-1] < x.shape[-1]:
            self.mask = torch.ones(x.shape[-1], x.shape[-1], device=x.device).tril()
        return x * self.mask[: x.shape[-1], : x.shape[-1]]
""",
    "an output kept for inspection": TORCH
    + """
class Attention(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.query = nn.Linear(size, size)
        self.weights = None

    def forward(self, x):
        self.weights = (self.query(x) @ x.transpose(1, 2)).softmax(-1)
        return self.weights @ x
""",
    "hidden state of an episode": TORCH
    + """
class Recurrent(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.cell = nn.GRUCell(size, size)
        self.hidden = None

    def reset(self):
        self.hidden = None

    def forward(self, x):
        if self.hidden is None:
            self.hidden = torch.zeros(len(x), 8)
        self.hidden = self.cell(x, self.hidden)
        return self.hidden
""",
    "keys of a generation that starts afresh": TORCH
    + """
class Decoder(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.key = nn.Linear(size, size)
        self.past = None

    def generate(self, x, steps):
        self.past = None
        for _ in range(steps):
            x = self.step(x)
        return x

    def step(self, x):
        key = self.key(x)
        self.past = key if self.past is None else torch.cat([self.past, key])
        return x @ self.past.T
""",
    "its own state dict carries it": TORCH
    + """
class Returns(nn.Module):
    def __init__(self, gamma):
        super().__init__()
        self.gamma = gamma
        self.returns = None

    def update(self, reward):
        if self.returns is None:
            self.returns = torch.zeros_like(reward)
        self.returns = self.returns * self.gamma + reward
        return self.returns

    def get_extra_state(self):
        return {"returns": self.returns}

    def set_extra_state(self, state):
        self.returns = state["returns"]
""",
    "an optional module": TORCH
    + """
class Agent(nn.Module):
    def __init__(self, size, project: bool):
        super().__init__()
        self.projection = None
        if project:
            self.projection = nn.Linear(size, size)

    def forward(self, x):
        return x if self.projection is None else self.projection(x)
""",
    "the class is no module": """
import torch

class Returns:
    def __init__(self, gamma):
        self.gamma = gamma
        self.returns = None

    def update(self, reward):
        if self.returns is None:
            self.returns = torch.zeros_like(reward)
        self.returns = self.returns * self.gamma + reward
        return self.returns
""",
    "a number": TORCH
    + """
class Stopper(nn.Module):
    def __init__(self):
        super().__init__()
        self.best = None

    def update(self, loss):
        value = loss.item()
        self.best = value if self.best is None else min(self.best, value)
        return self.best
""",
    "declared in a base class in another file": {
        "base.py": TORCH
        + """
class Scaler(nn.Module):
    def __init__(self, environments):
        super().__init__()
        self.register_buffer("returns", torch.zeros(environments))
""",
        "model.py": """
from base import Scaler

class Discounted(Scaler):
    def update(self, reward):
        self.returns = self.returns * 0.99 + reward
        return self.returns
""",
    },
}

FOUND: dict[str, Case] = {
    "a blend by a method that no part takes part in": TORCH
    + """
class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.net = nn.Linear(size, size)
        self.center = None  # CKP109

    def blend(self, center, x):
        return 0.9 * center + 0.1 * x.mean(0)

    def forward(self, x: torch.Tensor):
        if self.center is None:
            self.center = torch.zeros_like(x)
        self.center = self.blend(self.center, x)
        return self.net(x - self.center)
""",
    "only one of two branches shows that it is a tensor": TORCH
    + """
class Average(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean = None  # CKP109

    def forward(self, x):
        if self.mean is None:
            self.mean = x
        else:
            self.mean = 0.9 * self.mean + 0.1 * x.detach()
        return x - self.mean
""",
    "fitted by a method that sets a flag": TORCH
    + """
class Whitening(nn.Module):
    def __init__(self):
        super().__init__()
        self.fitted = False
        self.mean: torch.Tensor

    def fit(self, data: torch.Tensor):
        self.mean = data.mean(0)  # CKP109
        self.fitted = True
        return self

    def forward(self, x, include_fit=False):
        if include_fit:
            self.fit(x)
        if not self.fitted:
            raise RuntimeError("fit it first")
        return x - self.mean
""",
    "a discounted return": TORCH
    + """
class Returns(nn.Module):
    def __init__(self, gamma):
        super().__init__()
        self.gamma = gamma
        self.returns = None  # CKP109

    def update(self, reward):
        if self.returns is None:
            self.returns = torch.zeros_like(reward)
        self.returns = self.returns * self.gamma + reward
        return self.returns
""",
    "a moving average in two branches": TORCH
    + """
class Scaler(nn.Module):
    def __init__(self):
        super().__init__()
        self.average = None  # CKP109

    def forward(self, reward: torch.Tensor):
        if self.average is None:
            self.average = reward.clone()
        else:
            self.average = 0.99 * self.average + 0.01 * reward
        return reward / self.average
""",
    "an early return instead of else": TORCH
    + """
class Scaler(nn.Module):
    def __init__(self):
        super().__init__()
        self.average = None  # CKP109

    def update(self, loss: torch.Tensor):
        if self.average is None:
            self.average = loss.detach().mean()
            return
        self.average = 0.99 * self.average + 0.01 * loss.detach().mean()

    def forward(self, loss):
        return loss / self.average
""",
    "absent until the first update": TORCH
    + """
class Scaler(nn.Module):
    def __init__(self, momentum: float):
        super().__init__()
        self.momentum = momentum

    def update(self, batch: torch.Tensor):
        if not hasattr(self, "average"):
            self.average = batch.mean(0)  # CKP109
        self.average = self.momentum * self.average + (1 - self.momentum) * batch.mean(0)

    def forward(self, x):
        return x - self.average
""",
    "changed in place": TORCH
    + """
class Scaler(nn.Module):
    def __init__(self):
        super().__init__()
        self.average = None  # CKP109

    def update(self, batch: torch.Tensor):
        if self.average is None:
            self.average = torch.zeros(batch.shape[1:])
        self.average.lerp_(batch.mean(0), 0.1)

    def forward(self, x):
        return x - self.average
""",
    "a normalizer whose base is in another file": {
        "pkg/__init__.py": "from pkg.running import RunningMeanStd\n",
        "pkg/running.py": TORCH
        + """
class RunningMeanStd(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))

    def record(self, batch):
        self.mean.lerp_(batch.mean(0), 0.1)
""",
        "pkg/reward.py": """
import torch
from pkg import RunningMeanStd

class RewardRunningMeanStd(RunningMeanStd):
    def __init__(self, shape, gamma):
        super().__init__(shape)
        self.gamma = gamma
        self.discounted = None  # CKP109

    def record_reward(self, reward: torch.Tensor, done: torch.Tensor):
        if self.discounted is None:
            self.discounted = reward.clone()
        else:
            self.discounted = self.discounted * self.gamma * (1 - done.float()) + reward
        self.record(self.discounted)
""",
    },
    "a method that forgets it stands before the one that sets it": TORCH
    + """
class Norm(nn.Module):
    def forget(self):
        self.mean = None

    def forward(self, x: torch.Tensor):
        if self.mean is None:
            self.mean = x.detach().mean(0)  # CKP109
        self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        return x - self.mean
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_carried_tensors(case: Case) -> None:
    check_findings(case)
