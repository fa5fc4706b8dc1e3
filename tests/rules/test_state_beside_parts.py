"""CKP207: counters and rates beside the state of a part, a latch, listed names, inherited hooks."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "wrapper of weights for use": """
import torch
class Agent:
    def __init__(self, net, lr):
        self.net = net
        self.opt = torch.optim.Adam(net.parameters(), lr)
        self.epsilon = 1.0

    def act(self, x):
        return self.net(x) if torch.rand(1) > self.epsilon else 0

    def learn(self, x):
        self.opt.zero_grad()
        self.net(x).sum().backward()
        self.opt.step()
        self.epsilon = self.epsilon * 0.99

    def state_dict(self):
        return self.net.state_dict()

    def load_state_dict(self, state):
        self.net.load_state_dict(state)
""",
    "act count beside weights": """
class Policy:
    def __init__(self, net):
        self.net = net
        self.episode_steps = 0

    def reset(self):
        self.episode_steps = 0

    def act(self, x):
        self.episode_steps += 1
        return self.net(x) if self.episode_steps > 3 else 0

    def state_dict(self):
        return self.net.state_dict()

    def load_state_dict(self, state):
        self.net.load_state_dict(state)
""",
    "accumulation cadence": """
class Accumulating:
    def __init__(self, inner, every):
        self.inner = inner
        self.every = every
        self.calls = 0

    def step(self):
        self.calls += 1
        if self.calls % self.every == 0:
            self.inner.step()

    def state_dict(self):
        return self.inner.state_dict()

    def load_state_dict(self, state):
        self.inner.load_state_dict(state)
""",
    "averager whose count is only shown": """
class Average:
    def __init__(self, module):
        self.module = module
        self.n = 0

    def update(self, model):
        self.n += 1
        for a, b in zip(self.module.parameters(), model.parameters()):
            a.data.mul_(0.9).add_(b.data, alpha=0.1)

    def __repr__(self):
        return f"Average({self.n})"

    def state_dict(self):
        return self.module.state_dict()

    def load_state_dict(self, state):
        self.module.load_state_dict(state)
""",
    "names of all attributes": """
FIELDS = ("scale", "good", "bad")
class Scaler:
    def __init__(self):
        self.scale = 2.0 ** 16
        self.good = 0
        self.bad = 0

    def update(self, overflow):
        if overflow:
            self.bad += 1
            self.good = 0
        else:
            self.good += 1
        if self.bad > 3:
            self.scale /= 2
            self.bad = 0
        if self.good > 100:
            self.scale *= 2

    def state_dict(self):
        return {name: getattr(self, name) for name in FIELDS}

    def load_state_dict(self, state):
        for name, value in state.items():
            setattr(self, name, value)
""",
    "observer that is a meter": """
class AverageMeter:
    def __init__(self):
        self.sum = 0.0
        self.count = 0
        self.best = 0

    def update(self, x):
        self.sum += x
        self.count += 1
        self.best = max(self.best, x)

    def average(self):
        return self.sum / self.count

    def state_dict(self):
        return {"best": self.best}

    def load_state_dict(self, state):
        self.best = state["best"]
""",
    "a limit that is not adapted": """
class Decay:
    def __init__(self, beta=0.9, rate=0.5):
        self.beta = beta
        self.rate = rate
        self.step_count = 0

    def set_beta(self, beta):
        self.beta = beta

    def advance(self):
        self.step_count += 1

    def state_dict(self):
        return {"step_count": self.step_count}

    def load_state_dict(self, state):
        self.step_count = state["step_count"]
""",
    "a public count that nobody reads": """
class Phase:
    def __init__(self, epoch=0):
        self.epoch = epoch
        self.step_count = 0

    def advance(self):
        self.step_count += 1
        self.epoch += 1

    def late(self):
        return self.step_count > 10

    def state_dict(self):
        return {"step_count": self.step_count}

    def load_state_dict(self, state):
        self.step_count = state["step_count"]
""",
    "observation named state": """
class Robot:
    def __init__(self):
        self.x = 0.0
        self.v = 0.0

    def move(self, a):
        self.v += a
        self.x += self.v

    def state(self):
        return {"x": self.x}

    def set_state(self, state):
        self.x = state["x"]
""",
    "a mirror of a shared count": """
