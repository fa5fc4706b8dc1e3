"""CKP204 and CKP207: objects whose state other code saves, forms of a state, several files, rates from settings."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "a config": """
from dataclasses import dataclass
@dataclass
class Config:
    lr: float = 0.1
    steps: int = 10
    name: str = "x"

    def scaled(self, k):
        return Config(self.lr * k, self.steps)

    def to_dict(self):
        return {"lr": self.lr, "steps": self.steps}

    @classmethod
    def from_dict(cls, data):
        return cls(data["lr"], data["steps"])
""",
    "a record that is only shown": """
class Stats:
    def __init__(self):
        self.wins = 0
        self.games = 0
        self.seconds = 0.0

    def add(self, won, took):
        self.games += 1
        self.wins += won
        self.seconds += took

    def to_dict(self):
        return {"wins": self.wins, "games": self.games}

    @classmethod
    def from_dict(cls, data):
        stats = cls()
        stats.wins = data["wins"]
        stats.games = data["games"]
        return stats
""",
    "from_dict gives it otherwise": """
class Bandit:
    def __init__(self, n, t=0):
        self.n = n
        self.t = t
        self.seen = 0

    def pull(self):
        self.t += 1
        self.seen += 1
        return self.t % self.n if self.seen > 3 else 0

    def to_dict(self):
        return {"n": self.n, "t": self.t}

    @classmethod
    def from_dict(cls, data):
        self = cls(data["n"], data["t"])
        self.seen = data["t"]
        return self
""",
    "the algorithm takes its rate from the optimizer after load": {
        "alg.py": """
import torch
class PPO:
    def __init__(self, net, learning_rate=1e-3):
        self.net = net
        self.learning_rate = learning_rate
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=learning_rate)

    def update(self, batch):
        for obs, kl in batch:
            if kl > 0.02:
                self.learning_rate = max(1e-5, self.learning_rate / 1.5)
            for group in self.optimizer.param_groups:
                group["lr"] = self.learning_rate
            self.optimizer.zero_grad()
            self.net(obs).sum().backward()
            self.optimizer.step()
""",
        "runner.py": """
import torch
from alg import PPO
class Runner:
    def __init__(self, env, net):
        self.env = env
        self.alg = PPO(net)
        self.it = 0

    def learn(self, n):
        for _ in range(n):
            self.alg.update(self.env.rollout())
            self.it += 1
        self.save("last.pt")

    def save(self, path):
        torch.save({"net": self.alg.net.state_dict(), "opt": self.alg.optimizer.state_dict(), "it": self.it}, path)

    def load(self, path):
        loaded = torch.load(path)
        self.alg.net.load_state_dict(loaded["net"])
        self.alg.optimizer.load_state_dict(loaded["opt"])
        self.alg.learning_rate = self.alg.optimizer.param_groups[0]["lr"]
        self.it = loaded["it"]
""",
    },
    "weights of another object alone": """
import torch
class Agent:
    def __init__(self, net):
        self.net = net
        self.eps = 1.0
        self.opt = torch.optim.Adam(net.parameters())

    def act(self, x):
        self.eps *= 0.99
        return self.net(x) if torch.rand(1) > self.eps else 0

    def learn(self, x):
        self.opt.zero_grad()
        self.net(x).sum().backward()
        self.opt.step()

def export(agent, path):
    torch.save({"net": agent.net.state_dict()}, path)

def begin(agent, path):
    agent.net.load_state_dict(torch.load(path)["net"])

def main():
    agent = Agent(torch.nn.Linear(1, 1))
    begin(agent, "first.pt")
    for i in range(10):
        agent.act(torch.ones(1))
        agent.learn(torch.ones(1))
    export(agent, "x.pt")
main()
""",
    "the other class saves the rest itself": """
import torch
class Agent:
    def __init__(self, net):
        self.net = net
        self.eps = 1.0
        self.steps = 0
        self.opt = torch.optim.Adam(net.parameters())

    def act(self, x):
        self.eps *= 0.99
        return self.net(x) if torch.rand(1) > self.eps else 0

    def learn(self, x):
        self.opt.zero_grad()
        self.net(x).sum().backward()
        self.opt.step()
        self.steps += 1

    def get_extra(self):
        return {"eps": self.eps}

    def set_extra(self, data):
        self.eps = data["eps"]

