"""What only looks like a loss: a second way, another object, another format, another form; and its real neighbours."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

KEYS = """import torch


class Keeper:
    def __init__(self, parts):
        self.parts = parts

    def save(self, path):
        states = {name: each.state_dict() for name, each in self.parts.items()}
        torch.save({"model": self.net.state_dict(), "parts": states}, path)

    def load(self, path):
        state = torch.load(path)
        LOAD
"""
BOTH = """self.net.load_state_dict(state["model"])
        for name in self.parts:
            if name in state["parts"]:
                self.parts[name].load_state_dict(state["parts"].pop(name))
            if "tools" in state and name in state["tools"]:
                self.parts[name].load_state_dict(state["tools"].pop(name))"""
TRIED = """try:
            self.net.load_state_dict(state["net"])
        except KeyError:
            self.net.load_state_dict(state["model"])"""
ELSE = """if "net" in state and state["net"] is not None:
            self.net.load_state_dict(state["net"])
        elif "model" in state:
            self.net.load_state_dict(state["model"])"""
TWO_FORMATS = """import torch
from torch import nn


def main(args, net, head):
    optimizer = torch.optim.Adam(net.parameters())
    torch.save({FIRST}, args.folder + "/first.pt")
    state = torch.load(args.resume)
    start = state["epoch"]
    net.load_state_dict(state["weights"])
    optimizer.load_state_dict(state["optimizer"])
    for epoch in range(start, args.epochs):
        optimizer.zero_grad()
        head(net(torch.ones(2))).sum().backward()
        optimizer.step()
        torch.save(
            {"epoch": epoch, "weights": net.state_dict(), "optimizer": optimizer.state_dict()},
            args.folder + str(epoch),
        )


if __name__ == "__main__":
    main(None, nn.Linear(2, 2), nn.Linear(2, 1))
"""
REUSED = """import torch
from agents import Player, Setter


def main(path, env):
    agent = Setter(env)
    agent.net.load_state_dict(torch.load(path))
    print(agent.board())
    agent = NEXT(env)
    agent.play()
"""
AGENTS = """from torch import nn


class Setter:
    def __init__(self, env):
        self.net = nn.Linear(2, 2)

    def board(self):
        return self.net

    def play(self):
        return self.net


class Player:
    def __init__(self, env):
        self.net = nn.Linear(2, 2)

    def play(self):
        return self.net
"""
SCALED = """import torch
from torch import nn


