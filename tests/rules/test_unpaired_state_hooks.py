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

SILENT: dict[str, Case] = {
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
    "a version that nobody reads": PENALTY + STATE_DICT.replace('{"beta"', '{"version": 2, "beta"') + LOAD_STATE_DICT,
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
}

FOUND: dict[str, Case] = {
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
