"""Calls that are written in other ways than by the name of what is called, or stand where calls are rare."""

from __future__ import annotations

from flake8_ckpt.facts.collect import collect_file
from tests.contract_cases import answers
from tests.contract_cases import contract_findings
from tests.contract_cases import link
from tests.contract_cases import read
from tests.contract_cases import written
from tests.rule_cases import Case

HEAD = "import functools\nimport torch\nfrom torch import nn\n"
WRITTEN: dict[str, tuple[Case, list[str]]] = {
    "a partial function that nobody calls": (
        HEAD + "\ndef run(net):\n    return functools.partial(torch.save, {'net': net.state_dict()})\n", [],
    ),
    "a partial function": (
        HEAD + "\ndef run(net, path):\n    save = functools.partial(torch.save, f=path)\n"
        "    save({'net': net.state_dict()})\n",
        ["run: net"],
    ),
    "a partial function of the project": (
        HEAD + "\ndef save(net, path, step=None):\n    torch.save({'net': net.state_dict(), 'step': step}, path)\n"
        "\ndef run(net, path):\n    keep = functools.partial(save, net)\n    keep(path, step=1)\n",
        ["run: net step"],
    ),
    "one of two functions": (
        HEAD + "import pickle\n\ndef run(net, path, fast):\n    save = torch.save if fast else pickle.dump\n"
        "    save({'net': net.state_dict()}, path)\n",
        ["run: net"],
    ),
    "another name of a function": (
        HEAD + "\nkeep = torch.save\n\ndef run(net, path):\n    keep({'net': net.state_dict()}, path)\n", ["run: net"],
    ),
    "a lambda": (
        HEAD + "\ndef run(net, path):\n    save = lambda step: torch.save({'net': net.state_dict()}, path)\n"
        "    net.on_end(save)\n",
        ["run: net"],
    ),
    "a comprehension": (
        HEAD + "\ndef run(nets):\n    [torch.save({'net': net.state_dict()}, path) for path, net in nets]\n",
        ["run: net"],
    ),
    "keywords": (
        HEAD + "\ndef run(net, path):\n    torch.save(obj={'net': net.state_dict()}, f=path)\n", ["run: net"],
    ),
    "a compiled module": (
        HEAD + "\ndef run(net, path):\n    net = torch.compile(net)\n    torch.save({'net': net.state_dict()}, path)\n",
        ["run: net"],
    ),
}  # fmt: skip
READ: dict[str, tuple[Case, list[str]]] = {
    "a parameter of a lambda": (
        HEAD + "\ndef run(net, path):\n    data = torch.load(path)\n"
        "    return {key: (lambda data: data['step'])(net) for key in 'ab'}, data['net']\n",
        ["net required"],
    ),
    "a lambda": (
        HEAD + "\ndef run(net, path):\n    data = torch.load(path)\n"
        "    net.on_start(lambda: net.load_state_dict(data['net']))\n",
        ["net required"],
    ),
    "a default": (
        HEAD + "\ndef run(net, data=torch.load('last.pt')['net']):\n    net.load_state_dict(data)\n", ["net required"],
    ),
    "a default of a function inside": (
        HEAD + "\ndef run(net, path):\n    def start(data=torch.load(path)['net'], *, more=torch.load(path)['more']):\n"
        "        return data\n    return start\n",
        ["more required", "net required"],
    ),
    "a comprehension": (
        HEAD + "\ndef run(nets, path):\n    data = torch.load(path)\n"
        "    return [net.load_state_dict(data['net']) for net in nets]\n",
        ["net required"],
    ),
}  # fmt: skip

AGENT = (
    HEAD
    + """
class Agent:
    def __init__(self, net):
        self.net = net

    def keep(self, path, more=None):
        state = {"net": self.net.state_dict()}
        if more:
            state["more"] = more
        torch.save(state, path)
"""
)
ON_THE_WAY: dict[str, tuple[Case, list[str]]] = {
    "a function of the same name that does something else": (
        AGENT + "\n\ndef finish(agent):\n    return agent.keeper(3)\n", ["keep: net more?"],
    ),
    "a method that no program runs, in another file": (
        {"agent.py": AGENT, "run.py": "from agent import Agent\n\ndef finish(agent: Agent):\n    agent.keep('a')\n"},
        ["keep: net more?"],
    ),
    "a function that calls it": (
        AGENT + "\n\ndef finish(agent: Agent):\n    agent.keep('a.pt')\n", ["finish: net"],
    ),
    "a function that calls one that calls it": (
        AGENT + "\n\ndef end(agent: Agent):\n    finish(agent)\n"
        "\n\ndef finish(agent: Agent):\n    agent.keep('a.pt')\n",
        ["end: net"],
    ),
    "a method of another class": (
        AGENT + "\n\nclass Runner:\n    def __init__(self):\n        self.agent = Agent(1)\n\n"
        "    def finish(self):\n        self.agent.keep('a.pt')\n",
        ["finish: net"],
    ),
    "what the program runs": (
        {
            "agent.py": AGENT,
            "run.py": "from agent import Agent\n\ndef start(save=True):\n    finish(Agent(1))\n\n"
            "def finish(agent: Agent):\n    agent.keep('a.pt')\n\nif __name__ == '__main__':\n    start()\n",
        },
        ["<module>: net"],
    ),
    "what a class does that the program makes": (
        {
            "agent.py": AGENT,
            "run.py": "from agent import Agent\n\nclass Saver:\n    def run(self):\n        Agent(1).keep('a.pt')\n\n"
            "if __name__ == '__main__':\n    Saver().run()\n",
        },
        ["<module>: net"],
    ),
}  # fmt: skip


