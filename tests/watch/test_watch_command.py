"""The command `watch` on real programs: what is lost, where it stands, and that the program is left alone."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.front_end import Run
from tests.front_end import check
from tests.front_end import command
from tests.front_end import is_restricted
from tests.front_end import run
from tests.front_end import write
from tests.watch.programs import BAD
from tests.watch.programs import CORE
from tests.watch.programs import GOOD
from tests.watch.programs import RESUME
from tests.watch.programs import RESUMED
from tests.watch.programs import expected


def watch(
    folder: Path, *arguments: str, options: tuple[str, ...] = (), **more: Any
) -> tuple[Run, dict[str, Any]]:
    """Watch a command, and return what it printed and the evidence."""
    done = command(folder, "watch", "--output=evidence.json", *options, "--", *arguments, **more)
    path = folder / "evidence.json"
    return done, json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def losses(evidence: dict[str, Any]) -> set[tuple[str, int, str]]:
    return {(each["file"], each["line"], each["code"]) for each in evidence["losses"]}


def digests(folder: Path, *names: str) -> list[str]:
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names]


def test_nothing_is_lost(tmp_path: Path) -> None:
    done, evidence = watch(write(tmp_path, GOOD), sys.executable, "train.py", options=("--exit-code",))
    assert evidence["losses"] == []
    assert (done.code, evidence["complete"], evidence["processes"][0]["faults"]) == (0, True, 0)
    assert "nothing lost" in done.err


def test_same_run_gives_the_same_evidence(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": RESUMED})
    seen = [watch(tmp_path, sys.executable, "train.py")[1] for _ in range(2)]
    assert seen[0]["losses"] == []
    for each in seen:
        del each["seconds"]
        del each["processes"][0]["pid"]
    assert seen[0] == seen[1]


def test_each_loss_stands_at_its_first_assignment(tmp_path: Path) -> None:
    write(tmp_path, BAD)
    alone = run(tmp_path, "train.py")
    saved = digests(tmp_path, "agent.pt")
    done, evidence = watch(tmp_path, sys.executable, "train.py")
    assert losses(evidence) == expected(BAD)
    assert (done.code, done.out, digests(tmp_path, "agent.pt")) == (0, alone.out, saved)
    assert {"overwritten", "reset", "store", "history"} <= set(evidence["noise"])
    (rms,) = [each for each in evidence["losses"] if each["owner"] == "Agent.obs_rms"]
    assert (rms["attributes"], rms["kind"], len(rms["after"])) == (["mean", "var", "count"], "state", 3)
    verdicts = {(each["code"], each["attribute"]): each["verdict"] for each in evidence["findings"]}
    assert verdicts["CKP101", "mean"] == verdicts["CKP107", "scale"] == "confirmed"
    assert "parts.py:59 CKP101 Agent.net.mean changed ([0, 0, 0] -> [" in done.err
    shown = check(tmp_path, "--evidence=evidence.json")
    assert shown.code == 1
    assert any("CKP101" in line and line.endswith("[confirmed by a run]") for line in shown.out.splitlines())
    assert any(
        "Agent.epsilon" in line and line.endswith("[seen in a run]") for line in shown.out.splitlines()
    )


MADE = """
import torch


class Base:
    def __init__(self, size, mode="fast"):
        self.mean = torch.zeros(size)


class Plain(Base):
    pass


class Own(Base):
    def __init__(self, layer, shape=(2,)):
        super().__init__(shape[0])


@dataclass
class Record(Base):
    width: int = 3

    def __post_init__(self):
        super().__init__(self.width)


kept = [Plain(4, mode="slow"), Own(object(), shape=(3, 4)), Record(5), *[Plain(5) for _ in range(6)]]
torch.save({"mean": kept[0].mean}, "run.pt")
"""


def test_arguments_that_objects_were_made_with(tmp_path: Path) -> None:
    _, evidence = watch(
        write(tmp_path, {"train.py": f"from dataclasses import dataclass{MADE}"}), sys.executable, "train.py"
    )
    assert [(each["class_name"], dict(each["arguments"])) for each in evidence["made"]] == [
        ("Own", {"shape": "(3, 4)"}),
        ("Plain", {"0": "4", "mode": "'slow'"}),
        ("Plain", {"0": "5"}),
    ]


def test_load_that_brings_too_little_back(tmp_path: Path) -> None:
    files = {"train.py": RESUME}
    done, evidence = watch(write(tmp_path, files), sys.executable, "train.py", options=("--exit-code",))
    assert losses(evidence) == expected(files)
    assert done.code == 1


REBUILT = """\
import copy

