"""CKP206: a state hook without its partner, or with other keys."""

from __future__ import annotations

from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

PENALTY = """
class AdaptivePenalty:
    def __init__(self):
        self.beta = 1.0
        self.updates = 0

    def update(self, divergence):
        self.updates += 1
        self.beta *= 1.0 + 1.0 / self.updates if divergence > 0.01 else 0.5

    def penalty(self, divergence):
        return self.beta * divergence
"""
STATE_DICT = """
    def state_dict(self):
        return {"beta": self.beta, "updates": self.updates}
"""
LOAD_STATE_DICT = """
    def load_state_dict(self, state):
        self.beta = state["beta"]
        self.updates = state["updates"]
"""
MODULE = """
import torch
from torch import nn


class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return self.layer(x) * min(1.0, self.calls / 100)
"""
LIGHTNING = """
import torch
from lightning.pytorch import LightningModule
from torch import nn


class Regressor(LightningModule):
    def __init__(self):
        super().__init__()
        self.model = nn.Linear(2, 1)
        self.temperature = 1.0

    def training_step(self, batch, index):
        self.temperature *= 0.99
        return self.model(batch).mean() * self.temperature
"""

TRACKER = """
class Tracker:
    def __init__(self):
        self.epochs = []
        self.means = {}

    def add(self, epoch, name, mean):
        self.epochs.append(epoch)
        self.means[name] = mean

    def state_dict(self):
        return {"epochs": self.epochs, "%s": self.means}

    def load_state_dict(self, state):
        self.epochs = state["epochs"]
        self.means = %s
        self.epochs = self.epochs[: len(self.means)]
"""

# An inherited load that does nothing.
EMPTY_LOAD = """import torch

class Kept:
    def load_state_dict(self, state):
        pass

class Meter(Kept):
    def __init__(self):
        self.total = torch.zeros(1)

    def update(self, x):
        self.total = self.total + x.sum()

    def state_dict(self):MARK
        return {"total": self.total.GIVEN()}
"""

