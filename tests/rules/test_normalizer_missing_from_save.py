"""CKP201: load restores statistics of a normalizer that save leaves out."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

NORMALIZER = """
import numpy as np


class RunningMeanStd:
    def __init__(self, size):
        self.mean = np.zeros(size)
        self.var = np.ones(size)
        self.count = 1e-4

    def update(self, batch):
        total = self.count + len(batch)
        delta = batch.mean(axis=0) - self.mean
        self.mean = self.mean + delta * len(batch) / total
        self.var = self.var + (batch.var(axis=0) - self.var) * len(batch) / total
        self.count = total

    def normalize(self, x):
        return (x - self.mean) / np.sqrt(self.var + 1e-8)

    def state_dict(self):
        return {"mean": self.mean, "var": self.var, "count": self.count}

    def load_state_dict(self, state):
        self.mean = state["mean"]
        self.var = state["var"]
        self.count = state["count"]
"""
AGENT = """
import pickle

import torch
from torch import nn
from normalization import RunningMeanStd


class Agent:
    def __init__(self, size):
        self.policy = nn.Linear(size, 2)
        self.obs_rms = RunningMeanStd(size)

    def act(self, obs):
        self.obs_rms.update(obs)
        return self.policy(torch.as_tensor(self.obs_rms.normalize(obs)))
"""
LOAD = """
    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        self.obs_rms.load_state_dict(payload["obs_rms"])
"""
SAVE = """
    def save(self, path):
        torch.save({"policy": self.policy.state_dict(), "obs_rms": self.obs_rms.state_dict()}, path)
"""
WRAPPER = """
import torch
from torch import nn


class Agent:
    def __init__(self, size):
        self.policy = nn.Linear(size, 2)

    def act(self, obs):
        return self.policy(torch.as_tensor(obs))

    def save(self, path, metadata=None):
        payload = {"policy": self.policy.state_dict()}
        if metadata:
            payload["metadata"] = metadata
        torch.save(payload, path)

    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        return payload.get("metadata", {})
"""
TRAIN = """
from agent import Agent
from normalization import RunningMeanStd


def train(envs, resume_path, save_path):
    agent = Agent(8)
    obs_rms = RunningMeanStd(8)
    if resume_path is not None:
        metadata = agent.load(resume_path)
        if "obs_mean" in metadata:
            obs_rms.mean = metadata["obs_mean"]
            obs_rms.var = metadata["obs_var"]
            obs_rms.count = metadata["obs_count"]
    for obs in envs:
        obs_rms.update(obs)
        agent.act(obs_rms.normalize(obs))
"""
STATISTICS = """
    statistics = {"obs_mean": obs_rms.mean, "obs_var": obs_rms.var, "obs_count": obs_rms.count}
"""
TRAIN_ON_ONE_FILE = """
from agent import Agent
from normalization import RunningMeanStd


def train(envs, resume):
    agent = Agent(8)
    obs_rms = RunningMeanStd(8)
    if resume:
        metadata = agent.load("last.pt")
        if "obs_mean" in metadata:
            obs_rms.mean = metadata["obs_mean"]
            obs_rms.var = metadata["obs_var"]
            obs_rms.count = metadata["obs_count"]
    for obs in envs:
        obs_rms.update(obs)
        agent.act(obs_rms.normalize(obs))
"""


def agent(methods: str, **others: str) -> dict[str, str]:
    """Return an agent with a normalizer of its own, in a file beside the normalizer's."""
    files = {f"{name}.py": source for name, source in others.items()}
    return {"normalization.py": NORMALIZER, "agent.py": AGENT + methods, **files}


def ticket(train: str, **others: str) -> dict[str, str]:
    """Return a training script whose normalizer travels in an optional argument of the agent's save."""
    files = {f"{name}.py": source for name, source in others.items()}
    return {"normalization.py": NORMALIZER, "agent.py": WRAPPER, "train.py": train, **files}


def line_of(source: str, text: str) -> int:
    """Return the first line that holds a text."""
    return next(number for number, line in enumerate(source.splitlines(), start=1) if text in line)


