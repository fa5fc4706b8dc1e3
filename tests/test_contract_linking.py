"""Checkpoints are followed from function to function and file to file: what is written, read, and belongs together."""

from __future__ import annotations

import textwrap

import pytest

from flake8_ckpt.project.families import are_partners
from flake8_ckpt.project.families import is_test
from tests.contract_cases import answers
from tests.contract_cases import contract_findings
from tests.contract_cases import hooked
from tests.contract_cases import joined
from tests.contract_cases import link
from tests.contract_cases import missing
from tests.contract_cases import read
from tests.contract_cases import unrestored
from tests.contract_cases import written
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent

HEAD = "import copy\nimport pickle\n\nimport numpy as np\nimport torch\nfrom torch import nn\n"


def saving(body: str, arguments: str = "model, path") -> str:
    """Return a file with one function that saves."""
    return f"{HEAD}\n\ndef save({arguments}):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"


def loading(body: str, arguments: str = "path, model, run") -> str:
    """Return a file with one function that loads."""
    return f"{HEAD}\n\ndef load({arguments}):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"


PAYLOADS: dict[str, tuple[Case, str]] = {
    "a literal": (saving('torch.save({"net": model.state_dict(), "step": 1}, path)'), "net step"),
    "keywords of dict": (saving("torch.save(dict(net=model.state_dict(), step=1), path)"), "net step"),
    "key by key": (
        saving("""
            state = {}
            state["net"] = model.state_dict()
            state["step"] = 1
            torch.save(state, path)
        """),
        "net step",
    ),
    "a key in each branch": (
        saving("""
            state = {"net": model.state_dict()}
            if path:
                state["step"] = 1
            else:
                state["epoch"] = 1
            torch.save(state, path)
        """),
        "net step? epoch?",
    ),
    "a literal in each branch": (
        saving("""
            if path:
                state = {"net": model.state_dict(), "step": 1}
            else:
                state = {"net": None}
            torch.save(state, path)
        """),
        "net step?",
    ),
    "an update with a dict": (
        saving("""
            state = {"net": model.state_dict()}
            state.update({"step": 1})
            torch.save(state, path)
        """),
        "net step",
    ),
    "an update with keywords under a condition": (
        saving(
            """
            state = {"net": model.state_dict()}
            if ema is not None:
                state.update(ema=ema.state_dict())
            torch.save(state, path)
        """,
            "model, path, ema",
        ),
        "net ema?",
    ),
    "an update with what nobody knows": (
        saving(
            """
            state = {"net": model.state_dict()}
            state.update(extra)
            torch.save(state, path)
        """,
            "model, path, extra",
        ),
        "net ...",
    ),
    "a spread of a known dict": (
        saving("""
            base = {"net": model.state_dict()}
            torch.save({**base, "step": 1}, path)
        """),
        "net step",
    ),
    "a spread of what nobody knows": (
        saving('torch.save({**extra, "step": 1}, path)', "extra, path"),
        "...",
    ),
    "a union of two dicts": (
        saving("""
            base = {"net": model.state_dict()}
            torch.save(base | {"step": 1}, path)
        """),
        "net step",
    ),
    "a computed key": (saving('torch.save({name: 1, "step": 1}, path)', "name, path"), "..."),
    "computed keys in a loop": (
        saving(
            """
            state = {"step": 1}
            for name, model in models.items():
                state[name] = model.state_dict()
            torch.save(state, path)
        """,
            "models, path",
        ),
        "step ...",
    ),
    "keys of a comprehension": (
        saving("torch.save({name: part.state_dict() for name, part in parts.items()}, path)", "parts, path"),
        "...",
    ),
    "a default that is set in place": (
        saving("""
            state = {"net": model.state_dict()}
            state.setdefault("step", 1)
            torch.save(state, path)
        """),
        "net ...",
    ),
    "another function may add keys": (
        saving("""
            from vendor import fill

            state = {"net": model.state_dict()}
            fill(state)
            torch.save(state, path)
        """),
        "net ...",
    ),
    "a function of the project may add keys": (
        saving("""
            state = {"net": model.state_dict()}
            fill(state, model)
            torch.save(state, path)
        """)
        + '\n\ndef fill(state, model):\n    state["step"] = model.step\n',
        "net ...",
    ),
    "nested dicts": (
        saving("""
            stats = {"mean": 1}
            if path:
                stats["var"] = 1
            torch.save({"net": {"inner": {"weight": 1}}, "stats": stats}, path)
        """),
        "net(inner(weight)) stats(mean var?)",
    ),
    "a copy": (
        saving("""
            state = {"net": model.state_dict()}
            torch.save(copy.deepcopy(state), path)
        """),
        "net",
    ),
    "a copy by dict": (
        saving("""
            state = {"net": model.state_dict()}
            torch.save(dict(state), path)
        """),
        "net",
    ),
    "a copy by its own method": (
        saving("""
            state = {"net": model.state_dict()}
            torch.save(state.copy(), path)
        """),
        "net",
    ),
    "a value that may be None": (
        saving('torch.save({"net": 1, "ema": ema.state_dict() if ema else None}, path)', "path, ema=None"),
        "net ema",
    ),
    "two saves of one dict": (
        saving("""
            state = {"net": 1}
            if path is None:
                torch.save(state, "last.pt")
                return
            state["step"] = 2
            torch.save(state, path)
        """),
        "net | net step",
    ),
    "two values at once": (
        saving("""
            net, step = model.state_dict(), 1
            torch.save({"net": net, "step": step}, path)
        """),
        "net step",
    ),
    "the state of one object": (saving("torch.save(model.state_dict(), path)"), "..."),
    "a whole object": (saving("torch.save(model, path)"), "..."),
    "a tuple": (saving("torch.save((model.state_dict(), 1), path)"), "..."),
    "the attributes of an object": (saving("torch.save(vars(model), path)"), "..."),
    "a dataclass": (
        saving("""
            from dataclasses import asdict

            torch.save(asdict(model), path)
        """),
        "...",
    ),
    "nothing at all": (saving("torch.save()"), "..."),
    "a module's own script": (
        f'{HEAD}\nmodel = nn.Linear(2, 1)\nstate = {{"net": model.state_dict()}}\ntorch.save(state, "last.pt")\n',
        "net",
    ),
    "a script under its guard": (
        f'{HEAD}\nif __name__ == "__main__":\n    torch.save({{"net": 1, "step": 2}}, "last.pt")\n',
        "net step",
    ),
    "a coroutine": (saving('torch.save({"net": 1}, path)').replace("def save", "async def save"), "net"),
    "a nested function": (
        saving("""
            step = 3

            def write():
                torch.save({"net": model.state_dict(), "step": step}, path)

            write()
        """),
        "net step",
    ),
}
FORMATS: dict[str, tuple[Case, str]] = {
    "torch": (saving('torch.save(obj={"net": 1}, f=path)'), "net"),
    "pickle": (
        saving("""
            with open(path, "wb") as file:
                pickle.dump({"net": 1}, file)
        """),
        "net",
    ),
    "joblib": (saving('import joblib\njoblib.dump({"net": 1}, path)'), "net"),
    "cloudpickle": (saving('import cloudpickle\ncloudpickle.dump({"net": 1}, path)'), "net"),
    "arrays by name": (saving("np.savez(path, mean=model.mean, var=model.var)"), "mean var"),
    "compressed arrays by name": (saving("np.savez_compressed(path, mean=model.mean)"), "mean"),
    "arrays of what nobody knows": (saving("np.savez(path, mean=model.mean, **model.rest)"), "mean ..."),
    "arrays without a name": (saving("np.savez(path, model.mean)"), "..."),
    "safetensors": (
        saving('from safetensors.torch import save_file\nsave_file({"weight": model.weight}, path)'),
        "weight",
    ),
    "torch.distributed.checkpoint": (
        saving('import torch.distributed.checkpoint as dcp\ndcp.save({"net": model}, checkpoint_id=path)'),
        "net",
    ),
    "fabric": (saving('fabric.save(path, {"net": model, "step": 1})', "fabric, model, path"), "net step"),
    "fabric with keywords": (
        saving('fabric.save(path=path, state={"net": model, "step": 1})', "fabric, model, path"),
        "net step",
    ),
    "fabric of an object": (
        f"{HEAD}\nclass Trainer:\n    def save(self, path):\n"
        '        state = {"net": self.net, "step": 1}\n        self.fabric.save(path, state)\n',
        "net step",
    ),
    "accelerate": (saving('accelerator.save({"net": model}, path)', "accelerator, model, path"), "net"),
    "XLA": (saving('import torch_xla.core.xla_model as xm\nxm.save({"net": model}, path)'), "net"),
}


