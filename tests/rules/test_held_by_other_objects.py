"""CKP204: a runner saves parts of what it holds, and forgets others that the held object updates."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

ALGORITHM = """
import torch


class Distiller:
    def __init__(self, student, teacher):
        self.student = student
        self.teacher = teacher
        self.student_opt = torch.optim.Adam(self.student.parameters())
        self.teacher_opt = torch.optim.Adam(self.teacher.parameters())

    def choose(self, obs):
        return self.student(obs)

    def finish(self, last):
        return last

    def improve(self, batch):
        self.student_opt.zero_grad()
        self.teacher_opt.zero_grad()
        (self.student(batch) - self.teacher(batch)).pow(2).mean().backward()
        self.student_opt.step()
        self.teacher_opt.step()
"""
RUNNER = """
import torch
from algorithm import *


class Runner:
    def __init__(self, env, config, nets):
        self.env = env
        {held}
        self.iteration = 0

    def go(self, count):
        while self.iteration < count:
            self.held.finish(self.held.choose(self.env.obs))
            self.held.improve(self.env.batch())
            self.iteration += 1
        self.write("last.pt")

    def write(self, path):
        content = {{"iteration": self.iteration, "opt": self.held.student_opt.state_dict()}}
        content["student"] = self.held.student.state_dict()
        content["teacher"] = self.held.teacher.state_dict()
        {more}
        torch.save(content, path)

    def read(self, path):
        content = torch.load(path)
        self.iteration = content["iteration"]
        self.held.student_opt.load_state_dict(content["opt"])
        self.held.student.load_state_dict(content["student"])
        self.held.teacher.load_state_dict(content["teacher"])
        {back}
"""
REGISTRY = """
from runner import Runner


class Tasks:
    def __init__(self):
        self.known = {}

    def make(self, name, args):
        runner = Runner(self.known[name], args, args.nets)
        if args.resume:
            runner.read(args.path)
        return runner
"""
TRAIN = """
from tasks import Tasks


def main(args):
    runner = Tasks().make(args.name, args)
    runner.%s
"""


def project(held: str, *, more: str = "", back: str = "", call: str = "go(10)") -> dict[str, str]:
    """Return a runner that holds an algorithm, both in files of their own, made by a third and run by a fourth."""
    save = "torch.save(content, path)"
    runner = RUNNER.format(held=held, more=more, back=back).replace(
        save, save + ("" if more else "  # CKP204")
    )
    tasks = REGISTRY.replace("runner.read(", "runner.load(")
    runner = (
        runner.replace("def go(", "def learn(")
        .replace("def read(", "def load(")
        .replace("def write", "def save")
    )
    runner = runner.replace("self.write(", "self.save(")
    train = TRAIN % call.replace("go(", "learn(")
    return {"algorithm.py": ALGORITHM, "runner.py": runner, "tasks.py": tasks, "train.py": train}


def silent(files: dict[str, str]) -> dict[str, str]:
    """Return the same without a mark."""
    return {path: text.replace("  # CKP204", "") for path, text in files.items()}


BY_CLASS = "self.held = Distiller(*nets)"
BY_NAME = "self.held = eval(config.name)(*nets)"
ANNOTATED = "self.held: Distiller = config.kinds[config.name](*nets)"
OTHER = ALGORITHM.replace("Distiller", "Imitator")
TRAINER = """
import torch
from torch.optim.lr_scheduler import LRScheduler


class Trainer:
    def __init__(self, model, optimizer, scheduler: {kind} = None, resume=None):
        self.model = model
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.epoch = 0
        if resume:
            read(resume, self)

    def fit(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            self.model(batch).mean().backward()
            self.optimizer.step()
            self.scheduler.step()
            self.epoch += 1
        self.keep("last.pt")

    def keep(self, path):
        write({{"model": self.model.state_dict(), "opt": self.optimizer.state_dict(), "epoch": self.epoch}}, path){mark}


def write(content, path):
    torch.save(content, path)


def read(path, trainer):
    content = torch.load(path)
    trainer.model.load_state_dict(content["model"])
    trainer.optimizer.load_state_dict(content["opt"])
    trainer.epoch = content["epoch"]
"""
FACTORY = """
from torch import nn
from torch import optim
from trainer import Trainer


def make(config):
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters())
    scheduler = {made}
    return Trainer(model, optimizer, scheduler, config["resume"])


