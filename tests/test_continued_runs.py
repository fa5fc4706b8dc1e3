"""CKP204 where weights alone go on: what counts as a program that trains on with what it saves."""

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
        self.policy = nn.Linear(4, 2)
        self.optimizer = torch.optim.Adam(self.policy.parameters())
        self.epsilon = 1.0

    def act(self, obs):
        return 0 if torch.rand(1).item() < self.epsilon else self.policy(obs).argmax()

    def learn(self, batch):
        self.optimizer.zero_grad()
        self.policy(batch).sum().backward()
        self.optimizer.step()
        self.epsilon = max(0.05, self.epsilon * 0.99)

    def save(self, path):
        torch.save(self.policy.state_dict(), path)

    def load(self, path):
        self.policy.load_state_dict(torch.load(path))
"""
MARKED = AGENT.replace("state_dict(), path)", "state_dict(), path)  # CKP204 CKP204")
RUN = """
from agent import Agent


def main(args, batches):
    agent = Agent()
    if args.checkpoint:
        agent.load(args.checkpoint)
    for number, batch in enumerate(batches):
        agent.learn(batch)
        agent.save(f"{args.folder}/agent_{number}.pt")
"""
RUNNING = """    def run(self, batches):
        for batch in batches:
            self.learn(batch)
        self.save("agent.pt")

"""
SCRIPT = """
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR


def main(args, batches):
    model = nn.Linear(4, 2)
    if args.reload:
        model.load_state_dict(torch.load(f"{args.folder}/{args.number}.pt"))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = CosineAnnealingLR(optimizer, 100, last_epoch=-1)
    for epoch in range(args.first, 100):
        for batch in batches:
            optimizer.zero_grad()
            model(batch).sum().backward()
            optimizer.step()
        scheduler.step()
        torch.save(model.state_dict(), f"{args.folder}/{epoch}.pt")
"""
EXPLORATION = """
import torch
from torch import nn


def main(args, env, steps):
    net = nn.Linear(4, 2)
    optimizer = torch.optim.Adam(net.parameters())
    eps = 1.0
    if args.resume:
        state = torch.load(args.resume)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
    for step in range(steps):
        action = 0 if torch.rand(1).item() < eps else net(env.obs).argmax()
        optimizer.zero_grad()
        net(env.step(action)).sum().backward()
        optimizer.step()
        eps = max(0.05, eps * 0.99)
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, args.path)
"""
HELD = """
import torch
from torch import nn


class Curiosity(nn.Module):
    def __init__(self):
        super().__init__()
        self.target = nn.Linear(4, 4)
        self.steps = 0
        self.weight = 1.0

    def bonus(self, obs):
        self.steps += 1
        self.weight = 0.99 ** self.steps
        return self.weight * (self.target(obs) - obs).norm()


class Agent:
    def __init__(self):
        self.policy = nn.Linear(4, 2)
        self.optimizer = torch.optim.Adam(self.policy.parameters())
        self.curiosity = Curiosity()

    def learn(self, batches):
        for obs in batches:
            self.optimizer.zero_grad()
            (self.policy(obs).sum() * self.curiosity.bonus(obs)).backward()
            self.optimizer.step()

    def save(self, path):
        state = {"policy": self.policy.state_dict(), "curiosity": self.curiosity.state_dict()}
        state["optimizer"] = self.optimizer.state_dict()
        torch.save(state, path)

    def load(self, path):
        state = torch.load(path)
        self.policy.load_state_dict(state["policy"])
        self.curiosity.load_state_dict(state["curiosity"])
        self.optimizer.load_state_dict(state["optimizer"])
"""

SILENT: dict[str, Case] = {
    "a counter of a held object that a load sets": HELD + "        self.curiosity.steps = len(state)\n",
    "a counter of a held object that each episode begins anew": HELD.replace(
        "    def bonus", "    def reset(self):\n        self.steps = 0\n\n    def bonus"
    ),
    "the program only plays after the load": {
        "agent.py": AGENT,
        "play.py": """
from agent import Agent


def main(args, observations):
    agent = Agent()
    agent.load(args.checkpoint)
    return [agent.act(each) for each in observations]