def save_checkpoint(agent, path):
    known = {"net": agent.net.state_dict(), "opt": agent.opt.state_dict(), "steps": agent.steps}
    torch.save({**known, **agent.get_extra()}, path)

def load_checkpoint(agent, path):
    data = torch.load(path)
    agent.net.load_state_dict(data["net"])
    agent.opt.load_state_dict(data["opt"])
    agent.steps = data["steps"]
    agent.set_extra(data)

def main():
    agent = Agent(torch.nn.Linear(1, 1))
    load_checkpoint(agent, "x.pt")
    for i in range(10):
        agent.act(torch.ones(1))
        agent.learn(torch.ones(1))
    save_checkpoint(agent, "x.pt")
main()
""",
    "several files, weights for use": """
import torch
class Agent:
    def __init__(self, actor, critic):
        self.actor = actor
        self.critic = critic
        self.opt = torch.optim.Adam(actor.parameters())
        self.eps = 1.0

    def act(self, x):
        self.eps = max(0.1, self.eps * 0.99)
        return self.actor(x) if torch.rand(1) > self.eps else 0

    def learn(self, x):
        self.opt.zero_grad()
        self.actor(x).sum().backward()
        self.opt.step()

    def save(self, path):
        torch.save(self.actor.state_dict(), path + "_a")
        torch.save(self.critic.state_dict(), path + "_c")

    def load(self, path):
        self.actor.load_state_dict(torch.load(path + "_a"))
        self.critic.load_state_dict(torch.load(path + "_c"))
""",
    "env keeps a count for the episode": """
import torch
class Env:
    def __init__(self):
        self.t = 0
        self.net = torch.nn.Linear(1, 1)
        self.total = 0

    def reset(self):
        self.t = 0

    def step(self, a):
        self.t += 1
        self.total += 1
        return self.net(a), self.t >= 100

def save(env, path):
    torch.save({"net": env.net.state_dict(), "total": env.total}, path)

def load(env, path):
    c = torch.load(path)
    env.net.load_state_dict(c["net"])
    env.total = c["total"]

def main():
    env = Env()
    load(env, "x.pt")
    for _ in range(10):
        env.reset()
        env.step(1)
    save(env, "x.pt")
main()
""",
    "logger of a trainer": """
import torch
class Log:
    def __init__(self):
        self.lines = 0
        self.epoch = 0

    def write(self, x):
        self.lines += 1
        print(self.lines, x)

    def next(self):
        self.epoch += 1

def save(log, net, opt, path):
    torch.save({"net": net.state_dict(), "opt": opt.state_dict(), "epoch": log.epoch}, path)

def load(log, net, opt, path):
    c = torch.load(path)
    net.load_state_dict(c["net"])
    opt.load_state_dict(c["opt"])
    log.epoch = c["epoch"]

def main():
    log = Log()
    net = torch.nn.Linear(1, 1)
    opt = torch.optim.Adam(net.parameters())
    load(log, net, opt, "x.pt")
    for _ in range(10):
        opt.zero_grad()
        net(torch.ones(1)).sum().backward()
        opt.step()
        log.write("x")
        log.next()
    save(log, net, opt, "x.pt")
main()
""",
    "the owner keeps the count in another file": {
        "learner.py": """
import os
import torch
class Learner:
    def __init__(self, net):
        self.net = net
        self.optimizer = torch.optim.Adam(net.parameters())
        self.updates = 0

    def learn(self, x):
        self.optimizer.zero_grad()
        (self.net(x) * (self.updates + 1)).sum().backward()
        self.optimizer.step()
        self.updates += 1

    def save_to(self, folder):
        torch.save(self.net.state_dict(), os.path.join(folder, "net.pt"))
        torch.save(self.optimizer.state_dict(), os.path.join(folder, "optimizer.pt"))

    def load_from(self, folder):
        self.net.load_state_dict(torch.load(os.path.join(folder, "net.pt")))
        self.optimizer.load_state_dict(torch.load(os.path.join(folder, "optimizer.pt")))
""",
        "main.py": """
