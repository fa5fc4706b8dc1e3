"""Objects that a script binds to its variables, and that its functions train, save and restore."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SCRIPT = """
import torch
from torch import nn

net = nn.Linear(3, 1)
adam = torch.optim.Adam(net.parameters())
schedule = torch.optim.lr_scheduler.StepLR(adam, 10)


def write(path):
    torch.save({{{written}}}, path){marker}


def resume(path):
    state = torch.load(path)
    net.load_state_dict(state["net"])
    adam.load_state_dict(state["adam"])
{restored}

def run(path, batches):
    resume(path)
    for batch in batches:
        adam.zero_grad()
        net(batch).mean().backward()
        adam.step()
        schedule.step()
    write(path)


run("last.pt", torch.ones(4, 3)){end}
"""
PAIR = '"net": net.state_dict(), "adam": adam.state_dict()'
ALL = PAIR + ', "schedule": schedule.state_dict()'
LOADED = '    schedule.load_state_dict(state["schedule"])\n'


def script(written: str, restored: str, marker: str = "", end: str = "") -> str:
    """Return a script that saves and restores the given keys."""
    return SCRIPT.format(written=written, restored=restored, marker=marker, end=end)


HELPER = """
import torch
import tools

net = torch.nn.Linear(3, 1)
adam = torch.optim.Adam(net.parameters())


def checkpoint(steps, path):
    tools.save_checkpoint({{"net": net.state_dict(), "adam": adam.state_dict(), "steps": steps}}, path)


def main(path, again=None):
    steps = 0
    if again:
        state = torch.load(again)
        net.load_state_dict(state["net"])
        adam.load_state_dict(state["{key}"]){marker}
        steps = state["steps"]
    for batch in torch.ones(4, 3):
        net(batch).backward()
        adam.step()
        steps += 1
    checkpoint(steps, path)


main("last.pt")
"""
UNDER_MAIN = """
import torch as th


class Learner:
    def __init__(self, net):
        self.net = net
        self.adam = th.optim.Adam(net.parameters())
        self.rounds = 0

    def learn(self, batch):
        self.adam.zero_grad()
        self.net(batch).mean().backward()
        self.adam.step()
        self.rounds += 1


def keep(path):
    th.save(dict(net=learner.net.state_dict(), adam=learner.adam.state_dict(){extra}), path)


def again(path):
    state = th.load(path)
    learner.net.load_state_dict(state["net"])
    learner.adam.load_state_dict(state["adam"])
    learner.rounds = state["rounds"]{marker}


if __name__ == "__main__":
    learner = Learner(th.nn.Linear(2, 1))
    again("last.pt")
    while learner.rounds < 100:
        learner.learn(th.ones(8, 2))
    keep("last.pt")
"""
SILENT: dict[str, Case] = {
    "all of them are saved and restored": script(ALL, LOADED),
    "a module of the same name as a variable elsewhere": {
        "run.py": script(ALL, LOADED),
        "other.py": "import schedule\n\n\ndef every():\n    schedule.step()\n",
    },
    "a helper that nobody can see saves them": HELPER.format(key="adam", marker=""),
    "an object of a class of the project": UNDER_MAIN.format(extra=", rounds=learner.rounds", marker=""),
}
FOUND: dict[str, Case] = {
    "one that training changes is in no file": script(PAIR, "", end="  # CKP204"),
    "one is saved and not restored": script(ALL, "", marker="  # CKP203"),
    "one is restored and not saved": script(PAIR, LOADED.rstrip("\n") + "  # CKP202\n"),
    "one is restored from another key than a helper is given": HELPER.format(
        key="optimizer", marker="  # CKP202"
    ),
    "a count of an object of the project is not saved": UNDER_MAIN.format(extra="", marker="  # CKP202"),
}


@cases(SILENT)
def test_kept_variables_are_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_lost_variables_are_found(case: Case) -> None:
    check_findings(case)
