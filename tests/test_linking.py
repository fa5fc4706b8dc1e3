"""What one file learns from others: imports, classes, functions, and where following them ends."""

from __future__ import annotations

import pytest

from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.linked_project import Project
from tests.rule_cases import TORCH
from tests.rule_cases import Case
from tests.rule_cases import cases
from tests.rule_cases import check_findings
from tests.rule_cases import check_silent
from tests.rule_cases import lint

TENSORS = "import torch\n\ndef make(size=3):\n    return torch.ones(size)\n"
NET = "from torch import nn\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
MAKE = """
    def make(self, size):
        self.register_buffer('size', size)
        return size * 2
"""


def scaled(value: str, imports: str = "", rest: str = "", found: str = "  # CKP102") -> str:
    """Return a module whose constructor keeps a value that `forward` multiplies with."""
    return (
        f"import torch\nfrom torch import nn\n{imports}\n\nclass Scaled(nn.Module):\n"
        f"    def __init__(self, data=None):\n        super().__init__()\n        self.scale = {value}{found}\n\n"
        f"    def forward(self, x):\n        return x * self.scale\n{rest}"
    )


def running(body: str, start: str = "torch.ones(3)", rest: str = "", found: str = "  # CKP101") -> str:
    """Return a module whose `forward` changes an attribute and uses it."""
    return (
        f"{TORCH}\nclass Running(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        f"        self.mean = {start}{found}\n\n    def forward(self, x):\n        {body}\n"
        f"        return self.use(x - self.mean)\n{rest}"
    )