import json
import os
from learner import Learner
class Main:
    def __init__(self, net):
        self.learner = Learner(net)
        self.steps = 0

    def run(self):
        for _ in range(10):
            self.learner.learn(1)
            self.steps += 1
        self.save("x")

    def save(self, folder):
        book = {"steps": self.steps, "updates": self.learner.updates}
        with open(os.path.join(folder, "book.json"), "w") as f:
            json.dump(book, f)
        self.learner.save_to(folder)

    def load(self, folder):
        with open(os.path.join(folder, "book.json")) as f:
            book = json.load(f)
        self.steps = book["steps"]
        self.learner.updates = book["updates"]
        self.learner.load_from(folder)
""",
    },
    "another pair of the class has it": """
import torch
class Algo:
    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters())
        self.frame = 0

    def train(self, n):
        while self.frame < n:
            self.optimizer.zero_grad()
            self.model(self.frame).sum().backward()
            self.optimizer.step()
            self.frame += 1

    def get_weights(self):
        return {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}

    def set_weights(self, weights):
        self.model.load_state_dict(weights["model"])
        self.optimizer.load_state_dict(weights["optimizer"])

    def get_full_weights(self):
        state = self.get_weights()
        state["frame"] = self.frame
        return state

    def set_full_weights(self, weights):
        self.set_weights(weights)
        self.frame = weights["frame"]
""",
    "a flag that the restored count turns again": """
class Warm:
    def __init__(self):
        self.steps = 0
        self.warm = False

    def step(self):
        self.steps += 1
        if self.steps >= 100:
            self.warm = True

    def rate(self):
        return 1.0 if self.warm else 0.1

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]
""",
    "set-up adapts a size": """
class Store:
    def __init__(self, size):
        self.size = int(size)
        self.index = 0

    def _init_rows(self, width):
        self.size = self.size // width
        self.rows = [None] * self.size

    def add(self, row):
        self.rows[self.index] = row
        self.index = (self.index + 1) % self.size

    def state_dict(self):
        return {"index": self.index, "rows": self.rows}

    def load_state_dict(self, state):
        self.index = state["index"]
        self.rows = state["rows"]
""",
    "forms that are no pair": """
class Level:
    def __init__(self):
        self.level = 0
        self.streak = 0

    def report(self):
        self.streak += 1
        if self.streak > 4:
            self.level += 1
            self.streak = 0
        return self.level

    def to_dict(self):
        return {"level": self.level}

    @classmethod
    def from_json(cls, text):
        made = cls()
        made.level = int(text)
        return made
""",
    "a rate is given with the optimizer": """
