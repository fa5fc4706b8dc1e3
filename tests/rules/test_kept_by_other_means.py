"""CKP204, CKP216: state that is in a file by way of another object, or that needs no file; and what looks like it."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

AVERAGE = """
class MovingAverage:
    def __init__(self, decay):
        self.decay = decay
        self.shadow = {}

    def register(self, name, value):
        self.shadow[name] = value.clone()

    def update(self, name, value):
        self.shadow[name] = self.decay * self.shadow[name] + (1 - self.decay) * value
"""
# A script whose average is saved, and restored, as a model of its own; {save} is what becomes of that.
AVERAGED = """
import torch
from average import MovingAverage
from torch import nn


def averaged(model, average):
    copy = nn.Linear(2, 1)
    for name, value in copy.named_parameters():
        value.data.copy_(average.shadow[name])
    return copy


def save(model, optimizer, average, path):
    torch.save({{"model": model.state_dict(), "optimizer": optimizer.state_dict()}}, path)
    smooth = averaged(model, average)
    {save}


def main(path, batches):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    average = MovingAverage(0.999)
    for name, value in model.named_parameters():
        average.register(name, value.data)
    state = torch.load(path)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    for batch in batches:
        optimizer.zero_grad()
        model(batch).sum().backward()
        optimizer.step()
        for name, value in model.named_parameters():
            average.update(name, value.data)
        save(model, optimizer, average, path){marker}
"""
# A trainer whose class is made by another file, and whose average's inner model has a file of its own.
INNER = """
import torch
from timm.utils import ModelEmaV2


class Base:
    def main(self, path, batches):
        self.path, self.batches = path, batches
        self.average = None
        self.make()
        self.restore()
        self.train()

    def make(self):
        self.model = self.make_model()
        self.optimizer = torch.optim.Adam(self.model.parameters())
        average = ModelEmaV2(self.model, decay=0.99)
        self.average = average

    def restore(self):
        state = torch.load(self.path / "last.pt")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])

    def train(self):
        for batch in self.batches:
            self.optimizer.zero_grad()
            self.model(batch).sum().backward()
            self.optimizer.step()
            self.average.update(self.model)
        self.save()

    def save(self):
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(state, self.path / "last.pt")
        torch.save({"model": self.average.module.state_dict()}, self.path / "average.pt")
"""
# A scheduler of the project, stepped where nothing is saved.
RATES = """
from torch.optim.lr_scheduler import LRScheduler


class Decay(LRScheduler):
    def __init__(self, optimizer, rate, total):
        self.optimizer, self.rate, self.total, self.steps = optimizer, rate, total, 0
        super().__init__(optimizer)

    def step(self{parameter}):
        {count}
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * (1 - epoch / self.total)
"""
TRAINER = """
import torch
from rates import Decay
from torch import nn


class Trainer:
    def __init__(self):
        self.model = nn.Linear(2, 1)
        self.epoch = 0
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.rates = Decay(self.optimizer, 0.1, 100)

    def begin_epoch(self):
        self.rates.step({given})

    def train(self, batches):
        self.begin_epoch()
        for batch in batches:
            self.optimizer.zero_grad()
            self.model(batch).sum().backward()
            self.optimizer.step()
        self.epoch += 1

    def save(self, path):
        parts = {{"model": self.model.state_dict(), "epoch": self.epoch}}
        torch.save({{**parts, "optimizer": self.optimizer.state_dict()}}, path){marker}

    def load(self, path):
        state = torch.load(path)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch = state["epoch"]
"""
TOLD = {"parameter": ", epoch=None", "count": "epoch = self.steps if epoch is None else epoch"}
COUNTED = {"parameter": "", "count": "self.steps += 1\n        epoch = self.steps"}
# A script whose optimizer may come back from a function in other clothes.
GIVEN_BACK = """
import torch
from engines import find_engine
from torch import nn


def main(path, batches, name):
    engine = find_engine(name)
    model = nn.Linear(2, 1)
    first = torch.optim.Adam(model.parameters())
    {stepped}
    state = torch.load(path)
    model.load_state_dict(state["model"])
    first.load_state_dict(state["optimizer"])
    for batch in batches:
        stepped.zero_grad()
        model(batch).sum().backward()
        stepped.step()
    torch.save({{"model": model.state_dict(), "optimizer": first.state_dict()}}, path){marker}
"""
# A temperature that is trained as it is, or by its logarithm.
TEMPERATURE = """
import torch
from torch import nn


