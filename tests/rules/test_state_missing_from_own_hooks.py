"""CKP207: pairs of hooks of any name, inherited ones, and attributes beside saved ones."""

from __future__ import annotations

import time

from flake8_ckpt.losses.state_dicts.own_states import MAX_HEIRS
from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent
from tests.rule_cases import lint

ACTOR = """
import torch
from torch import nn

class Actor:
    def __init__(self, rate):
        self.net = nn.Linear(2, 2)
        self.opt = torch.optim.Adam(self.net.parameters(), lr=rate)
        self.noise = 1.0

    def act(self, x):
        self.noise *= 0.99
        return self.net(x) + self.noise * torch.randn(2)

    def learn(self):
        self.opt.step()

    def save(self, path):{mark}
        torch.save({{"net": self.net.state_dict(), "opt": self.opt.state_dict()}}, path)

    def load(self, path):
        data = torch.load(path)
        self.net.load_state_dict(data["net"])
        self.opt.load_state_dict(data["opt"])
"""
COUNTER = """
import torch

class Counter:
    def __init__(self, limit):
        self.limit = limit
        self.epoch = 0

    def tick(self):
        self.epoch += 1
        return self.epoch < self.limit

    def save(self, path):{mark}
        torch.save({{"epoch": self.epoch}}, path)

    def load(self, path):
        self.epoch = torch.load(path)["epoch"]
"""
PATIENT = """
class Patient(Counter):
    def __init__(self, limit):
        super().__init__(limit)
        self.waited = 0

    def judge(self, better):
        self.waited = 0 if better else self.waited + 1
        return self.waited < 3
"""
CURSOR = """
class Cursor:
    def __init__(self, size):
        self.size = size
        self.position = 0
        self.{name} = {value}

    def advance(self):
        self.position += 1
        {change}

    def rest(self):
        {use}

    def pack_state(self):{mark}
        return {{"position": self.position}}

    def unpack_state(self, state):
        self.position = state["position"]
        {load}
"""
TEXT = """
from pathlib import Path

class Counter:
    def __init__(self, limit):
        self.limit = limit
        self.epoch = 0
        self.best = 0.0
        self.table = {{}}

    def tick(self, score):
        if score > self.best:
            self.best = score
        self.table[score] = 1
        {count}

    def save(self, path):{mark}
        {save}

    def load(self, path):
        self.epoch = int(Path(path).read_text())
        self.table = {{}}
"""
GATE = (
    TORCH
    + """
class Gate(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layer = nn.Linear(size, size)
        self.mode = "warm"
        self.route = {value}

    def {method}(self, route, mode):
        self.route = route
        self.mode = {mode}

    def forward(self, x):
        {use}
        return self.layer(x) + x if self.mode == "warm" else x

    def get_extra_state(self):{mark}
        return {{"mode": self.mode}}

    def set_extra_state(self, state):
        self.mode = state["mode"]
"""
)


def actor(mark: str = "  # CKP207") -> str:
    """Return a class that saves its network and its optimizer, and forgets how much noise is left."""
    return ACTOR.format(mark=mark)


def text(
    save: str = "Path(path).write_text(str(self.epoch))", count: str = "self.epoch += 1", mark: str = ""
) -> str:
    """Return a class that writes how many epochs there were as text."""
    return TEXT.format(save=save, count=count, mark=mark)


def cursor(
    change: str,
    use: str = "return self.size - self.seen",
    *,
    name: str = "seen",
    value: str = "0",
    load: str = "pass",
    mark: str = "",
) -> str:
    """Return a class that gives its position, and changes one attribute more."""
    return CURSOR.format(name=name, value=value, change=change, use=use, load=load, mark=mark)


def gate(
    use: str = "if self.route == 'dense':\n            return self.layer(x)",
    *,
    value: str = "None",
    method: str = "begin",
    mode: str = "mode",
    mark: str = "",
) -> str:
    """Return a module that gives the mode it was put into, and not the route that it was given with it."""
    return GATE.format(use=use, value=value, method=method, mode=mode, mark=mark)


