"""CKP205: restored state that helpers, set-up under a setting, initializers and first steps replace."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

TRAINER = """
import torch
from torch import nn

class Trainer:
    def __init__(self):
        self.net = nn.Linear(2, 2)
        self.opt = torch.optim.Adam(self.net.parameters())
        self.epoch = 0

    def work(self, last):
        while self.epoch < last:
            self.opt.step()
            self.epoch += 1

    def save(self, path):
        torch.save({"net": self.net.state_dict(), "opt": self.opt.state_dict(), "epoch": self.epoch}, path)

    def load(self, path):
        data = torch.load(path)
        self.net.load_state_dict(data["net"])
        self.opt.load_state_dict(data["opt"])
        self.epoch = data["epoch"]
"""
PENALTY = """
import torch
from torch import nn

class Penalty:
    def __init__(self):
        self.level = 1.0

    def update(self, x):
        self.level = 0.9 * self.level + 0.1 * x

    def state_dict(self):
        return {"level": self.level}

    def load_state_dict(self, state):
        self.level = state["level"]

"""
SCORES = """
import torch
from torch import nn

class Scores:
    def __init__(self):
        self.mean = 0.0
        self.std = 1.0

    def fit(self, mean, std):
        self.mean, self.std = mean, std

    def put(self, data):
        self.mean = data["mean"]
        self.std = data["std"]

    def normalize(self, x):
        return (x - self.mean) / self.std

    def state_dict(self):
        return {"mean": self.mean, "std": self.std}

    def load_state_dict(self, state):
        self.mean = state["mean"]
        self.std = state["std"]

def main(path, rows):
    net = nn.Linear(2, 2)
    opt = torch.optim.Adam(net.parameters())
    scores = Scores()
    data = torch.load(path)
    net.load_state_dict(data["net"])
    opt.load_state_dict(data["opt"])
    scores.load_state_dict(data["scores"])
    LINE
    for row in rows:
        net(scores.normalize(row)).sum().backward()
        opt.step()
    torch.save({"net": net.state_dict(), "opt": opt.state_dict(), "scores": scores.state_dict()}, path)
"""
ONCE = """
import torch

class Whitener:
    def __init__(self):
        self.total = torch.zeros(3)
        self.ready = False

    def _begin(self):
        self.total = torch.zeros(3)

    def step(self, x):
        if not self.ready:
            LINE
            self.ready = True
        self.total += x
        return x - self.total

    def save(self, path):
        torch.save({"total": self.total}, path)

    def load(self, path):
        self.total = torch.load(path)["total"]
"""
PROGRESS = """
import torch
from torch import nn

class Progress:
    def __init__(self):
        self.step = 0
        self.phase = "warm"

class Runner:
    def __init__(self):
        self.net = nn.Linear(2, 2)
        self.opt = torch.optim.Adam(self.net.parameters())
        self.progress = Progress()
        self.limit = 3

    def advance(self):
        self.opt.step()
        self.progress.step += 1

    def begin(self):
        self.progress.step = 0
        self.limit = 5

    def get_state(self):
        return {"net": self.net.state_dict(), "opt": self.opt.state_dict(), "progress": self.progress}

    def set_state(self, data):
        self.net.load_state_dict(data["net"])
        self.opt.load_state_dict(data["opt"])
        self.progress = data["progress"]
"""


def with_line(text: str, line: str) -> str:
    """Return a program with one more line."""
    return text.replace("LINE", line)


def agent(set_up: str, end: str, begin: str = "") -> str:
    """Return an agent whose set-up makes a penalty, and whose load ends in some way."""
    return (
        PENALTY
        + f"""class Agent:
    def __init__(self, config, adaptive=True):
        self.config = config
        self.adaptive = adaptive
        self.net = nn.Linear(2, 2)
        self.opt = torch.optim.Adam(self.net.parameters())
        self._wire()

    def _wire(self):
        {set_up}
            self.penalty = Penalty()

    def learn(self, x):
        {begin or "self.opt.step()"}
        self.penalty.update(x)

    def get_state(self):
        return {{"net": self.net.state_dict(), "opt": self.opt.state_dict(), "penalty": self.penalty.state_dict()}}

    def set_state(self, data):
        self.net.load_state_dict(data["net"])
        self.opt.load_state_dict(data["opt"])
        self.penalty.load_state_dict(data["penalty"])
        {end}
"""
    )


def script(lines: str, resumed: str = "    ") -> str:
    """Return a script that restores a network, runs some lines and trains."""
    return (
        TORCH
        + """
def init_weights(layer):
    nn.init.zeros_(layer.weight)

def freeze(layer):
    layer.requires_grad_(False)

def main(path, resume):
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    opt = torch.optim.Adam(net.parameters())
    schedule = torch.optim.lr_scheduler.StepLR(opt, 1)
    if resume:
        data = torch.load(path)
        net.load_state_dict(data["net"])
        opt.load_state_dict(data["opt"])
        schedule.load_state_dict(data["schedule"])
        epoch = data["epoch"]
