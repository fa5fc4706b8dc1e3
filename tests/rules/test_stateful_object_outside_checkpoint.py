"""CKP204: training updates an object that neither save nor load mentions."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

NORMALIZER = """
class RunningScale:
    def __init__(self):
        self.mean = 0.0
        self.m2 = 0.0
        self.count = 0

    def update(self, reward):
        self.count += 1
        delta = reward - self.mean
        self.mean += delta / self.count
        self.m2 += delta * (reward - self.mean)

    def normalize(self, reward):
        return (reward - self.mean) / ((self.m2 / max(self.count, 1)) ** 0.5 + 1e-8)

    def state_dict(self):
        return {"mean": self.mean, "m2": self.m2, "count": self.count}

    def load_state_dict(self, state):
        self.mean = state["mean"]
        self.m2 = state["m2"]
        self.count = state["count"]
"""
AVERAGE = """
class MovingAverage:
    def __init__(self, model, decay=0.999):
        self.decay = decay
        self.shadow = {name: value.clone() for name, value in model.state_dict().items()}

    def update(self, model):
        for name, value in model.state_dict().items():
            self.shadow[name] = self.decay * self.shadow[name] + (1 - self.decay) * value

    def copy_to(self, model):
        model.load_state_dict(self.shadow)

    def state_dict(self):
        return {"shadow": self.shadow}

    def load_state_dict(self, state):
        self.shadow = state["shadow"]
"""
NOISE = """
class NoiseScheduler(nn.Module):
    def __init__(self, steps):
        super().__init__()
        self.first, self.last, self.steps = 1e-4, 0.02, steps

    def step(self, sample, noise, timestep):
        return sample - (self.first + timestep * self.last / self.steps) * noise


"""
AGENT = """
import torch
from scale import RunningScale
from torch import nn


class Agent:
    def __init__(self):
        self.policy = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.policy.parameters())
        self.reward_scale = RunningScale()

    def learn(self, obs, reward):
        self.reward_scale.update(reward)
        self.optimizer.zero_grad()
        (-self.policy(obs).mean() * self.reward_scale.normalize(reward)).backward()
        self.optimizer.step()
"""
SAVE = """
    def save(self, path):
        torch.save({"policy": self.policy.state_dict(), "optimizer": self.optimizer.state_dict()}, path)
"""
LOAD = """
    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        self.optimizer.load_state_dict(payload["optimizer"])
"""
SAVE_ALL = """
    def save(self, path):
        payload = {"policy": self.policy.state_dict(), "optimizer": self.optimizer.state_dict()}
        payload["scale"] = self.reward_scale.state_dict()
        torch.save(payload, path)
"""
LOAD_ALL = LOAD + '        self.reward_scale.load_state_dict(payload["scale"])\n'
MAIN = """

def main(path, resume, samples):
    agent = Agent()
    if resume:
        agent.load(path)
    for obs, reward in samples:
        agent.learn(obs, reward)
    agent.save(path)
"""


def agent(code: str) -> dict[str, str]:
    """Return an agent with a normalizer of rewards, whose class is in another file."""
    return {"scale.py": NORMALIZER, "agent.py": AGENT + code}


def loop(*, make: str = "", step: str = "", payload: str = "", restore: str = "", save: str = "") -> str:
    """Return a script that resumes, trains and saves a model and its optimizer, and more if asked to."""
    return f"""
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR


