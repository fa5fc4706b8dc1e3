"""CKP203: state that save writes and no load restores."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

TRAINER = """
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
"""
SAVE = """
    def save(self, path):
        payload = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        payload["scheduler"] = self.scheduler.state_dict()
        torch.save(payload, path)
"""
LOAD = """
    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.scheduler.load_state_dict(checkpoint["scheduler"])
"""
LOAD_WITHOUT_SCHEDULER = """
    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
"""
MAIN = """

def main(path, resume, epochs, batches):
    trainer = Trainer()
    if resume:
        trainer.load(path)
    for _ in range(epochs):
        trainer.train(batches)
    trainer.save(path)
"""
EVALUATE = """
import torch
from torch import nn


def evaluate(batches):
    model = nn.Linear(2, 1)
    model.load_state_dict(torch.load("last.pt")["model"])
    model.eval()
    return [model(batch) for batch in batches]
"""


def line_of(source: str, text: str) -> int:
    """Return the first line that holds a text."""
    return next(number for number, line in enumerate(source.splitlines(), start=1) if text in line)


SILENT: dict[str, Case] = {
    "a hook of a subclass takes the object that holds it": TRAINER.replace(
        "self.scheduler = StepLR(self.optimizer, 10)", "self.average = Average()"
    )
    .replace("self.scheduler.step()", "self.average.update(self.model)")
    .replace("from torch.optim.lr_scheduler import StepLR", "from ema import Average")
    + SAVE.replace(
        'payload["scheduler"] = self.scheduler.state_dict()',
        'payload["average"] = self.average.net.state_dict()',
    )
    + LOAD_WITHOUT_SCHEDULER
    + """

class Resumable(Trainer):
    def state_dict(self):
        return {"average": self.average.state_dict()}

    def load_state_dict(self, state):
        self.average.load_state_dict(state["average"])
""",
    "a part of the state is taken": TRAINER
    + SAVE
    + LOAD_WITHOUT_SCHEDULER
    + """        self.scheduler.last_epoch = checkpoint["scheduler"]["last_epoch"]
"""
    + MAIN,
    "an attribute that nothing counts up": TRAINER
    + SAVE.replace(
        "        torch.save",
        """        payload["gain"] = self.gain
        torch.save""",
    )
    + LOAD
    + MAIN,
    "what a method tells is no state": TRAINER
    + SAVE.replace(
        "        torch.save",
        """        payload["created"] = self.clock.now()
        payload["settings"] = self.settings.describe()
        torch.save""",
    )
    + LOAD
    + MAIN,
    "all is restored": TRAINER + SAVE + LOAD + MAIN,
    "notes that nobody needs": TRAINER
    + """
    def save(self, path, config, metrics):
        payload = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "version": 3,
            "config": config,
            "torch_version": torch.__version__,
        }
        payload["metrics"] = metrics
        torch.save(payload, path)
"""
    + LOAD,
    "nothing loads what is saved": TRAINER
    + SAVE
    + """

def main(path, epochs, batches):
    trainer = Trainer()
    for _ in range(epochs):
        trainer.train(batches)
    trainer.save(path)
""",
    "the only reader evaluates": {
        "train.py": TRAINER
        + SAVE
        + """

def main(epochs, batches):
    trainer = Trainer()
    for _ in range(epochs):
        trainer.train(batches)
    trainer.save("last.pt")
""",
        "evaluate.py": EVALUATE,
    },
    "one reader evaluates and another resumes": {
        "train.py": TRAINER + SAVE + LOAD + MAIN.replace("path)", '"last.pt")'),
        "evaluate.py": EVALUATE,
    },
    "a new training starts from the weights": {
        "train.py": TRAINER + SAVE + LOAD + MAIN,
        "finetune.py": """
import torch
from train import Trainer


def finetune(pretrained, batches):
    trainer = Trainer()
    trainer.model.load_state_dict(torch.load(pretrained)["model"])
    trainer.train(batches)
    torch.save(trainer.model.state_dict(), "finetuned.pt")
""",
    },
    "the items of the dict are looped over": TRAINER
    + SAVE
    + """
    def load(self, path):
        for name, state in torch.load(path).items():
            getattr(self, name).load_state_dict(state)
"""
    + MAIN,
    "the caller says what to restore": TRAINER
    + SAVE
    + """
    def load(self, path, names):
        checkpoint = torch.load(path)
        for name in names:
            getattr(self, name).load_state_dict(checkpoint[name])
""",
    "the whole dict is handed on": TRAINER
    + SAVE
    + """
    def load(self, path):
        from vendor import restore_all

        restore_all(self, torch.load(path))
"""
    + MAIN,
    "what is left after a pop is the model": """
import torch
from torch import nn


class Trainer:
    def __init__(self):
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters())

    def train(self, batch):
        self.optimizer.zero_grad()
        self.model(batch).mean().backward()
        self.optimizer.step()

    def save(self, path):
        payload = self.model.state_dict()
        payload["optimizer"] = self.optimizer.state_dict()
        torch.save(payload, path)

    def load(self, path):
        payload = torch.load(path)
        self.optimizer.load_state_dict(payload.pop("optimizer"))
        self.model.load_state_dict(payload)
