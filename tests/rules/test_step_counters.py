"""CKP204: counters that drive a schedule, and that a resumed run starts at zero again."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent


def program(
    start: str = "step = 0",
    count: str = "step += 1",
    use: str = "adjust_learning_rate(optimizer, step)",
    restore: str = "",
    before: str = "",
    payload: str = "",
    mark: str = "",
) -> str:
    """Return a script that resumes, and whose loop counts its steps."""
    return f"""
import torch
from torch import nn


def main(path, epochs, batches, warmup_steps, writer):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    {start}
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    first = state["epoch"]
    {restore}
    for epoch in range(first, epochs):
        {before}
        for batch in batches:
            {use}
            optimizer.zero_grad()
            net(batch).mean().backward()
            optimizer.step()
            {count}
        payload = {{"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch{payload}}}
        torch.save(payload, path){mark}


if __name__ == "__main__":
    main("run.pt", 10, [], 100, None)
"""


MARK = "  # CKP204"
SHARED = """
import torch
from torch import nn

net = nn.Linear(2, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
step = 0


def resume(path):
    GLOBAL
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    REST


def train(batches, path):
    global step
    for batch in batches:
        optimizer.zero_grad()
        net(batch).mean().backward()
        optimizer.step()
        step += 1
        if step < 100:
            optimizer.param_groups[0]["lr"] = 0.1 * step / 100
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()SAVED}, path)


resume("run.pt")
for epoch in range(10):
    train([], "run.pt")MARK
"""


def shared(inner: str = "", rest: str = "", saved: str = "", mark: str = "") -> str:
    """Return a script whose counter is a variable of its module."""
    filled = SHARED.replace("GLOBAL", inner).replace("REST", rest)
    return filled.replace("SAVED", saved).replace("MARK", mark)


SILENT: dict[str, Case] = {
    "the counter is restored": program(restore='step = state["step"]', payload=', "step": step'),
    "the counter follows from the epoch": program(restore="step = first * len(batches)"),
    "the loop runs through what was done": program(restore="step += first * len(batches)"),
    "each epoch counts from zero": program(start="", before="step = 0"),
    "the counter is only told": program(use='writer.add_scalar("lr", 0.1, step)'),
    "the counter is only told, in a text with the rate": program(use='print(f"lr {step}")'),
    "a text is made of the counter": program(use='lr_text = f"{step}"'),
    "the counter decides how often something is told": program(use="warmup = step % 100"),
    "the counter limits the run": program(use="if step >= epochs:\n                break"),
    "a counter that something else changes": program(before="step = len(batches) * epoch"),
    "the counter begins with a number of a log": program(start="step = len(batches)"),
    "nothing counts": program(count="pass"),
    "the count goes down": program(count="step -= 1"),
    "another function restores the counter of the module": shared(
        "global step", 'step = state["step"]', ', "step": step'
    ),
    "nothing resumes": """
import torch
from torch import nn


def main(path, batches):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    step = 0
    for batch in batches:
        adjust_learning_rate(optimizer, step)
        optimizer.zero_grad()
        net(batch).mean().backward()
        optimizer.step()
        step += 1
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)
""",
    "a helper that is called for each epoch counts its batches": """
import torch
from torch import nn


def run_epoch(net, optimizer, batches, path):
    step = 0
    for batch in batches:
        adjust_learning_rate(optimizer, step)
        optimizer.zero_grad()
        net(batch).mean().backward()
        optimizer.step()
        step += 1
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)


def main(path, batches):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    for epoch in range(10):
        run_epoch(net, optimizer, batches, path)
""",
}

FOUND: dict[str, Case] = {
    "a function sets the rate": program(mark=MARK),
    "a sum counts": program(count="step = step + 1", mark=MARK),
    "the rate of a group": program(use='optimizer.param_groups[0]["lr"] = 0.1 / (step + 1)', mark=MARK),
    "a weight of the loss": program(use="kl_weight = min(1.0, step / 1000)", mark=MARK),
    "an exploration rate": program(use="eps: float = max(0.1, 1 - step / 1e5)", mark=MARK),
    "a comparison with the steps of the warm-up": program(
        use="if warmup_steps > step:\n                net.eval()", mark=MARK
    ),
    "a scheduler is told the step": program(use="scheduler.step(step)", mark=MARK),
    "a variable of the module": shared(mark=MARK),
    "a local of a method": """
import torch
from torch import nn


class Trainer:
    def __init__(self, net):
        self.net = net
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def fit(self, batches, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        updates = 0
        for batch in batches:
            self.beta = anneal(updates)
            self.optimizer.zero_grad()
            self.net(batch).mean().backward()
            self.optimizer.step()
            updates += 1
            self.save(path)  # CKP204

    def save(self, path):
        torch.save({"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}, path)
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_counters(case: Case) -> None:
    check_findings(case)
