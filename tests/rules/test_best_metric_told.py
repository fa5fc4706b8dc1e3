"""CKP218: an object tells its caller that a value is the best, and the caller saves."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

PROGRAM = """
import torch

from scores import Scores


class Run:
    def __init__(self, net, again):
        self.net = net
        self.optimizer = torch.optim.Adam(net.parameters())
        self.scores = Scores()
        if again:
            self.load(again)

    def save(self, path):
        torch.save({{"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(){more}}}, path)

{load}    def fit(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            loss = self.net(batch).mean()
            loss.backward()
            self.optimizer.step()
            {asked}
        self.save("last.pt")


def main(net, batches, again=None):
    Run(net, again).fit(batches)
"""
LOAD = """    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        {restored}

"""
SCORES = """
class Scores:
    def __init__(self):
        self.best = {start}{mark}

    def look(self, loss):
        {body}

    def pass_on(self, loss):
        self.last = loss
        return self.look(loss)
"""
FLAG = """is_best = False
        if self.best is None or loss < self.best:
            self.best = loss
            is_best = True
        return f"{loss}", is_best"""
AT_ONCE = """if loss < self.best - 1e-4:
            self.best = loss
            return True
        return False"""
COUNTED = """if loss > self.best:
            self.best = loss
        return loss > 0"""
IF = """if self.scores.look(loss.item()):
                self.save("best.pt")"""
NAMED = """text, is_best = self.scores.look(loss.item())
            if is_best and batch is not None:
                self.save("best.pt")"""
TEXT = """text, is_best = self.scores.look(loss.item())
            if text:
                self.save("best.pt")"""
GIVEN = """_, is_best = self.scores.look(loss.item())
            if is_best:
                print("better")"""
PASSED = """if self.scores.pass_on(loss.item()):
                self.save("best.pt")"""


def program(
    asked: str, body: str, start: str = 'float("inf")', mark: str = "", restored: str = "pass", more: str = ""
) -> Case:
    """Return a trainer that asks an object of another file whether a loss is the best."""
    return {
        "run.py": PROGRAM.format(asked=asked, load=LOAD.format(restored=restored), more=more),
        "scores.py": SCORES.format(start=start, mark=mark, body=body),
    }


SILENT: dict[str, Case] = {
    "a better value is only shown": program(GIVEN, FLAG, "None"),
    "another part of the result decides": program(TEXT, FLAG, "None"),
    "the object tells something else": program(IF, COUNTED, "0.0"),
    "the program restores it": program(
        IF, AT_ONCE, restored='self.scores.best = state["best"]', more=', "best": self.scores.best'
    ),
    "nothing resumes": {
        "run.py": PROGRAM.format(asked=IF, load="", more="").replace("self.load(again)", "pass"),
        "scores.py": SCORES.format(start="0.0", mark="", body=AT_ONCE),
    },
}
FOUND: dict[str, Case] = {
    "a flag beside a text": program(NAMED, FLAG, "None", "  # CKP218"),
    "the result itself, and a margin": program(IF, AT_ONCE, mark="  # CKP218"),
    "a method gives the result on": program(PASSED, AT_ONCE, mark="  # CKP218"),
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_metrics_that_tell_what_to_save(case: Case) -> None:
    check_findings(case)