SILENT: dict[str, Case] = {
    "attributes that a registering call names by keyword": {
        "stored.py": """
import pickle

class Stored:
    def save(self, path):
        plain = {}
        for name, how in self._saved.items():
            value = getattr(self, name) if hasattr(self, name) else None
            if how == "plain":
                plain[name] = value
        config = dict(type=type(self), saved=self._saved, plain=plain)
        with open(path, "wb") as file:
            pickle.dump(config, file)

    @classmethod
    def load(cls, path):
        with open(path, "rb") as file:
            kind, saved, plain = pickle.load(file).values()
        made = kind.__new__(kind)
        setattr(made, "_saved", saved)
        for name, how in saved.items():
            setattr(made, name, plain[name] if how == "plain" else None)
        return made

    def _register(self, **saved):
        if not hasattr(self, "_saved"):
            self._saved = dict()
        self._saved.update(saved)
""",
        "walk.py": """
from stored import Stored

class Walk(Stored):
    def __init__(self, rate):
        self.rate = rate
        self.mean = 0.0
        self._register(rate="plain", mean="plain")

    def step(self, reward):
        self.mean += self.rate * (reward - self.mean)
        return reward - self.mean
""",
    },
    "attributes that a registering call names by strings": """
import torch

class Stored:
    def __init__(self):
        self._kept = []

    def save(self, path):
        data = {"kind": type(self).__name__}
        for name in self._kept:
            data[name] = getattr(self, name)
        torch.save(data, path)

    def load(self, path):
        data = torch.load(path)
        for name in self._kept:
            setattr(self, name, data[name])

    def keep(self, *names):
        self._kept.extend(names)


class Noise(Stored):
    def __init__(self):
        super().__init__()
        self.level = 1.0
        self.keep("level")

    def sample(self):
        self.level = 0.9 * self.level + 0.1
        return self.level * torch.randn(1)
""",
    "weights alone are for use": actor("")
    .replace(', "opt": self.opt.state_dict()', "")
    .replace('        self.opt.load_state_dict(data["opt"])\n', ""),
    "a model is no state": actor("")
    .replace("save(self", "save_model(self")
    .replace("load(self", "load_model(self")
    .replace(', "opt": self.opt.state_dict()', "")
    .replace('        self.opt.load_state_dict(data["opt"])\n', ""),
    "nobody loads what a program makes": {
        "actor.py": actor("").replace("def load(", "def load_agent(").replace("def save(", "def save_agent("),
        "main.py": """
from actor import Actor

actor = Actor(0.1)
actor.save_agent("last.pt")
""",
    },
    "load sets it": actor("") + '        self.noise = data["opt"]["param_groups"][0]["noise"]\n',
    "load sets whatever it finds": actor("")
    + "        for key in data:\n            setattr(self, key, data[key])\n",
    "load fills the object": actor("") + "        self.__dict__.update(data)\n",
    "load hands the object on": actor("") + "        fill(self, data)\n",
    "save hands the object on": actor("").replace(
        "        torch.save(", "        note(self)\n        torch.save("
    ),
    "load fills a window": cursor(
        "self.losses.append(1.0)",
        "return sum(self.losses) / self.size",
        name="losses",
        value="[]",
        load='self.losses.extend([state["position"]])',
    ),
    "a cadence": cursor("self.seen += 1", "if self.seen % 10 == 0 and self.size > 3:\n            print(1)"),
    "a cadence that is only looked at": cursor("self.seen += 1", "while self.seen % 10:\n            break"),
    "a number that is shown": cursor(
        "self.seen += 1", 'self.writer.add_scalar("seen", self.size, self.seen)'
    ),
    "a number that is printed": cursor("self.seen += 1", "print(f'{self.seen} of {self.size}')"),
    "a number that a log method counts": cursor("pass", "return self.size")
    + """
    def log_loss(self, loss):
        self.seen += loss
        return self.seen / self.size
""",
    "work that is taken out again": cursor(
        "self.queue.append(1)", "return self.queue.popleft()", name="queue", value="[]"
    ),
    "rewards of one episode": cursor(
        "self.rewards.append(1.0)", "return sum(self.rewards)", name="rewards", value="[]"
    )
    + """
    def finish(self):
        self.rewards.clear()
""",
    "rewards of one episode in a new list": cursor(
        "self.rewards.append(1.0)", "return sum(self.rewards)", name="rewards", value="[]"
    )
    + """
    def finish(self, done):
        if done:
            self.rewards = []
""",
    "work that is under way": cursor("self.pending += 1", "return self.size - self.pending", name="pending"),
    "a name that says it passes": cursor(
        "self.last_seen += 1", "return self.last_seen + 1", name="last_seen"
    ),
    "a tensor of a module is for other rules": TORCH
    + """
class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("level", torch.zeros(1))
        self.mode = "warm"

    def forward(self, x):
        self.level = self.level + x.mean()
        return x * self.level if self.mode == "warm" else x

    def get_extra_state(self):
        return {"mode": self.mode}

    def set_extra_state(self, state):
        self.mode = state["mode"]
""",
    "a value that a step is given": gate(method="update"),
    "a path that decides nothing": gate(use="open(self.route)"),
    "an object beside it": gate(value="Route()"),
    "what is set beside it comes from elsewhere": gate(mode="'cold'"),
    "another method sets it too": gate()
    + """
    def turn(self, x):
        self.route = x.sum()
""",
    "an heir that carries it": {
        "counter.py": COUNTER.format(mark=""),
        "patient.py": "from counter import Counter\n"
        + PATIENT
        + """
    def save(self, path):
        super().save(path)
        self.write(self.waited)
""",
    },
    "an heir whose runs begin with it": COUNTER.format(mark="")
    + PATIENT
    + """
    def run(self):
        self.waited = 0
        while self.tick():
            self.judge(True)
""",
    "an heir of the tests": {
        "counter.py": COUNTER.format(mark=""),
        "tests/test_patient.py": "from counter import Counter\n" + PATIENT,
    },
    "an heir with a load of its own": COUNTER.format(mark="")
    + PATIENT
    + """
    def load(self, path):
        super().load(path)
        self.waited = 0
""",
    "text that may hold all": text("Path(path).write_text(str(vars(self)))"),
    "text of attributes by their names": text(
        'for name in ("epoch", "best"):\n            Path(path).write_text(str(getattr(self, name)))'
    ),
    "text that a method writes which is not read": text("self.write(path)"),
    "text that a base writes": text("super().save(path)"),
    "text of a class with an unknown base": text().replace("class Counter", "class Counter(Base)"),
    "text that counts nothing": text(count="self.epoch = score"),
    "a table that is filled is no progress": text("Path(path).write_text(str(self.table))"),
    "text of an object that another one keeps": text(count="self.epoch += 1\n        keep(self)"),
    "a property that carries the rest": """
class Stop:
    def __init__(self):
        self.waited = 0
        self.best = 0.0

    @property
    def state_dict(self):
        return {"waited": self.waited, "best": self.best}

    @state_dict.setter
    def state_dict(self, state):
        self.waited = state["waited"]
        self.best = state["best"]

    def on_validation_end(self, score):
        if score > self.best:
            self.best = score
        self.waited += 1
        return self.waited > 3
""",
    "a size that is set where it is another one": cursor(
        "if self.seen != self.size:\n            self.seen = self.size"
    ),
    "a flag that is turned on and off": cursor(
        "self.seen = self.seen or self.position > 3",
        "if self.seen:\n            self.seen = False",
        value="False",
    ),
    "a flag that nothing saved belongs to": cursor("pass", "return 1 if self.seen else 2", value="False")
    + """
    def look(self, x):
        self.seen = self.seen or x > 3
""",
    "a reset between episodes": cursor("self.seen += 1")
    + """
    def reset(self):
        self.seen = 0
""",
}

