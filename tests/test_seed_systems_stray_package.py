"""Save wrappers and the code that resumes, in repositories whose `src` has an `__init__.py` that makes it no package.

The modules import each other as they are installed, from `src` on; each system is built in three ways of its own,
beside the mended ones.
"""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

STATISTICS = """
import numpy as np


class Statistics:
    def __init__(self, shape):
        self.mean, self.var, self.count = np.zeros(shape), np.ones(shape), 1e-4

    def update(self, batch):
        total = self.count + len(batch)
        self.mean = self.mean + (batch.mean(0) - self.mean) * len(batch) / total
        self.var = self.var + (batch.var(0) - self.var) * len(batch) / total
        self.count = total

    def normalize(self, batch):
        return (batch - self.mean) / np.sqrt(self.var + 1e-8)
"""
# ---- an agent's save with an optional argument, which the loop that resumes leaves out ----
AGENT = """
import torch
from torch import nn


class Agent:
    def __init__(self, size):
        self.policy = nn.Linear(size, 2)
        self.optimizer = torch.optim.Adam(self.policy.parameters())
        self.steps = 0

    def learn(self, batch):
        self.optimizer.zero_grad()
        self.policy(batch).mean().backward()
        self.optimizer.step()
        self.steps += 1

    def save(self, path, metadata=None):
        state = {
            "policy": self.policy.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.steps,
        }
        if metadata:
            state["metadata"] = metadata
        torch.save(state, path)

    @classmethod
    def load(cls, path, size):
        state = torch.load(path)
        agent = cls(size)
        agent.policy.load_state_dict(state["policy"])
        agent.optimizer.load_state_dict(state["optimizer"])
        agent.steps = state["steps"]
        return agent
"""
LOOP = """
import torch

from rig.agents.ppo import Agent
from rig.statistics import Statistics


def train(batches, size, path, resume_path=None):
    observed = Statistics(size)
    if resume_path:
        state = torch.load(resume_path)
        metadata = state.get("metadata", {{}})
        if "mean" in metadata:
            observed.mean = metadata["mean"]
            observed.var = metadata["var"]
            observed.count = metadata["count"]
        agent = Agent.load(resume_path, size)
    else:
        agent = Agent(size)
    for batch in batches:
        observed.update(batch)
        agent.learn(torch.as_tensor(observed.normalize(batch)))
    agent.save(path{given}){marker}
"""
GIVEN = ', metadata={"mean": observed.mean, "var": observed.var, "count": observed.count}'
# ---- two functions of a module that scripts import, one of which is given what to keep beside the network ----
STORE = """
import torch as th


def write_run(path, network, **others):
    record = dict(others, network=network.state_dict())
    th.save(record, path)


def read_run(path, network):
    record = th.load(path)
    network.load_state_dict(record.pop("network"))
    return record
"""
SCRIPT = """
import sys

import torch as th

sys.path.insert(0, "src")

from lab.store import read_run
from lab.store import write_run


def main(network, batches, path, again):
    adam = th.optim.Adam(network.parameters())
    plan = th.optim.lr_scheduler.CosineAnnealingLR(adam, 100)
    if again:
        record = read_run(path, network)
        adam.load_state_dict(record["adam"])
        plan.load_state_dict(record["plan"]){read}
    for batch in batches:
        adam.zero_grad()
        network(batch).mean().backward()
        adam.step()
        plan.step()
    write_run(path, network, adam=adam.state_dict(){more})
"""
# ---- a base class that saves, a subclass in another package of `src` that resumes ----
BASE = """
import torch


class Recorder:
    def snapshot(self, path):
        torch.save({{"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(){more}}}, path)
"""
RUNNER = """
import torch
from core.recorder import Recorder


class Runner(Recorder):
    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.AdamW(model.parameters())
        self.seen = 0

    def restore(self, path):
        state = torch.load(path)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.seen = state["seen"]{marker}

    def run(self, batches, path):
        for batch in batches:
            if self.seen >= 1000:
                break
            self.optimizer.zero_grad()
            self.model(batch).mean().backward()
            self.optimizer.step()
            self.seen += len(batch)
        self.snapshot(path)
"""


def with_agent(given: str, marker: str = "") -> Case:
    """Return the agent, its statistics and the loop, each in a package of its own."""
    return {
        "src/__init__.py": "",
        "src/rig/__init__.py": "",
        "src/rig/agents/__init__.py": "from rig.agents.ppo import Agent\n",
        "src/rig/agents/ppo.py": AGENT,
        "src/rig/statistics.py": STATISTICS,
        "src/rig/loops/__init__.py": "",
        "src/rig/loops/vectorized.py": LOOP.format(given=given, marker=marker),
    }


def with_store(more: str, read: str = "") -> Case:
    """Return the functions and a script beside `src`."""
    return {
        "src/__init__.py": "",
        "src/lab/store.py": STORE,
        "scripts/train.py": SCRIPT.format(more=more, read=read),
    }


def with_base(more: str, marker: str = "") -> Case:
    """Return the base class and the class that derives from it."""
    return {
        "src/__init__.py": '"""Nothing."""\n',
        "src/core/__init__.py": "",
        "src/core/recorder.py": BASE.format(more=more),
        "src/runs/__init__.py": "",
        "src/runs/runner.py": RUNNER.format(marker=marker),
    }


MENDED: dict[str, Case] = {
    "the loop gives the metadata": with_agent(GIVEN),
    "the script gives the plan": with_store(", plan=plan.state_dict()"),
    "the base class saves what was seen": with_base(', "seen": self.seen'),
}
LOST: dict[str, Case] = {
    "the loop leaves the metadata out": with_agent("", "  # CKP201"),
    "the script leaves the plan out": with_store("", "  # CKP202"),
    "the base class does not know what was seen": with_base("", "  # CKP202"),
}


@cases(MENDED)
def test_mended_system_is_silent(case: Case) -> None:
    check_silent(case)


@cases(LOST)
def test_lost_state_is_found(case: Case) -> None:
    check_findings(case)
