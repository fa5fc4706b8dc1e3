"""CKP207: what lasts one episode, one life or one call, and pairs of methods that training does not go on from."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

LEARNER = """
import numpy as np
import torch


class Learner:
    def __init__(self, net, envs, size):
        self.net = net
        self.envs = envs
        self.optimizer = torch.optim.Adam(net.parameters())
        self.updates = 0
        {made}

    def save(self, path):{marker}
        torch.save({{
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "updates": self.updates,
        }}, path)

    def load(self, path):
        c = torch.load(path)
        self.net.load_state_dict(c["net"])
        self.optimizer.load_state_dict(c["optimizer"])
        self.updates = c["updates"]

    def train(self, x):
        self.optimizer.step()
        self.updates += 1
        {trained}

    {methods}
"""


def learner(made: str, trained: str, *, is_found: bool = False, methods: str = "") -> str:
    """Return a class that saves and restores its progress, with more state beside it."""
    marker = "  # CKP207" if is_found else ""
    return LEARNER.format(made=made, trained=trained, methods=methods, marker=marker)


HIDDEN = "self.hidden = torch.zeros(size, 8)"
HIDDEN_STEP = "out, hidden = self.net(x, self.hidden)\n        self.hidden = hidden.detach()"
RETURNS = "self.returns = np.zeros(size)"
RETURNS_STEP = "self.returns += x\n        y = self.net(x / self.returns)"
MARK = "self.copies = 0\n        self.last_copy = 0"
MARK_STEP = "self.copies += 1\n        if self.copies - self.last_copy >= 10:\n            self.last_copy = self.copies"
BOOST = "self.boost = 0\n        self.length = 1\n        self.food = 0\n        self.alive = True"
BOOST_STEP = "self.boost += 1\n        if self.boost > 3:\n            self.net(x)"
RESPAWN = (
    "def respawn(self):\n        self.boost = 0\n        self.length = 1\n        self.food = 0\n"
    "        self.alive = True"
)
FOR_USE = """
import torch


class Agent:
    def __init__(self, net):
        self.net = net
        self.optimizer = torch.optim.Adam(net.parameters())
        self.mean = torch.zeros(3)
        self.scale = 1.0

    def observe(self, x):
        self.mean = 0.99 * self.mean + 0.01 * x.mean(0)
        return x - self.mean

    def rewards(self, x):
        self.scale = 0.99 * self.scale + 0.01 * x.std()
        return x / self.scale

    def train(self, x):
        self.optimizer.zero_grad()
        self.net(x).sum().backward()
        self.optimizer.step()

    def save(self, path):{marker}
        torch.save({{"net": self.net.state_dict(), "mean": self.mean{more}}}, path)

    def load(self, path):
        c = torch.load(path)
        self.net.load_state_dict(c["net"])
        self.mean = c["mean"]
        {restored}
"""
RECORDER = """
import torch


class Recorder:
    def __init__(self, dt):
        self.dt = dt
        self.poses = torch.zeros(0)
        self.phase = 0.0

    def step(self, x):
        self.phase += self.dt
        self.poses = torch.cat([self.poses, x])
        return x * self.phase

    def export_{what}(self, path):{marker}
        torch.save({{"poses": self.poses, "dt": self.dt}}, path)

    def import_{what}(self, path):
        data = torch.load(path)
        self.poses = data["poses"]
"""

SILENT: dict[str, Case] = {
    "hidden state that begins again where an episode is over": learner(
        HIDDEN, f"{HIDDEN_STEP}\n        for i in finished(x):\n            self.hidden[i] = 0.0"
    ),
    "hidden state with zeros under a condition": learner(
        HIDDEN,
        f"{HIDDEN_STEP}\n        for i, done in enumerate(x):\n            if done:\n"
        "                self.hidden[i] = torch.zeros(8)",
    ),
    "running return of each environment": learner(
        RETURNS, f"{RETURNS_STEP}\n        if x.done:\n            self.returns[x.index] = 0.0"
    ),
    "observations that a reset gives": learner(
        RETURNS,
        "self.returns = self.net(self.returns)[0].copy()\n        for i in finished(x):\n"
        "            self.returns[i] = self.envs.reset(i)[0]",
    ),
    "count that is compared with its own mark": learner(MARK, MARK_STEP),
    "life that a method of any name starts over": learner(BOOST, BOOST_STEP, methods=RESPAWN),
    "switch that a method puts back": learner(
        "self.level = 1",
        "y = self.net(x * self.level)",
        methods="def probe(self, x):\n        before = self.level\n        self.level = self.level * 2\n"
        "        self.train(x)\n        self.level = before",
    ),
    "export of what was recorded": RECORDER.format(what="recording", marker=""),
    "weights and statistics without the optimizer": FOR_USE.format(marker="", more="", restored=""),
}

FOUND: dict[str, Case] = {
    "array that no element of begins again": learner(RETURNS, RETURNS_STEP, is_found=True),
    "array with elements that are measured": learner(
        RETURNS,
        f"{RETURNS_STEP}\n        for i in range(3):\n            self.returns[i] = x[i]",
        is_found=True,
    ),
    "count beside a mark that something else depends on": learner(
        MARK, f"{MARK_STEP}\n        self.rate = 1 / self.copies", is_found=True
    ),
    "few literals are no new life": learner(
        BOOST,
        BOOST_STEP,
        methods="def grow(self):\n        self.boost = 0\n        self.length = 1",
        is_found=True,
    ),
    "level that a method changes for good": learner(
        "self.level = 1",
        "y = self.net(x * self.level)",
        methods="def probe(self, x):\n        before = self.level\n        self.level = self.level * 2\n"
        "        self.train(before)",
        is_found=True,
    ),
    "export of the state": RECORDER.format(what="state", marker="  # CKP207"),
    "statistics beside the optimizer": FOR_USE.format(
        marker="  # CKP207",
        more=', "optimizer": self.optimizer.state_dict()',
        restored='self.optimizer.load_state_dict(c["optimizer"])',
    ),
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_lasts(case: Case) -> None:
    check_findings(case)
