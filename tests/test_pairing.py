"""Which saves belong to which loads, and how far one doubt reaches: a key, a value, one of several readers."""

from __future__ import annotations

from tests.contract_cases import answers
from tests.contract_cases import hooked
from tests.contract_cases import joined
from tests.contract_cases import missing
from tests.contract_cases import unrestored
from tests.rule_cases import Case

HEAD = "import os\nfrom pathlib import Path\n\nimport numpy as np\nimport torch\nfrom torch import nn\n\n"
LEARNER = f"""{HEAD}
class Learner:
    def __init__(self):
        self.net, self.head = nn.Linear(3, 3), nn.Linear(3, 1)
        self.optimizer = torch.optim.Adam(self.net.parameters())
        self.epoch = 0

    def train(self, batches):
        while self.epoch < 9:
            self.epoch += 1
            for batch in batches:
                self.head(self.net(batch)).sum().backward()
                self.optimizer.step()
"""
SAVE = """
    def save(self, path):
        data = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}
        data["head"] = self.head.state_dict()
        torch.save(data, path)
"""
LOAD = """
    def load(self, path):
        data = torch.load(path)
        self.net.load_state_dict(data["net"])
        self.optimizer.load_state_dict(data["optimizer"])
"""
LOAD_ALL = LOAD + '        self.head.load_state_dict(data["head"])\n'
EVALUATE = """

def evaluate(path, batch):
    learner = Learner()
    learner.net.load_state_dict(torch.load(path)["net"])
    return learner.head(learner.net(batch))
"""


def script(load: str, save: str, rest: str = "") -> str:
    """Return a program that loads, trains and saves."""
    return f"""{HEAD}
def main(path, resume, batches):
    net = nn.Linear(3, 1)
    optimizer = torch.optim.Adam(net.parameters())
    start = 0
    if resume:
{load}
    for epoch in range(start, 9):
        for batch in batches:
            net(batch).sum().backward()
            optimizer.step()
{save}
{rest}"""


RESUME = """\
        data = torch.load(resume)
        net.load_state_dict(data["net"])
        optimizer.load_state_dict(data["optimizer"])
"""
KEEP = """\
        data = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
        torch.save(data, path)
"""

