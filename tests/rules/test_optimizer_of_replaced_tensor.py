"""CKP216: a load binds something new to a name, and an optimizer keeps the old."""

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
        self.policy = nn.Linear(2, 1)
        self.policy_optimizer = torch.optim.Adam(self.policy.parameters())
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.alpha_optimizer = torch.optim.Adam([self.log_alpha])

    def learn(self, obs):
        for optimizer in (self.policy_optimizer, self.alpha_optimizer):
            optimizer.zero_grad()
        (self.policy(obs).mean() * self.log_alpha.exp()).backward()
        self.policy_optimizer.step()
        self.alpha_optimizer.step()

    def save(self, path):
        payload = {
            "policy": self.policy.state_dict(),
            "policy_optimizer": self.policy_optimizer.state_dict(),
            "log_alpha": self.log_alpha,
            "alpha_optimizer": self.alpha_optimizer.state_dict(),
        }
        torch.save(payload, path)

    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        self.policy_optimizer.load_state_dict(payload["policy_optimizer"])
        LOADS
        self.alpha_optimizer.load_state_dict(payload["alpha_optimizer"])
"""
SCRIPT = """
import torch
from actor import Actor


def main(path, batches):
FIRST
    for batch in batches:
        optimizer.zero_grad()
        agent.net(batch).mean().backward()
        optimizer.step()
    torch.save({"net": agent.net, "optimizer": optimizer.state_dict()}, path)
"""
ACTOR = """
from torch import nn


class Actor:
    def __init__(self):
        self.net = nn.Linear(2, 1)
"""
LOAD = """    state = torch.load(path)
    agent.net = state["net"]FOUND
    optimizer.load_state_dict(state["optimizer"])
"""
BUILD = "    optimizer = torch.optim.Adam(agent.net.parameters())\n"


def agent(*lines: str, more: str = "") -> str:
    """Return an agent whose load has some statements of its own, and more methods."""
    return AGENT.replace("LOADS", "\n        ".join(lines)) + more


def script(first: str, mark: str = "") -> dict[str, str]:
    """Return a script that begins with some statements."""
    return {"actor.py": ACTOR, "main.py": SCRIPT.replace("FIRST", first.replace("FOUND", mark).rstrip())}


REBUILT = """
import torch
from torch import nn


class Fitted:
    def __init__(self):
        self.net = nn.Linear(2, 1)
        self.reset()

    def reset(self):
        self.optimizer = torch.optim.Adam(self.net.parameters())

    def run(self, batches):
        {again}
        for batch in batches:
            self.optimizer.zero_grad()
            self.net(batch).mean().backward()
            self.optimizer.step()

    def save_net(self, path):
        torch.save(self.net, path)

    def load_net(self, path):
        self.net = torch.load(path){mark}
"""
# A hook that is pickled with its scheduler, and a trainer that restores both.
PICKLED = """
import torch
from torch import nn


class Plateau:
    def __init__(self, optimizer):
        self.scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)

    def on_loss(self, loss):
        self.scheduler.step(loss)

    def state_dict(self):
        return {"scheduler": self.scheduler}

    def load_state_dict(self, state):
        self.scheduler = state["scheduler"]MARK


