"""CKP202: load reads a key that no save writes."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

TRAINER = """
import json
import pickle

import torch
from torch import nn


class Trainer:
    def __init__(self):
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.step = 0

    def train(self, batches):
        for batch in batches:
            for group in self.optimizer.param_groups:
                group["lr"] = 1e-3 * min(1.0, self.step / 100)
            self.optimizer.zero_grad()
            self.model(batch).mean().backward()
            self.optimizer.step()
            self.step += 1
"""
SAVE = """
    def save(self, path):
        payload = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step}
        torch.save(payload, path)
"""
SAVE_WITHOUT_STEP = """
    def save(self, path):
        payload = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(payload, path)
"""
LOAD = """
    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.step = checkpoint["step"]
"""
LOAD_WITHOUT_STEP = """
    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
"""
LOSES_STEP = LOAD_WITHOUT_STEP + '        self.step = checkpoint["step"]  # CKP202\n'


def line_of(source: str, text: str) -> int:
    """Return the first line that holds a text."""
    return next(number for number, line in enumerate(source.splitlines(), start=1) if text in line)


FILES = """
import torch


def save_file(payload, path):
    torch.save(payload, path)


def load_file(path):
    return torch.load(path)
"""
POOL = """
from files import load_file
from files import save_file


class Pool:
    def __init__(self, net):
        self.net = net

    def freeze(self, settings, path):
        save_file({"weights": self.net.state_dict(), "settings": settings}, path)

    def opponent(self, path):
        state = load_file(path)
        form = str(state.get("form", ""))
        if form.startswith("people"):
            self.skill = state["people"]["skill"]
        self.settings = state["settings"]
        self.net.load_state_dict(state["weights"])
"""
PEOPLE = """
import torch


def fit(net, settings, skill, path):
    people = {"skill": skill}
    state = {"form": "people", "weights": net.state_dict(), "settings": settings, "people": people}
    torch.save(state, path)
"""
OPTIONAL_SCHEDULER = """
import torch
from torch import nn


def save_checkpoint(path, model, optimizer, scheduler=None):
    payload = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    if scheduler is not None:
        payload["scheduler"] = scheduler.state_dict()
    torch.save(payload, path)


def load_checkpoint(path, model, optimizer=None, scheduler=None):
    payload = torch.load(path)
    model.load_state_dict(payload["model"])
    if optimizer is not None:
        optimizer.load_state_dict(payload["optimizer"])
    if scheduler is not None and "scheduler" in payload:
        scheduler.load_state_dict(payload["scheduler"])
"""


SILENT: dict[str, Case] = {
    "another program saves all that is read": {
        "files.py": FILES,
        "pool.py": POOL,
        "train_people.py": PEOPLE,
    },
    "no caller has the optional object that the key restores": OPTIONAL_SCHEDULER
    + """

def train(path, model, optimizer, batches):
    for batch in batches:
        model(batch).sum().backward()
        optimizer.step()
    save_checkpoint(path, model, optimizer)


def evaluate(path):
    model = nn.Linear(2, 1)
    load_checkpoint(path, model)
    return model
""",
    "the base class saves what the subclass that loads adds": """
import torch


class Agent:
    def __init__(self, model):
        self.model = model
        self.step = 0

    def everything(self):
        return {"model": self.model.state_dict()}

    def save(self, path):
        torch.save(self.everything(), path)


class CountingAgent(Agent):
    def everything(self):
        return {"model": self.model.state_dict(), "step": self.step}

    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        self.step = checkpoint["step"]
""",
    "a part of the old layout is read where the new one is missing": """
import torch


class Trainer:
    def __init__(self, model, scaler):
        self.model = model
        self.scaler = scaler

    def save(self, path):
        torch.save({"model": self.model.state_dict(), "scale": self.scaler.scale}, path)

    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        if "scaler" in checkpoint:
            self.scaler.load_state_dict(checkpoint["scaler"])
        else:
            self.scaler.scale = checkpoint["scale"]
""",
    "a default for what only construction sets": """
import torch