SILENT: dict[str, Case] = {
    "a lone hook of a test": {
        "tests/test_net.py": """from torch import nn

class Net(nn.Module):
    def get_extra_state(self):
        return {"steps": 1}
""",
    },
    "what is given is made from the attribute": EMPTY_LOAD.replace("MARK", "").replace("GIVEN", "describe"),
    "another key restores the same": TRACKER
    % ("means", 'state["means"] if "means" in state else state["old"]'),
    "load_state_dict looks for one key that may be missing": """
class Penalty:
    def __init__(self, beta):
        self.beta = beta

    def state_dict(self):
        return {"beta": self.beta}

    def load_state_dict(self, state):
        self.weight = state.get("weight", 1.0)
""",
    "a function gathers what the partner takes": """
from tools import gather


class Learner:
    def __init__(self, model):
        self.model = model

    def get_weights(self):
        return gather(self.model)

    def set_weights(self, weights):
        self.model.load_state_dict(weights["model"])
""",
    "load_state_dict leaves what never changes": """
class AdaptivePenalty:
    def __init__(self, size):
        self.size = size
        self.beta = 1.0

    def update(self, divergence):
        self.beta *= 2.0 if divergence > 0.01 else 0.5

    def penalty(self, divergence):
        return self.beta * divergence / self.size

    def state_dict(self):
        return {"beta": self.beta, "size": self.size}

    def load_state_dict(self, state):
        self.beta = state["beta"]
""",
    "a module that pickles a part": """
from torch import nn


class Transform(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.options = options

    def __getstate__(self):
        return self.options

    def __setstate__(self, options):
        self.options = options
        print(self.vocabulary)
""",
    "the base class has what setstate looks for": """
class Base:
    vocabulary = None


class Transform(Base):
    def __init__(self, options):
        self.options = options

    def __getstate__(self):
        return self.options

    def __setstate__(self, options):
        self.options = options
        vocabulary = self.vocabulary if hasattr(self, "vocabulary") else None
        self.warm_up(vocabulary)

    def warm_up(self, vocabulary=None):
        self.vocabulary = vocabulary
""",
    "a hook alone in the tests": {
        "tests/test_gate.py": MODULE
        + """
    def get_extra_state(self):
        return {"calls": self.calls}
""",
    },
    "setstate calls a function with what is pickled": """
class Filter:
    def __init__(self, options):
        self.options = options

    def __getstate__(self):
        return {"options": dict(self.options)}

    def __setstate__(self, state):
        self.options = dict(state["options"])
        print(self.options)
""",
    "both hooks have the same keys": PENALTY + STATE_DICT + LOAD_STATE_DICT,
    "getstate alone drops a lock": """
import threading


class Buffer:
    def __init__(self):
        self.items = []
        self.lock = threading.Lock()

    def __getstate__(self):
        state = self.__dict__.copy()
        del state["lock"]
        return state
""",
    "setstate fills in what old pickles lack": """
from torch.optim import Optimizer


class Momentum(Optimizer):
    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("nesterov", False)
""",
    "get_weights alone": """
from torch import nn


class Learner:
    def __init__(self):
        self.policy = nn.Linear(2, 1)

    def get_weights(self):
        return {"policy": self.policy.state_dict()}


class Actor:
    def __init__(self):
        self.policy = nn.Linear(2, 1)

    def pull(self, learner: Learner):
        self.policy.load_state_dict(learner.get_weights()["policy"])
""",
    "the partner is in a mixin of another file": {
        "base.py": """
class Counted:
    def set_extra_state(self, state):
        self.calls = state["calls"]
""",
        "gate.py": """
from base import Counted
from torch import nn


class Gate(Counted, nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x * min(1.0, self.calls / 100)

    def get_extra_state(self):
        return {"calls": self.calls}
""",
    },
    "an override that only calls super": MODULE
    + """
    def state_dict(self, *args, **kwargs):
        return super().state_dict(*args, **kwargs)
""",
    "load_state_dict renames old keys": MODULE
    + """
    def load_state_dict(self, state_dict, strict=True):
        state_dict = {key.replace("linear.", "layer."): value for key, value in state_dict.items()}
        return super().load_state_dict(state_dict, strict)
""",
    "both hooks are delegated": """
from torch import nn


class Wrapper(nn.Module):
    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)

    def state_dict(self, *args, **kwargs):
        return self.model.state_dict(*args, **kwargs)

    def load_state_dict(self, *args, **kwargs):
        return self.model.load_state_dict(*args, **kwargs)
""",
    "load_state_dict takes all": PENALTY
    + """
    def state_dict(self):
        return {"beta": self.beta, "updates": self.updates}

    def load_state_dict(self, state):
        self.__dict__.update(state)
""",
    "state_dict gives all": PENALTY
    + """
    def state_dict(self):
        return {key: value for key, value in self.__dict__.items() if not callable(value)}
"""
    + LOAD_STATE_DICT,
    "a version that nobody reads": PENALTY
    + STATE_DICT.replace('{"beta"', '{"version": 2, "beta"')
    + LOAD_STATE_DICT,
    "an optional key of older files": PENALTY
    + STATE_DICT
    + """
    def load_state_dict(self, state):
        self.beta = state["beta"] if "beta" in state else state["kl_beta"]
        self.updates = state["updates"]
""",
    "keys of lightning itself": LIGHTNING
    + """
    def on_load_checkpoint(self, checkpoint):
        print("resumed at", checkpoint["epoch"], checkpoint["global_step"])
        weight = checkpoint["state_dict"].pop("net.weight", None)
        if weight is not None:
            checkpoint["state_dict"]["model.weight"] = weight
""",
    "a subclass in another file reads back what lightning saves": {
        "base.py": LIGHTNING
        + """
    def on_save_checkpoint(self, checkpoint):
        checkpoint["temperature"] = self.temperature
""",
        "classifier.py": """
from base import Regressor


class Classifier(Regressor):
    def on_load_checkpoint(self, checkpoint):
        self.temperature = checkpoint["temperature"]
""",
    },
    "the base class is not known": """
from stable_baselines3 import PPO


class PenalizedPPO(PPO):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.beta = 1.0

    def train(self):
        super().train()
        self.beta *= 0.99

    def get_parameters(self):
        return {**super().get_parameters(), "beta": self.beta}

    def set_parameters(self, parameters, exact_match=True, device="auto"):
        self.beta = parameters.pop("beta")
        entropy = parameters.pop("entropy", None)
        print("entropy of the checkpoint:", entropy)
        super().set_parameters(parameters, exact_match=exact_match, device=device)
""",
    "load takes an old key where a file has no new one": PENALTY
    + STATE_DICT
    + """
    def load_state_dict(self, state):
        key = "beta"
        if key not in state:
            key = "kl_beta"
        self.beta = state[key]
        self.updates = state["updates"]
""",
    "a key that counts the starts of a process": PENALTY
    + """
    def start(self):
        self.generation += 1

    def state_dict(self):
        return {"beta": self.beta, "updates": self.updates, "generation": self.generation}
"""
    + LOAD_STATE_DICT,
    "a key whose attribute is restored in another way": PENALTY
    + """
    def state_dict(self):
        return {"beta": self.beta, "updates": self.updates, "history": [self.beta] * self.updates}

    def load_state_dict(self, state):
        self.beta = state["beta"]
        self.updates = len(state["history"])
""",
    "state under the names of its parameters": """
import torch
from torch import nn


class Scale(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * self.weight

    def state_dict(self, *args, **kwargs):
        return {"weight": self.weight}
""",
    "an extra state that is empty": MODULE
    + """
    def get_extra_state(self):
        return None
""",
    "a load hook that refuses": MODULE
    + """
    def set_extra_state(self, state):
        raise RuntimeError("this module has no extra state")
""",
    "the heirs of a base class have the partner": {
        "base.py": MODULE
        + """
    def get_extra_state(self):
        return {"calls": self.calls}
""",
        "gate.py": """
from base import Gate


class Resumable(Gate):
    def set_extra_state(self, state):
        self.calls = state["calls"]
""",
    },
    "both weights are bare": """
from torch import nn


class Player:
    def __init__(self):
        self.model = nn.Linear(2, 1)

    def get_weights(self):
        return self.model.state_dict()

    def set_weights(self, weights):
        self.model.load_state_dict(weights)
""",
    "getstate gives what setstate looks for": """
class Transform:
    def __init__(self, options):
        self.options = options

    def warm_up(self, vocabulary=None):
        self.vocabulary = vocabulary

    def __getstate__(self):
        state = {"options": self.options}
        if hasattr(self, "vocabulary"):
            state["vocabulary"] = self.vocabulary
        return state

    def __setstate__(self, state):
        self.options = state["options"]
        self.warm_up(state.get("vocabulary"))
""",
    "setstate uses what a helper, the class or itself gives": """
class Transform:
    seed = 0

    def __init__(self, options):
        self.options = options
        self.prepare()

    def prepare(self):
        self.size = len(self.options)

    def __getstate__(self):
        return self.options

    def __setstate__(self, options):
        self.options = options
        self.prepare()
        self.cache = getattr(self, "cache", None) or [self.seed] * self.size
        self.name = self.__class__.__name__
""",
    "setstate uses a property": """
class Transform:
    def __init__(self, options):
        self.options = options

    @property
    def size(self):
        return len(self.options)

    def __getstate__(self):
        return self.options

    def __setstate__(self, options):
        self.options = options
        self.cache = [0] * self.size
""",
    "setstate takes all attributes": """
class Transform:
    def __init__(self, options, size):
        self.options = options
        self.size = size

    def __getstate__(self):
        return {key: getattr(self, key) for key in ("options", "size")}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.cache = [0] * self.size
""",
    "setstate lets a function fill the object": """
from vendor import restore


class Transform:
    def __init__(self, options, size):
        self.options = options
        self.size = size

    def __getstate__(self):
        return self.options

    def __setstate__(self, options):
        restore(self, options)
        self.cache = [0] * self.size
""",
    "an export reads the key that on_load_checkpoint leaves": {
        "model.py": LIGHTNING
        + """
    def on_save_checkpoint(self, checkpoint):
        checkpoint["temperature"] = self.temperature
        checkpoint["version"] = 2

    def on_load_checkpoint(self, checkpoint):
        assert checkpoint["version"] == 2
""",
        "export.py": """
import torch


def export(path):
    return torch.load(path)["temperature"]
""",
    },
    "setstate of a class whose base is not known": """
from vendor import Transform


class Filter(Transform):
    def __getstate__(self):
        return self.options

    def __setstate__(self, options):
        self.options = options
        self.warm_up(self.vocabulary)
""",
    "another class reads back what a lone hook saves": {
        "model.py": LIGHTNING
        + """
    def on_save_checkpoint(self, checkpoint):
        checkpoint["temperature"] = self.temperature
""",
        "export.py": """
import torch


def export(path):
    checkpoint = torch.load(path)
    return checkpoint["state_dict"], checkpoint["temperature"]
""",
    },
    "a callback gives what the module reads": LIGHTNING
    + """
    def on_save_checkpoint(self, checkpoint):
        checkpoint["version"] = 2

    def on_load_checkpoint(self, checkpoint):
        self.temperature = checkpoint["temperature"]


class Keep:
    def on_save_checkpoint(self, trainer, module, checkpoint):
        checkpoint["temperature"] = module.temperature
""",
    "a callback gives one of the keys that the module reads": LIGHTNING
    + """
    def on_save_checkpoint(self, checkpoint):
        checkpoint["steps"] = self.steps

    def on_load_checkpoint(self, checkpoint):
        self.steps = checkpoint["steps"]
        self.temperature = checkpoint["temperature"]


class Keep:
    def on_save_checkpoint(self, trainer, module, checkpoint):
        checkpoint["temperature"] = module.temperature
""",
    "an interface that raises": """
class Stateful:
    def state_dict(self):
        raise NotImplementedError

    def load_state_dict(self, state):
        raise NotImplementedError
""",
    "a stub in the tests": {
        "penalty.py": PENALTY + STATE_DICT + LOAD_STATE_DICT,
        "tests/test_penalty.py": """
from penalty import AdaptivePenalty


class Frozen(AdaptivePenalty):
    def load_state_dict(self, state):
        self.beta = state["frozen"]
""",
    },
    "attributes that a list names are pickled": """
class Adapter:
    KEPT = ["retries", "size"]

    def __init__(self, size=10):
        self.retries = 0
        self.size = size
        self.pool = [object() for _ in range(size)]

    def __getstate__(self):
        return {name: getattr(self, name, None) for name in self.KEPT}

    def __setstate__(self, state):
        for name, value in state.items():
            setattr(self, name, value)
        self.pool = [object() for _ in range(self.size)]
""",
}

