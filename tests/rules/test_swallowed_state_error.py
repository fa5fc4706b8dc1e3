"""CKP212: broad excepts around saving and restoring state."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

LOGGED = "import logging\n\nimport torch\nfrom torch import nn\n\nlogger = logging.getLogger(__name__)\n"

PLAYING = """
import torch


class Evaluator:
    def __init__(self, model):
        self.model = model

    def load(self, path):
        try:
            self.model.load_state_dict(torch.load(path))
        except Exception as error:{mark}
            print(f"failed to load {{path}}: {{error}}")

    def score(self, batches):
        return sum(self.model(batch).mean().item() for batch in batches)


def main(model, path, batches):
    evaluator = Evaluator(model)
    {before}{loaded}
    print(evaluator.score(batches))
"""
SILENT: dict[str, Case] = {
    "false for a caller who looks at it, on an object of an unknown class": TORCH
    + """
class Trainer:
    def __init__(self, model: nn.Module):
        self.model = model

    def restore(self, path):
        try:
            self.model.load_state_dict(torch.load(path))
        except Exception:
            return False
        return True

def main(trainer, path):
    if not trainer.restore(path):
        raise RuntimeError(f"cannot restore {path}")
""",
    "a player that waits for the next file": {
        "player.py": """
class Player:
    def restore(self, path):
        raise NotImplementedError("restore")

    def watch(self, path):
        try:
            self.restore(path)
        except Exception as error:
            print(f"failed to load {path}: {error}")
""",
        "ppo.py": """
import torch
from player import Player

class PpoPlayer(Player):
    def __init__(self, model):
        self.model = model

    def restore(self, path):
        self.model.load_state_dict(torch.load(path))
""",
    },
    "an evaluator that looks for the next file again and again": PLAYING.format(
        mark="", before="while True:\n        ", loaded="evaluator.load(path)"
    ),
    "logged as a warning": LOGGED
    + """
def restore(model: nn.Module, path):
    try:
        model.load_state_dict(torch.load(path))
    except Exception as error:
        logger.warning("cannot restore %s: %s", path, error)
""",
    "logged as a warning, and the first epoch": LOGGED
    + """
def restore(model: nn.Module, path):
    try:
        state = torch.load(path)
        epoch = state["epoch"]
        model.load_state_dict(state["model"])
    except Exception as error:
        logger.warning("cannot restore %s: %s", path, error)
        epoch = 0
    return epoch
""",
    "another way decides the epoch": TORCH
    + """
def restore(model: nn.Module, path, epochs):
    try:
        state = torch.load(path)
        epoch = state["epoch"]
        model.load_state_dict(state["model"])
    except Exception:
        epoch = epochs - 1
    return epoch
""",
    "a flag that says what failed": TORCH
    + """
def restore(model: nn.Module, path):
    try:
        model.load_state_dict(torch.load(path))
    except Exception:
        failed = 1
    else:
        failed = 0
    return failed
""",
    "logged with the traceback": LOGGED
    + """
def save(model: nn.Module, path):
    try:
        torch.save(model.state_dict(), path)
    except Exception:
        logger.exception("cannot save %s", path)
""",
    "warned about": TORCH
    + """
import warnings

def restore(optimizer: torch.optim.Optimizer, path):
    try:
        optimizer.load_state_dict(torch.load(path))
    except Exception as error:
        warnings.warn(f"the optimizer starts fresh: {error}")
""",
    "raised again": TORCH
    + """