class Trainer:
    def __init__(self, model):
        self.model = model
        self.version = 2

    def save(self, path):
        torch.save({"model": self.model.state_dict()}, path)

    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        self.version = checkpoint.get("version", 1)
""",
    "one of two names in one statement": TRAINER
    + SAVE
    + LOAD_WITHOUT_STEP
    + """        self.step = checkpoint.get("steps") or checkpoint.get("step")
""",
    "another file is converted": """
import torch


def main(source, target):
    state = torch.load(source)
    weights = {name.lower(): value for name, value in state["weights"].items()}
    torch.save({"net": weights, "optimizer": state["optimizer"]}, target)
""",
    "both sides have all keys": TRAINER + SAVE + LOAD,
    "a version, a config and metrics with a default": TRAINER
    + SAVE
    + LOAD
    + """
        if checkpoint.get("version", 1) > 2:
            raise ValueError("the checkpoint is of a newer version")
        print("resumed at", checkpoint.get("metrics", {}))
        return checkpoint.get("config", {})
""",
    "an old key is looked for after the new one": TRAINER
    + SAVE
    + LOAD_WITHOUT_STEP
    + """
        self.step = checkpoint.get("step", checkpoint.get("iteration", 0))
""",
    "an old layout is read where the new one is missing": TRAINER
    + SAVE
    + """
    def load(self, path):
        checkpoint = torch.load(path)
        if "model" in checkpoint:
            self.model.load_state_dict(checkpoint["model"])
        else:
            self.model.load_state_dict(checkpoint["net"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.step = checkpoint["step"]
""",
    "pretrained weights are taken out of their wrapper": TRAINER
    + SAVE
    + LOAD
    + """

def load_pretrained(model, path):
    checkpoint = torch.load(path, map_location="cpu")
    if "state_dict" in checkpoint:
        checkpoint = checkpoint["state_dict"]
    model.load_state_dict(checkpoint)
""",
    "the weights are downloaded": TRAINER
    + SAVE
    + LOAD
    + """

def load_teacher(model):
    checkpoint = torch.hub.load_state_dict_from_url("https://example.org/teacher.pth")
    model.load_state_dict(checkpoint["teacher"])
""",
    "another program wrote the file": {
        "train.py": TRAINER + SAVE + LOAD,
        "convert.py": """
import torch


def convert(model):
    weights = torch.load("released_teacher.bin")["generator"]
    model.load_state_dict(weights)
    torch.save({"model": model.state_dict(), "source": "released"}, "converted.pt")
""",
    },
    "a part of the payload is not known": TRAINER
    + """
    def save(self, path):
        from vendor import describe

        torch.save({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), **describe()}, path)
"""
    + LOAD,
    "the keys are computed": TRAINER
    + """
    def save(self, path, names):
        torch.save({name: getattr(self, name) for name in names}, path)
"""
    + LOAD,
    "a loop over constant names writes them": TRAINER
    + """
    def save(self, path):
        payload = {"step": self.step}
        for name in ("model", "optimizer"):
            payload[name] = getattr(self, name).state_dict()
        torch.save(payload, path)
"""
    + LOAD,
    "a misspelt key is the same on both sides": (TRAINER + SAVE + LOAD).replace('"optimizer"', '"optimzier"'),
    "the key is there only under a condition": TRAINER
    + """
    def save(self, path, full=True):
        payload = {"model": self.model.state_dict()}
        if full:
            payload["optimizer"] = self.optimizer.state_dict()
            payload["step"] = self.step
        torch.save(payload, path)

    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        if "optimizer" in checkpoint:
            self.optimizer.load_state_dict(checkpoint["optimizer"])
            self.step = checkpoint["step"]
""",
    "a subclass in another file adds the key": {
        "base.py": """
import torch


class Runner:
    def __init__(self, model):
        self.model = model

    def extras(self):
        return {}

    def save(self, path):
        torch.save({"model": self.model.state_dict(), **self.extras()}, path)

    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        return checkpoint
""",
        "runner.py": """
from base import Runner


class CountingRunner(Runner):
    def __init__(self, model):
        super().__init__(model)
        self.frames = 0

    def train(self, frames):
        for frame in frames:
            self.frames += 1
            self.model(frame, noise=1.0 / self.frames)

    def extras(self):
        return {"frames": self.frames}

    def load(self, path):
        self.frames = super().load(path)["frames"]
""",
    },
    "two classes of one name in two files": {
        "small.py": """
import torch


class Saver:
    def save(self, model, path):
        torch.save({"weights": model.state_dict()}, path)

    def load(self, model, path):
        model.load_state_dict(torch.load(path)["weights"])
""",
        "large.py": """
import torch


class Saver:
    def save(self, model, path):
        torch.save({"shards": model.state_dict()}, path)

    def load(self, model, path):
        model.load_state_dict(torch.load(path)["shards"])
""",
    },
    "settings from another kind of file": TRAINER
    + SAVE
    + LOAD
    + """
    def configure(self, path):
        with open(path) as file:
            settings = json.load(file)
        self.step = settings["first_step"]
""",
    "the whole dict is taken over": TRAINER
    + """
    def save(self, path):
        torch.save(vars(self), path)

    def load(self, path):
        vars(self).update(torch.load(path, weights_only=False))
""",
    "a helper that calls itself makes the payload": TRAINER
    + """
    def save(self, path):
        payload = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "at": [self.step]}
        torch.save(renamed(payload, 3), path)