SILENT: dict[str, Case] = {
    "another save to the same file holds what is not known": """
import torch


def save(model):
    torch.save({"model": model.state_dict()}, "last.pt")


def save_all(model, more):
    torch.save({"model": model.state_dict(), **more}, "last.pt")


def load(model, normalizer):
    checkpoint = torch.load("last.pt")
    model.load_state_dict(checkpoint["model"])
    normalizer.load_state_dict(checkpoint["normalizer"])
""",
    "both sides have the statistics": agent(SAVE + LOAD),
    "metadata is given by keyword": ticket(
        TRAIN + STATISTICS + "    agent.save(save_path, metadata=statistics)\n"
    ),
    "metadata is given by position": ticket(TRAIN + STATISTICS + "    agent.save(save_path, statistics)\n"),
    "an export without metadata goes to another file": ticket(
        TRAIN_ON_ONE_FILE
        + STATISTICS
        + """
    agent.save("last.pt", metadata=statistics)
    agent.save("policy_for_the_robot.pt")
"""
    ),
    "an export script of its own writes the policy only": agent(
        SAVE + LOAD,
        train="""
from agent import Agent


def train(envs, resume):
    agent = Agent(8)
    if resume:
        agent.load("last.pt")
    for obs in envs:
        agent.act(obs)
    agent.save("last.pt")
""",
        export="""
import torch
from torch import nn


def export(policy: nn.Module):
    torch.save({"policy": policy.state_dict(), "format": 2}, "policy_for_the_robot.pt")
""",
    ),
    "the statistics are buffers of the saved policy": """
import torch
from torch import nn


class RunningNorm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("var", torch.ones(size))
        self.register_buffer("count", torch.tensor(1e-4))

    def update(self, batch):
        total = self.count + len(batch)
        self.mean += (batch.mean(0) - self.mean) * len(batch) / total
        self.var += (batch.var(0) - self.var) * len(batch) / total
        self.count += len(batch)

    def forward(self, x):
        return (x - self.mean) / (self.var + 1e-8).sqrt()


class Policy(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.norm = RunningNorm(size)
        self.head = nn.Linear(size, 2)

    def act(self, obs):
        self.norm.update(obs)
        return self.head(self.norm(obs))


def save(policy: Policy, path):
    torch.save({"policy": policy.state_dict()}, path)


def load(policy: Policy, path):
    policy.load_state_dict(torch.load(path)["policy"])
""",
    "a part of the payload is not known": agent(
        """
    def save(self, path):
        from vendor import describe

        torch.save({"policy": self.policy.state_dict(), **describe(self)}, path)
"""
        + LOAD
    ),
    "a helper of another file adds them": agent(
        """
    def save(self, path):
        from payload import add_statistics

        payload = {"policy": self.policy.state_dict()}
        add_statistics(payload, self)
        torch.save(payload, path)
"""
        + LOAD,
        payload="""
def add_statistics(payload, agent):
    payload["obs_rms"] = agent.obs_rms.state_dict()
""",
    ),
    "a star import gives a wrapper that takes all keys as keywords": {
        "normalization.py": NORMALIZER,
        "files.py": """
import torch


def save_checkpoint(path, **state):
    torch.save(state, path)
""",
        "agent.py": "from files import *\n"
        + AGENT
        + """
    def save(self, path):
        save_checkpoint(path, policy=self.policy.state_dict(), obs_rms=self.obs_rms.state_dict())
"""
        + LOAD,
    },
    "the statistics have a file of their own": agent(
        """
    def save(self, folder):
        torch.save({"policy": self.policy.state_dict()}, f"{folder}/policy.pt")
        torch.save(self.obs_rms.state_dict(), f"{folder}/obs_rms.pt")

    def load(self, folder):
        self.policy.load_state_dict(torch.load(f"{folder}/policy.pt")["policy"])
        self.obs_rms.load_state_dict(torch.load(f"{folder}/obs_rms.pt"))
"""
    ),
    "an old key is looked for after the new one": agent(
        SAVE
        + """
    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        if "obs_rms" in payload:
            self.obs_rms.load_state_dict(payload["obs_rms"])
        elif "ob_rms" in payload:
            self.obs_rms.load_state_dict(payload["ob_rms"])
"""
    ),
    "a subclass in another file adds them": {
        "normalization.py": NORMALIZER,
        "base.py": """
import torch


class Runner:
    def __init__(self, policy):
        self.policy = policy

    def extras(self):
        return {}

    def save(self, path):
        payload = {"policy": self.policy.state_dict()}
        payload.update(self.extras())
        torch.save(payload, path)

    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        return payload
""",
        "runner.py": """
from base import Runner
from normalization import RunningMeanStd


class NormalizedRunner(Runner):
    def __init__(self, policy, size):
        super().__init__(policy)
        self.obs_rms = RunningMeanStd(size)

    def act(self, obs):
        self.obs_rms.update(obs)
        return self.policy(self.obs_rms.normalize(obs))

    def extras(self):
        return {"obs_rms": self.obs_rms.state_dict()}

    def load(self, path):
        payload = super().load(path)
        self.obs_rms.load_state_dict(payload["obs_rms"])
""",
    },
    "the whole agent is pickled": agent(
        """

def save(agent: Agent, path):
    with open(path, "wb") as file:
        pickle.dump(agent, file)


def load(path):
    with open(path, "rb") as file:
        agent = pickle.load(file)
    agent.obs_rms.count = min(agent.obs_rms.count, 1e6)
    return agent
"""
    ),
    "a test saves less": ticket(
        TRAIN + STATISTICS + "    agent.save(save_path, metadata=statistics)\n",
        **{
            "tests/test_agent": """
from agent import Agent


def test_reload(tmp_path):
    agent = Agent(8)
    agent.save(tmp_path / "agent.pt")
    assert "obs_mean" not in agent.load(tmp_path / "agent.pt")
"""
        },
    ),
    "the real save is called on an object of unknown class": {
        "agent.py": """
import torch
from torch import nn


class Agent:
    def __init__(self):
        self.policy = nn.Linear(8, 2)

    def save(self, path, metadata=None):
        payload = {"policy": self.policy.state_dict()}
        if metadata:
            payload["metadata"] = metadata
        torch.save(payload, path)

    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        return payload.get("metadata", {})
""",
        "trainer.py": """
from dataclasses import dataclass
from typing import Any


@dataclass
class Trainer:
    agent: Any
    normalizer: Any
    path: str

    def run(self):
        metadata = {"obs_normalizer_mean": self.normalizer.mean.tolist(), "episodes": 3}
        self.agent.save(self.path, metadata=metadata)
""",
        "train.py": """
from agent import Agent
from trainer import Trainer


def main(path, normalizer, resume):
    agent = Agent()
    if resume:
        metadata = agent.load(path)
        if "obs_normalizer_mean" in metadata:
            normalizer.mean = metadata["obs_normalizer_mean"]
    Trainer(agent, normalizer, path).run()
""",
        "audit.py": """
from agent import Agent


def audit(path):
    agent = Agent()
    agent.save(path, metadata={"checked": True})
""",
    },
}

