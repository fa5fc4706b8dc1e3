"""CKP204: averages that a load copies from the live network, and optimizers beside inherited hooks."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

LEFT = """
import copy
import torch


class Ddpg:
    def __init__(self, actor):
        self.actor = actor
        self.slow_actor = copy.deepcopy(self.actor)
        self.opt = torch.optim.Adam(self.actor.parameters(), lr=3e-4)

    def mix(self, net, slow, tau):
        for one, other in zip(net.parameters(), slow.parameters()):
            other.data.copy_(tau * one.data + (1 - tau) * other.data)

    def train(self, batch):
        loss = (self.actor(batch) - self.slow_actor(batch)).mean()
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.mix(self.actor, self.slow_actor, 0.005)

    def save(self, path):
        torch.save({{"actor": self.actor.state_dict(), "opt": self.opt.state_dict()}}, path){mark}

    def load(self, path):
        c = torch.load(path)
        self.actor.load_state_dict(c["actor"])
        self.opt.load_state_dict(c["opt"])
"""
TAKES = """
import torch
{first}

class Other{base}:

    def export(self, path):
        torch.save({taken}.state_dict(), path)
"""


def beside(taken: str, *, base: str = "", mark: str = "") -> dict[str, str]:
    """Return a class that leaves its average out of the file, and another one that takes the state of one."""
    first = f"from agent import {base}" if base else ""
    other = TAKES.format(taken=taken, first=first, base=f"({base})" if base else "")
    return {"agent.py": LEFT.format(mark=mark), "other.py": other}


SILENT: dict[str, Case] = {
    "a derived class takes the state": beside("self.slow_actor", base="Ddpg"),
    "a holder takes the state": beside("self.agent.slow_actor"),
    "hard copy every n steps": """
import copy
import torch
class Dqn:
    def __init__(self, net):
        self.net = net
        self.target = copy.deepcopy(self.net)
        self.opt = torch.optim.Adam(self.net.parameters(), lr=3e-4)
        self.steps = 0

    def learn(self, batch):
        loss = (self.net(batch) - self.target(batch)).mean()
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.steps += 1
        if self.steps % 1000 == 0:
            self.target.load_state_dict(self.net.state_dict())

    def save(self, path):
        torch.save({"net": self.net.state_dict(), "opt": self.opt.state_dict(), "steps": self.steps}, path)

    def load(self, path):
        ckpt = torch.load(path)
        self.net.load_state_dict(ckpt["net"])
        self.opt.load_state_dict(ckpt["opt"])
        self.steps = ckpt["steps"]
        self.target.load_state_dict(self.net.state_dict())
""",
    "weights for use": """
import copy
import torch
def soft_update(target, source, tau):
    for tp, sp in zip(target.parameters(), source.parameters()):
        tp.data.copy_((1 - tau) * tp.data + tau * sp.data)

class Ddpg:
    def __init__(self, actor):
        self.actor = actor
        self.actor_target = copy.deepcopy(self.actor)
        self.opt = torch.optim.Adam(self.actor.parameters(), lr=3e-4)

    def learn(self, batch):
        loss = (self.actor(batch) - self.actor_target(batch)).mean()
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        soft_update(self.actor_target, self.actor, 0.01)

    def save(self, path):
        torch.save(self.actor.state_dict(), path)

    def load(self, path):
        self.actor.load_state_dict(torch.load(path))
        self.actor_target = copy.deepcopy(self.actor)
""",
    "the target is restored afterwards": """
import copy
import torch
def soft_update(target, source, tau):
    for tp, sp in zip(target.parameters(), source.parameters()):
        tp.data.copy_((1 - tau) * tp.data + tau * sp.data)

class Sac:
    def __init__(self, actor):
        self.actor = actor
        self.actor_target = copy.deepcopy(self.actor)
        self.opt = torch.optim.Adam(self.actor.parameters(), lr=3e-4)

    def learn(self, batch):
        loss = (self.actor(batch) - self.actor_target(batch)).mean()
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        soft_update(self.actor_target, self.actor, 0.01)

    def save(self, path):
        networks = {"actor": self.actor.state_dict(), "target": self.actor_target.state_dict()}
        torch.save({**networks, "opt": self.opt.state_dict()}, path)

    def load(self, path):
        c = torch.load(path)
        self.actor.load_state_dict(c["actor"])
        self.opt.load_state_dict(c["opt"])
        self.actor_target = copy.deepcopy(self.actor)
        if "target" in c:
            self.actor_target.load_state_dict(c["target"])
""",
    "subclass has own hooks": """
import torch
class Base:
    def optim_state_dict(self):
        return self.optimizer.state_dict()

    def load_optim_state_dict(self, state):
        self.optimizer.load_state_dict(state)

