"""CKP203: the state of an optimizer has a file of its own, and nothing reads that."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

TRAINER = """
import torch
from torch import nn


class Trainer:
    def __init__(self, folder, weights=None):
        self.folder = folder
        self.net = nn.Linear(2, 1)
        RESTORE
        self.optimizer = torch.optim.Adam(self.net.parameters())
        MORE

    def fit(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            self.net(batch).mean().backward()
            self.optimizer.step()

    def save(self):
        torch.save(self.net.state_dict(), self.folder / "net.pth")
        torch.save(self.optimizer.state_dict(), self.folder / "optimizer.pth")MARK
"""
LOADED = """if weights is not None:
            self.net.load_state_dict(torch.load(weights))"""


def trainer(restore: str = LOADED, more: str = "pass", mark: str = "") -> str:
    """Return a trainer that restores its network, and what `more` says."""
    return TRAINER.replace("RESTORE", restore).replace("MORE", more).replace("MARK", mark)


SILENT: dict[str, Case] = {
    "the optimizer is restored": trainer(
        more='self.optimizer.load_state_dict(torch.load(folder / "optimizer.pth"))'
    ),
    "another function reads the file": trainer()
    + """

def resume(folder, optimizer):
    optimizer.load_state_dict(torch.load(folder / "optimizer.pth"))
""",
    "nothing is restored": trainer(restore="pass"),
    "something is restored that is not saved": trainer(
        restore='self.teacher = nn.Linear(2, 1)\n        self.teacher.load_state_dict(torch.load("teacher.pth"))'
    ),
    "another class restores its network": trainer(restore="pass")
    + """

class Player:
    def __init__(self, folder):
        self.net = nn.Linear(2, 1)
        self.net.load_state_dict(torch.load(folder / "net.pth"))
""",
}

FOUND: dict[str, Case] = {
    "a trainer restores its network alone": trainer(mark="  # CKP203"),
    "a script": """
import torch

net = torch.nn.Linear(2, 1)
opt = torch.optim.Adam(net.parameters())
net.load_state_dict(torch.load("net.pt"))
for batch in []:
    opt.zero_grad()
    net(batch).mean().backward()
    opt.step()
torch.save(net.state_dict(), "net.pt")
torch.save(opt.state_dict(), "opt.pt")  # CKP203
""",
    "a helper writes": """
import torch as th


def write(model, path):
    with open(path, "wb") as file:
        th.save(model.state_dict(), file)  # CKP203


def main(batches):
    net = th.nn.Linear(2, 1)
    opt = th.optim.Adam(net.parameters())
    sched = th.optim.lr_scheduler.StepLR(opt, 1)
    net.load_state_dict(th.load("net.pt"))
    opt.load_state_dict(th.load("opt.pt"))
    for batch in batches:
        opt.zero_grad()
        net(batch).mean().backward()
        opt.step()
        sched.step()
    write(net, "net.pt")
    write(opt, "opt.pt")
    write(sched, "sched.pt")


main([])
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_files_that_nothing_reads(case: Case) -> None:
    check_findings(case)
