"""CKP207: a class's own state_dict forgets an attribute."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

STOPPING = """
class EarlyStopping:
    def __init__(self, patience):
        self.patience = patience
        self.best = 1e9
        self.bad_epochs = 0

    def step(self, loss):
        if loss < self.best:
            self.best = loss
            self.bad_epochs = 0
        else:
            self.bad_epochs += 1
        return self.bad_epochs >= self.patience
"""
AVERAGE = """
class MovingAverage:
    def __init__(self, model):
        self.shadow = {name: value.clone() for name, value in model.named_parameters()}
        self.updates = 0

    def update(self, model):
        self.updates += 1
        decay = min(0.999, (1 + self.updates) / (10 + self.updates))
        for name, value in model.named_parameters():
            self.shadow[name] = decay * self.shadow[name] + (1 - decay) * value.detach()
"""

SILENT: dict[str, Case] = {
    "only whether it is there matters": """
class LossScale:
    def __init__(self, average=0.0):
        self.scale = 65536.0
        self.average = average

    def update(self, overflow, loss):
        self.scale = self.scale / 2 if overflow else self.scale * 1.001
        self.average = 0.9 * self.average + 0.1 * loss

    def has_average(self):
        return self.average is not None

    def state_dict(self):
        return {"scale": self.scale}

    def load_state_dict(self, state):
        self.scale = state["scale"]
""",
    "all that changes is there": STOPPING
    + """
    def state_dict(self):
        return {"best": self.best, "bad_epochs": self.bad_epochs}

    def load_state_dict(self, state):
        self.best = state["best"]
        self.bad_epochs = state["bad_epochs"]
""",
    "the payload is built in steps": AVERAGE
    + """
    def state_dict(self):
        state = dict(shadow=self.shadow)
        state.update(updates=self.updates)
        return state

    def load_state_dict(self, state):
        self.shadow = state["shadow"]
        self.updates = state["updates"]
""",
    "all attributes are given": STOPPING
    + """
    def state_dict(self):
        return vars(self).copy()

    def load_state_dict(self, state):
        vars(self).update(state)
""",
    "all attributes but one are given": STOPPING
    + """
    def state_dict(self):
        return {key: value for key, value in self.__dict__.items() if key != "patience"}

    def load_state_dict(self, state):
        self.__dict__.update(state)
""",
    "a part is not known": STOPPING
    + """
    def state_dict(self):
        from vendor import describe

        return {"best": self.best, **describe(self)}

    def load_state_dict(self, state):
        from vendor import restore

        self.best = state["best"]
        restore(self, state)
""",
    "a pair of numbers under one key": STOPPING
    + """
    def state_dict(self):
        return {"progress": (self.best, self.bad_epochs)}

    def load_state_dict(self, state):
        self.best, self.bad_epochs = state["progress"]
""",
    "the base class in another file carries it": {
        "base.py": STOPPING
        + """
    def state_dict(self):
        return {"best": self.best, "bad_epochs": self.bad_epochs}

    def load_state_dict(self, state):
        self.best = state["best"]
        self.bad_epochs = state["bad_epochs"]
""",
        "stopping.py": """
from base import EarlyStopping


class Plateau(EarlyStopping):
    def __init__(self, patience):
        super().__init__(patience)
        self.cuts = 0

    def step(self, loss):
        stop = super().step(loss)
        self.cuts += stop
        return self.cuts > 3

    def state_dict(self):
        return {**super().state_dict(), "cuts": self.cuts}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.cuts = state["cuts"]
""",
    },
    "the base class is not known": """
from torch.optim.lr_scheduler import ReduceLROnPlateau


class Plateau(ReduceLROnPlateau):
    def __init__(self, optimizer, report):
        super().__init__(optimizer)
        self.report = report
        self.cuts = 0

    def step(self, metrics):
        super().step(metrics)
        if self.num_bad_epochs == 0:
            self.cuts += 1
        return self.cuts > 3

    def state_dict(self):
        state = super().state_dict()
        state.pop("report")
        return state

    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict)
""",
    "a setting that nothing changes": """
class RunningScale:
    def __init__(self, momentum, clip):
        self.momentum = momentum
        self.clip = clip
        self.scale = 1.0

    def update(self, value):
        self.scale = self.momentum * self.scale + (1 - self.momentum) * abs(value)

    def apply(self, value):
        return min(self.clip, value / self.scale)

    def state_dict(self):
        return {"scale": self.scale}

    def load_state_dict(self, state):
        self.scale = state["scale"]