FOUND: dict[str, Case] = {
    "an imported function": {"tensors.py": TENSORS, "model.py": scaled("make()", "from tensors import make")},
    "a function of an imported module": {"tensors.py": TENSORS, "model.py": scaled("tensors.make()", "import tensors")},
    "a function under another name": {"tensors.py": TENSORS, "model.py": scaled("t.make()", "import tensors as t")},
    "a function handed on by a package": {
        "pkg/__init__.py": "from .tensors import make as build\n",
        "pkg/tensors.py": TENSORS,
        "model.py": scaled("build()", "from pkg import build"),
    },
    "a relative import": {
        "pkg/__init__.py": "",
        "pkg/tensors.py": TENSORS,
        "pkg/model.py": scaled("make()", "from .tensors import make"),
    },
    "a relative import of a module": {
        "pkg/__init__.py": "",
        "pkg/tensors.py": TENSORS,
        "pkg/model.py": scaled("tensors.make()", "from . import tensors"),
    },
    "a relative import of two levels": {
        "pkg/__init__.py": "",
        "pkg/tensors.py": TENSORS,
        "pkg/nets/__init__.py": "",
        "pkg/nets/model.py": scaled("make()", "from ..tensors import make"),
    },
    "a relative import from a package's own file": {
        "pkg/tensors.py": TENSORS,
        "pkg/__init__.py": scaled("make()", "from .tensors import make"),
    },
    "a package below a folder that is none": {
        "src/pkg/__init__.py": "",
        "src/pkg/tensors.py": TENSORS,
        "src/pkg/model.py": scaled("make()", "from pkg.tensors import make"),
    },
    "a script next to its helper": {
        "scripts/tensors.py": TENSORS,
        "scripts/model.py": scaled("make()", "from tensors import make"),
    },
    "all names of a module": {"tensors.py": TENSORS, "model.py": scaled("make()", "from tensors import *")},
    "all names of a module that has them all from another": {
        "pkg/__init__.py": "from .tensors import *\n",
        "pkg/tensors.py": TENSORS,
        "model.py": scaled("pkg.make()", "import pkg"),
    },
    "a package that is star imported beside another": {
        "empty.py": "import torch\n",
        "pkg/__init__.py": "from .tensors import *\n",
        "pkg/tensors.py": TENSORS,
        "model.py": scaled("make()", "from empty import *\nfrom pkg import *"),
    },
    "an import inside the constructor": {
        "tensors.py": TENSORS,
        "model.py": TORCH
        + """
class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        from tensors import make
        self.scale = make()  # CKP102

    def forward(self, x):
        return x * self.scale
""",
    },
    "a renaming": scaled("build(3)", "build = torch.ones"),
    "a renaming of a class": scaled("data", "Tensor = torch.Tensor").replace("data=None", "data: Tensor"),
    "a helper of a helper": {
        "tensors.py": TENSORS + "\ndef build(size):\n    return make(size) / torch.pi\n",
        "model.py": scaled("build(3)", "from tensors import build"),
    },
    "a helper that gives what it is given": {
        "tensors.py": "import torch\n\ndef keep(x, *, y=None):\n    return y.to(torch.float64)\n",
        "model.py": scaled("keep(1, y=torch.ones(3))", "from tensors import keep"),
    },
    "a helper whose default is a tensor": {
        "tensors.py": "import torch\n\ndef keep(x=torch.ones(3)):\n    return x\n",
        "model.py": scaled("keep()", "from tensors import keep"),
    },
    "a helper that promises a tensor": {
        "tensors.py": "import torch\n\ndef load(name) -> torch.Tensor:\n    return read(name)\n",
        "model.py": scaled("load('a')", "from tensors import load"),
    },
    "an element of what a helper gives": {
        "tensors.py": "import torch\n\ndef pair():\n    return torch.ones(3), 1\n",
        "model.py": scaled("pair()[0]", "from tensors import pair"),
    },
    "a key of what a helper gives": {
        "tensors.py": "import torch\n\ndef named():\n    return {'scale': torch.ones(3), 'size': 3}\n",
        "model.py": scaled("named()['scale']", "from tensors import named"),
    },
    "an element of a copy of what a helper gives": {
        "tensors.py": "import torch\n\ndef several():\n    return [torch.ones(3) for _ in range(3)]\n",
        "model.py": scaled("several().copy()[0]", "from tensors import several"),
    },
    "what a helper gives is cast": {
        "tensors.py": TENSORS,
        "model.py": scaled("make().double().sum(0)", "from tensors import make"),
    },
    "one of two that both are tensors": {
        "tensors.py": "import torch\n\ndef make(x):\n    return torch.ones(3) if x else torch.zeros(3)\n",
        "model.py": scaled("2 * make(data)", "from tensors import make"),
    },
    "a method of the same object": scaled(
        "self.make(3)", rest="\n    def make(self, size):\n        return torch.ones(size)\n"
    ),
    "a static method": scaled(
        "self.make(torch.ones(3))", rest="\n    @staticmethod\n    def make(value):\n        return value * 2\n"
    ),
    "a static method of another class": scaled(
        "Maker.make(3)",
        rest="\nclass Maker(nn.Module):\n    @staticmethod\n    def make(size):\n        return torch.ones(size)\n",
    ),
    "a method of the base class": {
        "base.py": NET + MAKE,
        "model.py": scaled("super().make(torch.ones(3))", "from base import Net").replace("(nn.Module)", "(Net)"),
    },
    "a method of the base class's own base": {
        "base.py": NET + MAKE,
        "other.py": "import base\n\nclass Other(base.Net):\n    pass\n",
        "model.py": scaled("self.make(size=torch.ones(3))", "from other import Other").replace(
            "(nn.Module)", "(Other)"),
    },
    "a base class by its module": {"base.py": NET, "model.py": scaled("torch.ones(3)", "import base").replace(
        "(nn.Module)", "(base.Net)")},
    "a base class by a renaming": {"base.py": NET, "model.py": scaled(
        "torch.ones(3)", "import base\nBase = base.Net").replace("(nn.Module)", "(Base)")},
    "a buffer of an annotated object": {
        "net.py": NET.replace("Net", "TensorNet") + "        self.register_buffer('size', None)\n",
        "model.py": scaled("data.size * 2", "from net import TensorNet").replace("data=None", "data: TensorNet"),
    },
    "a method of an annotated object": {
        "tensors.py": "import torch\n\nclass TensorScale:\n    def get_weights(self, size):\n"
        "        return torch.ones(size)\n",
        "model.py": scaled("data.get_weights(3)", "from tensors import TensorScale").replace(
            "data=None", "data: TensorScale"),
    },
    "arithmetic with a buffer of one's own": scaled("self.size * 2").replace(
        "        self.scale", "        self.register_buffer('size', torch.ones(3))\n        self.scale"
    ),
    "a copy of a parameter of one's own": scaled("self.size.clone()").replace(
        "        self.scale", "        self.size = nn.Parameter(torch.ones(3))\n        self.scale"
    ),
    "a cycle of imports": {
        "tensors.py": "import model\n" + TENSORS,
        "model.py": scaled("make()", "from tensors import make"),
    },
    "a converter that nobody knows": scaled("to_tensor(data)", "from elsewhere import to_tensor"),
}  # fmt: skip
SILENT: dict[str, Case] = {
    "a function of another package": scaled("make()", "from elsewhere import make", found=""),
    "a function that its module lacks": {
        "tensors.py": TENSORS,
        "model.py": scaled("build()", "from tensors import build", found=""),
    },
    "a helper that gives a number": {
        "tensors.py": "import torch\n\ndef size():\n    return torch.ones(3).sum().item()\n",
        "model.py": scaled("size() * 2", "from tensors import size", found=""),
    },
    "a helper that gives a layer": {
        "layers.py": "import torch\n\ndef layer():\n    return torch.nn.Linear(3, 3).eval()\n",
        "model.py": scaled("layer().cuda()", "from layers import layer", found=""),
    },
    "a helper that gives a parameter": {
        "tensors.py": "import torch\n\ndef weight():\n    return torch.nn.Parameter(torch.ones(3))\n",
        "model.py": scaled("weight().requires_grad_()", "from tensors import weight", found=""),
    },
    "a class that is a module": {"net.py": NET, "model.py": scaled("Net().eval()", "from net import Net", found="")},
    "an object of another class": {
        "tensors.py": "import torch\n\nclass Scale:\n    def __init__(self):\n        self.value = torch.ones(3)\n",
        "model.py": scaled("Scale()", "from tensors import Scale", found=""),
    },
    "a method that calls itself": scaled(
        "self.make(3)", found="", rest="\n    def make(self, size):\n        return self.make(size - 1)\n"
    ),
    "functions that call each other": {
        "tensors.py": "import torch\n\ndef make():\n    return build()\n\ndef build():\n    return make()\n",
        "model.py": scaled("make()", "from tensors import make", found=""),
    },
    "a name that two modules hand to each other": {
        "one.py": "from two import make\n",
        "two.py": "from one import make\n",
        "model.py": scaled("make()", "from one import make", found=""),
    },
    "a method that no class has": scaled("self.make()", found=""),
    "a method that an annotated object lacks": {
        "tensors.py": "import torch\n\nclass Scale:\n    pass\n",
        "model.py": scaled("data.make()", "from tensors import Scale", found="").replace("data=None", "data: Scale"),
    },
    "an attribute that waits for itself": scaled("self.scale.clone()", found=""),
    "classes that derive from each other": "import torch\n\nclass A(B):\n    def __init__(self):\n"
    "        self.scale = torch.ones(3)\n\nclass B(A):\n    def forward(self, x):\n        return x * self.scale\n",
    "a base class of another package": scaled("torch.ones(3)", "from elsewhere import Net", found="").replace(
        "(nn.Module)", "(Net)"
    ),
    "a property of the same name": scaled(
        "torch.ones(3)", found="", rest="\n    @property\n    def scale(self):\n        return self._scale\n"
    ),
    "a buffer that a base class in another file registers": {
        "base.py": NET.replace("super().__init__()", "super().__init__()\n        self.register_buffer('scale', None)"),
        "model.py": scaled("torch.ones(3)", "from base import Net", found="").replace("(nn.Module)", "(Net)"),
    },
    "a buffer that a helper of the class registers": scaled("torch.ones(3)", found="").replace(
        "        self.scale", "        self.keep('scale')\n        self.scale"
    ) + "\n    def keep(self, name):\n        self.register_buffer(name, None)\n",
}  # fmt: skip
CACHE = "        if table.shape[0] > 3:\n            return table\n        return torch.ones(3)\n"
RESET = "\n    def reset(self):\n        self.mean = torch.zeros(3)\n"
NUMBERS: dict[str, Case] = {
    "a count that starts as nothing": running(
        "self.mean = 1 if self.mean is None else self.mean + 1", "None", found=""
    ),
    "a text that starts as nothing": running(
        "self.mean = 'a' if self.mean is None else self.mean * 2", "None", found=""
    ),
    "something that starts as nothing": running("self.mean = self.mix(self.mean, x)", "None", found=""),
    "a cache that a method hands back": running(
        "self.mean = self.grown(self.mean)", rest="\n    def grown(self, table):\n" + CACHE, found=""
    ),
    "a cache that a static method hands back": running(
        "self.mean = self.grown(table=self.mean)",
        rest="\n    @staticmethod\n    def grown(table):\n" + CACHE, found="",
    ),
    "a cache that a function hands back": running(
        "self.mean = grown(self.mean)", rest="\ndef grown(table):\n" + CACHE, found=""
    ),
    "a cache that stays in one case": running(
        "self.mean = self.mean.detach() if x is None else torch.ones(3)", found=""
    ),
}  # fmt: skip
NUMBERS |= {
    "what an environment counts in an episode": running(
        "self.mean = self.mean + x",
        rest=RESET + "\n    def step(self, x):\n        return self(x)\n",
        found="",
    ),
    "a dict of tensors by its name": running("self.mean = self.mean + x", found="").replace(".mean", ".td"),
    "an attribute past the hooks": scaled("torch.ones(3)", found="").replace(
        "self.scale = torch.ones(3)", "object.__setattr__(self, 'scale', torch.ones(3))"
    ),
    "a constant that is moved along": scaled("torch.ones(3)", found="")
    + """
    def _apply(self, fn):
        self.scale = fn(self.scale)
        return super()._apply(fn)
""",
}
RUNNING: dict[str, Case] = {
    "what a module counts between resets": running("self.mean = self.mean + x", rest=RESET),
    "what a fit begins anew": running("self.use(x)") + """
    def fit(self, batches):
        self.mean = torch.zeros(3)
        for batch in batches:
            self.add(batch)

    def add(self, batch):
        self.mean = self.mean + batch
""",
    "a method that nobody knows": running("self.mean = self.mix(self.mean, x)"),
    "a method of what is handed in": running("self.mean = x.mix(self.mean)"),
    "a method that mixes": running(
        "self.mean = self.mix(self.mean, x)", rest="\n    def mix(self, mean, x):\n        return 0.9 * mean + x\n"
    ),
    "a tensor in the end": running(
        "self.mean = torch.ones(3) if self.mean is None else self.mean + x", "None", found="  # CKP109"
    ),
    "a method that only tensors have": running(
        "self.mean = x.detach() if self.mean is None else self.mean + x.detach()", "None", found="  # CKP109"
    ),
    "a change in place": running("self.mean.copy_(self.mean + x)", "None", found="  # CKP109").replace(
        "        self.mean.copy_", "        if self.mean is None:\n            self.mean = x\n        self.mean.copy_"
    ),
    "a use that only tensors have": running(
        "self.mean = self.mix(self.mean.unsqueeze(0), x)", "None", found="  # CKP109"
    ),
}  # fmt: skip