def payloads(case: Case) -> list[str]:
    """Return the payloads that reach a file without the names of their functions."""
    return sorted({each.partition(": ")[2] for each in written(case)})


@answers({**PAYLOADS, **FORMATS})
def test_payload_has_its_keys(case: Case, expected: str) -> None:
    assert payloads(case) == expected.split(" | ")


WRITER = """
def save_checkpoint(state, path):
    torch.save(state, path)
"""
OPTIONAL = """
class Agent:
    def save(self, path, metadata=None):
        state = {"net": self.net.state_dict()}
        if metadata:
            state["metadata"] = metadata
        torch.save(state, path)
"""
CALLS: dict[str, tuple[Case, list[str]]] = {
    "a helper": (
        HEAD + WRITER + '\ndef main(model):\n    save_checkpoint({"net": model.state_dict()}, "last.pt")\n',
        ["main: net"],
    ),
    "a helper in another file": (
        {
            "files.py": HEAD + WRITER,
            "train.py": "import files\n\ndef main(model):\n"
            '    files.save_checkpoint({"net": model.state_dict()}, "last.pt")\n',
        },
        ["main: net"],
    ),
    "a helper of a helper": (
        HEAD
        + WRITER
        + "\ndef save_net(net, path):\n    save_checkpoint({'net': net}, path)\n"
        + "\ndef main(model):\n    save_net(model.state_dict(), 'last.pt')\n",
        ["main: net"],
    ),
    "a helper that passes all on": (
        HEAD
        + "\ndef save_checkpoint(*args, **kwargs):\n    torch.save(*args, **kwargs)\n"
        + '\ndef main(model):\n    save_checkpoint({"net": model.state_dict()}, "last.pt")\n',
        ["main: net"],
    ),
    "a helper with keywords only": (
        HEAD
        + "\ndef save_checkpoint(path, *, state):\n    torch.save(state, path)\n"
        + '\ndef main(model):\n    save_checkpoint("last.pt", state={"net": model.state_dict()})\n',
        ["main: net"],
    ),
    "a helper that takes the keys as keywords": (
        HEAD
        + "\ndef save_checkpoint(path, **state):\n    torch.save(state, path)\n"
        + '\ndef main(model):\n    save_checkpoint("last.pt", net=model.state_dict())\n',
        ["main: ..."],
    ),
    "a call with a spread": (
        HEAD + WRITER + "\ndef main(*given):\n    save_checkpoint(*given)\n",
        ["main: ..."],
    ),
    "a helper makes the payload": (
        HEAD
        + "\ndef make_state(model):\n    return {'net': model.state_dict(), 'step': 1}\n"
        + "\ndef save(model, path):\n    torch.save(make_state(model), path)\n",
        ["save: net step"],
    ),
    "a method makes the payload": (
        HEAD
        + "\nclass Agent:\n    def state(self):\n        return {'net': self.net.state_dict()}\n"
        + "\n    def save(self, path):\n        torch.save(self.state(), path)\n",
        ["save: net"],
    ),
    "a method makes a part of the payload": (
        HEAD
        + "\nclass Agent:\n    def state(self):\n        return {'net': self.net.state_dict()}\n"
        + "\n    def save(self, path):\n        torch.save({**self.state(), 'step': 1}, path)\n",
        ["save: ..."],
    ),
    "a property makes the payload": (
        HEAD
        + "\nclass Agent:\n    @property\n    def state(self):\n        return {'net': self.net.state_dict()}\n"
        + "\n    def save(self, path):\n        torch.save(self.state, path)\n",
        ["save: net"],
    ),
    "an argument that is left out": (
        HEAD + OPTIONAL + "\ndef main(path):\n    agent = Agent()\n    agent.save(path)\n",
        ["main: net"],
    ),
    "an argument that is None": (
        HEAD + OPTIONAL + "\ndef main(path, agent: Agent):\n    agent.save(path, None)\n",
        ["main: net"],
    ),
    "an argument that is empty": (
        HEAD + OPTIONAL + "\ndef main(path, agent: Agent):\n    agent.save(path, metadata={})\n",
        ["main: net"],
    ),
    "an argument by its position": (
        HEAD + OPTIONAL + "\ndef main(path):\n    Agent().save(path, {'mean': 1})\n",
        ["main: net metadata?(mean)"],
    ),
    "an argument by its name": (
        HEAD + OPTIONAL + "\ndef main(path):\n    Agent().save(path, metadata={'mean': 1})\n",
        ["main: net metadata?(mean)"],
    ),
    "arguments that nobody knows": (
        HEAD + OPTIONAL + "\ndef main(path, given):\n    Agent().save(path, **given)\n",
        ["main: net metadata?"],
    ),
    "an option with a default": (
        HEAD
        + "\ndef save_state(model, path, full=False):\n    state = {'net': model.state_dict()}\n"
        + "    if full:\n        state['step'] = 1\n    torch.save(state, path)\n"
        + "\ndef main(model, path):\n    save_state(model, path)\n",
        ["main: net step?"],
    ),
    "a default without a condition": (
        HEAD
        + "\ndef save_state(model, path, extra=None):\n"
        + "    torch.save({'net': model.state_dict(), 'extra': extra}, path)\n"
        + "\ndef main(model, path):\n    save_state(model, path)\n",
        ["main: net extra"],
    ),
    "a class method": (
        HEAD
        + "\nclass Agent:\n    @classmethod\n    def save(cls, path, state):\n        torch.save(state, path)\n"
        + "\ndef main(path):\n    Agent.save(path, {'net': 1})\n",
        ["main: net"],
    ),
    "a static method": (
        HEAD
        + "\nclass Agent:\n    @staticmethod\n    def save(path, state):\n        torch.save(state, path)\n"
        + "\ndef main(path):\n    Agent.save(path, {'net': 1})\n",
        ["main: net"],
    ),
    "super in another file": (
        {
            "base.py": HEAD + OPTIONAL.replace("Agent", "Base"),
            "train.py": "from base import Base\n\nclass Agent(Base):\n    def save(self, path):\n"
            "        super().save(path, metadata={'best': self.best})\n",
        },
        ["save: net metadata?(best)"],
    ),
    "the payload of super": (
        {
            "base.py": HEAD + "\nclass Base:\n    def get_state(self):\n        return {'net': self.net.state_dict()}\n"
            "\n    def set_state(self, state):\n        self.net.load_state_dict(state['net'])\n"
            "\n    def save(self, path):\n        torch.save(self.get_state(), path)\n",
            "train.py": "from base import Base\n\nclass Agent(Base):\n    def get_state(self):\n"
            "        state = super().get_state()\n        state['best'] = self.best\n        return state\n",
        },
        ["save: net", "save: net best"],
    ),
    "an attribute that holds the saver": (
        HEAD
        + "\nclass Saver:\n    def save(self, state, path):\n        torch.save(state, path)\n"
        + "\nclass Trainer:\n    def __init__(self):\n        self.saver = Saver()\n"
        + "\n    def save_all(self, path):\n        self.saver.save({'net': 1}, path)\n",
        ["save_all: net"],
    ),
    "a factory that says what it makes": (
        HEAD
        + OPTIONAL
        + "\ndef make_agent(name) -> Agent:\n    return build(name)\n"
        + "\ndef main(path):\n    agent = make_agent('a')\n    agent.save(path)\n",
        ["main: net"],
    ),
    "a factory among the class's own methods": (
        HEAD
        + OPTIONAL
        + "\n    @classmethod\n    def load(cls, path):\n        agent = cls()\n"
        + "        agent.net.load_state_dict(torch.load(path)['net'])\n        return agent\n"
        + "\ndef main(path):\n    agent = Agent.load(path)\n    agent.save(path)\n",
        ["main: net"],
    ),
    "a factory that nobody can follow": (
        HEAD + OPTIONAL + "\ndef main(path, make):\n    agent = make()\n    agent.save(path)\n",
        ["save: net metadata?"],
    ),
    "a registry of classes": (
        HEAD
        + OPTIONAL
        + "\nAGENTS = {'agent': Agent}\n"
        + "\ndef main(path, name):\n    agent = AGENTS[name]()\n    agent.save(path)\n",
        ["save: net metadata?"],
    ),
    "a module that is moved": (
        HEAD + OPTIONAL + "\ndef main(path):\n    agent = Agent().to('cuda').eval()\n    agent.save(path)\n",
        ["main: net"],
    ),
    "one of two objects of a class": (
        HEAD
        + OPTIONAL
        + "\ndef main(path, full):\n    agent = Agent() if full else None\n    agent.save(path)\n",
        ["main: net"],
    ),
    "one of two objects of two classes": (
        HEAD
        + OPTIONAL
        + "\nclass Other:\n    pass\n"
        + "\ndef main(path, full):\n    agent = Agent() if full else Other()\n    agent.save(path)\n",
        ["save: net metadata?"],
    ),
}