""",
    "a guard for older files": TRAINER
    + SAVE
    + LOAD_WITHOUT_SCHEDULER
    + """
        if "scheduler" in checkpoint:
            self.scheduler.load_state_dict(checkpoint["scheduler"])
"""
    + MAIN,
    "a helper of another file restores it": {
        "train.py": "from restore import restore_schedule\n"
        + TRAINER
        + SAVE
        + LOAD_WITHOUT_SCHEDULER
        + "        restore_schedule(self.scheduler, checkpoint)\n"
        + MAIN,
        "restore.py": """
def restore_schedule(scheduler, checkpoint):
    scheduler.load_state_dict(checkpoint["scheduler"])
""",
    },
    "a subclass in another file restores it": {
        "base.py": """
import torch


class Saver:
    def save(self, path):
        payload = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(payload, path)

    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        return checkpoint
""",
        "trainer.py": """
import torch
from base import Saver
from torch import nn


class Trainer(Saver):
    def __init__(self):
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters())

    def train(self, batch):
        self.optimizer.zero_grad()
        self.model(batch).mean().backward()
        self.optimizer.step()

    def load(self, path):
        checkpoint = super().load(path)
        self.optimizer.load_state_dict(checkpoint["optimizer"])
""",
    },
    "another key holds the same state": """
import torch
from torch import nn


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(8)
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        return self.head(self.norm(x))


class Agent:
    def __init__(self):
        self.critic = Critic()

    def save(self, path):
        torch.save({"critic": self.critic.state_dict(), "critic_stats": self.critic.norm.state_dict()}, path)

    def load(self, path):
        self.critic.load_state_dict(torch.load(path)["critic"])
""",
    "a script converts files for older code": {
        "train.py": """
import torch
from torch import nn


def build():
    return nn.Linear(2, 1)


def main(batches):
    model = build()
    optimizer = torch.optim.Adam(model.parameters())
    for epoch, batch in enumerate(batches):
        optimizer.zero_grad()
        model(batch).sum().backward()
        optimizer.step()
        state = {"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(state, "out/last.pt")
""",
        "convert.py": """
import torch
from train import build


def main():
    state = torch.load("out/last.pt")
    epoch = state["epoch"]
    model = build()
    model.load_state_dict(state["model"])
    print(epoch)
    torch.save({"epoch": epoch, "model": model.state_dict()}, "out/small.pt")
""",
    },
    "a test restores the model only": {
        "train.py": TRAINER + SAVE + LOAD + MAIN,
        "tests/test_train.py": """
import torch
from train import Trainer


def test_reload(tmp_path):
    trained, resumed = Trainer(), Trainer()
    trained.save(tmp_path / "last.pt")
    checkpoint = torch.load(tmp_path / "last.pt")
    resumed.model.load_state_dict(checkpoint["model"])
    resumed.optimizer.load_state_dict(checkpoint["optimizer"])
    resumed.train([torch.ones(4, 2)])
""",
    },
}

FOUND: dict[str, Case] = {
    "ignite takes the objects that it is given": TRAINER.replace(
        "from torch import nn", "from ignite.handlers import Checkpoint\nfrom torch import nn"
    )
    + SAVE.replace("scheduler.state_dict()", "scheduler.state_dict()  # CKP203")
    + """
    def load(self, path):
        objects = {"model": self.model, "optimizer": self.optimizer}
        Checkpoint.load_objects(to_load=objects, checkpoint=torch.load(path))
"""
    + MAIN,
    "a script goes on for some more epochs": {
        "train.py": """
import torch
from torch import nn


def build():
    return nn.Linear(2, 1)


def main(batches):
    model = build()
    optimizer = torch.optim.Adam(model.parameters())
    for epoch, batch in enumerate(batches):
        optimizer.zero_grad()
        model(batch).sum().backward()
        optimizer.step()
        state = {"epoch": epoch, "model": model.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(state, "out/last.pt")  # CKP203
""",
        "more.py": """
import torch
from train import build


def main(epochs, step):
    state = torch.load("out/last.pt")
    first = state["epoch"]
    model = build()
    model.load_state_dict(state["model"])
    for epoch in range(first, epochs):
        step(model)
        torch.save({"epoch": epoch, "model": model.state_dict()}, "out/more.pt")
""",
    },
    "the assignment of the key": TRAINER
    + SAVE.replace("scheduler.state_dict()", "scheduler.state_dict()  # CKP203")
    + LOAD_WITHOUT_SCHEDULER
    + MAIN,
    "the save of a literal": TRAINER
    + """
    def save(self, path):
        payload = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
        }
        torch.save(payload, path)  # CKP203
"""
    + LOAD_WITHOUT_SCHEDULER
    + MAIN,
    "the assignment under a condition": TRAINER
    + """
    def save(self, path, full=True):
        payload = dict(model=self.model.state_dict(), optimizer=self.optimizer.state_dict())
        if full:
            payload["scheduler"] = self.scheduler.state_dict()  # CKP203
        torch.save(payload, path)
"""
    + LOAD_WITHOUT_SCHEDULER
    + MAIN,
    "the optimizer": TRAINER
    + """
    def save(self, path):
        payload = {"model": self.model.state_dict(), "scheduler": self.scheduler.state_dict()}
        payload["optimizer"] = self.optimizer.state_dict()  # CKP203
        torch.save(payload, path)

    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        self.scheduler.load_state_dict(checkpoint["scheduler"])
"""
    + MAIN,
    "the random state": TRAINER
    + SAVE.replace("torch.save(", 'payload["rng"] = torch.get_rng_state()  # CKP203\n        torch.save(')
    + LOAD
    + MAIN,
    "the statistics of a normalizer": {
        "normalization.py": """
import numpy as np


class RunningMeanStd:
    def __init__(self, size):
        self.mean = np.zeros(size)
        self.var = np.ones(size)
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
""",
        "agent.py": """
import torch
from torch import nn
from normalization import RunningMeanStd


class Agent:
    def __init__(self):
        self.policy = nn.Linear(8, 1)
        self.optimizer = torch.optim.Adam(self.policy.parameters())
        self.obs_rms = RunningMeanStd(8)

    def train(self, observations):
        for obs in observations:
            self.obs_rms.update(obs)
            self.optimizer.zero_grad()
            self.policy(torch.as_tensor(self.obs_rms.normalize(obs))).mean().backward()
            self.optimizer.step()

    def save(self, path):
        payload = {"policy": self.policy.state_dict(), "optimizer": self.optimizer.state_dict()}
        payload["obs_rms"] = self.obs_rms.state_dict()  # CKP203
        torch.save(payload, path)

    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        self.optimizer.load_state_dict(payload["optimizer"])
""",
        "main.py": """
from agent import Agent


def main(path, resume, observations):
    agent = Agent()
    if resume:
        agent.load(path)
    agent.train(observations)
    agent.save(path)
""",
    },
    "a counter that the learning rate depends on": """
import torch
from torch import nn


class Trainer:
    def __init__(self):
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.updates = 0

    def train(self, batches):
        for batch in batches:
            for group in self.optimizer.param_groups:
                group["lr"] = 1e-3 * min(1.0, self.updates / 100)
            self.optimizer.zero_grad()
            self.model(batch).mean().backward()
            self.optimizer.step()
            self.updates += 1

    def save(self, path):
        payload = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        payload["updates"] = self.updates  # CKP203
        torch.save(payload, path)

    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])


