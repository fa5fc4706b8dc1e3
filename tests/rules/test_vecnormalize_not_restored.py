"""CKP209: a loaded model on a VecNormalize that is fresh, late or still training."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SB3 = """from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecNormalize
from stable_baselines3.common.vec_env import sync_envs_normalization
"""
TRAIN = (
    SB3
    + """
def main():
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000)
    model.save("ppo")
    env.save("vecnormalize.pkl")
"""
)

ENVS = """from baselines.common.vec_env import DummyVecEnv
from baselines.common.vec_env.vec_normalize import VecNormalize

def make_envs(count):
    envs = DummyVecEnv([None] * count)
    if len(envs.observation_space.shape) == 1:
        envs = VecNormalize(envs)
    return envs
"""
# A training loop of one's own that evaluates, too.
LOOP = """import torch

from envs import make_envs
from model import Policy

def main(path):
    envs = make_envs(4)
    policy = Policy(envs.observation_space)
    obs = envs.reset()
    for _ in range(1000):
        obs, reward, done, infos = envs.step(policy.act(obs))
    torch.save([policy.state_dict(), envs.obs_rms], path)
    OF EVALUATION
    obs = eval_envs.reset()
    for _ in range(100):
        obs, reward, done, infos = eval_envs.step(policy.act(obs))
"""
# A helper that makes the wrapper of training, and that of evaluations with other options.
OPTIONS = (
    SB3
    + """
def wrap(count, evaluation=False, **options):
    settings = dict(options)
    if evaluation:
        settings["norm_reward"] = False{more}
    return VecNormalize(make_vec_env("Pendulum-v1", n_envs=count), **settings){marker}

def train(path, options):
    env = wrap(4, **options)
    model = PPO("MlpPolicy", env)
    {evaluate}
    env.save(path)
    model.save(path)
"""
)
IN_A_CALLBACK = "model.learn(1000, callback=EvalCallback(wrap(1, evaluation=True, **options)))"
DIRECT = (
    SB3
    + """
def train(path):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4){training})
    other = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1), norm_reward=False){marker}
    model = PPO("MlpPolicy", env)
    model.learn(1000, callback=[EvalCallback(other)])
    env.save(path)
    model.save(path)
"""
)

SILENT: dict[str, Case] = {
    "the options of an evaluation stop the updates": OPTIONS.format(
        more='\n        settings["training"] = False', evaluate=IN_A_CALLBACK, marker=""
    ),
    "the options of training and evaluation are the same": OPTIONS.format(
        more="", evaluate=IN_A_CALLBACK, marker=""
    ).replace("    if evaluation:\n        settings", "    settings"),
    "rewards are left alone in training too": DIRECT.format(training=", norm_reward=False", marker=""),
    "the updates of an evaluation are stopped later": DIRECT.format(training="", marker="").replace(
        '    model = PPO("MlpPolicy", env)', '    other.training = False\n    model = PPO("MlpPolicy", env)'
    ),
    "the environment of training is evaluated": DIRECT.format(training="", marker="").replace(
        "EvalCallback(other)", "EvalCallback(env)"
    ),
    "from a table of something else": SB3
    + """
from utils import POLICIES

def enjoy(name, path):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1))
    model = POLICIES[name].load(path, env=env)
    obs = env.reset()
    while True:
        action, _ = model.predict(obs)
        obs, _, _, _ = env.step(action)
""",
    "fresh or from a pickle": SB3
    + """
import pickle

def enjoy(folder, resume):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1), training=False)
    if resume:
        env = pickle.load(open(folder / "env.pkl", "rb"))
    model = PPO.load(folder / "ppo", env=env)
    score, _ = evaluate_policy(model, env)
""",
    "an environment that a function wraps around itself": SB3
    + """
from monitor import Monitor

def wrapped(env):
    return wrapped(Monitor(env))

def enjoy(folder):
    env = wrapped(make_vec_env("Pendulum-v1", n_envs=1))
    model = PPO.load(folder / "ppo", env=env)
    score, _ = evaluate_policy(model, env)
""",
    "late but the model gets another restored one": SB3
    + """
