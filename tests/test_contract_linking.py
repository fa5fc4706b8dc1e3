"""Checkpoints are followed from function to function and file to file: what is written, read, and belongs together."""

from __future__ import annotations

import textwrap

import pytest

from flake8_ckpt.checkpoints.pairing.function_names import are_partners
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.value_names import path_text
from tests.contract_cases import answers
from tests.contract_cases import contract_findings
from tests.contract_cases import hooked
from tests.contract_cases import joined
from tests.contract_cases import link
from tests.contract_cases import read
from tests.contract_cases import written
from tests.rule_cases import Case

HEAD = "import copy\nimport pickle\n\nimport numpy as np\nimport torch\nfrom torch import nn\n"


def saving(body: str, arguments: str = "model, path") -> str:
    """Return a file with one function that saves."""
    return f"{HEAD}\n\ndef save({arguments}):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"


def loading(body: str, arguments: str = "path, model, run") -> str:
    """Return a file with one function that loads."""
    return f"{HEAD}\n\ndef load({arguments}):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"


PAYLOADS: dict[str, tuple[Case, str]] = {
    "a key that one of two dicts has under a condition": (
        saving("""
            full = {"net": model.state_dict()}
            if model.step:
                full["step"] = model.step
            short = {"net": model.state_dict(), "step": 0}
            torch.save(full if path else short, path)
        """),
        "net step?",
    ),
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
        "step ...",
    ),
    "a union of two dicts": (
        saving("""
            base = {"net": model.state_dict()}
            torch.save(base | {"step": 1}, path)
        """),
        "net step",
    ),
    "a computed key": (saving('torch.save({name: 1, "step": 1}, path)', "name, path"), "step ..."),
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
    "a key of a nested dict": (
        saving("""
            state = {"net": model.state_dict(), "stats": {}}
            state["stats"]["mean"] = 1
            torch.save(state, path)
        """),
        "net stats(mean)",
    ),
    "a further key of a nested dict": (
        saving("""
            state = {"stats": {"mean": 1}}
            state["stats"]["var"] = 2
            torch.save(state, path)
        """),
        "stats(mean var)",
    ),
    "a key of what is under a computed key": (
        saving("""
            state = {"stats": {"mean": 1}}
            state[path]["var"] = 2
            torch.save(state, path)
        """),
        "stats(mean) ...",
    ),
    "a nested dict that is updated": (
        saving("""
            state = {"net": model.state_dict(), "stats": {"mean": 1}, "more": {}}
            state["stats"].update(var=2)
            torch.save(state, path)
        """),
        "net stats(mean ...) more",
    ),
    "a nested dict that is filled by its own name": (
        saving("""
            stats = {}
            state = {"net": model.state_dict(), "stats": stats}
            stats["mean"] = 1
            torch.save(state, path)
        """),
        "net stats(mean)",
    ),
    "a dict that is filled by another name": (
        saving("""
            state = {"net": model.state_dict()}
            other = state
            other["step"] = 1
            other.update(epoch=2)
            torch.save(state, path)
        """),
        "net step epoch",
    ),
    "a copy that is filled": (
        saving("""
            state = {"net": model.state_dict()}
            other, third = copy.copy(state), state.copy()
            other["step"] = 1
            third["step"] = 1
            torch.save(state, path)
        """),
        "net",
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
    "arrays of what nobody knows, then of a literal": (
        saving('np.savez(path, **model.rest, **{"mean": model.mean})'),
        "mean ...",
    ),
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
    "a helper that calls what it is given": (
        HEAD
        + "\ndef retry(call, *args):\n    return call(*args)\n"
        + '\ndef main(model):\n    retry(torch.save, {"net": model.state_dict()}, "last.pt")\n',
        ["main: net"],
    ),
    "a method that calls what it is given": (
        HEAD
        + "\nclass Disk:\n    def retry(self, times, call, *args):\n        return call(*args)\n"
        + '\n    def save(self, model):\n        self.retry(3, torch.save, {"net": model.state_dict()}, "last.pt")\n',
        ["save: net"],
    ),
    "an executor that calls what it is given": (
        HEAD
        + '\ndef main(pool, model):\n    pool.submit(torch.save, {"net": model.state_dict()}, "last.pt")\n',
        ["main: net"],
    ),
    "a function to call later": (
        HEAD
        + "\nfrom functools import partial\n"
        + "\ndef main(model):\n    save = partial(torch.save, model)\n    save('last.pt')\n",
        ["main: ..."],
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
        ["main: net"],
    ),
    "a helper adds to what it is given": (
        HEAD
        + "\ndef save_checkpoint(state, path):\n    state['step'] = 1\n    torch.save(state, path)\n"
        + "\ndef main(model):\n    save_checkpoint({'net': model.state_dict()}, 'last.pt')\n",
        ["main: net step"],
    ),
    "a helper adds to a part that it passes on": (
        HEAD
        + "\ndef write(net, extra, path):\n    torch.save({'net': net, 'extra': extra}, path)\n"
        + "\ndef save(net, extra, path):\n    extra['meters'] = net.meters\n    write(net, extra, path)\n"
        + "\ndef main(net):\n    save(net, {'epoch': 1}, 'last.pt')\n",
        ["main: net extra(epoch meters)"],
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
        ["save: net step"],
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
            "base.py": HEAD
            + "\nclass Base:\n    def get_state(self):\n        return {'net': self.net.state_dict()}\n"
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
    "a key that is taken out": (
        loading('state = torch.load(path)\nrun.net = state.pop("net")'),
        ["net required"],
    ),
    "a key at once": (loading('run.net = torch.load(path)["net"]'), ["net required"]),
    "a key with a default": (
        loading('state = torch.load(path)\nrun.net = state.get("net", 0)\nrun.ema = state.pop("ema", None)'),
        ["ema defaulted", "net defaulted"],
    ),
    "a key that may be None": (
        loading('state = torch.load(path)\nrun.net = state.get("net")'),
        ["net guarded"],
    ),
    "a key behind a test": (
        loading('state = torch.load(path)\nif "net" in state:\n    run.net = state["net"]'),
        ["net guarded"],
    ),
    "a key behind half a test": (
        loading(
            'state = torch.load(path)\nif state is not None and "net" in state:\n    run.net = state["net"]'
        ),
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
        ["ema handed", "ema required", "net handed", "net required"],
    ),
    "computed keys in a loop": (
        loading("""
            state = torch.load(path)
            run.net = state["net"]
            for name in run.names:
                run.put(name, state[name])
        """),
        ["* handed", "- wholesale", "net required"],
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
    "a spread into a method that takes state": (
        loading("run.update(**torch.load(path))"),
        ["- handed", "- wholesale"],
    ),
    "a copy by dict": (loading('state = dict(torch.load(path))\nrun.net = state["net"]'), ["- wholesale"]),
    "a match": (
        loading("""
            match torch.load(path):
                case {"net": net}:
                    run.net = net
        """),
        ["- wholesale"],
    ),
    "a lambda": (
        loading('state = torch.load(path)\ntake = lambda name: state[name]\nrun.net = take("net")'),
        ["- wholesale"],
    ),
    "all yielded": (
        loading('state = torch.load(path)\nrun.net = state["net"]\nyield state'),
        [
            "- wholesale",
            "net required",
        ],
    ),
    "a key behind a test in one expression": (
        loading('state = torch.load(path)\nrun.net = state["net"] if "net" in state else None'),
        ["net guarded"],
    ),
    "a key after a test in one expression": (
        loading('state = torch.load(path)\nrun.is_new = "version" in state and state["version"] > 2'),
        ["version guarded"],
    ),
    "load_state_dict of all": (loading("model.load_state_dict(torch.load(path))"), ["- handed"]),
    "all into the attributes": (loading("vars(run).update(torch.load(path))"), ["- handed"]),
    "all into another function": (
        loading("from vendor import restore\n\nrestore(run, torch.load(path))"),
        ["- handed"],
    ),
    "all into a constructor": (loading("run.start(State(torch.load(path)))"), ["- handed"]),
    "all given back among others": (
        loading('state = torch.load(path)\nrun.net = state["net"]\nreturn run, state'),
        ["- returned", "net required"],
    ),
    "all kept by another object": (
        loading('state = torch.load(path)\nrun.net = state["net"]\nrun.state = state'),
        ["- handed", "net required"],
    ),
    "all given back": (
        loading('state = torch.load(path)\nrun.net = state["net"]\nreturn state'),
        [
            "- returned",
            "net required",
        ],
    ),
    "a part into another function": (
        loading('from vendor import restore\n\nrestore(run, torch.load(path)["net"])'),
        ["net handed", "net required"],
    ),
    "a key of a key": (
        loading('state = torch.load(path)\nrun.mean = state["stats"]["mean"]'),
        ["stats required", "stats.mean required"],
    ),
    "a key of a part": (
        loading(
            'stats = torch.load(path).get("stats", {})\nrun.mean = stats["mean"]\nrun.var = stats.get("var")'
        ),
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
    "an empty dict instead": (
        loading('state = torch.load(path) or {}\nrun.net = state["net"]'),
        ["net required"],
    ),
    "a name within an expression": (
        loading('if (state := torch.load(path)) is not None:\n    run.net = state["net"]'),
        ["net required"],
    ),
    "an element of a tuple": (
        loading('first, second = torch.load(path)\nrun.net = second["net"]'),
        ["*.net required"],
    ),
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
    "a generator": (
        loading('for part in torch.load(path)["parts"]:\n    yield part'),
        [
            "parts required",
            "parts wholesale",
        ],
    ),
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
    "pickle": (
        loading('with open(path, "rb") as file:\n    run.net = pickle.load(file)["net"]'),
        ["net required"],
    ),
    "pickle of bytes": (loading('run.net = pickle.loads(path.read_bytes())["net"]'), ["net required"]),
    "joblib": (loading('import joblib\n\nrun.net = joblib.load(path)["net"]'), ["net required"]),
    "numpy": (loading('run.mean = np.load(path)["mean"]'), ["mean required"]),
    "numpy in a block": (
        loading('with np.load(path) as file:\n    run.mean = file["mean"]'),
        ["mean required"],
    ),
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
    "a whole module": (loading("model = torch.jit.load(path)\nmodel.eval()"), []),
    "a function that another one is to call": (
        loading('run.net = retry(torch.load, path)["net"]')
        + "\n\ndef retry(call, *args):\n    return call(*args)\n",
        ["net required"],
    ),
    "a function of another package": (loading('import vendor\n\nrun.net = vendor.fetch(path)["net"]'), []),
}


@answers({**KEYS, **LOADERS})
def test_keys_are_read(case: Case, expected: list[str]) -> None:
    assert read(case) == expected


THROUGH: dict[str, tuple[Case, list[str]]] = {
    "a helper gives the payload": (
        loading('run.net = read_state(path)["net"]')
        + "\n\ndef read_state(path):\n    return torch.load(path)\n",
        ["net required"],
    ),
    "a helper gives a part": (
        loading('run.net = read_state(path)["net"]')
        + '\n\ndef read_state(path):\n    state = torch.load(path)\n    return state["inner"]\n',
        ["inner required", "inner.net required"],
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
        ["net required"],
    ),
    "a method of a base class": (
        {
            "base.py": HEAD
            + "\nclass Base:\n    def load(self, path):\n        self.take(torch.load(path))\n",
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
        ["best required", "net required"],
    ),
    "a helper that takes one key of what it is given": (
        loading('state = torch.load(path)\nrestore_state(state["a"], run)\nrestore_state(state["b"], run)')
        + '\n\ndef restore_state(part, run):\n    run.put(part["net"])\n',
        ["a required", "a.net handed", "a.net required", "b required", "b.net handed", "b.net required"],
    ),
}


@answers(THROUGH)
def test_keys_are_read_through_calls(case: Case, expected: list[str]) -> None:
    assert read(case) == expected


def test_restored_values_have_their_targets() -> None:
    source = f"""{HEAD}
class Agent:
    def load(self, path, scheduler):
        state = torch.load(path)
        self.net.load_state_dict(state["net"])
        self.step = state["step"]
        self.stats.mean = state["stats"]["mean"]
        scheduler.load_state_dict(state["scheduler"])
        optimizer = torch.optim.Adam(self.net.parameters())
        optimizer.load_state_dict(state["optimizer"])
        first = state["epoch"] + 1
        return first
"""
    _, readings = link(source).groups.final
    targets = {
        each.keys: [path_text(target) for target in each.into] for each in readings if each.kind == "required"
    }
    assert targets == {
        ("net",): ["self.net.load_state_dict"],
        ("step",): ["self.step"],
        ("stats",): ["self.stats.mean"],
        ("stats", "mean"): ["self.stats.mean"],
        ("scheduler",): ["scheduler.load_state_dict"],
        ("optimizer",): ["optimizer.load_state_dict"],
        ("epoch",): ["first", "return"],
    }


def test_target_is_that_of_the_caller() -> None:
    source = f"""{HEAD}
def restore_state(run, state):
    run.net.load_state_dict(state["net"])

class Trainer:
    def load(self, path):
        restore_state(self.run, torch.load(path))
"""
    _, readings = link(source).groups.final
    (reading,) = [each for each in readings if each.kind == "required"]
    assert path_text(reading.into[0]) == "self.run.net.load_state_dict"
    assert (str(reading.location), reading.at.line) == ("train.py:9", 13)
    assert (reading.unit.identity, reading.source.identity) == (
        "train.py:Trainer.load",
        "train.py:restore_state",
    )
    assert reading.call_chain == ("train.py:restore_state",)


def test_reading_belongs_to_the_outermost_function() -> None:
    source = loading('model.load_state_dict(torch.load(path)["net"])')
    source += "\n\ndef resume(path, model, run):\n    load(path, model, run)\n"
    _, readings = link(source).groups.final
    assert {each.unit.function.name for each in readings} == {"resume"}


def test_writing_knows_its_way() -> None:
    source = (
        HEAD + WRITER + '\ndef main(model):\n    save_checkpoint({"net": model.state_dict()}, "last.pt")\n'
    )
    ((writing,), _) = link(source).groups.final
    assert (str(writing.location), str(writing.save_call)) == ("train.py:12", "train.py:9")
    assert (writing.unit.identity, writing.source.identity) == ("train.py:main", "train.py:save_checkpoint")
    assert writing.call_chain == ("train.py:save_checkpoint",)


SAVE = """
    torch.save({"net": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
"""
LOAD = """
    state = torch.load(path)
    model.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
"""
OTHER = """
    state = torch.load(path)
    model.load_state_dict(state["weights"])
"""


def function(name: str, body: str, arguments: str = "model, optimizer, path") -> str:
    """Return a function at the top of a file."""
    return f"\ndef {name}({arguments}):{body}"


def method(name: str, body: str, arguments: str = "self, model, optimizer, path") -> str:
    """Return a method."""
    return textwrap.indent(function(name, body, arguments), "    ")


FAMILIES: dict[str, tuple[Case, list[str]]] = {
    "partners by name in a file": (
        HEAD + function("save_agent", SAVE) + function("load_agent", OTHER),
        ["save_agent -> load_agent"],
    ),
    "partners by name in two files": (
        {
            "a.py": HEAD + function("save_agent", SAVE),
            "b.py": f"from a import save_agent\n{HEAD}" + function("load_agent", OTHER),
        },
        [],
    ),
    "partners of one of several stems": (
        HEAD
        + function("save_actor", SAVE.replace("net", "actor").replace('optimizer"', 'opt"'))
        + function("save_critic", SAVE.replace("net", "critic").replace('optimizer"', 'opt2"'))
        + function("load_critic", OTHER),
        ["save_critic -> load_critic"],
    ),
    "partners in a class": (
        f"{HEAD}\nclass Agent:" + method("save", SAVE) + method("load", OTHER),
        ["save -> load"],
    ),
    "partners in a class and its base": (
        {
            "base.py": f"{HEAD}\nclass Base:" + method("save", SAVE),
            "train.py": f"from base import Base\n{HEAD}\nclass Agent(Base):" + method("load", OTHER),
        },
        ["save -> load"],
    ),
    "partners in two classes": (
        f"{HEAD}\nclass Actor:" + method("save", SAVE) + "\nclass Critic:" + method("load", LOAD),
        [],
    ),
    "partners in two heirs": (
        f"{HEAD}\nclass Base:\n    pass\n\nclass Actor(Base):"
        + method("save", SAVE)
        + "\nclass Critic(Base):"
        + method("load", LOAD),
        [],
    ),
    "classes of one name in two files": (
        {
            "a.py": f"{HEAD}\nclass Agent:" + method("save", SAVE),
            "b.py": f"from a import Agent as Other\n{HEAD}\nclass Agent:" + method("load", LOAD),
        },
        [],
    ),
    "a method and a function": (
        f"{HEAD}\nclass Agent:" + method("save_agent", SAVE) + function("load_agent", OTHER),
        [],
    ),
    "the same argument for the file": (
        HEAD + function("main", f"{OTHER}{SAVE}"),
        ["main -> main"],
    ),
    "two arguments for two files": (
        HEAD + function("main", OTHER.replace("path", "resume") + SAVE, "model, optimizer, path, resume"),
        [],
    ),
    "two files with a common key in one function": (
        HEAD + function("main", LOAD.replace("path", "resume") + SAVE, "model, optimizer, path, resume"),
        ["main -> main"],
    ),
    "the same name of the file": (
        HEAD
        + function("write", SAVE.replace("path", '"out/agent.pt"'))
        + function("start", OTHER.replace("path", 'f"{path}/agent.pt"')),
        ["write -> start"],
    ),
    "the same name of the file in open": (
        HEAD
        + function("write", '\n    pickle.dump({"net": model}, open("agent.pkl", "wb"))\n')
        + function("start", '\n    model.rest = pickle.load(open("agent.pkl", "rb"))["rest"]\n'),
        ["write -> start"],
    ),
    "files that a method names": (
        HEAD
        + function("write", SAVE.replace("path", 'path.joinpath("agent.pt")'))
        + function("start", OTHER.replace("path", 'path.joinpath("agent.pt")')),
        ["write -> start"],
    ),
    "the same name of the file in two files": (
        {
            "a.py": HEAD + function("write", SAVE.replace("path", '"agent.pt"')),
            "b.py": HEAD + function("start", OTHER.replace("path", '"agent.pt"')),
        },
        [],
    ),
    "two names of files": (
        HEAD
        + function("write", SAVE.replace("path", '"actor.pt"'))
        + function("start", OTHER.replace("path", '"critic.pt"')),
        [],
    ),
    "the same ending of computed names": (
        HEAD
        + function("write", SAVE.replace("path", 'f"{path}.pt"'))
        + function("start", OTHER.replace("path", 'f"{path}.pt"')),
        [],
    ),
    "two keys in common in a file": (
        HEAD + function("write", SAVE) + function("start", LOAD),
        ["write -> start"],
    ),
    "two keys in common in files that import each other": (
        {
            "a.py": HEAD + function("write", SAVE),
            "b.py": f"from a import write\n{HEAD}" + function("start", LOAD),
        },
        ["write -> start"],
    ),
    "two keys in common in a file that is imported": (
        {
            "a.py": f"from b import start\n{HEAD}" + function("write", SAVE),
            "b.py": HEAD + function("start", LOAD),
        },
        ["write -> start"],
    ),
    "two keys in common in two programs": (
        {"a.py": HEAD + function("write", SAVE), "b.py": HEAD + function("start", LOAD)},
        [],
    ),
    "one rare key in common": (
        HEAD
        + function("write", SAVE.replace("net", "policy"))
        + function("start", OTHER.replace("weights", "policy")),
        ["write -> start"],
    ),
    "one common key in common": (
        HEAD + function("write", SAVE) + function("start", OTHER.replace("weights", "net")),
        [],
    ),
    "no key in common": (HEAD + function("write", SAVE) + function("start", OTHER), []),
    "an open payload": (
        HEAD + function("write", "\n    torch.save(model.state_dict(), path)\n") + function("start", LOAD),
        [],
    ),
    "a helper that all use": (
        {
            "files.py": HEAD
            + "\ndef save_checkpoint(state, path):\n    torch.save(state, path)\n"
            + "\ndef load_checkpoint(path):\n    return torch.load(path)\n",
            "train.py": "from files import load_checkpoint, save_checkpoint\n"
            "\ndef main(model, path):\n    model.load_state_dict(load_checkpoint(path)['net'])\n"
            "    save_checkpoint({'net': model.state_dict()}, path)\n",
        },
        ["main -> main"],
    ),
    "a test writes": (
        {
            "test_a.py": HEAD + function("write", SAVE),
            "b.py": f"from test_a import write\n{HEAD}" + function("start", LOAD),
        },
        [],
    ),
    "a test reads": (
        {
            "a.py": HEAD + function("write", SAVE),
            "tests/b.py": f"from a import write\n{HEAD}" + function("start", LOAD),
        },
        [],
    ),
    "nothing reads": (HEAD + function("write", SAVE), []),
    "nothing writes": (HEAD + function("start", LOAD), []),
}


@answers(FAMILIES)
def test_families_of_files(case: Case, expected: list[str]) -> None:
    assert joined(case) == expected


HOOKS: dict[str, tuple[Case, list[str]]] = {
    "state_dict": (
        f"{HEAD}\nclass Agent:"
        + method("state_dict", '\n    return {"net": 1}\n', "self")
        + method("load_state_dict", '\n    self.net = state["net"]\n', "self, state"),
        ["train.py:Agent: state_dict -> load_state_dict"],
    ),
    "save and load of one name": (
        f"{HEAD}\nclass Agent:"
        + method("get_stats", '\n    return {"mean": self.mean}\n', "self")
        + method("set_stats", '\n    self.mean = state["mean"]\n', "self, state"),
        ["train.py:Agent: get_stats -> set_stats"],
    ),
    "accessors of no state": (
        f"{HEAD}\nclass Agent:"
        + method("get_name", '\n    return {"name": self.name}\n', "self")
        + method("set_name", '\n    self.name = state["name"]\n', "self, state"),
        [],
    ),
    "a partner in the base class": (
        {
            "base.py": f"{HEAD}\nclass Base:"
            + method("state_dict", '\n    return {"net": 1}\n', "self")
            + method("load_state_dict", '\n    self.net = state["net"]\n', "self, state"),
            "train.py": f"from base import Base\n{HEAD}\nclass Agent(Base):"
            + method("state_dict", '\n    return {"net": 1, "more": self.more}\n', "self"),
        },
        [
            "base.py:Base: state_dict -> load_state_dict",
            "train.py:Agent: state_dict -> load_state_dict",
        ],
    ),
    "a heir that has nothing of its own": (
        f"{HEAD}\nclass Agent:"
        + method("state_dict", '\n    return {"net": 1}\n', "self")
        + method("load_state_dict", '\n    self.net = state["net"]\n', "self, state")
        + "\nclass Other(Agent):\n    pass\n",
        ["train.py:Agent: state_dict -> load_state_dict"],
    ),
    "exact partners before those that are alike": (
        f"{HEAD}\nclass Agent:"
        + method("save_checkpoint", '\n    return {"net": 1}\n', "self")
        + method("save_state", '\n    return {"rest": 1}\n', "self")
        + method("load_state", '\n    self.net = state["net"]\n', "self, state"),
        ["train.py:Agent: save_state -> load_state"],
    ),
    "alone": (f"{HEAD}\nclass Agent:" + method("state_dict", '\n    return {"net": 1}\n', "self"), []),
    "a test": (
        {"test_a.py": f"{HEAD}\nclass Agent:" + method("state_dict", "\n    return {}\n", "self")},
        [],
    ),
}


@answers(HOOKS)
def test_pairs_of_hooks(case: Case, expected: list[str]) -> None:
    assert hooked(case) == expected


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        ("save", "load"),
        ("save", "restore"),
        ("save_checkpoint", "load_checkpoint"),
        ("save_checkpoint", "resume"),
        ("_save_model", "_load_model"),
        ("dump_state", "load_state"),
        ("write_snapshot", "read_snapshot"),
        ("save_training_state", "maybe_load_state"),
        ("export_weights", "import_weights"),
        ("get_weights", "set_weights"),
        ("get_extra_state", "set_extra_state"),
        ("pack_state", "unpack_state"),
        ("serialize_state", "deserialize_state"),
        ("state_dict", "load_state_dict"),
        ("__getstate__", "__setstate__"),
        ("on_save_checkpoint", "on_load_checkpoint"),
        ("_save_to_state_dict", "_load_from_state_dict"),
        ("save_best__net", "load_best_net"),
    ],
)
def test_partners_by_name(writer: str, reader: str) -> None:
    assert are_partners(writer, reader)
    assert not are_partners(reader, writer)


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        ("save_actor", "load_critic"),
        ("save", "load_pretrained"),
        ("save", "store"),
        ("load", "restore"),
        ("get_weights", "load_weights"),
        ("save_weights", "set_weights"),
        ("get_name", "set_name"),
        ("state_dict", "load"),
        ("save", "load_state_dict"),
        ("saved", "loaded"),
        ("train", "evaluate"),
        ("", ""),
    ],
)
def test_no_partners_by_name(writer: str, reader: str) -> None:
    assert not are_partners(writer, reader)