@cases(FOUND)
def test_tensor_that_comes_from_elsewhere(case: Case) -> None:
    check_findings(case)


@cases(SILENT)
def test_value_that_stays_unknown(case: Case) -> None:
    check_silent(case)


@cases(NUMBERS)
def test_value_that_is_no_running_tensor(case: Case) -> None:
    check_silent(case)


@cases(RUNNING)
def test_tensor_that_builds_on_the_old(case: Case) -> None:
    check_findings(case)


@pytest.mark.parametrize(
    ("value", "use", "reason"),
    [
        ("torch.ones(3)", "x * self.scale.to(x)", "moved by hand at every use"),
        ("torch.empty(3)", "x * self.scale", "empty until a method fills it"),
        ("torch.ones(3)", "x * self.scale.shape[0]", "read for its shape or in conditions only"),
        (
            "torch.ones(3)",
            "x * self.scale\n\n    def get_extra_state(self):\n        return self.scale"
            "\n\n    def set_extra_state(self, state):\n        self.scale = state",
            "saved by the class itself",
        ),
    ],
    ids=["moved", "empty", "idle", "carried"],
)
def test_harmless_tensor_on_request(value: str, use: str, reason: str) -> None:
    case = scaled(value, found="  # CKP112").replace("x * self.scale\n", f"{use}\n")
    (finding,) = check_findings(case, enable=["CKP112"])
    assert (
        finding.message == f"'scale' is a plain tensor, {reason}: .to() does not move it; consider a buffer"
    )


