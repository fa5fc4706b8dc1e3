"""CKP205: what a load restores is replaced by code that runs after it."""

from __future__ import annotations

import pytest

from flake8_ckpt.rules.base import own_attribute
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

TRAINER = """
import torch
from torch import nn


class Trainer:
    def __init__(self):
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.frame = 0

    def save(self, path):
        payload = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "frame": self.frame}
        torch.save(payload, path)

    def restore(self, path):
        payload = torch.load(path)
        self.model.load_state_dict(payload["model"])
        self.optimizer.load_state_dict(payload["optimizer"])
        self.frame = payload["frame"]

    def step(self):
        self.optimizer.zero_grad()
        self.model(torch.randn(8, 2) / (1 + self.frame)).mean().backward()
        self.optimizer.step()
        self.frame += 1
"""
TRAIN = """
    def train(self, frames):
        for _ in range(frames):
            self.step()
"""
RESETTING_TRAIN = """
    def train(self, frames):
        self.frame = 0  # CKP205
        for _ in range(frames):
            self.step()
"""
MAIN = """

def main(path, resume, frames):
    trainer = Trainer()
    if resume:
        trainer.restore(path)
    trainer.train(frames)
    trainer.save(path)
"""
NORMALIZER = """
import numpy as np


class RunningMeanStd:
    def __init__(self, size):
        self.mean = np.zeros(size)
        self.var = np.ones(size)
        self.count = 1e-4

    def reset(self):
        self.mean = np.zeros_like(self.mean)
        self.var = np.ones_like(self.var)
        self.count = 1e-4

    def update(self, batch):
        total = self.count + len(batch)
        self.mean = self.mean + (batch.mean(axis=0) - self.mean) * len(batch) / total
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
import torch
from torch import nn
from normalization import RunningMeanStd


class Agent:
    def __init__(self):
        self.policy = nn.Linear(8, 2)
        self.obs_rms = RunningMeanStd(8)
        self.returns = 0.0

    def act(self, obs):
        self.obs_rms.update(obs)
        return self.policy(torch.as_tensor(self.obs_rms.normalize(obs)))

    def save(self, path):
        torch.save({"policy": self.policy.state_dict(), "obs_rms": self.obs_rms.state_dict()}, path)

    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        self.obs_rms.load_state_dict(payload["obs_rms"])
"""


def script(after_load: str) -> str:
    """Return a script that restores all it saves, and then runs some more lines."""
    return f"""
import torch
from torch import nn


def main(path, args, epochs, batches):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    first = 0
    if args.resume:
        state = torch.load(path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["epoch"] + 1
{after_load}
    for epoch in range(first, epochs):
        for batch in batches:
            optimizer.zero_grad()
            model(batch).mean().backward()
            optimizer.step()
        torch.save({{"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}}, path)
"""


def agent(main: str) -> dict[str, str]:
    """Return an agent that restores its normalizer, and a script that uses it."""
    return {"normalization.py": NORMALIZER, "agent.py": AGENT, "main.py": main}