def resume(folder):
    venv = make_vec_env("Pendulum-v1", n_envs=4)
    model = PPO.load(folder / "ppo", env=venv)
    spare = VecNormalize.load(folder / "old.pkl", venv)
    model.set_env(VecNormalize.load(folder / "vecnormalize.pkl", venv))
    model.learn(100_000)
    spare.close()
""",
    "a wrapper is restored first and its environment is used": SB3
    + """
def resume(folder):
    venv = make_vec_env("Pendulum-v1", n_envs=4)
    spare = VecNormalize.load(folder / "old.pkl", venv)
    model = PPO.load(folder / "ppo", env=venv)
    model.learn(100_000)
    spare.close()
""",
    "training and evaluation in two files": {
        "train.py": TRAIN,
        "enjoy.py": SB3
        + """
def main():
    env = VecNormalize.load("vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=1))
    env.training = False
    env.norm_reward = False
    model = PPO.load("ppo", env=env)
    observation = env.reset()
    for _ in range(1000):
        action, _ = model.predict(observation, deterministic=True)
        observation, _, _, _ = env.step(action)
""",
    },
    "only rewards are normalized": SB3
    + """
def resume(path):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4), norm_obs=False)
    model = PPO.load(path, env=env)
    model.learn(100_000)
    model.save(path)
""",
    "training goes on with the restored statistics": SB3
    + """
def resume(folder):
    env = VecNormalize.load(folder / "vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO.load(folder / "ppo", env=env)
    model.learn(100_000, reset_num_timesteps=False)
    model.save(folder / "ppo")
    env.save(folder / "vecnormalize.pkl")
""",
    "fresh unless the run resumes": SB3
    + """
def train(folder, resume):
    venv = make_vec_env("Pendulum-v1", n_envs=4)
    if resume:
        env = VecNormalize.load(folder / "vecnormalize.pkl", venv)
        model = PPO.load(folder / "ppo", env=env)
    else:
        env = VecNormalize(venv)
        model = PPO("MlpPolicy", env)
    model.learn(100_000)
    model.save(folder / "ppo")
    env.save(folder / "vecnormalize.pkl")
""",
    "restored where the file exists": SB3
    + """
def create_test_env(name, stats_path):
    env = make_vec_env(name, n_envs=1)
    if stats_path.exists():
        env = VecNormalize.load(stats_path, env)
        env.training = False
        env.norm_reward = False
    return env

def enjoy(folder):
    env = create_test_env("Pendulum-v1", folder / "vecnormalize.pkl")
    model = PPO.load(folder / "ppo", env=env)
    score, _ = evaluate_policy(model, env)
""",
    "late but set again": SB3
    + """
def resume(folder):
    venv = make_vec_env("Pendulum-v1", n_envs=4)
    model = PPO.load(folder / "ppo", env=venv)
    env = VecNormalize.load(folder / "vecnormalize.pkl", venv)
    model.set_env(env)
    model.learn(100_000)
""",
    "late but the one that is stepped": SB3
    + """
def enjoy(folder):
    model = PPO.load(folder / "ppo")
    env = VecNormalize.load(folder / "vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=1))
    env.training = False
    score, _ = evaluate_policy(model, env)
""",
    "switched off through the model": SB3
    + """
def enjoy(folder):
    env = VecNormalize.load(folder / "vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=1))
    model = PPO.load(folder / "ppo", env=env)
    model.get_vec_normalize_env().training = False
    score, _ = evaluate_policy(model, env)
""",
    "the evaluation of a callback is kept in step": SB3
    + """
def resume(folder):
    env = VecNormalize.load(folder / "vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=4))
    eval_env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1), training=False, norm_reward=False)
    model = PPO.load(folder / "ppo", env=env)
    model.learn(100_000, callback=EvalCallback(eval_env, eval_freq=1000))
""",
    "kept in step by hand": SB3
    + """
def compare(folder):
    env = VecNormalize.load(folder / "vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=4))
    env.training = False
    eval_env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1), training=False)
    sync_envs_normalization(env, eval_env)
    model = PPO.load(folder / "ppo")
    score, _ = evaluate_policy(model, eval_env)
""",
    "the statistics are assigned": SB3
    + """
import pickle

def enjoy(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1), training=False)
    with open(folder / "obs_rms.pkl", "rb") as file:
        env.obs_rms = pickle.load(file)
    model = PPO.load(folder / "ppo", env=env)
    score, _ = evaluate_policy(model, env)