def renamed(payload, depth):
    if depth == 0:
        return {"step" if key == "at" else key: value for key, value in payload.items()}
    return renamed(payload, depth - 1)


def load(trainer: Trainer, path):
    checkpoint = torch.load(path)
    trainer.model.load_state_dict(checkpoint["model"])
    trainer.optimizer.load_state_dict(checkpoint["optimizer"])
    (trainer.step,) = checkpoint["step"]
""",
    "the payload goes through seven calls": TRAINER
    + """
    def save(self, path):
        torch.save(fill7({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}, self), path)
"""
    + LOAD
    + """

def fill1(payload, trainer):
    payload["step"] = trainer.step
    return payload
"""
    + "".join(
        f"\n\ndef fill{n}(payload, trainer):\n    return fill{n - 1}(payload, trainer)\n" for n in range(2, 8)
    ),
    "a test reads what it wrote itself": {
        "train.py": TRAINER + SAVE + LOAD,
        "tests/test_train.py": """
import torch
from train import Trainer


def test_old_file_is_refused(tmp_path):
    trainer = Trainer()
    trainer.save(tmp_path / "last.pt")
    trainer.step = torch.load(tmp_path / "last.pt")["global_step"]
""",
    },
    "renames the keys of a data file": """
import numpy as np


def rename(path):
    with np.load(path) as data:
        np.savez(path, robot=data["robot"], robot_init=data["robot_int"], object_init=data["object_int"])


def play(path):
    data = np.load(path)
    return data["robot"], data["robot_init"], data["object_init"]
""",
    "converts weights of somebody else": """
import torch


def convert(source, target):
    foreign = torch.load(source)
    weights = {key[2:]: value for key, value in foreign["g_ema"].items()}
    torch.save(dict(params=weights, average=foreign["average"]), target)
""",
    "makes one file of two others": """
import torch


def export(source, target):
    trained = torch.load(source, map_location="cpu")
    options = {key: trained["hyper_parameters"][key] for key in ("width", "depth")}
    torch.save({"options": options, "state_dict": {**trained["state_dict"]}}, target)


def load(path, make):
    exported = torch.load(path)
    model = make(**exported["options"])
    model.load_state_dict(exported["state_dict"])
    return model
""",
    "a hook whose partner gives the key to another file": {
        "agent.py": """
import torch
from torch import nn


class Agent:
    def __init__(self, config):
        self.config = config
        self.actor = nn.Linear(8, 2)
        self.critic = nn.Linear(8, 1)

    def state_dict(self):
        return {"actor": self.actor.state_dict(), "critic": self.critic.state_dict(), "config": self.config}

    def load_state_dict(self, state):
        self.actor.load_state_dict(state["actor"])
        self.critic.load_state_dict(state["critic"])
""",
        "train_other.py": """
import torch
from torch import nn

from agent import Agent