""",
    "nothing depends on it": """
class LossScale:
    def __init__(self):
        self.scale = 65536.0
        self.last_overflow = None

    def update(self, overflow):
        self.last_overflow = overflow
        self.scale = self.scale / 2 if overflow else self.scale * 1.001

    def state_dict(self):
        return {"scale": self.scale}

    def load_state_dict(self, state):
        self.scale = state["scale"]
""",
    "each call writes it before it is read": """
class Clipper:
    def __init__(self):
        self.average = 1.0
        self.norm = 0.0

    def clip(self, gradients):
        self.norm = sum(float(gradient.norm()) for gradient in gradients)
        self.average = 0.99 * self.average + 0.01 * self.norm
        return [gradient * min(1.0, self.average / self.norm) for gradient in gradients]

    def state_dict(self):
        return {"average": self.average}

    def load_state_dict(self, state):
        self.average = state["average"]
""",
    "load derives it from what it restores": """
class Schedule:
    def __init__(self):
        self.step_count = 0
        self.rate = 1.0

    def step(self):
        self.step_count += 1
        self.rate = self.rate * 0.99

    def state_dict(self):
        return {"step_count": self.step_count}

    def load_state_dict(self, state):
        self.step_count = state["step_count"]
        self.rate = 0.99**self.step_count
""",
    "each episode starts it afresh": """
class ReturnScale:
    def __init__(self):
        self.scale = 1.0
        self.total = 0.0

    def reset(self):
        self.total = 0.0

    def step(self, reward):
        self.total = 0.99 * self.total + reward
        self.scale = max(self.scale, abs(self.total))
        return reward / self.scale

    def state_dict(self):
        return {"scale": self.scale}

    def load_state_dict(self, state):
        self.scale = state["scale"]
""",
    "an object that is saved on its own": """
import torch


class Controller:
    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters())
        self.rounds = 0

    def step(self):
        self.optimizer.step()
        self.rounds += 1
        return self.rounds % 10 == 0

    def state_dict(self):
        return {"rounds": self.rounds}

    def load_state_dict(self, state):
        self.rounds = state["rounds"]


def save(controller: Controller, path):
    payload = {"model": controller.model.state_dict(), "optimizer": controller.optimizer.state_dict()}
    payload["controller"] = controller.state_dict()
    torch.save(payload, path)


def load(controller: Controller, path):
    payload = torch.load(path)
    controller.load_state_dict(payload["controller"])
    controller.model.load_state_dict(payload["model"])
    controller.optimizer.load_state_dict(payload["optimizer"])
""",
    "a flag that a context turns": """
from contextlib import contextmanager


class Wrapper:
    def __init__(self, optimizer):
        self.optimizer = optimizer
        self.synchronizes = True

    @contextmanager
    def no_sync(self):
        before = self.synchronizes
        self.synchronizes = False
        try:
            yield
        finally:
            self.synchronizes = before

    def step(self):
        if self.synchronizes:
            self.optimizer.step()

    def state_dict(self):
        return {"optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state):
        self.optimizer.load_state_dict(state["optimizer"])
""",
    "batches that are accumulated into one step": """
class Accumulation:
    def __init__(self, optimizer, batches):
        self.optimizer = optimizer
        self.batches = batches
        self.steps = 0
        self.accumulated = 0

    def step(self):
        self.accumulated += 1
        if self.accumulated == self.batches:
            self.optimizer.step()
            self.steps += 1
            self.accumulated = 0
        return self.steps % 10 == 0

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]
""",
    "a monitor of the speed": """
class SpeedMonitor:
    def __init__(self):
        self.evaluation_time = 0.0
        self.samples_seen = []

    def step(self, samples, seconds):
        self.samples_seen.append(samples)
        self.evaluation_time += seconds
        if len(self.samples_seen) > 10:
            print(self.samples_seen[-1] - self.samples_seen[0])

    def state_dict(self):
        return {"evaluation_time": self.evaluation_time}

    def load_state_dict(self, state):
        self.evaluation_time = state["evaluation_time"]
""",
    "a table of objects": """
class Registry:
    def __init__(self):
        self.rounds = 0
        self.clients = {}

    def join(self, name, client):
        self.clients[name] = client

    def step(self):
        self.rounds += 1
        for client in self.clients.values():
            client.step(self.rounds)

    def state_dict(self):
        return {"rounds": self.rounds}

    def load_state_dict(self, state):
        self.rounds = state["rounds"]