FOUND: dict[str, Case] = {
    "a number goes and an empty load is inherited": EMPTY_LOAD.replace("MARK", "  # CKP206").replace(
        "GIVEN", "item"
    ),
    "another key restores a part of it": TRACKER % ("averages", 'state["means"]  # CKP206'),
    "get_extra_state alone that may have nothing to give": MODULE
    + """
    def get_extra_state(self):  # CKP206
        if not self.calls:
            return None
        return {"calls": self.calls}
""",
    "setstate calls a function and looks for what is left out": """
class Transform:
    def __init__(self, options):
        self.options = options

    def warm_up(self, vocabulary=None):
        self.vocabulary = vocabulary

    def __getstate__(self):  # CKP206
        return self.options

    def __setstate__(self, options):
        self.options = options
        print(options)
        vocabulary = self.vocabulary if hasattr(self, "vocabulary") else None
        self.warm_up(vocabulary)
""",
    "only tests read the key of a lone hook": {
        "model.py": LIGHTNING
        + """
    def on_save_checkpoint(self, checkpoint):  # CKP206
        checkpoint["temperature"] = self.temperature
""",
        "tests/test_model.py": """
import torch


def test_temperature(path):
    checkpoint = torch.load(path)
    assert checkpoint["temperature"] > 0


class TestModel:
    def test_temperature(self, path):
        checkpoint = torch.load(path)
        assert checkpoint["temperature"] > 0
""",
    },
    "only tests give the key that load wants": {
        "model.py": LIGHTNING
        + """
    def on_save_checkpoint(self, checkpoint):
        checkpoint["steps"] = self.steps

    def on_load_checkpoint(self, checkpoint):
        self.steps = checkpoint["steps"]
        self.temperature = checkpoint["temperature"]  # CKP206
""",
        "tests/test_model.py": """
def test_temperature(model):
    checkpoint = {"steps": 1}
    checkpoint["temperature"] = 0.5
    model.on_load_checkpoint(checkpoint)


class TestModel:
    def test_temperature(self, model):
        checkpoint = {"steps": 1}
        checkpoint["temperature"] = 0.5
        model.on_load_checkpoint(checkpoint)
""",
    },
    "get_extra_state alone": MODULE
    + """
    def get_extra_state(self):  # CKP206
        return {"calls": self.calls}
""",
    "set_extra_state alone": MODULE
    + """
    def set_extra_state(self, state):  # CKP206
        self.calls = state
""",
    "set_extra_state wants more than it is given": MODULE
    + """
    def get_extra_state(self):
        return {"count": self.calls}

    def set_extra_state(self, state):
        self.calls = state["calls"]  # CKP206
""",
    "setstate wants more than getstate gives": """
class Transform:
    def __init__(self, options, vocabulary):
        self.options = options
        self.vocabulary = vocabulary

    def __getstate__(self):
        return {"options": self.options}

    def __setstate__(self, state):
        self.options = state["options"]
        self.vocabulary = state["vocabulary"]  # CKP206
""",
    "load_state_dict wants a key of another name": PENALTY
    + STATE_DICT
    + """
    def load_state_dict(self, state):
        self.beta = state["beta"]
        self.updates = state["num_updates"]  # CKP206
""",
    "load_state_dict leaves a copy where it is": """
import torch


class Average:
    def __init__(self, size):
        self.mean = torch.zeros(size)
        self.steps = 0

    def update(self, value):
        self.steps += 1
        self.mean = self.mean + (value - self.mean) / self.steps

    def state_dict(self):
        return {"mean": self.mean.detach().clone(), "steps": self.steps}

    def load_state_dict(self, state):  # CKP206
        self.steps = state["steps"]
""",
    "load_state_dict leaves a key where it is": PENALTY
    + STATE_DICT
    + """
    def load_state_dict(self, state):  # CKP206
        self.beta = state["beta"]
""",
    "state_dict of the inner model alone": """
from torch import nn


class Wrapper(nn.Module):
    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)

    def state_dict(self, *args, **kwargs):  # CKP206
        return self.model.state_dict(*args, **kwargs)
""",
    "state_dict of another shape alone": MODULE
    + """
    def state_dict(self):  # CKP206
        return {"weights": super().state_dict(), "calls": self.calls}
""",
    "on_save_checkpoint alone": LIGHTNING
    + """
    def on_save_checkpoint(self, checkpoint):  # CKP206
        checkpoint["temperature"] = self.temperature
""",
    "on_load_checkpoint wants a key that is never saved": LIGHTNING
    + """
    def on_save_checkpoint(self, checkpoint):
        checkpoint["tau"] = self.temperature

    def on_load_checkpoint(self, checkpoint):
        self.temperature = checkpoint["temperature"]  # CKP206
""",
    "get_parameters and set_parameters": PENALTY
    + """
    def get_parameters(self):
        return {"beta": self.beta}

    def set_parameters(self, parameters):
        self.beta = parameters["beta"]
        self.updates = parameters["updates"]  # CKP206
""",
    "get_weights gives a bare state": """
from torch import nn


class Player:
    def __init__(self, normalize_input):
        self.normalize_input = normalize_input
        self.model = nn.Linear(2, 1)
        self.input_statistics = nn.BatchNorm1d(2)

    def get_weights(self):  # CKP206
        return self.model.state_dict()

    def set_weights(self, weights):
        self.model.load_state_dict(weights["model"])
        if self.normalize_input:
            self.input_statistics.load_state_dict(weights["input_statistics"])
""",
    "setstate looks for what getstate leaves out": """
class Transform:
    def __init__(self, options):
        self.options = options

    def warm_up(self, vocabulary=None):
        self.vocabulary = vocabulary

    def __getstate__(self):  # CKP206
        return self.options

    def __setstate__(self, options):
        self.options = options
        vocabulary = self.vocabulary if hasattr(self, "vocabulary") else None
        self.warm_up(vocabulary)
""",
    "a module gives a table of its own": """
from torch import nn


class Hash(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = {}

    def forward(self, x):
        self.table[hash(x)] = x
        return hash(x)

    def state_dict(self, *args, **kwargs):  # CKP206
        return {"table": self.table}
""",
    "set_weights looks for the key of another shape in vain": """
class Controller:
    def __init__(self):
        self.gain = 1.0

    def update(self, error):
        self.gain += 0.1 * error

    def get_weights(self):
        return {"gains": self.gain}

    def set_weights(self, weights):
        self.gain = weights["gain"]  # CKP206
""",
    "get_weights is in a base class of another file": {
        "base.py": """
from torch import nn


class Player:
    def __init__(self):
        self.model = nn.Linear(2, 1)

    def get_weights(self):
        return {"model": self.model.state_dict()}
""",
        "agent.py": """
import torch
from base import Player


class Agent(Player):
    def __init__(self):
        super().__init__()
        self.log_alpha = torch.zeros(1)

    def learn(self, gradient):
        self.log_alpha -= 0.01 * gradient

    def act(self, obs):
        return self.model(obs) * self.log_alpha.exp()

    def set_weights(self, weights):
        self.model.load_state_dict(weights["model"])
        self.log_alpha = weights["log_alpha"]  # CKP206
""",
    },
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_unpaired_hooks(case: Case) -> None:
    check_findings(case)


def test_message_names_the_key_that_is_left() -> None:
    (finding,) = check_findings(FOUND["load_state_dict leaves a key where it is"])
    assert "'updates'" in finding.message and "'beta'" not in finding.message


def test_message_names_the_partner_in_the_other_file() -> None:
    case = FOUND["get_weights is in a base class of another file"]
    (finding,) = check_findings(case)
    assert "'log_alpha'" in finding.message and "base.py:" in finding.message
    assert len(finding.message) <= 120
    assert "base.py" in [each.path for each in finding.related]


def test_message_says_what_a_lone_hook_loses() -> None:
    (extra,) = check_findings(FOUND["get_extra_state alone"])
    assert extra.message == (
        "get_extra_state() has no set_extra_state(): load_state_dict() fails on this state; add set_extra_state()"
    )
    (lightning,) = check_findings(FOUND["on_save_checkpoint alone"])
    assert lightning.message == (
        "'temperature' is saved here and nothing restores it: it starts over after a load; add on_load_checkpoint()"
    )


def test_message_names_both_ends_of_a_bare_state() -> None:
    (finding,) = check_findings(FOUND["get_weights gives a bare state"])
    assert "set_weights" in finding.message and "'model'" in finding.message
    assert [each.position.line for each in finding.related] == [15]


def test_message_says_what_is_wrong_with_the_shape() -> None:
    (table,) = check_findings(FOUND["a module gives a table of its own"])
    assert table.message == (
        "state_dict() gives another shape than the base class loads: loading fails; add load_state_dict()"
    )
    (extra,) = check_findings(FOUND["set_extra_state alone"])
    assert extra.message.startswith("set_extra_state() has no get_extra_state(): ")