class Ppo(Base):
    def __init__(self, agent, encoder):
        self.optimizer = torch.optim.Adam(agent.parameters())
        self.ul_optimizer = torch.optim.Adam(encoder.parameters())
        self.agent = agent
        self.encoder = encoder

    def optimize(self, batch):
        self.optimizer.zero_grad()
        self.agent.loss(batch).backward()
        self.optimizer.step()
        self.ul_optimizer.zero_grad()
        self.encoder.loss(batch).backward()
        self.ul_optimizer.step()

    def optim_state_dict(self):
        return dict(model=self.optimizer.state_dict(), ul=self.ul_optimizer.state_dict())

    def load_optim_state_dict(self, state_dict):
        self.optimizer.load_state_dict(state_dict["model"])
        self.ul_optimizer.load_state_dict(state_dict["ul"])
""",
}

FOUND: dict[str, Case] = {
    "a payload of hooks and of a file": LEFT.format(mark="  # CKP204")
    .replace("torch.save({", "state = {")
    .replace(")}, path)", ")}\n        torch.save(state, path)")
    .replace("def save(", "def save_models(")
    .replace("def load(", "def load_models("),
    "another class takes the state of its own average": beside("self.slow_actor", mark="  # CKP204"),
    "an average of a function": """
import copy
import torch
def soft_update(target, source, tau):
    for tp, sp in zip(target.parameters(), source.parameters()):
        tp.data.copy_((1 - tau) * tp.data + tau * sp.data)

class Iql:
    def __init__(self, qf, opt, tau):
        self.qf = qf
        self.q_target = copy.deepcopy(self.qf).requires_grad_(False)
        self.q_optimizer = opt
        self.tau = tau

    def train(self, batch):
        with torch.no_grad():
            target = self.q_target(batch)
        loss = (self.qf(batch) - target).pow(2).mean()
        self.q_optimizer.zero_grad()
        loss.backward()
        self.q_optimizer.step()
        soft_update(self.q_target, self.qf, self.tau)

    def state_dict(self):
        return {"qf": self.qf.state_dict(), "q_optimizer": self.q_optimizer.state_dict()}

    def load_state_dict(self, state):
        self.qf.load_state_dict(state["qf"])
        self.q_optimizer.load_state_dict(state["q_optimizer"])
        self.q_target = copy.deepcopy(self.qf)  # CKP204
""",
    "an average in a loop": """
import copy
import torch
class TD3:
    def __init__(self, actor, critic):
        self.actor = actor
        self.actor_target = copy.deepcopy(self.actor)
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=3e-4)
        self.tau = 0.005

    def train(self, batch):
        loss = (self.actor(batch) - self.actor_target(batch)).mean()
        self.actor_optimizer.zero_grad()
        loss.backward()
        self.actor_optimizer.step()
        for param, target_param in zip(self.actor.parameters(), self.actor_target.parameters()):
            target_param.data.copy_(self.tau * param.data + (1 - self.tau) * target_param.data)

    def save(self, filename):
        torch.save(self.actor.state_dict(), filename + "_actor")
        torch.save(self.actor_optimizer.state_dict(), filename + "_actor_optimizer")

    def load(self, filename):
        self.actor.load_state_dict(torch.load(filename + "_actor"))
        self.actor_optimizer.load_state_dict(torch.load(filename + "_actor_optimizer"))
        self.actor_target = copy.deepcopy(self.actor)  # CKP204
""",
    "by load_state_dict of the live one": """
import torch
class Sac:
    def __init__(self, critic, target, tau):
        self.critic = critic
        self.critic_target = target
        self.opt = torch.optim.Adam(self.critic.parameters(), lr=3e-4)
        self.tau = tau

    def polyak(self, flag=True):
        self.mixed = flag
        for a, b in zip(self.critic_target.parameters(), self.critic.parameters()):
            a.data.mul_(1 - self.tau)
            a.data.add_(self.tau * b.data)

    def learn(self, batch):
        loss = (self.critic(batch) - self.critic_target(batch)).mean()
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.polyak()

    def save(self, path):
        torch.save({"critic": self.critic.state_dict(), "opt": self.opt.state_dict()}, path)

    def load(self, path):
        ckpt = torch.load(path)
        self.critic.load_state_dict(ckpt["critic"])
        self.opt.load_state_dict(ckpt["opt"])
        self.critic_target.load_state_dict(self.critic.state_dict())  # CKP204
""",
    "load leaves the average alone": """
