"""CKP203, CKP204: scripts that say `resume` and restore weights alone, and objects that are made with their file."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SCRIPT = """
import os
import torch
from torch import nn


def main(args):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters())
{load}
    for epoch in range(args.epochs):
        optimizer.zero_grad()
        net(torch.ones(2)).sum().backward()
        {step}
        {save}


if __name__ == "__main__":
    main(None)
"""
WHOLE = (
    'torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()},'
    " os.path.join(args.folder, str(epoch)))"
)
WEIGHTS = 'torch.save({"net": net.state_dict()}, os.path.join(args.folder, str(epoch)))'
BARE = "torch.save(net.state_dict(), os.path.join(args.folder, str(epoch)))"
IN_PARTS = """    if {test}:
        state = torch.load({file})
        net.load_state_dict(state["net"]){more}
"""
AT_ONCE = "    if {test}:\n        net.load_state_dict(torch.load({file}))\n"


def script(
    load: str, save: str, *, test: str = "args.resume", file: str = "args.resume", step: str = "optimizer.step()",
    more: str = "", mark: str = "",
) -> str:  # fmt: skip
    """Return a script that restores something and then trains."""
    return SCRIPT.format(load=load.format(test=test, file=file, more=more), step=step, save=save + mark)


AGENT = """
import os
import torch
from torch import nn


class Saved:
    def __init__(self, folder):
        self.path = os.path.join(folder, "agent.pt")

    def save_net(self):
        torch.save(self.net.state_dict(), self.path)

    def load_net(self):
        if os.path.exists({file}):
            self.net.load_state_dict(torch.load({file}))


class Agent(Saved):
    def __init__(self, folder):
        super().__init__(folder)
        self.net = nn.Linear(2, 1)
        self.tool = torch.optim.Adam(self.net.parameters()){mark}
        {first}

    def improve(self, batch):
        self.tool.zero_grad()
        self.net(batch).sum().backward()
        self.tool.step()


class Manager:
    def __init__(self, make, folder):
        self.agent = make(folder)

    def run(self, batches):
        for batch in batches:
            self.agent.improve(batch)
            self.agent.save_net()
"""
HOLDER = """
import torch
from torch import nn


class Store:
    def write(self, path, net, tool):
        torch.save({{"net": net.state_dict(), "tool": tool.state_dict()}}, path){mark}


class Trainer:
    def __init__(self, args):
        self.store = Store()
        self.net = nn.Linear(2, 1)
        self.tool = torch.optim.Adam(self.net.parameters())
        if args.first:
            self.net.load_state_dict(torch.load({file})["net"])

    def train(self, batches):
        for i, batch in enumerate(batches):
            self.tool.zero_grad()
            self.net(batch).sum().backward()
            self.tool.step()
            self.store.write(str(i), self.net, self.tool)


if __name__ == "__main__":
    Trainer(None).train([])
"""
RESTORED = '\n        optimizer.load_state_dict(state["optimizer"])'

SILENT: dict[str, Case] = {
    "the optimizer is restored, too": script(IN_PARTS, WHOLE, more=RESTORED),
    "weights to begin with": script(IN_PARTS, WHOLE, test="args.pretrained", file="args.pretrained"),
    "a file of weights to begin with": script(AT_ONCE, BARE, test="args.weights", file="args.weights"),
    "a mode of another name": script(IN_PARTS, WEIGHTS, test='args.mode == "finetune"', file="args.first"),
    "an option that is compared with a number": script(
        IN_PARTS, WEIGHTS, test="args.first > 3", file="args.first"
    ),
    "a program that only looks": SCRIPT.partition("    for epoch")[0].format(
        load=IN_PARTS.format(test="args.resume", file="args.resume", more="")
    )
    + "    print(net(torch.ones(2)))\n",
    "an object that saves by what it holds, and begins with weights": HOLDER.format(
        file="args.first", mark=""
    ),
    "another object is restored from a bare file": script(
        "    teacher = nn.Linear(2, 1)\n    teacher.load_state_dict(torch.load(args.resume))\n", BARE
    ),
    "objects that are made without their file": AGENT.format(
        file="self.path", mark="", first="self.step = 0"
    ),
    "objects that are made with a file of others": AGENT.format(
        file="self.first", mark="", first="self.load_net()"
    ).replace("self.path = ", 'self.first = "pretrained.pt"\n        self.path = '),
}
FOUND: dict[str, Case] = {
    "an option to resume": script(IN_PARTS, WHOLE, mark="  # CKP203"),
    "an option that is not None": script(IN_PARTS, WHOLE, test="args.resume is not None", mark="  # CKP203"),
    "an option that is not empty": script(IN_PARTS, WEIGHTS, test='args.resume != ""', mark="  # CKP204"),
    "a mode": script(IN_PARTS, WEIGHTS, test='args.mode == "resume"', file="args.first", mark="  # CKP204"),
    "a save before the loop": script(
        '    torch.save({{"net": net.state_dict()}}, args.folder + "/first")\n' + IN_PARTS,
        WEIGHTS,
        mark="  # CKP204",
    ),
    "a flag": script(
        "    is_resume = args.first is not None\n" + IN_PARTS,
        WEIGHTS,
        test="is_resume",
        file="args.first",
        mark="  # CKP204",
    ),
    "a parameter": script(
        "    resume_path = args.first\n" + IN_PARTS,
        WEIGHTS,
        test="resume_path is not None",
        file="args.first",
        mark="  # CKP204",
    ),
    "an object that saves by what it holds": HOLDER.format(file="args.resume", mark="  # CKP203"),
    "a file that is called so": script(IN_PARTS, WEIGHTS, test="args.first", mark="  # CKP204"),
    "a file that is looked for first": script(
        "    if args.resume:\n        if os.path.isfile(args.first):\n    " + AT_ONCE.partition("\n")[2],
        BARE,
        file="args.first",
        mark="  # CKP204",
    ),
    "a bare file": script(AT_ONCE, BARE, mark="  # CKP204"),
    "objects that are made with their own file": AGENT.format(
        file="self.path", mark="  # CKP204", first="self.load_net()"
    ),
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_a_resume_loses(case: Case) -> None:
    check_findings(case)