def main(config):
    make(config).fit(config["batches"])
"""
BASE = """
import torch
from torch import nn


class Base:
    def __init__(self, optimizer):
        self.net = nn.Linear(2, 1)
        self.optimizer = optimizer

    def make(self, net):
        made = torch.optim.Adam(net.parameters())
        {registered}
        return made

    def save(self, path):
        torch.save({{"net": self.net.state_dict(), "main": self.main.state_dict()}}, path){mark}

    def load(self, path):
        content = torch.load(path)
        self.net.load_state_dict(content["net"])
        self.main.load_state_dict(content["main"])

    def learn(self, batch):
        self.optimizer.zero_grad()
        self.main.zero_grad()
        self.net(batch).mean().backward()
        self.optimizer.step()
        self.main.step()
"""

SCALED = """
import torch

FIRST_SCALE = 2.0**16


class Stepper:
    def __init__(self, net, scale=FIRST_SCALE):
        self.net = net
        self.scale = scale
        self.opt = torch.optim.Adam(net.parameters())
        self.seen = 0

    def step(self, loss):
        self.opt.zero_grad()
        (loss * self.scale).backward()
        if any(each.grad.isinf().any() for each in self.net.parameters()):
            self.scale /= 2
            return
        self.opt.step()
        self.scale *= 1.001
        self.seen += 1
{more}
"""
LOOP = """
import torch
from stepper import Stepper