UNRESTORED: dict[str, tuple[Case, list[str]]] = {
    "a reader that is known by its keys needs other ones": (
        LEARNER + SAVE + LOAD_ALL.replace("self.optimizer", "self.other") + EVALUATE,
        [],
    ),
    "a test for it, and a load that takes all of a file without it": (
        LEARNER
        + SAVE
        + LOAD_ALL.replace(
            '        self.net.load_state_dict(data["net"])\n',
            '        if "head" not in data:\n            return self.migrate(data)\n'
            '        self.net.load_state_dict(data["net"])\n',
        ),
        [],
    ),
    "what a helper gives back is handed to a stranger": (
        LEARNER
        + SAVE
        + "\n    def read(self, path):\n        return torch.load(path)\n"
        + LOAD.replace("torch.load(path)", "self.read(path)")
        + "        strange.restore(self, data)\n",
        [],
    ),
    "a counter of a script that evaluates": (
        f"{HEAD}\ndef main(path, model, optimizer, batches):\n    for epoch in range(9):\n"
        '        torch.save({"net": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}, path)\n'
        "\n\ndef evaluate(path, model):\n    data = torch.load(path)\n"
        '    model.load_state_dict(data["net"])\n    epoch = data["epoch"]\n    print(epoch)\n',
        [],
    ),
    "a setting that is called as a counter": (
        script(RESUME, KEEP.replace('"epoch": epoch', '"epochs": 9')),
        [],
    ),
    "an attribute that nothing asks": (
        LEARNER.replace("while self.epoch < 9:", "while True:")
        + SAVE.replace("data[", 'data["epoch"] = self.epoch\n        data[', 1)
        + LOAD_ALL,
        [],
    ),
    "a best metric that is a constant": (
        script(RESUME, KEEP.replace('"epoch": epoch', '"best_loss": 1')),
        [],
    ),
    "a counter that is handed in": (
        f"{HEAD}\ndef keep(path, net, optimizer, epoch):\n    torch.save("
        '{"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}, path)\n'
        + "\n\ndef keep_no_more(path, net, optimizer):\n    data = torch.load(path)\n"
        '    net.load_state_dict(data["net"])\n    optimizer.load_state_dict(data["optimizer"])\n',
        [],
    ),
    "a helper gives the payload back": (
        LEARNER
        + SAVE
        + "\n    @staticmethod\n    def read(path):\n        try:\n            return torch.load(path)\n"
        "        except OSError:\n            return None\n"
        + LOAD.replace("torch.load(path)", "self.read(path)"),
        ["head"],
    ),
    "a helper gives the payload back in a tuple": (
        LEARNER
        + SAVE
        + "\n    def read(self, path):\n        return torch.load(path), path\n"
        + LOAD.replace("data = torch.load(path)", "data, name = self.read(path)"),
        ["head"],
    ),
    "a legacy key that nobody writes": (
        LEARNER + SAVE + LOAD + '        if "gamma" in data:\n            self.gamma = data["gamma"]\n',
        ["head"],
    ),
    "a branch for older files takes all": (
        LEARNER
        + SAVE
        + LOAD.replace(
            '        self.net.load_state_dict(data["net"])\n',
            '        if "net" not in data:\n            return self.net.load_state_dict(data)\n'
            '        self.net.load_state_dict(data["net"])\n',
        ),
        ["head"],
    ),
    "another program takes all of it": (
        {
            "learner.py": LEARNER + SAVE + LOAD,
            "show.py": f"from learner import Learner\n{HEAD}\ndef show(path, learner: Learner):\n"
            "    data = torch.load(path)\n"
            '    learner.net.load_state_dict(data["net"])\n    learner.head.load_state_dict(data["rest"])\n'
            "    strange.look_at(data)\n",
        },
        ["head"],
    ),
    "a key that is asked among all keys": (
        LEARNER
        + SAVE
        + LOAD
        + '        if "gamma" in data.keys():\n            self.gamma = data["gamma"]\n',
        ["head"],
    ),
    "all keys are printed": (LEARNER + SAVE + LOAD + "        print(list(data.keys()))\n", ["head"]),
    "all keys are looped over": (
        LEARNER
        + SAVE
        + LOAD
        + "        for name in data.keys():\n            setattr(self, name, data[name])\n",
        [],
    ),
    "a local holds the state": (
        LEARNER
        + SAVE.replace(
            'data["head"] = self.head.state_dict()',
            'state = self.head.state_dict()\n        data["head"] = state',
        )
        + LOAD,
        ["head"],
    ),
    "the epoch of a loop": (script(RESUME, KEEP), ["epoch"]),
    "a step that is counted after the save": (
        script(
            RESUME,
            KEEP.replace('"epoch": epoch', '"step": step') + "        step += 1\n",
        ).replace("    start = 0\n", "    start, step = 0, 0\n"),
        ["step"],
    ),
    "a counter given back to the one who trains": (
        script(
            "        start = load(resume, net, optimizer)",
            KEEP,
            '\n\ndef load(path, net, optimizer):\n    data = torch.load(path)\n    net.load_state_dict(data["net"])\n'
            '    return data["epoch"]\n',
        ),
        ["optimizer"],
    ),
    "two counters given back at once": (
        script(
            "        start, best = load(resume, net, optimizer)",
            KEEP.replace('"epoch": epoch', '"epoch": epoch, "frame": epoch + 1'),
            '\n\ndef load(path, net, optimizer):\n    data = torch.load(path)\n    net.load_state_dict(data["net"])\n'
            '    return data["epoch"], data["frame"]\n',
        ),
        ["optimizer"],
    ),
    "a counter that a condition of another method asks": (
        LEARNER
        + "\n    def is_done(self):\n        return self.frame > 9\n\n    def count(self):\n        self.frame += 1\n"
        + "\n    def stop(self):\n        if self.frame > 3:\n            self.stopped = True\n"
        + SAVE.replace("data[", 'data["frame"] = self.frame\n        data[', 1)
        + LOAD_ALL,
        ["frame"],
    ),
    "the optimizer of a module that is saved": (
        LEARNER.replace("class Learner:", "class Learner(nn.Module):")
        + """

class Runner:
    def __init__(self):
        self.learner = Learner()
        self.epoch = 0

    def save(self, path):
        data = {"learner": self.learner.state_dict(), "epoch": self.epoch}
        data["learner_optimizer"] = self.learner.optimizer.state_dict()
        torch.save(data, path)

    def load(self, path):
        data = torch.load(path)
        self.learner.load_state_dict(data["learner"])
        self.epoch = data["epoch"]
""",
        ["learner_optimizer"],
    ),
    "a save that a framework dispatches": (
        script(
            RESUME,
            '        data = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "ema": ema.state_dict()}\n'
            '        fabric.call("on_checkpoint", path=path, state=data)\n',
        ).replace("batches):", "batches, fabric, ema):", 1),
        ["ema"],
    ),
    "a helper of which only the name is known": (
        script(
            RESUME,
            '        data = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "ema": ema.state_dict()}\n'
            "        strange.write_snapshot(data)\n",
        ).replace("batches):", "batches, ema):", 1),
        ["ema"],
    ),
    "a helper that restores": (
        script(
            RESUME,
            '        data = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "ema": ema.state_dict()}\n'
            "        strange.restore_snapshot(data)\n",
        ).replace("batches):", "batches, ema):", 1),
        [],
    ),
    "a helper that says nothing of saving": (
        script(
            RESUME,
            '        data = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "ema": ema.state_dict()}\n'
            "        strange.share(data)\n",
        ).replace("batches):", "batches, ema):", 1),
        [],
    ),
}