import multiprocessing as mp
class Agent:
    def __init__(self, model):
        self.model = model
        self._sent = mp.RawValue("l", 0)
        self._received = 0

    def receive(self):
        if self._received < self._sent.value:
            self.model.pull()
            self._received = self._sent.value

    def state_dict(self):
        return self.model.state_dict()

    def load_state_dict(self, state):
        self.model.load_state_dict(state)
""",
    "an update that nobody calls": {
        "agent.py": """
import torch
class Agent:
    def __init__(self, net, opt):
        self.net = net
        self.opt = opt
        self.steps = 0
        self.reward_mean = 0.0

    def update_norm(self, x):
        self.reward_mean = 0.9 * self.reward_mean + 0.1 * x
        return x - self.reward_mean

    def learn(self, x):
        self.opt.step()
        self.steps += 1

    def save(self, path):
        torch.save({"net": self.net.state_dict(), "opt": self.opt.state_dict(), "steps": self.steps}, path)

    def load(self, path):
        c = torch.load(path)
        self.net.load_state_dict(c["net"])
        self.opt.load_state_dict(c["opt"])
        self.steps = c["steps"]

    def late(self):
        return self.steps > 10
""",
        "main.py": """
import torch
from agent import Agent
def main():
    agent = Agent(torch.nn.Linear(1, 1), None)
    agent.load("x.pt")
    for _ in range(10):
        agent.learn(1)
    agent.save("x.pt")
main()
""",
    },
}

FOUND: dict[str, Case] = {
    "property counter behind mp value": """
class Writer:
    def __init__(self, storage):
        self._cursor = 0
        self._write_count = 0
        self.storage = storage

    def add(self, data):
        self.storage.set(self._cursor, data)
        self._cursor = (self._cursor + 1) % self.storage.max_size
        self._write_count += 1

    def sample(self, rng):
        return rng.integers(min(self._write_count, self.storage.max_size))

    def state_dict(self):  # CKP207
        return {"_cursor": self._cursor}

    def load_state_dict(self, state_dict):
        self._cursor = state_dict["_cursor"]
""",
    "counter constructed beside nested objects": """
class Collector:
    def __init__(self, env, policy, total_frames):
        self.env = env
        self.policy = policy
        self.total_frames = total_frames
        self.frames = 0

    def __iter__(self):
        while self.frames < self.total_frames:
            out = self.env.step(self.policy())
            self.frames += out.numel()
            yield out

    def state_dict(self):  # CKP207
        return dict(policy=self.policy.state_dict(), env=self.env.state_dict())

    def load_state_dict(self, state_dict):
        self.env.load_state_dict(state_dict["env"])
        self.policy.load_state_dict(state_dict["policy"])
""",
    "inherited file hooks, early stopper adds state": """
class EpochCounter:
    def __init__(self, limit):
        self.current = 0
        self.limit = int(limit)

    def __iter__(self):
        return self

    def __next__(self):
        if self.current < self.limit:
            self.current += 1
            return self.current
        raise StopIteration

    def _save(self, path):  # CKP207
        with open(path, "w") as fo:
            fo.write(str(self.current))

    def _recover(self, path, end_of_epoch=True):
        with open(path) as fi:
            saved_value = int(fi.read())
            if end_of_epoch:
                self.current = saved_value
            else:
                self.current = saved_value - 1

class Stopper(EpochCounter):
    def __init__(self, limit, patience, direction):
        super().__init__(limit)
        self.patience = patience
        self.should_stop = False
        self.best_limit = 0
        if direction == "min":
            self.best_score, self.sign = float("inf"), 1
        else:
            self.best_score, self.sign = -float("inf"), -1

    def __next__(self):
        if self.should_stop:
            raise StopIteration
        return super().__next__()

    def update_metric(self, value):
        if self.sign * value < self.sign * self.best_score:
            self.best_limit = self.current
            self.best_score = value
        self.should_stop = self.current - self.best_limit >= self.patience
""",
    "kl controller value": """
class AdaptiveKLController:
    def __init__(self, init_kl_coef, target, horizon):
        self.value = init_kl_coef
        self.target = target
        self.horizon = horizon
        self.n_updates = 0

    def update(self, current, n_steps):
        error = max(min(current / self.target - 1, 0.2), -0.2)
        self.value *= 1 + error * n_steps / self.horizon
        self.n_updates += 1

    def state_dict(self):  # CKP207
        return {"n_updates": self.n_updates}

    def load_state_dict(self, state):
        self.n_updates = state["n_updates"]