def main(path, resume, batches):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
{make}
    if resume:
        state = torch.load(path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
{restore}
    for batch in batches:
        optimizer.zero_grad()
        model(batch).mean().backward()
        optimizer.step()
{step}
    payload = {{"model": model.state_dict(), "optimizer": optimizer.state_dict()}}
{payload}
    torch.save(payload, path){save}
"""


TRAINER = """
import torch
from torch import nn


class Trainer:
    def __init__(self):
        self.model = nn.Linear(8, 2)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.step = 0

    def train(self, batches, path):
        for batch in batches:
            self.optimizer.zero_grad()
            self.model(batch).sum().backward()
            self.optimizer.step()
            self.step += 1
        self.save(path)

    def save(self, path):
        torch.save({"step": self.step, "model": self.model.state_dict()}, path)

    def load(self, path):
        saved = torch.load(path)
        self.step = saved["step"]
        self.model.load_state_dict(saved["model"])
"""

SILENT: dict[str, Case] = {
    "an average of models that lightning fits one after another": {
        "averaging.py": AVERAGE,
        "train.py": """
from averaging import MovingAverage
from lightning.pytorch import Trainer
from model import Classifier


def main(path, loaders):
    trainer = Trainer(max_epochs=10)
    model = Classifier()
    average = MovingAverage(model)
    for loader in loaders:
        trainer.fit(model, loader)
        average.update(model)
    trainer.save_checkpoint(path)
""",
    },
    "a table of rewards that a lightning module only prints": """
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import nn


class Table:
    def __init__(self):
        self.rows = []

    def update(self, row):
        self.rows.append(row)


class Agent(LightningModule):
    def __init__(self):
        super().__init__()
        self.policy = nn.Linear(2, 1)
        self.rewards = Table()

    def training_step(self, batch, index):
        obs, reward = batch
        self.rewards.update(reward)
        return (-self.policy(obs) * reward).mean()

    def on_train_end(self):
        print(self.rewards.rows)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def main(loader, resume_path):
    trainer = Trainer(max_epochs=10)
    trainer.fit(Agent(), loader, ckpt_path=resume_path)
    trainer.save_checkpoint("last.ckpt")
""",
    "save puts all into a part of what it is given": agent(
        """
    def save(self, folder):
        from vendor import gather

        folder.files["agent"] = gather(self)

    def load(self, payload):
        self.policy.load_state_dict(payload["policy"])
        self.optimizer.load_state_dict(payload["optimizer"])
"""
        + MAIN
    ),
    "a program that fine-tunes hands all it trains to nobody": loop(
        make="    scheduler = StepLR(optimizer, 10)", step="        scheduler.step()"
    ).replace("def main", "def finetune"),
    "a library takes over what is trained": loop(
        make="""    scheduler = StepLR(optimizer, 10)
    model, optimizer, scheduler = accelerator.prepare(model, optimizer, scheduler)""",
        step="        scheduler.step()\n        accelerator.save_state(path)",
    ).replace("def main(path", "def main(accelerator, path"),
    "a scheduler that is made for the epoch to go on with": loop(
        make="    scheduler = StepLR(optimizer, 10, last_epoch=first)", step="        scheduler.step()"
    ),
    "a scheduler that is stepped up to the epoch": loop(
        make="    scheduler = StepLR(optimizer, 10)",
        restore="        for _ in range(resume):\n            scheduler.step()",
        step="        scheduler.step()",
    ),
    "a scheduler that multiplies the rate of an optimizer that is saved": loop(
        make="    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)",
        step="        scheduler.step()",
    ),
    "a schedule of diffusion": loop(
        make="    scheduler = NoiseScheduler(1000)",
        step="        scheduler.step(batch, model(batch), timestep=3)",
    ).replace("def main", NOISE + "def main"),
    "a scheduler that is told the epoch": loop(
        make="    scheduler = StepLR(optimizer, 10)", step="        scheduler.step(epoch)"
    ).replace("for batch in batches", "for epoch, batch in enumerate(batches)"),
    "a scheduler of a library that is made for the step to go on with": loop(
        make="    scheduler = Warmup(optimizer, last_step=first)", step="        scheduler.step()"
    ).replace("import torch\n", "import torch\nfrom warmup import Warmup\n", 1),
    "a temperature that may be a number": """
import torch
from torch import nn


class SoftActorCritic:
    def __init__(self, tune):
        self.actor = nn.Linear(2, 1)
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters())
        self.log_alpha = torch.zeros(1, requires_grad=True) if tune else 0.2
        self.alpha_optimizer = torch.optim.Adam([self.log_alpha])

    def learn(self, obs, entropy):
        self.actor_optimizer.zero_grad()
        self.actor(obs).mean().backward()
        self.actor_optimizer.step()
        self.alpha_optimizer.step()

    def save(self, path):
        payload = {
            "actor": self.actor.state_dict(),
            "actor_optimizer": self.actor_optimizer.state_dict(),
            "alpha_optimizer": self.alpha_optimizer.state_dict(),
        }
        torch.save(payload, path)

    def load(self, path):
        payload = torch.load(path)
        self.actor.load_state_dict(payload["actor"])
        self.actor_optimizer.load_state_dict(payload["actor_optimizer"])
        self.alpha_optimizer.load_state_dict(payload["alpha_optimizer"])


