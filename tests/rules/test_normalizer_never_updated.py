"""CKP210: normalizers that nothing updates."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

ARRAYS = """import numpy as np


class RunningMeanStd:
    def __init__(self, shape=()):
        self.mean = np.zeros(shape)
        self.var = np.ones(shape)
        self.count = 1e-4

    def update(self, batch):
        total = self.count + len(batch)
        delta = batch.mean(axis=0) - self.mean
        spread = delta**2 * self.count * len(batch) / total
        self.var = (self.var * self.count + batch.var(axis=0) * len(batch) + spread) / total
        self.mean = self.mean + delta * len(batch) / total
        self.count = total

    def normalize(self, x):
        return (x - self.mean) / np.sqrt(self.var + 1e-8)
"""
BUFFERS = (
    TORCH
    + """

class RunningMeanStd(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.register_buffer("running_mean", torch.zeros(shape))
        self.register_buffer("running_var", torch.ones(shape))
        self.register_buffer("count", torch.ones(()))

    @torch.no_grad()
    def update(self, batch):
        total = self.count + len(batch)
        delta = batch.mean(0) - self.running_mean
        spread = delta**2 * self.count * len(batch) / total
        self.running_var.copy_((self.running_var * self.count + batch.var(0) * len(batch) + spread) / total)
        self.running_mean.add_(delta * len(batch) / total)
        self.count.copy_(total)

    def forward(self, x):
        return (x - self.running_mean) / torch.sqrt(self.running_var + 1e-5)
"""
)
POLICY = """
class Policy(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.obs_rms = RunningMeanStd(size)
        self.head = nn.Linear(size, 2)

    def forward(self, obs):
        return self.head(self.obs_rms(obs))
"""
THROUGH_A_LOCAL = """
from vendor import attach

class Agent:
    def __init__(self, policy, batches):
        self.policy = policy
        whitening = RunningMeanStd(3)
        {given}
        self.rms = whitening{marker}

    def act(self, obs):
        return self.policy(self.rms.normalize(obs))

    def learn(self, obs, actions):
        return self.policy.fit(self.rms.normalize(obs), actions)

def main(agent, batches, optimizer):
    for obs, actions in batches:
        agent.learn(obs, actions)
        optimizer.step()
"""

# A normalizer that belongs to an environment, and a method that brings another environment.
TAKEN = """
import torch
from vendor import make_whitening, unwrap_whitening, Whitening

class Runner:
    def __init__(self, policy, venv):
        self.policy = policy
        self.venv = venv
        self.whitening = {taken}{marker}

    def change_environment(self, venv):
        self.venv = venv
        {more}

    def act(self, observation):
        {use}
        return self.policy(torch.as_tensor(observation))
"""
WHITENS = "observation = self.whitening.normalize_obs(observation)"

SILENT: dict[str, Case] = {
    "taken again from the other environment": TAKEN.format(
        taken="unwrap_whitening(venv)", more="self.whitening = unwrap_whitening(venv)", use=WHITENS, marker=""
    ),
    "a normalizer of its own that stays": TAKEN.format(
        taken="make_whitening(venv)", more="self.policy.reset()", use=WHITENS, marker=""
    ),
    "a normalizer made for the shape": TAKEN.format(
        taken="Whitening(venv.observation_space.shape)", more="self.policy.reset()", use=WHITENS, marker=""
    ),
    "nothing is normalized with what was taken": TAKEN.format(
        taken="unwrap_whitening(venv)", more="self.policy.reset()", use="print(self.whitening)", marker=""
    ),
    "updated under the name of the local": ARRAYS
    + THROUGH_A_LOCAL.format(given="whitening.update(batches[0][0])", marker=""),
    "two attributes share the local": ARRAYS
    + THROUGH_A_LOCAL.format(given="self.moments = whitening", marker=""),
    "the local is handed to somebody": ARRAYS
    + THROUGH_A_LOCAL.format(given="attach(policy, whitening)", marker=""),
    "each call of the normalizer updates it": ARRAYS
    + """
    def __call__(self, x):
        self.update(x)
        return self.normalize(x)


class Agent:
    def __init__(self, policy, size):
        self.policy = policy
        self.obs_rms = RunningMeanStd(size)

    def act(self, obs):
        return self.policy(self.obs_rms(obs))

    def learn(self, obs, actions):
        return self.policy.fit(self.obs_rms(obs), actions)
""",
    "something of an unknown name is updated": ARRAYS
    + """

class Agent:
    def __init__(self, policy, size):
        self.policy = policy
        self.obs_rms = RunningMeanStd(size)

    def act(self, obs):
        return self.policy(self.obs_rms.normalize(obs))

    def learn(self, obs, actions):
        return self.policy.fit(self.obs_rms.normalize(obs), actions)

def main(agent, batches, tracker):
    for obs, actions in batches:
        agent.learn(obs, actions)
        tracker.update(obs)
""",
    "a base class that nobody knows": "from vendor import Statistics\n"
    + ARRAYS.replace("class RunningMeanStd:", "class RunningMeanStd(Statistics):")
    + """

class Agent:
    def __init__(self, policy, size):
        self.policy = policy
        self.obs_rms = RunningMeanStd(size)

    def act(self, obs):
        return self.policy(self.obs_rms.normalize(obs))

    def learn(self, obs, actions):
        return self.policy.fit(self.obs_rms.normalize(obs), actions)

""",
    "made from statistics that are known": ARRAYS
    + """

class Agent:
    def __init__(self, policy, size):
        self.policy = policy
        self.obs_rms = RunningMeanStd(policy.mean)

    def act(self, obs):
        return self.policy(self.obs_rms.normalize(obs))

    def learn(self, obs, actions):
        return self.policy.fit(self.obs_rms.normalize(obs), actions)

""",
    "normalizes with an object of an unknown class": {
        "normalization.py": ARRAYS,
        "train.py": """import torch
from normalization import RunningMeanStd
from vendor import make_normalizer

def main(policy, batches, path):
    scale = make_normalizer(3)
    for batch in batches:
        policy.step(scale.normalize(batch))
    torch.save(policy.state_dict(), path)
""",
    },
    "put into a list that somebody else goes through": {
        "normalization.py": ARRAYS,
        "train.py": """import torch
from normalization import RunningMeanStd

def main(policy, batches, path):
    obs_rms = RunningMeanStd(3)
    parts = [policy, obs_rms]
    for batch in batches:
        policy.step(obs_rms.normalize(batch), parts)
    torch.save(policy.state_dict(), path)
""",
    },
    "updated in another file": {
        "normalization.py": ARRAYS,
        "agent.py": """from normalization import RunningMeanStd

class Agent:
    def __init__(self, policy, size):
        self.policy = policy
        self.obs_rms = RunningMeanStd(size)

    def act(self, obs):
        return self.policy(self.obs_rms.normalize(obs))
""",
        "train.py": """from agent import Agent

def train(env, policy, size):
    agent = Agent(policy, size)
    obs = env.reset()
    for _ in range(1000):
        agent.obs_rms.update(obs)
        obs = env.step(agent.act(obs))
""",
    },
    "updated through the attribute of an attribute": BUFFERS
    + POLICY
    + """
class Trainer:
    def __init__(self, size):
        self.policy = Policy(size)

    def collect(self, batch):
        self.policy.obs_rms.update(batch)
        return self.policy(batch)
""",
    "updated by the base class": {
        "base.py": """
class BaseAgent:
    obs_rms = None

    def observe(self, obs):
        self.obs_rms.update(obs)
        return self.obs_rms.normalize(obs)
""",
        "agent.py": ARRAYS
        + """
from base import BaseAgent

class Agent(BaseAgent):
    def __init__(self, size):
        self.obs_rms = RunningMeanStd(size)
""",
    },
    "updated by a function that gets it": {
        "collect.py": """
def collect(env, policy, normalizer, steps):
    obs = env.reset()
    for _ in range(steps):
        normalizer.update(obs)
        obs = env.step(policy(normalizer.normalize(obs)))
""",
        "train.py": ARRAYS
        + """
from collect import collect

def train(env, policy, size):
    obs_rms = RunningMeanStd(size)
    collect(env, policy, obs_rms, steps=1000)
    return obs_rms.normalize(env.reset())
""",
    },
    "updated in a loop over several": ARRAYS
    + """
class Agent:
    def __init__(self, size):
        self.obs_rms = RunningMeanStd(size)
        self.ret_rms = RunningMeanStd()

    def observe(self, obs, returns):
        for normalizer, batch in ((self.obs_rms, obs), (self.ret_rms, returns)):
            normalizer.update(batch)
        return self.obs_rms.normalize(obs), self.ret_rms.normalize(returns)
""",
    "the bound method is handed on": ARRAYS
    + """
def train(collector, policy, size):
    obs_rms = RunningMeanStd(size)
    collector.on_step(obs_rms.update)
    for batch in collector:
        policy.fit(obs_rms.normalize(batch))
""",
    "normalizing updates in training mode": TORCH
    + """
class RunningNorm(nn.Module):
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
        if self.training:
            self.update(x)
        return (x - self.mean) / self.var.sqrt()

class Policy(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.norm = RunningNorm(size)

    def forward(self, obs):
        return self.norm(obs)
""",
    "normalizing updates unless told otherwise": ARRAYS
    + """
class Normalizer(RunningMeanStd):
    def __call__(self, x, update=True):
        if update:
            self.update(x)
        return self.normalize(x)

def rollout(env, policy, size):
    norm = Normalizer(size)
    while True:
        policy(norm(env.observation))
""",
    "the statistics of the data are assigned": ARRAYS
    + """
def fit(policy, states):
    norm = RunningMeanStd(states.shape[1:])
    norm.mean = states.mean(axis=0)
    norm.var = states.var(axis=0)
    return policy.fit(norm.normalize(states))
""",
    "the statistics of the data are given to the constructor": """
class Standardizer:
    def __init__(self, mean, var):
        self.mean = mean
        self.var = var

    def update(self, mean, var):
        self.mean, self.var = mean, var

    def normalize(self, x):
        return (x - self.mean) / self.var**0.5

def fit(policy, states):
    norm = Standardizer(states.mean(axis=0), states.var(axis=0))
    return policy.fit(norm.normalize(states))
""",
    "the statistics come from a file": ARRAYS
    + """
class Controller:
    def __init__(self, policy, path):
        statistics = np.load(path)
        self.policy = policy
        self.obs_rms = RunningMeanStd(statistics["mean"].shape)
        self.obs_rms.mean = statistics["mean"]
        self.obs_rms.var = statistics["var"]

    def act(self, obs):
        return self.policy(self.obs_rms.normalize(obs))
""",
    "a program that only evaluates": BUFFERS
    + POLICY
    + """
def evaluate(path, observations):
    policy = Policy(observations.shape[1])
    policy.load_state_dict(torch.load(path))
    policy.eval()
    return policy(observations)
""",
    "handed to code outside the project": ARRAYS
    + """
from collectors import Runner

def train(env, policy, size):
    obs_rms = RunningMeanStd(size)
    runner = Runner(env, policy, obs_rms)
    runner.run()
    return obs_rms.normalize(env.reset())
""",
    "handed to a function that may do anything": {
        "collect.py": """
def collect(env, policy, normalizer, steps):
    obs = env.reset()
    for _ in range(steps):
        obs = env.step(policy(normalizer.normalize(obs)))
""",
        "train.py": ARRAYS
        + """
from collect import collect

def train(env, policy, size):
    obs_rms = RunningMeanStd(size)
    collect(env, policy, obs_rms, steps=1000)
    policy.fit(obs_rms.normalize(env.data))
""",
    },
    "a class that nobody trains": BUFFERS + POLICY,
    "nothing normalizes with it": ARRAYS
    + """
class Agent:
    def __init__(self, policy, size):
        self.policy = policy
        self.obs_rms = RunningMeanStd(size)

    def act(self, obs):
        return self.policy(obs)
""",
    "an update under a name of its own": """
class Welford:
    def __init__(self):
        self.mean, self.m2, self.count = 0.0, 0.0, 0

    def push(self, value):
        self.count += 1
        delta = value - self.mean
        self.mean += delta / self.count
        self.m2 += delta * (value - self.mean)

    def normalize(self, value):
        return (value - self.mean) / (self.m2 / self.count) ** 0.5

class RewardScaler:
    def __init__(self):
        self.stats = Welford()

    def scale(self, reward):
        self.stats.push(reward)
        return self.stats.normalize(reward)
""",
    "layers and wrappers that update themselves": """
import gymnasium as gym
from gymnasium.wrappers import NormalizeObservation
from gymnasium.wrappers import NormalizeReward
from torch import nn

def make_env(name):
    env = NormalizeReward(NormalizeObservation(gym.make(name)), gamma=0.99)
    observation, info = env.reset()
    return env, observation

class Policy(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.norm = nn.BatchNorm1d(size, affine=False)
        self.head = nn.Linear(size, 2)

    def forward(self, obs):
        return self.head(self.norm(obs))
""",
    "a test of the project": {
        "normalization.py": ARRAYS,
        "tests/test_normalization.py": """from normalization import RunningMeanStd

def test_fresh_statistics_change_nothing(data):
    assert RunningMeanStd(3).normalize(data) == data
""",
    },
}

FOUND: dict[str, Case] = {
    "taken once by a helper": TAKEN.format(
        taken="unwrap_whitening(venv)", more="self.policy.reset()", use=WHITENS, marker="  # CKP210"
    ),
    "taken once as an attribute": TAKEN.format(
        taken="venv.statistics.observations", more="self.policy.reset()", use=WHITENS, marker="  # CKP210"
    ),
    "taken once if there is one": TAKEN.format(
        taken="venv.whitening if venv is not None else None",
        more="self.policy.reset()",
        use=WHITENS,
        marker="  # CKP210",
    ),
    "another method of the normalizer would update it": ARRAYS
    + """
    def observe(self, batch):
        self.update(batch)

class Agent:
    def __init__(self, policy, size):
        self.policy = policy
        self.obs_rms = RunningMeanStd(size)  # CKP210

    def act(self, obs):
        return self.policy(self.obs_rms.normalize(obs))

    def learn(self, obs, actions):
        return self.policy.fit(self.obs_rms.normalize(obs), actions)
""",
    "only a progress bar is updated": ARRAYS
    + """

class Agent:
    def __init__(self, policy, size):
        self.policy = policy
        self.obs_rms = RunningMeanStd(size)  # CKP210

    def act(self, obs):
        return self.policy(self.obs_rms.normalize(obs))

    def learn(self, obs, actions):
        return self.policy.fit(self.obs_rms.normalize(obs), actions)

def main(agent, batches, progress):
    for obs, actions in batches:
        agent.learn(obs, actions)
        progress.update(1)
""",
    "only a log records": ARRAYS.replace("def update", "def record")
    + """

class Agent:
    def __init__(self, policy, size):
        self.policy = policy
        self.obs_rms = RunningMeanStd(size)  # CKP210

    def act(self, obs):
        return self.policy(self.obs_rms.normalize(obs))

    def learn(self, obs, actions):
        return self.policy.fit(self.obs_rms.normalize(obs), actions)

def main(agent, batches, logger):
    for obs, actions in batches:
        agent.learn(obs, actions)
        logger.record(1)
""",
    "an abstract class": "from abc import ABC\n"
    + ARRAYS.replace("class RunningMeanStd:", "class RunningMeanStd(ABC):")
    + """

class Agent:
    def __init__(self, policy, size):
        self.policy = policy
        self.obs_rms = RunningMeanStd(size)  # CKP210

    def act(self, obs):
        return self.policy(self.obs_rms.normalize(obs))

    def learn(self, obs, actions):
        return self.policy.fit(self.obs_rms.normalize(obs), actions)

""",
    "a normalizer of arrays": ARRAYS
    + """
class Agent:
    def __init__(self, policy, size):
        self.policy = policy
        self.obs_rms = RunningMeanStd(size)  # CKP210

    def act(self, obs):
        return self.policy(self.obs_rms.normalize(obs))

    def learn(self, obs, actions):
        return self.policy.fit(self.obs_rms.normalize(obs), actions)
""",
    "a submodule that is only called": BUFFERS
    + """
class Policy(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.obs_rms = RunningMeanStd(size)  # CKP210
        self.head = nn.Linear(size, 2)

    def forward(self, obs):
        return self.head(self.obs_rms(obs))

def train(policy, optimizer, batches):
    for obs, actions in batches:
        optimizer.zero_grad()
        nn.functional.mse_loss(policy(obs), actions).backward()
        optimizer.step()
""",
    "statistics read by the policy": {
        "policy.py": TORCH
        + """
class RunningMeanStd(nn.Module):
    def __init__(self, shape, epsilon=1e-2):
        super().__init__()
        self.epsilon = epsilon
        self.register_buffer("_sum", torch.zeros(shape))
        self.register_buffer("_sumsq", torch.full(shape, epsilon))
        self.register_buffer("_count", torch.tensor(epsilon))

    @property
    def mean(self):
        return self._sum / self._count

    @property
    def std(self):
        return (self._sumsq / self._count - self.mean**2).clamp(min=self.epsilon).sqrt()

    def update(self, batch):
        self._sum += batch.sum(0)
        self._sumsq += batch.square().sum(0)
        self._count += len(batch)

class MlpPolicy(nn.Module):
    def __init__(self, size, actions):
        super().__init__()
        self.ob_rms = RunningMeanStd((size,))  # CKP210
        self.pol_net = nn.Linear(size, actions)

    def forward(self, obs):
        return self.pol_net((obs - self.ob_rms.mean) / self.ob_rms.std)
""",
        "train_sft.py": """
import torch
from policy import MlpPolicy
from torch import nn

def train(states, actions, path):
    policy = MlpPolicy(states.shape[1], actions.shape[1])
    optimizer = torch.optim.Adam(policy.parameters())
    for _ in range(10):
        loss = nn.functional.mse_loss(policy(states), actions)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.save(policy.state_dict(), path)
""",
    },
    "one of two": ARRAYS
    + """
class Agent:
    def __init__(self, policy, size):
        self.policy = policy
        self.obs_rms = RunningMeanStd(size)
        self.ret_rms = RunningMeanStd()  # CKP210

    def observe(self, obs, returns):
        self.obs_rms.update(obs)
        return self.policy.update(self.obs_rms.normalize(obs), self.ret_rms.normalize(returns))
""",
    "made as a local first": ARRAYS + THROUGH_A_LOCAL.format(given="policy.reset()", marker="  # CKP210"),
    "a class of another name": (
        (BUFFERS + POLICY).replace("RunningMeanStd(size)", "RunningMeanStd(size)  # CKP210")
        + """
def train(policy, optimizer, batches, path):
    for obs, actions in batches:
        nn.functional.mse_loss(policy(obs), actions).backward()
        optimizer.step()
    torch.save(policy.state_dict(), path)
"""
    ).replace("RunningMeanStd", "Layer7"),
    "another object is updated": ARRAYS
    + """
class Agent:
    def __init__(self, policy, size):
        self.policy = policy
        self.obs_rms = RunningMeanStd(size)  # CKP210

    def learn(self, obs, actions, info):
        info.update(loss=self.policy.update(self.obs_rms.normalize(obs), actions))
""",
    "the class of Stable-Baselines3": """
import numpy as np
from stable_baselines3.common.running_mean_std import RunningMeanStd

class Learner:
    def __init__(self, agent, epsilon=1e-8):
        self.agent = agent
        self.epsilon = epsilon
        self.ret_rms = RunningMeanStd(shape=())  # CKP210

    def learn(self, obs, reward):
        self.agent.update(obs, reward / np.sqrt(self.ret_rms.var + self.epsilon))
""",
    "saved and restored as it was made": BUFFERS
    + """
class Policy(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.obs_rms = RunningMeanStd(size)  # CKP210
        self.head = nn.Linear(size, 2)

    def forward(self, obs):
        return self.head(self.obs_rms(obs))

def save(policy, path):
    torch.save(policy.state_dict(), path)

def load(size, path):
    policy = Policy(size)
    policy.load_state_dict(torch.load(path))
    return policy.eval()
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_normalizers_left_alone(case: Case) -> None:
    check_findings(case)
