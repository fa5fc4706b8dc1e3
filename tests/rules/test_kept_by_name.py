"""CKP204: objects that are saved and restored through their names, and those that the list of names forgets."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SAVE = "state = {name: getattr(self, name).state_dict() for name in NAMES}"
LOAD = "for name in NAMES:\n            getattr(self, name).load_state_dict(state[name])"


def trainer(
    listed: str, names: str = "self.kept", save: str = SAVE, load: str = LOAD, outer: str = "", mark: str = ""
) -> str:
    """Return a trainer that keeps what `names` gives; `listed` runs in its constructor, `outer` in its class."""
    return f"""
import torch
from torch import nn


class Trainer:
    {outer}

    def __init__(self, use_schedule=True):
        self.net = nn.Linear(2, 1)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, 10)
        {listed}

    def fit(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            self.net(batch).mean().backward()
            self.optimizer.step()
            self.scheduler.step()

    def save(self, path):
        {save.replace("NAMES", names)}
        torch.save(state, path){mark}

    def load(self, path):
        state = torch.load(path)
        {load.replace("NAMES", names)}


def main(batches, path, resume):
    trainer = Trainer()
    if resume:
        trainer.load(path)
    trainer.fit(batches)
    trainer.save(path)
"""


ALL = 'self.kept = ["net", "optimizer", "scheduler"]'
ROSTER = """@property
    def kept(self):
        names = ["net", "optimizer"]
        if self.scheduler is not None:
            names.append("scheduler")
        return names
"""
PAIRS = "state = dict([(name, value) for name, value in self.states()])"
STATES = """def states(self):
        for name in ("net", "optimizer", "scheduler"):
            yield name, getattr(self, name).state_dict()
"""
SILENT: dict[str, Case] = {
    "a list of names": trainer(ALL),
    "names that a condition adds": trainer(
        'self.kept = ["net", "optimizer"]\n        if use_schedule:\n            self.kept.append("scheduler")'
    ),
    "a class attribute": trainer("", outer='KEPT = ("net", "optimizer", "scheduler")', names="self.KEPT"),
    "a property makes the list": trainer("", outer=ROSTER),
    "a generator gives the states": trainer(ALL, save=PAIRS, outer=STATES),
    "a dict of names": trainer(
        'self.kept = {"n": "net", "o": "optimizer", "s": "scheduler"}', names="self.kept.values()"
    ),
    "the words of a text": trainer('self.kept = "net optimizer scheduler".split()'),
    "the attributes by the dict of the object": trainer(
        ALL,
        save="state = {name: self.__dict__[name].state_dict() for name in NAMES}",
        load="for name in NAMES:\n            vars(self)[name].load_state_dict(state[name])",
    ),
    "a local between": trainer(
        ALL,
        save="state = {}\n        for name in NAMES:\n            part = getattr(self, name)\n"
        "            state[name] = part.state_dict()",
        load="for name in NAMES:\n            part = getattr(self, name)\n"
        "            part.load_state_dict(state[name])",
    ),
}
PLAIN = 'state = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}'
REST = 'self.net.load_state_dict(state["net"])\n        self.optimizer.load_state_dict(state["optimizer"])'
SILENT["a class that derives from it makes the list"] = {
    "base.py": trainer("self.kept = []").partition("def main")[0],
    "own.py": """
from base import Trainer


class Scheduled(Trainer):
    def __init__(self):
        super().__init__()
        self.kept = ["net", "optimizer", "scheduler"]


def main(batches, path, resume):
    trainer = Scheduled()
    if resume:
        trainer.load(path)
    trainer.fit(batches)
    trainer.save(path)
""",
}
FOUND: dict[str, Case] = {
    "a list that nobody keeps by": trainer(ALL, save=PLAIN, load=REST, mark="  # CKP204"),
    "a list without the scheduler beside plain keys": trainer(
        'self.kept = ["net"]',
        save=f"{PLAIN}\n        for name in NAMES:\n            state[name] = getattr(self, name).state_dict()",
        load=REST,
        mark="  # CKP204",
    ),
}


@cases(SILENT)
def test_objects_kept_by_their_names(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_objects_that_no_name_keeps(case: Case) -> None:
    check_findings(case)