""",
    "the wrapper is unpickled": SB3
    + """
import pickle

def enjoy(folder):
    with open(folder / "vecnormalize.pkl", "rb") as file:
        env = pickle.load(file)
    env.set_venv(make_vec_env("Pendulum-v1", n_envs=1))
    env.training = False
    model = PPO.load(folder / "ppo", env=env)
    score, _ = evaluate_policy(model, env)
""",
    "restored in another file": {
        "envs.py": """from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

def make_test_env(name, stats_path):
    env = VecNormalize.load(stats_path, make_vec_env(name, n_envs=1))
    env.training = False
    env.norm_reward = False
    return env
""",
        "enjoy.py": """from sb3_contrib import TQC
from stable_baselines3.common.evaluation import evaluate_policy

from envs import make_test_env

env = make_test_env("Pendulum-v1", "vecnormalize.pkl")
model = TQC.load("tqc", env=env)
score, _ = evaluate_policy(model, env)
""",
    },
    "only used to normalize": SB3
    + """
class Controller:
    def __init__(self, folder):
        venv = make_vec_env("Pendulum-v1", n_envs=1)
        self.statistics = VecNormalize.load(folder / "vecnormalize.pkl", venv)
        self.model = PPO.load(folder / "ppo")

    def act(self, observation):
        action, _ = self.model.predict(self.statistics.normalize_obs(observation))
        return action
""",
    "replaced by the restored one": SB3
    + """
def resume(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO.load(folder / "ppo", env=env)
    if (folder / "vecnormalize.pkl").exists():
        env = VecNormalize.load(folder / "vecnormalize.pkl", env)
        model.set_env(env)
    model.learn(100_000)
""",
    "the statistics of the late one are taken over": SB3
    + """
def resume(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO.load(folder / "ppo", env=env)
    saved = VecNormalize.load(folder / "vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=4))
    env.obs_rms = saved.obs_rms
    env.ret_rms = saved.ret_rms
    model.learn(100_000)
""",
    "late and reset by hand": SB3
    + """
def resume(folder, record):
    venv = make_vec_env("Pendulum-v1", n_envs=4)
    model = PPO.load(folder / "ppo", env=venv)
    env = VecNormalize.load(folder / "vecnormalize.pkl", venv)
    env.reset()
    model.learn(100_000)
""",
    "late and handed on": SB3
    + """
def resume(folder, record):
    venv = make_vec_env("Pendulum-v1", n_envs=4)
    model = PPO.load(folder / "ppo", env=venv)
    env = VecNormalize.load(folder / "vecnormalize.pkl", venv)
    record(env)
    model.learn(100_000)
""",
    "late in a function that only restores": SB3
    + """
def restore(folder):
    venv = make_vec_env("Pendulum-v1", n_envs=4)
    model = PPO.load(folder / "ppo", env=venv)
    env = VecNormalize.load(folder / "vecnormalize.pkl", venv)
    return model
""",
    "fresh where there is no file": SB3
    + """
def run(folder, stats):
    model = PPO.load(folder / "ppo")
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1), norm_reward=False)
    if stats is not None:
        env = VecNormalize.load(stats, env)
        env.training = False
    else:
        env.reset()
    obs = env.reset()
    for _ in range(100):
        action, _ = model.predict(obs)
        obs, _, _, _ = env.step(action)
""",
    "trained before it is loaded again": SB3
    + """
env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
model = PPO("MlpPolicy", env)
model.learn(100_000)
model.save("ppo")
env.save("vecnormalize.pkl")
model = PPO.load("ppo", env=env)
score, _ = evaluate_policy(model, env)
""",
    "an evaluation in step by a callback": SB3
    + """
def train():
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    eval_env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1), training=False)
    model = PPO("MlpPolicy", env)
    model.learn(100_000, callback=EvalCallback(eval_env))
    return evaluate_policy(model, eval_env)
""",
    "an evaluation on the environment of training": SB3
    + """
def train():
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000)
    return evaluate_policy(model, model.get_env())