class Loop:
    def __init__(self, net, path=None):
        self.net = net
        self.stepper = Stepper(net)
        self.epoch = 0
        if path:
            self.resume(path)

    def run(self, batches):
        for batch in batches:
            self.stepper.step(self.net(batch).mean())
            self.epoch += 1
        self.keep("last.pt")

    def keep(self, path):
        state = {{"net": self.net.state_dict(), "opt": self.stepper.opt.state_dict(), "epoch": self.epoch}}
        {save}
        torch.save(state, path)

    def resume(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.stepper.opt.load_state_dict(state["opt"])
        self.epoch = state["epoch"]
        {load}
"""


def scaled(save: str = "pass", load: str = "pass", more: str = "", mark: str = "") -> dict[str, str]:
    """Return a loop that trains through a stepper with a loss scale of its own."""
    loop = LOOP.format(save=save, load=load).replace(
        "torch.save(state, path)", f"torch.save(state, path){mark}"
    )
    return {"stepper.py": SCALED.format(more=more), "loop.py": loop}


SCRIPT = """
import torch
from torch import nn


def main(config):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    if config.resume:
        state = torch.load(config.path)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
    {call}


def train(config, net, optimizer):
    scaler = torch.amp.GradScaler() if config.half else None
    for batch in config.batches:
        optimizer.zero_grad()
        scaler.scale(net(batch).mean()).backward()
        scaler.step(optimizer)
        scaler.update()
    torch.save({{"net": net.state_dict(), "optimizer": optimizer.state_dict()}}, config.path){mark}


if __name__ == "__main__":
    main(parse())
"""
WOUND = """
import torch
from torch import nn


def train(path, batches, resume, decay):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, decay)
    first = 0
    if resume:
        state = torch.load(path)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["epoch"]
    {wind}
    for epoch in range(first, 10):
        for batch in batches:
            optimizer.zero_grad()
            net(batch).mean().backward()
            optimizer.step()
        scheduler.step()
        torch.save({{"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}}, path){mark}


if __name__ == "__main__":
    train(*arguments())
"""

AVERAGED = """
import torch


class MovingAverage:
    def __init__(self, net, decay):
        self.net = net
        self.decay = decay
        self.shadow = [each.detach().clone() for each in net.parameters()]
        self.backup = []

    def update(self):
        for old, new in zip(self.shadow, self.net.parameters()):
            old.mul_(self.decay).add_(new.detach(), alpha=1 - self.decay)

    def apply(self):
        self.backup = [each.detach().clone() for each in self.net.parameters()]

    def restore(self):
        for new, old in zip(self.net.parameters(), self.backup):
            new.data.copy_(old)


class Fitter:
    def __init__(self, net, average: MovingAverage, path=None):
        self.net = net
        self.average = average
        self.opt = torch.optim.SGD(net.parameters(), lr=0.1)
        self.epoch = 0
        if path:
            self.load(path)

    def fit(self, batches, listeners):
        for batch in batches:
            self.opt.zero_grad()
            self.net(batch).mean().backward()
            self.opt.step()
            self.average.update()
        self.average.apply()
        self.score = self.net(batches[0])
        self.average.restore()
        self.save("last.pt", listeners)

    def save(self, path, listeners):
        for each in listeners:
            each.on_save(self)
        torch.save({{"net": self.net.state_dict(), "opt": self.opt.state_dict(), "epoch": self.epoch}}, path){mark}

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.opt.load_state_dict(state["opt"])
        self.epoch = state["epoch"]
"""
LISTENER = """
import torch


class Listener:
    def on_save(self, trainer):
        torch.save(trainer.average.shadow, "average.pt")
        {more}
"""
PARTS = """
import torch
from torch import nn


class Parts:
    def __init__(self, names):
        self.nets = {{name: nn.Linear(1, 1) for name in names}}
        self.opts = {{name: torch.optim.Adam(net.parameters()) for name, net in self.nets.items()}}
        self.schedules = [torch.optim.lr_scheduler.StepLR(each, 10) for each in self.opts.values()]

    def step(self, batch):
        for each in self.opts.values():
            each.zero_grad()
        sum(net(batch) for net in self.nets.values()).mean().backward()
        for each in self.opts.values():
            each.step()

    def end(self):
        for each in self.schedules:
            each.step()

    def save(self, path):
        state = {{f"net_{{name}}": net.state_dict() for name, net in self.nets.items()}}
        for name, each in self.opts.items():
            state[f"opt_{{name}}"] = each.state_dict()
        {more}
        torch.save(state, path){mark}

    def load(self, path):
        state = torch.load(path)
        for name, net in self.nets.items():
            net.load_state_dict(state[f"net_{{name}}"])
        for name, each in self.opts.items():
            each.load_state_dict(state[f"opt_{{name}}"])
        {back}


def main(config):
    parts = Parts(config.names)
    if config.resume:
        parts.load(config.path)
    for batch in config.batches:
        {step}
        parts.end()
    parts.save(config.path)
"""
FILES = """
import torch
from torch import nn


def keep(folder, net, opt, step):
    torch.save(net.state_dict(), f"{{folder}}/net{{step:06d}}.pt")
    torch.save(opt.state_dict(), f"{{folder}}/opt{{step:06d}}.pt")


def main(args):
    net = nn.Linear(2, 2)
    opt = torch.optim.Adam(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, 1e-3, 1000)
    step = args.step
    if step:
        net.load_state_dict(torch.load(f"{{args.folder}}/net{{step:06d}}.pt"))
        {back}
    while step < 1000:
        opt.zero_grad()
        net(torch.randn(2)).mean().backward()
        opt.step()
        schedule.step()
        step += 1
    keep(args.folder, net, opt, step){mark}


if __name__ == "__main__":
    main(arguments())
"""
METERED = TRAINER.replace("self.scheduler.step()", 'self.scheduler.step(batch["epoch_loss"], self.epoch)')

RESUMED = """
import torch
from torch import nn


class ModelEMA:
    def __init__(self, net):
        self.net = net
        self.mean = nn.Linear(2, 1)

    def update(self, net):
        for old, new in zip(self.mean.parameters(), net.parameters()):
            old.data.lerp_(new.data, 0.1)


def resume(path, net, optimizer, ema):
    state = torch.load(path)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    {back}
    return net, optimizer, ema


def main(config):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    ema = ModelEMA(net) if config.average else None
    if config.resume:
        net, optimizer, ema = resume(config.path, net, optimizer, ema)
    for batch in config.batches:
        optimizer.zero_grad()
        net(batch).mean().backward()
        optimizer.step()
        ema.update(net)
        state = {{"net": net.state_dict(), "optimizer": optimizer.state_dict()}}
        {save}
        torch.save(state, config.path){mark}


if __name__ == "__main__":
    main(parse())
"""

NAMED = """
import os
import torch


class Base:
    def __init__(self, args):
        self.folder = args.folder
        self.names = []
        self.tools = []

    def prepare(self, args):
        if args.go_on:
            self.fetch(args.epoch)

    def store(self, epoch):
        for name in self.names:
            net = getattr(self, "net_" + name)
            torch.save(net.cpu().state_dict(), os.path.join(self.folder, "%s_net_%s.pth" % (epoch, name))){mark}

    def fetch(self, epoch):
        for name in self.names:
            net = getattr(self, "net_" + name)
            net.load_state_dict(torch.load(os.path.join({folder}, "%s_net_%s.pth" % (epoch, name))))
"""
DERIVED = """
import torch
from base import Base
from torch import nn


class Pair(Base):
    def __init__(self, args):
        super().__init__(args)
        self.names = ["A"]
        self.net_A = nn.Linear(2, 1)
        self.tool = torch.optim.Adam(self.net_A.parameters())
        self.tools.append(self.tool)

    def improve_all(self, batch):
        self.tool.zero_grad()
        self.net_A(batch).mean().backward()
        self.tool.step()
"""
USED = """
from kinds import make


def main(args):
    model = make(args)
    model.prepare(args)
    for batch in args.batches:
        {use}
    model.store("last")


if __name__ == "__main__":
    main(arguments())
"""


def named(use: str, *, folder: str = "self.folder", mark: str = "") -> dict[str, str]:
    """Return a base class that keeps the networks of those that derive from it, by their names."""
    base = NAMED.format(folder=folder, mark=mark)
    names = {"prepare(": "setup(", "fetch(": "load_networks(", "store(": "save_networks("}
    files = {"base.py": base, "pair.py": DERIVED, "main.py": USED.format(use=use)}
    for old, new in names.items():
        files = {path: text.replace(old, new) for path, text in files.items()}
    return files


OWN_FILE = """
import torch
from torch import nn


class Fitter:
    def __init__(self, settings, folder):
        self.net = nn.Linear(3, 2)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=settings["lr"])
        self.folder = folder
        {read}

    def fit(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            self.net(batch).mean().backward()
            self.optimizer.step()
            self.keep()

    def use(self, batch):
        self.net.load_state_dict(torch.load(f"{{self.folder}}net.pt"))
        return self.net.eval()(batch)

    def keep(self):
        torch.save(self.net.state_dict(), f"{{self.folder}}net.pt"){mark}
"""
READ = 'if settings["go on"]:\n            self.net.load_state_dict(torch.load(f"{folder}net.pt"))'

LOADED = """
import torch
from torch import nn


class Fitter:
    def __init__(self, net):
        self.net = net
        self.opt = torch.optim.Adam(net.parameters())
        self.scaler = torch.cuda.amp.GradScaler()

    def fit(self, batches):
        for batch in batches:
            self.opt.zero_grad()
            self.scaler.scale(self.net(batch).mean()).backward()
            self.scaler.step(self.opt)
            self.scaler.update()

    def write(self, path):
        torch.save({{"net": self.net.state_dict(), "opt": self.opt.state_dict()}}, path){mark}

    {how}
        content = torch.load(path)
        {made}.net.load_state_dict(content["net"])
        {made}.opt.load_state_dict(content["opt"])
"""
PROGRAM = """
import torch
from fitter import Fitter


def main(net, batches, path):
    net.load_state_dict(torch.load("first.pt"))
    fitter = {make}
    fitter.fit(batches)
    fitter.write(path)
"""


def loaded(
    use: str, how: str = "def read(self, path):", made: str = "self", mark: str = ""
) -> dict[str, str]:
    """Return a class that reads what it writes, and a program that uses the class."""
    return {"fitter.py": LOADED.format(how=how, made=made, mark=mark), "main.py": use}


FACTORY_OF_OPTIMIZERS = """
import torch
from torch import nn


def built(part, rate):
    return torch.optim.Adam(part.parameters(), lr=rate)


class Algorithm:
    def __init__(self, config):
        self.nets = {held}
        self.nets["policy"] = nn.ModuleDict({{"body": nn.Linear(2, 1)}})
        self.opt = built(part=self.nets["policy"]["body"], rate=0.1)

    def improve(self, batch):
        self.opt.zero_grad()
        self.nets["policy"]["body"](batch).mean().backward()
        self.opt.step()

    def write(self, path):
        torch.save({{"opt": self.opt.state_dict(){save}}}, path){mark}

    def read(self, path):
        content = torch.load(path)
        self.opt.load_state_dict(content["opt"])
        {load}
"""
MOVED = """
import torch
from torch import nn


def built(net):
    return torch.optim.Adam(net.parameters())


class Solver:
    def __init__(self, net, opt, device):
        self.net = net.to(device)
        self.opt = opt

    def fit(self, batches):
        for batch in batches:
            self.opt.zero_grad()
            self.net(batch).mean().backward()
            self.opt.step()

    def write(self, path):
        torch.save({{"opt": self.opt.state_dict(){save}}}, path){mark}

    def read(self, path):
        content = torch.load(path)
        self.opt.load_state_dict(content["opt"])
        {load}


def main(config, device, batches, path):
    net = nn.Sequential(*config.layers)
    solver = Solver(net, built(net), device)
    solver.read(path)
    solver.fit(batches)
    solver.write(path)
"""
EVOLVED = """
import copy

import torch
from torch import nn


class Population:
    def __init__(self, net, critic, size):
        self.net = net
        self.critic = critic
        self.opt = torch.optim.Adam(net.parameters())
        self.critic_opt = torch.optim.Adam(critic.parameters())
        self.parents = [copy.deepcopy(self.opt.state_dict()) for _ in range(size)]

    def improve(self, batch):
        self.opt.zero_grad()
        self.critic_opt.zero_grad()
        self.critic(self.net(batch)).mean().backward()
        self.opt.step()
        self.critic_opt.step()

    def choose(self, index):
        self.opt.load_state_dict(self.parents[index])

    def evolve(self, batches):
        children = list(self.parents)
        for index, batch in enumerate(batches):
            self.improve(batch)
            children[index] = copy.deepcopy(self.opt.state_dict())
        self.parents = children
"""
STATIC = "@staticmethod\n    def read(net, path):\n        fitter = Fitter(net)"


SILENT: dict[str, Case] = {
    "weights that are read back for use": OWN_FILE.format(read="pass", mark=""),
    "weights of another file": OWN_FILE.format(read=READ.replace("net.pt", "best.pt"), mark=""),
    "networks by their names that are only used": named("print(model.net_A(batch))"),
    "networks by their names from elsewhere": named("model.improve_all(batch)", folder="args.first"),
    "a part of what is kept for a step is raised": """
import torch
from torch import nn


class Step:
    def __init__(self):
        self.reward = 0.0


class Agent:
    def __init__(self):
        self.net = nn.Linear(2, 1)
        self.bonus = nn.Linear(2, 1)
        self.step = Step()
        self.tool = torch.optim.Adam([*self.net.parameters(), *self.bonus.parameters()])

    def learn(self, batch):
        self.step.reward += self.bonus(batch)
        self.tool.zero_grad()
        (self.net(batch) * self.step.reward).mean().backward()
        self.tool.step()

    def save(self, path):
        state = {"net": self.net.state_dict(), "bonus": self.bonus.state_dict()}
        torch.save({**state, "tool": self.tool.state_dict()}, path)

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.bonus.load_state_dict(state["bonus"])
        self.tool.load_state_dict(state["tool"])
""",
    "a part is saved of what a resume may give back": RESUMED.format(
        back='ema.mean.load_state_dict(state["mean"])', save='state["mean"] = ema.mean.state_dict()', mark=""
    ),
    "a listener keeps the average": {
        "fitter.py": AVERAGED.format(mark=""),
        "listener.py": LISTENER.format(more='torch.save(trainer.average.state_dict(), "state.pt")'),
    },
    "the schedules of a list are saved": PARTS.format(
        more='state["schedules"] = [each.state_dict() for each in self.schedules]',
        back='for each, kept in zip(self.schedules, state["schedules"]):\n            each.load_state_dict(kept)',
        step="parts.step(batch)",
        mark="",
    ),
    "parts that are only used after a load": PARTS.format(
        more="pass", back="pass", step="print(parts.nets)", mark=""
    ).replace("        parts.end()\n    parts.save(config.path)\n", ""),
    "a number of a held object is saved": scaled(
        'state["scale"] = self.stepper.scale',
        'self.stepper.scale = state["scale"]\n        self.stepper.seen = state["epoch"]',
    ),
    "a number is set to what goes on": scaled(load='self.stepper.scale = 2.0 ** state["epoch"]'),
    "a held object saves itself": scaled(
        'state["stepper"] = self.stepper.state_dict()',
        'self.stepper.load_state_dict(state["stepper"])',
        '\n    def state_dict(self):\n        return {"scale": self.scale, "seen": self.seen}\n'
        '\n    def load_state_dict(self, state):\n        self.scale = state["scale"]\n'
        '        self.seen = state["seen"]\n',
    ),
    "a held object is pickled": scaled('state["stepper"] = self.stepper', 'self.stepper = state["stepper"]'),
    "what counts does not train": {
        **scaled(
            'state["scale"] = self.stepper.scale',
            'self.stepper.scale = state["scale"]\n        self.world = World()',
        ),
        "world.py": "class World:\n    def __init__(self):\n        self.turns = 0\n\n"
        "    def step(self, action):\n        self.turns += 1\n        return action * self.turns\n",
    },
    "two objects that one call uses": """
import torch
from shapes import Shaper
from torch import nn


class Trainer:
    def __init__(self, path):
        self.net = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.net.parameters())
        self.shaper = Shaper()
        self.load(path)

    def play(self, net, batch, shaper):
        return shaper.shape(net(batch))

    def train(self, batches, path):
        for batch in batches:
            self.optimizer.zero_grad()
            loss = self.play(self.net, batch, self.shaper)
            loss.backward()
            self.optimizer.step()
        torch.save({"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}, path)

    def load(self, path):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
""",
    "each turn of a loop trains something else": SCRIPT.format(
        call="for fold in config.folds:\n        train(fold, net, optimizer)", mark=""
    ),
    "the scheduler is set to the epoch": WOUND.format(wind="scheduler.last_epoch = first - 1", mark=""),
    "everything that is held is saved": silent(
        project(
            BY_CLASS,
            more='content["other"] = self.held.teacher_opt.state_dict()',
            back='self.held.teacher_opt.load_state_dict(content["other"])',
        )
    ),
    "everything of a class chosen by name is saved": silent(
        project(
            BY_NAME,
            more='content["other"] = self.held.teacher_opt.state_dict()',
            back='self.held.teacher_opt.load_state_dict(content["other"])',
        )
    ),
    "two classes fit a class chosen by name": silent({**project(BY_NAME), "other.py": OTHER}),
    "the program only plays": silent(
        project(BY_CLASS, call="held.student.load_state_dict(torch.load(args.path))")
    ),
    "what is held by a class chosen by name has few names": silent(
        {
            **project(BY_NAME),
            "runner.py": "import torch\n\n\nclass Runner:\n    def __init__(self, env, config, nets):\n"
            "        self.held = eval(config.name)(*nets)\n\n    def learn(self, batch):\n"
            "        self.held.improve(batch)\n        torch.save(self.held.student.state_dict(), 'last.pt')\n\n"
            "    def load(self, path):\n        self.held.student.load_state_dict(torch.load(path))\n",
        }
    ),
    "the scheduler that a parameter promises is never stepped": {
        "trainer.py": TRAINER.format(kind="LRScheduler", mark="").replace(
            "            self.scheduler.step()\n", ""
        ),
        "main.py": FACTORY.format(made="config['make'](optimizer)"),
    },
    "the caller saves what a constructor was given": {
        "base.py": BASE.format(registered="", mark=""),
        "agent.py": "import torch\nfrom base import Base\n\n\nclass Agent(Base):\n    def __init__(self, other):\n"
        "        super().__init__(other)\n        self.main = self.make(self.net)\n\n\n"
        "def train(path, resume, net):\n    other = torch.optim.Adam(net.parameters())\n    agent = Agent(other)\n"
        "    if resume:\n        agent.load(path)\n        more = torch.load(path + '.other')\n"
        "        net.load_state_dict(more['net'])\n        other.load_state_dict(more['opt'])\n"
        "    agent.learn(1)\n    agent.save(path)\n"
        "    torch.save({'net': net.state_dict(), 'opt': other.state_dict()}, path + '.other')\n",
    },
    "a load that no program calls": loaded(PROGRAM.format(make="Fitter(net)")),
    "a load by the class that no program calls": loaded(
        PROGRAM.format(make="Fitter(net)"), how=STATIC, made="fitter"
    ),
    "programs use another class of the name": {
        "old.py": LOADED.format(how="def read(self, path):", made="self", mark=""),
        "fitter.py": "class Fitter:\n    def __init__(self, net):\n        self.net = net\n\n"
        "    def fit(self, batches):\n        self.net.train()\n\n    def read(self, path):\n        pass\n",
        "main.py": PROGRAM.format(make="Fitter(net)").replace(
            "fitter.fit", "fitter.read(path)\n    fitter.fit"
        ),
    },
    "a network in a container that is saved": FACTORY_OF_OPTIMIZERS.format(
        held="nn.ModuleDict()",
        save=', "nets": self.nets.state_dict()',
        load='self.nets.load_state_dict(content["nets"])',
        mark="",
    ),
    "a network that is moved is saved": MOVED.format(
        save=', "net": self.net.state_dict()', load='self.net.load_state_dict(content["net"])', mark=""
    ),
    "states that stay in memory": EVOLVED,
}

FOUND: dict[str, Case] = {
    "a load that a program calls": loaded(
        PROGRAM.format(make="Fitter(net)").replace("fitter.fit", "fitter.read(path)\n    fitter.fit"),
        mark="  # CKP204",
    ),
    "a load of a library": loaded("", mark="  # CKP204"),
    "a network in a container that nobody saves": FACTORY_OF_OPTIMIZERS.format(
        held="nn.ModuleDict()", save="", load="pass", mark="  # CKP204"
    ),
    "a network that is moved is not saved": MOVED.format(save="", load="pass", mark="  # CKP204"),
    "weights that a constructor reads back": OWN_FILE.format(read=READ, mark="  # CKP204"),
    "weights that a constructor reads back for a program": OWN_FILE.format(read=READ, mark="  # CKP204")
    + "\n\ndef main(settings, batches):\n    Fitter(settings, 'out/').fit(batches)\n",
    "a list of optimizers beside networks by their names": named(
        "model.improve_all(batch)", mark="  # CKP204"
    ),
    "an average that a resume only hands through": RESUMED.format(
        back="pass", save="pass", mark="  # CKP204"
    ),
    "an average that lends its weights": AVERAGED.format(mark="  # CKP204"),
    "the schedules of a list": PARTS.format(
        more="pass", back="pass", step="parts.step(batch)", mark="  # CKP204"
    ),
    "only the weights of files are read back": FILES.format(back="pass", mark="  # CKP204").replace(
        '.pt")\n\n\n', '.pt")  # CKP203\n\n\n'
    ),
    "a schedule beside files of one object each": FILES.format(
        back='opt.load_state_dict(torch.load(f"{args.folder}/opt{step:06d}.pt"))', mark="  # CKP204"
    ),
    "a scheduler that is told a measure and the epoch": {
        "trainer.py": METERED.format(kind="LRScheduler", mark="  # CKP204"),
        "main.py": FACTORY.format(made="config['make'](optimizer)"),
    },
    "a loss scale": scaled(mark="  # CKP204"),
    "a loss scale beside what is saved of the same object": scaled(
        'state["lr"] = self.stepper.opt.param_groups[0]["lr"]', mark="  # CKP204"
    ),
    "an object of a function on the way": SCRIPT.format(
        call="train(config, net, optimizer)", mark="  # CKP204"
    ),
    "a function that restores for itself in a loop": WOUND.format(wind="pass", mark="  # CKP204").replace(
        "    train(*arguments())", "    for each in arguments():\n        train(*each)"
    ),
    "a scheduler of a function on the way": WOUND.format(wind="pass", mark="  # CKP204"),
    "of a class by its name": project(BY_CLASS),
    "of a class that a configuration names": project(BY_NAME),
    "of a class that an annotation tells": {**project(ANNOTATED), "other.py": OTHER},
    "of several classes": {
        **project("self.held = Distiller(*nets) if config.both else Imitator(*nets)"),
        "algorithm.py": ALGORITHM + OTHER.replace("\nimport torch\n", ""),
    },
    "a scheduler that a parameter promises": {
        "trainer.py": TRAINER.format(kind="LRScheduler", mark="  # CKP204"),
        "main.py": FACTORY.format(made="config['make'](optimizer)"),
    },
    "a scheduler of a constructor that resumes": {
        "trainer.py": TRAINER.format(kind="object", mark="  # CKP204"),
        "main.py": FACTORY.format(made="optim.lr_scheduler.StepLR(optimizer, 1)"),
    },
    "an optimizer that a derived class gives to its base": {
        "base.py": BASE.format(registered="", mark="  # CKP204"),
        "agent.py": "import torch\nfrom base import Base\n\n\nclass Agent(Base):\n    def __init__(self, net):\n"
        "        super().__init__(torch.optim.Adam(net.parameters()))\n        self.main = self.make(self.net)\n\n\n"
        "def train(path, resume, net):\n    agent = Agent(net)\n"
        "    if resume:\n        agent.load(path)\n    agent.learn(1)\n    agent.save(path)\n",
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_forgotten_parts(case: Case) -> None:
    check_findings(case)