class Policy:
    def __init__(self, in_logs):
        self.model = nn.Linear(2, 1)
        if in_logs:
            self.log_alpha = torch.zeros(1).requires_grad_()
            self.alpha_optimizer = torch.optim.Adam([self.log_alpha])
            self.alpha = self.log_alpha.detach().exp()
        else:
            self.alpha = torch.ones(1).requires_grad_()
            self.alpha_optimizer = torch.optim.Adam([self.alpha])

    def learn(self, batch):
        self.alpha_optimizer.zero_grad()
        (self.alpha * self.model(batch)).sum().backward()
        self.alpha_optimizer.step()

    def state_dict(self):
        return {"model": self.model.state_dict(), "optimizer": self.alpha_optimizer.state_dict()}  # CKP204

    def load_state_dict(self, state):
        self.model.load_state_dict(state["model"])
        self.alpha_optimizer.load_state_dict(state["optimizer"])
"""
# A module with statistics of its own in another module, which has extra state.
SCALE = """
import torch
from torch import nn


class Scale(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("var", torch.ones(2))

    def update(self, x):
        self.mean += 0.1 * (x.mean(0) - self.mean)
        self.var += 0.1 * (x.var(0) - self.var)

    def forward(self, x):
        return (x - self.mean) / self.var.sqrt()
"""
PROJECTION = """
from scale import Scale
from torch import nn


class Projection(nn.Module):
    def __init__(self, scale=None):
        super().__init__()
        self.scale = scale
        self.basis = None

    def update(self, x):
        self.scale.update(x)
        self.basis = x.T @ x

    def forward(self, x):
        return self.scale(x) @ self.basis

    def get_extra_state(self):
        return {"basis": self.basis}

    def set_extra_state(self, state):
        self.basis = state["basis"]


def build():
    return Projection(Scale())
"""
# A script that shows models which a function of its own loads, and may train one.
VIEWER = """
import torch
from net import Net
from torch import nn
from training import Trainer


def main(paths, compose):
    model = Net(8)

    def opened(path):
        state = torch.load(path)
        {inner} = Net(state["width"])
        {inner}.load_state_dict(state["model"])
        return {inner}

    if compose:
        model.show([opened(path) for path in paths])
    trainer = Trainer(model)
    trainer.train()
"""
TRAINING = """
import torch


class Trainer:
    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.Adam(self.model.parameters())

    def train(self):
        self.optimizer.zero_grad()
        self.model(torch.ones(1, 8)).sum().backward()
        self.optimizer.step()
"""
# An algorithm on top of Stable-Baselines3 with a buffer that serves several of them.
BUFFER = """
import numpy as np
from stable_baselines3.common.buffers import RolloutBuffer


class PartsBuffer(RolloutBuffer):
    def __init__(self, size, parts):
        self.running_mean = np.zeros(parts)
        self.running_var = np.ones(parts)
        self.running_count = 1e-4
        self.parts = np.zeros((size, parts))

    def add_parts(self, at, parts):
        self.parts[at] = parts

    def _update_statistics(self):
        total = self.running_count + len(self.parts)
        self.running_mean = self.running_mean + (self.parts.mean(0) - self.running_mean) / total
        self.running_var = self.running_var + (self.parts.var(0) - self.running_var) / total
        self.running_count = total

    def normalized(self):
        self._update_statistics()
        return (self.parts - self.running_mean) / np.sqrt(self.running_var)
"""
RUNNING = """
from buffer import PartsBuffer
from stable_baselines3 import PPO


class RunningPPO(PPO):
    def _setup_model(self):
        super()._setup_model()
        self.rollout_buffer = PartsBuffer(self.n_steps, 3)  # CKP204

    def collect(self):
        buffer = self.rollout_buffer
        buffer.rewards = buffer.normalized().sum(1)
"""
PLAIN = """
from buffer import PartsBuffer
from stable_baselines3 import PPO


class PlainPPO(PPO):
    def _setup_model(self):
        super()._setup_model()
        self.rollout_buffer = PartsBuffer(self.n_steps, 3)

    def collect(self):
        buffer = self.rollout_buffer
        buffer.rewards = buffer.parts.sum(1)
"""
RESUMED = """
from running import RunningPPO

model = RunningPPO.load("model.zip")
model.learn(1000)
"""

# A script that hands its average to a function which may restore what is in it, and takes it back.
HANDED = """
import torch
from restoring import resume
from timm.utils import ModelEma
from torch import nn


def main(path, batches, is_resumed):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    average = ModelEma(model, decay=0.99)
    if is_resumed:
        model, optimizer, epoch, average = resume(path, model, optimizer, average)
    for epoch, batch in enumerate(batches):
        optimizer.zero_grad()
        model(batch).sum().backward()
        optimizer.step()
        average.update(model)
        parts = {"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save({**parts, "smooth": average.ema.state_dict()}, path)
"""
RESTORING = """
import torch


def resume(path, model, optimizer, average):
    state = torch.load(path)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    average.ema.load_state_dict(state["smooth"])
    return model, optimizer, state["epoch"], average
"""
# A runner that is given all it trains, and lets something else save that.
RUNNER = """
from typing import Dict

import torch
from torch import nn


class Runner:
    def __init__(self, engine, net: nn.Module, optimizers: Dict[str, torch.optim.Optimizer]):
        self.engine = engine
        self.net = net
        self.optimizers = optimizers
        self.steps = 0

    def train(self, batches):
        for batch in batches:
            for name in self.optimizers:
                self.optimizers[name].zero_grad()
            self.net(batch).sum().backward()
            for name in self.optimizers:
                self.optimizers[name].step()
            self.steps += 1

    def save(self, folder):
        {save}
        torch.save({{"steps": self.steps, "net": self.net.state_dict()}}, folder + "/last.pt"){marker}

    def load(self, folder):
        state = torch.load(folder + "/last.pt")
        self.steps = state["steps"]
        self.net.load_state_dict(state["net"])

    @classmethod
    def of(cls, engine, net, optimizers):
        prepared = engine.prepare(net, *optimizers.values())
        return cls(engine=engine, net=prepared[0], optimizers=dict(zip(optimizers, prepared[1:])))
"""
# A script that begins a new training with the weights and the options of a file.
OPTIONS = """
import torch
from net import Net
from torch import nn
from torch.optim.lr_scheduler import StepLR


def main(path, epochs, folder):
    state = torch.load(path)
    options = state["options"]
    model = Net(8)
    model.load_state_dict(state["model"])
    optimizer = torch.optim.SGD(model.parameters(), lr={rate})
    rates = StepLR(optimizer, 10)
    {restored}
    for epoch in range(epochs):
        fit(model, optimizer)
        rates.step()
        parts = {{"model": model.state_dict(), "options": options}}
        torch.save({{**parts, "{key}": optimizer.state_dict()}}, f"{{folder}}/{{epoch}}.pt"){marker}


def fit(model, optimizer):
    optimizer.zero_grad()
    model(torch.ones(1, 8)).sum().backward()
    optimizer.step()
"""
NET = """
from torch import nn


class Net(nn.Linear):
    def __init__(self, width):
        super().__init__(width, 1)
"""

SILENT: dict[str, Case] = {
    "a new training with the options of a file": {
        "train.py": OPTIONS.format(rate="options.lr", restored="", key="moments", marker=""),
        "net.py": NET,
    },
    "an average that is saved as a model of its own": {
        "average.py": AVERAGE,
        "train.py": AVERAGED.format(save='torch.save(smooth.state_dict(), path + ".average")', marker=""),
    },
    "something saves the state of all it has prepared": {
        "runner.py": RUNNER.format(save="self.engine.save_state(folder)", marker="")
    },
    "the inner model of an average that a function gives back": {
        "train.py": HANDED,
        "restoring.py": RESTORING,
    },
    "the inner model of an average in a file of its own": {
        "base.py": INNER,
        "train.py": "from base import Base\nfrom torch import nn\n\n\ndef main():\n    Trainer().main('runs', [])\n\n\n"
        "class Trainer(Base):\n    def make_model(self):\n        return nn.Linear(2, 1)\n\n\n"
        'if __name__ == "__main__":\n    main()\n',
    },
    "a scheduler that may be told the epoch": {
        "rates.py": RATES.format(**TOLD),
        "trainer.py": TRAINER.format(given="self.epoch", marker=""),
    },
    "an optimizer that comes back as one of several": {
        "train.py": GIVEN_BACK.format(
            stepped="(net, stepped) = engine.distribute(model=model, optimizer=first)", marker=""
        )
    },
    "a part of a module with extra state": {"scale.py": SCALE, "projection.py": PROJECTION},
    "a function in a function has a name of its own": {
        "view.py": VIEWER.format(inner="model"),
        "training.py": TRAINING,
        "net.py": NET,
    },
}
FOUND: dict[str, Case] = {
    "nothing saves what is prepared": {"runner.py": RUNNER.format(save="print(folder)", marker="  # CKP204")},
    "a training that goes on with the options of a file": {
        "train.py": OPTIONS.format(
            rate="0.1",
            restored='optimizer.load_state_dict(state["moments"])',
            key="moments",
            marker="  # CKP204",
        ),
        "net.py": NET,
    },
    "an average of which a model is made and only looked at": {
        "average.py": AVERAGE,
        "train.py": AVERAGED.format(save="print(smooth.weight)", marker="  # CKP204"),
    },
    "a scheduler that counts for itself": {
        "rates.py": RATES.format(**COUNTED),
        "trainer.py": TRAINER.format(given="", marker="  # CKP204"),
    },
    "an optimizer beside another one": {
        "train.py": GIVEN_BACK.format(
            stepped="stepped = torch.optim.SGD([model.bias], lr=0.1)", marker="  # CKP204"
        )
    },
    "one of two ways to train a temperature": {"policy.py": TEMPERATURE},
    "a buffer whose statistics only one algorithm moves": {
        "buffer.py": BUFFER,
        "running.py": RUNNING,
        "plain.py": PLAIN,
        "resume.py": RESUMED,
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_is_lost(case: Case) -> None:
    check_findings(case)
