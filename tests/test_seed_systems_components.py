"""Components that an algorithm on top of Stable-Baselines3 loses, and a policy that gets fresh statistics, each
rebuilt in three ways of its own, beside the mended ones.
"""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SCALER = """
class GradientScaler:
    def __init__(self, parameters, beta=0.99):
        self.parameters = list(parameters)
        self.beta = beta
        self.spread = None
        self.steps = 0

    def step(self):
        for each in self.parameters:
            power = each.grad.square().mean()
            self.spread = power if self.spread is None else self.beta * self.spread + (1 - self.beta) * power
        self.steps += 1

    def state_dict(self):
        return {"spread": self.spread, "steps": self.steps}

    def load_state_dict(self, state):
        self.spread, self.steps = state["spread"], state["steps"]
"""
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

    def scaled(self, batch):
        return (batch - self.mean) / np.sqrt(self.var + 1e-8)
"""
# ---- a component that is excluded from what is pickled, and that the set-up makes again ----
EXCLUDED_IN_A_CLASS = """
from stable_baselines3 import PPO

from scaler import GradientScaler


class ScaledPPO(PPO):
    def _setup_model(self):
        super()._setup_model()
        self.scaler = GradientScaler(self.policy.parameters()){marker}

    def _excluded_save_params(self):
        return super()._excluded_save_params() + ["scaler"]

    def train(self):
        super().train()
        self.scaler.step()
{more}
"""
CARRIED_IN_A_CLASS = """
    def get_parameters(self):
        found = super().get_parameters()
        found["scaler"] = self.scaler.state_dict()
        return found

    def set_parameters(self, load_path_or_dict, exact_match=True, device="auto"):
        given = dict(load_path_or_dict)
        self.scaler.load_state_dict(given.pop("scaler"))
        super().set_parameters(given, exact_match, device)
"""
EXCLUDED_UNDER_A_GUARD = """
import numpy as np
from stable_baselines3.sac import SAC

from statistics_of_returns import Statistics


class Base(SAC):
    def _excluded_save_params(self) -> list[str]:
        excluded = super()._excluded_save_params()
        excluded.append({excluded})
        return excluded

    def _setup_model(self) -> None:
        super()._setup_model()
        self._build_extras()

    def _build_extras(self) -> None:
        pass


class ReturnScaledSAC(Base):
    def __init__(self, *args, **kwargs):
        self.returns = None
        super().__init__(*args, **kwargs)

    def _build_extras(self) -> None:
        if self.returns is None:
            self.returns = Statistics(()){marker}

    def train(self, gradient_steps, batch_size=64):
        data = self.replay_buffer.sample(batch_size)
        self.returns.update(data.rewards)
        self._fit(self.returns.scaled(data.rewards))
"""
EXCLUDED_IN_A_SCRIPT = """
import sys

from sb3_contrib import TQC
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from scaler import GradientScaler as Scaler


class Algorithm(TQC):
    def _setup_model(self):
        super()._setup_model()
        self._ready()

    def _ready(self):
        scaler = Scaler(self.actor.parameters())
        self.gradients = scaler{marker}

    def _excluded_save_params(self):
        return [*super()._excluded_save_params(), {excluded}]

    def train(self, gradient_steps, batch_size):
        super().train(gradient_steps, batch_size)
        self.gradients.step()

    def _get_torch_save_params(self):
        return {kept}, ["log_ent_coef"]


if __name__ == "__main__":
    model = Algorithm.load(sys.argv[1]) if len(sys.argv) > 1 else Algorithm("MlpPolicy", "Pendulum-v1")
    model.learn(1000)
    model.save("last")
"""
# ---- a component that only the side that restores speaks of ----
READER_OF_HOOKS = """
from stable_baselines3 import PPO

from scaler import GradientScaler


class ScaledPPO(PPO):
    def _setup_model(self):
        super()._setup_model()
        self.scaler = GradientScaler(self.policy.parameters()){made}

    def train(self):
        super().train()
        self.scaler.step()

    def get_parameters(self):
        found = super().get_parameters()
        {give}
        return found

    def set_parameters(self, load_path_or_dict, exact_match=True, device="auto"):
        given = dict(load_path_or_dict)
        state = given.pop("scaler", None)
        super().set_parameters(given, exact_match, device)
        if state is not None:
            self.scaler.load_state_dict(state)