def main(path, resume, samples):
    agent = SoftActorCritic(True)
    if resume:
        agent.load(path)
    for obs, entropy in samples:
        agent.learn(obs, entropy)
    agent.save(path)
""",
    "only an evaluation restores, and a function of that name reads the settings": {
        "trainer.py": TRAINER.replace("def load", "def restore"),
        "plan.py": """
from trainer import Trainer


def main(path, observation):
    trainer = Trainer()
    trainer.restore(path)
    print(trainer.model(observation))
""",
        "train.py": """
from settings import restore
from trainer import Trainer


def train(path, batches):
    settings = restore(path)
    Trainer().train(batches, settings)
""",
    },
    "an object that is only shown to code that nobody knows": loop(
        make="    scheduler = StepLR(optimizer, 10)\n    draw(scheduler)", step="", save=""
    ),
    "a scheduler that is given to an object that may keep it": loop(
        make="    scheduler = StepLR(optimizer, 10)\n    keeper = Keeper(scheduler)",
        step="        scheduler.step()",
    ).replace("import torch\n", "import torch\nfrom keeping import Keeper\n", 1),
    "an object missing in a registry that no save reads": {
        "base.py": """
import torch


class Runner:
    def __init__(self):
        self.checkpoint_modules = {}

    def show(self):
        for name, module in self.checkpoint_modules.items():
            print(name, module)

    def save(self, path):
        torch.save({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}, path)
""",
        "runner.py": """
import torch
from base import Runner
from torch import nn
from torch.amp import GradScaler


class MixedPrecisionRunner(Runner):
    def __init__(self):
        super().__init__()
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.scaler = GradScaler()
        self.checkpoint_modules["model"] = self.model
        self.checkpoint_modules["optimizer"] = self.optimizer

    def train(self, batch):
        self.optimizer.zero_grad()
        self.scaler.scale(self.model(batch).mean()).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()


def main(batches):
    runner = MixedPrecisionRunner()
    for batch in batches:
        runner.train(batch)
    runner.show()
""",
    },
    "all are on both sides": loop(
        make="    scheduler = StepLR(optimizer, 10)",
        step="    scheduler.step()",
        payload='    payload["scheduler"] = scheduler.state_dict()',
        restore='        scheduler.load_state_dict(state["scheduler"])',
    ),
    "nothing resumes": agent(
        SAVE
        + """

def main(path, samples):
    agent = Agent()
    for obs, reward in samples:
        agent.learn(obs, reward)
    agent.save(path)
"""
    ),
    "what is loaded is only evaluated": agent(
        """
    def save(self, path):
        torch.save({"policy": self.policy.state_dict()}, path)

    def load(self, path):
        self.policy.load_state_dict(torch.load(path)["policy"])


def train(path, samples):
    agent = Agent()
    for obs, reward in samples:
        agent.learn(obs, reward)
    agent.save(path)


def evaluate(path, samples):
    agent = Agent()
    agent.load(path)
    return [agent.policy(obs) for obs, _ in samples]
"""
    ),
    "training starts from pretrained weights": """
