"""CKP204: a runner saves parts of what it holds, and forgets others that the held object updates."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

ALGORITHM = """
import torch


class Distiller:
    def __init__(self, student, teacher):
        self.student = student
        self.teacher = teacher
        self.student_opt = torch.optim.Adam(self.student.parameters())
        self.teacher_opt = torch.optim.Adam(self.teacher.parameters())

    def choose(self, obs):
        return self.student(obs)

    def finish(self, last):
        return last

    def improve(self, batch):
        self.student_opt.zero_grad()
        self.teacher_opt.zero_grad()
        (self.student(batch) - self.teacher(batch)).pow(2).mean().backward()
        self.student_opt.step()
        self.teacher_opt.step()
"""
RUNNER = """
import torch
from algorithm import *


class Runner:
    def __init__(self, env, config, nets):
        self.env = env
        {held}
        self.iteration = 0

    def go(self, count):
        while self.iteration < count:
            self.held.finish(self.held.choose(self.env.obs))
            self.held.improve(self.env.batch())
            self.iteration += 1
        self.write("last.pt")

    def write(self, path):
        content = {{"iteration": self.iteration, "opt": self.held.student_opt.state_dict()}}
        content["student"] = self.held.student.state_dict()
        content["teacher"] = self.held.teacher.state_dict()
        {more}
        torch.save(content, path)

    def read(self, path):
        content = torch.load(path)
        self.iteration = content["iteration"]
        self.held.student_opt.load_state_dict(content["opt"])
        self.held.student.load_state_dict(content["student"])
        self.held.teacher.load_state_dict(content["teacher"])
        {back}
"""
REGISTRY = """
from runner import Runner


class Tasks:
    def __init__(self):
        self.known = {}

    def make(self, name, args):
        runner = Runner(self.known[name], args, args.nets)
        if args.resume:
            runner.read(args.path)
        return runner
"""
TRAIN = """
from tasks import Tasks


def main(args):
    runner = Tasks().make(args.name, args)
    runner.%s
"""


def project(held: str, *, more: str = "", back: str = "", call: str = "go(10)") -> dict[str, str]:
    """Return a runner that holds an algorithm, both in files of their own, made by a third and run by a fourth."""
    save = "torch.save(content, path)"
    runner = RUNNER.format(held=held, more=more, back=back).replace(
        save, save + ("" if more else "  # CKP204")
    )
    tasks = REGISTRY.replace("runner.read(", "runner.load(")
    runner = (
        runner.replace("def go(", "def learn(")
        .replace("def read(", "def load(")
        .replace("def write", "def save")
    )
    runner = runner.replace("self.write(", "self.save(")
    train = TRAIN % call.replace("go(", "learn(")
    return {"algorithm.py": ALGORITHM, "runner.py": runner, "tasks.py": tasks, "train.py": train}


def silent(files: dict[str, str]) -> dict[str, str]:
    """Return the same without a mark."""
    return {path: text.replace("  # CKP204", "") for path, text in files.items()}


BY_CLASS = "self.held = Distiller(*nets)"
BY_NAME = "self.held = eval(config.name)(*nets)"
ANNOTATED = "self.held: Distiller = config.kinds[config.name](*nets)"
OTHER = ALGORITHM.replace("Distiller", "Imitator")
TRAINER = """
import torch
from torch.optim.lr_scheduler import LRScheduler


class Trainer:
    def __init__(self, model, optimizer, scheduler: {kind} = None, resume=None):
        self.model = model
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.epoch = 0
        if resume:
            read(resume, self)

    def fit(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            self.model(batch).mean().backward()
            self.optimizer.step()
            self.scheduler.step()
            self.epoch += 1
        self.keep("last.pt")

    def keep(self, path):
        write({{"model": self.model.state_dict(), "opt": self.optimizer.state_dict(), "epoch": self.epoch}}, path){mark}


def write(content, path):
    torch.save(content, path)


def read(path, trainer):
    content = torch.load(path)
    trainer.model.load_state_dict(content["model"])
    trainer.optimizer.load_state_dict(content["opt"])
    trainer.epoch = content["epoch"]
"""
FACTORY = """
from torch import nn
from torch import optim
from trainer import Trainer


def make(config):
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters())
    scheduler = {made}
    return Trainer(model, optimizer, scheduler, config["resume"])


def main(config):
    make(config).fit(config["batches"])
"""
BASE = """
import torch
from torch import nn