class Trainer:
    def __init__(self, config):
        self.net = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.net.parameters())
        self.half = FLAG
        self.scaler = torch.cuda.amp.GradScaler(enabled=ON)

    def train(self, batches):
        for batch in batches:
            self.scaler.scale(self.net(batch).sum()).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
            self.optimizer.zero_grad()

    def save(self, path):
        torch.save({"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}, path)MARK

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
"""


def scaled(flag: str, enabled: str = "self.half", mark: str = "") -> str:
    """Return a trainer with a scaler that a flag switches on."""
    return SCALED.replace("FLAG", flag).replace("ON", enabled).replace("MARK", mark)


FUSED = (
    TORCH
    + """
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(2, 2, 3, padding=1)

    def forward(self, x):
        CALL
        return self.conv(x) if hasattr(self, "conv") else self.one(x)

    def METHOD(self):
        if not hasattr(self, "conv"):
            self.conv = nn.Conv2d(2, 2, 3, padding=1)MARK
        self.conv.weight.data = self.one.weight
"""
)


def fused(method: str, call: str = "pass", mark: str = "") -> str:
    """Return a module with a method that registers another form of it."""
    return FUSED.replace("METHOD", method).replace("CALL", call).replace("MARK", mark)


WINDOW = (
    TORCH
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.window = torch.ones(3)MARK
        self.mask = torch.ones(3)

    def make(self, x):
        return torch.ones(x.shape), torch.zeros(x.shape)

    def forward(self, x):
        if self.training:
            window, mask = self.make(x)
        else:
            window, mask = self.window, self.mask
        BODY
        return x * window + mask


def weighed(x, window, n, **options) -> [torch.Tensor, torch.Tensor]:
    MOVED
    return x * window, n
"""
)


def window(body: str, moved: str = "", mark: str = "") -> str:
    """Return a module that uses a constant with its input."""
    return WINDOW.replace("BODY", body).replace("MOVED", moved or "pass").replace("MARK", mark)


TAKEN = "window, mask = window.to(x.device), mask.to(x.device)"
ONCE = """import torch
from torch import nn


class Base:
    def __init__(self):
        self.net = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.net.parameters())
        self.steps = 0
        self.scale = 1.0

    def save(self, path):MARK
        state = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "steps": int(self.steps)MORE}
        torch.save(state, path)

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps = state["steps"]


class Scaled(Base):
    def train(self, batch):
        self.steps += 1
        error = self.net(batch).sum()
        if TEST:
            self.scale = 1 / error.detach().mean()
        (error * self.scale).backward()
        self.optimizer.step()
"""


def once(test: str, more: str = "", mark: str = "") -> str:
    """Return a class that measures a scale where a test says so."""
    return ONCE.replace("TEST", test).replace("MORE", more).replace("MARK", mark)


LOOP = """import torch
from torch import nn


class Trainer:
    def __init__(self, epochs, resume=None):
        self.net = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.net.parameters())
        self.epochs = epochs
        self.epoch = 0
        if resume:
            self.load(resume)

    def train(self):
        for self.epoch in COUNT:MARK
            self.net(torch.ones(2)).sum().backward()
            self.optimizer.step()
            for group in self.optimizer.param_groups:
                group["lr"] = 0.1**self.epoch

    def save(self, path):
        state = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "epoch": self.epoch}
        torch.save(state, path)

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch = state["epoch"]
"""
COUNTED = """import torch
from torch import nn


def main(args):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters())
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    if args.resume:
        state = torch.load(args.resume)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
    for epoch in RANGE:
        optimizer.zero_grad()
        net(torch.ones(2)).sum().backward()
        optimizer.step()
        scheduler.step(epoch)
        state = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch + 1}
        torch.save(state, f"{epoch}.pt")MARK


if __name__ == "__main__":
    main(None)
"""
LOOKED_AT = """import torch
from torch import nn


def train(net, batches, path):
    optimizer = torch.optim.Adam(net.parameters())
    best = -1.0MARK
    for epoch, batch in enumerate(batches):
        optimizer.zero_grad()
        loss = net(batch).sum()
        loss.backward()
        optimizer.step()
        if -loss > best:
            best = -loss
            torch.save({"net": net.state_dict(), "tool": optimizer.state_dict(), "epoch": epoch}, path)MORE
    return path


def run(net, batches, path):
    FIRST
    state = torch.load(path)
    net.load_state_dict(state["net"])
    begin = state["epoch"]
    LAST
    print(begin, net(torch.ones(2)))
"""
RUNNERS = """import torch
from torch import nn


class Big:
    def __init__(self):
        self.net = nn.Linear(2, 1)
        self.tool = torch.optim.Adam(self.net.parameters())
        self.other = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def learn(self):
        self.net(torch.ones(2)).sum().backward()
        self.tool.step()
        self.other.step()

    def save(self, path):
        state = {
            "net": self.net.state_dict(),
            "tool": self.tool.state_dict(),
            "other": self.other.state_dict(),
        }
        torch.save(state, path)MARK

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.tool.load_state_dict(state["tool"])


class Small:
    def __init__(self):
        self.model = nn.Linear(2, 1)
        self.tool = torch.optim.Adam(self.model.parameters())

    def learn(self):
        self.model(torch.ones(2)).sum().backward()
        self.tool.step()

    def save(self, path):
        torch.save({"model": self.model.state_dict(), "tool": self.tool.state_dict()}, path)

    def load(self, path):
        state = torch.load(path)
        self.model.load_state_dict(state["model"])
        self.tool.load_state_dict(state["tool"])


def main(args):
    if args.big:
        runner = Big()
    else:
        runner = Small()
    if args.resume:
        runner.load(args.path)
    runner.learn()
    runner.save(args.path)


if __name__ == "__main__":
    main(None)
"""

SILENT: dict[str, Case] = {
    "one object is restored from another key, too": KEYS.replace("LOAD", BOTH),
    "a key is tried, and then the one that is saved": KEYS.replace("LOAD", TRIED),
    "a key that is asked for before the one that is saved": KEYS.replace("LOAD", ELSE),
    "a file without the keys that load needs": TWO_FORMATS.replace(
        "FIRST", '"net": net.state_dict(), "head": head.state_dict()'
    ),
    "a local is used for an object of another class": {
        "main.py": REUSED.replace("NEXT", "Player"),
        "agents.py": AGENTS,
    },
    "a scaler that a constant switches off": scaled("False"),
    "a scaler that is made switched off": scaled("True", "False"),
    "another form for export": fused("convert_to_deploy"),
    "layers that are fused": fused("fuse_layers"),
    "a constant is moved after two branches": window(TAKEN),
    "a helper moves a constant": window(
        "window = mask = 1\n        x = weighed(x, self.window, 2, **{})[0]",
        "window = window.to(x.device, dtype=x.dtype)",
    ),
    "a value is measured again and again": once("self.steps % 10 == 0"),
    "a value is measured from some step on": once("self.steps > 10"),
    "a value that is measured once is saved": once("self.steps == 1", ', "scale": self.scale'),
    "a loop goes on where training was": LOOP.replace("COUNT", "range(self.epoch, self.epochs)").replace(
        "MARK", ""
    ),
    "the best is loaded to look at it once more": LOOKED_AT.replace(
        "FIRST", "path = train(net, batches, path)"
    )
    .replace("LAST", "pass")
    .replace("MARK", "")
    .replace("MORE", ""),
    "a setting says where a loop begins": COUNTED.replace(
        "RANGE", "range(args.start_epoch, args.epochs)"
    ).replace("MARK", ""),
    "a loop over something else": LOOP.replace("COUNT", "self.schedule()").replace("MARK", ""),
}
FOUND: dict[str, Case] = {
    "the flag of another object switches it": scaled("False", "config.half", "  # CKP204"),
    "runners of two classes save what they need": RUNNERS.replace("MARK", "  # CKP203"),
    "a local is used for an object of the same class": {
        "main.py": REUSED.replace("NEXT(env)", "Setter(env)  # CKP205"),
        "agents.py": AGENTS,
    },
    "a scaler that is on": scaled("True", mark="  # CKP204"),
    "a scaler that a setting switches on": scaled("config.half", mark="  # CKP204"),
    "a layer that a step registers": fused("_build", "self._build()", "  # CKP108"),
    "one of two branches meets the input first": window(
        f"x = x * window\n        {TAKEN}", mark="  # CKP102"
    ),
    "a helper leaves a constant where it is": window(
        "window = mask = 1\n        x = weighed(x, self.window, 2, **{})[0]", mark="  # CKP102"
    ),
    "a value is measured once": once("self.steps == 1", mark="  # CKP207"),
    "the best is loaded to train on": LOOKED_AT.replace("FIRST", "pass")
    .replace("LAST", "train(net, batches, path)")
    .replace("MARK", "  # CKP218")
    .replace("MORE", "  # CKP203"),
    "a setting says where a loop ends": COUNTED.replace("RANGE", "range(0, args.epochs)").replace(
        "MARK", "  # CKP203"
    ),
    "a loop counts from the beginning": LOOP.replace("COUNT", "range(self.epochs)").replace(
        "MARK", "  # CKP205"
    ),
    "a loop that shows how far it is": "from tqdm import tqdm\n"
    + LOOP.replace("COUNT", "tqdm(range(0, self.epochs))").replace("MARK", "  # CKP205"),
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_is_lost(case: Case) -> None:
    check_findings(case)
