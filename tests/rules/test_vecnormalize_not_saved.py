"""CKP208: the model is saved, the VecNormalize around its environment is not."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SB3 = """from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.callbacks import CheckpointCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize
"""
ENVS = """from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize


def make_env(name, count):
    return VecNormalize(make_vec_env(name, n_envs=count), clip_obs=10.0)
"""

# A training loop of one's own, up to where it saves.
LOOP = """import torch
from baselines.common.vec_env.vec_normalize import VecNormalize
from torch import nn

from envs import find
from envs import make_envs


class Policy(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.head = nn.Linear(size, 1)


def main(path, updates):
    envs = make_envs()
    if len(envs.observation_space.shape) == 1:
        envs = VecNormalize(envs)
    policy = Policy(envs.observation_space.shape[0])
    optimizer = torch.optim.Adam(policy.parameters())
    obs = envs.reset()
    for update in range(updates):
        obs, reward, done, infos = envs.step(policy(obs))
        optimizer.step()
        if update % 100 == 0:"""

# A helper that saves a model, and a wrapper if it is given one.
HELPER = """import pickle


class Archive:
    def __init__(self, folder):
        self.folder = folder

    def save_agent(self, agent, wrapper=None):
        agent.save(self.folder / "agent")
        if wrapper is not None:
            with open(self.folder / "wrapper.pkl", "wb") as file:
                pickle.dump(wrapper, file)
"""
WITH_HELPER = """
from archive import Archive


class Study:
    def __init__(self):
        self.venv = VecNormalize(make_vec_env("Pendulum-v1"))
        self.agent = PPO("MlpPolicy", self.venv)


def run(folder):
    study = Study()
    study.agent.learn(1000)
    archive = Archive(folder)
    archive.save_agent({arguments}){marker}
"""
OTHER_CALL = """
from archive import Archive


def run(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1"))
    model = PPO("MlpPolicy", env).learn(100)
    Archive(folder).save_agent(model, wrapper=env)
"""
BEST = """
def train(path):
    env = VecNormalize(make_vec_env("Pendulum-v1"))
    evaluation = EvalCallback({arguments})
    model = PPO("MlpPolicy", env)
    model.learn(100, callback=evaluation)
"""


def with_helper(arguments: str, marker: str = "", helper: str = HELPER) -> dict[str, str]:
    """Return a helper with one call that gives it the wrapper, and one with some arguments."""
    return {
        "archive.py": helper,
        "other.py": SB3 + OTHER_CALL,
        "run.py": SB3 + WITH_HELPER.format(arguments=arguments, marker=marker),
    }


EVALUATION = SB3 + "from stable_baselines3.common.callbacks import EvalCallback\n"

SILENT: dict[str, Case] = {
    "the helper is given the wrapper": with_helper("study.agent, study.venv"),
    "the helper is not given what the caller saves": {
        **with_helper("study.agent"),
        "run.py": SB3
        + WITH_HELPER.format(arguments="study.agent", marker="")
        + '    study.venv.save(folder / "wrapper")\n',
    },
    "the helper is given a model on raw observations": {
        **with_helper("study.agent"),
        "run.py": (SB3 + WITH_HELPER.format(arguments="study.agent", marker="")).replace(
            'VecNormalize(make_vec_env("Pendulum-v1"))', 'make_vec_env("Pendulum-v1")'
        ),
    },
    "the optional argument is something else": {
        "archive.py": HELPER.replace("wrapper", "replay"),
        "run.py": SB3
        + WITH_HELPER.format(arguments="study.agent", marker="")
        + '    study.agent.get_vec_normalize_env().save("x")\n',
    },
    "an evaluation that keeps no model": EVALUATION + BEST.format(arguments='make_vec_env("Pendulum-v1")'),
    "an evaluation that saves the wrapper with a new best": EVALUATION
    + BEST.format(
        arguments='make_vec_env("Pendulum-v1"), callback_on_new_best=Keep(env), best_model_save_path=path'
    ),
    "an evaluation beside a save of the wrapper": EVALUATION
    + BEST.format(arguments='make_vec_env("Pendulum-v1"), best_model_save_path=path')
    + '    env.save(path / "env.pkl")\n',
    "a callback saves the environment of a model that it is given": SB3
    + """
class SaveStatistics(BaseCallback):
    def __init__(self, path):
        super().__init__()
        self.path = path

    def _on_training_end(self):
        self.model.get_env().save(self.path)

def train(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000, callback=SaveStatistics(folder / "statistics"))
    model.save(folder / "ppo")
""",
    "statistics from a file that a method of the wrapper freezes": SB3
    + """
def refine(folder):
    env = VecNormalize.load(folder / "vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=4))
    env.set_attr("training", False)
    model = PPO.load(folder / "ppo", env=env)
    model.learn(10_000)
    model.save(folder / "ppo_refined")
""",
    "a wrapper that is only looked for, and that nobody in sight makes": """
import torch
from stable_baselines3.common.vec_env import VecNormalize


def find(envs):
    while hasattr(envs, "venv"):
        if isinstance(envs, VecNormalize):
            return envs
        envs = envs.venv


def train(policy, envs, path):
    torch.save([policy, getattr(find(envs), "ob_rms", None)], path)
""",
    "the callback saves it, which a position says": SB3
    + """
env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
model = PPO("MlpPolicy", env)
model.learn(100_000, callback=CheckpointCallback(1000, "logs", "rl_model", False, True))
model.save("ppo")
""",
    "a wrapper that is only shown to the model": SB3
    + """
env = make_vec_env("Pendulum-v1", n_envs=4)
other = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4), training=False)
model = PPO("MlpPolicy", env)
model.watch(other)
model.learn(100_000)
model.save("ppo")
""",
    "the wrapper is saved beside the model": SB3
    + """
env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
model = PPO("MlpPolicy", env)
model.learn(100_000)
model.save("ppo")
env.save("vecnormalize.pkl")
""",
    "the wrapper is asked of the model": SB3
    + """
def train(folder):
    model = PPO("MlpPolicy", VecNormalize(make_vec_env("Pendulum-v1", n_envs=4)))
    model.learn(100_000)
    model.save(folder / "ppo")
    model.get_vec_normalize_env().save(folder / "vecnormalize.pkl")
""",
    "the environment of the model is saved": SB3
    + """
def train(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000)
    model.save(folder / "ppo")
    model.get_env().save(folder / "vecnormalize.pkl")
""",
    "the checkpoints carry it": SB3
    + """
def train(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    checkpoints = CheckpointCallback(1000, folder, save_vecnormalize=True)
    PPO("MlpPolicy", env).learn(100_000, callback=checkpoints)
""",
    "the checkpoints carry it if an option says so": SB3
    + """
def train(folder, args):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    checkpoints = CheckpointCallback(1000, folder, save_vecnormalize=args.normalize)
    PPO("MlpPolicy", env).learn(100_000, callback=checkpoints)
""",
    "nothing is normalized": SB3
    + """
env = make_vec_env("Pendulum-v1", n_envs=4)
model = PPO("MlpPolicy", env)
model.learn(100_000, callback=CheckpointCallback(1000, "checkpoints"))
model.save("ppo")
""",
    "only rewards are normalized": SB3
    + """
env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4), norm_obs=False, norm_reward=True)
model = PPO("MlpPolicy", env)
model.learn(100_000)
model.save("ppo")
""",
    "the environment is pickled": SB3
    + """
