"""Training programs to watch: a comment says which loss stands on its line; `MENDED` are changes that save it."""

from __future__ import annotations

import re

MARKER = re.compile(r"# (CKP\d+)$")
PARTS = """\
import copy

import numpy as np
import torch
from torch import nn


class RunningMeanStd:
    def __init__(self, shape):
        self.mean = np.zeros(shape)  # CKP204
        self.var = np.ones(shape)
        self.count = 1e-4

    def update(self, x):
        delta, total = x.mean(0) - self.mean, self.count + len(x)
        new_mean = self.mean + delta * len(x) / total
        m2 = self.var * self.count + x.var(0) * len(x) + delta**2 * self.count * len(x) / total
        self.mean, self.var, self.count = new_mean, m2 / total, total


class Average:
    def __init__(self, model):
        self.shadow = {name: value.clone() for name, value in model.state_dict().items()}  # CKP204

    def update(self, model):
        for name, value in model.state_dict().items():
            new = 0.1 * value + 0.9 * self.shadow[name]
            self.shadow[name] = new.clone()


class Whitener:
    def __init__(self):
        self.mean = torch.zeros(3)
        self.square = torch.ones(3)  # CKP207

    def update(self, x):
        self.mean.lerp_(x.mean(0), 0.1)
        self.square.lerp_(x.square().mean(0), 0.1)

    def state_dict(self):
        return {"mean": self.mean}


class Scaler:
    def __init__(self):
        self.mean = None  # CKP204

    def fit(self, x):
        self.mean = x.mean(0)

    def transform(self, x):
        return x - self.mean


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.mean = torch.zeros(3)  # CKP101
        self.register_buffer("scale", torch.ones(3), persistent=False)  # CKP107
        self.ema = None  # CKP109
        self.stats = {"a": torch.zeros(2)}  # CKP104
        self.moments = np.zeros(3)  # CKP106
        self.steps = 0  # CKP110
        self.history = []
        self.last = None

    def forward(self, x):
        mean = x.mean(0).detach()
        self.mean = 0.9 * self.mean + 0.1 * mean
        self.scale = 0.9 * self.scale + 0.1 * x.abs().mean(0).detach()
        self.ema = mean if self.ema is None else 0.9 * self.ema + 0.1 * mean
        self.stats["a"] = self.stats["a"] * 0.9 + 0.1
        self.moments += mean.numpy()
        self.steps += 1
        self.history.append(float(mean.sum()))
        self.last = x
        return self.layer((x - self.mean) / self.scale) * min(1.0, self.steps)


class Store:
    def __init__(self):
        self.data = torch.zeros(8, 3)
        self.position = 0

    def add(self, x):
        self.data[self.position] = x
        self.position = (self.position + 1) % len(self.data)


class Meter:
    def __init__(self):
        self.reset()

    def reset(self):
        self.sum = self.count = 0

    def update(self, value):
        self.sum += value
        self.count += 1
"""
TRAIN = """\
import torch
from parts import *


class Agent:
    def __init__(self):
        self.obs_rms = RunningMeanStd(3)
        self.whitener = Whitener()
        self.scaler = Scaler()
        self.net = Net()
        self.critic = nn.Linear(3, 1)
        self.ema = Average(self.critic)
        self.optimizer = torch.optim.Adam(self.net.parameters())
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters())  # CKP204
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, 5)  # CKP204
        self.grad_scaler = torch.amp.GradScaler("cpu")  # CKP204
        self.store, self.meter = Store(), Meter()
        self.epsilon = 1.0  # CKP204
        self.last_obs = None
        self.episode_return = 0.0

    def step(self, x):
        self.last_obs = x.numpy()
        self.obs_rms.update(self.last_obs)
        self.whitener.update(x)
        self.store.add(x[0])
        self.episode_return += float(x.sum())
        x = self.scaler.transform(x)
        for net, optimizer in ((self.net, self.optimizer), (self.critic, self.critic_optimizer)):
            loss = self.grad_scaler.scale(net(x).pow(2).mean())
            optimizer.zero_grad()
            loss.backward()
            self.grad_scaler.step(optimizer)
        self.grad_scaler.update()
        self.scheduler.step()
        self.ema.update(self.critic)
        self.meter.update(loss.item())
        self.epsilon = max(0.05, self.epsilon * 0.9)
        return loss.item()

    def begin_episode(self):
        self.episode_return = 0.0


def train():
    agent = Agent()
    target = copy.deepcopy(agent.critic)  # CKP204
    agent.scaler.fit(torch.randn(8, 3))
    offset = torch.zeros(3)  # CKP204
    smooth = 0.0
    for step in range(15):
        x = torch.randn(8, 3) + 3 - offset
        offset = 0.9 * offset + 0.1 * x.mean(0)
        smooth = 0.9 * smooth + 0.1 * agent.step(x)
        total = 0.0
        for part in x:
            total += float(part.sum())
        with torch.no_grad():
            for old, new in zip(target.parameters(), agent.critic.parameters()):
                old.lerp_(new, 0.1)
        if step % 5 == 2:
            agent.begin_episode()
            agent.meter.reset()
    print("smooth", smooth, total)
    save(agent, target, offset)


def save(agent, target, offset):
    networks = {"net": agent.net.state_dict(), "critic": agent.critic.state_dict()}
    rest = {"obs": agent.whitener.state_dict(), "optimizer": agent.optimizer.state_dict()}
    torch.save({**networks, **rest}, "agent.pt")


torch.manual_seed(0)
train()
"""
MORE = {
    "rms": "(agent.obs_rms.mean, agent.obs_rms.var, agent.obs_rms.count)",
    "ema": "agent.ema.shadow",
    "fitted": "agent.scaler.mean",
    "critic_optimizer": "agent.critic_optimizer.state_dict()",
    "scheduler": "agent.scheduler.state_dict()",
    "grad_scaler": "agent.grad_scaler.state_dict()",
    "epsilon": "agent.epsilon",
    "target": "target.state_dict()",
    "offset": "offset",
}
EXTRA_STATE = """\
    def get_extra_state(self):
        return {"mean": self.mean, "ema": self.ema, "stats": self.stats, "moments": self.moments, "steps": self.steps}

    def set_extra_state(self, state):
        vars(self).update(state)

    def forward(self, x):
"""
BAD = {"parts.py": PARTS, "train.py": TRAIN}
GOOD = {
    "parts.py": PARTS.replace('{"mean": self.mean}', '{"mean": self.mean, "square": self.square}')
    .replace("persistent=False", "persistent=True")
    .replace("    def forward(self, x):\n", EXTRA_STATE),
    "train.py": TRAIN.replace(
        ', "optimizer":', "".join(f', "{key}": {value}' for key, value in MORE.items()) + ', "optimizer":'
    ),
}
RESUME = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.register_buffer("mean", torch.zeros(2))

    def forward(self, x):
        with torch.no_grad():
            self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return self.layer(x - self.mean)