"""
READER_OF_FILES = """
import torch
from torch import nn

from scaler import GradientScaler


class Learner:
    def __init__(self):
        self.net = nn.Linear(3, 1)
        self.adam = torch.optim.Adam(self.net.parameters())
        self.gradients = GradientScaler(self.net.parameters())

    def learn(self, x):
        self.adam.zero_grad()
        self.net(x).sum().backward()
        self.gradients.step()
        self.adam.step()

    def dump(self, path):
        blob = {{"net": self.net.state_dict(), "adam": self.adam.state_dict()}}
        {give}
        torch.save(blob, path)

    def revive(self, path):
        blob = torch.load(path)
        self.net.load_state_dict(blob["net"])
        self.adam.load_state_dict(blob["adam"])
        if "gradients" in blob:{read}
            self.gradients.load_state_dict(blob["gradients"])
"""
READER_OF_A_SCRIPT = {
    "pack.py": """
import torch as th


def pack(net, adam, gradients, path):
    th.save(dict(net=net.state_dict(), adam=adam.state_dict(){give}), path)
""",
    "main.py": """
import torch as th
from pack import pack
from scaler import GradientScaler


def main(batches, path, again):
    net = th.nn.Linear(3, 1)
    adam = th.optim.Adam(net.parameters())
    gradients = GradientScaler(net.parameters())
    if again:
        held = th.load(path)
        net.load_state_dict(held["net"])
        adam.load_state_dict(held["adam"])
        gradients.load_state_dict(held.get("gradients", {{}})){read}
    for x in batches:
        adam.zero_grad()
        net(x).sum().backward()
        gradients.step()
        adam.step()
    pack(net, adam, gradients, path)
""",
}
# ---- a component that is restored, and then made again under a flag ----
AGAIN_IN_HOOKS = """
from stable_baselines3 import A2C

from scaler import GradientScaler


class ScaledA2C(A2C):
    def __init__(self, *args, scale=True, **kwargs):
        self.scale = scale
        self.scaler = None
        super().__init__(*args, **kwargs)

    def _setup_model(self):
        super()._setup_model()
        self._setup_dependent_components()

    def _setup_dependent_components(self):
        if self.scale{guard}:
            self.scaler = GradientScaler(self.policy.parameters())

    def train(self):
        super().train()
        self.scaler.step()

    def get_parameters(self):
        return {{**super().get_parameters(), "scaler": self.scaler.state_dict()}}

    def set_parameters(self, load_path_or_dict, exact_match=True, device="auto"):
        given = dict(load_path_or_dict)
        state = given.pop("scaler")
        super().set_parameters(given, exact_match, device)
        self.scaler.load_state_dict(state)
        self._setup_dependent_components(){marker}
"""
AGAIN_IN_A_LOAD = """
import torch
from torch import nn

from statistics_of_returns import Statistics


class Agent:
    def __init__(self, normalize):
        self.normalize = normalize
        self.net = nn.Linear(3, 1)
        self.adam = torch.optim.Adam(self.net.parameters())
        self.prepare()

    def prepare(self):
        if self.normalize:
            self.inputs = Statistics(3)

    def act(self, x):
        self.inputs.update(x)
        return self.net(torch.as_tensor(self.inputs.scaled(x)))

    def save(self, path):
        state = {{"net": self.net.state_dict(), "adam": self.adam.state_dict()}}
        state.update(mean=self.inputs.mean, var=self.inputs.var, count=self.inputs.count)
        torch.save(state, path)

    def load(self, path):
        {before}
        data = torch.load(path, weights_only=False)
        self.net.load_state_dict(data["net"])
        self.adam.load_state_dict(data["adam"])
        self.inputs.mean = data["mean"]
        self.inputs.var = data["var"]
        self.inputs.count = data["count"]
        {after}
"""
AGAIN_IN_A_CALLER = {
    "agent.py": """
import torch
from torch import nn