@pytest.mark.parametrize(
    "path",
    [
        "tests/save.py",
        "pkg/test/save.py",
        "pkg/testing/save.py",
        "unit_tests/save.py",
        "unittests/save.py",
        "test_save.py",
        "pkg/test_save.py",
        "pkg/save_test.py",
        "conftest.py",
        "pkg/tests.py",
    ],
)
def test_file_is_a_test(path: str) -> None:
    assert is_test(path)


@pytest.mark.parametrize(
    "path",
    [
        "test.py",
        "pkg/test.py",
        "latest/save.py",
        "contest.py",
        "testbed/run.py",
        "eval/tester.py",
        "a_tests_b.py",
    ],
)
def test_file_is_no_test(path: str) -> None:
    assert not is_test(path)


TRAINER = f"""{HEAD}
class Trainer:
    def __init__(self):
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.step = 0

    def train(self, batches):
        for batch in batches:
            for group in self.optimizer.param_groups:
                group["lr"] = 1e-3 * min(1.0, self.step / 100)
            self.model(batch).mean().backward()
            self.optimizer.step()
            self.step += 1
"""
LESS = '{"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}'
SAVE_LESS = f"""
    def save(self, path):
        torch.save({LESS}, path)
"""
SAVE_ALL = SAVE_LESS.replace("()}", '(), "step": self.step}')
LOAD_LESS = """
    def load(self, path):
        checkpoint = torch.load(path)
        self.model.load_state_dict(checkpoint["model"])
        self.step = checkpoint["step"]
"""
LOAD_ALL = f"""{LOAD_LESS}
        self.optimizer.load_state_dict(checkpoint["optimizer"])
"""
LETTERS = "abcdefghijklmnop"