class Agent:
    def __init__(self):
        self.net = Net()
        self.optimizer = torch.optim.Adam(self.net.parameters())
        self.table = torch.zeros(4)
        self.best_loss = float("inf")  # CKP218

    def save(self):
        state = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "table": self.table}
        torch.save(state, "r.pt")

    def load(self):
        state = torch.load("r.pt")  # CKP203
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])

    def set_up(self):
        self.net.mean = torch.zeros(2)  # CKP205
        self.optimizer = torch.optim.Adam(self.net.parameters())  # CKP205

    def train(self):
        for _ in range(12):
            self.table = self.table * 0.9 + torch.rand(4)
            loss = self.net(torch.randn(4, 2) + 3).pow(2).mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            if loss.item() < self.best_loss:
                self.best_loss = loss.item()


torch.manual_seed(0)
first = Agent()
first.train()
first.save()
del first
second = Agent()
second.load()
second.set_up()
second.train()
second.save()
third = Net()
third.load_state_dict(torch.load("r.pt")["net"])
"""
RESUMED = RESUME.replace('"table": self.table', '"table": self.table, "best_loss": self.best_loss').replace(
    "    def set_up(self):\n",
    '        self.table = state["table"]\n'
    '        self.best_loss = state["best_loss"]\n\n'
    "    def set_up(self):\n        return\n",
)
CORE = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.mean = torch.zeros(2)  # CKP101

    def forward(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return self.layer(x - self.mean)


def fit(net, count=12):
    optimizer = torch.optim.Adam(net.parameters())
    for _ in range(count):
        loss = net(torch.randn(4, 2) + 3).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return optimizer
"""


def expected(files: dict[str, str]) -> set[tuple[str, int, str]]:
    """Return file, line and code of each loss that the comments announce."""
    return {
        (name, number, match.group(1))
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if (match := MARKER.search(line))
    }
