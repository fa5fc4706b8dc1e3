"""CKP215: policies saved without the statistics of the environment they were trained on."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

FACTORY = """
import gymnasium as gym


def make_env(name, seed, normalize=True):
    def build():
        env = gym.make(name)
        if normalize:
            env = gym.wrappers.NormalizeObservation(env)
        env.reset(seed=seed)
        return env

    return build
"""
SCRIPT = """
import gymnasium as gym
import torch
from torch import nn
from environments import make_env


def main(args):
    envs = gym.vector.SyncVectorEnv([make_env(args.name, index{flag}) for index in range(4)])
    agent = nn.Linear(3, 1)
    optimizer = torch.optim.Adam(agent.parameters())
    observation, _ = envs.reset()
    for _ in range(args.steps):
        loss = agent(torch.as_tensor(observation)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        observation, *_ = envs.step(envs.action_space.sample())
    {save}
"""
ENJOY = """
import gymnasium as gym
import torch
from torch import nn
from environments import make_env
{imports}

def enjoy(path, name):
    env = make_env(name, 0{flag})()
    agent = nn.Linear(3, 1)
    agent.load_state_dict(torch.load(path))
    return agent, env
"""
SAVE = "torch.save(agent.state_dict(), args.path)"


def scripts(save: str = f"{SAVE}  # CKP215", flag: str = "", imports: str = "") -> dict[str, str]:
    """Return a script that trains and saves, one that loads, and the file that makes environments for both."""
    return {
        "environments.py": FACTORY,
        "train.py": SCRIPT.format(save=save, flag=flag),
        "enjoy.py": ENJOY.format(flag=flag, imports=imports),
    }


WRAPPER = """
import numpy as np


class Whitened:
    def __init__(self, env, training=True):
        self.env = env
        self.training = training
        self.mean = np.zeros(3)
        self.var = np.ones(3)
        self.count = 1e-4

    def reset(self):
        return self._whiten(self.env.reset())

    def step(self, action):
        observation, reward, done, info = self.env.step(action)
        return self._whiten(observation), reward, done, info

    def _whiten(self, observation):
        if self.training:
            self._learn(observation)
        return (observation - self.mean) / np.sqrt(self.var + 1e-8)

    def _learn(self, observation):
        self.count += 1
        self.mean = self.mean + (observation - self.mean) / self.count
        self.var = self.var + ((observation - self.mean) ** 2 - self.var) / self.count
"""
KEEPER = """
    def snapshot(self):
        return self.mean, self.var, self.count
"""
AGENT = """
import torch as th
from torch import nn
from whitened import Whitened


class Runner:
    def __init__(self, env):
        self.env = Whitened(env{given})
        self.actor = nn.Linear(3, 1)
        self.adam = th.optim.Adam(self.actor.parameters())

    def run(self, steps):
        observation = self.env.reset()
        for _ in range(steps):
            self.actor(th.as_tensor(observation)).sum().backward()
            self.adam.step()
            observation, *_ = self.env.step(0)

    def keep(self, path):
        {save}

    def bring_back(self, path):
        {load}
"""
AGENT_LOAD = "self.actor.load_state_dict(th.load(path))"


def runner(save: str, given: str = "", wrapper: str = WRAPPER, load: str = AGENT_LOAD) -> dict[str, str]:
    """Return a class that runs an environment of the project's own."""
    return {"whitened.py": wrapper, "runner.py": AGENT.format(save=save, given=given, load=load)}


TIANSHOU = """
import torch
from tianshou.env import DummyVectorEnv, SubprocVectorEnv


def main(args, policy, trainer):
    train_envs = SubprocVectorEnv(args.makers, norm_obs=True)
    test_envs = DummyVectorEnv(args.makers, norm_obs=True, update_obs_rms=False)
    test_envs.set_obs_rms(train_envs.get_obs_rms())
    if args.resume_path:
        policy.load_state_dict(torch.load(args.resume_path))

    def save_best_fn(policy):
        {save}

    trainer(policy, train_envs, test_envs, save_best_fn)
"""
BASELINES = """
import gymnasium as gym
from gymnasium.wrappers import NormalizeObservation
from stable_baselines3 import SAC


def train(path):
    model = SAC("MlpPolicy", {env})
    model.learn(1000)
    model.save(path)  # CKP215


def show(path):
    env = {env}
    model = SAC.load(path)
    observation, _ = env.reset()
    return model.predict(observation)
"""
VECTOR = """
import numpy as np
from torch import save, load, nn
from moments import Moments


class VectorEnv:
    def __init__(self, simulator, normalize=False):
        self.simulator = simulator
        self.moments = Moments(12) if normalize else None

    def step(self, actions):
        observations, rewards, dones = self.simulator.advance(actions)
        return self._scaled(observations), rewards, dones, {{}}

    def reset(self):
        return self._scaled(self.simulator.restart())

    def _scaled(self, observations):
        if self.moments is None:
            return observations
        self.moments.update(observations)
        return (observations - self.moments.mean) / np.sqrt(self.moments.var)


def main(simulator, path):
    env = VectorEnv(simulator, normalize={flag})
    policy = nn.Linear(12, 4)
    for _ in range(100):
        env.step(policy(env.reset()))
    save({{"policy": policy.state_dict()}}, path){marker}


def play(simulator, path):
    env = VectorEnv(simulator, normalize={flag})
    policy = nn.Linear(12, 4)
    policy.load_state_dict(load(path)["policy"])
    return policy(env.reset())
"""
MOMENTS = """
import numpy as np


class Moments:
    def __init__(self, size):
        self.mean, self.var, self.count = np.zeros(size), np.ones(size), 0

    def update(self, x):
        self.count += len(x)
        self.mean += (x.mean(0) - self.mean) * len(x) / self.count
        self.var += (x.var(0) - self.var) * len(x) / self.count
"""
REWARDS = """
import gymnasium as gym
import torch
from torch import nn


def {name}(path, resume=None):
    env = gym.wrappers.NormalizeReward(gym.make("Pendulum-v1"))
    policy = nn.Linear(3, 1)
    if resume is not None:
        policy.load_state_dict(torch.load(resume))
    env.reset()
    env.step(env.action_space.sample())
    {save}
"""
SHOW = """

def show(path):
    policy = nn.Linear(3, 1)
    policy.load_state_dict(torch.load(path))
    return policy
"""
SCALED_WRAPPER = """
class Whitened:
    def __init__(self, env):
        self.env = env
        self.scaler = env.dataset_scaler

    def reset(self):
        return self.scaler.transform(self.env.reset())

    def step(self, action):
        observation, reward, done, info = self.env.step(action)
        return self.scaler.transform(observation), reward, done, info
"""
# A vector environment whose subclass hands its arguments on, and whose step and reset update one object.
WORKERS = """
from moments import Moments


class Base:
    def __init__(self, makers, norm_obs=False, obs_rms=None):
        self.workers = [make() for make in makers]
        self.obs_rms = Moments(3) if norm_obs and obs_rms is None else obs_rms

    def reset(self):
        observations = [each.reset() for each in self.workers]
        self.obs_rms.update(observations)
        return self.scaled(observations)

    def step(self, actions):
        results = list(map(self.ask, self.workers, actions))
        self.obs_rms.update(results[0])
        return list(map(self.scaled, results))

    def scaled(self, observations):
        return (observations - self.obs_rms.mean) / self.obs_rms.var**0.5


class Workers(Base):
    def __init__(self, makers, **options):
        super().__init__(makers, **options)
"""
POOL = """
import torch
from workers import Workers


def main(args, policy, trainer):
    train_envs = Workers(args.makers{flag})
    test_envs = Workers(args.makers, norm_obs=True, obs_rms=train_envs.obs_rms, update_obs_rms=False)
    if args.resume:
        policy.load_state_dict(torch.load(args.resume))
    trainer.run(policy, train_envs, test_envs)
    {save}
"""


def pool(save: str, flag: str = ", norm_obs=True") -> dict[str, str]:
    """Return a program that runs a vector environment of the project's own."""
    return {
        "moments.py": MOMENTS,
        "workers.py": WORKERS,
        "main.py": POOL.format(save=save, flag=flag),
    }


OTHER_FACTORY = """
import gymnasium as gym


def make_other(name):
    return gym.wrappers.NormalizeObservation(gym.make(name))
"""
SILENT: dict[str, Case] = {
    "a vector environment that is not asked": pool("torch.save(policy.state_dict(), args.path)", ""),
    "a vector environment whose statistics are archived": pool(
        "torch.save(policy.state_dict(), args.path)\n    np.savez(args.path, obs_rms=train_envs.obs_rms)"
    ),
    "nothing loads the policy": {each: text for each, text in scripts(SAVE).items() if each != "enjoy.py"},
    "the statistics are in the payload": scripts(
        'torch.save({"agent": agent.state_dict(), "norm": envs.envs[0].obs_rms}, args.path)'
    ),
    "the statistics are pickled": scripts(f"{SAVE}\n    pickle.dump([e.obs_rms for e in envs.envs], file)"),
    "a helper in another file takes them": scripts(f"{SAVE}\n    keep(envs)")
    | {"keeping.py": "import train\n\n\ndef keep(envs):\n    return vars(envs.envs[0].obs_rms)\n"},
    "a helper says that it saves them": scripts(f"{SAVE}\n    save_obs_norm(envs, args.path)"),
    "the environments are pickled": scripts(f"{SAVE}\n    pickle.dump(envs, file)"),
    "every call asks not to normalize": scripts(SAVE, flag=", normalize=False"),
    "another program makes the environments": scripts(SAVE)
    | {
        "train.py": SCRIPT.format(save=SAVE, flag="").replace(
            "from environments import make_env", "make_env = None"
        )
    },
    "the payload has a part that nobody understands": scripts(
        'torch.save({"agent": agent.state_dict(), **more(envs)}, args.path)'
    ),
    "the wrapper learns nothing": runner("th.save(self.actor.state_dict(), path)", ", training=False"),
    "the wrapper was fitted before": runner("th.save(self.actor.state_dict(), path)", wrapper=SCALED_WRAPPER),
    "a method of the wrapper gives the statistics": runner(
        'th.save({"actor": self.actor.state_dict(), "white": self.env.snapshot()}, path)',
        wrapper=WRAPPER + KEEPER,
        load='self.actor.load_state_dict(th.load(path)["actor"])\n        x = th.load(path)["white"]',
    ),
    "the wrapper is saved with the policy": runner(
        "th.save(self.actor.state_dict(), path)\n        self.env.save(path)"
    ),
    "the key tells that the statistics are there": runner(
        'th.save({"actor": self.actor.state_dict(), "obs_norm": collect(self)}, path)',
        load='self.actor.load_state_dict(th.load(path)["actor"])\n        x = th.load(path)["obs_norm"]',
    ),
    "the flag is off": {"moments.py": MOMENTS, "main.py": VECTOR.format(flag=False, marker="")},
    "a program that only asks for the wrapper": BASELINES.format(env="unwrap(NormalizeObservation)")
    .replace("unwrap(", "isinstance(1, ")
    .replace("  # CKP215", ""),
    "rewards of a policy that is only shown": REWARDS.format(
        name="train", save="torch.save(policy.state_dict(), path)"
    ).replace("policy.load_state_dict(torch.load(resume))", "print(resume)")
    + SHOW,
    "tianshou saves the statistics": TIANSHOU.format(
        save='torch.save({"policy": policy.state_dict(), "rms": train_envs.get_obs_rms()}, args.path)'
    ),
    "tianshou wraps an environment that learns nothing": TIANSHOU.format(
        save="torch.save(policy.state_dict(), args.path)"
    )
    .replace("SubprocVectorEnv(args.makers, norm_obs=True)", "DummyVectorEnv(args.makers)")
    .replace(
        "trainer(policy", "trainer(Monitor(DummyVectorEnv(args.makers, norm_obs=True, update_obs_rms=False))"
    ),
    "tianshou normalizes nothing": TIANSHOU.format(save="torch.save(policy.state_dict(), args.path)").replace(
        "norm_obs=True", "norm_obs=False"
    ),
}
FOUND: dict[str, Case] = {
    "a vector environment that hands its statistics on": pool(
        "torch.save(policy.state_dict(), args.path)  # CKP215"
    ),
    "made by a function in a list": scripts(),
    "logged and copied to the test environment": scripts(
        "test = make_env(args.name, 9)()\n    test.obs_rms = envs.envs[0].obs_rms\n"
        f"    print(envs.envs[0].obs_rms.mean)\n    {SAVE}  # CKP215"
    ),
    "a wrapper of the project with its own numbers": runner(
        "th.save(self.actor.state_dict(), path)  # CKP215"
    ),
    "beside the optimizer": runner(
        'th.save({"actor": self.actor.state_dict(), "adam": self.adam.state_dict()}, path)  # CKP215',
        load='self.actor.load_state_dict(th.load(path)["actor"])\n'
        '        self.adam.load_state_dict(th.load(path)["adam"])',
    ),
    "a method of the wrapper that nobody calls": runner(
        "th.save(self.actor.state_dict(), path)  # CKP215", wrapper=WRAPPER + KEEPER
    ),
    "a vector environment that is asked to normalize": {
        "moments.py": MOMENTS,
        "main.py": VECTOR.format(flag=True, marker="  # CKP215"),
    },
    "tianshou is asked to normalize": TIANSHOU.format(
        save="torch.save(policy.state_dict(), args.path)  # CKP215"
    ),
    "a model of stable baselines": BASELINES.format(env='NormalizeObservation(gym.make("Pendulum-v1"))'),
    "the class is handed to a maker": BASELINES.format(
        env='make_vec_env("Pendulum-v1", wrapper_class=NormalizeObservation)'
    ).replace("import SAC", "import SAC\nfrom stable_baselines3.common.env_util import make_vec_env"),
    "rewards of a run that goes on": REWARDS.format(
        name="train", save="torch.save(policy.state_dict(), path)  # CKP215"
    ),
    "two saves of one program": scripts(f"{SAVE}  # CKP215\n    torch.save(agent.state_dict(), 'last.pt')"),
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_policies(case: Case) -> None:
    check_findings(case)


def test_environment_that_the_saving_file_makes_is_named() -> None:
    case = {
        "other.py": OTHER_FACTORY,
        "package.py": "import train\nfrom other import make_other\n",
        **scripts(imports="from other import make_other\n"),
    }
    [finding] = check_findings(dict(sorted(case.items(), reverse=True)))
    assert [each.path for each in finding.related] == ["environments.py"]


def test_message_names_the_statistics_and_the_wrapper() -> None:
    [finding] = check_findings(FOUND["two saves of one program"])
    assert finding.message == (
        "'obs_rms' of NormalizeObservation (environments.py:9) is not saved and starts over after loading;"
        " save it beside the policy"
    )
    assert [(each.path, each.position.line) for each in finding.related] == [
        ("environments.py", 9),
        ("train.py", 20),
    ]