@answers(CALLS)
def test_payload_comes_from_the_call(case: Case, expected: list[str]) -> None:
    assert written(case) == expected


KEYS: dict[str, tuple[Case, list[str]]] = {
    "a key": (loading('state = torch.load(path)\nrun.net = state["net"]'), ["net required"]),
    "a key that is taken out": (loading('state = torch.load(path)\nrun.net = state.pop("net")'), ["net required"]),
    "a key at once": (loading('run.net = torch.load(path)["net"]'), ["net required"]),
    "a key with a default": (
        loading('state = torch.load(path)\nrun.net = state.get("net", 0)\nrun.ema = state.pop("ema", None)'),
        ["ema defaulted", "net defaulted"],
    ),
    "a key that may be None": (loading('state = torch.load(path)\nrun.net = state.get("net")'), ["net guarded"]),
    "a key behind a test": (
        loading('state = torch.load(path)\nif "net" in state:\n    run.net = state["net"]'),
        ["net guarded"],
    ),
    "a key behind half a test": (
        loading('state = torch.load(path)\nif state is not None and "net" in state:\n    run.net = state["net"]'),
        ["net guarded"],
    ),
    "a key after a way out": (
        loading('state = torch.load(path)\nif "net" not in state:\n    return\nrun.net = state["net"]'),
        ["net guarded"],
    ),
    "a key whose absence is caught": (
        loading("""
            state = torch.load(path)
            try:
                run.net = state["net"]
            except KeyError:
                run.net = None
        """),
        ["net guarded"],
    ),
    "a key whose absence ends the load": (
        loading("""
            state = torch.load(path)
            try:
                run.net = state["net"]
            except OSError:
                run.net = None
        """),
        ["net required"],
    ),
    "constant keys in a loop": (
        loading("""
            state = torch.load(path)
            for name in ("net", "ema"):
                run.put(name, state[name])
        """),
        ["ema required", "net required"],
    ),
    "computed keys in a loop": (
        loading("""
            state = torch.load(path)
            run.net = state["net"]
            for name in run.names:
                run.put(name, state[name])
        """),
        ["- wholesale", "net required"],
    ),
    "all items": (
        loading("""
            for name, value in torch.load(path).items():
                setattr(run, name, value)
        """),
        ["- wholesale"],
    ),
    "all items in a comprehension": (
        loading("run.load_state_dict({name: value for name, value in torch.load(path).items()})"),
        ["- wholesale"],
    ),
    "a spread": (loading("run.start(**torch.load(path))"), ["- handed", "- wholesale"]),
    "load_state_dict of all": (loading("model.load_state_dict(torch.load(path))"), ["- handed"]),
    "all into the attributes": (loading("vars(run).update(torch.load(path))"), ["- handed"]),
    "all into another function": (
        loading("from vendor import restore\n\nrestore(run, torch.load(path))"),
        ["- handed"],
    ),
    "all into a constructor": (loading("run.start(State(torch.load(path)))"), ["- handed"]),
    "all given back": (loading('state = torch.load(path)\nrun.net = state["net"]\nreturn state'), [
        "- returned",
        "net required",
    ]),
    "a part into another function": (
        loading('from vendor import restore\n\nrestore(run, torch.load(path)["net"])'),
        ["net handed", "net required"],
    ),
    "a key of a key": (
        loading('state = torch.load(path)\nrun.mean = state["stats"]["mean"]'),
        ["stats required", "stats.mean required"],
    ),
    "a key of a part": (
        loading('stats = torch.load(path).get("stats", {})\nrun.mean = stats["mean"]\nrun.var = stats.get("var")'),
        ["stats defaulted", "stats.mean required", "stats.var guarded"],
    ),
    "another name for a part": (
        loading('stats = torch.load(path)["stats"]\nother = stats\nrun.mean = other["mean"]'),
        ["stats required", "stats.mean required"],
    ),
    "a copy": (loading('run.net = copy.deepcopy(torch.load(path))["net"]'), ["net required"]),
    "one of two files": (
        loading('state = torch.load(path) if path else torch.load("last.pt")\nrun.net = state["net"]'),
        ["net required"],
    ),
    "an empty dict instead": (loading('state = torch.load(path) or {}\nrun.net = state["net"]'), ["net required"]),
    "a name within an expression": (
        loading('if (state := torch.load(path)) is not None:\n    run.net = state["net"]'),
        ["net required"],
    ),
    "an element of a tuple": (loading('first, second = torch.load(path)\nrun.net = second["net"]'), ["*.net required"]),
    "only its length": (
        loading('state = torch.load(path)\nprint(len(state), state.keys())\nrun.net = state["net"]'),
        ["net required"],
    ),
    "a class method": (
        f"{HEAD}\nclass Agent:\n    @classmethod\n    def load(cls, path):\n        state = torch.load(path)\n"
        "        agent = cls()\n        agent.net.load_state_dict(state['net'])\n        return agent\n",
        ["net handed", "net required"],
    ),
    "a script": (
        f"{HEAD}\nstate = torch.load('last.pt')\nmodel.load_state_dict(state['net'])\n",
        ["net handed", "net required"],
    ),
    "a nested function": (
        loading("""
            state = torch.load(path)

            def put():
                run.net = state["net"]

            put()
        """),
        ["net required"],
    ),
    "a coroutine": (
        loading('run.net = torch.load(path)["net"]').replace("def load", "async def load"),
        ["net required"],
    ),
    "a generator": (loading('for part in torch.load(path)["parts"]:\n    yield part'), [
        "parts required",
        "parts wholesale",
    ]),
    "what is not a payload": (loading('run.net = model["net"]'), []),
    "an attribute that keeps it all": (
        f"{HEAD}\nclass Agent:\n    def load(self, path):\n        self.state = torch.load(path)\n"
        "        self.step = self.state['step']\n",
        ["- handed"],
    ),
}
LOADERS: dict[str, tuple[Case, list[str]]] = {
    "torch with options": (
        loading('run.net = torch.load(path, map_location="cpu", weights_only=True)["net"]'),
        ["net required"],
    ),
    "pickle": (loading('with open(path, "rb") as file:\n    run.net = pickle.load(file)["net"]'), ["net required"]),
    "pickle of bytes": (loading('run.net = pickle.loads(path.read_bytes())["net"]'), ["net required"]),
    "joblib": (loading('import joblib\n\nrun.net = joblib.load(path)["net"]'), ["net required"]),
    "numpy": (loading('run.mean = np.load(path)["mean"]'), ["mean required"]),
    "numpy in a block": (loading('with np.load(path) as file:\n    run.mean = file["mean"]'), ["mean required"]),
    "safetensors": (
        loading('from safetensors.torch import load_file\n\nrun.net = load_file(path)["net"]'),
        ["net required"],
    ),
    "a download": (loading('run.net = torch.hub.load_state_dict_from_url(path)["net"]'), ["net required"]),
    "another package's load_checkpoint": (
        loading('from vendor import load_checkpoint\n\nrun.net = load_checkpoint(path)["net"]'),
        ["net required"],
    ),
    "fabric fills in": (
        loading('fabric.load(path, {"net": model, "step": run.step})', "fabric, path, model, run"),
        ["net defaulted", "step defaulted"],
    ),
    "fabric gives the rest": (
        loading('run.step = fabric.load(path, {"net": model})["step"]', "fabric, path, model, run"),
        ["net defaulted", "step required"],
    ),
    "fabric of an object": (
        f"{HEAD}\nclass Trainer:\n    def load(self, path):\n        self.step = self.fabric.load(path)['step']\n",
        ["step required"],
    ),
    "a whole module": (loading("run.model = torch.jit.load(path)"), []),
    "a function of another package": (loading('import vendor\n\nrun.net = vendor.fetch(path)["net"]'), []),
}