import torch
from torch import nn


def main(pretrained, output, batches):
    model = nn.Linear(2, 1)
    model.load_state_dict(torch.load(pretrained))
    optimizer = torch.optim.Adam(model.parameters())
    for batch in batches:
        optimizer.zero_grad()
        model(batch).mean().backward()
        optimizer.step()
    torch.save(model.state_dict(), output)
""",
    "the scheduler is never stepped": loop(
        make="    scheduler = StepLR(optimizer, 10)\n    print(scheduler)"
    ),
    "an optimizer that lives for one call": loop(
        make="""
    def polish(sample):
        shift = torch.zeros(2, requires_grad=True)
        inner = torch.optim.SGD([shift], lr=0.1)
        for _ in range(3):
            inner.zero_grad()
            (sample + shift).square().sum().backward()
            inner.step()
        return shift.detach()
""",
        step="        polish(batch)",
    ),
    "the state has a file of its own": agent(
        """
    def save(self, folder):
        torch.save({"policy": self.policy.state_dict(), "optimizer": self.optimizer.state_dict()}, folder / "agent.pt")
        torch.save(self.reward_scale.state_dict(), folder / "scale.pt")

    def load(self, folder):
        payload = torch.load(folder / "agent.pt")
        self.policy.load_state_dict(payload["policy"])
        self.optimizer.load_state_dict(payload["optimizer"])
        self.reward_scale.load_state_dict(torch.load(folder / "scale.pt"))
"""
        + MAIN
    ),
    "the statistics are buffers of the saved model": """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(2)
        self.head = nn.Linear(2, 1)

    def forward(self, x):
        return self.head(self.norm(x))