def made_through(calls: int) -> Case:
    """Return a trainer whose payload, without the step, is made by a chain of calls."""
    names = [f"get_{letter}_state" for letter in LETTERS[:calls]]
    steps = [f"\ndef {one}(self):\n    return {other}(self)\n" for one, other in zip(names, names[1:])]
    save = f"\n    def save(self, path):\n        torch.save({names[0]}(self), path)\n"
    return TRAINER + save + LOAD_ALL + "".join(steps) + f"\ndef {names[-1]}(self):\n    return {LESS}\n"


def written_through(calls: int) -> Case:
    """Return a trainer whose payload, without the step, goes through a chain of calls to the file."""
    steps = [
        f"\ndef save_{one}(state, path):\n    save_{other}(state, path)\n"
        for one, other in zip(LETTERS, LETTERS[1:calls])
    ]
    last = f"\ndef save_{LETTERS[calls - 1]}(state, path):\n    torch.save(state, path)\n"
    save = f"\n    def save(self, path):\n        save_a({LESS}, path)\n"
    return TRAINER + save + LOAD_ALL + "".join(steps) + last


def nested(levels: int) -> Case:
    """Return a trainer that saves one key and looks for another some levels deep."""
    payload, way = '{"steps": 1}', ""
    for level in range(levels - 1):
        payload, way = f'{{"{LETTERS[level]}": {payload}}}', f'["{LETTERS[level]}"]{way}'
    save = SAVE_LESS.replace("()}", f"(), **{payload}}}")
    return TRAINER + save + LOAD_ALL.replace('checkpoint["step"]', f'checkpoint{way}["step"]')