import copy
import torch
class TD3:
    def __init__(self, actor):
        self.actor = actor
        self.actor_target = copy.deepcopy(self.actor)
        self.opt = torch.optim.Adam(self.actor.parameters(), lr=3e-4)
        self.tau = 0.005

    def train(self, batch):
        loss = (self.actor(batch) - self.actor_target(batch)).mean()
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        for param, target_param in zip(self.actor.parameters(), self.actor_target.parameters()):
            target_param.data.copy_(self.tau * param.data + (1 - self.tau) * target_param.data)

    def save(self, path):
        torch.save({"actor": self.actor.state_dict(), "opt": self.opt.state_dict()}, path)  # CKP204

    def load(self, path):
        c = torch.load(path)
        self.actor.load_state_dict(c["actor"])
        self.opt.load_state_dict(c["opt"])
""",
    "parameters given to a helper, a member of the base": {
        "base.py": """
import torch
class Base:
    def soft_update(self, target, source):
        for tp, sp in zip(target.parameters(), source.parameters()):
            tp.data.copy_((1 - self.tau) * tp.data + self.tau * sp.data)
""",
        "sac.py": """
import torch
from copy import deepcopy
from base import Base
class Sac(Base):
    def __init__(self, critic):
        self.critic = critic
        self.critic_target = deepcopy(critic)
        self.tau = 0.01
        self.critic_opt = torch.optim.Adam(self.critic.parameters(), lr=3e-4)

    def learn(self, batch):
        loss = (self.critic(batch) - self.critic_target(batch)).mean()
        self.critic_opt.zero_grad()
        loss.backward()
        self.critic_opt.step()
        self.soft_update(self.critic_target, self.critic)

    def save_checkpoint(self, path):
        torch.save({"critic": self.critic.state_dict(), "critic_opt": self.critic_opt.state_dict()}, path)

    def load_checkpoint(self, path):
        ckpt = torch.load(path)
        self.critic.load_state_dict(ckpt["critic"])
        self.critic_target.load_state_dict(ckpt["critic"])  # CKP204
        self.critic_opt.load_state_dict(ckpt["critic_opt"])
""",
    },
    "inherited optimizer hooks, a second optimizer": """
import torch
class Base:
    def optim_state_dict(self):
        return self.optimizer.state_dict()

    def load_optim_state_dict(self, state):
        self.optimizer.load_state_dict(state)

class Ppo(Base):
    def __init__(self, agent, encoder):
        self.optimizer = torch.optim.Adam(agent.parameters())
        self.ul_optimizer = torch.optim.Adam(encoder.parameters())  # CKP204
        self.agent = agent

    def optimize(self, batch):
        self.optimizer.zero_grad()
        self.agent.loss(batch).backward()
        self.optimizer.step()
        self.ul_optimizer.zero_grad()
        self.encoder.loss(batch).backward()
        self.ul_optimizer.step()
""",
    "inherited state_dict hooks, a second optimizer": """
import torch
class Base:
    def state_dict(self):
        return {"agent": self.agent.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state):
        self.agent.load_state_dict(state["agent"])
        self.optimizer.load_state_dict(state["optimizer"])

class Ppo(Base):
    def __init__(self, agent, encoder):
        self.optimizer = torch.optim.Adam(agent.parameters())
        self.ul_optimizer = torch.optim.Adam(agent.parameters())  # CKP204
        self.agent = agent

    def optimize(self, batch):
        self.optimizer.zero_grad()
        self.agent.loss(batch).backward()
        self.optimizer.step()
        self.ul_optimizer.zero_grad()
        self.agent.loss2(batch).backward()
        self.ul_optimizer.step()
""",
    "made through a class attribute, in another file": {
        "base.py": """
class Algo:
    def optim_state_dict(self):
        return self.optimizer.state_dict()

    def load_optim_state_dict(self, state_dict):
        self.optimizer.load_state_dict(state_dict)
""",
        "ppo.py": """
import torch
from base import Algo

class Ppo(Algo):
    def __init__(self, OptimCls=torch.optim.Adam, lr=1e-3, initial=None):
        self.OptimCls = OptimCls
        self.lr = lr
        self.initial = initial

    def initialize(self, agent, encoder):
        self.agent = agent
        self.encoder = encoder
        self.optimizer = self.OptimCls(agent.parameters(), lr=self.lr)
        self.ul_optimizer = self.OptimCls(encoder.parameters(), lr=self.lr)  # CKP204
        if self.initial is not None:
            self.optimizer.load_state_dict(self.initial)

    def optimize(self, batch):
        self.optimizer.zero_grad()
        self.agent.loss(batch).backward()
        self.optimizer.step()
        self.ul_optimizer.zero_grad()
        self.encoder.loss(batch).backward()
        self.ul_optimizer.step()
""",
        "run.py": """
import torch
def save(algo, agent, path):
    torch.save(dict(agent=agent.state_dict(), optimizer=algo.optim_state_dict()), path)
""",
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_lost_objects(case: Case) -> None:
    check_findings(case)