def main(path, resume, batches):
    model = Net()
    optimizer = torch.optim.Adam(model.parameters())
    if resume:
        state = torch.load(path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    for batch in batches:
        optimizer.zero_grad()
        model(batch).mean().backward()
        optimizer.step()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
""",
    "a part of the payload is not known": agent(
        """
    def save(self, path):
        from vendor import collect

        payload = {"policy": self.policy.state_dict(), "optimizer": self.optimizer.state_dict()}
        payload.update(collect(self))
        torch.save(payload, path)

    def load(self, path):
        from vendor import restore

        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        self.optimizer.load_state_dict(payload["optimizer"])
        restore(self, payload)
"""
        + MAIN
    ),
    "the whole agent is pickled": agent(
        """

def main(path, resume, samples):
    agent = Agent()
    if resume:
        agent = torch.load(path, weights_only=False)
    for obs, reward in samples:
        agent.learn(obs, reward)
    torch.save(agent, path)
"""
    ),
    "accelerate saves what it has prepared": """
import torch
from accelerate import Accelerator
from torch import nn
from torch.optim.lr_scheduler import StepLR


def main(folder, resume, batches):
    accelerator = Accelerator()
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = StepLR(optimizer, 10)
    model, optimizer, scheduler = accelerator.prepare(model, optimizer, scheduler)
    if resume:
        accelerator.load_state(folder)
    for batch in batches:
        optimizer.zero_grad()
        accelerator.backward(model(batch).mean())
        optimizer.step()
        scheduler.step()
    accelerator.save_state(folder)
""",
    "lightning saves the optimizers": """
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import nn
from torch.optim.lr_scheduler import StepLR


class Regressor(LightningModule):
    def __init__(self):
        super().__init__()
        self.model = nn.Linear(2, 1)

    def training_step(self, batch, index):
        return self.model(batch).mean()

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        return [optimizer], [StepLR(optimizer, 10)]


def main(loader, resume_path):
    Trainer(max_epochs=10).fit(Regressor(), loader, ckpt_path=resume_path)
""",
    "stable baselines pickles the attributes": {
        "scale.py": NORMALIZER,
        "agent.py": """
from scale import RunningScale
from stable_baselines3 import PPO


class ScaledPPO(PPO):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.reward_scale = RunningScale()

    def scaled(self, reward):
        self.reward_scale.update(reward)
        return self.reward_scale.normalize(reward)


def main(env, path, resume):
    model = ScaledPPO.load(path, env=env) if resume else ScaledPPO("MlpPolicy", env)
    model.learn(10_000)
    model.save(path)
""",
    },
    "the base class saves what is registered": {
        "base.py": """
import torch


class Runner:
    def __init__(self):
        self.checkpoint_modules = {}

    def save(self, path):
        torch.save({name: module.state_dict() for name, module in self.checkpoint_modules.items()}, path)

    def load(self, path):
        for name, state in torch.load(path).items():
            self.checkpoint_modules[name].load_state_dict(state)
""",
        "runner.py": """
import torch
from base import Runner
from torch import nn


class PlainRunner(Runner):
    def __init__(self):
        super().__init__()
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.checkpoint_modules["model"] = self.model
        self.checkpoint_modules["optimizer"] = self.optimizer

    def train(self, batch):
        self.optimizer.zero_grad()
        self.model(batch).mean().backward()
        self.optimizer.step()


def main(path, resume, batches):
    runner = PlainRunner()
    if resume:
        runner.load(path)
    for batch in batches:
        runner.train(batch)
    runner.save(path)
""",
    },
    "a test saves a part": {
        **agent(SAVE_ALL + LOAD_ALL + MAIN),
        "tests/test_agent.py": """
import torch
from agent import Agent


def test_policy_goes_on(tmp_path):
    agent = Agent()
    torch.save({"policy": agent.policy.state_dict()}, tmp_path / "policy.pt")
    agent.policy.load_state_dict(torch.load(tmp_path / "policy.pt")["policy"])
    agent.learn(torch.ones(1, 2), 1.0)
""",
    },
    "a registry of numbers beside a save of weights": """
import torch
from torch import nn


class Learner:
    def __init__(self, chunks):
        self.actor = nn.Linear(8, 2)
        self.optimizer = torch.optim.Adam(self.actor.parameters())
        self.sizes = {}
        self.sizes["in"] = self.actor.in_features
        self.sizes["out"] = self.actor.out_features

    def learn(self, batch, path):
        self.optimizer.zero_grad()
        self.actor(batch).sum().backward()
        self.optimizer.step()
        for name, size in self.sizes.items():
            print(name, size)
        torch.save([self.actor.state_dict()], path)
""",
    "put into the list that the base class saves": """
import torch
from torch import nn


class Base:
    def __init__(self):
        self.epoch = 0
        self.optimizers = []

    def save(self, path):
        state = {"epoch": self.epoch, "model": self.model.state_dict(), "optimizers": []}
        for each in self.optimizers:
            state["optimizers"].append(each.state_dict())
        torch.save(state, path)

    def resume(self, path):
        state = torch.load(path)
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["model"])
        for each, saved in zip(self.optimizers, state["optimizers"]):
            each.load_state_dict(saved)


class Painter(Base):
    def __init__(self):
        super().__init__()
        self.model = nn.Linear(8, 2)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.optimizers.append(self.optimizer)

    def train(self, batches, path):
        for batch in batches:
            self.optimizer.zero_grad()
            self.model(batch).sum().backward()
            self.optimizer.step()
        self.epoch += 1
        self.save(path)
""",
    "a new training on the weights of an old one": {
        "finetune.py": """
import torch
from torch import nn


def main(source, target, batches):
    model = nn.Linear(8, 2)
    saved = torch.load(source)
    model.load_state_dict(saved["model"])
    epoch = saved["epoch"]
    optimizer = torch.optim.Adam(model.parameters())
    for batch in batches:
        optimizer.zero_grad()
        model(batch).sum().backward()
        optimizer.step()
    torch.save({"model": model.state_dict(), "epoch": epoch}, target)
""",
    },
    "only an evaluation loads": {
        "trainer.py": TRAINER,
        "serialization.py": """