def kept(levels: int) -> Case:
    """Return a trainer that saves its step some levels deep, and does not restore it."""
    payload = '{"step": self.step}'
    for level in range(levels - 1):
        payload = f'{{"{LETTERS[level]}": {payload}}}'
    save = SAVE_LESS.replace("()}", f"(), **{payload}}}")
    return TRAINER + save + LOAD_ALL.replace('        self.step = checkpoint["step"]\n', "")


def filled(keys: int) -> Case:
    """Return a trainer that saves many keys, but not the step."""
    lines = "".join(f'        state["key_{number}"] = {number}\n' for number in range(keys - 2))
    save = f"\n    def save(self, path):\n        state = {LESS}\n{lines}        torch.save(state, path)\n"
    return TRAINER + save + LOAD_ALL


def spelled(keys: int) -> Case:
    """Return a trainer that saves many keys of one display, but not the step."""
    pairs = "".join(f'"key_{number}": {number}, ' for number in range(keys - 2))
    return TRAINER + SAVE_LESS.replace("{", f"{{{pairs}") + LOAD_ALL


def maker_of_state(number: int) -> str:
    """Return a function that makes a payload with a key of its own."""
    payload = LESS.replace("()}", f"(), {LETTERS[number]!r}: 1}}")
    return f"\ndef get_{LETTERS[number]}_state(self):\n    return {payload}\n"