def main(path, teacher, config):
    agent = Agent(config)
    agent.load_state_dict(torch.load(teacher))
    actor, critic = nn.Linear(8, 2), nn.Linear(8, 1)
    torch.save({"model": actor.state_dict(), "critic": critic.state_dict(), "config": config}, path)
""",
    },
}

FOUND: dict[str, Case] = {
    "another program gives one key more": {
        "files.py": FILES,
        "pool.py": POOL.replace('state["people"]["skill"]', 'state["people"]["skill"]  # CKP202'),
        "train_people.py": PEOPLE.replace('"form": "people", ', ""),
    },
    "a caller has the optional object that the key restores": OPTIONAL_SCHEDULER.replace(
        'if scheduler is not None and "scheduler" in payload:',
        'if scheduler is not None and "scheduler" in payload:  # CKP202',
    )
    + """

def train(path, model, optimizer, batches):
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)
    load_checkpoint(path, model, optimizer, scheduler)
    for batch in batches:
        model(batch).sum().backward()
        optimizer.step()
        scheduler.step()
    save_checkpoint(path, model, optimizer)
""",
    "another statement takes one of two names": TRAINER
    + SAVE_WITHOUT_STEP
    + """
    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint.get("optimizer") or checkpoint.get("optim"))
        self.step = checkpoint["step"]  # CKP202
""",
    "a default for a counter and for what never changes": TRAINER
    + SAVE_WITHOUT_STEP
    + LOAD_WITHOUT_STEP
    + """
        self.step = self.first_step = checkpoint.get("step", 0)  # CKP202
""",
    "the file of another layout goes to a hook": """
import torch


class Agent:
    def __init__(self, net):
        self.net = net
        self.steps = 0

    def get_state(self):
        return {"net": self.net.state_dict()}

    def set_state(self, state):
        self.net.load_state_dict(state["net"])
        self.steps = state["steps"]  # CKP202


def save(agent, path):
    torch.save({"policy": agent.net.state_dict()}, path)


def load(agent: Agent, path):
    agent.set_state(torch.load(path))
""",
    "the same file is read and written": """
import torch


def main(model, optimizer, path):
    state = torch.load(path)
    model.load_state_dict(state["weights"])  # CKP202
    optimizer.load_state_dict(state["optimizer"])
    torch.save({"net": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
""",
    "a required key": TRAINER + SAVE_WITHOUT_STEP + LOSES_STEP,
    "a key with a default for what training counts": TRAINER
    + SAVE_WITHOUT_STEP
    + LOAD_WITHOUT_STEP
    + """
        self.step = checkpoint.get("step", 0)  # CKP202
""",
    "another spelling": TRAINER
    + SAVE
    + LOAD_WITHOUT_STEP
    + """
        self.step = checkpoint.get("steps", 0)  # CKP202
""",
    "a guard that is never true": TRAINER
    + SAVE_WITHOUT_STEP
    + LOAD_WITHOUT_STEP
    + """
        if "step" in checkpoint:  # CKP202
            self.step = checkpoint["step"]
""",
    "a loop over constant names reads them": """
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR


class Trainer:
    def __init__(self):
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.scheduler = StepLR(self.optimizer, 10)

    def train(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            self.model(batch).mean().backward()
            self.optimizer.step()
            self.scheduler.step()

    def save(self, path):
        torch.save({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}, path)

    def load(self, path):
        checkpoint = torch.load(path)
        for name in ("model", "optimizer", "scheduler"):
            getattr(self, name).load_state_dict(checkpoint[name])  # CKP202
""",
    "a nested key": TRAINER
    + """
    def save(self, path):
        progress = {"steps": self.step}
        payload = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "progress": progress}
        torch.save(payload, path)
"""
    + LOAD_WITHOUT_STEP
    + """
        self.step = checkpoint["progress"]["step"]  # CKP202
""",
    "a pair of methods makes and takes the payload": TRAINER
    + """
    def get_full_state(self):
        state = {"model": self.model.state_dict()}
        state["optimizer"] = self.optimizer.state_dict()
        return state

    def set_full_state(self, state):
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]  # CKP202

    def save(self, path):
        torch.save(self.get_full_state(), path)

    def load(self, path):
        self.set_full_state(torch.load(path))
""",
    "helpers in another file": {
        "files.py": """
import torch


def save_checkpoint(path, model, optimizer):
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)