@answers(UNRESTORED)
def test_saved_and_never_restored(case: Case, expected: list[str]) -> None:
    assert unrestored(case) == expected


MISSING: dict[str, tuple[Case, list[str]]] = {
    "another save of the same class gives it": (
        LEARNER
        + SAVE.replace('        data["head"] = self.head.state_dict()\n', "")
        + SAVE.replace("def save(", "def save_best(")
        + LOAD_ALL,
        [],
    ),
    "a block for another format": (
        LEARNER + SAVE + LOAD + '        if "ema" in data:\n            self.epoch = data["epoch"]\n',
        [],
    ),
    "a key that is only logged": (
        LEARNER + SAVE + LOAD + '        if "note" in data:\n            print(1)\n',
        [],
    ),
    "a test for one key before another is restored": (
        LEARNER
        + SAVE
        + LOAD
        + '        if "scale" in data:\n            self.head.load_state_dict(data["head"])\n',
        ["scale"],
    ),
    "two keys for one attribute": (
        LEARNER + SAVE + LOAD + '        self.head = data["last"]\n        self.head = data["head"]\n',
        [],
    ),
    "what it has read is written in another form": (
        f"{HEAD}\ndef main(path, other):\n    data = torch.load(path)\n"
        '    net = {key: value for key, value in data["net"].items()}\n    step = data["step"]\n'
        '    torch.save({"model": net, "step": step}, other)\n',
        [],
    ),
    "a hook gives it, and the file may hold more": (
        LEARNER
        + """
    def state_dict(self):
        return {"net": self.net.state_dict()}

    def load_state_dict(self, state):
        self.net.load_state_dict(state["net"])
        self.epoch = state["epoch"]


def save(learner: Learner, path):
    data = learner.state_dict()
    data["epoch"] = learner.epoch
    torch.save(data, path)


def load(learner: Learner, path):
    learner.load_state_dict(torch.load(path))
""",
        [],
    ),
    "a name of a file is no other one's ending": (
        f"{HEAD}\ndef keep(net, optimizer):\n"
        '    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, "actor.pt")\n'
        '\n\ndef start(net, optimizer):\n    data = torch.load("critic.pt")\n    net.load_state_dict(data["net"])\n'
        '    optimizer.load_state_dict(data["optimizer"])\n    net.scale = data["scale"]\n',
        [],
    ),
    "one of two readers, of two files of one class": (
        LEARNER
        + """
    def save_net(self, path):
        torch.save({"net": self.net.state_dict(), "head": self.head.state_dict()}, path)

    def load_net(self, path):
        data = torch.load(path)
        self.net.load_state_dict(data["net"])
        self.head.load_state_dict(data["head"])

    def save_rest(self, path):
        torch.save({"optimizer": self.optimizer.state_dict(), "net": 1}, path)

    def load_rest(self, path):
        data = torch.load(path)
        self.optimizer.load_state_dict(data["optimizer"])
        self.epoch = data["epoch"]
""",
        ["epoch"],
    ),
    "what holds the hook is opaque": (
        LEARNER
        + """
    def state_dict(self):
        return {"net": self.net.state_dict()}

    def load_state_dict(self, state):
        self.net.load_state_dict(state["net"])
        self.epoch = state["epoch"]


class Runner:
    def __init__(self):
        self.learner = Learner()

    def save(self, path):
        torch.save({"learner": self.learner.state_dict(), "version": 1}, path)

    def load(self, path):
        data = torch.load(path)
        self.learner.load_state_dict(data["learner"])
""",
        ["epoch"],
    ),
    "two keys that go into one tuple": (
        script(
            "        net, start, rate = load(resume, net)",
            '        torch.save({"net": net.state_dict(), "epoch": epoch}, path)\n',
            '\n\ndef load(path, net):\n    data = torch.load(path)\n    net.load_state_dict(data["net"])\n'
            '    epoch, rate = data["epoch"], data["rate"]\n    return net, epoch, rate\n',
        ),
        ["rate"],
    ),
    "the object was made of the checkpoint": (
        f"{HEAD}\ndef save(net, path, sizes):\n"
        '    torch.save({"weights": net.state_dict(), "sizes": sizes, "epoch": 1}, path)\n'
        "\n\ndef load(path):\n    data = torch.load(path)\n"
        '    net = nn.Linear(*data["sizes"])\n    net.load_state_dict(data["net"])\n    return net\n',
        ["net"],
    ),
    "an object is saved whole, and another is not": (
        script(
            RESUME + '        start = data["epoch"]\n',
            '        copied = Net(3).cuda()\n        torch.save({"net": copied, "epoch": epoch}, path)\n',
            "\n\nclass Net(nn.Module):\n    pass\n",
        ).replace("net = nn.Linear(3, 1)", "net = Net(3)"),
        ["optimizer"],
    ),
    "a partner is handed the payload by a stranger": (
        LEARNER
        + """
    def save_training_state(self, path):
        torch.save({"optimizer": self.optimizer.state_dict()}, path)

    def save_network(self, net, path):
        torch.save({name: value.cpu() for name, value in net.state_dict().items()}, path)

    def save(self, path):
        self.save_network(self.net, path)
        self.save_training_state(path)

    def resume_training(self, state):
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch = state["epoch"]
""",
        ["epoch"],
    ),
    "the object is saved by another name, and nothing else is read": (
        LEARNER
        + '\n    def save(self, path):\n        torch.save({"net": self.net.state_dict()}, path)\n'
        + '\n    def load(self, path):\n        self.net.load_state_dict(torch.load(path)["model"])\n',
        ["model"],
    ),
    "a format that no file has": (
        LEARNER
        + SAVE
        + """
    def load(self, path):
        data = torch.load(path)
        if "optim" in data:
            self.net.load_state_dict(data["net"])
            self.optimizer.load_state_dict(data["optim"])
        else:
            self.net.load_state_dict(data)
""",
        ["optim"],
    ),
    "an option that somebody gives, and a key that it cannot": (
        LEARNER
        + """
    def save(self, path, extra=None):
        data = {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}
        if extra:
            data["extra"] = extra
        torch.save(data, path)
"""
        + LOAD
        + '        self.extra = data["extra"]\n        self.epoch = data["epoch"]\n'
        + "\n\ndef main(strange, path):\n    strange.save(path, extra=1)\n    Learner().save(path)\n",
        ["epoch"],
    ),
}