class Base:
    def __init__(self, optimizer):
        self.net = nn.Linear(2, 1)
        self.optimizer = optimizer

    def make(self, net):
        made = torch.optim.Adam(net.parameters())
        {registered}
        return made

    def save(self, path):
        torch.save({{"net": self.net.state_dict(), "main": self.main.state_dict()}}, path){mark}

    def load(self, path):
        content = torch.load(path)
        self.net.load_state_dict(content["net"])
        self.main.load_state_dict(content["main"])

    def learn(self, batch):
        self.optimizer.zero_grad()
        self.main.zero_grad()
        self.net(batch).mean().backward()
        self.optimizer.step()
        self.main.step()
"""

SILENT: dict[str, Case] = {
    "everything that is held is saved": silent(
        project(
            BY_CLASS,
            more='content["other"] = self.held.teacher_opt.state_dict()',
            back='self.held.teacher_opt.load_state_dict(content["other"])',
        )
    ),
    "everything of a class chosen by name is saved": silent(
        project(
            BY_NAME,
            more='content["other"] = self.held.teacher_opt.state_dict()',
            back='self.held.teacher_opt.load_state_dict(content["other"])',
        )
    ),
    "two classes fit a class chosen by name": silent({**project(BY_NAME), "other.py": OTHER}),
    "the program only plays": silent(
        project(BY_CLASS, call="held.student.load_state_dict(torch.load(args.path))")
    ),
    "what is held by a class chosen by name has few names": silent(
        {
            **project(BY_NAME),
            "runner.py": "import torch\n\n\nclass Runner:\n    def __init__(self, env, config, nets):\n"
            "        self.held = eval(config.name)(*nets)\n\n    def learn(self, batch):\n"
            "        self.held.improve(batch)\n        torch.save(self.held.student.state_dict(), 'last.pt')\n\n"
            "    def load(self, path):\n        self.held.student.load_state_dict(torch.load(path))\n",
        }
    ),
    "the scheduler that a parameter promises is never stepped": {
        "trainer.py": TRAINER.format(kind="LRScheduler", mark="").replace(
            "            self.scheduler.step()\n", ""
        ),
        "main.py": FACTORY.format(made="config['make'](optimizer)"),
    },
    "the caller saves what a constructor was given": {
        "base.py": BASE.format(registered="", mark=""),
        "agent.py": "import torch\nfrom base import Base\n\n\nclass Agent(Base):\n    def __init__(self, other):\n"
        "        super().__init__(other)\n        self.main = self.make(self.net)\n\n\n"
        "def train(path, resume, net):\n    other = torch.optim.Adam(net.parameters())\n    agent = Agent(other)\n"
        "    if resume:\n        agent.load(path)\n        more = torch.load(path + '.other')\n"
        "        net.load_state_dict(more['net'])\n        other.load_state_dict(more['opt'])\n"
        "    agent.learn(1)\n    agent.save(path)\n"
        "    torch.save({'net': net.state_dict(), 'opt': other.state_dict()}, path + '.other')\n",
    },
}

FOUND: dict[str, Case] = {
    "of a class by its name": project(BY_CLASS),
    "of a class that a configuration names": project(BY_NAME),
    "of a class that an annotation tells": {**project(ANNOTATED), "other.py": OTHER},
    "of several classes": {
        **project("self.held = Distiller(*nets) if config.both else Imitator(*nets)"),
        "algorithm.py": ALGORITHM + OTHER.replace("\nimport torch\n", ""),
    },
    "a scheduler that a parameter promises": {
        "trainer.py": TRAINER.format(kind="LRScheduler", mark="  # CKP204"),
        "main.py": FACTORY.format(made="config['make'](optimizer)"),
    },
    "a scheduler of a constructor that resumes": {
        "trainer.py": TRAINER.format(kind="object", mark="  # CKP204"),
        "main.py": FACTORY.format(made="optim.lr_scheduler.StepLR(optimizer, 1)"),
    },
    "an optimizer that a derived class gives to its base": {
        "base.py": BASE.format(registered="", mark="  # CKP204"),
        "agent.py": "import torch\nfrom base import Base\n\n\nclass Agent(Base):\n    def __init__(self, net):\n"
        "        super().__init__(torch.optim.Adam(net.parameters()))\n        self.main = self.make(self.net)\n\n\n"
        "def train(path, resume, net):\n    agent = Agent(net)\n"
        "    if resume:\n        agent.load(path)\n    agent.learn(1)\n    agent.save(path)\n",
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_forgotten_parts(case: Case) -> None:
    check_findings(case)