from trainer import Trainer


def load_policy(path):
    trainer = Trainer()
    trainer.load(path)
    return trainer.model
""",
        "plan.py": """
from serialization import load_policy


def main(path, observation):
    print(load_policy(path)(observation))
""",
        "train.py": """
from trainer import Trainer


def main(path, batches):
    Trainer().train(batches, path)
""",
    },
}

FOUND: dict[str, Case] = {
    "a scheduler that multiplies a rate, and its optimizer in no file": loop(
        make="    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)",
        step="        scheduler.step()",
    )
    .replace(', "optimizer": optimizer.state_dict()', "")
    .replace('        optimizer.load_state_dict(state["optimizer"])\n', "")
    .replace("torch.save(payload, path)", "torch.save(payload, path)  # CKP204 CKP204"),
    "a normalizer that lightning leaves out": {
        "scale.py": NORMALIZER,
        "agent.py": """
import torch
from lightning.pytorch import LightningModule, Trainer
from scale import RunningScale
from torch import nn


class Agent(LightningModule):
    def __init__(self):
        super().__init__()
        self.policy = nn.Linear(2, 1)
        self.reward_scale = RunningScale()  # CKP204

    def training_step(self, batch, index):
        obs, reward = batch
        self.reward_scale.update(reward)
        return (-self.policy(obs) * self.reward_scale.normalize(reward)).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def main(loader, resume_path):
    trainer = Trainer(max_epochs=10)
    trainer.fit(Agent(), loader, ckpt_path=resume_path)
    trainer.save_checkpoint("last.ckpt")
""",
    },
    "a gradient scaler that a saved module steps itself": """
import torch
from torch import nn


