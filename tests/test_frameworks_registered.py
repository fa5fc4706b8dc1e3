"""CKP204: objects that are trained beside those that a library saves, because these were given to it."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

NORMALIZER = """
import torch
from torch import nn


class RunningMeanStd:
    def __init__(self):
        self.mean = torch.zeros(4)
        self.var = torch.ones(4)
        self.count = 0

    def update(self, batch):
        self.count += 1
        self.mean = self.mean + (batch.mean(0) - self.mean) / self.count
        self.var = self.var + (batch.var(0) - self.var) / self.count

    def normalize(self, batch):
        return (batch - self.mean) / self.var.sqrt()

    def state_dict(self):
        return {"mean": self.mean, "var": self.var, "count": self.count}

    def load_state_dict(self, state):
        self.mean, self.var, self.count = state["mean"], state["var"], state["count"]
"""
ACCELERATE = (
    NORMALIZER
    + """
from accelerate import Accelerator


def main(path, data, resume):
    accelerator = Accelerator()
    policy = nn.Linear(4, 2)
    normalizer = RunningMeanStd()
    optimizer = torch.optim.Adam(policy.parameters())
    policy, optimizer = accelerator.prepare(policy, optimizer)
    if resume:
        accelerator.load_state(path)
    for batch in data:
        normalizer.update(batch)
        accelerator.backward(policy(normalizer.normalize(batch)).sum())
        optimizer.step()
        accelerator.save_state(path)  # CKP204
"""
)
DEEPSPEED = (
    NORMALIZER
    + """
import deepspeed


def main(path, data, resume, args):
    policy = nn.Linear(4, 2)
    normalizer = RunningMeanStd()
    engine, optimizer, _, _ = deepspeed.initialize(args=args, model=policy)
    step = 0
    if resume:
        _, client_state = engine.load_checkpoint(path)
        step = client_state["step"]
    for batch in data:
        step += 1
        normalizer.update(batch)
        engine.backward(engine(normalizer.normalize(batch)).sum())
        engine.step()
        engine.save_checkpoint(path, client_state={"step": step})  # CKP204
"""
)
LIGHTNING = (
    NORMALIZER
    + """
import lightning as L


class Agent(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.policy = nn.Linear(4, 2)
        self.normalizer = RunningMeanStd()  # CKP204

    def training_step(self, batch):
        self.normalizer.update(batch)
        return self.policy(self.normalizer.normalize(batch)).sum()

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())


def main(path, data, resume):
    trainer = L.Trainer()
    trainer.fit(Agent(), data, ckpt_path=path if resume else None)
    trainer.save_checkpoint(path)
"""
)
COMPOSER = (
    NORMALIZER
    + """
from composer import Trainer
from composer.models import ComposerModel


class Agent(ComposerModel):
    def __init__(self):
        super().__init__()
        self.policy = nn.Linear(4, 2)
        self.normalizer = RunningMeanStd()  # CKP204

    def forward(self, batch):
        self.normalizer.update(batch)
        return self.policy(self.normalizer.normalize(batch))

    def loss(self, outputs, batch):
        return outputs.sum()


def main(path, data, resume):
    trainer = Trainer(model=Agent(), train_dataloader=data, load_path=resume)
    trainer.fit()
    trainer.save_checkpoint(path)
"""
)
TRAINER = (
    NORMALIZER
    + """
from transformers import Trainer


class PolicyTrainer(Trainer):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.normalizer = RunningMeanStd()  # CKP204

    def compute_loss(self, model, inputs, return_outputs=False):
        self.normalizer.update(inputs["x"])
        return model(self.normalizer.normalize(inputs["x"])).sum()


def main(policy, data, resume):
    trainer = PolicyTrainer(model=policy, train_dataset=data)
    trainer.train(resume_from_checkpoint=resume)
    trainer.save_model()
"""
)
QUIET = {
    name: text.replace("  # CKP204", "")
    for name, text in {"a": ACCELERATE, "c": COMPOSER, "d": DEEPSPEED, "l": LIGHTNING}.items()
}
SILENT: dict[str, Case] = {
    "the normalizer is registered too": QUIET["a"].replace(
        "    if resume:", "    accelerator.register_for_checkpointing(normalizer)\n    if resume:"
    ),
    "the normalizer is prepared too": QUIET["a"].replace(
        "policy, optimizer = accelerator.prepare(policy, optimizer)",
        "policy, optimizer, normalizer = accelerator.prepare(policy, optimizer, normalizer)",
    ),
    "the normalizer has a file of its own": QUIET["a"].replace(
        "accelerator.save_state(path)",
        'accelerator.save_state(path)\n        torch.save(normalizer.state_dict(), path + "/normalizer.pt")',
    ),
    "nothing is resumed": QUIET["a"].replace("accelerator.load_state(path)", "pass"),
    "the client state holds the normalizer": QUIET["d"].replace(
        '{"step": step}', '{"step": step, "normalizer": normalizer.state_dict()}'
    ),
    "an engine of another library saves": QUIET["d"].replace("engine.", "motor."),
    "a hook of the module takes the normalizer along": QUIET["l"].replace(
        "    def configure_optimizers",
        "    def on_save_checkpoint(self, checkpoint):\n"
        "        checkpoint['normalizer'] = self.normalizer.state_dict()\n\n"
        "    def on_load_checkpoint(self, checkpoint):\n"
        "        self.normalizer.load_state_dict(checkpoint['normalizer'])\n\n"
        "    def configure_optimizers",
    ),
    "the normalizer is a module": QUIET["l"]
    .replace("class RunningMeanStd:", "class RunningMeanStd(nn.Module):")
    .replace("    def __init__(self):\n", "    def __init__(self):\n        super().__init__()\n", 1)
    .replace("self.mean = torch.zeros(4)", "self.register_buffer('mean', torch.zeros(4))")
    .replace("self.var = torch.ones(4)", "self.register_buffer('var', torch.ones(4))")
    .replace("self.count = 0", "self.register_buffer('count', torch.zeros(()))"),
    "the extra state of the model holds the normalizer": QUIET["c"].replace(
        "    def loss",
        "    def get_extra_state(self):\n"
        "        return self.normalizer.state_dict()\n\n"
        "    def set_extra_state(self, state):\n"
        "        self.normalizer.load_state_dict(state)\n\n"
        "    def loss",
    ),
    "a trainer of composer begins anew": QUIET["c"].replace(", load_path=resume", ""),
    "nobody goes on from a checkpoint": QUIET["l"].replace(", ckpt_path=path if resume else None", ""),
}
FOUND: dict[str, Case] = {
    "beside what an accelerator saves": ACCELERATE,
    "beside what an engine of deepspeed saves": DEEPSPEED,
    "beside what a trainer of composer saves of a model": COMPOSER,
    "beside what Lightning saves of a module": LIGHTNING,
    "beside what a trainer of transformers saves": TRAINER,
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_object_beside_registered_ones_is_found(case: Case) -> None:
    check_findings(case)