"""
        + f"{lines}"
        + """
    for epoch in range(epoch, 10):
        opt.step()
        schedule.step()
    torch.save(
        {"net": net.state_dict(), "opt": opt.state_dict(), "schedule": schedule.state_dict(), "epoch": epoch}, path
    )
"""
    )


SILENT: dict[str, Case] = {
    "a local is bound to a new object, which is then loaded itself": {
        "words.py": """
import pickle

class Words:
    def __init__(self):
        self.table = {}

    def learn(self, text):
        for word in text.split():
            self.table[word] = len(self.table)

    def save(self, path):
        with open(path, "wb") as file:
            pickle.dump({"table": self.table}, file)

    def load(self, path):
        with open(path, "rb") as file:
            self.table = pickle.load(file)["table"]
""",
        "look.py": """
from words import Words

def look():
    words = Words()
    words.load("short.pkl")
    print(len(words.table))
    words = Words()
    words.load("long.pkl")
    print(len(words.table))
""",
    },
    "the variable of two loops names no one object": TRAINER
    + """
def main(trainers):
    for k, trainer in enumerate(trainers):
        trainer.load(f"{k}.pt")
    several = [Trainer() for _ in range(3)]
    for trainer in several:
        trainer.load("first.pt")
    for trainer in several:
        trainer.work(3)
        trainer.save("last.pt")
""",
    "the helper runs before the load": TRAINER
    + """
def begin(trainer):
    trainer.epoch = 0

def main(path):
    trainer = Trainer()
    begin(trainer)
    trainer.load(path)
    trainer.work(10)
    trainer.save(path)
""",
    "the helper sets another object": TRAINER
    + """
def begin(other):
    other.epoch = 0

def main(path, bar):
    trainer = Trainer()
    trainer.load(path)
    begin(bar)
    trainer.work(10)
    trainer.save(path)
""",
    "the helper is given the restored value": TRAINER
    + """
def begin(trainer, epoch):
    trainer.epoch = epoch

def main(path):
    trainer = Trainer()
    trainer.load(path)
    begin(trainer, trainer.epoch)
    trainer.work(10)
    trainer.save(path)
""",
    "the block never runs": TRAINER
    + """
def main(path):
    trainer = Trainer()
    trainer.load(path)
    if False:
        trainer.epoch = 0
    trainer.work(10)
    trainer.save(path)
""",
    "the other block never runs": TRAINER
    + """
def main(path):
    trainer = Trainer()
    trainer.load(path)
    if True:
        trainer.work(10)
    else:
        trainer.epoch = 0
    trainer.save(path)
""",
    "a flag asks for the reset": agent("if self.reset_penalty:", "self._wire()"),
    "an option asks for the reset": agent("if self.config.resume_fresh:", "self._wire()"),
    "a flag that a method turns": agent("if self.adaptive:", "self._wire()", "self.adaptive = False"),
    "an unknown condition decides": agent("if self.config.width > 3:", "self._wire()"),
    "an option of another object": agent("if SETTINGS.adaptive:", "self._wire()"),
    "set-up that asks what is there": agent("if not hasattr(self, 'penalty'):", "self._wire()"),
    "a flag of the load itself": agent("if self.adaptive:", "if data.get('new'):\n            self._wire()"),
    "a function that draws no weights": script("    net.apply(freeze)\n"),
    "a new head on restored weights": script(
        "    net[-1].apply(init_weights)\n    net.head.reset_parameters()\n"
    ),
    "weights that are drawn where nothing is restored": script(
        "    else:\n        net.apply(init_weights)\n"
    ),
    "a schedule that is wound forward": script(
        "    schedule = torch.optim.lr_scheduler.StepLR(opt, 1)\n    for _ in range(epoch):\n        schedule.step()\n"
    ),
    "a schedule that begins at the restored epoch": script(
        "    schedule = torch.optim.lr_scheduler.StepLR(opt, 1, last_epoch=epoch)\n"
    ),
    "a setter is given what was loaded": with_line(SCORES, 'scores.put(data["scores"])'),
    "a setter is given its own statistics": with_line(SCORES, "scores.fit(scores.mean, scores.std)"),
    "a setter under a condition": with_line(
        SCORES, "if len(rows) > 3:\n        scores.fit(rows.mean(0), rows.std(0))"
    ),
    "a field that nothing counts": PROGRESS
    + '        self.progress.phase = "hot"\n        self.progress.rank = 0\n',
    "the field of another object": PROGRESS + "        self.other.step = 0\n",
    "the field is restored after the helper": PROGRESS
    + """        if self.progress.phase == "hot":
            self.begin()
            self.progress.step = data["progress"].step
""",
    "a field where another flag is set": PROGRESS.replace(
        "        self.progress.step = 0\n", "        if self.limit:\n            self.progress.step = 0\n"
    )
    + """        if self.progress.phase == "hot":
            self.begin()
""",
    "the helper asks what was not restored": PROGRESS
    + """        if self.limit == 5:
            self.begin()
""",
    "a method that only asks is no entry to training": """
import torch