import torch
from torch import nn


class Norm(nn.BatchNorm1d):
    def __init__(self):
        super().__init__(3)


class Agent:
    def __init__(self):
        self.net = nn.Linear(3, 1)
        self.set_up()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def set_up(self):
        self.lost = Norm()  # CKP205
        self.plain = nn.BatchNorm1d(3)
        self.grown = nn.Sequential(nn.Linear(3, 3))
        self.copied = Norm()
        self.restored = Norm()

    def parts(self):
        names = ("net", "lost", "plain", "grown", "copied", "restored")
        return {name: getattr(self, name) for name in names}

    def save(self):
        torch.save({name: part.state_dict() for name, part in self.parts().items()}, "agent.pt")

    def load(self):
        state = torch.load("agent.pt")
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        copied, grown = copy.deepcopy(self.copied), self.grown
        self.set_up()
        self.copied = copied
        self.grown = nn.Sequential(grown, nn.Linear(3, 3))
        self.restored.load_state_dict(state["restored"])

    def train(self):
        for _ in range(3):
            x = torch.randn(8, 3)
            normed = self.lost(x) + self.plain(x) + self.copied(x) + self.restored(x)
            loss = self.net(self.grown(normed)).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()


agent = Agent()
agent.train()
agent.save()
agent = Agent()
agent.load()
agent.train()
agent.save()
"""


def test_restored_module_that_is_made_anew(tmp_path: Path) -> None:
    files = {"train.py": REBUILT}
    done, evidence = watch(write(tmp_path, files), sys.executable, "train.py")
    assert losses(evidence) == expected(files)
    assert "Agent.lost, plain was restored, and replaced by another before training went on" in done.err
    assert evidence["processes"][0]["faults"] == 0


CHILDREN = """\
import os
import sys

import torch
import torch.multiprocessing
from core import Net, fit


def work(name):
    net = Net()
    torch.save({"net": net.state_dict(), "optimizer": fit(net).state_dict()}, name)


if __name__ == "__main__":
    os.makedirs("outputs", exist_ok=True)
    os.chdir("outputs")
    for method in sys.argv[1:]:
        process = torch.multiprocessing.get_context(method).Process(target=work, args=(f"{method}.pt",))
        process.start()
        process.join()
        assert process.exitcode == 0
"""
WRITERS = """\
import pickle

import torch
from core import Net, fit
from lightning_fabric import Fabric
from safetensors.torch import save_model


class Scale:
    def __init__(self, factor):
        self.factor = factor


@torch.compile(fullgraph=True, backend="eager")
def scaled(x):
    return x * Scale(2.0).factor


assert scaled(torch.ones(1)).item() == 2.0
net = Net()
optimizer = fit(net)
save_model(net, "net.safetensors")
with open("optimizer.pkl", "wb") as file:
    pickle.dump(optimizer.state_dict(), file)
Fabric(accelerator="cpu").save("all.ckpt", {"net": net, "optimizer": optimizer})
"""
PARTS_OF_A_RUN = """\
import pickle
import warnings

import joblib
import torch
import torch.distributed.checkpoint as dcp
from core import Net, fit
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore")


def main():
    data = torch.randn(32, 4).numpy()
    scaler, reduced = StandardScaler().fit(data), PCA(2).fit(data)
    forgotten = MinMaxScaler().fit(data)  # CKP204
    net = Net()
    optimizer = fit(net)
    joblib.dump({"scaler": scaler}, "scaler.joblib")
    with open("reduced.pkl", "wb") as file:
        pickle.dump(reduced, file)
    state = {"net": net.state_dict(), "kept": torch.arange(3.0)}
    dcp.save(state, storage_writer=dcp.FileSystemWriter("net.dcp"))
    dcp.async_save({"optimizer": optimizer.state_dict()}, checkpoint_id="optimizer.dcp").result()
    state = {"net": Net().state_dict(), "kept": torch.zeros(3)}
    dcp.load(state, checkpoint_id="net.dcp")  # CKP203
    net.load_state_dict(state["net"])
    del state
    assert forgotten.transform(scaler.transform(data)).shape == (32, 4)
    optimizer.step()


