"""CKP205: load hooks that are run too early, or run what starts over."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "restored after it is made": """
import torch
class Sac:
    def __init__(self, net, head, initial=None):
        self.net = net
        self.head = head
        self.opt = torch.optim.Adam(self.net.parameters())
        self.head_opt = torch.optim.Adam(self.head.parameters())
        if initial is not None:
            self.load_optim_state(initial)

    def optim_state(self):
        return {"opt": self.opt.state_dict(), "head": self.head_opt.state_dict()}

    def load_optim_state(self, state):
        self.opt.load_state_dict(state["opt"])
        self.head_opt.load_state_dict(state["head"])
""",
    "whichever way it begins": """
import torch
class Sac:
    def __init__(self, net, initial=None):
        self.net = net
        if initial is not None:
            self.opt = torch.optim.Adam(self.net.parameters())
            self.load_optim_state(initial)
        else:
            self.opt = torch.optim.Adam(self.net.parameters())

    def optim_state(self):
        return {"opt": self.opt.state_dict()}

    def load_optim_state(self, state):
        self.opt.load_state_dict(state["opt"])
""",
    "the order is right": """
class Trainer:
    def __init__(self, opt):
        self.opt = opt
        self.steps = 0
        self.phase = ""

    def begin_phase(self, name):
        self.phase = name
        self.steps = 0

    def step(self):
        self.steps += 1
        if self.steps > 10:
            self.begin_phase("late")

    def state_dict(self):
        return {"steps": self.steps, "phase": self.phase, "opt": self.opt.state_dict()}

    def load_state_dict(self, state):
        self.opt.load_state_dict(state["opt"])
        if state.get("phase"):
            self.begin_phase(state["phase"])
        self.steps = state["steps"]
""",
    "asked for by the caller": """
class Trainer:
    def __init__(self, opt):
        self.opt = opt
        self.steps = 0

    def restart(self):
        self.steps = 0

    def step(self):
        self.steps += 1

    def done(self):
        return self.steps > 10

    def state_dict(self):
        return {"steps": self.steps, "opt": self.opt.state_dict()}

    def load_state_dict(self, state, finetune=False):
        self.opt.load_state_dict(state["opt"])
        self.steps = state["steps"]
        if finetune:
            self.restart()
""",
    "an old version has no count": """
class Trainer:
    def __init__(self, opt):
        self.opt = opt
        self.steps = 0

    def restart(self):
        self.steps = 0

    def step(self):
        self.steps += 1

    def done(self):
        return self.steps > 10

    def state_dict(self):
        return {"steps": self.steps, "opt": self.opt.state_dict(), "done": self.steps > 9}

    def load_state_dict(self, state):
        self.opt.load_state_dict(state["opt"])
        self.steps = state["steps"]
        if state["done"]:
            self.restart()
""",
}

FOUND: dict[str, Case] = {
    "restored before it is made": """
import torch
class Sac:
    def __init__(self, net, head, initial=None):
        self.net = net
        self.head = head
        self.initial = initial

    def prepare(self):
        self.opt = torch.optim.Adam(self.net.parameters())
        if self.initial is not None:
            self.load_optim_state(self.initial)
        self.head_opt = torch.optim.Adam(self.head.parameters())  # CKP205

    def optim_state(self):
        return {"opt": self.opt.state_dict(), "head": self.head_opt.state_dict()}

    def load_optim_state(self, state):
        self.opt.load_state_dict(state["opt"])
        self.head_opt.load_state_dict(state["head"])
""",
    "a helper zeroes a field of what was restored": """
import torch
from torch import nn
class Progress:
    def __init__(self):
        self.total = 0
        self.done = 0
        self.stage = 0

    def to_dict(self):
        return {"total": self.total, "done": self.done, "stage": self.stage}

    @classmethod
    def from_dict(cls, data):
        out = cls()
        out.total = data["total"]
        out.done = data["done"]
        out.stage = data["stage"]
        return out

class Slot(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
        self.state = None
        self.schedule = None

    def start(self, total):
        if self.state:
            self.state.total = total
            self.state.done = 0
        self.schedule = Schedule(total)

    def step(self):
        if self.state is not None:
            self.state.done += 1
            return self.state.done >= self.state.total

    def get_extra_state(self):
        out = {}
        if self.state is not None:
            out["progress"] = self.state.to_dict()
        if self.schedule is not None:
            out["schedule"] = {"kind": self.schedule.kind, "total": self.schedule.total, "at": self.schedule.at}
        else:
            out["schedule"] = None
        return out

    def set_extra_state(self, state):
        if state.get("progress"):
            self.state = Progress.from_dict(state["progress"])
        if state.get("schedule"):
            config = state["schedule"]
            if config.get("kind") and self.state and self.state.stage == 2:
                self.start(total=config.get("total", 10))  # CKP205
                self.schedule.at = config.get("at", 0)
""",
    "a helper zeroes what was restored, under a key": """
class Trainer:
    def __init__(self, opt):
        self.opt = opt
        self.steps = 0
        self.phase = ""

    def begin_phase(self, name):
        self.phase = name
        self.steps = 0

    def step(self):
        self.steps += 1
        if self.steps > 10:
            self.begin_phase("late")

    def state_dict(self):
        return {"steps": self.steps, "phase": self.phase, "opt": self.opt.state_dict()}

    def load_state_dict(self, state):
        self.opt.load_state_dict(state["opt"])
        self.steps = state["steps"]
        if "phase" in state:
            self.begin_phase(state["phase"])  # CKP205
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_resets(case: Case) -> None:
    check_findings(case)