import pickle

def train(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000)
    model.save(folder / "ppo")
    with open(folder / "env.pkl", "wb") as file:
        pickle.dump(env, file)
""",
    "the statistics go to a file of another kind": SB3
    + """
import numpy as np

def train(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000)
    model.save(folder / "ppo")
    np.savez(folder / "statistics.npz", mean=env.obs_rms.mean, var=env.obs_rms.var)
""",
    "a helper in another file saves both": {
        "saving.py": """
def save_all(model, env, folder):
    model.save(folder / "ppo")
    env.save(folder / "vecnormalize.pkl")
""",
        "envs.py": ENVS,
        "train.py": """from stable_baselines3 import SAC

from envs import make_env
from saving import save_all

def train(folder):
    env = make_env("Pendulum-v1", 1)
    model = SAC("MlpPolicy", env)
    model.learn(100_000)
    save_all(model, env, folder)
""",
    },
    "a callback of the project saves both": SB3
    + """
class SaveBest(BaseCallback):
    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def _on_step(self):
        self.model.save(self.folder / "best")
        self.model.get_vec_normalize_env().save(self.folder / "vecnormalize.pkl")
        return True

def train(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    PPO("MlpPolicy", env).learn(100_000, callback=SaveBest(folder))
""",
    "saved where the environment is normalized": SB3
    + """
def train(folder, normalize):
    env = make_vec_env("Pendulum-v1", n_envs=4)
    if normalize:
        env = VecNormalize(env)
    model = PPO("MlpPolicy", env)
    try:
        model.learn(100_000)
    finally:
        model.save(folder / "ppo")
        if normalize:
            vec_normalize = model.get_vec_normalize_env()
            vec_normalize.save(folder / "vecnormalize.pkl")
""",
    "frozen statistics from a file": SB3
    + """
def freeze_first_layer(folder):
    env = VecNormalize.load(folder / "vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=4))
    env.training = False
    model = PPO.load(folder / "ppo", env=env)
    model.learn(10_000)
    model.save(folder / "ppo_refined")
""",
    "the model on raw observations is the one saved": SB3
    + """
raw = PPO("MlpPolicy", make_vec_env("Pendulum-v1", n_envs=4))
raw.learn(100_000)
raw.save("ppo")
compared = PPO("MlpPolicy", VecNormalize(make_vec_env("Pendulum-v1", n_envs=4)))
compared.learn(100_000)
print(compared.logger)
""",
    "a model of another kind saved with the statistics": LOOP
    + """
            torch.save([policy, hasattr(envs, "ob_rms") and envs.ob_rms or None], path)
""",
    "a model of another kind saved with what may be statistics": LOOP
    + """
            torch.save([policy, getattr(find(envs), "ob_rms", None)], path)
""",
    "saved by a method of unknown things": SB3
    + """
def train(folder, parts):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000)
    model.save(folder / "ppo")
    for part in parts:
        part.env.save(folder / "part")
""",
    "saved by a helper of another library": SB3
    + """
from hub import package_to_hub

def train(name):
    env = VecNormalize(make_vec_env(name, n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000)
    model.save("ppo")
    package_to_hub(model=model, eval_env=env, repo_id=name)
""",
    "saved by a callback of another library": SB3
    + """
from rl_zoo3.callbacks import SaveVecNormalizeCallback

def train(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    callbacks = [CheckpointCallback(1000, folder), SaveVecNormalizeCallback(1000, folder)]
    PPO("MlpPolicy", env).learn(100_000, callback=callbacks)
""",
    "the running average of older versions": """
from stable_baselines import PPO2
from stable_baselines.common.vec_env import VecNormalize
from stable_baselines.common import make_vec_env

env = VecNormalize(make_vec_env("Pendulum-v0", n_envs=4))
model = PPO2("MlpPolicy", env)
model.learn(100_000)
model.save("ppo2")
env.save_running_average("folder")
""",
    "a test of the project": {
        "tests/test_ppo.py": SB3
        + """
def test_model_can_be_saved(tmp_path):
    model = PPO("MlpPolicy", VecNormalize(make_vec_env("Pendulum-v1", n_envs=1)))
    model.save(tmp_path / "ppo")
""",
    },
    "wrapper with an ob_rms of its own": """
import torch
from stable_baselines3.common.vec_env import VecNormalize


class Normalize(VecNormalize):
    def __init__(self, venv):
        super().__init__(venv)
        self.ob_rms = self.obs_rms


def train(policy, envs, path):
    envs = Normalize(envs)
    torch.save([policy, getattr(envs, "ob_rms", None)], path)
""",
    "wrapper of the first baselines": """
import torch
from baselines.common.vec_env.vec_normalize import VecNormalize


def train(policy, envs, path):
    envs = VecNormalize(envs)
    torch.save([policy, getattr(envs, "ob_rms", None)], path)
""",
    "statistics under their name": """
import torch
from stable_baselines3.common.vec_env import VecNormalize


def train(policy, envs, path):
    envs = VecNormalize(envs)
    torch.save([policy, getattr(envs, "obs_rms", None)], path)
""",
}

FOUND: dict[str, Case] = {
    "set on a model that is made on a plain one": """
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

venv = make_vec_env("Pendulum-v1", n_envs=4)
model = PPO("MlpPolicy", venv)
model.set_env(VecNormalize(venv))
model.learn(100_000)
model.save("ppo")  # CKP208
""",
    "a callback of another library that is told to leave it out": SB3
    + """
from callbacks import Progress

def train(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000, callback=Progress(folder, save_vecnormalize=False))
    model.save(folder / "ppo")  # CKP208
""",
    "in a script": SB3
    + """
env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4), norm_obs=True, norm_reward=True)
model = PPO("MlpPolicy", env)
model.learn(100_000)
model.save("ppo")  # CKP208
""",
    "the wrapper comes from another file": {
        "envs.py": ENVS,
        "train.py": """from stable_baselines3 import A2C

from envs import make_env

def main():
    model = A2C("MlpPolicy", make_env("Pendulum-v1", 4))
    model.learn(100_000)
    model.save("a2c")  # CKP208
""",
    },
    "the environment is a parameter": {
        "train.py": """from stable_baselines3 import SAC

def train(env, path):
    model = SAC("MlpPolicy", env)
    model.learn(100_000)
    model.save(path)  # CKP208
""",
        "main.py": SB3
        + """
from train import train

def wrap(env):
    return VecNormalize(env, norm_reward=False)

env = wrap(make_vec_env("Pendulum-v1", n_envs=1))
train(env, "sac")
""",
    },
    "checkpoints without an option": SB3
    + """
def train(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    checkpoints = CheckpointCallback(save_freq=1000, save_path=folder)  # CKP208
    PPO("MlpPolicy", env).learn(100_000, callback=checkpoints)
""",
    "checkpoints that leave it out": SB3
    + """
def train(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000, callback=[CheckpointCallback(1000, folder, save_vecnormalize=False)])  # CKP208
""",
    "under another wrapper": """
import stable_baselines3 as sb3
from stable_baselines3.common import env_util
from stable_baselines3.common import vec_env

normalized = vec_env.VecNormalize(env_util.make_vec_env("Pendulum-v1", n_envs=4))
model = sb3.TD3("MlpPolicy", vec_env.VecFrameStack(normalized, n_stack=4))
model.learn(100_000)
model.save("td3")  # CKP208
""",
    "normalized where an option says so": SB3
    + """
def train(folder, args):
    env = make_vec_env(args.env, n_envs=args.n_envs)
    if args.normalize:
        env = VecNormalize(env, gamma=args.gamma)
    model = PPO("MlpPolicy", env)
    model.learn(args.steps)
    model.save(folder / "ppo")  # CKP208
""",
    "attributes of one class": """
from sb3_contrib import RecurrentPPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env.vec_normalize import VecNormalize

class Experiment:
    def __init__(self, folder):
        self.folder = folder
        self.env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
        self.model = RecurrentPPO("MlpLstmPolicy", self.env)

    def run(self):
        self.model.learn(100_000)
        self.model.save(self.folder / "recurrent_ppo")  # CKP208
""",
    "restored and trained on": SB3
    + """
def refine(folder):
    env = VecNormalize.load(folder / "vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO.load(folder / "ppo", env=env)
    model.learn(100_000)
    model.save(folder / "ppo_refined")  # CKP208
""",
    "an experiment manager": SB3
    + """
class ExperimentManager:
    def __init__(self, env_id, normalize_kwargs, log_path):
        self.env_id = env_id
        self.normalize_kwargs = normalize_kwargs
        self.log_path = log_path

    def create_envs(self, n_envs):
        env = make_vec_env(self.env_id, n_envs=n_envs)
        return VecNormalize(env, **self.normalize_kwargs)

    def learn(self, model):
        model.learn(100_000)
        model.save(f"{self.log_path}/{self.env_id}")  # CKP208

    def run(self):
        self.learn(PPO("MlpPolicy", self.create_envs(4)))
""",
    "statistics under a name that the wrapper does not have": """
import torch
from stable_baselines3.common.vec_env import VecNormalize


def find(envs):
    while hasattr(envs, "venv"):
        if isinstance(envs, VecNormalize):
            return envs
        envs = envs.venv


def make(venv):
    return VecNormalize(venv, norm_reward=False)


def train(policy, venv, path):
    envs = make(venv)
    torch.save([policy, getattr(find(envs), "ob_rms", None)], path)  # CKP208
""",
}


FOUND |= {
    "the helper is not given the wrapper": with_helper("study.agent", "  # CKP208"),
    "the helper is a function": {
        "keep.py": """
def keep(folder, model, vec_norm=None):
    model.save(folder)
    if vec_norm:
        vec_norm.save(folder)
""",
        "run.py": SB3
        + """
from keep import keep

def run(folder):
    model = PPO("MlpPolicy", VecNormalize(make_vec_env("Pendulum-v1")))
    model.learn(1000)
    keep(folder, model)  # CKP208
""",
    },
    "an evaluation that keeps the best model": EVALUATION
    + BEST.format(arguments='make_vec_env("Pendulum-v1"), best_model_save_path=path').replace(
        "best_model_save_path=path)", "best_model_save_path=path)  # CKP208"
    ),
    "a model and an environment in a dict": SB3
    + """
def build():
    env = VecNormalize(make_vec_env("Pendulum-v1"))
    return {"model": PPO("MlpPolicy", env), "env": env}

def main(path):
    parts = build()
    parts["model"].learn(1000)
    parts["model"].save(path)  # CKP208
""",
}

REGRESSIONS: dict[str, Case] = {
    "a loop without a library's algorithm": LOOP
    + """
            saved = policy.cpu()
            torch.save(saved, path)  # CKP208
""",
    "a state_dict beside what is plain": LOOP
    + """
            torch.save({"policy": policy.state_dict(), "update": update}, path)  # CKP208
""",
    "the parameters of a policy": SB3
    + """
import torch

def train(path):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000)
    torch.save(model.policy.state_dict(), path)  # CKP208
""",
    "the configuration of the environment is saved": SB3
    + """
import pickle

def main(env_cfg, agent_cfg, folder):
    with open(folder / "env.pkl", "wb") as file:
        pickle.dump(env_cfg, file)
    env = make_vec_env(env_cfg["task"], n_envs=4)
    if "normalize_input" in agent_cfg:
        env = VecNormalize(env, training=True, norm_obs=agent_cfg.pop("normalize_input"))
    agent = PPO(agent_cfg.pop("policy"), env, verbose=1, **agent_cfg)
    checkpoints = CheckpointCallback(save_freq=1000, save_path=folder)  # CKP208
    agent.learn(100_000, callback=checkpoints)
    agent.save(folder / "model")
""",
    "the callbacks come from a helper": SB3
    + """
def make_callbacks(folder):
    return [CheckpointCallback(1000, folder)]  # CKP208

def train(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000, callback=make_callbacks(folder))
""",
    "checkpoints of a class that trains in another method": SB3
    + """
class Trainer:
    def __init__(self, folder):
        self.model = PPO("MlpPolicy", VecNormalize(make_vec_env("Pendulum-v1", n_envs=4)))
        self.checkpoints = CheckpointCallback(1000, folder)  # CKP208

    def run(self):
        self.model.learn(100_000, callback=self.checkpoints)
""",
    "trained where it is made": SB3
    + """
def train(path, kind):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    algorithm = PPO if kind == "ppo" else A2C
    model = algorithm("MlpPolicy", env).learn(100_000)
    model.save(path)  # CKP208
""".replace("def train", "from stable_baselines3 import A2C\n\ndef train"),
    "several models on one environment": SB3
    + """
def make(count):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=count))
    return env, env.observation_space

def train(path):
    env, space = make(4)
    for seed in range(3):
        model = PPO("MlpPolicy", env, seed=seed)
        model.learn(100_000)
        model.save(path / "last")  # CKP208
    model.save(path / "final")
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_models_saved_alone(case: Case) -> None:
    check_findings(case)


@cases(REGRESSIONS)
def test_reports_what_real_programs_leave_out(case: Case) -> None:
    check_findings(case)


def test_other_saves_are_related() -> None:
    (finding,) = check_findings(REGRESSIONS["several models on one environment"])
    assert [each.message for each in finding.related] == ["the statistics live here", "saved here too"]


def test_key_is_what_is_saved() -> None:
    case = REGRESSIONS["several models on one environment"]
    assert isinstance(case, str)
    (finding,) = check_findings(case.replace("model", "agent"))
    assert finding.key == "agent"