def save(model: nn.Module, path):
    try:
        torch.save(model.state_dict(), path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
""",
    "raised as another exception": TORCH
    + """
def restore(model: nn.Module, path):
    try:
        model.load_state_dict(torch.load(path))
    except Exception as error:
        raise ValueError(f"{path} is no checkpoint of this model") from error
""",
    "the program ends": TORCH
    + """
import sys

def restore(model: nn.Module, path):
    try:
        model.load_state_dict(torch.load(path))
    except Exception as error:
        print(f"cannot restore {path}: {error}")
        sys.exit(1)
""",
    "a narrow exception for the first start": TORCH
    + """
def resume(model: nn.Module, path):
    try:
        model.load_state_dict(torch.load(path))
    except FileNotFoundError:
        print("no checkpoint yet, starting from scratch")
""",
    "a narrow exception for an older format": TORCH
    + """
def restore(model: nn.Module, path):
    state = torch.load(path)
    try:
        model.load_state_dict(state)
    except RuntimeError:
        model.load_state_dict({name.removeprefix("module."): value for name, value in state.items()})
""",
    "the rest is the second way": TORCH
    + """
def restored(path, model: nn.Module):
    try:
        model.load_state_dict(torch.load(path))
        return model
    except Exception as error:
        print(f"cannot restore {path}: {error}")
    return rebuilt(model, torch.load(path))
""",
    "the second copy of the file": TORCH
    + """
def restore(model: nn.Module, path, backup):
    try:
        state = torch.load(path)
    except Exception:
        state = torch.load(backup)
    model.load_state_dict(state)
""",
    "the caller is told and stops": TORCH
    + """
def restore(model: nn.Module, path):
    try:
        model.load_state_dict(torch.load(path))
        return True
    except Exception:
        return False

def resume(model: nn.Module, path):
    if not restore(model, path):
        raise RuntimeError(f"cannot restore {path}")
""",
    "kept for a report at the end": TORCH
    + """
def restore_all(models, paths):
    errors = []
    for model, path in zip(models, paths):
        try:
            model.load_state_dict(torch.load(path))
        except Exception as error:
            errors.append(error)
    if errors:
        raise RuntimeError(errors)
""",
    "one copy after another": TORCH
    + """
def restore(model: nn.Module, paths):
    for path in paths:
        try:
            model.load_state_dict(torch.load(path))
            break
        except Exception:
            continue
""",
    "the same state for what the model wraps": TORCH
    + """
def restore(model: nn.Module, state):
    try:
        model.load_state_dict(state)
        return
    except Exception:
        pass
    model.module.load_state_dict(state)
""",
    "the same state to another file": TORCH
    + """
def save(model: nn.Module, path, backup):
    record = {"model": model.state_dict()}
    try:
        torch.save(record, path)
    except Exception as error:
        print(f"cannot write {path}: {error}")
    torch.save(record, backup)
""",
    "a flag that is set by success": TORCH
    + """
def resume(model: nn.Module, path):
    restored = False
    try:
        model.load_state_dict(torch.load(path))
        restored = True
    except Exception as error:
        print(error)
    if not restored:
        raise SystemExit(1)
""",
    "false for callers that are elsewhere": TORCH
    + """
def restore(model: nn.Module, path):
    try:
        model.load_state_dict(torch.load(path))
        return True
    except Exception:
        return False
""",
    "the evaluation ends": TORCH
    + """
def evaluate(model: nn.Module, path, batches):
    try:
        model.load_state_dict(torch.load(path))
    except Exception as error:
        print(f"cannot load {path}: {error}")
        return
    model.eval()
    print(sum(model(batch).mean() for batch in batches))
""",
    "None for a caller who looks at it": TORCH
    + """
def serialize(scaler: torch.amp.GradScaler):
    try:
        return scaler.state_dict()
    except Exception:
        return None

def save(model: nn.Module, scaler, path):
    state = serialize(scaler)
    if state is None:
        raise RuntimeError("the scaler has no state")
    torch.save({"model": model.state_dict(), "scaler": state}, path)
""",
    "the whole of training": TORCH
    + """
def train(model: nn.Module, optimizer, batches, path):
    try:
        for batch in batches:
            model(batch).mean().backward()
            optimizer.step()
        torch.save(model.state_dict(), path)
    except Exception as error:
        print(error)
""",
    "a script that trains and saves": TORCH
    + """
def train_and_save(model: nn.Module, optimizer, batches, path):
    for batch in batches:
        model(batch).mean().backward()
        optimizer.step()
    torch.save(model.state_dict(), path)

def main(model, optimizer, batches, path):
    try:
        train_and_save(model, optimizer, batches, path)
    except Exception as error:
        print(error)
""",
    "a file that is only looked at": TORCH
    + """
def is_checkpoint(path):
    try:
        torch.load(path)
    except Exception:
        return None
    return path
""",
    "a cache of the data": """
import numpy as np

def load_cache(path):
    try:
        return np.load(path, allow_pickle=True).item()
    except Exception:
        return None
""",
    "an optional library": TORCH
    + """
def restore(path):
    try:
        from apex import amp
        amp.load_state_dict(torch.load(path)["amp"])
    except Exception:
        pass
""",
    "an import that is not there everywhere": TORCH
    + """
try:
    import safetensors.torch as safetensors
except Exception:
    safetensors = None

def save(model: nn.Module, path):
    if safetensors is None:
        torch.save(model.state_dict(), path)
    else:
        safetensors.save_file(model.state_dict(), path)
""",
    "the state is outside the try": TORCH
    + """
def save(model: nn.Module, path, upload):
    torch.save(model.state_dict(), path)
    try:
        upload(path)
    except Exception:
        print("upload failed")
""",
    "a test of the project": {
        "tests/test_model.py": TORCH
        + """
def test_refuses_another_model(tmp_path):
    torch.save(nn.Linear(3, 1).state_dict(), tmp_path / "model.pt")
    try:
        nn.Linear(4, 1).load_state_dict(torch.load(tmp_path / "model.pt"))
    except Exception:
        pass
""",
    },
    "a save that fails, and the program says why": TORCH
    + """
class Trainer:
    def __init__(self, model: nn.Module, path):
        self.model = model
        self.path = path

    def save(self):
        try:
            torch.save(self.model.state_dict(), self.path)
            return True
        except Exception as error:
            print(f"could not save: {error}")
            return False
""",
    "what is restored beside the network, and the program says why not": TORCH
    + """
def resume(model: nn.Module, optimizer, path):
    state = torch.load(path)
    model.load_state_dict(state["model"])
    try:
        optimizer.load_state_dict(state["optimizer"])
    except Exception as error:
        print(f"going on with a new optimizer: {error}")
""",
    "a report that can do without the step": """
import torch


def history(folder):
    best = None
    if (folder / "best.pt").exists():
        try:
            saved = torch.load(folder / "best.pt", map_location="cpu")
            best = saved.get("step", None)
            print(f"best model at step {best}")
        except:
            pass
    return {"best": best}
""",
    "said, and the model that was being made is left behind": TORCH
    + """
def compare(paths, build):
    for path in paths:
        try:
            data = torch.load(path)
            model, sizes = build(data["settings"])
            model.load_state_dict(data["model"])
        except Exception as error:
            print(f"skip {path}: {error}")
            continue
        print(path, sizes, model(torch.zeros(2)))
""",
    "said, and the function is over before the model is used": TORCH
    + """
def show(path):
    try:
        model = nn.Linear(2, 2).to("cpu")
        model.load_state_dict(torch.load(path))
        print(model(torch.zeros(2)))
    except Exception as error:
        print(f"cannot show {path}: {error}")
        return
""",
    "scores of evaluations that decide when to stop": """
import numpy as np


class Patience:
    def __init__(self, path):
        self.path = path
        self.best = float("-inf")
        self.worse = 0

    def __call__(self):
        try:
            file = np.load(self.path)
            timesteps = file["timesteps"]
            scores = file["scores"]
            for index in range(len(timesteps)):
                score = float(scores[index].mean())
                if score > self.best:
                    self.best = score
                    print(f"best score at {timesteps[index]}")
                    self.last = int(timesteps[index])
                else:
                    self.worse += 1
        except Exception:
            pass
        return self.worse < 5
""",
    "the handler reads other numbers": "import json\n"
    + TORCH
    + """
class Trainer:
    def __init__(self, model: nn.Module, path):
        self.model = model
        try:
            self.model.load_state_dict(torch.load(path))
            with open("numbers.json") as file:
                self.numbers, self.best, self.seen = json.load(file)
        except:
            print("starting from scratch")
            self.numbers = {"step": read(path)}
""",
    "the handler begins with something else": "import json\n"
    + TORCH
    + """
class Trainer:
    def __init__(self, model: nn.Module, path):
        self.model = model
        try:
            self.model.load_state_dict(torch.load(path))
            with open("numbers.json") as file:
                self.numbers, self.best, self.seen = json.load(file)
        except:
            print("starting from scratch")
            self.other = 0
""",
    "the handler leaves a flag": "import json\n"
    + TORCH
    + """
class Trainer:
    def __init__(self, model: nn.Module, path):
        self.model = model
        try:
            self.model.load_state_dict(torch.load(path))
            with open("numbers.json") as file:
                self.numbers, self.best, self.seen = json.load(file)
        except:
            print("starting from scratch")
            self.numbers = 0
            self.seen = False
""",
    "the failure is one of the results": TORCH
    + """
def compare(path, model: nn.Module, results):
    try:
        model.load_state_dict(torch.load(path))
        results[path] = model(torch.zeros(2))
    except Exception as error:
        results[path] = {"reward": 0, "error": str(error)}
    return results
""",
    "nothing but an empty list": "import json\n"
    + TORCH
    + """
class Trainer:
    def __init__(self, model: nn.Module, path):
        self.model = model
        try:
            self.model.load_state_dict(torch.load(path))
            with open("numbers.json") as file:
                self.numbers, self.best, self.seen = json.load(file)
        except:
            print("starting from scratch")
            self.seen = []
""",
    "a model is missing beside the first epoch": TORCH
    + """
def restored(path, model: nn.Module):
    try:
        model.load_state_dict(torch.load(path))
        state, epoch = torch.load("state.pt")
    except:
        print("starting from scratch")
        state, epoch = None, 0
    return state, epoch
""",
}

FOUND: dict[str, Case] = {
    "what is restored beside the network, and nothing says why not": TORCH
    + """
def resume(model: nn.Module, optimizer, path):
    state = torch.load(path)
    model.load_state_dict(state["model"])
    try:
        optimizer.load_state_dict(state["optimizer"])
    except Exception:  # CKP212
        print("no optimizer")
""",
    "an evaluator plays on without the model": PLAYING.format(
        mark="  # CKP212", before="", loaded="evaluator.load(path)"
    ),
    "each kind of model has a branch of its own": TORCH
    + """
def make(kind, path, model: nn.Module):
    if kind == "small":
        try:
            model.load_state_dict(torch.load(path))
        except Exception as error:  # CKP212
            print(f"not loaded: {error}")
    elif kind == "large":
        model = nn.Linear(3, 3)
        model.load_state_dict(torch.load(path))
    return model
""",
    "an evaluator that keeps the best model": TORCH
    + """
class Evaluator:
    def __init__(self, path):
        self.path = path
        self.best = 0.0

    def evaluate(self, model: nn.Module, score):
        if score > self.best:
            self.best = score
            try:
                torch.save(model.state_dict(), self.path)
            except Exception:  # CKP212
                pass
""",
    "a method of the derived class": {
        "learner.py": """
class Learner:
    def restore(self, path):
        raise NotImplementedError("restore")

    def watch(self, path):
        try:
            self.restore(path)
        except Exception as error:  # CKP212
            print(f"failed to load {path}: {error}")
""",
        "ppo.py": """
import torch
from learner import Learner

class PpoLearner(Learner):
    def __init__(self, model):
        self.model = model

    def restore(self, path):
        self.model.load_state_dict(torch.load(path))
""",
    },
    "the rest is another way, and nobody learns of it": TORCH
    + """
def restored(path, model: nn.Module):
    try:
        model.load_state_dict(torch.load(path))
        return model
    except Exception:  # CKP212
        print("starting")
    return rebuilt(model)
""",
    "the rest runs in any case": TORCH
    + """
def restored(path, model: nn.Module):
    try:
        model.load_state_dict(torch.load(path))
    except Exception as error:  # CKP212
        print(error)
    return wrapped(model)
""",
    "nothing is left to do": TORCH
    + """
def restored(path, model: nn.Module):
    try:
        model.load_state_dict(torch.load(path))
        return model
    except Exception as error:  # CKP212
        print(error)
""",
    "a model that is looked up goes on": TORCH
    + """
def resume(agents, name, path):
    try:
        model = agents.get(name)
        model.load_state_dict(torch.load(path))
    except Exception as error:  # CKP212
        print(f"cannot load {path}: {error}")
        return
""",
    "the caller's model goes on": TORCH
    + """
def resume(model, path):
    try:
        data = torch.load(path)
        model.load_state_dict(data)
    except Exception as error:  # CKP212
        print(f"cannot load {path}: {error}")
        return
""",
    "a model that is made is used after the handler": TORCH
    + """
def resumed(path):
    try:
        model = nn.Linear(2, 2)
        model.load_state_dict(torch.load(path))
    except Exception as error:  # CKP212
        print(f"cannot load {path}: {error}")
    return model
""",
    "nobody learns why the model is left behind": TORCH
    + """
def show(path):
    try:
        model = nn.Linear(2, 2)
        model.load_state_dict(torch.load(path))
        print(model(torch.zeros(2)))
    except Exception:  # CKP212
        return
""",
    "a restore passes": TORCH
    + """
def restore(model: nn.Module, path):
    try:
        model.load_state_dict(torch.load(path))
    except Exception:  # CKP212
        pass
""",
    "the first epoch instead": TORCH
    + """
def main(model: nn.Module, path):
    try:
        state = torch.load(path)
        model.load_state_dict(state["model"])
        epoch = state["epoch"]
        step = epoch * 100
    except:  # CKP212
        epoch = 0
        step = 0
    for _ in range(epoch, 10):
        model(torch.ones(1, 2)).sum().backward()
""",
    "logged, and the epoch that a helper gives": LOGGED
    + """
def load(model: nn.Module, path):
    state = torch.load(path)
    model.load_state_dict(state["model"])
    return model, state["epoch"]

def restore(model, path):
    try:
        model, epoch = load(model, path)
    except Exception as error:  # CKP212
        logger.info(f"cannot load: {error}")
        epoch = 1
    return model, epoch
""",
    "a bare except": TORCH
    + """
def restore(optimizer: torch.optim.Optimizer, path):
    try:
        optimizer.load_state_dict(torch.load(path))
    except:  # CKP212
        pass
""",
    "the base of all exceptions": TORCH
    + """
def save(model: nn.Module, path):
    try:
        torch.save(model.state_dict(), path)
    except BaseException:  # CKP212
        pass
""",
    "an ellipsis for a handler": TORCH
    + """
def save(model: nn.Module, path):
    try:
        torch.save(model.state_dict(), path)
    except Exception:  # CKP212
        ...
""",
    "a save prints nothing of the error": TORCH
    + """
class Trainer:
    def __init__(self, model: nn.Module, path):
        self.model = model
        self.path = path

    def save(self):
        try:
            torch.save(self.model.state_dict(), self.path)
        except Exception:  # CKP212
            print("done")
""",
    "a restore continues with the next": TORCH
    + """
def restore_all(models, paths):
    for model, path in zip(models, paths):
        try:
            model.load_state_dict(torch.load(path))
        except Exception:  # CKP212
            continue
""",
    "the state becomes None": TORCH
    + """
def serialize(scaler: torch.amp.GradScaler):
    try:
        return scaler.state_dict()
    except Exception:  # CKP212
        return None
""",
    "logged for nobody to see": LOGGED
    + """
def restore(model: nn.Module, path):
    try:
        model.load_state_dict(torch.load(path))
    except Exception as error:  # CKP212
        logger.debug("cannot restore %s: %s", path, error)
""",
    "a broad one among narrow ones": TORCH
    + """
def restore(model: nn.Module, path):
    try:
        model.load_state_dict(torch.load(path))
    except FileNotFoundError:
        print("no checkpoint yet, starting from scratch")
    except Exception:  # CKP212
        pass
""",
    "printed by the first process": TORCH
    + """
class Trainer:
    def __init__(self, model: nn.Module, accelerator):
        self.model = model
        self.accelerator = accelerator

    def restore(self, path):
        try:
            self.model.load_state_dict(torch.load(path))
        except Exception:  # CKP212
            self.accelerator.print("resuming with a new model")
""",
    "a payload that was made before": TORCH
    + """
def save(model: nn.Module, optimizer, path):
    record = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    try:
        torch.save(record, path)
    except Exception:  # CKP212
        pass
""",
    "one optimizer of several": TORCH
    + """
class Trainer:
    def restore(self, path):
        state = torch.load(path)
        for index in range(2):
            optimizer = getattr(self, f"optimizer{index}")
            try:
                optimizer.load_state_dict(state[f"optimizer{index}"])
            except:  # CKP212
                print("resuming with a new optimizer")
""",
    "state that another function has loaded": TORCH
    + """
def restore(optimizer, state):
    try:
        optimizer.load_state_dict(state)
    except:  # CKP212
        print("resuming with a new optimizer")
""",
    "false that nobody looks at": TORCH
    + """
def restore(model: nn.Module, path):
    try:
        model.load_state_dict(torch.load(path))
        return True
    except Exception:  # CKP212
        return False

def resume(model: nn.Module, path):
    restore(model, path)
""",
    "around a helper in another file": {
        "checkpoint.py": TORCH
        + """
def load_checkpoint(path, model: nn.Module):
    model.load_state_dict(torch.load(path, map_location="cpu"))
""",
        "train.py": """
from checkpoint import load_checkpoint

def main(model, path):
    try:
        load_checkpoint(path, model)
    except Exception:  # CKP212
        print("starting from scratch")
""",
    },
    "around a method": TORCH
    + """
class Agent:
    def __init__(self, policy: nn.Module):
        self.policy = policy

    def save(self, path):
        torch.save(self.policy.state_dict(), path)

    def load(self, path):
        self.policy.load_state_dict(torch.load(path))

    def resume(self, path):
        try:
            self.load(path)
        except Exception:  # CKP212
            pass
""",
    "statistics of a normalizer": """
import numpy as np

class RunningMeanStd:
    def __init__(self, size):
        self.mean, self.var, self.count = np.zeros(size), np.ones(size), 0

    def update(self, batch):
        self.count += 1
        self.mean = self.mean + (batch.mean(axis=0) - self.mean) / self.count
        self.var = self.var + (batch.var(axis=0) - self.var) / self.count

    def normalize(self, x):
        return (x - self.mean) / np.sqrt(self.var + 1e-8)

    def save(self, path):
        np.savez(path, mean=self.mean, var=self.var, count=self.count)

    def load(self, path):
        try:
            file = np.load(path)
            self.mean, self.var, self.count = file["mean"], file["var"], file["count"]
        except Exception:  # CKP212
            pass
""",
    "new numbers of the object": "import json\n"
    + TORCH
    + """
class Trainer:
    def __init__(self, model: nn.Module, path):
        self.model = model
        try:
            self.model.load_state_dict(torch.load(path))
            with open("numbers.json") as file:
                self.numbers, self.best, self.seen = json.load(file)
        except:  # CKP212
            print("starting from scratch")
            self.numbers = {"step": 0, "rate": 0.1}
""",
    "attributes one by one": "import json\n"
    + TORCH
    + """
class Trainer:
    def __init__(self, model: nn.Module, path):
        self.model = model
        try:
            self.model.load_state_dict(torch.load(path))
            with open("numbers.json") as file:
                self.numbers, self.best, self.seen = json.load(file)
        except:  # CKP212
            print("starting from scratch")
            self.numbers = 0
            self.best = -float("inf")
            self.seen = []
""",
    "several first values": TORCH
    + """
import math

def main(model: nn.Module, path):
    try:
        state = torch.load(path)
        model.load_state_dict(state["model"])
        if "epoch" in state:
            epoch: int = state["epoch"]
            best = state["best"]
    except Exception:  # CKP212
        epoch, best = 0, math.inf
    return range(epoch, 10), best
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_swallowed_errors(case: Case) -> None:
    check_findings(case)


def test_message_says_what_is_lost() -> None:
    (saved,) = check_findings(FOUND["a save prints nothing of the error"])
    (restored,) = check_findings(FOUND["around a helper in another file"])
    assert saved.message == (
        "every error of save() ends here and nothing is saved: catch the one you expect, raise or log others"
    )
    assert restored.message.startswith("every error of load_checkpoint() ends here and nothing is restored: ")
