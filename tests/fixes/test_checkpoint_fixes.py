"""The traps of mending the two ends of a checkpoint."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.fixes.fixing import fixed

AGENT = """\
import torch
from torch import nn


class ObsNormalizer:
    def __init__(self):
        self.mean = torch.zeros(3)

    def update(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)

    def normalize(self, x):
        return x - self.mean

    def state_dict(self):
        return {"mean": self.mean}

    def load_state_dict(self, state):
        self.mean = state["mean"]


class Agent:
    def __init__(self):
        self.policy = nn.Linear(3, 1)
        self.obs_norm = ObsNormalizer()
        self.optimizer = torch.optim.Adam(self.policy.parameters())

    def act(self, x):
        self.obs_norm.update(x)
        loss = self.policy(self.obs_norm.normalize(x)).sum()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def save(self, path):
SAVE
    def load(self, path):
        checkpoint = torch.load(path)
LOAD

if __name__ == "__main__":
    agent = Agent()
    agent.load("agent.pt")
    for _ in range(10):
        agent.act(torch.rand(4, 3))
    agent.save("agent.pt")
"""
ENTRIES = {
    "policy": "self.policy.state_dict()",
    "obs_norm": "self.obs_norm.state_dict()",
    "optimizer": "self.optimizer.state_dict()",
}


def agent(*, saved: str = "policy obs_norm optimizer", loaded: str = "policy obs_norm optimizer") -> str:
    """Return a program that saves some keys and restores some."""
    entries = "".join(f'            "{key}": {ENTRIES[key]},\n' for key in saved.split())
    loads = "".join(f'        self.{key}.load_state_dict(checkpoint["{key}"])\n' for key in loaded.split())
    save = f"        checkpoint = {{\n{entries}        }}\n        torch.save(checkpoint, path)\n"
    return AGENT.replace("SAVE\n", save + "\n").replace("LOAD\n", loads)


def resumed_mean(text: str) -> float:
    """Return the statistics of an agent that a saved one was loaded into."""
    names: dict[str, type] = {}
    exec(compile(text, "model.py", "exec"), names)
    trained, fresh = names["Agent"](), names["Agent"]()
    trained.obs_norm.mean += 5.0
    with tempfile.TemporaryDirectory() as folder:
        trained.save(Path(folder) / "agent.pt")
        fresh.load(Path(folder) / "agent.pt")
    return float(fresh.obs_norm.mean[0])


def test_key_is_saved_where_the_others_are() -> None:
    done = fixed(agent(saved="policy optimizer"), "CKP201")
    assert done.text == agent(saved="policy optimizer obs_norm")
    assert (done.only.safety, done.only.note) == (
        "unsafe",
        "adds to the file; files written before still lack it",
    )
    assert resumed_mean(done.text) == 5.0


def test_key_is_restored_where_the_others_are() -> None:
    done = fixed(agent(loaded="policy optimizer"), "CKP203")
    assert done.text == agent(loaded="policy optimizer obs_norm")
    assert done.only.safety == "unsafe"
    assert resumed_mean(done.text) == 5.0


def test_state_that_is_saved_under_a_condition_is_restored_under_one() -> None:
    source = agent(saved="policy optimizer", loaded="policy optimizer").replace(
        "        torch.save(checkpoint",
        '        if self.obs_norm:\n            checkpoint["obs_norm"] = self.obs_norm.state_dict()\n'
        "        torch.save(checkpoint",
    )
    done = fixed(source, "CKP203")
    assert (
        '        if "obs_norm" in checkpoint:\n'
        '            self.obs_norm.load_state_dict(checkpoint["obs_norm"])\n'
    ) in done.text
    assert resumed_mean(done.text) == 5.0


def test_load_of_another_class_is_only_shown() -> None:
    source = agent(saved="policy optimizer").replace("def load(self, path)", "def load(self, path, other)")
    source = source.replace("self.obs_norm.load_state_dict(", "other.obs_norm.load_state_dict(")
    done = fixed(source, "CKP201")
    assert (done.text, done.only.safety) == (source, "shown")
    assert done.only.code == '"obs_norm": other.obs_norm.state_dict(),'


def test_spelling_of_the_save_is_read() -> None:
    source = agent(loaded="policy obs_norm").replace(
        '        self.obs_norm.load_state_dict(checkpoint["obs_norm"])\n',
        '        self.obs_norm.load_state_dict(checkpoint["obs_norm"])\n'
        '        if "optimiser" in checkpoint:\n'
        '            self.optimizer.load_state_dict(checkpoint["optimiser"])\n',
    )
    done = fixed(source, "CKP202")
    assert "optimiser" not in done.text
    assert "read 'optimizer', which is saved, instead of 'optimiser'" in done.only.title
    assert resumed_mean(done.text) == 5.0


def test_object_in_no_file_is_shown_in_its_own_name() -> None:
    done = fixed(agent(saved="policy optimizer", loaded="policy optimizer"), "CKP204")
    assert done.only.safety == "shown"
    assert done.only.code == (
        '"obs_norm": self.obs_norm.state_dict(),  # where the checkpoint is made\n'
        'self.obs_norm.load_state_dict(checkpoint["obs_norm"])  # where it is read'
    )


PREFIX = """\
from torch import nn


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.steps = 0

    def state_dict(self, *args, SIGNATURE):
        state = super().state_dict(*args, prefix=PREFIX)
        state["steps"] = self.steps
        return state
"""


@pytest.mark.parametrize(("signature", "safety"), [('prefix="", **more', "unsafe"), ("**more", "shown")])
def test_prefix_must_be_a_parameter(signature: str, safety: str) -> None:
    source = PREFIX.replace("SIGNATURE", signature).replace("=PREFIX", "=''")
    done = fixed(source, "CKP217")
    assert done.only.safety == safety
    assert ('state[prefix + "steps"]' in done.text) == (safety == "unsafe")


PASSED_ON = """\
import torch
from torch import nn


class Agent:
    def __init__(self):
        self.network = nn.Linear(3, 1)

    def save(self, path, metadata=None):
        checkpoint = {"network": self.network.state_dict()}
        if metadata:
            checkpoint["metadata"] = metadata
        torch.save(checkpoint, path)

    def load(self, path):
        checkpoint = torch.load(path)
        self.network.load_state_dict(checkpoint["network"])
        return checkpoint.get("metadata", {})


class ObservationNormalizer:
    def __init__(self):
        self.mean = torch.zeros(3)

    def update(self, batch):
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(dim=0)

    def normalize(self, batch):
        return batch - self.mean


def train(path, resume):
    agent, normalizer = Agent(), ObservationNormalizer()
    if resume:
        metadata = agent.load(path)
        if "obs_mean" in metadata:
            normalizer.mean = metadata["obs_mean"]
    for _ in range(50):
        batch = torch.full((8, 3), 5.0)
        normalizer.update(batch)
        agent.network(normalizer.normalize(batch))
    agent.save(path)
"""


def test_argument_that_holds_the_keys_is_not_one_of_them() -> None:
    done = fixed(PASSED_ON, "CKP201")
    assert (done.only.safety, done.only.code) == ("shown", 'metadata={"obs_mean": normalizer.mean}')
