"""CKP202, CKP203: a callback saves the parts of a trainer, which restores them itself."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

TRAINER = (
    TORCH
    + """
class Trainer:
    def __init__(self, model, watchers):
        self.model, self.watchers = model, watchers
        self.optimizer = torch.optim.Adam(model.parameters())
        self.plan = torch.optim.lr_scheduler.StepLR(self.optimizer, 1)
        self.rounds = 0

    def fit(self, batches):
        while self.rounds < 9:
            for batch in batches:
                self.optimizer.zero_grad()
                self.model(batch).mean().backward()
                self.optimizer.step()
            self.plan.step()
            self.rounds += 1
            for watcher in self.watchers:
                watcher.after(self)

    def again(self, path):
        state = torch.load(path)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rounds = state["rounds"]{rounds}
        {more}
"""
)
GIVEN = (
    TORCH
    + """
class Keeper:
    def __init__(self, path):
        self.path = path

    def after(self, trainer):
        state = {{
            "model": trainer.model.state_dict(),
            "optimizer": trainer.optimizer.state_dict(),
            "plan": trainer.plan.state_dict(),
            {rounds}
        }}
        torch.save(state, self.path){marker}
"""
)
HELD = (
    TORCH
    + """
class Keeper:
    def __init__(self, path, owner):
        self.path, self.owner = path, owner

    def after(self, _):
        torch.save(dict({marker}
            model=self.owner.model.state_dict(),
            optimizer=self.owner.optimizer.state_dict(),
            plan=self.owner.plan.state_dict(),
            rounds=self.owner.rounds,
        ), self.path)
"""
)
OTHER = (
    TORCH
    + """
class Finetuner:
    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), 0.1)
        self.plan = torch.optim.lr_scheduler.StepLR(self.optimizer, 1)

    def tune(self, batch, path):
        self.model(batch).mean().backward()
        self.optimizer.step()
        self.plan.step()
        torch.save({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}, path)
"""
)
MAIN = """
from keeper import Keeper
from trainer import Trainer


def main(model, batches, path):
    trainer = Trainer(model, [])
    trainer.again(path)
    trainer.fit(batches)
"""
PLAN = 'self.plan.load_state_dict(state["plan"])'
ROUNDS = '"rounds": trainer.rounds,'


def program(keeper: str, more: str = PLAN, rounds: str = "") -> Case:
    """Return a program with a trainer, and what saves its parts in the same file."""
    imports = len(TORCH)
    return {"trainer.py": TRAINER.format(more=more, rounds=rounds) + keeper[imports:], "main.py": MAIN}


SILENT: dict[str, Case] = {
    "all parts are restored": program(GIVEN.format(rounds=ROUNDS, marker="")),
    "all parts of the owner are restored": program(HELD.format(marker="")),
    "another class saves parts of its own": program(OTHER),
    "only weights are saved": program(
        TORCH
        + "class Keeper:\n    def after(self, trainer):\n"
        + '        torch.save({"model": trainer.model.state_dict()}, "model.pt")\n'
    ),
}
FOUND: dict[str, Case] = {
    "a part of the given trainer": program(GIVEN.format(rounds=ROUNDS, marker="  # CKP203"), more="pass"),
    "a part of the owner": program(HELD.format(marker="  # CKP203"), more="pass"),
    "a part that the callback forgets": program(GIVEN.format(rounds="", marker=""), rounds="  # CKP202"),
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_parts_of_the_trainer(case: Case) -> None:
    check_findings(case)