@answers(MISSING)
def test_read_and_never_saved(case: Case, expected: list[str]) -> None:
    assert missing(case) == expected


KEYS = '{"net": model.state_dict(), "optimizer": optimizer.state_dict()}'
TAKE = 'model.load_state_dict(data["net"])'
FILES: dict[str, tuple[Case, list[str]]] = {
    "one shared key and one name in two modules that know each other": (
        {
            "a.py": f'{HEAD}\ndef write(model, optimizer, folder):\n    torch.save({KEYS}, folder / "agent.pt")\n',
            "b.py": f"from a import write\n{HEAD}\ndef start(model, folder):\n"
            f'    data = torch.load(os.path.join(folder, "agent.pt"))\n    {TAKE}\n',
        },
        ["write -> start"],
    ),
    "one name and no key in two modules that know each other": (
        {
            "a.py": f'{HEAD}\ndef write(model, optimizer, folder):\n    torch.save({KEYS}, folder / "agent.pt")\n',
            "b.py": f"from a import write\n{HEAD}\ndef start(model, folder):\n"
            f'    data = torch.load(os.path.join(folder, "agent.pt"))\n    {TAKE.replace("net", "weights")}\n',
        },
        [],
    ),
    "two keys and two names": (
        f'{HEAD}\ndef write(model, optimizer):\n    torch.save({KEYS}, "actor.pt")\n'
        f'\n\ndef start(model, optimizer):\n    data = torch.load(Path("out", "critic.pt"))\n    {TAKE}\n'
        '    optimizer.load_state_dict(data["optimizer"])\n',
        [],
    ),
    "the end of a name that is computed": (
        f'{HEAD}\ndef write(model, optimizer, name):\n    torch.save({KEYS}, name + "_best.pt")\n'
        f'\n\ndef start(model, optimizer):\n    data = torch.load("actor_best.pt")\n    {TAKE}\n'
        '    optimizer.load_state_dict(data["optimizer"])\n',
        ["write -> start"],
    ),
    "a name in a variable": (
        f'{HEAD}\ndef write(model, optimizer, out):\n    torch.save({KEYS}, out.joinpath("agent.pt").open("wb"))\n'
        f'\n\ndef start(model):\n    path = os.path.join("out", "agent.pt")\n    data = torch.load(path)\n    {TAKE}\n',
        ["write -> start"],
    ),
    "partners in a class before those with its keys": (
        f"{HEAD}\nclass Agent:\n    def save(self, model, optimizer, path):\n        torch.save({KEYS}, path)\n"
        f"\n    def load(self, model, optimizer, path):\n        data = torch.load(path)\n        {TAKE}\n"
        '        optimizer.load_state_dict(data["optimizer"])\n'
        f"\n\ndef write(model, optimizer, path):\n    torch.save({KEYS}, path)\n"
        f"\n\ndef start(model, optimizer, path):\n    data = torch.load(path)\n    {TAKE}\n"
        '    optimizer.load_state_dict(data["optimizer"])\n',
        ["save, write -> load, start"],
    ),
}