def load_checkpoint(path, model, optimizer):
    state = torch.load(path)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return state
""",
        "main.py": """
import torch
from torch import nn
from files import load_checkpoint, save_checkpoint


def main(path, resume, epochs, batches):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    first = 0
    if resume:
        state = load_checkpoint(path, model, optimizer)
        first = state["epoch"]  # CKP202
    for epoch in range(first, epochs):
        for batch in batches:
            optimizer.zero_grad()
            model(batch).mean().backward()
            optimizer.step()
        save_checkpoint(path, model, optimizer)
""",
    },
    "the loaded dict goes to a function of another file": {
        "train.py": "from restore import restore\n"
        + TRAINER
        + SAVE_WITHOUT_STEP
        + """
    def load(self, path):
        restore(self, torch.load(path))
""",
        "restore.py": """
def restore(trainer, checkpoint):
    trainer.model.load_state_dict(checkpoint["model"])
    trainer.optimizer.load_state_dict(checkpoint["optimizer"])
    trainer.step = checkpoint["step"]  # CKP202
""",
    },
    "the subclass expects more than the base class saves": {
        "base.py": TRAINER + SAVE + LOAD + "        return checkpoint\n",
        "curriculum.py": """
from base import Trainer


class CurriculumTrainer(Trainer):
    def __init__(self):
        super().__init__()
        self.level = 0

    def advance(self, levels):
        self.level += 1
        self.train(levels[self.level])

    def load(self, path):
        checkpoint = super().load(path)
        self.level = checkpoint["level"]  # CKP202
""",
    },
    "the call leaves out the argument that carries the counter": {
        "agent.py": """
import torch
from torch import nn


class Agent:
    def __init__(self):
        self.policy = nn.Linear(8, 2)

    def play(self, episode):
        return self.policy(torch.randn(8) / (episode + 1))

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
        "train.py": """
from agent import Agent


def train(episodes, resume_path, save_path):
    agent = Agent()
    first = 0
    if resume_path is not None:
        metadata = agent.load(resume_path)
        if "n_episodes" in metadata:  # CKP202
            first = metadata["n_episodes"]
    for episode in range(first, episodes):
        agent.play(episode)
    agent.save(save_path)
""",
    },
    "fabric": """
import torch
from lightning.fabric import Fabric
from torch import nn


def main(path, resume, steps):
    fabric = Fabric()
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    model, optimizer = fabric.setup(model, optimizer)
    first = 0
    if resume:
        state = fabric.load(path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]  # CKP202
    for step in range(first, steps):
        optimizer.zero_grad()
        fabric.backward(model(torch.randn(8, 2)).mean())
        optimizer.step()
    fabric.save(path, {"model": model.state_dict(), "optimizer": optimizer.state_dict()})
""",
    "a pickled dict whose key is popped": TRAINER
    + """
    def save(self, path):
        with open(path, "wb") as file:
            pickle.dump({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}, file)

    def load(self, path):
        with open(path, "rb") as file:
            checkpoint = pickle.load(file)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.step = checkpoint.pop("step")  # CKP202
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_keys_nobody_writes(case: Case) -> None:
    check_findings(case)


def test_message_suggests_the_key_that_is_written() -> None:
    (finding,) = check_findings(FOUND["another spelling"])
    assert "'steps'" in finding.message and "did you mean 'step'" in finding.message


def test_message_suggests_nothing_where_no_key_is_near() -> None:
    (finding,) = check_findings(FOUND["a required key"])
    assert "'step'" in finding.message and "did you mean" not in finding.message
    assert len(finding.message) <= 120


def test_other_end_is_the_save() -> None:
    case = FOUND["the loaded dict goes to a function of another file"]
    (finding,) = check_findings(case)
    assert not isinstance(case, str)
    line = line_of(case["train.py"], "torch.save(payload, path)")
    assert f"train.py:{line}" in finding.message
    assert ("train.py", line) in [(each.path, each.position.line) for each in finding.related]