def main(path, resume, batches):
    trainer = Trainer()
    if resume:
        trainer.load(path)
    trainer.train(batches)
    trainer.save(path)
""",
    "helpers in another file and a gradient scaler": {
        "files.py": """
import torch


def save_checkpoint(path, model, optimizer, scaler):
    payload = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    payload["scaler"] = scaler.state_dict()  # CKP203
    torch.save(payload, path)


def load_checkpoint(path, model, optimizer):
    payload = torch.load(path)
    model.load_state_dict(payload["model"])
    optimizer.load_state_dict(payload["optimizer"])
""",
        "main.py": """
import torch
from torch import nn
from torch.amp import GradScaler
from files import load_checkpoint, save_checkpoint


def main(path, resume, batches):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    scaler = GradScaler()
    if resume:
        load_checkpoint(path, model, optimizer)
    for batch in batches:
        optimizer.zero_grad()
        scaler.scale(model(batch).mean()).backward()
        scaler.step(optimizer)
        scaler.update()
    save_checkpoint(path, model, optimizer, scaler)
""",
    },
    "a helper writes what its caller has built": {
        "files.py": """
import torch


def save_checkpoint(state, filename):
    torch.save(state, filename)
""",
        "main.py": "from files import save_checkpoint\n"
        + TRAINER
        + """

def main(resume, epochs, batches):
    trainer = Trainer()
    if resume:
        state = torch.load("last.pt")
        trainer.model.load_state_dict(state["model"])
        trainer.optimizer.load_state_dict(state["optimizer"])
    for _ in range(epochs):
        trainer.train(batches)
    state = {"model": trainer.model.state_dict(), "optimizer": trainer.optimizer.state_dict()}
    state["scheduler"] = trainer.scheduler.state_dict()  # CKP203
    save_checkpoint(state, "last.pt")
""",
    },
    "a pair of methods makes and takes the payload": TRAINER
    + """
    def get_full_state(self):
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        state["scheduler"] = self.scheduler.state_dict()  # CKP203
        return state

    def set_full_state(self, state):
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])

    def save(self, path):
        torch.save(self.get_full_state(), path)

    def load(self, path):
        self.set_full_state(torch.load(path))
"""
    + MAIN,
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_state_nobody_restores(case: Case) -> None:
    check_findings(case)


def test_message_names_the_key_and_the_load() -> None:
    case = FOUND["helpers in another file and a gradient scaler"]
    (finding,) = check_findings(case)
    assert not isinstance(case, str)
    line = line_of(case["files.py"], "torch.load(path)")
    assert "'scaler'" in finding.message and "files.py:" in finding.message
    assert len(finding.message) <= 120
    assert any(each.path == "files.py" and each.position.line >= line for each in finding.related)