""",
    "each evaluation counts afresh": """
class Evaluation:
    def __init__(self):
        self.best = 0.0
        self.right = 0

    def run(self, batches):
        self.right = 0
        for batch in batches:
            self._count(batch)
        if self.right > self.best:
            self.best = self.right
        return self.best

    def _count(self, batch):
        self.right += int(sum(batch) > 0)

    def state_dict(self):
        return {"best": self.best}

    def load_state_dict(self, state):
        self.best = state["best"]
""",
    "another method saves it": STOPPING
    + """
    def state_dict(self):
        return {"best": self.best}

    def load_state_dict(self, state):
        self.best = state["best"]

    def save_counters(self, path):
        path.write_text(str(self.bad_epochs))
""",
    "a module whose base class carries the rest": """
from torch import nn


class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.scale = 1.0
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        self.scale *= 0.99
        return self.layer(x) * self.scale * min(1.0, self.calls / 100)

    def state_dict(self, *args, **kwargs):
        return {**super().state_dict(*args, **kwargs), "scale": self.scale}

    def load_state_dict(self, state, strict=True):
        self.scale = state.pop("scale")
        return super().load_state_dict(state, strict)
""",
    "it is only shown": """
class Penalty:
    def __init__(self):
        self.beta = 1.0
        self.updates = 0

    def update(self, divergence):
        self.updates += 1
        self.beta *= 1.01 if divergence > 0.01 else 0.99

    def penalty(self, divergence):
        return self.beta * divergence

    def report(self):
        return f"{self.updates} updates, beta {self.beta}"

    def state_dict(self):
        return {"beta": self.beta}

    def load_state_dict(self, state):
        self.beta = state["beta"]
""",
    "the next turn of a cadence": """
class Penalty:
    def __init__(self):
        self.beta = 1.0
        self.updates = 0

    def update(self, divergence, target):
        if (self.updates + 1) % 8 == 0:
            target.copy()
        self.updates += 1
        self.beta *= 1.01 if divergence > 0.01 else 0.99

    def state_dict(self):
        return {"beta": self.beta}

    def load_state_dict(self, state):
        self.beta = state["beta"]
""",
    "statistics that only a method of statistics reads": """
class Penalty:
    def __init__(self):
        self.beta = 1.0
        self.updates = 0

    def update(self, divergence):
        self.updates += 1
        self.beta *= 1.01 if divergence > 0.01 else 0.99

    def penalty(self, divergence):
        return self.beta * divergence

    def get_stats(self):
        return f"{self.updates} updates, beta {self.beta}"

    def state_dict(self):
        return {"beta": self.beta}

    def load_state_dict(self, state):
        self.beta = state["beta"]
""",
    "a double in the tests": {
        "tests/test_stopping.py": STOPPING
        + """
    def state_dict(self):
        return {"best": self.best}

    def load_state_dict(self, state):
        self.best = state["best"]
""",
    },
    "mean, variance and count of a held object": """
import numpy as np
from baselines.common.running_mean_std import RunningMeanStd


class Normalizer:
    def __init__(self):
        self.rms = RunningMeanStd(shape=(3,))

    def __call__(self, x):
        self.rms.update(x)
        return (x - self.rms.mean) / np.sqrt(self.rms.var)

    def state_dict(self):
        return {"mean": self.rms.mean, "var": self.rms.var, "count": self.rms.count}

    def load_state_dict(self, state):
        self.rms.mean, self.rms.var, self.rms.count = state["mean"], state["var"], state["count"]
""",
    "an object whose count a helper packs": """
import numpy as np
from baselines.common.running_mean_std import RunningMeanStd
from packing import pack


class Normalizer:
    def __init__(self):
        self.rms = RunningMeanStd(shape=(3,))

    def __call__(self, x):
        self.rms.update(x)
        return (x - self.rms.mean) / np.sqrt(self.rms.var)

    def state_dict(self):
        rest = pack(self.rms)
        return {"mean": self.rms.mean, "var": self.rms.var, "rest": rest}

    def load_state_dict(self, state):
        self.rms.mean, self.rms.var = state["mean"], state["var"]
""",
    "a sum that begins as an object nobody knows": """
from ledger import Ledger


