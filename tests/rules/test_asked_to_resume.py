"""CKP204: programs that save and restore weights alone, but say that they go on with their training."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

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
    "one program trains and another one is asked to resume": {
        "agent.py": AGENT.format(mark=""),
        "main.py": SCRIPT.replace("args.continue_training", "args.pretrained"),
        "show.py": SCRIPT.partition("    for i")[0].replace("main", "show")
        + "    print(agent.net(args.batch))\n",
    },
    "an optimizer of a file of its own": {
        **asked("self.conf.resume"),
        "agent.py": AGENT.format(mark="")
        .replace(
            "        torch.save(",
            '        torch.save(self.tool.state_dict(), path + ".tool")\n        torch.save(',
        )
        .replace(READS, READS + '\n        self.tool.load_state_dict(torch.load(path + ".tool"))'),
    },
    "weights to begin with": asked("self.conf.pretrained"),
    "an agent that is only used": asked("self.conf.resume", step="print(self.agent.net(batch))"),
}
FOUND: dict[str, Case] = {
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