class Learner(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(2, 1)
        self.scaler = torch.amp.GradScaler()

    def learn(self, batch, optimizer):
        optimizer.zero_grad()
        self.scaler.scale(self.head(batch).mean()).backward()
        self.scaler.step(optimizer)
        self.scaler.update()


class Trainer:
    def __init__(self):
        self.learner = Learner()
        self.optimizer = torch.optim.Adam(self.learner.parameters())

    def train(self, batches):
        for batch in batches:
            self.learner.learn(batch, self.optimizer)

    def save(self, path):
        torch.save({"learner": self.learner.state_dict(), "optimizer": self.optimizer.state_dict()}, path)  # CKP204

    def load(self, path):
        state = torch.load(path)
        self.learner.load_state_dict(state["learner"])
        self.optimizer.load_state_dict(state["optimizer"])


def main(path, resume, batches):
    trainer = Trainer()
    if resume:
        trainer.load(path)
    trainer.train(batches)
    trainer.save(path)
""",
    "two saves that forget the same": agent(
        SAVE.replace("}, path)", "}, path)  # CKP204")
        + SAVE.replace("def save", "def save_best")
        + LOAD
        + MAIN
    ),
    "the optimizer beside a gradient scaler that is saved": """
import torch
from torch import nn
from torch.amp import GradScaler


def main(path, resume, batches):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    scaler = GradScaler()
    if resume:
        state = torch.load(path)
        model.load_state_dict(state["model"])
        scaler.load_state_dict(state["scaler"])
    for batch in batches:
        optimizer.zero_grad()
        scaler.scale(model(batch).mean()).backward()
        scaler.step(optimizer)
        optimizer.step()
        scaler.update()
    torch.save({"model": model.state_dict(), "scaler": scaler.state_dict()}, path)  # CKP204
""",
    "an optimizer that a saved module steps itself": """
import torch
from torch import nn


class Learner(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(2, 1)
        self.head.load_state_dict(torch.load("head.pt"))
        self.inner_optimizer = torch.optim.Adam(self.head.parameters())

    def learn(self, batch):
        self.inner_optimizer.zero_grad()
        self.head(batch).mean().backward()
        self.inner_optimizer.step()


class Trainer:
    def __init__(self):
        self.learner = Learner()
        self.optimizer = torch.optim.Adam(self.learner.parameters())

    def train(self, batches):
        for batch in batches:
            self.learner.learn(batch)
            self.optimizer.step()

    def save(self, path):
        torch.save({"learner": self.learner.state_dict(), "optimizer": self.optimizer.state_dict()}, path)  # CKP204

    def load(self, path):
        state = torch.load(path)
        self.learner.load_state_dict(state["learner"])
        self.optimizer.load_state_dict(state["optimizer"])


def main(path, resume, batches):
    trainer = Trainer()
    if resume:
        trainer.load(path)
    trainer.train(batches)
    trainer.save(path)
""",
    "the normalizer of an agent": agent(SAVE.replace("}, path)", "}, path)  # CKP204") + LOAD + MAIN),
    "the normalizer of a script that calls the agent": {
        "scale.py": NORMALIZER,
        "agent.py": """
import torch
from torch import nn


class Agent:
    def __init__(self):
        self.policy = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.policy.parameters())

    def learn(self, obs, reward):
        self.optimizer.zero_grad()
        (-self.policy(obs).mean() * reward).backward()
        self.optimizer.step()
"""
        + SAVE
        + LOAD,
        "train.py": """
from agent import Agent
from scale import RunningScale


def train(path, resume, samples):
    agent = Agent()
    reward_scale = RunningScale()
    if resume:
        agent.load(path)
    for obs, reward in samples:
        reward_scale.update(reward)
        agent.learn(obs, reward_scale.normalize(reward))
    agent.save(path)  # CKP204
""",
    },
    "the optimizer": """
import torch
from torch import nn


def main(path, resume, epochs, batches):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    first = 0
    if resume:
        state = torch.load(path)
        model.load_state_dict(state["model"])
        first = state["epoch"] + 1
    for epoch in range(first, epochs):
        for batch in batches:
            optimizer.zero_grad()
            model(batch).mean().backward()
            optimizer.step()
        torch.save({"model": model.state_dict(), "epoch": epoch}, path)  # CKP204
""",
    "the scheduler": loop(
        make="    scheduler = StepLR(optimizer, 10)", step="        scheduler.step()", save="  # CKP204"
    ),
    "the gradient scaler": """
import torch
from torch import nn
from torch.amp import GradScaler


def main(path, resume, batches):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    scaler = GradScaler()
    if resume:
        state = torch.load(path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    for batch in batches:
        optimizer.zero_grad()
        scaler.scale(model(batch).mean()).backward()
        scaler.step(optimizer)
        scaler.update()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)  # CKP204
""",
    "the averaged weights": {
        "averaging.py": AVERAGE,
        "train.py": "from averaging import MovingAverage\n"
        + loop(
            make="    average = MovingAverage(model)", step="        average.update(model)", save="  # CKP204"
        ),
    },
    "a temperature whose optimizer is saved": """
import torch
from torch import nn


class SoftActorCritic:
    def __init__(self):
        self.actor = nn.Linear(2, 1)
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters())
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.alpha_optimizer = torch.optim.Adam([self.log_alpha])

    def learn(self, obs, entropy):
        self.actor_optimizer.zero_grad()
        (self.actor(obs).mean() - self.log_alpha.exp().detach() * entropy).backward()
        self.actor_optimizer.step()
        self.alpha_optimizer.zero_grad()
        (self.log_alpha.exp() * entropy).backward()
        self.alpha_optimizer.step()

    def save(self, path):
        payload = {
            "actor": self.actor.state_dict(),
            "actor_optimizer": self.actor_optimizer.state_dict(),
            "alpha_optimizer": self.alpha_optimizer.state_dict(),
        }
        torch.save(payload, path)  # CKP204

    def load(self, path):
        payload = torch.load(path)
        self.actor.load_state_dict(payload["actor"])
        self.actor_optimizer.load_state_dict(payload["actor_optimizer"])
        self.alpha_optimizer.load_state_dict(payload["alpha_optimizer"])


