"""CKP213: restores that are skipped without a word."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

SAVE = (
    TORCH
    + """
def save(path, model: nn.Module, scaler: torch.amp.GradScaler):
    torch.save({"model": model.state_dict(), "scaler": scaler.state_dict()}, path)
"""
)

SILENT: dict[str, Case] = {
    "no guard": SAVE
    + """
def load(path, model: nn.Module, scaler: torch.amp.GradScaler):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    scaler.load_state_dict(checkpoint["scaler"])
""",
    "absence is an error": SAVE
    + """
def load(path, model: nn.Module, scaler: torch.amp.GradScaler):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if "scaler" in checkpoint:
        scaler.load_state_dict(checkpoint["scaler"])
    else:
        raise KeyError(f"{path} holds no scaler")
""",
    "absence is an error first": SAVE
    + """
def load(path, model: nn.Module, scaler: torch.amp.GradScaler):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if "scaler" not in checkpoint:
        raise KeyError(f"{path} holds no scaler")
    scaler.load_state_dict(checkpoint["scaler"])
""",
    "absence is warned about": SAVE
    + """
import warnings

def load(path, model: nn.Module, scaler: torch.amp.GradScaler):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    state = checkpoint.get("scaler")
    if state is not None:
        scaler.load_state_dict(state)
    else:
        warnings.warn("the scaler starts fresh")
""",
    "absence is logged": SAVE
    + """
import logging

logger = logging.getLogger(__name__)

def load(path, model: nn.Module, scaler: torch.amp.GradScaler):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if "scaler" in checkpoint:
        scaler.load_state_dict(checkpoint["scaler"])
    else:
        logger.warning("%s holds no scaler", path)
""",
    "the guard asks for the object": SAVE
    + """
def load(path, model: nn.Module, scaler=None):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if scaler is not None:
        scaler.load_state_dict(checkpoint["scaler"])
""",
    "the guard asks for an option": SAVE
    + """
def load(path, model: nn.Module, scaler: torch.amp.GradScaler, amp=True):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if amp:
        scaler.load_state_dict(checkpoint["scaler"])
""",
    "the guard unwraps": TORCH
    + """
def load(path, model: nn.Module):
    checkpoint = torch.load(path)
    if "state_dict" in checkpoint:
        checkpoint = checkpoint["state_dict"]
    model.load_state_dict(checkpoint)
""",
    "the guard renames": TORCH
    + """
def load(path, model: nn.Module):
    state = torch.load(path)
    if "fc.weight" in state:
        state["head.weight"] = state.pop("fc.weight")
    model.load_state_dict(state)
""",
    "a metric": TORCH
    + """
def save(path, model: nn.Module, accuracy):
    torch.save({"model": model.state_dict(), "accuracy": accuracy}, path)

def load(path, model: nn.Module):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if "accuracy" in checkpoint:
        print(f"accuracy {checkpoint['accuracy']:.3f}")
""",
    "a configuration": TORCH
    + """
def save(path, model: nn.Module, config):
    torch.save({"model": model.state_dict(), "config": config}, path)

def load(path, model: nn.Module):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    return checkpoint["config"] if "config" in checkpoint else {}
""",
    "absence is an error where the load is strict": SAVE
    + """
def load(path, model: nn.Module, scaler: torch.amp.GradScaler, strict=True):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if strict or "scaler" in checkpoint:
        scaler.load_state_dict(checkpoint["scaler"])
""",
    "a key that must be there": SAVE
    + """
def load(path, model: nn.Module, scaler: torch.amp.GradScaler):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if checkpoint["scaler"] is not None:
        scaler.load_state_dict(checkpoint["scaler"])
""",
    "a state by another way": SAVE
    + """
def load(path, model: nn.Module, scaler: torch.amp.GradScaler):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if "scaler" in checkpoint:
        scaler.load_state_dict(checkpoint["scaler"])
        return
    raise KeyError(f"{path} holds no scaler")
""",
    "the pickle of an object": TORCH
    + """
class Meter:
    def __init__(self):
        self.total = 0.0

    def update(self, value):
        self.total += value

    def __getstate__(self):
        return {"total": self.total}

    def __setstate__(self, state):
        if "total" in state:
            self.total = state["total"]
""",
    "a key that no save writes": SAVE
    + """
def load(path, model: nn.Module, scaler: torch.amp.GradScaler, averaged: nn.Module):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    scaler.load_state_dict(checkpoint["scaler"])
    state = checkpoint.get("average")
    if state is None:
        state = checkpoint["model"]
    averaged.load_state_dict(state)
""",
    "a mapping that is no checkpoint": """
def configure(model, options):
    if "dropout" in options:
        model.dropout = options["dropout"]
    return model
""",
    "a test of the project": {
        "tests/test_checkpoint.py": SAVE
        + """
def load(path, model: nn.Module, scaler: torch.amp.GradScaler):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if "scaler" in checkpoint:
        scaler.load_state_dict(checkpoint["scaler"])
