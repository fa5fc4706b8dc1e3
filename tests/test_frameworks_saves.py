"""One program for each way to save the same agent: what its checkpoint leaves out is seen, whatever wrote it."""

from __future__ import annotations

from textwrap import indent
from typing import NamedTuple

import pytest

from tests.rule_cases import lint


class Way(NamedTuple):
    """What a program imports, how it saves `payload`, how it reads it back, and what its constructor needs."""

    imports: str
    save: str
    load: str
    init: str = ""


AGENT = """
import torch
from torch import nn
{imports}

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


class Agent:
    def __init__(self):
        self.policy = nn.Linear(4, 2)
        self.optimizer = torch.optim.Adam(self.policy.parameters())
        self.normalizer = RunningMeanStd()
{init}
    def learn(self, batch):
        self.normalizer.update(batch)
        self.policy(self.normalizer.normalize(batch)).sum().backward()
        self.optimizer.step()

    def save(self, path):
        payload = {{"policy": self.policy.state_dict(), "optimizer": self.optimizer.state_dict()}}
{save}

    def load(self, path):
{load}
        self.policy.load_state_dict(payload["policy"])
        self.optimizer.load_state_dict(payload["optimizer"])
        if "mean" in payload:
            self.normalizer.mean = payload["mean"]
            self.normalizer.var = payload["var"]


def main(path, resume):
    agent = Agent()
    if resume:
        agent.load(path)
    for _ in range(100):
        agent.learn(torch.randn(8, 4))
        agent.save(path)
"""
WAYS = {
    "torch.save": Way("", "torch.save(payload, path)", "payload = torch.load(path)"),
    "torch.save keywords": Way("", "torch.save(obj=payload, f=path)", "payload = torch.load(f=path)"),
    "torch.serialization.save": Way(
        "import torch.serialization",
        "torch.serialization.save(payload, path)",
        "payload = torch.serialization.load(path)",
    ),
    "pickle.dump": Way(
        "import pickle",
        """\
with open(path, "wb") as file:
    pickle.dump(payload, file)
""",
        """\
with open(path, "rb") as file:
    payload = pickle.load(file)
""",
    ),
    "pickle.dumps, write_bytes": Way(
        """\
import pickle
from pathlib import Path
""",
        "Path(path).write_bytes(pickle.dumps(payload))",
        "payload = pickle.loads(Path(path).read_bytes())",
    ),
    "pickle.dumps, file.write": Way(
        "import pickle",
        """\
with open(path, "wb") as file:
    file.write(pickle.dumps(payload))
""",
        """\
with open(path, "rb") as file:
    payload = pickle.loads(file.read())
""",
    ),
    "pickle.Pickler": Way(
        "import pickle",
        """\
with open(path, "wb") as file:
    pickle.Pickler(file).dump(payload)
""",
        """\
with open(path, "rb") as file:
    payload = pickle.Unpickler(file).load()
""",
    ),
    "joblib": Way("import joblib", "joblib.dump(payload, path)", "payload = joblib.load(path)"),
    "joblib keyword": Way(
        "import joblib", "joblib.dump(payload, filename=path)", "payload = joblib.load(path)"
    ),
    "dill": Way(
        "import dill",
        """\
with open(path, "wb") as file:
    dill.dump(payload, file)
""",
        """\
with open(path, "rb") as file:
    payload = dill.load(file)
""",
    ),
    "cloudpickle": Way(
        "import cloudpickle",
        """\
with open(path, "wb") as file:
    cloudpickle.dump(payload, file)
""",
        """\
with open(path, "rb") as file:
    payload = cloudpickle.load(file)
""",
    ),
    "cloudpickle.dumps": Way(
        """\
import cloudpickle
from pathlib import Path
""",
        "Path(path).write_bytes(cloudpickle.dumps(payload))",
        "payload = cloudpickle.loads(Path(path).read_bytes())",
    ),
    "np.savez(**payload)": Way(
        "import numpy as np", "np.savez(path, **payload)", "payload = np.load(path, allow_pickle=True)"
    ),
    "np.savez keywords": Way(
        "import numpy as np",
        "np.savez(file=path, policy=self.policy.state_dict(), optimizer=self.optimizer.state_dict())",
        "payload = np.load(path, allow_pickle=True)",
    ),
    "np.savez_compressed(**payload)": Way(
        "import numpy as np",
        "np.savez_compressed(path, **payload)",
        "payload = np.load(path, allow_pickle=True)",
    ),
    "np.save(object)": Way(
        "import numpy as np", "np.save(path, payload)", "payload = np.load(path, allow_pickle=True).item()"
    ),
    "safetensors.torch.save_file": Way(
        "from safetensors.torch import load_file, save_file",
        "save_file(payload, path)",
        "payload = load_file(path)",
    ),
    "safetensors.torch.save": Way(
        """\
from pathlib import Path
from safetensors.torch import load, save
""",
        "Path(path).write_bytes(save(payload))",
        "payload = load(Path(path).read_bytes())",
    ),
    "safetensors.numpy": Way(
        "from safetensors.numpy import load_file, save_file",
        "save_file(payload, path)",
        "payload = load_file(path)",
    ),
    "safetensors.numpy keyword": Way(
        "from safetensors.numpy import load_file, save_file",
        "save_file(tensor_dict=payload, filename=path)",
        "payload = load_file(path)",
    ),
    "Fabric, named fabric": Way(
        "from lightning.fabric import Fabric",
        "self.fabric.save(path, payload)",
        "payload = self.fabric.load(path)",
        "self.fabric = Fabric()",
    ),
    "Fabric, other name": Way(
        "from lightning.fabric import Fabric",
        "self.backend.save(path, payload)",
        "payload = self.backend.load(path)",
        "self.backend = Fabric()",
    ),
    "Accelerator.save, other name": Way(
        "from accelerate import Accelerator",
        "self.backend.save(payload, path)",
        "payload = torch.load(path)",
        "self.backend = Accelerator()",
    ),
    "accelerate.utils.save": Way(
        "from accelerate.utils import save", "save(payload, path)", "payload = torch.load(path)"
    ),
    "dcp.save": Way(
        "import torch.distributed.checkpoint as dcp",
        "dcp.save(payload, checkpoint_id=path)",
        """\
payload = {"policy": self.policy.state_dict(), "optimizer": self.optimizer.state_dict()}
payload.update(mean=self.normalizer.mean, var=self.normalizer.var)
dcp.load(payload, checkpoint_id=path)
""",
    ),
    "dcp.async_save": Way(
        "import torch.distributed.checkpoint as dcp",
        "dcp.async_save(payload, checkpoint_id=path)",
        """\
payload = {"policy": self.policy.state_dict(), "optimizer": self.optimizer.state_dict()}
payload.update(mean=self.normalizer.mean, var=self.normalizer.var)
dcp.load(payload, checkpoint_id=path)
""",
    ),
    "torch.package": Way(
        "from torch.package import PackageExporter, PackageImporter",
        """\
with PackageExporter(path) as exporter:
    exporter.save_pickle("agent", "agent.pkl", payload)
""",
        """\
payload = PackageImporter(path).load_pickle("agent", "agent.pkl")
""",
    ),
    "mlflow.pytorch.log_state_dict": Way(
        "import mlflow",
        """\
mlflow.pytorch.log_state_dict(payload, artifact_path="agent")
""",
        """\
payload = mlflow.pytorch.load_state_dict("agent")
""",
    ),
    "ray.train.Checkpoint.from_directory": Way(
        """\
import ray.train
import os
""",
        """\
torch.save(payload, os.path.join(path, "agent.pt"))
ray.train.report({}, checkpoint=ray.train.Checkpoint.from_directory(path))
""",
        """\
with ray.train.get_checkpoint().as_directory() as folder:
    payload = torch.load(os.path.join(folder, "agent.pt"))
""",
    ),
    "ray.train.Checkpoint.from_dict": Way(
        "import ray.train",
        "return ray.train.Checkpoint.from_dict(payload)",
        "payload = ray.train.Checkpoint.from_directory(path).to_dict()",
    ),
    "Orbax PyTreeCheckpointer, torch state": Way(
        "import orbax.checkpoint",
        "orbax.checkpoint.PyTreeCheckpointer().save(path, payload)",
        "payload = orbax.checkpoint.PyTreeCheckpointer().restore(path)",
    ),
}