import torch
class Trainer:
    def __init__(self, net, warmup):
        self.net = net
        self.warmup = warmup
        self.optimizer = torch.optim.Adam(net.parameters())
        self.scheduler = make_scheduler(self.optimizer, self.warmup, 0.1)

    def train(self, batch):
        self.optimizer.zero_grad()
        self.net(batch).sum().backward()
        self.optimizer.step()

    def save(self, path):
        torch.save({"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}, path)

    def load(self, path):
        data = torch.load(path)
        self.net.load_state_dict(data["net"])
        self.optimizer.load_state_dict(data["optimizer"])
""",
    "a part beside what trains": """
import torch
class Learner:
    def __init__(self, net):
        self.net = net
        self.opt = torch.optim.SGD(net.parameters(), lr=0.1)
        self.noise = 1.0

    def learn(self, x):
        self.opt.zero_grad()
        (self.net(x) * self.noise).sum().backward()
        self.opt.step()
        self.noise *= 0.9

    def state_dict(self):
        return self.net.state_dict()

    def load_state_dict(self, state):
        self.net.load_state_dict(state)
""",
}

FOUND: dict[str, Case] = {
    "lightning callback state": """
import lightning as L
import torch
class EmaCallback(L.Callback):
    def __init__(self, decay=0.999):
        self.decay = decay
        self.shadow = {}
        self.num_updates = 0

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.num_updates += 1
        decay = min(self.decay, (1 + self.num_updates) / (10 + self.num_updates))
        for name, p in module.named_parameters():
            if name in self.shadow:
                self.shadow[name] = decay * self.shadow[name] + (1 - decay) * p.detach()
            else:
                self.shadow[name] = p.detach().clone()

    def state_dict(self):  # CKP207
        return {"shadow": self.shadow}

    def load_state_dict(self, state):
        self.shadow = state["shadow"]
""",
    "lightning module hooks": """
import lightning as L
import torch
from torch import nn
class Lit(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(2, 2)
        self.temperature = 5.0
        self.best = 0.0

    def training_step(self, batch, idx):
        out = self.net(batch) / self.temperature
        return out.sum()

    def on_train_epoch_end(self):
        self.temperature = max(0.5, self.temperature * 0.9)

    def on_save_checkpoint(self, checkpoint):  # CKP207
        checkpoint["best"] = self.best

    def on_load_checkpoint(self, checkpoint):
        self.best = checkpoint["best"]
""",
    "npz pair": """
import numpy as np
class Tracker:
    def __init__(self, n):
        self.counts = np.zeros(n)
        self.total = 0
        self.decay = 1.0

    def visit(self, i):
        self.counts[i] += 1
        self.total += 1

    def bonus(self, i):
        return np.sqrt(np.log(self.total) / self.counts[i])

    def save(self, path):  # CKP207
        np.savez(path, counts=self.counts)

    def load(self, path):
        data = np.load(path)
        self.counts = data["counts"]
""",
    "pickle of a dict": """
import pickle
class Scheduler:
    def __init__(self):
        self.level = 0
        self.streak = 0

    def report(self, won):
        if won:
            self.streak += 1
        else:
            self.streak = 0
        if self.streak >= 5:
            self.level += 1
            self.streak = 0

    def current(self):
        return self.level

    def save(self, path):  # CKP207
        with open(path, "wb") as f:
            pickle.dump({"level": self.level}, f)

    def load(self, path):
        with open(path, "rb") as f:
            self.level = pickle.load(f)["level"]
""",
    "dataclass state": """
from dataclasses import dataclass, field
import torch
@dataclass
class Loss:
    alpha: float = 1.0
    beta: float = 0.5
    steps: int = 0

    def __call__(self, a, b):
        self.steps += 1
        if self.steps > 100:
            self.alpha *= 0.99
        return self.alpha * a + self.beta * b

    def state_dict(self):  # CKP207
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]
""",
    "helper outside the class": """
import torch
class Trainer:
    def __init__(self, net):
        self.net = net
        self.opt = torch.optim.Adam(net.parameters())
        self.kl_coef = 0.2
        self.step = 0

    def train_step(self, batch):
        loss, kl = self.net(batch)
        (loss + self.kl_coef * kl).backward()
        self.opt.step()
        self.opt.zero_grad()
        self.step += 1
        if kl > 0.02:
            self.kl_coef *= 1.5
        else:
            self.kl_coef /= 1.5

def save_checkpoint(trainer, path):
    torch.save({"net": trainer.net.state_dict(), "opt": trainer.opt.state_dict(), "step": trainer.step}, path)  # CKP204

def load_checkpoint(trainer, path):
    c = torch.load(path)
    trainer.net.load_state_dict(c["net"])
    trainer.opt.load_state_dict(c["opt"])
    trainer.step = c["step"]

def main():
    t = Trainer(torch.nn.Linear(1, 1))
    load_checkpoint(t, "x")
    for b in range(10):
        t.train_step(b)
    save_checkpoint(t, "x")
main()
""",
    "static from_dict constructor": """
class Bandit:
    def __init__(self, n):
        self.values = [0.0] * n
        self.counts = [0] * n
        self.t = 0
        self.epsilon = 0.3

    def pull(self, rng):
        self.t += 1
        self.epsilon = self.epsilon * 0.999
        if rng.random() < self.epsilon:
            return rng.integers(len(self.values))
        return max(range(len(self.values)), key=lambda i: self.values[i])

    def to_dict(self):  # CKP207
        return {"values": self.values, "counts": self.counts, "t": self.t}

    @classmethod
    def from_dict(cls, data):
        self = cls(len(data["values"]))
        self.values = data["values"]
        self.counts = data["counts"]
        self.t = data["t"]
        return self
""",
    "getstate excludes a pool and a count": """
class Pool:
    def __init__(self):
        self.index = 0
        self.rounds = 0

    def __next__(self):
        self.index += 1
        if self.index > 10:
            self.index = 0
            self.rounds += 1
        return self.index + self.rounds * 10

    def get_state(self):  # CKP207
        return {"index": self.index}

    def set_state(self, state):
        self.index = state["index"]
""",
    "tuple state": """
class Rng:
    def __init__(self, seed):
        self.seed = seed
        self.calls = 0
        self.carry = 0

    def draw(self):
        self.calls += 1
        self.carry = (self.carry * 31 + self.seed) % 1000
        return self.carry + self.calls

    def get_state(self):  # CKP207
        return (self.seed, self.calls)

    def set_state(self, state):
        self.seed, self.calls = state
""",
    "property rates from a nested config dict": """
import torch
class Agent:
    def __init__(self, cfg):
        self.eps = cfg["eps_start"]
        self.eps_min = cfg["eps_min"]
        self.net = torch.nn.Linear(2, 2)
        self.optim = torch.optim.Adam(self.net.parameters())
        self.updates = 0

    def act(self, x, rng):
        if rng.random() < self.eps:
            return 0
        return self.net(x).argmax().item()

    def update(self, x):
        self.optim.zero_grad()
        self.net(x).sum().backward()
        self.optim.step()
        self.updates += 1
        if self.eps > self.eps_min:
            self.eps -= 0.01

    def save_model(self, path):  # CKP207
        torch.save({"net": self.net.state_dict(), "optim": self.optim.state_dict(), "updates": self.updates}, path)

    def load_model(self, path):
        c = torch.load(path)
        self.net.load_state_dict(c["net"])
        self.optim.load_state_dict(c["optim"])
        self.updates = c["updates"]
""",
    "a curriculum as json": """
import json
class Curriculum:
    def __init__(self):
        self.level = 0
        self.streak = 0

    def report(self, won):
        self.streak = self.streak + 1 if won else 0
        if self.streak >= 5:
            self.level += 1
            self.streak = 0
        return self.level

    def to_json(self):  # CKP207
        return json.dumps({"level": self.level})

    @classmethod
    def from_json(cls, text):
        made = cls()
        made.level = json.loads(text)["level"]
        return made
""",
    "runner saves its algorithm": {
        "alg.py": """
import torch
class PPO:
    def __init__(self, actor_critic, learning_rate=1e-3, schedule="adaptive", desired_kl=0.01):
        self.actor_critic = actor_critic
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.desired_kl = desired_kl
        self.optimizer = torch.optim.Adam(self.actor_critic.parameters(), lr=learning_rate)

    def update(self, batch):
        for obs, kl_mean in batch:
            if self.desired_kl is not None and self.schedule == "adaptive":
                if kl_mean > self.desired_kl * 2.0:
                    self.learning_rate = max(1e-5, self.learning_rate / 1.5)
                elif kl_mean < self.desired_kl / 2.0:
                    self.learning_rate = min(1e-2, self.learning_rate * 1.5)
                for group in self.optimizer.param_groups:
                    group["lr"] = self.learning_rate
            self.optimizer.zero_grad()
            self.actor_critic(obs).sum().backward()
            self.optimizer.step()
""",
        "runner.py": """
import torch
from alg import PPO
class Runner:
    def __init__(self, env, net):
        self.env = env
        self.alg = PPO(net)
        self.current_iteration = 0

    def learn(self, n):
        for it in range(self.current_iteration, self.current_iteration + n):
            self.alg.update(self.env.rollout())
            self.save(f"model_{it}.pt")
        self.current_iteration += n

    def save(self, path):
        torch.save({  # CKP204
            "model": self.alg.actor_critic.state_dict(),
            "optimizer": self.alg.optimizer.state_dict(),
            "iter": self.current_iteration,
        }, path)

    def load(self, path):
        loaded = torch.load(path)
        self.alg.actor_critic.load_state_dict(loaded["model"])
        self.alg.optimizer.load_state_dict(loaded["optimizer"])
        self.current_iteration = loaded["iter"]
""",
    },
    "callback of transformers that keeps a count": """
from transformers import TrainerCallback
class Patience(TrainerCallback):
    def __init__(self, patience):
        self.patience = patience
        self.best = None
        self.bad = 0

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        loss = metrics["eval_loss"]
        if self.best is None or loss < self.best:
            self.best = loss
            self.bad = 0
        else:
            self.bad += 1
        if self.bad >= self.patience:
            control.should_training_stop = True
        return control

    def state(self):  # CKP207
        return {"args": {"patience": self.patience}, "attributes": {"best": self.best}}

    def load_state(self, state):
        self.best = state["attributes"]["best"]
""",
    "accelerate custom object": """
class Sampler:
    def __init__(self, n):
        self.n = n
        self.epoch = 0
        self.cursor = 0
        self.temperature = 1.0

    def draw(self, rng):
        self.cursor += 1
        if self.cursor == self.n:
            self.cursor = 0
            self.epoch += 1
            self.temperature *= 0.9
        return rng.random() / self.temperature + self.epoch

    def state_dict(self):  # CKP207
        return dict(epoch=self.epoch, cursor=self.cursor)

    def load_state_dict(self, state):
        self.epoch, self.cursor = state["epoch"], state["cursor"]
""",
    "hydra config epsilon": """
import torch
class DqnAgent:
    def __init__(self, cfg, net):
        self.cfg = cfg
        self.net = net
        self.optimizer = torch.optim.Adam(net.parameters(), lr=cfg.lr)
        self.exploration = cfg.agent.exploration.start

    def select(self, obs):
        if torch.rand(1).item() < self.exploration:
            return 0
        return self.net(obs).argmax()

    def update(self, batch):
        loss = self.net(batch).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.exploration = max(self.cfg.agent.exploration.end, self.exploration - self.cfg.agent.exploration.step)

    def save(self, directory):  # CKP207
        torch.save(self.net.state_dict(), f"{directory}/net.pt")
        torch.save(self.optimizer.state_dict(), f"{directory}/optimizer.pt")

    def load(self, directory):
        self.net.load_state_dict(torch.load(f"{directory}/net.pt"))
        self.optimizer.load_state_dict(torch.load(f"{directory}/optimizer.pt"))
""",
    "beta of prioritized replay": """
import torch
import numpy as np
class Replay:
    def __init__(self, size, alpha=0.6, beta=0.4, inc=0.001):
        self.size = size
        self.data = []
        self.beta = beta
        self.inc = inc
        self.alpha = alpha
        self.priorities = np.zeros(size)
        self.max_priority = 1.0

    def add(self, item):
        if len(self.data) < self.size:
            self.data.append(item)
        self.priorities[len(self.data) - 1] = self.max_priority

    def sample(self, n):
        self.beta = min(1.0, self.beta + self.inc)
        p = self.priorities[: len(self.data)] ** self.alpha
        p = p / p.sum()
        idx = np.random.choice(len(self.data), n, p=p)
        return idx, (len(self.data) * p[idx]) ** (-self.beta)

    def update(self, idx, values):
        self.priorities[idx] = values
        self.max_priority = max(self.max_priority, values.max())

    def state_dict(self):  # CKP207
        return {"data": self.data, "priorities": self.priorities}

    def load_state_dict(self, state):
        self.data = state["data"]
        self.priorities = state["priorities"]
""",
    "sac with automatic temperature in a trainer of files": """
import torch
class Sac:
    def __init__(self, actor, target_entropy):
        self.actor = actor
        self.actor_optim = torch.optim.Adam(actor.parameters())
        self.target_entropy = target_entropy
        self.updates = 0
        self.noise_scale = 0.5

    def update(self, x):
        self.actor_optim.zero_grad()
        (self.actor(x) + self.noise_scale * torch.randn(1)).sum().backward()
        self.actor_optim.step()
        self.updates += 1
        if self.updates % 100 == 0:
            self.noise_scale *= 0.9

    def save_checkpoint(self, folder):  # CKP207
        torch.save(self.actor.state_dict(), folder + "/actor.pt")
        torch.save(self.actor_optim.state_dict(), folder + "/actor_optim.pt")

    def load_checkpoint(self, folder):
        self.actor.load_state_dict(torch.load(folder + "/actor.pt"))
        self.actor_optim.load_state_dict(torch.load(folder + "/actor_optim.pt"))
""",
    "the optimizer is the part": """
import torch
class Learner:
    def __init__(self, net):
        self.net = net
        self.opt = torch.optim.SGD(net.parameters(), lr=0.1)
        self.noise = 1.0

    def learn(self, x):
        self.opt.zero_grad()
        (self.net(x) * self.noise).sum().backward()
        self.opt.step()
        self.noise *= 0.9

    def state_dict(self):  # CKP207
        return self.opt.state_dict()

    def load_state_dict(self, state):
        self.opt.load_state_dict(state)
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_is_left(case: Case) -> None:
    check_findings(case)