""",
    "an evaluation loop with shared statistics": {
        "envs.py": ENVS,
        "main.py": LOOP.replace(
            "OF EVALUATION", "eval_envs = make_envs(1)\n    eval_envs.obs_rms = envs.obs_rms"
        ),
    },
    "a test of the project": {
        "tests/test_ppo.py": SB3
        + """
def test_model_can_be_loaded(tmp_path):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1))
    PPO("MlpPolicy", env).save(tmp_path / "ppo")
    model = PPO.load(tmp_path / "ppo", env=env)
    model.learn(10)
""",
    },
}

FOUND: dict[str, Case] = {
    "two are late and the first one is named": SB3
    + """
def resume(folder):
    venv = make_vec_env("Pendulum-v1", n_envs=4)
    model = PPO.load(folder / "ppo", env=venv)
    env = VecNormalize.load(folder / "vecnormalize.pkl", venv)  # CKP209
    old = VecNormalize.load(folder / "old.pkl", venv)
    model.learn(100_000)
    env.save(folder / "vecnormalize.pkl")
    old.close()
""",
    "late and fresh in the evaluation that follows": SB3
    + """
def resume(folder):
    venv = make_vec_env("Pendulum-v1", n_envs=4)
    model = PPO.load(folder / "ppo", env=venv)
    env = VecNormalize.load(folder / "vecnormalize.pkl", venv)  # CKP209
    model.learn(100_000)
    env.save(folder / "vecnormalize.pkl")
    eval_env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1))  # CKP209
    return evaluate_policy(model, eval_env)
""",
    "still training by the options of an evaluation": OPTIONS.format(
        more="", evaluate=IN_A_CALLBACK, marker="  # CKP209"
    )
    .replace("  # CKP209", "")
    .replace(IN_A_CALLBACK, IN_A_CALLBACK + "  # CKP209"),
    "still training where only a restored one is frozen": OPTIONS.format(
        more="",
        evaluate=IN_A_CALLBACK + "  # CKP209",
        marker="",
    )
    + """
def show(path):
    env = VecNormalize.load(path, make_vec_env("Pendulum-v1"))
    env.training = False
    return env
""",
    "still training beside one that trains": DIRECT.format(training="", marker="  # CKP209"),
    "fresh in the evaluation": {
        "train.py": TRAIN,
        "enjoy.py": SB3
        + """
def main():
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1))  # CKP209
    model = PPO.load("ppo", env=env)
    observation = env.reset()
    for _ in range(1000):
        action, _ = model.predict(observation, deterministic=True)
        observation, _, _, _ = env.step(action)
""",
    },
    "fresh and given to the evaluation only": SB3
    + """
def enjoy(path):
    model = PPO.load(path)
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1), training=False)  # CKP209
    score, _ = evaluate_policy(model, env)
""",
    "fresh when training goes on": SB3
    + """
def resume(folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))  # CKP209
    model = PPO.load(folder / "ppo", env=env)
    model.learn(100_000)
    model.save(folder / "ppo")
    env.save(folder / "vecnormalize.pkl")
""",
    "fresh and set on the model": SB3
    + """
def resume(folder):
    model = PPO.load(folder / "ppo")
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))  # CKP209
    model.set_env(env)
    model.learn(100_000)
""",
    "fresh under another wrapper": """
from stable_baselines3 import SAC
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecFrameStack
from stable_baselines3.common.vec_env import VecNormalize

venv = make_vec_env("Pendulum-v1", n_envs=1)
normalized = VecNormalize(venv, norm_reward=False)  # CKP209
model = SAC.load("sac", env=VecFrameStack(normalized, n_stack=4))
model.learn(100_000)
""",
    "fresh from a helper in another file": {
        "envs.py": """from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

def make_test_env(name):
    env = make_vec_env(name, n_envs=1)
    return VecNormalize(env, training=False)  # CKP209
""",
        "enjoy.py": """from sb3_contrib import TQC
from stable_baselines3.common.evaluation import evaluate_policy

from envs import make_test_env

env = make_test_env("Pendulum-v1")
model = TQC.load("tqc", env=env)
score, _ = evaluate_policy(model, env)
""",
    },
    "fresh in a class": SB3
    + """
class Player:
    def __init__(self, path):
        self.env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1), training=False)  # CKP209
        self.model = PPO.load(path, env=self.env)

    def play(self):
        return evaluate_policy(self.model, self.env)