""",
    },
}

FOUND: dict[str, Case] = {
    "a key that is always written": SAVE
    + """
def load(path, model: nn.Module, scaler: torch.amp.GradScaler):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if "scaler" in checkpoint:  # CKP213
        scaler.load_state_dict(checkpoint["scaler"])
""",
    "a key that is sometimes written": TORCH
    + """
def save(path, model: nn.Module, scaler, amp):
    record = {"model": model.state_dict()}
    if amp:
        record["scaler"] = scaler.state_dict()
    torch.save(record, path)

def load(path, model: nn.Module, scaler: torch.amp.GradScaler):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if "scaler" in checkpoint:  # CKP213
        scaler.load_state_dict(checkpoint["scaler"])
""",
    "asked for by get": SAVE
    + """
def load(path, model: nn.Module, scaler: torch.amp.GradScaler):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    state = checkpoint.get("scaler")
    if state is not None:  # CKP213
        scaler.load_state_dict(state)
""",
    "asked for by get in the test": SAVE
    + """
def load(path, model: nn.Module, scaler: torch.amp.GradScaler):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if checkpoint.get("scaler"):  # CKP213
        scaler.load_state_dict(checkpoint["scaler"])
""",
    "asked for by get with None": SAVE
    + """
def load(path, model: nn.Module, scaler: torch.amp.GradScaler):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    state = checkpoint.get("scaler", None)
    if state:  # CKP213
        scaler.load_state_dict(state)
""",
    "two keys in one test": TORCH
    + """
def save(path, model: nn.Module, optimizer, epoch):
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}, path)

def load(path, model: nn.Module, optimizer: torch.optim.Optimizer):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    epoch = 0
    if "optimizer" in checkpoint and "epoch" in checkpoint:  # CKP213
        optimizer.load_state_dict(checkpoint["optimizer"])
        epoch = checkpoint["epoch"]
    return epoch
""",
    "in a pair of hooks": TORCH
    + """
class Schedule:
    def __init__(self, rate):
        self.rate = rate

    def step(self):
        self.rate = self.rate * 0.5

    def state_dict(self):
        return {"rate": self.rate}

    def load_state_dict(self, state):
        if "rate" in state:  # CKP213
            self.rate = state["rate"]
""",
    "with a second condition": SAVE
    + """
def load(path, model: nn.Module, scaler=None):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if scaler is not None and "scaler" in checkpoint:  # CKP213
        scaler.load_state_dict(checkpoint["scaler"])
""",
    "in one class": TORCH
    + """
class Trainer:
    def __init__(self, model: nn.Module):
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters())

    def save(self, path):
        torch.save({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}, path)

    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        if "optimizer" in checkpoint:  # CKP213
            self.optimizer.load_state_dict(checkpoint["optimizer"])
""",
    "in two files": {
        "checkpoint.py": SAVE,
        "resume.py": """
import torch

from checkpoint import save

def resume(path, model, scaler, train):
    checkpoint = torch.load(path)
    model.load_state_dict(checkpoint["model"])
    if "scaler" in checkpoint:  # CKP213
        scaler.load_state_dict(checkpoint["scaler"])
    train(model, scaler)
    save(path, model, scaler)
""",
    },
    "statistics that the object may not have": TORCH
    + """
def save(path, model: nn.Module, env):
    torch.save({"model": model.state_dict(), "obs_rms": env.obs_rms}, path)

def load(path, model: nn.Module, env):
    checkpoint = torch.load(path, weights_only=False)
    model.load_state_dict(checkpoint["model"])
    if getattr(env, "obs_rms", None) is not None:  # CKP213
        env.obs_rms = checkpoint["obs_rms"]
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case, enable={"CKP213"})


@cases(FOUND)
def test_reports_silent_skips(case: Case) -> None:
    check_findings(case, enable={"CKP213"})


def test_message_names_the_keys_and_the_save() -> None:
    (found,) = check_findings(FOUND["two keys in one test"], enable={"CKP213"})
    assert found.message == (
        "where 'optimizer', 'epoch' are missing, nothing says so and they start over: raise or warn in an else"
    )
    assert [each.message for each in found.related] == ["written here"]


def test_message_names_as_many_keys_as_fit() -> None:
    keys = ("policy_optimizer", "value_scheduler", "gradient_scaler")
    arguments = ", ".join(f"{key}: torch.optim.Optimizer" for key in keys)
    held = ", ".join(f'"{key}": {key}.state_dict()' for key in keys)
    test = " and ".join(f'"{key}" in checkpoint' for key in keys)
    taken = "".join(f'        {key}.load_state_dict(checkpoint["{key}"])\n' for key in keys)
    text = f"""import torch

def save(path, {arguments}):
    torch.save({{{held}}}, path)

def load(path, {arguments}):
    checkpoint = torch.load(path)
    if {test}:  # CKP213
{taken}"""
    (found,) = check_findings(text, enable={"CKP213"})
    assert found.message.startswith("where 'policy_optimizer', 'value_scheduler' are missing")
