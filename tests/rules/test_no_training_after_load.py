"""State that only training needs: silent where no run loads and then trains, and in files that no program reaches."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

AGENT = """import torch
from torch import nn


class Agent:
    def __init__(self):
        self.net = nn.Linear(4, 2)
        self.optimizer = torch.optim.Adam(self.net.parameters())

    def learn(self, batch):
        self.optimizer.zero_grad()
        self.net(batch).sum().backward()
        self.optimizer.step()

    def save(self, path):
        torch.save(self.net.state_dict(), path)  # CKP204

    def load(self, path):
        self.net.load_state_dict(torch.load(path))
"""
SILENT_AGENT = AGENT.replace("  # CKP204", "")
IMPORTS = "from agent import Agent\n\n"
BOTH = """
def main(evaluate):
    agent = Agent()
    if evaluate:
        agent.load("a.pt")
    for batch in range(9):
        if {test}:
            agent.learn(batch)
    agent.save("a.pt")


main(True)
"""
LEFT = """
def main(args):
    agent = Agent()
    if args.mode == "test":
        agent.load("a.pt")
        {leave}
    agent.learn(1)
    agent.save("a.pt")


main(None)
"""
PLOTTED = """
def plot_training(curve):
    print(curve)


agent = Agent()
agent.load("a.pt")
plot_training([])
"""
RESUMED = """
agent = Agent()
agent.load("a.pt")
agent.learn(1)
agent.save("a.pt")
"""
MODEL = (
    AGENT.replace("class Agent", "class FastModel")
    .replace("def __init__(self):", 'def __init__(self):\n        self.path = "fast.pt"')
    .replace("(self, path)", "(self)")
    .replace(", path)", ", self.path)")
    .replace("load(path)", "load(self.path)")
)
MAKER = """import importlib


def make(name):
    module = importlib.import_module("models." + name + "_model")
    return getattr(module, name)()
"""
TRAIN = """from models import make

model = make("fast")
model.load()
model.learn(1)
model.save()
"""

SILENT: dict[str, Case] = {
    "the flags of load and training exclude each other": {
        "agent.py": SILENT_AGENT,
        "main.py": IMPORTS + BOTH.format(test="not evaluate"),
    },
    "the function is over after the load": {
        "agent.py": SILENT_AGENT,
        "main.py": IMPORTS + LEFT.format(leave="return"),
    },
    "the program is over after the load": {
        "agent.py": SILENT_AGENT,
        "main.py": "import sys\n" + IMPORTS + LEFT.format(leave="sys.exit()"),
    },
    "only a plot speaks of training after the load": {
        "agent.py": SILENT_AGENT,
        "main.py": IMPORTS + PLOTTED,
    },
    "a copy that was put away": {"archive/agent.py": SILENT_AGENT, "main.py": "print(1)\n"},
    "a file of another name than those that are chosen": {
        "models/__init__.py": MAKER,
        "models/fast_modelling.py": MODEL.replace("  # CKP204", ""),
        "train.py": TRAIN,
    },
}

FOUND: dict[str, Case] = {
    "training goes on where the load was": {
        "agent.py": AGENT,
        "main.py": IMPORTS + BOTH.format(test="evaluate").replace("evaluate", "more"),
    },
    "training goes on below the branch": {
        "agent.py": AGENT,
        "main.py": IMPORTS + LEFT.format(leave="pass").replace('"test"', '"more"'),
    },
    "a script that nothing imports": {
        "train.py": "from stable_baselines3 import PPO\n\nif __name__ == '__main__':\n    print(PPO)\n",
        "show.py": """
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

envs = VecNormalize(DummyVecEnv([make]), training=False)  # CKP209
model = PPO.load("agent", env=envs)
""",
    },
    "a program trains on": {"agent.py": AGENT, "main.py": IMPORTS + RESUMED},
    "a program uses what was put away": {
        "archive/agent.py": AGENT,
        "main.py": "from archive.agent import Agent\n" + RESUMED,
    },
    "a file that is chosen by its name": {
        "models/__init__.py": MAKER,
        "models/fast_model.py": MODEL,
        "train.py": TRAIN,
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_a_training_needs(case: Case) -> None:
    check_findings(case)