class Trainer:
    def __init__(self):
        self.net = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.net.parameters())
        self.hook = Plateau(self.optimizer)

    def train(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            loss = self.net(batch).mean()
            loss.backward()
            self.optimizer.step()
            self.hook.on_loss(loss)

    def save(self, path):
        parts = {"net": self.net.state_dict(), "hook": self.hook.state_dict()}
        torch.save({**parts, "optimizer": self.optimizer.state_dict()}, path)

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.hook.load_state_dict(state["hook"])
        GIVEN
"""

PROGRAM = """

def main(path, batches):
    agent = Agent()
    {first}
    for batch in batches:
        {each}


main("agent.pt", [])
"""
REPLACED = 'self.log_alpha = payload["log_alpha"]'

SILENT: dict[str, Case] = {
    "the only program that loads evaluates": agent(
        REPLACED, more=PROGRAM.format(first="agent.load(path)", each="agent.policy(batch)")
    ),
    "a program trains before it loads the best": agent(
        REPLACED,
        more=PROGRAM.format(
            first="for one in batches: agent.learn(one)\n    agent.load(path)", each="print(batch)"
        ),
    ),
    "nobody calls the load": agent(
        REPLACED, more=PROGRAM.format(first="agent.save(path)", each="agent.learn(batch)")
    ),
    "a scheduler that is loaded whole is given the optimizer": PICKLED.replace("MARK", "").replace(
        "GIVEN", "self.hook.scheduler.optimizer = self.optimizer"
    ),
    "the value is copied into the old tensor": agent('self.log_alpha.data.copy_(payload["log_alpha"])'),
    "the data of the old tensor are set": agent('self.log_alpha.data = payload["log_alpha"]'),
    "load builds the optimizer again": agent(
        'self.log_alpha = payload["log_alpha"]', "self.alpha_optimizer = torch.optim.Adam([self.log_alpha])"
    ),
    "a method that load calls builds the optimizer again": agent(
        'self.log_alpha = payload["log_alpha"]',
        "self.build_optimizers()",
        more="""
    def build_optimizers(self):
        self.alpha_optimizer = torch.optim.Adam([self.log_alpha])
""",
    ),
    "the optimizer is given the new tensor": agent(
        'self.log_alpha = payload["log_alpha"]',
        'self.alpha_optimizer.add_param_group({"params": [self.log_alpha]})',
    ),
    "the optimizer is built after the load": script(
        f"    agent = Actor()\n{LOAD}".rpartition("    opt")[0] + BUILD
    ),
    "each run builds the optimizer again": REBUILT.format(again="self.reset()", mark=""),
    "the constructor loads before it builds": """
import torch
from torch import nn


class Agent:
    def __init__(self, path):
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.load(path)
        self.optimizer = torch.optim.Adam([self.log_alpha])

    def load(self, path):
        self.log_alpha = torch.load(path)["log_alpha"]

    def save(self, path):
        torch.save({"log_alpha": self.log_alpha, "optimizer": self.optimizer.state_dict()}, path)
""",
    "nobody knows when the optimizer is built": """
import torch
from torch import nn


class Agent:
    def __init__(self):
        self.log_alpha = torch.zeros(1, requires_grad=True)

    def configure(self):
        self.optimizer = torch.optim.Adam([self.log_alpha])
        return self.optimizer

    def load(self, path):
        self.log_alpha = torch.load(path)["log_alpha"]

    def save(self, path):
        torch.save({"log_alpha": self.log_alpha, "optimizer": self.optimizer.state_dict()}, path)
""",
    "what is bound comes out of settings": agent(
        'self.log_alpha.data.copy_(payload["log_alpha"])',
        more="""
    def choose(self, settings):
        self.policy = settings["policy"]
""",
    ),
    "what is bound is an item of a registry": agent(
        'self.log_alpha.data.copy_(payload["log_alpha"])',
        more="""
    def register(self, path):
        self.parts = {}
        self.parts["policy"] = self.policy
        self.parts["loaded"] = torch.load(path)["other"]
        self.optimizer = torch.optim.SGD(self.policy.parameters(), lr=0.1)
""",
    ),
    "what is bound is not what is trained": agent(
        'self.log_alpha.data.copy_(payload["log_alpha"])', 'self.target = payload["policy"]'
    ),
}

FOUND: dict[str, Case] = {
    "a program that loads trains on": agent(
        REPLACED + "  # CKP216", more=PROGRAM.format(first="agent.load(path)", each="agent.learn(batch)")
    ),
    "a loop loads and trains": agent(
        REPLACED + "  # CKP216",
        more=PROGRAM.format(first="pass", each="agent.learn(batch)\n        agent.load(path)"),
    ),
    "construction alone builds the optimizer": REBUILT.format(again="print(1)", mark="  # CKP216"),
    "a scheduler is loaded whole": PICKLED.replace("MARK", "  # CKP216").replace("GIVEN", "pass"),
    "a temperature": agent('self.log_alpha = payload["log_alpha"]  # CKP216'),
    "a temperature that is made trainable again": agent(
        'self.log_alpha = torch.tensor(payload["log_alpha"].item(), requires_grad=True)  # CKP216'
    ),
    "a network of an object that the script loads": script(
        "    agent = Actor()\n" + BUILD + LOAD, "  # CKP216"
    ),
    "tensors in a group with options": agent('self.log_alpha = payload["log_alpha"]  # CKP216').replace(
        "Adam([self.log_alpha])", 'Adam([{"params": [self.log_alpha], "lr": 0.1}])'
    ),
    "the optimizer is built in a method of the constructor, over a network that is a file": """
import torch
from torch import nn


class Trainer:
    def __init__(self, net):
        self.net = net
        self.build()

    def build(self):
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def fit(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            self.net(batch).mean().backward()
            self.optimizer.step()

    def save(self, folder):
        torch.save({"net": self.net, "optimizer": self.optimizer.state_dict()}, folder)

    def load(self, folder):
        state = torch.load(folder)
        self.net = state["net"]  # CKP216
        self.optimizer.load_state_dict(state["optimizer"])
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_no_optimizer_moves(case: Case) -> None:
    check_findings(case)


def test_message_names_both_and_the_remedy() -> None:
    (finding,) = check_findings(FOUND["a temperature"])
    assert "'log_alpha' becomes a new tensor" in finding.message
    assert "'alpha_optimizer'" in finding.message
    assert "copy_()" in finding.message
    assert [each.message for each in finding.related] == ["the optimizer is built here"]
    (finding,) = check_findings(FOUND["a network of an object that the script loads"])
    assert "load_state_dict()" in finding.message