@answers(FILES)
def test_saves_and_loads_of_one_file(case: Case, expected: list[str]) -> None:
    assert joined(case) == expected


def many(classes: int) -> Case:
    """Return classes with a pair of save and load each, of which the last one reads what is not saved."""
    pairs = "".join(
        f"\nclass A{number}:\n    def save(self, path):\n"
        '        torch.save({"low": self.low, "high": self.high}, path)\n'
        "\n    def load(self, path):\n        data = torch.load(path)\n"
        '        self.low = data["low"]\n        self.high = data["high"]\n'
        for number in range(classes)
    )
    return f'{HEAD}{pairs}        self.mid = data["mid"]\n'


def test_classes_of_one_file_are_kept_apart() -> None:
    assert missing(many(300)) == ["mid"]


def test_too_many_saves_of_one_file_are_not_looked_at() -> None:
    assert missing(many(2049)) == []


def env(give: str, take: str, given: str = "", taken: str = "") -> str:
    """Return a class with two methods, one of which gives a mapping and the other takes one."""
    return f"""{HEAD}
class Env:
    def __init__(self):
        self.net = nn.Linear(2, 2)
        self.steps = torch.zeros(3)
        self.low = torch.zeros(3)

    def {give}(self):
        return {{"net": self.net.state_dict(), "steps": self.steps.cpu().clone(){given}}}

    def {take}(self, data):
        self.net.load_state_dict(data["net"])
        {taken or 'self.steps = data["steps"]'}
"""


ROUND_TRIPS: dict[str, tuple[Case, list[str]]] = {
    "one attribute comes back": (env("describe", "adopt", taken='self.low = data["low"]'), []),
    "what comes in goes elsewhere": (
        env("describe", "adopt", taken='self.low = data["steps"]'),
        [],
    ),
    "two attributes come back": (env("describe", "adopt"), ["train.py:Env: describe -> adopt"]),
    "names that tell it": (
        env("get_state_dict", "load_state_dict"),
        ["train.py:Env: get_state_dict -> load_state_dict"],
    ),
    "too many methods that give and take": (
        env("describe", "adopt")
        + "".join(
            f'\n    def tell_{number}(self):\n        return {{"net": self.net.state_dict()}}\n'
            for number in range(64)
        ),
        [],
    ),
    "many methods that give and take": (
        env("describe", "adopt")
        + "".join(
            f'\n    def tell_{number}(self):\n        return {{"net": self.net.state_dict()}}\n'
            for number in range(63)
        ),
        ["train.py:Env: describe -> adopt"],
    ),
    "names that tell another": (
        env("describe", "set_state")
        + '\n    def get_state(self):\n        return {"net": self.net.state_dict()}\n',
        ["train.py:Env: get_state -> set_state"],
    ),
}