class Clip:
    def __init__(self):
        self.limit = 1.0
        self.total = Ledger()

    def update(self, norm):
        self.total += norm

    def is_high(self):
        return self.total > self.limit

    def state_dict(self):
        return {"limit": self.limit}

    def load_state_dict(self, state):
        self.limit = state["limit"]
""",
    "mean and variance of an object that counts nothing": """
class Statistics:
    def __init__(self):
        self.mean, self.var = 0.0, 1.0

    def update(self, x):
        self.mean += 0.01 * (x.mean() - self.mean)
        self.var += 0.01 * (x.var() - self.var)


class Normalizer:
    def __init__(self):
        self.rms = Statistics()

    def __call__(self, x):
        self.rms.update(x)
        return (x - self.rms.mean) / self.rms.var**0.5

    def state_dict(self):
        return {"mean": self.rms.mean, "var": self.rms.var}

    def load_state_dict(self, state):
        self.rms.mean, self.rms.var = state["mean"], state["var"]
""",
    "a size that the caller gives": """
class Average:
    def __init__(self, model, decay=0.99, start=None):
        self.weights = {name: each.detach().clone() for name, each in model.named_parameters()}
        self.decay = decay
        self.start = start

    def update(self, model):
        for name, each in model.named_parameters():
            self.weights[name].lerp_(each.detach(), 1 - self.decay)

    def state_dict(self):
        return self.weights

    def load_state_dict(self, state):
        self.weights = state
""",
}

FOUND: dict[str, Case] = {
    "a counter of bad epochs": STOPPING
    + """
    def state_dict(self):  # CKP207
        return {"best": self.best}

    def load_state_dict(self, state):
        self.best = state["best"]
""",
    "a reset that leaves the counter alone": STOPPING
    + """
    def reset(self):
        self.shown = False

    def state_dict(self):  # CKP207
        return {"best": self.best}

    def load_state_dict(self, state):
        self.best = state["best"]
""",
    "a counter that a decay depends on": AVERAGE
    + """
    def state_dict(self):  # CKP207
        return {"shadow": self.shadow}

    def load_state_dict(self, state):
        self.shadow = state["shadow"]
""",
    "the payload is built in steps": AVERAGE
    + """
    def state_dict(self):  # CKP207
        state = dict(version=2)
        state["shadow"] = {name: value.cpu() for name, value in self.shadow.items()}
        return state

    def load_state_dict(self, state):
        self.shadow = state["shadow"]
""",
    "the count of a normalizer": """
import numpy as np


class RunningMeanStd:
    def __init__(self, size):
        self.mean = np.zeros(size)
        self.var = np.ones(size)
        self.count = 1e-4

    def update(self, batch):
        total = self.count + len(batch)
        self.mean = self.mean + (batch.mean(axis=0) - self.mean) * len(batch) / total
        self.var = self.var + (batch.var(axis=0) - self.var) * len(batch) / total
        self.count = total

    def normalize(self, x):
        return (x - self.mean) / np.sqrt(self.var + 1e-8)

    def state_dict(self):  # CKP207
        return {"mean": self.mean, "var": self.var}

    def load_state_dict(self, state):
        self.mean = state["mean"]
        self.var = state["var"]


def rollout(envs, normalizer: RunningMeanStd):
    for obs in envs:
        normalizer.update(obs)
        yield normalizer.normalize(obs)
""",
    "the growth tracker of a loss scale": """
class LossScale:
    def __init__(self, interval=2000):
        self.interval = interval
        self.scale = 65536.0
        self.good_steps = 0

    def update(self, overflow):
        if overflow:
            self._shrink()
        else:
            self._grow()

    def _shrink(self):
        self.scale /= 2
        self.good_steps = 0

    def _grow(self):
        self.good_steps += 1
        if self.good_steps % self.interval == 0:
            self.scale *= 2

    def state_dict(self):  # CKP207
        return {"scale": self.scale, "interval": self.interval}

    def load_state_dict(self, state):
        self.scale = state["scale"]
        self.interval = state["interval"]
""",
    "the sum that a decision in another method asks for": """
class Budget:
    def __init__(self, limit):
        self.limit = limit
        self.scale = 1.0
        self.spent = 0.0

    def spend(self, amount):
        self.spent = self.spent + amount
        self.scale = 1.0 - self.spent / self.limit

    def is_over(self):
        return self.spent > self.limit

    def state_dict(self):  # CKP207
        return {"scale": self.scale}

    def load_state_dict(self, state):
        self.scale = state["scale"]