SILENT: dict[str, Case] = {
    "made by a library from what there is": """import torch
from vendor import Net

class Agent:
    def __init__(self):
        self.net = Net(4, 2)

    def load(self, folder):
        self.net.load_state_dict(torch.load(folder / "old.pt"))
        self.net = Net.from_folder(folder)
""",
    "list that is filled from a file and then stacked": """
import pickle
import torch
class Frames:
    def __init__(self, path):
        self.path = path
        self.fill()

    def fill(self):
        data = pickle.load(open(self.path, "rb"))
        self.images = []
        for each in data["images"]:
            self.images.append(torch.from_numpy(each))
        self.images = torch.stack(self.images, axis=0)

    def __getitem__(self, index):
        return self.images[index]
""",
    "the new normalizer wraps the restored one": agent(
        """
from agent import Agent
from normalization import RunningMeanStd


def main(path, resume, observations):
    agent = Agent()
    if resume:
        agent.load(path)
    agent.obs_rms = RunningMeanStd(agent.obs_rms)
    for obs in observations:
        agent.act(obs)
    agent.save(path)
"""
    ),
    "training is over when a method that restores is called": TRAINER
    + """
    def resume(self, path):
        self.restore(path)
"""
    + RESETTING_TRAIN.replace("  # CKP205", "")
    + """

def main(path, frames):
    trainer = Trainer()
    trainer.train(frames)
    trainer.resume(path)
    trainer.save(path)
""",
    "a method that is called like a measure of data": """
import torch


class Meter:
    def __init__(self):
        self.total = 0.0

    def update(self, value):
        self.total = self.total + value

    def mean(self):
        return self.total / 2

    def save(self, path):
        torch.save({"total": self.total}, path)

    def load(self, path):
        self.total = torch.load(path)["total"]
        self.total = self.mean()
""",
    "load gives back a counter that it does not keep": """
import torch


class Trainer:
    def __init__(self, model):
        self.model = model

    def save(self, path, epoch):
        torch.save({"model": self.model.state_dict(), "epoch": epoch}, path)

    def load(self, path):
        state = torch.load(path)
        self.model.load_state_dict(state["model"])
        epoch = state["epoch"]
        return epoch
""",
    "training is over when the counter is restored": TRAINER
    + RESETTING_TRAIN.replace("  # CKP205", "")
    + """

def main(path, frames):
    trainer = Trainer()
    trainer.train(frames)
    trainer.restore(path)
    trainer.save(path)
""",
    "only the constructor sets it": TRAINER + TRAIN + MAIN,
    "the reset runs before the load": TRAINER
    + TRAIN
    + """

def main(path, resume, frames):
    trainer = Trainer()
    trainer.frame = 0
    if resume:
        trainer.restore(path)
    trainer.train(frames)
    trainer.save(path)
""",
    "the reset runs only where nothing was loaded": TRAINER
    + TRAIN
    + """

def main(path, resume, frames):
    trainer = Trainer()
    if resume:
        trainer.restore(path)
    else:
        trainer.frame = 0
    trainer.train(frames)
    trainer.save(path)
""",
    "the reset asks whether something was loaded": TRAINER.replace(
        "self.frame = 0", "self.frame = 0\n        self.restored = False"
    ).replace('payload["frame"]', 'payload["frame"]\n        self.restored = True')
    + """
    def train(self, frames):
        if not self.restored:
            self.frame = 0
        for _ in range(frames):
            self.step()
"""
    + MAIN,
    "train is not called after the load": TRAINER
    + RESETTING_TRAIN.replace("  # CKP205", "")
    + """

def main(path, frames):
    trainer = Trainer()
    trainer.train(frames)
    trainer.save(path)


def show(path):
    trainer = Trainer()
    trainer.restore(path)
    print(trainer.frame, trainer.model(torch.ones(1, 2)))
""",
    "the reset asks for an option": script(
        """
    if args.reset_optimizer:
        optimizer = torch.optim.Adam(model.parameters())
"""
    ),
    "what was not restored is reset": agent(
        """
from agent import Agent


def main(path, resume, episodes):
    agent = Agent()
    if resume:
        agent.load(path)
    for episode in episodes:
        agent.returns = 0.0
        for obs, reward in episode:
            agent.act(obs)
            agent.returns += reward
        print(agent.returns)
    agent.save(path)
"""
    ),
    "the new value comes from the restored one": script(
        """
    model = torch.compile(model.to("cuda"))
    first = max(first, args.first_epoch)
"""
    ),
    "the learning rate is set by hand": script(
        """
    for group in optimizer.param_groups:
        group["lr"] = args.learning_rate
"""
    ),
    "pretrained weights get a new head": """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(2, 8)
        self.head = nn.Linear(8, 1000)

    def forward(self, x):
        return self.head(self.body(x))


def finetune(pretrained, classes):
    model = Net()
    model.load_state_dict(torch.load(pretrained))
    model.head = nn.Linear(8, classes)
    return model
""",
    "the checkpoint says how to build the model": """
import torch
from torch import nn


class Trainer:
    def __init__(self, size):
        self.size = size
        self.model = nn.Linear(size, 1)

    def save(self, path):
        torch.save({"size": self.size, "model": self.model.state_dict()}, path)

    def load(self, path):
        payload = torch.load(path)
        self.size = payload["size"]
        self.model = nn.Linear(self.size, 1)
        self.model.load_state_dict(payload["model"])
""",
    "the parts are made before the load": {
        "normalization.py": NORMALIZER,
        "agent.py": AGENT.replace("        self.obs_rms = RunningMeanStd(8)\n", "        self.setup()\n")
        + """
    def setup(self):
        self.obs_rms = RunningMeanStd(8)


def main(path, resume, observations):
    agent = Agent()
    agent.setup()
    if resume:
        agent.load(path)
    for obs in observations:
        agent.act(obs)
    agent.save(path)
""",
    },
    "a second object of the class starts anew": agent(
        """
from agent import Agent
from normalization import RunningMeanStd


def main(path, resume, observations):
    agent = Agent()
    if resume:
        agent.load(path)
    frame_rms = RunningMeanStd(8)
    for obs in observations:
        frame_rms.update(obs)
        agent.act(frame_rms.normalize(obs))
        frame_rms.reset()
    agent.save(path)
"""
    ),
    "the reset is a method that nothing calls": agent(
        """
from agent import Agent


def forget(agent: Agent):
    agent.obs_rms.reset()


def main(path, resume, observations):
    agent = Agent()
    if resume:
        agent.load(path)
    for obs in observations:
        agent.act(obs)
    agent.save(path)
"""
    ),
    "a test resets what it has loaded": {
        **agent("from agent import Agent\n"),
        "tests/test_agent.py": """
from agent import Agent
from normalization import RunningMeanStd


def test_agent_learns_again(tmp_path):
    agent = Agent()
    agent.save(tmp_path / "agent.pt")
    agent.load(tmp_path / "agent.pt")
    agent.obs_rms = RunningMeanStd(8)
""",
    },
    "built where the key is taken, then filled": """
import torch
from torch import nn


class Expert(nn.Module):
    def __init__(self, path):
        super().__init__()
        saved = torch.load(path)["model"]
        self.model = nn.Linear(8, 2)
        kept = self.model.state_dict()
        for key in kept:
            kept[key] = saved[key]
        self.model.load_state_dict(kept)
""",
    "script that builds the policy for a state": """
import torch
from torch import nn


def main(path):
    payload = torch.load(path)
    state = payload["policy"]
    policy = nn.Linear(8, 2)
    policy.load_state_dict(state, strict=False)
    return policy


def save(policy, path):
    torch.save({"policy": policy.state_dict()}, path)
""",
    "over after the restore": """
import os
import pickle


class Buckets:
    def __init__(self):
        self.length = 0
        self.names = []

    def load(self, path):
        with open(path, "rb") as file:
            state = pickle.load(file)
        self.length = state["length"]
        self.names = state["names"]

    def save(self, path):
        with open(path, "wb") as file:
            pickle.dump({"length": self.length, "names": self.names}, file)

    def add(self, name):
        self.length += 1
        self.names.append(name)

    def build(self, path, names):
        if path and os.path.exists(path):
            self.load(path)
            return
        self.length = 0
        for name in names:
            self.add(name)
""",
    "handed on and then let go": """
class Manager:
    def __init__(self):
        self.pending = None

    def load_state_dict(self, state):
        self.pending = state["loader"]

    def state_dict(self):
        return {"loader": self.pending}

    def apply(self, loader):
        loader.load_state_dict(self.pending)
        self.pending = None

    def resume(self, state, loader):
        self.load_state_dict(state)
        self.apply(loader)
""",
    "learning or loading": """
import numpy as np


class Filter:
    def __init__(self):
        self.gain = np.zeros(3)

    def learn(self, data):
        self.gain = np.linalg.inv(data.T @ data)

    def save(self, path):
        np.savez(path, gain=self.gain)

    def load(self, path):
        self.gain = np.load(path)["gain"]
""",
    "alias of what was restored": """
import torch
from torch import nn


class Agent:
    def __init__(self):
        self.actor = nn.Linear(8, 2)


class Trainer:
    def __init__(self):
        self.agent = Agent()
        self.actor = self.agent.actor

    def save(self, path):
        torch.save({"actor": self.agent.actor.state_dict()}, path)

    def load(self, path):
        payload = torch.load(path)
        self.agent.actor.load_state_dict(payload["actor"])
        self.actor = self.agent.actor
""",
    "file handle by the name of a file handle": """
import pickle


def index(path, target):
    with open(path, "rb") as f:
        infos = pickle.load(f)
    found = []
    for info in infos:
        name = info["frame_index"]
        with open(f"{target}/{name}.bin", "wb") as f:
            f.write(b"")
        found.append(name)
    with open(target, "wb") as f:
        pickle.dump(found, f)
""",
    "seed that is set as it was": {
        "seeding.py": """
SEED = None


def set_seed(seed):
    global SEED
    SEED = seed


def get_seed():
    return SEED
""",
        "trainer.py": """
import torch

from seeding import get_seed, set_seed


class Trainer:
    def __init__(self):
        self.seed = None

    def setup(self, algorithm):
        self.algorithm = algorithm
        self.seed = get_seed()

    def save(self, path):
        torch.save({"seed": self.seed, "algorithm": self.algorithm}, path)

    def restore(self, path):
        saved = torch.load(path)
        self.seed = saved["seed"]
        set_seed(self.seed)
        self.setup(saved["algorithm"])
""",
    },
    "seed of a module that keeps it": {
        "seeding.py": """
import numpy as np

seed_ = None


def set_seed(seed):
    global seed_
    seed_ = seed
    np.random.seed(seed)


def get_seed():
    return seed_


def get_tables():
    return np.zeros(3)
""",
        "trainer.py": """
import torch

from seeding import get_seed, set_seed


class Trainer:
    def __init__(self):
        self.seed = None

    def setup(self, algorithm):
        self.algorithm = algorithm
        self.seed = get_seed()

    def save(self, path):
        torch.save({"seed": self.seed, "algorithm": self.algorithm}, path)

    def restore(self, path):
        saved = torch.load(path)
        self.seed = saved["seed"]
        set_seed(self.seed)
        self.setup(saved["algorithm"])
""",
    },
    "compiled for another machine": """
import torch
from openvino import Core, convert_model
from torch import nn


class Predictor:
    def __init__(self, path):
        self.network = nn.Linear(8, 2)
        self.network.load_state_dict(torch.load(path)["network"])
        core = Core()
        converted = convert_model(self.network)
        self.network = core.compile_model(converted, "CPU")
""",
}