FOUND: dict[str, Case] = {
    "a class that counts what it sees, whatever it is called": {
        "normalization.py": NORMALIZER.replace("RunningMeanStd", "Scale").replace("update(", "see("),
        "agent.py": AGENT.replace("RunningMeanStd", "Scale")
        .replace("obs_rms.update", "scale.see")
        .replace("obs_rms", "scale")
        + """
    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        self.scale.load_state_dict(payload["scale"])

    def save(self, path):
        torch.save({"policy": self.policy.state_dict()}, path)  # CKP201
""",
    },
    "the call leaves out the argument that carries them": ticket(
        TRAIN + "    agent.save(save_path)  # CKP201\n"
    ),
    "the call gives None": ticket(TRAIN + "    agent.save(save_path, metadata=None)  # CKP201\n"),
    "the last call to the same file leaves them out": ticket(
        TRAIN_ON_ONE_FILE
        + STATISTICS
        + """
    agent.save("last.pt", metadata=statistics)
    for obs in envs:
        obs_rms.update(obs)
        agent.act(obs_rms.normalize(obs))
    agent.save("last.pt")  # CKP201
"""
    ),
    "a function is called without its normalizer": {
        "normalization.py": NORMALIZER,
        "files.py": """
import torch


def save_checkpoint(path, policy, normalizer=None):
    payload = {"policy": policy.state_dict()}
    if normalizer is not None:
        payload["normalizer"] = normalizer.state_dict()
    torch.save(payload, path)


def load_checkpoint(path, policy, normalizer=None):
    payload = torch.load(path)
    policy.load_state_dict(payload["policy"])
    if normalizer is not None and "normalizer" in payload:
        normalizer.load_state_dict(payload["normalizer"])
""",
        "train.py": """
from torch import nn
from files import load_checkpoint, save_checkpoint
from normalization import RunningMeanStd


def train(envs, path, resume):
    policy = nn.Linear(8, 2)
    normalizer = RunningMeanStd(8)
    if resume:
        load_checkpoint(path, policy, normalizer)
    for obs in envs:
        normalizer.update(obs)
        policy(normalizer.normalize(obs))
    save_checkpoint(path, policy)  # CKP201
""",
    },
    "the payload has no such key": agent(
        """
    def save(self, path):
        torch.save({"policy": self.policy.state_dict()}, path)  # CKP201
"""
        + LOAD
    ),
    "the payload is built in steps and the guard is never true": agent(
        """
    def save(self, path):
        payload = dict(version=2)
        payload["policy"] = self.policy.state_dict()
        payload.update(size=8)
        torch.save(payload, path)  # CKP201

    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        state = payload.get("obs_rms")
        if state is not None:
            self.obs_rms.load_state_dict(state)
"""
    ),
    "load goes over constant names": agent(
        """
    def save(self, path):
        torch.save({"policy": self.policy.state_dict()}, path)  # CKP201

    def load(self, path):
        payload = torch.load(path)
        for name in ("policy", "obs_rms"):
            getattr(self, name).load_state_dict(payload[name])
"""
    ),
    "the call of a helper hands the payload over": agent(
        "",
        files="""
import torch


def save_checkpoint(state, filename):
    torch.save(state, filename)
""",
        train="""
import torch
from agent import Agent
from files import save_checkpoint


def train(envs, resume):
    agent = Agent(8)
    if resume:
        state = torch.load("last.pt")
        agent.policy.load_state_dict(state["policy"])
        agent.obs_rms.load_state_dict(state["obs_rms"])
    for obs in envs:
        agent.act(obs)
    save_checkpoint({"policy": agent.policy.state_dict()}, "last.pt")  # CKP201
""",
    ),
    "get_weights leaves out what set_weights takes": agent(
        """
    def get_weights(self):
        return {"policy": self.policy.state_dict()}  # CKP201

    def set_weights(self, weights):
        self.policy.load_state_dict(weights["policy"])
        if "obs_rms" in weights:
            self.obs_rms.load_state_dict(weights["obs_rms"])
"""
    ),
    "the hook of a lightning module": {
        "normalization.py": NORMALIZER,
        "controller.py": """
from lightning.pytorch import LightningModule
from torch import nn
from normalization import RunningMeanStd


class Controller(LightningModule):
    def __init__(self, size):
        super().__init__()
        self.policy = nn.Linear(size, 2)
        self.obs_rms = RunningMeanStd(size)
        self.temperature = 1.0

    def training_step(self, batch, index):
        self.obs_rms.update(batch)
        self.temperature *= 0.99
        return self.policy(self.obs_rms.normalize(batch)).mean() * self.temperature

    def on_save_checkpoint(self, checkpoint):
        checkpoint["temperature"] = self.temperature  # CKP201

    def on_load_checkpoint(self, checkpoint):
        self.temperature = checkpoint["temperature"]
        self.obs_rms.load_state_dict(checkpoint["obs_rms"])
""",
    },
    "the base class saves and the subclass expects more": {
        "normalization.py": NORMALIZER,
        "base.py": """
import torch


class Runner:
    def __init__(self, policy):
        self.policy = policy

    def save(self, path):
        torch.save({"policy": self.policy.state_dict()}, path)  # CKP201

    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        return payload
""",
        "runner.py": """
from base import Runner
from normalization import RunningMeanStd


class NormalizedRunner(Runner):
    def __init__(self, policy, size):
        super().__init__(policy)
        self.obs_rms = RunningMeanStd(size)

    def act(self, obs):
        self.obs_rms.update(obs)
        return self.policy(self.obs_rms.normalize(obs))

    def load(self, path):
        payload = super().load(path)
        self.obs_rms.load_state_dict(payload["obs_rms"])
""",
    },
    "arrays in a numpy file": {
        "normalization.py": NORMALIZER,
        "linear.py": """
import numpy as np
from normalization import RunningMeanStd


class LinearPolicy:
    def __init__(self, size):
        self.weight = np.zeros((2, size))
        self.obs_rms = RunningMeanStd(size)

    def act(self, obs):
        self.obs_rms.update(obs)
        return self.obs_rms.normalize(obs) @ self.weight.T

    def learn(self, gradient):
        self.weight = self.weight - 0.01 * gradient

    def save(self, path):
        np.savez(path, weight=self.weight)  # CKP201

    def load(self, path):
        data = np.load(path)
        self.weight = data["weight"]
        self.obs_rms.mean = data["mean"]
        self.obs_rms.var = data["var"]
        self.obs_rms.count = data["count"]
""",
    },
    "one of two algorithms that a runner restores": {
        "normalization.py": NORMALIZER,
        "base.py": """
import torch


class Algorithm:
    def save(self, path):
        torch.save(self.get_full_weights(), path)

    def restore(self, path):
        self.set_full_weights(torch.load(path))

    def get_full_weights(self):
        state = self.get_weights()
        state["epoch"] = self.epoch
        return state

    def set_full_weights(self, state):
        self.set_weights(state)
        self.epoch = state["epoch"]
""",
        "ppo.py": """
from torch import nn

from base import Algorithm
from normalization import RunningMeanStd


class PPO(Algorithm):
    def __init__(self):
        self.epoch = 0
        self.model = nn.Linear(8, 2)
        self.running_mean_std = RunningMeanStd(8)

    def get_weights(self):
        return {"model": self.model.state_dict(), "running_mean_std": self.running_mean_std.state_dict()}

    def set_weights(self, weights):
        self.model.load_state_dict(weights["model"])
        if "running_mean_std" in weights:
            self.running_mean_std.load_state_dict(weights["running_mean_std"])
""",
        "sac.py": """
from torch import nn

from base import Algorithm
from normalization import RunningMeanStd


class SAC(Algorithm):
    def __init__(self):
        self.epoch = 0
        self.model = nn.Linear(8, 2)
        self.running_mean_std = RunningMeanStd(8)

    def get_weights(self):
        state = {"model": self.model.state_dict()}
        return state  # CKP201

    def set_weights(self, weights):
        self.model.load_state_dict(weights["model"])
        if "running_mean_std" in weights:
            self.running_mean_std.load_state_dict(weights["running_mean_std"])
""",
        "runner.py": """
from ppo import PPO
from sac import SAC


def main(name, path, batches):
    agent = PPO() if name == "ppo" else SAC()
    agent.restore(path)
    for batch in batches:
        agent.running_mean_std.update(batch)
        agent.epoch += 1
    agent.save(path)
""",
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_saves_without_statistics(case: Case) -> None:
    check_findings(case)


def test_message_names_the_key_and_the_other_end() -> None:
    case = FOUND["the base class saves and the subclass expects more"]
    (finding,) = check_findings(case)
    assert not isinstance(case, str)
    line = line_of(case["runner.py"], 'payload["obs_rms"]')
    assert finding.message.startswith("'obs_rms', which ")
    assert f"runner.py:{line}" in finding.message
    assert "the statistics start over" in finding.message


def test_other_end_is_a_related_location() -> None:
    case = agent(SAVE.replace(', "obs_rms": self.obs_rms.state_dict()}, path)', "}, path)  # CKP201") + LOAD)
    (finding,) = check_findings(case)
    line = line_of(case["agent.py"], 'payload["obs_rms"]')
    assert [(each.path, each.position.line) for each in finding.related] == [("agent.py", line)]


def test_one_omission_is_one_finding() -> None:
    (finding,) = check_findings(ticket(TRAIN + "    agent.save(save_path)  # CKP201\n"))
    assert "'obs_mean'" in finding.message and "train.py:" in finding.message
    assert len(finding.message) <= 120
    assert "train.py" in {each.path for each in finding.related}


def test_each_omitted_key_is_a_related_location() -> None:
    train = TRAIN + "    agent.save(save_path)  # CKP201\n"
    (finding,) = check_findings(ticket(train))
    lines = {each.position.line for each in finding.related}
    assert lines >= {line_of(train, 'metadata["obs_var"]'), line_of(train, 'metadata["obs_count"]')}
