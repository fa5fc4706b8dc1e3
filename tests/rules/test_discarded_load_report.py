"""CKP211: the report of a load that is not strict is dropped."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SILENT: dict[str, Case] = {
    "a method of the project that gives nothing": """
from torch import nn


class Agent(nn.Module):
    def load_state_dict(self, state_dict, strict=True, assign=False):
        super().load_state_dict(state_dict, strict)
        return None


def restore(state):
    agent = Agent()
    agent.load_state_dict(state, strict=False)
    return agent
""",
    "another method that is lenient": """
def restore(agent, path):
    agent.load_weights(path, strict=False)
    agent.load(path, False)
""",
    "strict by default": TORCH
    + """
def restore(model: nn.Module, path):
    model.load_state_dict(torch.load(path))
""",
    "strict in so many words": TORCH
    + """
def restore(model: nn.Module, path):
    model.load_state_dict(torch.load(path), strict=True)
""",
    "strict as the caller likes": TORCH
    + """
def restore(model: nn.Module, path, strict):
    model.load_state_dict(torch.load(path), strict=strict)
""",
    "the report is unpacked and checked": TORCH
    + """
def restore(model: nn.Module, path):
    missing, unexpected = model.load_state_dict(torch.load(path), strict=False)
    if missing or unexpected:
        raise RuntimeError(f"missing {missing}, unexpected {unexpected}")
""",
    "the report is read by attribute": TORCH
    + """
def restore(model: nn.Module, path):
    report = model.load_state_dict(torch.load(path), strict=False)
    assert not report.missing_keys
""",
    "the report is printed": TORCH
    + """
def restore(model: nn.Module, path):
    print(model.load_state_dict(torch.load(path), strict=False))
""",
    "the report is logged": TORCH
    + """
import logging

logger = logging.getLogger(__name__)

def restore(model: nn.Module, path):
    report = model.load_state_dict(torch.load(path), strict=False)
    logger.info("loaded %s: %s", path, report)
""",
    "the report is returned": TORCH
    + """
def restore(model: nn.Module, path):
    return model.load_state_dict(torch.load(path), strict=False)
""",
    "the report is kept": TORCH
    + """
class Trainer:
    def __init__(self, model: nn.Module):
        self.model = model
        self.report = None

    def restore(self, path):
        self.report = self.model.load_state_dict(torch.load(path), strict=False)
""",
    "one list of the report is read": TORCH
    + """
def restore(model: nn.Module, path):
    if model.load_state_dict(torch.load(path), strict=False).missing_keys:
        raise RuntimeError("incomplete checkpoint")
""",
    "forwarded by an override": TORCH
    + """
class Head(nn.Linear):
    def load_state_dict(self, state_dict, strict=True, assign=False):
        state = {name.removeprefix("head."): tensor for name, tensor in state_dict.items()}
        return super().load_state_dict(state, strict=False, assign=assign)
""",
    "a class of the project without a report": TORCH
    + """
class Averager:
    def __init__(self):
        self.shadow = {}

    def state_dict(self):
        return dict(self.shadow)

    def load_state_dict(self, state, strict=True):
        for name, tensor in state.items():
            if strict or name in self.shadow:
                self.shadow[name] = tensor

def restore(averager: Averager, path):
    averager.load_state_dict(torch.load(path), strict=False)
""",
    "a method with options of its own": TORCH
    + """
def restore(model, path, device):
    model.load_state_dict(torch.load(path), device=device, strict=False)
""",
    "a test of the project": {
        "tests/test_model.py": TORCH
        + """
def test_loads_a_part():
    model = nn.Linear(3, 1)
    model.load_state_dict({"bias": torch.zeros(1)}, strict=False)
    assert model.bias == 0
""",
    },
}

FOUND: dict[str, Case] = {
    "the call stands alone": TORCH
    + """
def restore(model: nn.Module, path):
    model.load_state_dict(torch.load(path), strict=False)  # CKP211
""",
    "by position": TORCH
    + """
def restore(path):
    model = nn.Linear(3, 1)
    model.load_state_dict(torch.load(path), False)  # CKP211
    return model
""",
    "the model of a class": TORCH
    + """
class Trainer:
    def __init__(self, size):
        self.model = nn.Linear(size, 1)

    def restore(self, path):
        state = torch.load(path, map_location="cpu")
        self.model.load_state_dict(state, strict=False)  # CKP211
""",
    "a part of the module itself": TORCH
    + """
class Detector(nn.Module):
    def __init__(self, backbone_path):
        super().__init__()
        self.backbone = nn.Linear(3, 4)
        state = torch.load(backbone_path)
        self.backbone.load_state_dict(state, strict=False)  # CKP211

    def forward(self, x):
        return self.backbone(x)
""",
    "stored and never read": TORCH
    + """
def restore(model: nn.Module, path):
    report = model.load_state_dict(torch.load(path), strict=False)  # CKP211
    return model
""",
    "bound to a name that says so": TORCH
    + """
def restore(model: nn.Module, path):
    _ = model.load_state_dict(torch.load(path), strict=False)  # CKP211
""",
    "both lists and none is read": TORCH
    + """
def restore(model: nn.Module, path):
    missing, unexpected = model.load_state_dict(torch.load(path), strict=False)  # CKP211
""",
    "renamed on the way": TORCH
    + """
def adapt(model: nn.Module, state):
    renamed = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    model.load_state_dict(renamed, strict=False)  # CKP211
""",
    "in a function inside a function": TORCH
    + """
def build(path):
    def restore(model: nn.Module):
        model.load_state_dict(torch.load(path), strict=False)  # CKP211

    return restore
""",
    "the class in another file": {
        "model.py": TORCH
        + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 1)

    def forward(self, x):
        return self.head(x)
""",
        "finetune.py": """
import torch
from model import Net

net = Net()
net.load_state_dict(torch.load("pretrained.pt"), strict=False)  # CKP211
""",
    },
    "over several lines": TORCH
    + """
def restore(model: nn.Module, path):
    model.load_state_dict(  # CKP211
        torch.load(path, map_location="cpu"),
        strict=False,
    )
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case, enable={"CKP211"})


@cases(FOUND)
def test_reports_dropped_reports(case: Case) -> None:
    check_findings(case, enable={"CKP211"})