""",
        "train.py": RUN.replace("    if args.checkpoint:\n        agent.load(args.checkpoint)\n", ""),
    },
    "the weights are those of another training": {
        "agent.py": AGENT,
        "train.py": RUN.replace("checkpoint", "pretrained"),
    },
    "a key of the configuration says that they are": SCRIPT.replace(
        'f"{args.folder}/{args.number}.pt"', 'args.config["fine_tune_from"]'
    ),
    "the best weights of the run itself come back at its end": SCRIPT.replace(
        '    if args.reload:\n        model.load_state_dict(torch.load(f"{args.folder}/{args.number}.pt"))\n',
        "",
    )
    + '    model.load_state_dict(torch.load(f"{args.folder}/{args.number}.pt"))\n    return model\n',
    "what is loaded and saved again is no part of what is trained": """
import torch
from torch import nn


def main(args, batches):
    environment, policy = nn.Linear(4, 4), nn.Linear(4, 2)
    environment.load_state_dict(torch.load(args.environment))
    optimizer = torch.optim.Adam(policy.parameters())
    for number, batch in enumerate(batches):
        optimizer.zero_grad()
        policy(environment(batch)).sum().backward()
        optimizer.step()
        torch.save(environment.state_dict(), f"environment_{number}.pt")
        torch.save(policy.state_dict(), f"policy_{number}.pt")
""",
    "one function makes an agent to train, and another one to evaluate": {
        "agent.py": AGENT,
        "run.py": """
from agent import Agent


def evaluate(path, observations):
    agent = Agent()
    agent.load(path)
    return [agent.act(each) for each in observations]


def train(batches, path):
    agent = Agent()
    for batch in batches:
        agent.learn(batch)
    agent.save(path)


def main(args, batches):
    if args.evaluate:
        evaluate(args.path, batches)
    else:
        train(batches, args.path)
""",
    },
    "the rate of exploration is computed from what is restored": EXPLORATION.replace(
        "    for step in range(steps):\n",
        '    first = state["step"] if args.resume else 0\n    for step in range(first, steps):\n',
    )
    .replace("        eps = max(0.05, eps * 0.99)\n", "        eps = max(0.05, 1.0 - step / 1000)\n")
    .replace('"optimizer": optimizer', '"step": step, "optimizer": optimizer'),
    "the rate of exploration is set from outside": EXPLORATION.replace(
        "    for step in range(steps):\n",
        "    if args.resume:\n        eps = args.eps\n    for step in range(steps):\n",
    ),
    "the rate of exploration is only shown": EXPLORATION.replace(
        "0 if torch.rand(1).item() < eps else net(env.obs).argmax()", "net(env.obs).argmax()"
    ).replace("optimizer.step()\n", 'optimizer.step()\n        print(f"{eps:.2f}")\n'),
}

FOUND: dict[str, Case] = {
    "a held object weighs by what it counts": HELD.replace("(state, path)", "(state, path)  # CKP204"),
    "an agent that goes on with weights alone": {"agent.py": MARKED, "train.py": RUN},
    "a script that goes on with weights alone": SCRIPT.replace(
        '{epoch}.pt")', '{epoch}.pt")  # CKP204 CKP204'
    ),
    "the agent saves, the script loads": {
        "agent.py": MARKED.replace("    def load", RUNNING + "    def restore"),
        "train.py": """
import torch
from agent import Agent


def main(args, batches):
    agent = Agent()
    if args.model != "":
        agent.policy.load_state_dict(torch.load(args.model))
    agent.run(batches)
""",
    },
    "a rate of exploration that a script carries": EXPLORATION.replace(
        "args.path)\n", "args.path)  # CKP204\n"
    ),
    "objects that accelerate has registered and nobody saves": """
import torch
from accelerate import Accelerator
from torch import nn
from torch.optim.lr_scheduler import StepLR


class Trainer:
    def __init__(self, net):
        self.accelerator = Accelerator()
        self.optimizer = torch.optim.Adam(net.parameters())
        self.scheduler = StepLR(self.optimizer, 10)
        self.net, self.optimizer = self.accelerator.prepare(net, self.optimizer)
        self.accelerator.register_for_checkpointing(self.scheduler)

    def train(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            self.accelerator.backward(self.net(batch).sum())
            self.optimizer.step()
            self.scheduler.step()

    def save(self, path):
        state = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(state, path)  # CKP204

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
""",
    "a file of the years in which `async` was a name": SCRIPT.replace(
        "model(batch)", "model(batch.cuda(async=True))"
    ).replace('{epoch}.pt")', '{epoch}.pt")  # CKP204 CKP204'),
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_starts_over(case: Case) -> None:
    check_findings(case)