""",
    "the state of a base class and one more key": STOPPING
    + """
    def state_dict(self):
        return {"best": self.best, "bad_epochs": self.bad_epochs}

    def load_state_dict(self, state):
        self.best = state["best"]
        self.bad_epochs = state["bad_epochs"]


class Plateau(EarlyStopping):
    def __init__(self, patience):
        super().__init__(patience)
        self.cuts = 0
        self.rate = 1.0

    def step(self, loss):
        if super().step(loss):
            self.cuts += 1
            self.rate *= 0.5
        return self.cuts > 3

    def state_dict(self):  # CKP207
        state = super().state_dict()
        state["rate"] = self.rate
        return state

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.rate = state["rate"]
""",
    "a window that grows": """
class Plateau:
    def __init__(self):
        self.rate = 1.0
        self.losses = []

    def step(self, loss):
        self.losses.append(loss)
        if len(self.losses) > 10 and loss > max(self.losses[-10:-1]):
            self.rate *= 0.5
        return self.rate

    def state_dict(self):  # CKP207
        return {"rate": self.rate}

    def load_state_dict(self, state):
        self.rate = state["rate"]
""",
    "the position of a sampler": """
class ResumableSampler:
    def __init__(self, size):
        self.size = size
        self.epoch = 0
        self.position = 0

    def __iter__(self):
        while self.position < self.size:
            yield (self.position * 7919 + self.epoch) % self.size
            self.position += 1
        self.position = 0
        self.epoch += 1

    def state_dict(self):  # CKP207
        return {"epoch": self.epoch}

    def load_state_dict(self, state):
        self.epoch = state["epoch"]
""",
    "the base class in another file changes it": {
        "base.py": STOPPING
        + """
    def state_dict(self):
        return {"best": self.best, "bad_epochs": self.bad_epochs}

    def load_state_dict(self, state):
        self.best = state["best"]
        self.bad_epochs = state["bad_epochs"]
""",
        "stopping.py": """
from base import EarlyStopping


class SmallStopping(EarlyStopping):
    def state_dict(self):  # CKP207
        return {"best": self.best}

    def load_state_dict(self, state):
        self.best = state["best"]
""",
    },
    "a subclass in another file adds an attribute": {
        "base.py": STOPPING
        + """
    def state_dict(self):
        return {"best": self.best, "bad_epochs": self.bad_epochs}

    def load_state_dict(self, state):
        self.best = state["best"]
        self.bad_epochs = state["bad_epochs"]
""",
        "stopping.py": """
from base import EarlyStopping


class Plateau(EarlyStopping):
    def __init__(self, patience):
        super().__init__(patience)
        self.cuts = 0
        self.rate = 1.0

    def step(self, loss):
        if super().step(loss):
            self.cuts += 1
            self.rate *= 0.5
        return self.cuts > 3

    def state_dict(self):  # CKP207
        return {**super().state_dict(), "rate": self.rate}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.rate = state["rate"]
""",
    },
    "average whose decay depends on a step with a default": """
class Average:
    def __init__(self, model, power=0.7, start=0):
        self.weights = {name: each.detach().clone() for name, each in model.named_parameters()}
        self.power = power
        self.step = start

    def update(self, model):
        self.step += 1
        decay = 1 - (1 + self.step) ** -self.power
        for name, each in model.named_parameters():
            self.weights[name].lerp_(each.detach(), 1 - decay)

    def state_dict(self):  # CKP207
        return self.weights

    def load_state_dict(self, state):
        self.weights = state
""",
    "count of a held object left out": """
import numpy as np
from baselines.common.running_mean_std import RunningMeanStd


class Normalizer:
    def __init__(self):
        self.rms = None

    def __call__(self, x):
        if self.rms is None:
            self.rms = RunningMeanStd(shape=(1,) + x.shape[1:])
        self.rms.update(x)
        return (x - self.rms.mean) / np.sqrt(self.rms.var)

    def state_dict(self):  # CKP207
        return {"mean": self.rms.mean, "var": self.rms.var}

    def load_state_dict(self, state):
        self.rms.mean = state["mean"]
        self.rms.var = state["var"]
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_forgotten_attributes(case: Case) -> None:
    check_findings(case)


def test_message_names_the_attribute() -> None:
    (finding,) = check_findings(FOUND["a counter of bad epochs"])
    assert "'bad_epochs'" in finding.message and "'patience'" not in finding.message
    assert len(finding.message) <= 120
