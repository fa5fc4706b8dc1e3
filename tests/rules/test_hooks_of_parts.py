"""CKP206 and CKP216: a part that takes the whole state, a scheduler that is taken whole."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "a part is taken before": """
class Pair:
    def __init__(self, net, opt):
        self.net = net
        self.opt = opt

    def state_dict(self):
        return {"net": self.net.state_dict(), "opt": self.opt.state_dict()}

    def load_state_dict(self, state):
        if "net" in state:
            self.opt.load_state_dict(state["opt"])
            state = state["net"]
        self.net.load_state_dict(state)
""",
    "subclass calls base with part": """
class Base:
    def state_dict(self):
        return self.net.state_dict()

    def load_state_dict(self, state):
        self.net.load_state_dict(state)

class Pair(Base):
    def __init__(self, net, opt):
        self.net = net
        self.opt = opt

    def state_dict(self):
        return {"net": super().state_dict(), "opt": self.opt.state_dict()}

    def load_state_dict(self, state):
        super().load_state_dict(state["net"])
        self.opt.load_state_dict(state["opt"])
""",
    "the inner object takes all of its own": """
class Outer:
    def __init__(self, inner):
        self.inner = inner
        self.extra = object()

    def state_dict(self):
        state = self.inner.state_dict()
        state["extra"] = 1
        return state

    def load_state_dict(self, state):
        self.inner.load_state_dict(state)
""",
    "optimizer and scheduler whole": """
import torch
class Trainer:
    def __init__(self, net):
        self.net = net
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
        self.sched = torch.optim.lr_scheduler.StepLR(self.opt, 10)

    def fit(self):
        for _ in range(10):
            self.opt.zero_grad()
            self.net(1).backward()
            self.opt.step()
            self.sched.step()

    def save(self, path):
        torch.save({"net": self.net, "opt": self.opt, "sched": self.sched}, path)

    def load(self, path):
        ckpt = torch.load(path)
        self.net = ckpt["net"]
        self.opt = ckpt["opt"]
        self.sched = ckpt["sched"]
""",
    "state dict of the scheduler": """
import torch
class Trainer:
    def __init__(self, net):
        self.net = net
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
        self.sched = torch.optim.lr_scheduler.StepLR(self.opt, 10)

    def fit(self):
        for _ in range(10):
            self.opt.zero_grad()
            self.net(1).backward()
            self.opt.step()
            self.sched.step()

    def save(self, path):
        torch.save({"net": self.net.state_dict(), "opt": self.opt.state_dict(), "sched": self.sched.state_dict()}, path)

    def load(self, path):
        ckpt = torch.load(path)
        self.net.load_state_dict(ckpt["net"])
        self.opt.load_state_dict(ckpt["opt"])
        self.sched.load_state_dict(ckpt["sched"])
""",
    "a schedule without an optimizer": """
class Linear:
    def __init__(self, n):
        self.n = n
        self.i = 0

    def step(self):
        self.i += 1
        return self.i / self.n

class Trainer:
    def __init__(self):
        self.schedule = Linear(10)

    def fit(self):
        self.eps = self.schedule.step()

    def state_dict(self):
        return {"schedule": self.schedule}

    def load_state_dict(self, state):
        self.schedule = state["schedule"]
""",
}

FOUND: dict[str, Case] = {
    "inherited load takes the whole": {
        "base.py": """
class BaseAgent:
    def state_dict(self):
        return self.model.state_dict()

    def load_state_dict(self, state_dict):
        self.model.load_state_dict(state_dict)
""",
        "dqn.py": """
from base import BaseAgent
class DqnAgent(BaseAgent):
    def __init__(self, model, target):
        self.model = model
        self.target = target

    def state_dict(self):  # CKP206
        return dict(model=self.model.state_dict(), target=self.target.state_dict())
""",
    },
    "own load takes the whole": """
class Pair:
    def __init__(self, net, opt):
        self.net = net
        self.opt = opt

    def optim_state_dict(self):  # CKP206
        state = {}
        state["net"] = self.net.state_dict()
        state["opt"] = self.opt.state_dict()
        return state

    def load_optim_state_dict(self, state):
        self.opt.load_state_dict(state)
""",
    "property pair": """
from torch.optim.lr_scheduler import ReduceLROnPlateau
class Hook:
    def __init__(self, optimizer):
        self.scheduler = ReduceLROnPlateau(optimizer)

    @property
    def state_dict(self):
        return {"scheduler": self.scheduler}

    @state_dict.setter
    def state_dict(self, state_dict):
        self.scheduler = state_dict["scheduler"]  # CKP216

    def on_validation_end(self, loss):
        self.scheduler.step(loss)
""",
    "a trainer with files": """
import torch
class Trainer:
    def __init__(self, net):
        self.net = net
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.1)
        self.sched = torch.optim.lr_scheduler.StepLR(self.opt, 10)

    def fit(self):
        for _ in range(10):
            self.opt.zero_grad()
            self.net(1).backward()
            self.opt.step()
            self.sched.step()

    def save(self, path):
        torch.save({"net": self.net.state_dict(), "opt": self.opt.state_dict(), "sched": self.sched}, path)

    def load(self, path):
        ckpt = torch.load(path)
        self.net.load_state_dict(ckpt["net"])
        self.opt.load_state_dict(ckpt["opt"])
        self.sched = ckpt["sched"]  # CKP216
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_torn_parts(case: Case) -> None:
    check_findings(case)