FOUND: dict[str, Case] = {
    "a model with its optimizer": actor("  # CKP207")
    .replace("save(self", "save_model(self")
    .replace("load(self", "load_model(self"),
    "files that hold an optimizer": actor(),
    "a rate that load only reads": """
import torch
from torch import nn

class Learner:
    def __init__(self, rate):
        self.net = nn.Linear(2, 2)
        self.rate = rate
        self.opt = torch.optim.SGD(self.net.parameters(), lr=rate)

    def adapt(self, divergence):
        if divergence > 0.02:
            self.rate = max(1e-5, self.rate / 1.5)
        for group in self.opt.param_groups:
            group["lr"] = self.rate
        self.opt.step()

    def export_state(self):  # CKP207
        return {"net": self.net.state_dict(), "opt": self.opt.state_dict()}

    def import_state(self, data):
        self.net.load_state_dict(data["net"])
        self.opt.load_state_dict(data["opt"])
        for group in self.opt.param_groups:
            group["lr"] = self.rate
""".replace("export_state", "get_state").replace("import_state", "set_state"),
    "pairs that pack and unpack": cursor("self.seen += 1", mark="  # CKP207"),
    "a name that says it passes, and that only counts": cursor(
        "self.current += 1",
        "if self.current > self.size:\n            print(1)",
        name="current",
        mark="  # CKP207",
    ),
    "a cadence that decides over what is saved": cursor(
        "self.seen += 1\n        if self.seen % 10 == 0:\n            self.position = 0",
        "pass",
        mark="  # CKP207",
    ),
    "counted by a method that begins": cursor("pass", mark="  # CKP207")
    + """
    def on_epoch_start(self):
        self.seen += 1
""",
    "a reset that sets what is saved as well": cursor("self.seen += 1", mark="  # CKP207")
    + """
    def clear(self):
        self.position = 0
        self.seen = 0
""",
    "a report that judges": cursor("pass", mark="  # CKP207")
    + """
    def report(self, better):
        self.seen = 0 if better else self.seen + 1
        return self.seen > 3
""",
    "extra state of a module": gate(mark="  # CKP207"),
    "a list of pairs": """
from collections import OrderedDict

class Plateau:
    def __init__(self):
        self.best = 0.0
        self.waited = 0

    def step(self, score):
        self.waited += 1
        if score > self.best:
            self.best = score
            self.waited = 0
        return self.waited > 3

    def state_dict(self):  # CKP207
        return OrderedDict([("best", self.best)])

    def load_state_dict(self, state):
        self.best = state["best"]
""",
    "a callback of a trainer": """
from lightning.pytorch import Callback

class Stop(Callback):
    def __init__(self, patience):
        self.patience = patience
        self.best = 0.0
        self.waited = 0

    def on_train_epoch_end(self, trainer, module):
        self.best = max(self.best, trainer.score)
        self.waited += 1
        if self.waited > self.patience:
            trainer.should_stop = True

    def on_save_checkpoint(self, trainer, module, checkpoint):  # CKP207
        checkpoint["best"] = self.best

    def on_load_checkpoint(self, trainer, module, checkpoint):
        self.best = checkpoint["best"]
""",
    "rewards of the last episodes": cursor(
        "self.rewards.append(1.0)",
        "return sum(self.rewards)",
        name="rewards",
        value="[]",
        mark="  # CKP207",
    ),
    "a flag that stays on beside what is saved": cursor(
        "self.seen = self.seen or self.position > 3",
        "return 1 if self.seen else 2",
        value="False",
        mark="  # CKP207",
    ),
    "the best score in text": text(mark="  # CKP207"),
    "a best score of an heir, in text": text(mark="  # CKP207").replace(
        "        if score > self.best:\n            self.best = score\n", ""
    )
    + """
class Stop(Counter):
    def __init__(self, limit):
        super().__init__(limit)
        self.worst = 0.0

    def judge(self, score):
        if score < self.worst:
            self.worst = score
        return self.worst < -3
""",
    "a property that forgets the best score": """
class Stop:
    def __init__(self):
        self.waited = 0
        self.best = 0.0

    @property
    def state_dict(self):  # CKP207
        return {"waited": self.waited}

    @state_dict.setter
    def state_dict(self, state):
        self.waited = state["waited"]

    def on_validation_end(self, score):
        if score > self.best:
            self.best = score
            self.waited = 0
        self.waited += 1
        return self.waited > 3
""",
    "a choice that another method asks for": gate(
        use="if self.route is not None:\n            return self.route", mark="  # CKP207"
    ),
    "a choice with a default": gate(mark="  # CKP207").replace(
        "        self.route = route",
        "        if route is None:\n            route = 'dense'\n        self.route = route",
    ),
    "an heir in the same file": COUNTER.format(mark="  # CKP207") + PATIENT,
    "an heir in another file": {
        "counter.py": COUNTER.format(mark="  # CKP207"),
        "patient.py": "from counter import Counter\n" + PATIENT,
    },
    "the count of statistics in a file": """
import torch

class RunningMeanStd:
    def __init__(self):
        self.mean, self.var, self.count = 0.0, 1.0, 0

    def update(self, x):
        self.count += 1
        self.mean += (x - self.mean) / self.count

    def normalize(self, x):
        return (x - self.mean) / self.var

class Wrapper:
    def __init__(self):
        self.rms = RunningMeanStd()

    def observe(self, x):
        self.rms.update(x)
        return self.rms.normalize(x)

    def get_state(self):  # CKP207
        return {"mean": self.rms.mean, "var": self.rms.var}

    def set_state(self, state):
        self.rms.mean = state["mean"]
        self.rms.var = state["var"]
""",
    "a number beside a module that saves itself": TORCH
    + """
class Trainer(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.heat = 1.0
        self.opt = torch.optim.Adam(self.layer.parameters())

    def cool(self):
        self.heat *= 0.9
        self.opt.step()
        return self.layer.weight / self.heat

    def save(self, path):  # CKP207
        torch.save({"layer": self.layer.state_dict(), "opt": self.opt.state_dict()}, path)

    def restore(self, path):
        data = torch.load(path)
        self.layer.load_state_dict(data["layer"])
        self.opt.load_state_dict(data["opt"])
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_what_hooks_forget(case: Case) -> None:
    check_findings(case)


def test_message_names_the_heir() -> None:
    (finding,) = check_findings(FOUND["an heir in the same file"])
    assert "'waited' of Patient" in finding.message


def test_message_names_the_heir_only_where_it_inherits() -> None:
    (finding,) = check_findings(FOUND["files that hold an optimizer"])
    assert finding.message == (
        "'noise' is changed by act() but not in save(): after a load it starts over; save and restore it"
    )


def test_many_heirs_are_asked_up_to_a_bound() -> None:
    heirs = "".join(PATIENT.replace("Patient", f"Patient{index}") for index in range(MAX_HEIRS + 5))
    (finding,) = lint(COUNTER.format(mark="") + heirs)
    assert len(finding.related) == MAX_HEIRS
    assert "'waited' of Patient0 " in finding.message


def test_many_attributes_take_little_time() -> None:
    count = 800
    made = "".join(f"        self.a{index} = 0\n" for index in range(count))
    changed = "".join(
        f"\n    def m{index}(self, x):\n        self.a{index} += 1\n        return self.a{index} > x\n"
        for index in range(count)
    )
    hooks = """
    def state_dict(self):
        return {"a0": self.a0}

    def load_state_dict(self, state):
        self.a0 = state["a0"]
"""
    started = time.perf_counter()
    (finding,) = lint(f"class Wide:\n    def __init__(self):\n{made}{changed}{hooks}")
    assert len(finding.related) == count - 1
    assert time.perf_counter() - started < 20