from scaler import GradientScaler


class Agent:
    def __init__(self, scales):
        self.scales = scales
        self.net = nn.Linear(3, 1)
        self.adam = torch.optim.Adam(self.net.parameters())
        self.build_parts()

    def build_parts(self):
        if self.scales:
            self.gradients = GradientScaler(self.net.parameters())

    def learn(self, x):
        self.net(x).sum().backward()
        self.gradients.step()
        self.adam.step()

    def save(self, path):
        parts = {{"net": self.net, "adam": self.adam, "gradients": self.gradients}}
        torch.save({{name: each.state_dict() for name, each in parts.items()}}, path)

    def load(self, path):
        states = torch.load(path)
        self.net.load_state_dict(states["net"])
        self.adam.load_state_dict(states["adam"])
        self.gradients.load_state_dict(states["gradients"])
""",
    "run.py": """
from agent import Agent


def resume(path, batches):
    agent = Agent(scales=True)
    {before}
    agent.load(path)
    {after}
    for x in batches:
        agent.learn(x)
    agent.save(path)
""",
}
# ---- a policy that gets new statistics after its own were restored ----
MODULE = """
import torch
from torch import nn


class RunningMoments(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("var", torch.ones(size))
        self.register_buffer("count", torch.tensor(1e-4))

    def update(self, x):
        self.count += len(x)
        self.mean += (x.mean(0) - self.mean) * len(x) / self.count
        self.var += (x.var(0) - self.var) * len(x) / self.count

    def forward(self, x):
        return (x - self.mean) / (self.var + 1e-5).sqrt()


class Policy(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.ob_rms = RunningMoments(size)
        self.head = nn.Linear(size, 2)

    def forward(self, x):
        return self.head(self.ob_rms(x))
"""
FRESH_IN_A_SCRIPT = """
import torch
from policy import Policy, RunningMoments


def train(batches, path):
    policy = Policy(3)
    for x in batches:
        policy.ob_rms.update(x)
    torch.save(policy.state_dict(), path)


def resume(batches, path):
    policy = Policy(3)
    {before}
    policy.load_state_dict(torch.load(path))
    {after}
    for x in batches:
        policy.ob_rms.update(x)
        policy(x).sum().backward()
    return policy
"""
FRESH_IN_A_CLASS = """
import torch
from policy import Policy, RunningMoments


class Trainer:
    def __init__(self, size):
        self.policy = Policy(size)
        self.adam = torch.optim.Adam(self.policy.parameters())

    def save(self, path):
        torch.save({{"policy": self.policy.state_dict(), "adam": self.adam.state_dict()}}, path)

    def load(self, path):
        data = torch.load(path)
        {before}
        self.policy.load_state_dict(data["policy"])
        self.adam.load_state_dict(data["adam"])
        {after}

    def _new_statistics(self):
        self.policy.ob_rms = RunningMoments(3){marker}

    def train(self, batches):
        for x in batches:
            self.policy.ob_rms.update(x)
            self.policy(x).sum().backward()
            self.adam.step()
"""
FRESH_IN_A_HELPER = {
    "attach.py": """
from policy import RunningMoments


def attach(module, size):
    module.ob_rms = RunningMoments(size){marker}
""",
    "main.py": """
import torch
from attach import attach
from policy import Policy


def main(batches, path, again):
    policy = Policy(3)
    {before}
    if again:
        policy.load_state_dict(torch.load(path))
    {after}
    for x in batches:
        policy.ob_rms.update(x)
        policy(x).sum().backward()
    torch.save(policy.state_dict(), path)
""",
}


def with_scaler(source: str, **given: str) -> Case:
    """Return a program beside the component whose gradients it scales."""
    return {"scaler.py": SCALER, "main.py": source.format(**given)}


def with_statistics(source: str, **given: str) -> Case:
    """Return a program beside the class that keeps statistics."""
    return {"statistics_of_returns.py": STATISTICS, "main.py": source.format(**given)}


def with_files(files: dict[str, str], **given: str) -> Case:
    """Return several files beside the component and the policy."""
    sources = {path: text.format(**given) for path, text in files.items()}
    return {"scaler.py": SCALER, "policy.py": MODULE, **sources}


def with_policy(source: str, **given: str) -> Case:
    """Return a program beside the policy."""
    return {"policy.py": MODULE, "main.py": source.format(**given)}


MENDED: dict[str, Case] = {
    "the hooks carry what the set-up makes": with_scaler(
        EXCLUDED_IN_A_CLASS, marker="", more=CARRIED_IN_A_CLASS
    ),
    "pickled and made where it is missing": with_statistics(
        EXCLUDED_UNDER_A_GUARD, excluded='"callback"', marker=""
    ),
    "stored under its name": with_scaler(
        EXCLUDED_IN_A_SCRIPT, excluded='"gradients"', kept='["policy", "gradients"]', marker=""
    ),
    "both hooks speak of it": with_scaler(
        READER_OF_HOOKS, made="", give='found["scaler"] = self.scaler.state_dict()'
    ),
    "both methods speak of it": with_scaler(
        READER_OF_FILES, give='blob["gradients"] = self.gradients.state_dict()', read=""
    ),
    "both functions speak of it": with_files(
        READER_OF_A_SCRIPT, give=", gradients=gradients.state_dict()", read=""
    ),
    "the hook makes it where it is missing": with_scaler(
        AGAIN_IN_HOOKS, guard=" and self.scaler is None", marker=""
    ),
    "made before the values come": with_statistics(
        AGAIN_IN_A_LOAD, before="self.prepare()", after="", marker=""
    ),
    "the caller makes it before the load": with_files(
        AGAIN_IN_A_CALLER, before="agent.build_parts()", after=""
    ),
    "new statistics before the script loads": with_policy(
        FRESH_IN_A_SCRIPT, before="policy.ob_rms = RunningMoments(3)", after=""
    ),
    "new statistics before the class loads": with_policy(
        FRESH_IN_A_CLASS, before="self._new_statistics()", after="", marker=""
    ),
    "the helper attaches them before the load": with_files(
        FRESH_IN_A_HELPER, before="attach(policy, 3)", after="", marker=""
    ),
}
LOST: dict[str, Case] = {
    "excluded and made by the set-up": with_scaler(EXCLUDED_IN_A_CLASS, marker="  # CKP204", more=""),
    "excluded and made where it is missing": with_statistics(
        EXCLUDED_UNDER_A_GUARD, excluded='"returns"', marker="  # CKP204"
    ),
    "excluded in a script": with_scaler(
        EXCLUDED_IN_A_SCRIPT, excluded='"gradients"', kept='["policy"]', marker="  # CKP204"
    ),
    "only the hook that restores speaks of it": with_scaler(
        READER_OF_HOOKS, made="  # CKP204", give='found["extra"] = 1'
    ),
    "only the method that restores speaks of it": with_scaler(
        READER_OF_FILES, give="pass", read="  # CKP202"
    ),
    "only the script that restores speaks of it": with_files(READER_OF_A_SCRIPT, give="", read="  # CKP202"),
    "made again by a hook under a flag": with_scaler(AGAIN_IN_HOOKS, guard="", marker="  # CKP205"),
    "made again by a load under a flag": with_statistics(
        AGAIN_IN_A_LOAD, before="", after="self.prepare()  # CKP205"
    ),
    "made again by the caller of a load": with_files(
        AGAIN_IN_A_CALLER, before="", after="agent.build_parts()  # CKP205"
    ),
    "new statistics after the script loads": with_policy(
        FRESH_IN_A_SCRIPT, before="", after="policy.ob_rms = RunningMoments(3)  # CKP205"
    ),
    "new statistics after the class loads": with_policy(
        FRESH_IN_A_CLASS, before="", after="self._new_statistics()  # CKP205", marker=""
    ),
    "a helper attaches new ones": with_files(
        FRESH_IN_A_HELPER, before="", after="attach(policy, 3)", marker="  # CKP205"
    ),
}


@cases(MENDED)
def test_mended_system_is_silent(case: Case) -> None:
    check_silent(case)


@cases(LOST)
def test_lost_component_is_found(case: Case) -> None:
    check_findings(case)