@answers(ROUND_TRIPS)
def test_pairs_by_what_comes_back(case: Case, expected: list[str]) -> None:
    assert hooked(case) == expected


def test_key_of_a_pair_without_names_is_missing() -> None:
    assert missing(env("describe", "adopt", taken='self.steps, self.low = data["steps"], data["low"]')) == [
        "low"
    ]


ARCHIVE = """import io
import json
import zipfile

import torch


def save_archive(agent, path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.json", json.dumps({"steps": agent.steps, "rate": agent.rate}))
        with archive.open("policy.pth", "w") as member:
            torch.save(agent.policy.state_dict(), member)
        with archive.open("optimizer.pth", "w") as member:
            torch.save(agent.optimizer.state_dict(), member)


def load_archive(agent, path):
    with zipfile.ZipFile(path) as archive:
        data = json.loads(archive.read("data.json"))
        agent.steps = data["steps"]
        with archive.open("policy.pth") as member:
            agent.policy.load_state_dict(torch.load(io.BytesIO(member.read())))
        agent.optimizer.load_state_dict(torch.load(io.BytesIO(archive.read("optimizer.pth"))))
"""
BUFFERED = """import io
import json
import zipfile

import torch


class Agent:
    def save(self, path):
        archive = zipfile.ZipFile(path, mode="w")
        buffer = io.BytesIO()
        torch.save(self.policy.state_dict(), buffer)
        archive.writestr("policy.pth", buffer.getvalue())
        buffer = io.BytesIO()
        torch.save(self.optimizer.state_dict(), buffer)
        archive.writestr("optimizer.pth", buffer.getvalue())
        with archive.open("data.json", "w") as member:
            json.dump({"steps": self.steps}, member)
        archive.close()

    def load(self, path):
        archive = zipfile.ZipFile(path)
        with archive.open("data.json") as member:
            self.steps = json.load(member)["steps"]
        with archive.open("policy.pth") as member:
            self.policy.load_state_dict(torch.load(member))
        with archive.open("optimizer.pth") as member:
            self.optimizer.load_state_dict(torch.load(member))
"""
RESTORE = '        agent.optimizer.load_state_dict(torch.load(io.BytesIO(archive.read("optimizer.pth"))))\n'
ARCHIVES: dict[str, tuple[Case, tuple[list[str], list[str]]]] = {
    "all members come back": (ARCHIVE, ([], [])),
    "all members come back from buffers": (BUFFERED, ([], [])),
    "a member with a computed name": (
        ARCHIVE.replace('archive.open("optimizer.pth", "w")', 'archive.open(agent.name, "w")'),
        ([], []),
    ),
    "members that a loop reads": (
        ARCHIVE.replace(
            RESTORE,
            "        for name in archive.namelist():\n"
            "            agent.put(name, torch.load(io.BytesIO(archive.read(name))))\n",
        ),
        ([], []),
    ),
    "a member is never read": (ARCHIVE.replace(RESTORE, ""), ([], ["optimizer.pth"])),
    "a key of JSON is never written": (
        ARCHIVE.replace('data["steps"]', 'data["total_steps"]').replace('"steps": agent.steps, ', ""),
        (["data.json.total_steps"], []),
    ),
    "a member is never written": (
        ARCHIVE.replace('archive.read("optimizer.pth")', 'archive.read("optim.pth")').replace(
            'archive.open("optimizer.pth", "w")', 'archive.open("adam.pth", "w")'
        ),
        (["optim.pth"], []),
    ),
    "a member of a buffer is never read": (
        BUFFERED.replace(
            '        with archive.open("optimizer.pth") as member:\n'
            "            self.optimizer.load_state_dict(torch.load(member))\n",
            "",
        ),
        ([], ["optimizer.pth"]),
    ),
}


@answers(ARCHIVES)
def test_members_of_an_archive_are_keys(case: Case, expected: tuple[list[str], list[str]]) -> None:
    assert (missing(case), unrestored(case)) == expected