def chosen(options: int) -> Case:
    """Return a trainer whose payload is one of several, none of which has the step."""
    lines = "".join(
        f"        if kind == {number}:\n            state = get_{LETTERS[number]}_state(self)\n"
        for number in range(options - 1)
    )
    makers = "".join(map(maker_of_state, range(options - 1)))
    save = (
        f"\n    def save(self, path, kind):\n        state = {LESS}\n{lines}        torch.save(state, path)\n"
    )
    return TRAINER + save + LOAD_ALL + makers


def saving_often(times: int) -> Case:
    """Return a trainer that saves again and again, never with the step."""
    return TRAINER + SAVE_LESS + f"        torch.save({LESS}, path)\n" * (times - 1) + LOAD_ALL


def near(writers: int) -> Case:
    """Return a file with many functions that save, and one that loads what none of them has saved."""
    less = LESS.replace("self", "trainer")
    exports = "".join(
        f"\ndef export_{number}(trainer, path):\n    torch.save({less}, path)\n" for number in range(writers)
    )
    load = (
        textwrap.dedent(LOAD_ALL).replace("self, path", "trainer: Trainer, path").replace("self", "trainer")
    )
    return TRAINER + exports + load


def read_often(times: int) -> Case:
    """Return a trainer that reads the step, which is never saved, and saved keys again and again."""
    lines = '        self.model.load_state_dict(checkpoint["model"])\n' * ((times - 3) // 2)
    return TRAINER + SAVE_LESS + LOAD_ALL + lines


def reset_through(calls: int) -> Case:
    """Return a trainer that resets what it has restored, through a chain of methods."""
    steps = "".join(
        f"\n    def reset_{one}(self):\n        self.at_{one} = 1\n        self.reset_{other}()\n"
        for one, other in zip(LETTERS, LETTERS[1:calls])
    )
    last = f"\n    def reset_{LETTERS[calls - 1]}(self):\n        self.step = 0\n"
    return TRAINER + SAVE_ALL + LOAD_ALL + "        self.reset_a()\n" + steps + last


def derived(levels: int) -> Case:
    """Return a trainer that is saved by its class and loaded, with one key more, by a heir some levels below."""
    subclasses = "".join(
        f"\nclass Trainer{number}({'Trainer' if number == 0 else f'Trainer{number - 1}'}):\n    pass\n"
        for number in range(levels)
    )
    return TRAINER + SAVE_LESS + subclasses + f"\nclass Last(Trainer{levels - 1}):{LOAD_ALL}"


PAST: dict[str, tuple[Case, str]] = {
    "calls that make a payload": (made_through(6), "CKP202"),
    "calls on the way to a file": (written_through(6), "CKP202"),
    "levels of nested keys": (nested(6), "CKP202"),
    "levels of saved keys": (kept(5), "CKP203"),
    "keys one by one": (filled(513), "CKP202"),
    "keys of a display": (spelled(513), "CKP202"),
    "values that may be the payload": (chosen(7), "CKP202"),
    "saves of a function": (saving_often(33), "CKP202"),
    "writers near by": (near(257), "CKP202"),
    "reads of a function": (read_often(405), "CKP202"),
    "calls that reset": (reset_through(5), "CKP205"),
    "levels of classes": (derived(66), "CKP202"),
}
WITHIN: dict[str, tuple[Case, str]] = {
    "calls that make a payload": (made_through(5), "CKP202"),
    "calls on the way to a file": (written_through(5), "CKP202"),
    "levels of nested keys": (nested(4), "CKP202"),
    "levels of saved keys": (kept(4), "CKP203"),
    "keys one by one": (filled(512), "CKP202"),
    "keys of a display": (spelled(512), "CKP202"),
    "values that may be the payload": (chosen(6), "CKP202"),
    "saves of a function": (saving_often(32), "CKP202"),
    "writers near by": (near(256), "CKP202"),
    "reads of a function": (read_often(380), "CKP202"),
    "calls that reset": (reset_through(4), "CKP205"),
    "levels of classes": (derived(20), "CKP202"),
}


@answers(WITHIN)
def test_followed_up_to_a_bound(case: Case, expected: str) -> None:
    assert {each.code for each in contract_findings(case)} == {expected}


@answers(PAST)
def test_silent_past_a_bound(case: Case, expected: str) -> None:
    assert contract_findings(case) == []
