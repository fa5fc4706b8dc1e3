"""CKP218: a metric decides which checkpoint is the best, and a resumed run starts it again."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent


def script(
    start: str = "best = 0.0",
    better: str = "if accuracy > best:\n            best = accuracy\n            torch.save(payload, 'best.pt')",
    restore: str = "",
    payload: str = "",
    mark: str = "",
) -> str:
    """Return a script that resumes, trains, evaluates and saves."""
    return f"""
import torch
from torch import nn


def main(path, resume, epochs, batches, evaluate):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    first = 0
    {start}{mark}
    if resume:
        state = torch.load(path)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["epoch"]
        {restore}
    for epoch in range(first, epochs):
        for batch in batches:
            optimizer.zero_grad()
            net(batch).mean().backward()
            optimizer.step()
        accuracy = evaluate(net)
        payload = {{"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch{payload}}}
        {better}
        torch.save(payload, path)
"""


TRAINER = """
import torch
from torch import nn


class Trainer:
    def __init__(self):
        self.net = nn.Linear(2, 1)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)
        self.epoch = 0
        self.best_loss = float("inf")MARK

    def fit(self, batches, folder):
        for batch in batches:
            self.optimizer.zero_grad()
            loss = self.net(batch).mean()
            loss.backward()
            self.optimizer.step()
            self.epoch += 1
            if loss.item() < self.best_loss:
                self.best_loss = loss.item()
                self.save(folder + "/best.pt")
        self.save(folder + "/last.pt")

    def save(self, path):
        payload = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "epoch": self.epochMORE}
        torch.save(payload, path)

    def load(self, path):
        payload = torch.load(path)
        self.net.load_state_dict(payload["net"])
        self.optimizer.load_state_dict(payload["optimizer"])
        self.epoch = payload["epoch"]REST


def main(batches, folder, resume):
    trainer = Trainer()
    if resume:
        trainer.load(folder + "/last.pt")
    trainer.fit(batches, folder)
"""


def trainer(mark: str = "", more: str = "", rest: str = "") -> str:
    """Return a trainer that keeps its best loss; `more` is what it saves beside, `rest` what it restores."""
    return TRAINER.replace("MARK", mark).replace("MORE", more).replace("REST", rest)


FLAG = """is_best = accuracy > best
        best = max(best, accuracy)
        if is_best:
            shutil.copyfile(path, "best.pt")"""

GLOBALS = """
import torch
from torch import nn

net = nn.Linear(2, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
best = NoneMARK


def resume(path):
    GLOBALstate = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    REST


def train(batches, evaluate, path):
    global best
    for batch in batches:
        optimizer.zero_grad()
        net(batch).mean().backward()
        optimizer.step()
    loss = evaluate(net)
    if best is None or loss < best:
        best = loss
        torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()SAVED}, path)


resume("run.pt")
for epoch in range(10):
    train([], print, "run.pt")
"""


def shared(mark: str = "", rest: str = "") -> str:
    """Return a script whose best loss is a variable of its module; `rest` is what `resume` does with it."""
    outer = "global best\n    " if rest else ""
    saved = ', "best": best' if rest else ""
    return (
        GLOBALS.replace("SAVED", saved).replace("MARK", mark).replace("GLOBAL", outer).replace("REST", rest)
    )


SILENT: dict[str, Case] = {
    "another function restores the variable of the module": shared(rest='best = state["best"]'),
    "the metric is restored": script(restore='best = state["best"]', payload=', "best": best'),
    "the metric is restored where the checkpoint has it": script(
        restore='best = state.get("best", 0.0)', payload=', "best": best'
    ),
    "the metric is computed again before the first epoch": script(restore="best = evaluate(net)"),
    "the metric comes with others from a helper": script(restore="best, first = read_log(path)"),
    "the attribute is restored": trainer(
        more=', "best_loss": self.best_loss', rest='\n        self.best_loss = payload["best_loss"]'
    ),
    "the comparison decides a print": script(better="if accuracy > best:\n            best = accuracy"),
    "a threshold that nothing moves": script(
        better="if accuracy > best:\n            torch.save(payload, 'good.pt')"
    ),
    "a count that is compared": script(
        start="calls = 0",
        better="calls += 1\n        if calls > epochs:\n            torch.save(payload, path)\n            calls = 0",
    ),
    "each fold has a best of its own": """
import torch
from torch import nn


def main(path, folds, evaluate):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    for fold in folds:
        best = 0.0
        for batch in fold:
            optimizer.zero_grad()
            net(batch).mean().backward()
            optimizer.step()
            accuracy = evaluate(net)
            if accuracy > best:
                best = accuracy
                torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)
""",
    "nothing resumes": """
import torch
from torch import nn


def main(path, epochs, batches, evaluate):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    best = 0.0
    for batch in batches:
        optimizer.zero_grad()
        net(batch).mean().backward()
        optimizer.step()
        accuracy = evaluate(net)
        if accuracy > best:
            best = accuracy
            torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)
""",
    "a number for each class, and another is kept": "import numpy as np\n"
    + script(
        start="best, other = np.zeros(3), evaluate(None)",
        better="if accuracy.mean() >= best.mean():\n            best = other\n"
        "            torch.save(payload, 'best.pt')",
    ),
    "one mean and one sum": "import numpy as np\n"
    + script(
        start="best = np.zeros(3)",
        better="if accuracy.sum() >= best.mean():\n            best = accuracy\n"
        "            torch.save(payload, 'best.pt')",
    ),
}

FOUND: dict[str, Case] = {
    "a local": script(mark="  # CKP218"),
    "a variable of the module": shared("  # CKP218"),
    "a loss that begins with infinity, among others": script(
        start="count, lowest = 0, float('inf')",
        better="if epoch and accuracy < lowest:\n            lowest = accuracy\n            torch.save(payload, path)",
        mark="  # CKP218",
    ),
    "a flag decides a copy": "import shutil\n" + script(better=FLAG, mark="  # CKP218"),
    "a flag is given to the function that saves": """
import shutil

import torch
from torch import nn


def write(payload, is_best, path):
    torch.save(payload, path)
    if is_best:
        shutil.copyfile(path, "best.pt")


def main(path, resume, epochs, batches, evaluate):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    first = 0
    best = -1  # CKP218
    if resume:
        state = torch.load(path)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["epoch"]
    for epoch in range(first, epochs):
        for batch in batches:
            optimizer.zero_grad()
            net(batch).mean().backward()
            optimizer.step()
        accuracy = evaluate(net)
        is_best = accuracy > best
        best = max(best, accuracy)
        write({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}, is_best, path)
""",
    "a number for each class": "import numpy as np\n"
    + script(
        start="best = np.ones(3) * -1",
        better="if accuracy.mean() >= best.mean():\n            best = accuracy\n"
        "            torch.save(payload, 'best.pt')",
        mark="  # CKP218",
    ),
    "an attribute": trainer(mark="  # CKP218"),
    "a local of a method, whose class resumes": trainer()
    .replace('        self.best_loss = float("inf")\n', "")
    .replace("        for batch in batches:", "        best = None  # CKP218\n        for batch in batches:")
    .replace("loss.item() < self.best_loss:", "best is None or loss.item() < best:")
    .replace("self.best_loss = loss", "best = loss"),
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_metrics_that_start_over(case: Case) -> None:
    check_findings(case)


def test_message_names_the_metric_and_the_save() -> None:
    (finding,) = check_findings(FOUND["an attribute"])
    assert "'best_loss' starts over" in finding.message
    assert [each.message for each in finding.related] == ["it decides this save"]