FOUND: dict[str, Case] = {
    "only its own method restores": TRAINER
    + """
    def resume(self, path):
        self.restore(path)
"""
    + RESETTING_TRAIN,
    "train sets the counter to zero": TRAINER + RESETTING_TRAIN + MAIN,
    "a script in another file restores and trains": {
        "trainer.py": TRAINER + RESETTING_TRAIN,
        "main.py": "from trainer import Trainer\n" + MAIN,
    },
    "train of a subclass sets the counter to zero": {
        "base.py": TRAINER,
        "trainer.py": "from base import Trainer as Base\n\n\nclass Trainer(Base):" + RESETTING_TRAIN,
        "main.py": "from trainer import Trainer\n" + MAIN,
    },
    "the optimizer is made again": script(
        """
    optimizer = torch.optim.Adam(model.parameters())  # CKP205
"""
    ),
    "the first epoch is zero after all": script("    first = 0  # CKP205\n"),
    "the script makes a new normalizer": agent(
        """
from agent import Agent
from normalization import RunningMeanStd


def main(path, resume, observations):
    agent = Agent()
    if resume:
        agent.load(path)
    agent.obs_rms = RunningMeanStd(8)  # CKP205
    for obs in observations:
        agent.act(obs)
    agent.save(path)
"""
    ),
    "the script resets the normalizer": agent(
        """
from agent import Agent


def main(path, resume, observations):
    agent = Agent()
    if resume:
        agent.load(path)
    agent.obs_rms.reset()  # CKP205
    for obs in observations:
        agent.act(obs)
    agent.save(path)
"""
    ),
    "statistics of the data replace the restored ones": {
        "normalization.py": NORMALIZER,
        "main.py": """
import torch
from torch import nn
from normalization import RunningMeanStd


def main(path, resume, data):
    policy = nn.Linear(8, 2)
    normalizer = RunningMeanStd(8)
    if resume:
        payload = torch.load(path)
        policy.load_state_dict(payload["policy"])
        normalizer.load_state_dict(payload["normalizer"])
    normalizer.mean = data.mean(axis=0)  # CKP205
    for batch in data:
        normalizer.update(batch)
        policy(torch.as_tensor(normalizer.normalize(batch)))
    torch.save({"policy": policy.state_dict(), "normalizer": normalizer.state_dict()}, path)
""",
    },
    "load ends with the set-up of the constructor": {
        "normalization.py": NORMALIZER,
        "agent.py": AGENT.replace("        self.obs_rms = RunningMeanStd(8)\n", "        self.setup()\n")
        + """
        self.setup()  # CKP205

    def setup(self):
        self.obs_rms = RunningMeanStd(8)
""",
    },
    "the set-up is in a base class": {
        "normalization.py": NORMALIZER,
        "base.py": """
from normalization import RunningMeanStd


class Base:
    def __init__(self):
        self.setup()

    def setup(self):
        self.obs_rms = RunningMeanStd(8)

    def normalized(self, obs):
        self.obs_rms.update(obs)
        return self.obs_rms.normalize(obs)
""",
        "agent.py": """
import torch
from base import Base
from torch import nn


class Agent(Base):
    def __init__(self):
        super().__init__()
        self.policy = nn.Linear(8, 2)

    def save(self, path):
        torch.save({"policy": self.policy.state_dict(), "obs_rms": self.obs_rms.state_dict()}, path)

    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        self.obs_rms.load_state_dict(payload["obs_rms"])
        self.setup()  # CKP205
""",
    },
    "set_extra_state restores and then resets": """
from torch import nn


class WarmUp(nn.Module):
    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self.reset()

    def reset(self):
        self.seen = 0

    def forward(self, x):
        self.seen += 1
        return x * min(1.0, self.seen / self.steps)

    def get_extra_state(self):
        return {"seen": self.seen}

    def set_extra_state(self, state):
        self.seen = state["seen"]
        self.reset()  # CKP205
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_replaced_state(case: Case) -> None:
    check_findings(case)


def test_message_names_the_restore_in_the_other_file() -> None:
    case = FOUND["a script in another file restores and trains"]
    (finding,) = check_findings(case)
    assert not isinstance(case, str)
    lines = case["trainer.py"].splitlines()
    restored = lines.index('        self.frame = payload["frame"]') + 1
    assert "'frame'" in finding.message and len(finding.message) <= 120
    assert ("trainer.py", restored) in [(each.path, each.position.line) for each in finding.related]


def test_finding_names_the_attribute() -> None:
    (finding,) = check_findings(FOUND["only its own method restores"])
    assert finding.attribute == "frame"


@pytest.mark.parametrize(
    ("name", "attribute"), [("self.x", "x"), ("x", ""), ("agent.x", ""), ("self.agent.x", "")]
)
def test_attribute_is_one_of_the_object_itself(name: str, attribute: str) -> None:
    assert own_attribute(name) == attribute
