"""CKP214: normalizers pickled beside their model, and modules pickled whole."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

POLICY = (
    TORCH
    + """

class RunningMeanStd(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("var", torch.ones(size))
        self.register_buffer("count", torch.zeros(()))

    def update(self, x):
        self.count.add_(1)
        self.mean.add_((x.mean(0) - self.mean) / self.count)
        self.var.add_((x.var(0) - self.var) / self.count)

    def forward(self, x):
        return (x - self.mean) / self.var.sqrt()


class Policy(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.obs_rms = RunningMeanStd(size)
        self.head = nn.Linear(size, 2)

    def observe(self, obs):
        self.obs_rms.update(obs)

    def forward(self, obs):
        return self.head(self.obs_rms(obs))
"""
)
ARRAYS = """import pickle

import numpy as np


class RunningMeanStd:
    def __init__(self, shape=()):
        self.mean = np.zeros(shape)
        self.var = np.ones(shape)
        self.count = 0

    def update(self, x):
        self.count += 1
        self.mean = self.mean + (x.mean(axis=0) - self.mean) / self.count
        self.var = self.var + (x.var(axis=0) - self.var) / self.count

    def normalize(self, x):
        return (x - self.mean) / np.sqrt(self.var + 1e-8)
"""

SILENT: dict[str, Case] = {
    "the state dict alone": POLICY
    + """
def save(policy: Policy, path):
    torch.save(policy.state_dict(), path)
""",
    "a mapping of states": POLICY
    + """
def save(policy: Policy, step, path):
    torch.save({"policy": policy.state_dict(), "step": step}, path)

def load(policy: Policy, path):
    checkpoint = torch.load(path)
    policy.load_state_dict(checkpoint["policy"])
    return checkpoint["step"]
""",
    "a normalizer of arrays": ARRAYS
    + """
def collect(batches, path):
    obs_rms = RunningMeanStd(3)
    for batch in batches:
        obs_rms.update(batch)
        yield obs_rms.normalize(batch)
    with open(path, "wb") as file:
        pickle.dump(obs_rms, file)
""",
    "a normalizer beside the model": ARRAYS
    + """
import torch

class Agent:
    def __init__(self, size):
        self.policy = torch.nn.Linear(size, 2)
        self.obs_rms = RunningMeanStd(size)

    def act(self, obs):
        self.obs_rms.update(obs)
        return self.policy(torch.as_tensor(self.obs_rms.normalize(obs)))

    def save(self, folder):
        torch.save(self.policy.state_dict(), folder / "policy.pt")
        with open(folder / "obs_rms.pkl", "wb") as file:
            pickle.dump(self.obs_rms, file)
""",
    "tensors": TORCH
    + """
def save(batches, path):
    features = [batch.mean(0) for batch in batches]
    torch.save(torch.stack(features), path)
""",
    "a configuration": POLICY
    + """
import pickle

def save(policy: Policy, config: dict, folder):
    torch.save(policy.state_dict(), folder / "policy.pt")
    with open(folder / "config.pkl", "wb") as file:
        pickle.dump(config, file)
""",
    "a scripted model": POLICY
    + """
def export(policy: Policy, path):
    scripted = torch.jit.script(policy)
    scripted.save(path)
""",
    "a scripted model in one line": POLICY
    + """
def export(policy: Policy, path):
    torch.jit.save(torch.jit.script(policy.eval()), path)
""",
    "a scaler of another library": """
import joblib
from sklearn.preprocessing import StandardScaler

def fit(data, path):
    scaler = StandardScaler().fit(data)
    joblib.dump(scaler, path)
    return scaler.transform(data)
""",
    "a model that saves itself": """
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
model = PPO("MlpPolicy", env)
model.learn(100_000)
model.save("ppo")
env.save("vecnormalize.pkl")
""",
    "a copy in memory": POLICY
    + """
import copy

def freeze(policy: Policy):
    return copy.deepcopy(policy).eval()
""",
    "a test of the project": {
        "policy.py": POLICY,
        "tests/test_policy.py": """
import pickle

from policy import Policy

def test_policy_can_be_pickled():
    assert pickle.loads(pickle.dumps(Policy(3)))
""",
    },
}

FOUND: dict[str, Case] = {
    "a policy that is moved first": POLICY
    + """

def save(path, obs):
    policy = Policy(8)
    policy.observe(obs)
    torch.save({"policy": policy.cpu().eval()}, path)  # CKP214
""",
    "the normalizer of the policy by pickle": POLICY
    + """
import pickle

def save(policy: Policy, folder):
    torch.save(policy.state_dict(), folder / "policy.pt")
    with open(folder / "obs_rms.pkl", "wb") as file:
        pickle.dump(policy.obs_rms, file)  # CKP214
""",
    "the normalizer of the policy by torch": POLICY
    + """
def save(policy: Policy, folder):
    torch.save(policy.state_dict(), folder / "policy.pt")
    torch.save(policy.obs_rms, folder / "obs_rms.pt")  # CKP214
""",
    "through a local name": POLICY
    + """
import pickle

def train(batches, folder):
    policy = Policy(3)
    for batch in batches:
        policy.observe(batch)
    normalizer = policy.obs_rms
    with open(folder / "obs_rms.pkl", "wb") as file:
        pickle.dump(normalizer, file)  # CKP214
    torch.save(policy.state_dict(), folder / "policy.pt")
""",
    "a whole module by torch": POLICY
    + """
def train(batches, path):
    policy = Policy(3)
    for batch in batches:
        policy.observe(batch)
    torch.save(policy, path)  # CKP214
""",
    "a whole module by joblib": TORCH
    + """
import joblib

def build(path):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    joblib.dump(model, path)  # CKP214
""",
    "a module that writes itself": TORCH
    + """
class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        return self.head(x)

    def save(self, path):
        torch.save(self, path)  # CKP214
""",
    "a whole module in a mapping": POLICY
    + """
def save(policy: Policy, step, path):
    torch.save({"policy": policy, "step": step}, path)  # CKP214

def load(path):
    checkpoint = torch.load(path, weights_only=False)
    return checkpoint["policy"], checkpoint["step"]
""",
    "moved on the way": TORCH
    + """
class Trainer:
    def __init__(self):
        self.model = nn.Linear(3, 1)

    def save(self, path):
        torch.save(self.model.to("cpu"), path)  # CKP214
""",
    "a whole module in a list": POLICY
    + """
def save(policy: Policy, obs_rms, path):
    torch.save([policy, obs_rms], path)  # CKP214
""",
    "one of two classes": POLICY
    + """
def train(size, recurrent, device, path):
    model = nn.LSTM(size, 2) if recurrent else Policy(size)
    model = model.to(device)
    torch.save(model, path)  # CKP214
""",
    "a script": POLICY
    + """
policy = Policy(3)
policy.load_state_dict(torch.load("policy.pt"))
torch.save(policy, "policy.pkl")  # CKP214
""",
    "the same in two files": POLICY
    + """
def save(policy: Policy, step, folder):
    record = {"policy": policy, "step": step}
    torch.save(record, folder / "last.pt")  # CKP214
    if step % 100 == 0:
        torch.save(record, folder / f"{step}.pt")
""",
    "the class in another file": {
        "policy.py": POLICY,
        "train.py": """
import torch
from policy import Policy

def train(batches, path):
    policy = Policy(3)
    for batch in batches:
        policy.observe(batch)
    torch.save(policy, path)  # CKP214
""",
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case, enable={"CKP214"})


@cases(FOUND)
def test_reports_pickled_modules(case: Case) -> None:
    check_findings(case, enable={"CKP214"})


def test_message_names_the_other_copy() -> None:
    (found,) = check_findings(FOUND["the normalizer of the policy by torch"], enable={"CKP214"})
    assert found.message == (
        "'policy.obs_rms' is pickled, and the state_dict() of Policy holds it too: the copies can differ;"
        " save one of them"
    )


def test_second_dump_of_the_same_is_related() -> None:
    (found,) = check_findings(FOUND["the same in two files"], enable={"CKP214"})
    assert found.message.startswith("'policy' is pickled with its class: ")
    assert [each.message for each in found.related] == ["pickled here too"]


def test_message_of_another_module_names_no_copy() -> None:
    (finding,) = check_findings(FOUND["a policy that is moved first"], enable=["CKP214"])
    assert "with its class" in finding.message and "differ" not in finding.message