def main(path, resume, samples):
    agent = SoftActorCritic()
    if resume:
        agent.load(path)
    for obs, entropy in samples:
        agent.learn(obs, entropy)
    agent.save(path)
""",
    "a helper writes what its caller has built": {
        "files.py": """
import torch


def save_checkpoint(state, filename):
    torch.save(state, filename)
""",
        "train.py": "from files import save_checkpoint\n"
        + loop(
            make="    scheduler = StepLR(optimizer, 10)", step="        scheduler.step()", save="  # CKP204"
        ).replace("torch.save(payload", "save_checkpoint(payload"),
    },
    "an object missing in the registry of the base class": {
        "base.py": """
import torch


class Runner:
    def __init__(self):
        self.checkpoint_modules = {}

    def save(self, path):
        torch.save({name: module.state_dict() for name, module in self.checkpoint_modules.items()}, path)

    def load(self, path):
        for name, state in torch.load(path).items():
            self.checkpoint_modules[name].load_state_dict(state)
""",
        "runner.py": """
import torch
from base import Runner
from torch import nn
from torch.amp import GradScaler


class MixedPrecisionRunner(Runner):
    def __init__(self):
        super().__init__()
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.scaler = GradScaler()  # CKP204
        self.checkpoint_modules["model"] = self.model
        self.checkpoint_modules["optimizer"] = self.optimizer

    def train(self, batch):
        self.optimizer.zero_grad()
        self.scaler.scale(self.model(batch).mean()).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()


def main(path, resume, batches):
    runner = MixedPrecisionRunner()
    if resume:
        runner.load(path)
    for batch in batches:
        runner.train(batch)
    runner.save(path)
""",
    },
    "fabric": """
import torch
from lightning.fabric import Fabric
from torch import nn
from torch.optim.lr_scheduler import StepLR


def main(path, resume, batches):
    fabric = Fabric()
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = StepLR(optimizer, 10)
    model, optimizer = fabric.setup(model, optimizer)
    state = {"model": model, "optimizer": optimizer}
    if resume:
        fabric.load(path, state)
    for batch in batches:
        optimizer.zero_grad()
        fabric.backward(model(batch).mean())
        optimizer.step()
        scheduler.step()
    fabric.save(path, state)  # CKP204
""",
    "callbacks and a saver are given the trainer": """
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel


class Trainer:
    def __init__(self, saver, callbacks):
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.average = AveragedModel(self.model)
        self.saver = saver
        self.callbacks = callbacks

    def train(self, batches):
        for batch in batches:
            self.optimizer.zero_grad()
            self.model(batch).sum().backward()
            self.optimizer.step()
            self.average.update_parameters(self.model)
            for callback in self.callbacks:
                callback.on_batch(self, batch)
            self.saver.maybe_save(self)

    def checkpoint_state(self):
        return self.model.state_dict(), {"optimizer": self.optimizer.state_dict()}  # CKP204

    def restore(self, model, states):
        self.model.load_state_dict(model)
        self.optimizer.load_state_dict(states["optimizer"])
""",
    "a script loads and trains": {
        "trainer.py": TRAINER.replace("path)\n\n    def load", "path)  # CKP204\n\n    def load"),
        "train.py": """
from trainer import Trainer


def main(path, batches, resume):
    trainer = Trainer()
    if resume:
        trainer.load(path)
    trainer.train(batches, path)
""",
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_forgotten_objects(case: Case) -> None:
    check_findings(case)


def test_message_names_the_object() -> None:
    (finding,) = check_findings(FOUND["the normalizer of a script that calls the agent"])
    assert "'reward_scale'" in finding.message
    assert len(finding.message) <= 120


def test_message_says_what_kind_of_object_is_lost() -> None:
    (finding,) = check_findings(FOUND["a temperature whose optimizer is saved"])
    assert "tensor 'self.log_alpha'" in finding.message