""",
    "late for the training that follows": SB3
    + """
def resume(folder):
    venv = make_vec_env("Pendulum-v1", n_envs=4)
    model = PPO.load(folder / "ppo", env=venv)
    env = VecNormalize.load(folder / "vecnormalize.pkl", venv)  # CKP209
    model.learn(100_000)
    model.save(folder / "ppo")
    env.save(folder / "vecnormalize.pkl")
""",
    "still training in a loop": SB3
    + """
def enjoy(folder):
    env = VecNormalize.load(folder / "vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=1))  # CKP209
    model = PPO.load(folder / "ppo", env=env)
    observation = env.reset()
    for _ in range(1000):
        action, _ = model.predict(observation, deterministic=True)
        observation, _, _, _ = env.step(action)
""",
    "still training in evaluate_policy": SB3
    + """
def enjoy(folder):
    env = VecNormalize.load(folder / "vecnormalize.pkl", make_vec_env("Pendulum-v1", n_envs=1))  # CKP209
    env.norm_reward = False
    model = PPO.load(folder / "ppo")
    score, _ = evaluate_policy(model, env, n_eval_episodes=20)
""",
}


REGRESSIONS: dict[str, Case] = {
    "a second one in an evaluation loop": {
        "envs.py": ENVS,
        "main.py": LOOP.replace("OF EVALUATION", "eval_envs = make_envs(1)  # CKP209"),
    },
    "a second one beside training": SB3
    + """
def train():
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000)
    eval_env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1))  # CKP209
    return evaluate_policy(model, eval_env)
""",
    "a second one in an object that evaluates": SB3
    + """
class Evaluator:
    def __init__(self, model, env):
        self.model = model
        self.env = env

    def evaluate(self):
        obs = self.env.reset()
        for _ in range(100):
            action, _ = self.model.predict(obs)
            obs, _, _, _ = self.env.step(action)

def train():
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4))
    model = PPO("MlpPolicy", env)
    model.learn(100_000)
    eval_env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1))  # CKP209
    Evaluator(model, eval_env).evaluate()
""",
    "made by the helper that training calls": {
        "envs.py": """from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

def make_env(count):
    return VecNormalize(make_vec_env("Pendulum-v1", n_envs=count))
""",
        "train.py": """from stable_baselines3 import SAC

from envs import make_env

env = make_env(4)
model = SAC("MlpPolicy", env)
model.learn(100_000)
model.save("sac")
env.save("vecnormalize.pkl")
""",
        "enjoy.py": """from stable_baselines3 import SAC

from envs import make_env

env = make_env(1)  # CKP209
model = SAC.load("sac", env=env)
obs = env.reset()
for _ in range(1000):
    action, _ = model.predict(obs)
    obs, _, _, _ = env.step(action)
""",
    },
    "resumed where a checkpoint is given": SB3
    + """
def main(checkpoint, folder):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=4), norm_obs=True)  # CKP209
    agent = PPO("MlpPolicy", env)
    if checkpoint is not None:
        agent = agent.load(checkpoint, env, print_system_info=True)
    agent.learn(100_000)
    agent.save(folder / "model")
    env.save(folder / "vecnormalize.pkl")
""",
    "late and set to the old environment again": SB3
    + """
def resume(folder):
    venv = make_vec_env("Pendulum-v1", n_envs=4)
    env = VecNormalize(venv)
    model = PPO.load(folder / "ppo", env=env)
    venv = VecNormalize.load(folder / "vecnormalize.pkl", venv)  # CKP209
    model.set_env(env)
    model.learn(100_000)
""",
    "from a table of algorithms": SB3
    + """
from utils import ALGOS

def enjoy(name, path):
    env = VecNormalize(make_vec_env("Pendulum-v1", n_envs=1))  # CKP209
    model = ALGOS[name].load(path, env=env)
    obs = env.reset()
    while True:
        action, _ = model.predict(obs)
        obs, _, _, _ = env.step(action)
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_wrong_statistics(case: Case) -> None:
    check_findings(case)


@cases(REGRESSIONS)
def test_reports_what_real_programs_do(case: Case) -> None:
    check_findings(case)