class Slot:
    def __init__(self):
        self.width, self.mode = 1, 0

    def start(self):
        self.mode = 1

    def grow(self):
        self.width += 1
        self.mode = 2

    def state_dict(self):
        return {"width": self.width, "mode": self.mode}

    def load_state_dict(self, state):
        self.width = state["width"]
        self.mode = state["mode"]
""",
    "the load turns the flag": with_line(ONCE, "self.total = torch.zeros(3)") + "        self.ready = True\n",
    "the flag is on from the start": with_line(ONCE, "self.total = torch.zeros(3)").replace(
        "self.ready = False", "self.ready = True"
    ),
    "the first step goes on with what is there": with_line(ONCE, "self.total = self.total * 2"),
    "the first step under another condition": with_line(
        ONCE, "if x.sum() > 3:\n                self.total = torch.zeros(3)"
    ),
    "a list that is filled again": """
class Store:
    def __init__(self):
        self.rows = []

    def add(self, row):
        self.rows = [*self.rows, row]
        return sum(self.rows)

    def state_dict(self):
        return {"rows": [row for row in self.rows]}

    def load_state_dict(self, state):
        rows = state["rows"]
        self.rows = []
        for row in rows:
            self.rows.append(float(row))
""",
    "nothing is there before the first step": ONCE.replace(
        "        self.total = torch.zeros(3)\n        self.ready", "        self.ready"
    ).replace("LINE", "self.total = torch.zeros(3)"),
    "the flag is never turned": with_line(ONCE, "self.total = torch.zeros(3)").replace(
        "self.ready = True", "self.other = True"
    ),
}

FOUND: dict[str, Case] = {
    "of two loaded parts of a replaced object one is loaded again": {
        "trainer.py": TRAINER,
        "main.py": """
import torch
from trainer import Trainer

def main(path):
    trainer = Trainer()
    data = torch.load(path)
    trainer.net.load_state_dict(data["net"])
    trainer.opt.load_state_dict(data["opt"])
    trainer = Trainer()  # CKP205
    trainer.net.load_state_dict(data["net"])
    trainer.work(5)
""",
    },
    "a helper in another file": {
        "trainer.py": TRAINER,
        "helpers.py": """
import math

def prepare(owner):
    owner.epoch = 0  # CKP205
""",
        "main.py": """
from helpers import prepare
from trainer import Trainer

def main(path):
    trainer = Trainer()
    trainer.load(path)
    prepare(owner=trainer)
    trainer.work(10)
    trainer.save(path)
""",
    },
    "a block that always runs": TRAINER
    + """
def main(path):
    trainer = Trainer()
    trainer.load(path)
    if True:
        trainer.epoch = 0  # CKP205
    trainer.work(10)
    trainer.save(path)
""",
    "set-up under a flag of construction": agent("if self.adaptive:", "self._wire()  # CKP205"),
    "set-up under an option of construction": agent("if self.config.adaptive:", "self._wire()  # CKP205"),
    "set-up that runs under the flag": agent(
        "if True:", "if self.adaptive:\n            self._wire()  # CKP205"
    ),
    "weights are drawn again": script("    net.apply(init_weights)  # CKP205\n"),
    "a method draws the weights again": script("    net.reset_parameters()  # CKP205\n"),
    "a setter is given statistics of the data": with_line(
        SCORES, "scores.fit(rows.mean(0), std=rows.std(0))  # CKP205"
    ),
    "a field of a restored object": PROGRESS + "        self.progress.step = 0  # CKP205\n",
    "a field by a method that asks what was restored": PROGRESS
    + """        if self.progress.phase == "hot":
            self.begin()  # CKP205
""",
    "a field where the object is there": PROGRESS.replace(
        "        self.progress.step = 0\n",
        "        if self.progress:\n            self.progress.step = 0\n",
    )
    + """        if data["net"] and self.progress:
            self.begin()  # CKP205
""",
    "a field of an object that restores it": TRAINER.replace("def save", "def state_dict")
    .replace("def load(self, path)", "def load_state_dict(self, data)")
    .replace("        data = torch.load(path)\n", "")
    .replace("torch.save({", "return ({")
    .replace("}, path)", "})")
    .replace("state_dict(self, path)", "state_dict(self)")
    + """
def main(path):
    trainer = Trainer()
    trainer.load_state_dict(torch.load(path))
    trainer.epoch = 0  # CKP205
    trainer.work(10)
    torch.save(trainer.state_dict(), path)
""",
    "a list that is filled before": """
class Store:
    def __init__(self):
        self.rows = []

    def add(self, row):
        self.rows = [*self.rows, row]
        return sum(self.rows)

    def state_dict(self):
        return {"rows": self.rows}

    def load_state_dict(self, state):
        self.rows = state["rows"]
        self.rows.append(1.0)
        self.rows = []  # CKP205
""",
    "the first step sets it": with_line(ONCE, "self.total = torch.zeros(3)  # CKP205"),
    "the first step calls what sets it": with_line(ONCE, "self._begin()  # CKP205"),
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_helpers_replace(case: Case) -> None:
    check_findings(case)


def test_message_names_the_field() -> None:
    (finding,) = check_findings(FOUND["a field of a restored object"])
    assert finding.message.startswith("'step' ")
