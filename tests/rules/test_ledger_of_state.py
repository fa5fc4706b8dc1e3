"""CKP204 by what is done with objects: how they are held, made, handed on, updated and kept."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

HEAD = """
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR
"""
TRAINER = (
    HEAD
    + """

class Trainer:
    def __init__(self, net, options):
        self.net = net
        self.epoch = 0
        MAKE

    def fit(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            self.net(batch).mean().backward()
            STEP
        self.epoch += 1

    def save(self, path):
        payload = {"net": self.net.state_dict(), "epoch": self.epoch}
        SAVE
        torch.save(payload, path)MARK

    def load(self, path):
        payload = torch.load(path)
        self.net.load_state_dict(payload["net"])
        self.epoch = payload["epoch"]
        LOAD


def main(path, resume, batches):
    trainer = Trainer(nn.Linear(2, 1), None)
    if resume:
        trainer.load(path)
    trainer.fit(batches)
    trainer.save(path)
"""
)
OPTIMIZER = "self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)"
KEPT = 'payload["optimizer"] = self.optimizer.state_dict()'
PUT = 'self.optimizer.load_state_dict(payload["optimizer"])'


def trainer(
    make: str = OPTIMIZER,
    step: str = "self.optimizer.step()",
    save: str = KEPT,
    load: str = PUT,
    more: str = "",
    mark: str = "",
) -> str:
    """Return a trainer that saves and resumes; `more` are functions beside it."""
    parts = {"MAKE": make, "STEP": step, "SAVE": save, "LOAD": load, "MARK": mark}
    code = TRAINER
    for name, part in parts.items():
        indent = "            " if name == "STEP" else "        "
        code = code.replace(name, part.replace("\n", "\n" + indent))
    return code + more


SCHEDULED = f"{OPTIMIZER}\nself.schedule = StepLR(self.optimizer, 10)"
STEPS = "self.optimizer.step()\nself.schedule.step()"
COLLECTOR = (
    HEAD
    + """
from vendor import Checkpointer


class Run:
    def __init__(self, net, folder):
        self.net = net
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        self.schedule = StepLR(self.optimizer, 10)MARK
        self.keeper = Checkpointer(folder)
        self.keeper.add_part("net", self.net)
        self.keeper.add_part("optimizer", self.optimizer)
        MORE

    def fit(self, batches):
        self.keeper.recover()
        for batch in batches:
            self.optimizer.zero_grad()
            self.net(batch).mean().backward()
            self.optimizer.step()
            self.schedule.step()
            self.keeper.save_part()
"""
)
WHITENING = """
import torch
from torch import nn


class Whitening(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("var", torch.ones(size))

    def forward(self, x, learn=False):
        if learn:
            self.mean.lerp_(x.mean(0), 0.1)
            self.var.lerp_(x.var(0), 0.1)
        return (x - self.mean) / self.var.sqrt()
"""
PARTS = {
    "whitening.py": WHITENING,
    "base.py": """
import torch


class Base:
    def __init__(self):
        self.parts = {}

    def write_checkpoint(self, folder):
        for name, part in self.parts.items():
            torch.save(part.state_dict(), folder / f"{name}.pt")

    def read_checkpoint(self, folder):
        for name, part in self.parts.items():
            part.load_state_dict(torch.load(folder / f"{name}.pt"))
""",
}
ACTOR = """
from base import Base
from whitening import Whitening


class Actor(Base):
    def __init__(self, policy, critic, size):
        super().__init__()
        self.policy = policy
        self.whitening = Whitening(size)MARK
        self.parts = {"policy": policy, "critic": criticMORE}

    def act(self, obs):
        return self.policy(self.whitening(obs))

    def learn(self, obs):
        self.policy(self.whitening(obs, learn=True)).sum().backward()
"""
HELD = (
    HEAD
    + """

class Learner:
    def __init__(self, net, encoder):
        self.net = net
        self.encoder = encoder
        self.optimizer = torch.optim.Adam(net.parameters())
        self.encoder_optimizer = torch.optim.Adam(encoder.parameters())

    def learn(self, batch):
        self.optimizer.zero_grad()
        self.encoder_optimizer.zero_grad()
        self.net(self.encoder(batch)).sum().backward()
        self.optimizer.step()
        self.encoder_optimizer.step()


class Runner:
    def __init__(self, learner):
        self.learner = learner
        self.round = 0

    def save(self, path):
        payload = {"net": self.learner.net.state_dict(), "encoder": self.learner.encoder.state_dict()}
        payload["optimizer"] = self.learner.optimizer.state_dict()
        MORE
        torch.save(payload, path)MARK

    def load(self, path):
        payload = torch.load(path)
        self.learner.net.load_state_dict(payload["net"])
        self.learner.encoder.load_state_dict(payload["encoder"])
        self.learner.optimizer.load_state_dict(payload["optimizer"])
        REST


def main(path, resume, batches):
    runner = Runner(Learner(nn.Linear(2, 2), nn.Linear(2, 2)))
    if resume:
        runner.load(path)
    for batch in batches:
        runner.learner.learn(batch)
    runner.save(path)
"""
)

SILENT: dict[str, Case] = {
    "all are registered, one by one": COLLECTOR.replace("MARK", "").replace(
        "MORE", 'self.keeper.add_part("schedule", self.schedule)'
    ),
    "the registry of the base class has all": {
        **PARTS,
        "actor.py": ACTOR.replace("MARK", "").replace("MORE", ', "whitening": self.whitening'),
    },
    "a normalizer that only training uses, beside weights": {
        **PARTS,
        "actor.py": ACTOR.replace("MARK", "")
        .replace("MORE", "")
        .replace("policy(self.whitening(obs))\n", "policy(obs)\n"),
    },
    "another object keeps what its owner holds": HELD.replace("MARK", "")
    .replace("MORE", 'payload["other"] = self.learner.encoder_optimizer.state_dict()')
    .replace("REST", 'self.learner.encoder_optimizer.load_state_dict(payload["other"])'),
    "what the objects in a list hold is kept in a loop": HELD.replace("MARK", "")
    .replace("self.learner = learner", "self.learner = learner\n        self.learners = [learner]")
    .replace("MORE", 'payload["other"] = [self.learners[0].encoder_optimizer.state_dict()]')
    .replace("REST", 'self.learners[0].encoder_optimizer.load_state_dict(payload["other"][0])'),
    "a function that is given the scheduler saves it in a file of its own": trainer(
        SCHEDULED,
        STEPS,
        save=f"{KEPT}\nkeep(self.schedule, path)",
        more="""

def keep(each, path):
    torch.save(each.state_dict(), path + ".other")
""",
    ),
    "the schedulers are kept in a loop": trainer(
        f"{SCHEDULED}\nself.others = [self.schedule]",
        STEPS,
        save=f'{KEPT}\npayload["others"] = [each.state_dict() for each in self.others]',
        load=f'{PUT}\nfor each, state in zip(self.others, payload["others"]):\n    each.load_state_dict(state)',
    ),
    "the caller that made the scheduler keeps it": trainer(
        f"{OPTIMIZER}\nself.schedule = options", STEPS
    ).replace(
        "    trainer = Trainer(nn.Linear(2, 1), None)",
        """    net = nn.Linear(2, 1)
    schedule = StepLR(torch.optim.SGD(net.parameters(), lr=0.1), 10)
    schedule.load_state_dict(torch.load("schedule.pt"))
    trainer = Trainer(net, schedule)""",
    ),
    "the class lists the attribute by its name": trainer(
        SCHEDULED,
        STEPS,
        more="""

class Kept(Trainer):
    def _get_torch_save_params(self):
        return ["net", "schedule"], []
""",
    ),
    "statistics that only a log reads": trainer(
        f"{OPTIMIZER}\nself.rewards = []", "self.optimizer.step()\nself.rewards.append(1)"
    ),
    "the network is kept as a part of another": trainer(
        "self.head = nn.Linear(2, 1)\nself.whole = nn.Sequential(net, self.head)\n"
        "self.optimizer = torch.optim.SGD(self.head.parameters(), lr=0.1)",
        save=f'{KEPT}\npayload["whole"] = self.whole.state_dict()\npayload["head"] = self.head.state_dict()',
        load=f'{PUT}\nself.whole.load_state_dict(payload["whole"])\nself.head.load_state_dict(payload["head"])',
    ),
}

FOUND: dict[str, Case] = {
    "what a collector is not given": COLLECTOR.replace("MARK", "  # CKP204").replace("MORE", "pass"),
    "what the registry of the base class does not have": {
        **PARTS,
        "actor.py": ACTOR.replace("MARK", "  # CKP204").replace("MORE", ""),
    },
    "the optimizer of an object that another one saves": HELD.replace("MARK", "  # CKP204")
    .replace("MORE", 'payload["round"] = self.round')
    .replace("REST", 'self.round = payload["round"]'),
    "an object of the same name is saved by somebody else": trainer(
        SCHEDULED,
        STEPS,
        mark="  # CKP204",
        more="""

def elsewhere(schedule, path):
    torch.save(schedule.state_dict(), path)
""",
    ),
    "an optimizer that only a scaler steps": trainer(
        f"{OPTIMIZER}\nself.scaler = torch.cuda.amp.GradScaler()",
        "self.scaler.step(self.optimizer)\nself.scaler.update()",
        save='payload["scaler"] = self.scaler.state_dict()',
        load='self.scaler.load_state_dict(payload["scaler"])',
        mark="  # CKP204",
    ),
    "a scheduler that a helper of a helper makes": trainer(
        f"{OPTIMIZER}\nself.schedule = chosen(self.optimizer)",
        STEPS,
        mark="  # CKP204",
        more="""

def chosen(optimizer):
    return plain(optimizer)


def plain(optimizer):
    return StepLR(optimizer, 10)
""",
    ),
    "a scheduler in a pair that a helper makes": trainer(
        "self.optimizer, self.schedule = built(net)",
        STEPS,
        mark="  # CKP204",
        more="""

def built(net):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    return optimizer, StepLR(optimizer, 10)
""",
    ),
    "an optimizer that nobody knows, by what is done with it": trainer(
        "self.optimizer = options.build(net)", save="pass", load="pass", mark="  # CKP204"
    ),
    "a scheduler that nobody knows, built over an optimizer": "from vendor import warm_up\n"
    + trainer(f"{OPTIMIZER}\nself.schedule = warm_up(self.optimizer)", STEPS, mark="  # CKP204"),
    "a gradient scaler that nobody knows": "from vendor import make_scaler\n"
    + trainer(
        f"{OPTIMIZER}\nself.loss_scale = make_scaler()",
        "self.loss_scale.scale(1)\nself.loss_scale.step(self.optimizer)\nself.loss_scale.update()",
        mark="  # CKP204",
    ),
    "a network whose optimizer is saved": trainer(
        f"self.critic = nn.Linear(2, 1)\n{OPTIMIZER.replace('self.net', 'self.critic')}", mark="  # CKP204"
    ),
    "the scheduler comes from the caller": trainer(
        f"{OPTIMIZER}\nself.schedule = options", STEPS, mark="  # CKP204"
    ).replace(
        "    trainer = Trainer(nn.Linear(2, 1), None)",
        """    net = nn.Linear(2, 1)
    trainer = Trainer(net, StepLR(torch.optim.SGD(net.parameters(), lr=0.1), 10))""",
    ),
    "weights alone, in the very file that the program goes on with": HEAD
    + """

def dispatch(net, path):
    torch.save({"net": net.state_dict()}, path)


def main(net, path, batches):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net.load_state_dict(torch.load(path)["net"])
    for batch in batches:
        optimizer.zero_grad()
        net(batch).mean().backward()
        optimizer.step()
    dispatch(net, path)  # CKP204
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_objects_by_what_is_done_with_them(case: Case) -> None:
    check_findings(case)