class Trainer:
    def __init__(self):
        self.kl = AdaptiveKLController(0.2, 6.0, 10000)

    def loss(self, kl):
        return self.kl.value * kl
""",
    "ema that leaves its update count": """
import torch, copy
class EMA:
    def __init__(self, model, decay=0.999):
        self.module = copy.deepcopy(model)
        self.decay = decay
        self.updates = 0

    def update(self, model):
        self.updates += 1
        d = min(self.decay, (1 + self.updates) / (10 + self.updates))
        with torch.no_grad():
            for a, b in zip(self.module.parameters(), model.parameters()):
                a.mul_(d).add_(b, alpha=1 - d)

    def state_dict(self):  # CKP207
        return self.module.state_dict()

    def load_state_dict(self, state):
        self.module.load_state_dict(state)
""",
    "agent with save/load files, epsilon lost": """
import torch
class Agent:
    def __init__(self, net, lr):
        self.net = net
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=lr)
        self.epsilon = 1.0
        self.steps = 0

    def act(self, obs, rng):
        if rng.random() < self.epsilon:
            return rng.integers(4)
        return self.net(obs).argmax()

    def learn(self, batch):
        self.optimizer.zero_grad()
        self.net.loss(batch).backward()
        self.optimizer.step()
        self.steps += 1
        self.epsilon = max(0.05, self.epsilon * 0.995)

    def save(self, path):  # CKP207
        torch.save({"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "steps": self.steps}, path)

    def load(self, path):
        ckpt = torch.load(path)
        self.net.load_state_dict(ckpt["net"])
        self.optimizer.load_state_dict(ckpt["optimizer"])
        self.steps = ckpt["steps"]
""",
    "scheduler subclass with own counters": """
class WarmupScheduler:
    def __init__(self, optimizer, warmup):
        self.optimizer = optimizer
        self.warmup = warmup
        self.last_step = 0
        self.num_bad = 0
        self.best = None
        self.scale = 1.0

    def step(self, metric):
        self.last_step += 1
        if self.best is None or metric < self.best:
            self.best = metric
            self.num_bad = 0
        else:
            self.num_bad += 1
        if self.num_bad > 3:
            self.scale *= 0.5
            self.num_bad = 0
        for group in self.optimizer.param_groups:
            group["lr"] = self.scale * min(1.0, self.last_step / self.warmup)

    def state_dict(self):  # CKP207
        return {"last_step": self.last_step}

    def load_state_dict(self, state):
        self.last_step = state["last_step"]
""",
    "module extra state leaves count": """
import torch
from torch import nn
class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.steps = 0
        self.temperature = 1.0

    def forward(self, x):
        if self.training:
            self.steps += 1
            self.temperature = max(0.1, self.temperature * 0.999)
        return torch.softmax(self.fc(x) / self.temperature, -1) if self.steps > 10 else x

    def get_extra_state(self):  # CKP207
        return {"steps": self.steps}

    def set_extra_state(self, state):
        self.steps = state["steps"]
""",
    "json saved state": """
import json
class Curriculum:
    def __init__(self):
        self.level = 0
        self.successes = 0
        self.history = []

    def report(self, ok):
        self.successes = self.successes + 1 if ok else 0
        if self.successes > 20:
            self.level += 1
            self.successes = 0

    def task(self):
        return self.level * 10

    def save(self, path):  # CKP207
        with open(path, "w") as f:
            json.dump({"level": self.level}, f)

    def load(self, path):
        with open(path) as f:
            data = json.load(f)
        self.level = data["level"]
""",
    "replay ring, pos lost": """
import numpy as np
class Ring:
    def __init__(self, size):
        self.size = size
        self.obs = np.zeros((size, 3))
        self.pos = 0
        self.full = False

    def add(self, obs):
        self.obs[self.pos] = obs
        self.pos += 1
        if self.pos == self.size:
            self.full = True
            self.pos = 0

    def sample(self, n):
        upper = self.size if self.full else self.pos
        return self.obs[np.random.randint(0, upper, n)]

    def state_dict(self):  # CKP207
        return {"obs": self.obs, "pos": self.pos}

    def load_state_dict(self, state):
        self.obs = state["obs"]
        self.pos = state["pos"]
""",
    "dict comprehension over names": """
class Tracker:
    pass
    def __init__(self):
        self.total = 0.0
        self.count = 0
        self.decay = 1.0

    def update(self, x):
        self.decay = self.decay * 0.99
        self.total = self.total * self.decay + x
        self.count += 1

    @property
    def scale(self):
        return self.total / self.count

    def state_dict(self):  # CKP207
        return {key: getattr(self, key) for key in ("total", "count")}

    def load_state_dict(self, state):
        for key in ("total", "count"):
            setattr(self, key, state[key])
""",
    "wrapper of optimizer with own warmup": """
class WarmupOptimizer:
    def __init__(self, optimizer, warmup, factor):
        self.optimizer = optimizer
        self.warmup = warmup
        self.factor = factor
        self._step = 0

    def step(self):
        self._step += 1
        for p in self.optimizer.param_groups:
            p["lr"] = self.rate()
        self.optimizer.step()

    def rate(self):
        return self.factor * min(self._step ** -0.5, self._step * self.warmup ** -1.5)

    def state_dict(self):  # CKP207
        return self.optimizer.state_dict()

    def load_state_dict(self, state):
        self.optimizer.load_state_dict(state)
""",
    "loss scaler around an optimizer": """
class Scaled:
    def __init__(self, inner):
        self.inner = inner
        self.scale = 2.0 ** 16
        self.good = 0

    def step(self, overflow):
        if overflow:
            self.scale /= 2
            self.good = 0
            return
        self.good += 1
        if self.good == 2000:
            self.scale *= 2
        self.inner.step()

    def backward(self, loss):
        (loss * self.scale).backward()

    def state_dict(self):  # CKP207
        state = self.inner.state_dict()
        return state

    def load_state_dict(self, state):
        self.inner.load_state_dict(state)
""",
    "observer by name that samples": """
class RoundRobinWriter:
    def __init__(self, storage):
        self.cursor = 0
        self.written = 0
        self.storage = storage

    def add(self, data):
        self.storage.set(self.cursor, data)
        self.cursor = (self.cursor + 1) % self.storage.max_size
        self.written += 1

    def sample(self, rng):
        return rng.integers(min(self.written, self.storage.max_size))

    def state_dict(self):  # CKP207
        return {"cursor": self.cursor}

    def load_state_dict(self, state_dict):
        self.cursor = state_dict["cursor"]
""",
    "adaptive decay given by default": """
class Decay:
    def __init__(self, beta=0.9, rate=0.5):
        self.beta = beta
        self.rate = rate
        self.step_count = 0

    def advance(self):
        self.step_count += 1
        self.beta = 1 - (1 - self.beta) * self.rate

    def state_dict(self):  # CKP207
        return {"step_count": self.step_count}

    def load_state_dict(self, state):
        self.step_count = state["step_count"]
""",
    "own noun pair that forgets a count": """
class Scaler:
    def __init__(self):
        self.scale = 2.0 ** 16
        self.good = 0

    def update(self, overflow):
        if overflow:
            self.scale /= 2
            self.good = 0
        else:
            self.good += 1
        if self.good > 100:
            self.scale *= 2

    def scaler_state(self):  # CKP207
        return {"scale": self.scale}

    def restore_scaler_state(self, state):
        self.scale = state["scale"]
""",
    "an update that a callback gets": {
        "agent.py": """
import torch
class Agent:
    def __init__(self, net, opt):
        self.net = net
        self.opt = opt
        self.steps = 0
        self.reward_mean = 0.0

    def update_norm(self, x):
        self.reward_mean = 0.9 * self.reward_mean + 0.1 * x

    def learn(self, x):
        self.opt.step()
        self.steps += 1
        return x - self.reward_mean

    def save(self, path):  # CKP207
        torch.save({"net": self.net.state_dict(), "opt": self.opt.state_dict(), "steps": self.steps}, path)

    def load(self, path):
        c = torch.load(path)
        self.net.load_state_dict(c["net"])
        self.opt.load_state_dict(c["opt"])
        self.steps = c["steps"]

    def late(self):
        return self.steps > 10
""",
        "main.py": """
import torch
from agent import Agent
def main():
    agent = Agent(torch.nn.Linear(1, 1), None)
    agent.load("x.pt")
    env = make(on_reward=agent.update_norm)
    for _ in range(10):
        agent.learn(1)
    agent.save("x.pt")
main()
""",
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_hooks_leave(case: Case) -> None:
    check_findings(case)
