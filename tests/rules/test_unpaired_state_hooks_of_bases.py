"""CKP206: hooks of two bases, state that cannot be pickled, and hooks that nobody calls."""

from __future__ import annotations

from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

PLAIN = """
class Plain:
    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass
"""
ORDERED = """
class Ordered:
    def __init__(self):
        self.position = 0

    def sample(self):
        self.position += 1
        return self.position

    def state_dict(self):
        return {"position": self.position}

    def load_state_dict(self, state):
        self.position = state["position"]
"""
BASES = PLAIN + ORDERED
LOCKED = (
    "import threading\n"
    + TORCH
    + """
class Shared(nn.Module):
    def __init__(self, lock=None):
        super().__init__()
        self.lock = {made}
        self.options = {{"scale": 1.0}}

    def forward(self, x):
        with self.lock:
            return self.options["scale"] * x

    def get_extra_state(self):{mark}
        return {{{given}"options": self.options}}

    def set_extra_state(self, state):
        self.options = state["options"]
"""
)
DATA = """
import lightning

class Rows(lightning.{base}):
    def __init__(self):
        super().__init__()
        self.seen = 0

    def train_dataloader(self):
        self.seen += 1
        return range(self.seen)

    def on_save_checkpoint(self, checkpoint):{mark}
        checkpoint["seen"] = self.seen

    def on_load_checkpoint(self, checkpoint):
        self.seen = checkpoint["seen"]
"""


def locked(made: str = "lock or threading.Lock()", given: str = '"lock": self.lock, ', mark: str = "") -> str:
    """Return a module with a lock, and what its extra state gives."""
    return LOCKED.format(made=made, given=given, mark=mark)


SILENT: dict[str, Case] = {
    "both hooks are those of one base": BASES
    + """
class Both(Plain, Ordered):
    def state_dict(self):
        return Ordered.state_dict(self)

    def load_state_dict(self, state):
        Ordered.load_state_dict(self, state)
""",
    "the base that is named is the first": BASES
    + """
class Both(Ordered, Plain):
    def state_dict(self):
        return {"both": Ordered.state_dict(self)}["both"]
""",
    "the load is that of a class in between": ORDERED
    + """
class Shuffled(Ordered):
    def load_state_dict(self, state):
        super().load_state_dict(state)

class Twice(Shuffled):
    def state_dict(self):
        return Ordered.state_dict(self)
""",
    "another object's hook is called by its class": BASES
    + """
class Outer(Plain):
    def __init__(self, inner):
        self.inner = inner

    def state_dict(self):
        return Ordered.state_dict(self.inner)
""",
    "a base whose load does nothing has nothing to load": PLAIN
    + """
class Named(Plain):
    def __init__(self):
        self.title = "named"

    def state_dict(self):
        return {"title": self.title}
""",
    "the lock is left out": locked(given=""),
    "what is called a lock is a number": locked(made="1"),
    "the pickle leaves the lock out": """
import threading

class Held:
    def __init__(self):
        self.lock = threading.Lock()
        self.count = 0

    def add(self):
        with self.lock:
            self.count += 1
        return self.count > 3

    def __getstate__(self):
        return {"count": self.count}

    def __setstate__(self, state):
        self.count = state["count"]
        self.lock = threading.Lock()
""",
    "a module of lightning": DATA.format(base="LightningModule", mark=""),
    "a data module that the module asks": DATA.format(base="LightningDataModule", mark="")
    + """
class Model(lightning.LightningModule):
    def on_save_checkpoint(self, checkpoint):
        self.trainer.datamodule.on_save_checkpoint(checkpoint)
""",
    "a data module of the tests": {"tests/rows.py": DATA.format(base="LightningDataModule", mark="")},
    "a data module with the hooks that are called": DATA.format(base="LightningDataModule", mark="")
    .replace("on_save_checkpoint(self, checkpoint)", "state_dict(self)")
    .replace('checkpoint["seen"] = self.seen', 'return {"seen": self.seen}')
    .replace("on_load_checkpoint(self, checkpoint)", "load_state_dict(self, checkpoint)"),
}

FOUND: dict[str, Case] = {
    "the load of another base": BASES
    + """
class Both(Plain, Ordered):
    def state_dict(self):  # CKP206
        return Ordered.state_dict(self)
""",
    "the save of another base": {
        "bases.py": BASES,
        "both.py": """
from bases import Ordered
from bases import Plain

class Both(Plain, Ordered):
    def load_state_dict(self, state):  # CKP206
        Ordered.load_state_dict(self, state)
""",
    },
    "a load that does nothing": PLAIN
    + """
class Counted(Plain):
    def __init__(self):
        self.count = 0

    def step(self):
        self.count += 1
        return self.count > 3

    def state_dict(self):  # CKP206
        return {"count": self.count}
""",
    "a lock in the state": locked(mark="  # CKP206"),
    "a queue in the state": locked(made="queue.Queue()", mark="  # CKP206").replace(
        "import threading", "import queue"
    ),
    "hooks of a data module": DATA.format(base="LightningDataModule", mark="  # CKP206"),
    "the load alone": DATA.format(base="LightningDataModule", mark="")
    .replace("def on_save_checkpoint(self, checkpoint):", "def keep(self, checkpoint):")
    .replace(
        "def on_load_checkpoint(self, checkpoint):", "def on_load_checkpoint(self, checkpoint):  # CKP206"
    ),
}


@cases(SILENT)
def test_stays_silent(case: Case) -> None:
    check_silent(case)


@cases(FOUND)
def test_reports_hooks_that_do_not_work(case: Case) -> None:
    check_findings(case)


def test_message_names_the_base() -> None:
    (finding,) = check_findings(FOUND["the load of another base"])
    assert finding.message == (
        "state_dict() is defined here and load_state_dict() comes from Plain: they do not fit; override both"
    )


def test_message_names_what_cannot_be_pickled() -> None:
    (finding,) = check_findings(FOUND["a queue in the state"])
    assert finding.message == (
        "'lock' holds a Queue, which cannot be pickled: torch.save() of this state fails; leave it out"
    )