def test_tensor_that_need_not_be_given() -> None:
    check_silent(scaled("torch.ones(3) if data else None", found=""))
    hint = scaled("torch.ones(3) if data else None").replace("CKP102", "CKP112")
    check_findings(hint, enable=["CKP112"])


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("pkg.tensors.make", "pkg/tensors.py:make"),
        ("root.pkg.tensors.make", "pkg/tensors.py:make"),
        ("root.pkg.tensors.Maker.make", "pkg/tensors.py:Maker.make"),
        (".tensors.make", "pkg/tensors.py:make"),
        (":make", "pkg/model.py:make"),
        ("elsewhere.make", "elsewhere.make"),
    ],
    ids=[
        "from the root",
        "by the root's name",
        "a class's own",
        "relative",
        "of this file",
        "of another package",
    ],
)
def test_name_in_a_root_that_is_a_package(name: str, identity: str) -> None:
    tensors = TENSORS + "\nclass Maker:\n    pass\n"
    sources = {
        "__init__.py": "",
        "pkg/__init__.py": "",
        "pkg/tensors.py": tensors,
        "pkg/model.py": scaled("1"),
    }
    files = {path: collect_file(source.encode()) for path, source in sources.items()}
    assert Project(files, package="root").symbols.resolve(name, "pkg/model.py") == identity