main()
"""
LIGHTNING = """\
import warnings

import pytorch_lightning as pl
import torch
from core import Net
from torch.utils.data import DataLoader

warnings.simplefilter("ignore")


class Model(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = Net()

    def training_step(self, batch, index):
        return self.net(batch).pow(2).mean()

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters())
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1)]


class Lost(pl.Callback):
    def __init__(self):
        self.level = torch.zeros(2)  # CKP204

    def on_train_batch_end(self, trainer, module, outputs, batch, index):
        self.level = self.level + batch.mean()


class Kept(pl.Callback):
    def __init__(self):
        self.total = torch.zeros(2)

    def on_train_batch_end(self, trainer, module, outputs, batch, index):
        self.total = self.total + 2 * batch.mean()

    def state_dict(self):
        return {"total": self.total}


quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
checkpoint = pl.callbacks.ModelCheckpoint(dirpath="runs", save_last=True)
trainer = pl.Trainer(max_epochs=2, accelerator="cpu", callbacks=[Lost(), Kept(), checkpoint], **quiet)
trainer.fit(Model(), DataLoader(torch.randn(32, 2) + 2, batch_size=4))
"""
RANKS = """\
import torch
import torch.distributed as dist
from core import Net, fit
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("gloo")
net = DistributedDataParallel(Net())
optimizer = fit(net)
if dist.get_rank() == 0:
    torch.save({"net": net.module.state_dict(), "optimizer": optimizer.state_dict()}, "net.pt")
dist.barrier()
dist.destroy_process_group()
"""


def test_children_in_another_folder(tmp_path: Path) -> None:
    files = {"core.py": CORE, "train.py": CHILDREN}
    _, evidence = watch(write(tmp_path, files), sys.executable, "train.py", "fork", "spawn")
    assert losses(evidence) == expected(files)
    assert [each["path"] for each in evidence["files"]] == ["outputs/fork.pt", "outputs/spawn.pt"]
    assert evidence["complete"]


def test_other_writers(tmp_path: Path) -> None:
    files = {"core.py": CORE, "jobs/__init__.py": "", "jobs/train.py": WRITERS}
    _, evidence = watch(write(tmp_path, files), sys.executable, "-m", "jobs.train")
    assert losses(evidence) == expected(files)
    assert [each["path"] for each in evidence["files"]] == ["net.safetensors", "optimizer.pkl", "all.ckpt"]
    assert {each["file"] for each in evidence["files"]} == {"jobs/train.py"}


def test_distributed_checkpoints_and_pickled_estimators(tmp_path: Path) -> None:
    files = {"core.py": CORE, "train.py": PARTS_OF_A_RUN}
    done, evidence = watch(write(tmp_path, files), sys.executable, "train.py")
    assert losses(evidence) == expected(files), done.err
    assert [(each["path"], each["how"]) for each in evidence["files"]] == [
        ("scaler.joblib", "joblib.dump"),
        ("reduced.pkl", "pickle.dump"),
        ("net.dcp", "torch.distributed.checkpoint.save"),
        ("optimizer.dcp", "torch.distributed.checkpoint.async_save"),
    ]
    assert "CKP204 forgotten." in done.err and " was fitted ([" in done.err
    assert evidence["processes"][0]["faults"] == 0


def test_trainer_of_lightning(tmp_path: Path) -> None:
    files = {"core.py": CORE, "train.py": LIGHTNING}
    done, evidence = watch(write(tmp_path, files), sys.executable, "train.py")
    assert losses(evidence) == expected(files), done.err
    assert {"runs/last.ckpt", "runs/epoch=0-step=8.ckpt"} <= {each["path"] for each in evidence["files"]}
    assert (done.code, evidence["complete"], evidence["processes"][0]["faults"]) == (0, True, 0)


def test_ranks_of_torchrun(tmp_path: Path) -> None:
    files = {"core.py": CORE, "train.py": RANKS}
    launcher = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    _, evidence = watch(write(tmp_path, files), *launcher, "train.py")
    assert losses(evidence) == expected(files)
    assert sorted(each["rank"] for each in evidence["processes"] if each["rank"] is not None) == [0, 1]
    assert [each["objects"] for each in evidence["losses"]] == [1]


AGENT = """\
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