SEVERAL = (
    AGENT
    + """

class Quick(Agent):
    def keep(self, path):
        torch.save({"quick": self.net.state_dict()}, path)


class Slow(Agent):
    pass


class Mute:
    pass


def run(net, fast):
"""
)
OF_SEVERAL: dict[str, tuple[Case, list[str]]] = {
    "one class that is not known": (
        SEVERAL + "    agent = Agent(net) if fast else make(net)\n    agent.keep('a')\n",
        ["keep: net more?", "keep: quick"],
    ),
    "one class without the method": (
        SEVERAL + "    agent = Agent(net) if fast else Mute()\n    agent.keep('a')\n",
        ["keep: net more?", "keep: quick"],
    ),
    "two classes": (
        SEVERAL + "    agent = Agent(net) if fast else Quick(net)\n    agent.keep('a')\n", ["run: net", "run: quick"],
    ),
    "two classes and nothing": (
        SEVERAL + "    agent = None\n    if fast:\n        agent = Agent(net)\n"
        "    elif net:\n        agent = Quick(net)\n    agent.keep('a')\n",
        ["run: net", "run: quick"],
    ),
    "two classes with the same method": (
        SEVERAL + "    agent = Agent(net) if fast else Slow(net)\n    agent.keep('a')\n", ["keep: quick", "run: net"],
    ),
    "an attribute that is set twice": (
        SEVERAL + "    return Runner(net, fast)\n\n\nclass Runner:\n    def __init__(self, net, fast):\n"
        "        if fast:\n            self.agent = Quick(net)\n        else:\n            self.agent = Agent(net)\n\n"
        "    def finish(self):\n        self.agent.keep('a')\n",
        ["finish: net", "finish: quick"],
    ),
    "a class by another name": (
        {
            "agent.py": AGENT + "\nPlayer = Agent\n",
            "run.py": "from agent import Player\n\ndef run(net):\n    agent = Player(net)\n    agent.keep('a')\n\n"
            "if __name__ == '__main__':\n    run(load())\n",
        },
        ["<module>: net"],
    ),
}  # fmt: skip


@answers({**WRITTEN, **ON_THE_WAY, **OF_SEVERAL})
def test_payload_is_written(case: Case, expected: list[str]) -> None:
    assert written(case) == expected


def test_reads_of_a_method_of_two_classes() -> None:
    loads = "".join(
        f"\nclass {name}:\n    def recover(self, path):\n        self.net.load_state_dict(torch.load(path)['{key}'])\n"
        for name, key in (("One", "one"), ("Two", "two"))
    )
    source = (
        HEAD + loads + "\ndef run(fast):\n    agent = One() if fast else Two()\n    agent.recover('a.pt')\n"
    )
    found = link(source).groups.final[1]
    assert sorted((each.unit.name, each.keys) for each in found if each.kind == "required") == [
        ("run", ("one",)),
        ("run", ("two",)),
    ]


@answers(READ)
def test_keys_are_read(case: Case, expected: list[str]) -> None:
    assert [each for each in read(case) if not each.endswith((" handed", " returned"))] == expected


def test_lambda_of_a_module_alone_is_not_walked() -> None:
    source = "from torch import nn\n\nclass N(nn.Module):\n    def __init__(self):\n        self.x = g(lambda: f())"
    (found,) = collect_file(source.encode()).classes
    assert [site for method in found.methods for site in method.calls] == []


UPDATES = (
    HEAD
    + """
class RunningMeanStd:
    def __init__(self):
        self.mean, self.var, self.count = torch.zeros(3), torch.ones(3), 0

    def update(self, x):
        self.count += 1
        self.mean = self.mean + (x - self.mean) / self.count

    def normalize(self, x):
        return (x - self.mean) / self.var

def main(path, fast, inputs):
    net, stats = nn.Linear(3, 1), RunningMeanStd()
    optimizer = torch.optim.Adam(net.parameters())
    change = CHANGE
    data = torch.load(path)
    net.load_state_dict(data["net"])
    optimizer.load_state_dict(data["optimizer"])
    for x in inputs:
        change(x)
        net(stats.normalize(x)).sum().backward()
        optimizer.step()
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)
"""
)


def test_method_under_another_name_changes_its_object() -> None:
    for change in (
        "stats.update",
        "torch.compile(stats.update) if fast else stats.update",
        "functools.partial(stats.update)",
    ):
        assert [each.code for each in contract_findings(UPDATES.replace("CHANGE", change))] == ["CKP204"], (
            change
        )
