"""How environments and models are followed to what made them, and what becomes of their statistics."""

from __future__ import annotations

import time

from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.linked_project import Project
from flake8_ckpt.linking.programs import Programs
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SB3 = """from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecNormalize
"""
WRAP = 'VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))'
TRAIN = """    model.learn(100_000)
    model.save("ppo")  # CKP208
"""
FOLLOWED: dict[str, Case] = {
    "a variable of the file": f"{SB3}\nenv = {WRAP}\n\ndef train():\n    model = PPO('MlpPolicy', env)\n{TRAIN}",
    "one of two that a function returns": f"""{SB3}
def make():
    env = {WRAP}
    return "name", env

def train():
    made = make()
    model = PPO("MlpPolicy", made[1])
{TRAIN}""",
    "an annotated function that gives one or none": f"""{SB3}
def make(normalize) -> VecNormalize:
    if not normalize:
        return None
    return {WRAP}

def train(normalize):
    model = PPO("MlpPolicy", make(normalize))
{TRAIN}""",
    "an attribute of a base class": f"""{SB3}
class Base:
    def __init__(self):
        self.env = {WRAP}

class Trainer(Base):
    def run(self):
        model = PPO("MlpPolicy", env=self.env)
        model.learn(100_000)
        model.save("ppo")  # CKP208
""",
    "an argument of a constructor": f"""{SB3}
class Trainer:
    def __init__(self, env):
        self.env = env

    def run(self):
        model = PPO("MlpPolicy", self.env)
        model.learn(100_000)
        model.save("ppo")  # CKP208

def main():
    Trainer({WRAP}).run()
""",
    "the environment of another model": f"""{SB3}
def train():
    first = PPO("MlpPolicy", {WRAP})
    first.learn(100_000)
    model = PPO("MlpPolicy", first.get_env())
{TRAIN}""",
    "the environment inside another wrapper": f"""{SB3}
def train():
    outer = Recorder({WRAP})
    model = PPO("MlpPolicy", outer.venv)
{TRAIN}""",
    "set on the model later": f"""{SB3}
def train(first):
    env = {WRAP}  # CKP209
    model = PPO.load(first)
    model.set_env(env)
{TRAIN}""",
    "a wrapper of the project's own": f"""{SB3}
class Normalizer(VecNormalize):
    def freeze(self):
        self.training = False

def train():
    model = PPO("MlpPolicy", Normalizer(make_vec_env("Pendulum-v1", n_envs=4)))
{TRAIN}""",
    "an algorithm of the project's own": f"""{SB3}
class Distributional(PPO):
    pass

def train():
    model = Distributional("MlpPolicy", {WRAP})
{TRAIN}""",
    "more arguments than are kept": f"""{SB3}
def train(args):
    env = VecNormalize(make_vec_env(args.name, n_envs=args.count, seed=args.seed, start_index=args.start),
                       norm_obs=True, norm_reward=args.norm_reward, clip_obs=args.clip_obs, gamma=args.gamma,
                       clip_reward=args.clip_reward, epsilon=args.epsilon, training=args.training)
    model = PPO("MlpPolicy", env, n_steps=args.n_steps, batch_size=args.batch_size, gamma=args.gamma,
                learning_rate=args.learning_rate, ent_coef=args.ent_coef, vf_coef=args.vf_coef)
{TRAIN}""",
}
SILENT: dict[str, Case] = {
    "none of two that a function returns": f"""{SB3}
def make():
    return "name", {WRAP}

def train(index):
    model = PPO("MlpPolicy", make()[index])
    model.save("ppo")
""",
    "what a function calls itself for": f"""{SB3}
def wrap(env, times):
    return wrap(env, times - 1) if times else env

def train():
    model = PPO("MlpPolicy", wrap(make_vec_env("Pendulum-v1", n_envs=4), 3))
    model.save("ppo")
    return VecNormalize
""",
    "an environment that a pickle gave": f"""{SB3}
import pickle

def enjoy(path, file):
    env = pickle.load(file) if file else {WRAP}
    model = PPO.load(path, env=env)
    return evaluate_policy(model, env)
""",
    "rewards only by an argument": f"""{SB3}
def make(norm_obs=False):
    return VecNormalize(make_vec_env("Pendulum-v1", n_envs=4), True, norm_obs)

def train():
    model = PPO("MlpPolicy", make())
    model.save("ppo")
""",
    "taken out as values": f"""{SB3}
def train(table):
    env = {WRAP}
    model = PPO("MlpPolicy", env)
    model.save("ppo")
    table.mean = env.obs_rms.mean
""",
    "dumped through its getter": f"""{SB3}
import pickle

def train(file):
    model = PPO("MlpPolicy", {WRAP})
    model.save("ppo")
    pickle.dump(model.get_env(), file)
""",
    "checkpoints with options that are not known": f"""{SB3}
from stable_baselines3.common.callbacks import CheckpointCallback

def train(options):
    model = PPO("MlpPolicy", {WRAP})
    model.learn(1000, callback=CheckpointCallback(1000, "folder", **options))
""",
    "assigned by name": f"""{SB3}
def enjoy(path, statistics):
    env = {WRAP}
    setattr(env, "obs_rms", statistics)
    model = PPO.load(path, env=env)
    return evaluate_policy(model, env)
""",
    "frozen by name": f"""{SB3}
def enjoy(path, stats):
    env = VecNormalize.load(stats, make_vec_env("Pendulum-v1", n_envs=1))
    env.set_attr("training", False)
    model = PPO.load(path, env=env)
    return evaluate_policy(model, env)
""",
    "frozen as modules are": f"""{SB3}
def enjoy(path, stats):
    env = VecNormalize.load(stats, make_vec_env("Pendulum-v1", n_envs=1))
    env.eval()
    model = PPO.load(path, env=env)
    return evaluate_policy(model, env)
""",
}


@cases(FOLLOWED)
def test_wrapper_is_followed(case: Case) -> None:
    check_findings(case)


@cases(SILENT)
def test_unknown_wrapper_is_left_alone(case: Case) -> None:
    check_silent(case)


def test_many_callers_end_in_unknown() -> None:
    calls = "\n".join(f"    env = wrap{number}(env)" for number in range(300))
    wraps = "\n".join(
        f"def wrap{number}(env):\n    env = wrap{(number * 7 + 1) % 300}(env) or wrap{(number + 1) % 300}(env)\n"
        f"    return env\n"
        for number in range(300)
    )
    train = (
        f"def train():\n    env = {WRAP}\n{calls}\n    model = PPO('MlpPolicy', env)\n    model.save('ppo')\n"
    )
    start = time.monotonic()
    check_silent(f"{SB3}\n{wraps}\n{train}")
    assert time.monotonic() - start < 30


def test_program_is_a_script_and_what_it_uses() -> None:
    files = {
        "train.py": "from common import save\nfrom envs import *\n\nsave('a')\n",
        "enjoy.py": "import envs\n\nenvs.make()\n",
        "common.py": "def save(path):\n    return open(path)\n",
        "envs.py": "def make():\n    return 1\n",
        "other.py": "import torch\n",
    }
    project = Project({path: collect_file(source.encode()) for path, source in files.items()})
    programs = Programs(project.losses.environments.allocations)
    assert programs.around("train.py") == {"train.py", "common.py", "envs.py"}
    assert programs.around("envs.py") == {"train.py", "enjoy.py", "common.py", "envs.py"}
    assert programs.around("other.py") == {"other.py"}