def program(way: Way) -> str:
    """Return the program of an agent that saves in one way."""
    inner = " " * 8
    save, load, init = (indent(part, inner) for part in (way.save, way.load, way.init))
    return AGENT.format(imports=way.imports, save=save, load=load, init=f"{init}\n" if init else "")


def complete(way: Way) -> str:
    """Return the program of an agent that leaves nothing out."""
    rest = '"mean": self.normalizer.mean, "var": self.normalizer.var}'
    text = program(way)
    for state in ('"optimizer": self.optimizer.state_dict()}', "optimizer=self.optimizer.state_dict())"):
        keywords = rest.replace('"mean": ', "mean=").replace('"var": ', "var=").replace("}", ")")
        text = text.replace(state, f"{state[:-1]}, {rest if state.endswith('}') else keywords}")
    return text


ways = pytest.mark.parametrize("way", WAYS.values(), ids=[name.replace(" ", "-") for name in WAYS])


@ways
def test_complete_save_is_silent(way: Way) -> None:
    assert [each for each in lint(complete(way)) if each.code == "CKP201"] == []


@ways
def test_key_that_is_left_out_is_found(way: Way) -> None:
    (found,) = [each for each in lint(program(way)) if each.code == "CKP201"]
    assert "the statistics start over" in found.message


def test_arrays_of_another_library_are_silent() -> None:
    way = WAYS["Orbax PyTreeCheckpointer, torch state"]
    text = program(way).replace("self.policy.state_dict()", "jax.device_get(self.params)")
    text = text.replace("self.optimizer.state_dict()", "jax.device_get(self.moments)")
    assert [each for each in lint(text) if each.code == "CKP201"] == []
