"""CKP204: programs that save and restore weights alone, but say that they go on with their training."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

TRAINER = """
import torch
from torch import nn


class Trainer:
    def __init__(self, batches, folder):
        self.batches = batches
        self.folder = folder
        self.net = nn.Linear(2, 1)
        self.tool = torch.optim.AdamW(self.net.parameters())
        {load}

    def fit(self):
        for batch in self.batches:
            {step}
            self.write()

    def write(self):
        torch.save(self.net.state_dict(), f"{{self.folder}}weights.pt"){mark}
"""
STEP = "self.tool.zero_grad(); self.net(batch).mean().backward(); self.tool.step()"
READ = 'self.net.load_state_dict(torch.load(f"{folder}weights.pt"))'
FUNCTION = """
import torch
from torch import nn


def train(batches, folder):
    net = nn.Linear(2, 1)
    tool = torch.optim.AdamW(net.parameters())
    try:
        net.load_state_dict(torch.load(f"{folder}weights.pt"))
    except OSError:
        print("from the beginning")
    for batch in batches:
        tool.zero_grad()
        net(batch).mean().backward()
        tool.step()
    torch.save(net.state_dict(), f"{folder}weights.pt")  # CKP204
"""


def tried(*, read: str = READ, caught: str = "", step: str = STEP, mark: str = "") -> str:
    """Return a trainer that reads its weights where there are any."""
    load = f"try:\n            {read}\n        except {caught}:\n            self.news = []"
    return TRAINER.format(load=load.replace("except :", "except:"), step=step, mark=mark)


AGENT = """
import torch
from torch import nn


class Agent:
    def __init__(self):
        self.net = nn.Linear(2, 1)
        self.tool = torch.optim.AdamW(self.net.parameters())

    def improve(self, batch):
        self.tool.zero_grad()
        self.net(batch).mean().backward()
        self.tool.step()

    def save(self, path):
        torch.save(self.net.state_dict(), path){mark}

    def load(self, path):
        self.net.load_state_dict(torch.load(path))
"""
READS = "self.net.load_state_dict(torch.load(path))"
RUNNER = """
import os
from agent import Agent


class Runner:
    def __init__(self, conf, folders, batches):
        self.conf = conf
        self.folders = folders
        self.batches = batches
        self.agent = Agent()
        if {asked}:
            self.agent.load(self.folders.newest)

    def go(self):
        for i, batch in enumerate(self.batches):
            {step}
            self.agent.save(os.path.join(self.folders.here, f"{{i}}.pt"))
"""
SCRIPT = """
import os
from agent import Agent


def main(args):
    agent = Agent()
    if args.continue_training:
        agent.load(args.first)
    for i, batch in enumerate(args.batches):
        agent.improve(batch)
        agent.save(os.path.join(args.folder, f"{i}.pt"))
"""


def asked(option: str, *, step: str = "self.agent.improve(batch)", mark: str = "") -> dict[str, str]:
    """Return a runner that restores its agent where an option asks for it."""
    return {"agent.py": AGENT.format(mark=mark), "runner.py": RUNNER.format(asked=option, step=step)}


SILENT: dict[str, Case] = {
    "weights of a name that are always read": TRAINER.format(load=READ, step=STEP, mark=""),
    "other weights are tried": tried(read=READ.replace("weights", "first")),
    "any weights are tried": {
        **asked("self.conf.pretrained"),
        "agent.py": AGENT.format(mark="").replace(
            READS, f"try:\n            {READS}\n        except OSError:\n            raise"
        ),
    },
    "one program trains and another one is asked to resume": {
        "agent.py": AGENT.format(mark=""),
        "main.py": SCRIPT.replace("args.continue_training", "args.pretrained"),
        "show.py": SCRIPT.partition("    for i")[0].replace("main", "show")
        + "    print(agent.net(args.batch))\n",
    },
    "a key that may be missing": tried(caught="KeyError"),
    "a class that does not train": tried(step="print(self.net(batch))"),
    "an optimizer of a file of its own": tried(
        read=READ + '\n            self.tool.load_state_dict(torch.load(f"{folder}tool.pt"))'
    ).replace(
        "        torch.save(",
        '        torch.save(self.tool.state_dict(), f"{self.folder}tool.pt")\n        torch.save(',
    ),
    "weights to begin with": asked("self.conf.pretrained"),
    "an agent that is only used": asked("self.conf.resume", step="print(self.agent.net(batch))"),
}
FOUND: dict[str, Case] = {
    "weights that may not be there": tried(mark="  # CKP204"),
    "a file that may not be there": tried(caught="FileNotFoundError", mark="  # CKP204"),
    "in one function": FUNCTION,
    "an option to resume": asked("self.conf.resume", mark="  # CKP204"),
    "an option to resume with other words": asked("self.conf.auto_resume_run", mark="  # CKP204"),
    "an option of a function": {"agent.py": AGENT.format(mark="  # CKP204"), "main.py": SCRIPT},
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_lost_objects(case: Case) -> None:
    check_findings(case)