@answers({**KEYS, **LOADERS})
def test_keys_are_read(case: Case, expected: list[str]) -> None:
    assert read(case) == expected


THROUGH: dict[str, tuple[Case, list[str]]] = {
    "a helper gives the payload": (
        loading('run.net = read_state(path)["net"]') + "\n\ndef read_state(path):\n    return torch.load(path)\n",
        ["- returned", "net required"],
    ),
    "a helper gives a part": (
        loading('run.net = read_state(path)["net"]')
        + '\n\ndef read_state(path):\n    state = torch.load(path)\n    return state["inner"]\n',
        ["inner required", "inner returned", "inner.net required"],
    ),
    "a helper takes the payload": (
        loading("restore_state(torch.load(path), run)")
        + '\n\ndef restore_state(state, run):\n    run.net = state["net"]\n',
        ["net required"],
    ),
    "a helper takes a part": (
        loading('restore_state(torch.load(path)["inner"], run=run)')
        + '\n\ndef restore_state(state, run):\n    run.net = state["net"]\n',
        ["inner required", "inner.net required"],
    ),
    "a helper in another file": (
        {
            "files.py": HEAD + "\ndef load_state(path):\n    return torch.load(path)\n",
            "train.py": "from files import load_state\n\ndef main(path, run):\n    run.net = load_state(path)['net']\n",
        },
        ["- returned", "net required"],
    ),
    "a method of a base class": (
        {
            "base.py": HEAD + "\nclass Base:\n    def load(self, path):\n        self.take(torch.load(path))\n",
            "train.py": "from base import Base\n\nclass Agent(Base):\n    def take(self, state):\n"
            "        self.net = state['net']\n\n    def load(self, path):\n        super().load(path)\n",
        },
        ["- handed", "net required"],
    ),
    "super takes its part": (
        {
            "base.py": HEAD + "\nclass Base:\n    def load(self, path):\n        state = torch.load(path)\n"
            "        self.net = state['net']\n        return state\n",
            "train.py": "from base import Base\n\nclass Agent(Base):\n    def load(self, path):\n"
            "        state = super().load(path)\n        self.best = state['best']\n",
        },
        ["- returned", "best required", "net required"],
    ),
    "a helper that takes one key of what it is given": (
        loading('state = torch.load(path)\nrestore_state(state["a"], run)\nrestore_state(state["b"], run)')
        + '\n\ndef restore_state(part, run):\n    run.put(part["net"])\n',
        ["a required", "a.net required", "b required", "b.net required"],
    ),
}


@answers(THROUGH)
def test_keys_are_read_through_calls(case: Case, expected: list[str]) -> None:
    assert read(case) == expected