@pytest.mark.parametrize("calls", [5, 6], ids=["as far as calls are followed", "one call further"])
def test_chain_of_helpers(calls: int) -> None:
    chain = "".join(
        f"def make{n}():\n    return make{n + 1}().to(torch.float64)\n\n" for n in range(1, calls)
    )
    end = f"def make{calls}():\n    return torch.ones(3)\n"
    files = {
        "tensors.py": "import torch\n\n" + chain + end,
        "model.py": scaled("make1()", "from tensors import make1", found=""),
    }
    assert [finding.code for finding in lint(files)] == (["CKP102"] if calls == 5 else [])


@pytest.mark.parametrize("hops", [3, 20], ids=["a few", "more than are followed"])
def test_name_handed_on_many_times(hops: int) -> None:
    files = {f"step{n}.py": f"from step{n + 1} import make\n" for n in range(hops)}
    files[f"step{hops}.py"] = TENSORS
    files["model.py"] = scaled("make()", "from step0 import make", found="")
    assert [finding.code for finding in lint(files)] == (["CKP102"] if hops == 3 else [])


def test_base_class_named_by_the_options() -> None:
    source = scaled("torch.ones(3)", "from elsewhere import Net", found="").replace("(nn.Module)", "(Net)")
    facts = collect_file(source.encode())
    projects = [Project({"model.py": facts}, bases) for bases in ([], ["Net"], ["elsewhere.Net"])]
    assert [[each.name for each in project.modules.classes] for project in projects] == [
        [],
        ["Scaled"],
        ["Scaled"],
    ]


def test_modules_that_import_each_other_with_stars_end() -> None:
    files = {
        "one.py": "from two import *\n",
        "two.py": "from one import *\n",
        "net.py": "from one import *\n\nclass Net(Base):\n    def __init__(self):\n        self.x = make()\n",
    }
    assert lint(files) == []


def test_requires_grad_false_is_not_trainable() -> None:
    source = """
import torch
from torch import nn

class Frozen(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.ones(3).requires_grad_(False)

    def forward(self, x):
        return x * self.scale
"""
    assert [each.code for each in lint(source)] == ["CKP102"]
