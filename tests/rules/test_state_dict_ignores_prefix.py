"""CKP217: overrides of a module's `state_dict` that store keys without the prefix."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

HEAD = """
class Cooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.heat = {"now": 1.0}

    def forward(self, x):
        return self.layer(x) / self.heat["now"]
"""
BODY = """
    def state_dict(self, *args, prefix="", **kwargs):
        state = super().state_dict(*args, prefix=prefix, **kwargs)
        state["heat"] = dict(self.heat)
        return state
"""

SILENT: dict[str, Case] = {
    "the prefix is added": TORCH
    + HEAD
    + """
    def state_dict(self, *args, prefix="", **kwargs):
        state = super().state_dict(*args, prefix=prefix, **kwargs)
        state[prefix + "heat"] = dict(self.heat)
        return state
""",
    "the prefix is formatted in": TORCH
    + HEAD
    + """
    def _save_to_state_dict(self, destination, prefix, keep_vars):
        super()._save_to_state_dict(destination, prefix, keep_vars)
        key = f"{prefix}heat"
        destination[key] = dict(self.heat)
""",
    "only the root stores it": TORCH
    + HEAD
    + """
    def state_dict(self, *args, prefix="", **kwargs):
        state = super().state_dict(*args, prefix=prefix, **kwargs)
        if prefix == "":
            state["heat"] = dict(self.heat)
        return state
""",
    "only the root updates it": TORCH
    + HEAD
    + """
    def state_dict(self, *args, prefix="", **kwargs):
        state = super().state_dict(*args, prefix=prefix, **kwargs)
        if not prefix:
            state.update(heat=dict(self.heat))
        return state
""",
    "no parent can call it": TORCH
    + HEAD
    + """
    def state_dict(self):
        state = super().state_dict()
        state["heat"] = dict(self.heat)
        return state

    def load_state_dict(self, state):
        self.heat = state.pop("heat")
        return super().load_state_dict(state)
""",
    "the mapping is its own": TORCH
    + HEAD
    + """
    def _save_to_state_dict(self, destination, prefix, keep_vars):
        super()._save_to_state_dict(destination, prefix, keep_vars)
        notes = {}
        notes["heat"] = dict(self.heat)
        destination[prefix + "notes"] = notes
""",
    "another object's mapping": TORCH
    + HEAD
    + """
    def state_dict(self, *args, prefix="", **kwargs):
        inner = self.layer.state_dict()
        inner["heat"] = 1.0
        inner.update(wind=2.0)
        self.last = inner
        return super().state_dict(*args, prefix=prefix, **kwargs)
""",
    "a class that is no module": TORCH
    + """
class Schedule(Base):
    def state_dict(self, *args, prefix="", **kwargs):
        state = super().state_dict(*args, prefix=prefix, **kwargs)
        state["step"] = 1
        return state
""",
    "a trainer saves it alone": "import lightning\nfrom torch import nn\n"
    + HEAD.replace("nn.Module", "lightning.LightningModule")
    + BODY,
    "code of a test": {"tests/test_cooled.py": TORCH + HEAD + BODY},
}

FOUND: dict[str, Case] = {
    "stored by subscript": TORCH + HEAD + BODY.replace("dict(self.heat)", "dict(self.heat)  # CKP217"),
    "a subclass of a module of the project": {
        "cooled.py": TORCH + HEAD,
        "warmed.py": """
from cooled import Cooled

class Warmed(Cooled):
    def state_dict(self, destination=None, prefix="", keep_vars=False):
        out = super().state_dict(destination=destination, prefix=prefix, keep_vars=keep_vars)
        if self.heat:
            out["heat"] = self.heat  # CKP217
        return out
""",
    },
    "the first of two keys": TORCH
    + HEAD
    + """
    def state_dict(self, *args, **kwargs):
        state = super().state_dict(*args, **kwargs)
        state.update({"heat": self.heat["now"]})  # CKP217
        state["wind"] = 1.0
        return state
""",
    "updated by keyword": TORCH
    + HEAD
    + """
    def state_dict(self, **kw):
        state = super().state_dict(**kw)
        state.update(heat=self.heat["now"])  # CKP217
        return state
""",
    "the mapping that is handed in": TORCH
    + HEAD
    + """
    def _save_to_state_dict(self, destination, prefix, keep_vars):
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination["heat"] = dict(self.heat)  # CKP217
""",
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_keys_without_prefix(case: Case) -> None:
    check_findings(case)


def test_message_names_the_key() -> None:
    (finding,) = check_findings(FOUND["stored by subscript"])
    assert finding.message == (
        "'heat' ignores the prefix: two such modules in one parent overwrite each other's; store it under prefix + key"
    )