env = VecNormalize(make_vec_env("CartPole-v1", n_envs=2))
model = PPO("MlpPolicy", env, n_steps=16, batch_size=16, n_epochs=1, seed=0)
model.learn(32)
model.save("agent")
env.save("env.pkl")
other = VecNormalize(make_vec_env("CartPole-v1", n_envs=2))  # CKP208
other.reset()
PPO("MlpPolicy", other, n_steps=16, batch_size=16, n_epochs=1, seed=0).learn(32).save("agent")
"""


def test_statistics_of_one_environment_are_saved(tmp_path: Path) -> None:
    files = {"train.py": AGENT}
    _, evidence = watch(write(tmp_path, files), sys.executable, "train.py")
    assert losses(evidence) == expected(files)
    assert {each["path"] for each in evidence["files"]} == {"agent", "env.pkl"}


@pytest.mark.parametrize(
    ("end", "code"),
    [("sys.exit(7)", 7), ("raise ValueError('no')", 1), ("import os; os.kill(os.getpid(), 9)", 137)],
)
def test_program_that_fails_fails_as_it_does(tmp_path: Path, end: str, code: int) -> None:
    text = f"import sys\nclass Job:\n    def __init__(self):\n        {end}\nprint('trains', flush=True)\nJob()\n"
    write(tmp_path, {"train.py": text})
    done, evidence = watch(tmp_path, sys.executable, "train.py", options=("--exit-code",))
    assert (done.code, done.out, evidence["exit_code"]) == (code, "trains\n", code)
    assert ("Traceback" in done.err) is ("ValueError" in end)
    assert "flake8_ckpt_recorder" not in done.err
    assert evidence["complete"] is ("kill" not in end)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--", "no-such-command"], 127, "'no-such-command' cannot be started: No such file or directory"),
        (["--", "."], 126, "'.' cannot be started: Permission denied"),
        ([], 2, "stands after two dashes"),
        (["train.py", "--", "true"], 2, "stands after two dashes"),
        (["--output=.", "--", "touch", "ran"], 2, "--output: '.': is a folder"),
        (["--output=locked/x.json", "--", "touch", "ran"], 2, "--output: 'locked/x.json': Permission denied"),
    ],
)
def test_bad_input_gets_one_line(tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    if "locked" in message and not is_restricted():
        pytest.skip("the user may write everywhere")
    write(tmp_path, {"file": ""})
    (tmp_path / "locked").mkdir(mode=0o500)
    done = command(tmp_path, "watch", *arguments)
    assert (done.code, done.out, len(done.err.splitlines())) == (code, "", 1)
    assert message in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "locked"]


def test_command_that_is_no_python(tmp_path: Path) -> None:
    done, evidence = watch(tmp_path, "echo", "hello")
    assert (done.code, done.out) == (0, "hello\n")
    assert "nothing was seen" in done.err
    assert (evidence["complete"], evidence["processes"]) == (False, [])


def test_program_without_torch(tmp_path: Path) -> None:
    done, evidence = watch(tmp_path, sys.executable, "-c", "import json; print(json.dumps([1]))")
    assert (done.code, done.out) == (0, "[1]\n")
    assert "no file was saved in 0 steps" in done.err
    assert evidence["files"] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no evidence file of `flake8-ckpt watch --output`"),
        (None, "No such file or directory"),
    ],
)
def test_evidence_that_is_none(tmp_path: Path, text: str | None, message: str) -> None:
    write(tmp_path, {"train.py": "", **({"evidence.json": text} if text is not None else {})})
    done = check(tmp_path, "--evidence=evidence.json")
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert "'evidence.json'" in done.err and message in done.err
