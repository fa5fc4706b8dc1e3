"""CKP202, CKP203: files in another format, files of another name, and values that come out of either of two files."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

ARRAYS = """
import numpy as np
import torch


class Samples:
    def save(self, path):
        np.savez(path, samples=np.array(self.samples), count=self.count)

    def load(self, path):
        state = {load}(path)
        self.count = state["count"]
        self.limit = state["limit"]{marker}

    def add(self, sample):
        self.count += 1
        self.limit = max(self.limit, sample.size)
"""
SETTINGS = """
import json
import torch


class Team:
    def write(self, path):
        torch.save({{"actor": self.actor.state_dict(), "critic": self.critic.state_dict()}}, path)
        with open(path + ".json", "w") as file:
            json.dump({{"size": self.size}}, file)

    def read(self, path, old):
        state = torch.load(path)
        if old:
            settings = state["settings"]{marker}
        else:
            settings = {other}
        self.size = settings["size"]
        self.actor.load_state_dict(state["actor"])
        self.critic.load_state_dict(state["critic"])
"""
NUMBERED = (
    TORCH
    + """
class Trainer:
    def save(self, round):
        torch.save({{"optimizer": self.adam.state_dict(), "steps": self.steps}}, self.folder / "adam.pt"){marker}
        payload = {{"net": self.net.state_dict(), "optimizer": self.adam.state_dict(), "steps": self.steps}}
        torch.save(payload, self.folder / {name})

    def step(self):
        self.adam.step()
        self.steps += 1
        if self.steps > 100:
            self.adam.zero_grad()

    def load(self):
        state = torch.load(self.folder / "adam.pt")
        self.adam.load_state_dict(state["optimizer"])
        {restored}
"""
)
PROGRAM = """
import torch
from store import keep


def main(net, optimizer, folder):
    state = torch.load(folder / "adam.pt")
    optimizer.load_state_dict(state["optimizer"])
    for epoch in range(9):
        net.train()
        optimizer.step()
        keep(optimizer, epoch, folder)
"""
STORE = """
import torch


def keep(optimizer, epoch, folder):
    torch.save({"optimizer": optimizer.state_dict(), "epoch": epoch}, folder / "adam.pt")  # CKP203
"""
SILENT: dict[str, Case] = {
    "arrays are no file that torch loads": ARRAYS.format(load="torch.load", marker=""),
    "settings of old files stand in the payload": SETTINGS.format(
        other='json.load(open(path + ".json"))', marker=""
    ),
    "settings of old files, and a method that finds those of new ones": SETTINGS.format(
        other="read_settings(path)", marker=""
    ),
    "the count of a numbered file is restored from another": NUMBERED.format(
        name='f"round_{round:03d}.pt"', restored='self.steps = state["steps"]', marker=""
    ),
}
FOUND: dict[str, Case] = {
    "arrays that numpy loads": ARRAYS.format(load="np.load", marker="  # CKP202"),
    "settings of both branches stand in the payload": SETTINGS.format(
        other='state["settings"]', marker="  # CKP202"
    ),
    "the count of the very file is forgotten, that of the numbered one is not asked for": NUMBERED.format(
        name='f"round_{round:03d}.pt"', restored="pass", marker="  # CKP203"
    ),
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_keys_of_the_same_file(case: Case) -> None:
    check_findings(case)


def test_names_a_load_of_its_own_program() -> None:
    other = "from program import main\n" + PROGRAM.replace("keep(", "print(").replace("main(", "other(")
    found = check_findings({"a_tool.py": other, "program.py": PROGRAM, "store.py": STORE})
    assert ["program.py:8" in each.message for each in found] == [True]
