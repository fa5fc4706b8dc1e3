"""CKP218: an object of a program that resumes holds the best metric: an evaluator, a watcher, a stopper."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

PROGRAM = """
import torch

from watch import Watcher


def main(net, batches, again=None):
    optimizer = torch.optim.Adam(net.parameters())
    watcher = Watcher("out")
    if again:
        state = torch.load(again)
        net.load_state_dict(state["net"])
        {resumed}
    for batch in batches:
        optimizer.zero_grad()
        net(batch).mean().backward()
        optimizer.step()
        watcher.look(net, float(net(batch).mean()))
        torch.save({{"net": net.state_dict(), "optimizer": optimizer.state_dict(){more}}}, "last.pt")
"""
RESUMED = 'optimizer.load_state_dict(state["optimizer"])'
WATCH = """
import numpy as np
import torch


class Watcher:
    def __init__(self, folder):
        self.folder = folder
        self.top = {start}{mark}

    def look(self, net, score):
        {body}
"""
BEFORE = """before = self.top
        self.top = max(self.top, score)
        is_better = score > before
        target = None
        if is_better:
            target = f"{self.folder}/top.pt"
        if target:
            torch.save(net, target)
"""
PLAIN = """if score > self.top:
            self.top = score
            torch.save(net.state_dict(), f"{self.folder}/top.pt")
"""
SHOWN = """before = self.top
        self.top = max(self.top, score)
        if score > before:
            print(f"better: {score}")
"""
STOPPER = """
import torch


class Stopper:
    def __init__(self, patience):
        self.patience, self.waited = patience, 0
        self.lowest = None{mark}

    def __call__(self, loss, net):
        if self.lowest is None or loss < self.lowest:
            self.lowest = loss
            self.keep(net)
        else:
            self.waited += 1

    def keep(self, net):
        torch.save(net.state_dict(), "best.pt")


class Trainer:
    def __init__(self, net):
        self.net, self.optimizer = net, torch.optim.Adam(net.parameters())
        self.stopper = Stopper(3)

    def save(self, path):
        torch.save({{"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}}, path)

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        {resumed}

    def fit(self, batches, path):
        for batch in batches:
            loss = self.net(batch).mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.stopper(loss.item(), self.net)
        self.save(path)


def main(net, batches, again):
    trainer = Trainer(net)
    if again:
        trainer.load(again)
    trainer.fit(batches, "last.pt")
"""
SETUP = """
import torch


def prepare(args, net):
    optimizer = torch.optim.Adam(net.parameters())
    state = torch.load(args.again) if args.again else None
    return args.a, args.b, args.c, args.d, optimizer, args.e, state, args.f


def main(args, net, batches):
    a, b, c, d, optimizer, e, state, f = prepare(args, net)
    run(net, optimizer, batches, a, state)


def run(net, optimizer, batches, path, state):
    lowest = float("inf"){mark}
    if state is not None:
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        {restored}
    for batch in batches:
        optimizer.zero_grad()
        loss = net(batch).mean()
        loss.backward()
        optimizer.step()
        if loss.item() < lowest:
            lowest = loss.item()
            torch.save({{"net": net.state_dict()}}, "best.pt")
        torch.save({{"net": net.state_dict(), "optimizer": optimizer.state_dict(){more}}}, path)
"""

COMMANDS = """
import torch


def keep(path, net, adam):
    torch.save({{"net": net.state_dict(), "adam": adam.state_dict()}}, path)


def take(path, net, adam=None):
    state = torch.load(path)
    net.load_state_dict(state["net"])
    if adam is not None:
        adam.load_state_dict(state["adam"])


def train(net, adam, batches):
    lowest = float("inf"){mark}
    for batch in batches:
        adam.zero_grad()
        loss = net(batch).mean()
        loss.backward()
        adam.step()
        if loss.item() < lowest:
            lowest = loss.item()
            keep("best.pt", net, adam)


def main(command, net, batches):
    adam = torch.optim.Adam(net.parameters())
    {body}
"""
USED = """if command == "use":
        take("best.pt", net)
    train(net, adam, batches)"""
GOING_ON = """if command == "again":
        take("best.pt", net, adam)
    train(net, adam, batches)"""


def program(body: str = PLAIN, start: str = "-np.inf", mark: str = "", resumed: str = RESUMED) -> Case:
    """Return a program with a watcher in another file."""
    return {
        "main.py": PROGRAM.format(resumed=resumed, more=""),
        "watch.py": WATCH.format(start=start, mark=mark, body=body),
    }


AGENT = """
import torch


class Agent:
    def __init__(self, net, target):
        self.net, self.target_net = net, target
        self.optimizer = torch.optim.Adam(net.parameters())

    def learn(self, batch):
        self.optimizer.zero_grad()
        loss = self.net(batch).mean()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def save(self, path):
        torch.save({{"net": self.net.state_dict(), "target": self.target_net.state_dict(){more}}}, path)

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        {restored}


class Trainer:
    def __init__(self, agent, again=None):
        self.agent = agent
        if again is not None:
            self.agent.load(again)

    def run(self, batches):
        lowest = float("inf"){mark}
        for batch in batches:
            loss = self.agent.learn(batch)
            if lowest - loss > 1e-3:
                lowest = loss
                self.agent.save("best.pt")
        self.agent.save("last.pt")


def main(net, target, batches, again=None):
    Trainer(Agent(net, target), again).run(batches)
"""
WHOLE = "self.target_net.load_state_dict(state['target'])"
KEPT = ", 'optimizer': self.optimizer.state_dict()"
AFTER = """if score > self.top:
            torch.save(net.state_dict(), f"{self.folder}/top.pt")
        self.top = max(self.top, score)
"""


SILENT: dict[str, Case] = {
    "an object takes only the weights of another training": AGENT.format(mark="", restored="pass", more=KEPT),
    "a better value is only shown": program(SHOWN),
    "the program takes only weights, as a start": program(resumed="pass"),
    "the program restores it": {
        "main.py": PROGRAM.format(
            resumed=RESUMED + '\n        watcher.top = state["top"]', more=', "top": watcher.top'
        ),
        "watch.py": WATCH.format(start="0.0", mark="", body=PLAIN),
    },
    "another program has the watcher": {
        "main.py": PROGRAM.format(resumed=RESUMED, more="")
        .replace("watch", "write")
        .replace("Watch", "Write"),
        "write.py": "class Writer:\n    def look(self, net, score):\n        print(score)\n",
        "other.py": "from watch import Watcher\n\n\ndef test(net):\n    Watcher('x').look(net, 0.5)\n",
        "watch.py": WATCH.format(start="0.0", mark="", body=PLAIN),
    },
    "the optimizer is left out where weights are taken": COMMANDS.format(mark="", body=USED),
    "a value is restored that a helper of many values gives": SETUP.format(
        mark="", restored='lowest = state["lowest"]', more=', "lowest": lowest'
    ),
}
FOUND: dict[str, Case] = {
    "a command goes on with the optimizer": COMMANDS.format(mark="  # CKP218", body=GOING_ON),
    "an object of another file": program(mark="  # CKP218"),
    "the value is set after the save": program(AFTER, mark="  # CKP218"),
    "what an object holds resumes, target networks too": AGENT.format(
        mark="  # CKP218", restored=f"{WHOLE}; self.optimizer.load_state_dict(state['optimizer'])", more=KEPT
    ),
    "the value before, a flag, and the path that it decides": program(BEFORE, mark="  # CKP218"),
    "the object of an object that resumes": STOPPER.format(mark="  # CKP218", resumed=f"self.{RESUMED}"),
    "a local, and a payload that comes from a helper of many values": SETUP.format(
        mark="  # CKP218", restored="pass", more=""
    ),
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_metrics_of_programs_that_resume(case: Case) -> None:
    check_findings(case)
