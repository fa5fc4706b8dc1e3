"""What running a class says of a finding: the pages of the rules, and classes that are hard to make or to run."""

from __future__ import annotations

import ast
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import flake8_ckpt
from flake8_ckpt.engine import check
from flake8_ckpt.options import Options
from flake8_ckpt.runtime.prove.answering import answers
from flake8_ckpt.runtime.prove.codes import COVERED
from flake8_ckpt.runtime.prove.codes import SAVED
from flake8_ckpt.runtime.prove.records import Answer
from flake8_ckpt.runtime.prove.records import Question
from flake8_ckpt.runtime.prove.records import Request

RULES = Path(flake8_ckpt.__file__).parent / "rules"
PROGRAM = re.compile(r"^## (Bad|Good)\n+```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEAD = "import torch\nfrom torch import nn\n\n"
NORMALIZER = """
class Normalizer(nn.Module):
    def __init__(self, {parameters}):
        super().__init__()
        {body}
        self.mean = torch.zeros({width})

    def forward(self, x):
        self.mean = self.mean + x.mean(0)
        return x - self.mean
"""
REGISTERED = NORMALIZER.replace(
    "self.mean = torch.zeros({width})", 'self.register_buffer("mean", torch.zeros({width}))'
)


@pytest.fixture(autouse=True)
def importing() -> Iterator[None]:
    """Leave the importer as it was: here the user's code runs in the process of the tests."""
    path, finders, arguments = sys.path[:], sys.meta_path[:], sys.argv[:]
    yield
    sys.path[:], sys.meta_path[:], sys.argv[:] = path, finders, arguments
    for name in ("code_of_user", "heir_of_user", "gone_away"):
        sys.modules.pop(name, None)


def ask(
    folder: Path, text: str, name: str, *questions: Question, seconds: float = 20, **more: Any
) -> list[Answer]:
    path = folder / "code_of_user.py"
    path.write_text(text)
    request = replace(Request(str(folder), str(path), name, questions), **more)
    return list(answers(request, time.monotonic() + seconds))


def normalizer(parameters: str = "", body: str = "pass", width: str = "4", text: str = NORMALIZER) -> str:
    return HEAD + text.format(parameters=parameters, body=body, width=width)


def mean_of(folder: Path, text: str, name: str = "Normalizer", **more: Any) -> Answer:
    return ask(folder, text, name, Question("CKP101", "mean"), **more)[0]


def test_registered_state_is_refuted(tmp_path: Path) -> None:
    found = mean_of(tmp_path, normalizer(text=REGISTERED))
    assert (found.verdict, found.reason) == ("refuted", "'mean' comes back as it was")
    assert found.ran == "forward(x=torch.rand(6, 4))"


def test_line_that_did_not_run_is_not_refuted(tmp_path: Path) -> None:
    text = normalizer(text=REGISTERED) + "\n\ndef elsewhere():\n    pass\n"
    (found,) = ask(tmp_path, text, "Normalizer", Question("CKP101", "mean", 16, 16))
    assert (found.verdict, found.reason) == ("not built", "line 16 did not run with these arguments")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def broken(:\n", "cannot be imported: SyntaxError"),
        ("x = 1\n", "has no class Normalizer"),
        ("Normalizer = 3\n", "Normalizer is no class"),
        (
            "import gone_away\n\nclass Normalizer(gone_away.Module):\n    pass\n",
            "its base gone_away.Module could not be imported",
        ),
        (normalizer(body="raise OSError('no disk')"), "OSError: no disk"),
        (HEAD + "class Normalizer(nn.Module):\n    mean = 1\n", "no method that changes 'mean' was found"),
        (
            normalizer().replace("x.mean(0)", "open('/etc/x').y"),
            "no call changed 'mean': forward(): FileNotFoundError",
        ),
        (
            normalizer().replace("nn.Module", "object").replace("super().__init__()", "pass"),
            "no pair of methods",
        ),
    ],
    ids=[
        "syntax",
        "no class",
        "no class but a number",
        "base",
        "constructor",
        "no method",
        "method",
        "no pair",
    ],
)
def test_reason_why_nothing_was_proven(tmp_path: Path, text: str, reason: str) -> None:
    found = mean_of(tmp_path, text.replace("def forward", "def update") if "object" in text else text)
    assert found.verdict == "not built" and reason in found.reason


def test_what_a_script_does_at_its_top_is_left_out(tmp_path: Path) -> None:
    doings = "open('canary', 'w')\nfor _ in range(3):\n    open('canary', 'w')\nassert False\n"
    main = "if __name__ == '__main__':\n    open('canary', 'w')\n"
    assert mean_of(tmp_path, normalizer() + doings + main).verdict == "proven"
    assert not Path("canary").exists()


@pytest.mark.parametrize(
    ("text", "built"),
    [
        (normalizer("size: int", width="size"), "Normalizer(size=4)"),
        (normalizer("shape", width="shape"), "Normalizer(shape=(4,))"),
        (normalizer("config", width="config.obs_dim"), "Normalizer(config=Settings(4))"),
        (normalizer("config", width="config['network'].size"), "Normalizer(config=Settings(4))"),
        (normalizer("names=None", "assert names is not None"), "Normalizer(names=4)"),
        (normalizer("on=False", "assert on"), "Normalizer(on=True)"),
        (normalizer("kind: 'Literal[\"a\"]'", "assert kind == 'a'"), "Normalizer(kind='a')"),
        (
            "from dataclasses import dataclass\n\n@dataclass\nclass Sizes:\n    width: int\n\n"
            + normalizer("sizes: Sizes", width="sizes.width"),
            "Normalizer(sizes=Sizes(width=4))",
        ),
        (
            "import gone_away\n" + normalizer("logger: gone_away.Logger"),
            "Normalizer(logger=gone_away_Logger())",
        ),
        (
            "import gone_away\n" + normalizer("fabric: gone_away.Fabric", "assert not fabric.world_size > 1"),
            "Normalizer(fabric=gone_away_Fabric())",
        ),
    ],
    ids=[
        "annotation",
        "name",
        "config",
        "nested config",
        "left out",
        "switch",
        "literal",
        "dataclass",
        "stand-in",
        "stand-in that is compared",
    ],
)
def test_arguments_that_are_guessed(tmp_path: Path, text: str, built: str) -> None:
    found = mean_of(tmp_path, "from typing import Literal\n" + text)
    assert (found.verdict, found.built) == ("proven", built)


def test_arguments_of_a_call(tmp_path: Path) -> None:
    text = normalizer("width, scale, mode", "assert mode == 'robust'", "width")
    call = {"0": "7", "scale": "unknown_here", "mode": "'robust'"}
    assert mean_of(tmp_path, text, calls=(call,)).built == "Normalizer(width=7, scale=0.1, mode='robust')"


def test_class_that_derives_stands_for_an_abstract_one(tmp_path: Path) -> None:
    text = (
        normalizer().replace("nn.Module", "nn.Module, abc.ABC")
        + "\n    @abc.abstractmethod\n    def kind(self): ..."
    )
    heir = "from code_of_user import Normalizer\n\nclass Running(Normalizer):\n    def kind(self):\n        return 1\n"
    (tmp_path / "heir_of_user.py").write_text(heir)
    found = mean_of(tmp_path, "import abc\n" + text, heirs=((str(tmp_path / "heir_of_user.py"), "Running"),))
    assert (found.verdict, found.built) == ("proven", "Running()")


def test_inputs_follow_what_torch_complains_of(tmp_path: Path) -> None:
    text = normalizer(body="self.net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5))", width="5")
    found = mean_of(
        tmp_path, text.replace("x.mean(0)", "self.net(x).mean(0).detach()").replace("x - ", "self.net(x) - ")
    )
    assert (found.verdict, found.ran) == ("proven", "forward(x=torch.rand(6, 12))")


def test_inputs_have_a_row_for_each_value_that_is_held(tmp_path: Path) -> None:
    text = """
class Scaler(nn.Module):
    def __init__(self):
        super().__init__()
        self.returns = torch.zeros(4)

    def forward(self, reward, done):
        self.returns = (self.returns + reward) * ~done
        return reward
"""
    (found,) = ask(tmp_path, HEAD + text, "Scaler", Question("CKP101", "returns"))
    assert found.verdict == "proven"
    assert found.ran == "forward(reward=torch.rand(4), done=torch.rand(4) > 0.5)"


def test_parameter_that_moves_is_no_parameter(tmp_path: Path) -> None:
    text = normalizer().replace(
        "torch.zeros(4)", "nn.Parameter(torch.zeros(4), requires_grad=False).to('cpu')"
    )
    found = mean_of(tmp_path, text.replace("self.mean = self.mean + x.mean(0)", "self.mean.add_(x.mean(0))"))
    assert found.verdict == "proven" and found.moves
    assert "here copies stood for that" in found.notes[-1]


def test_state_that_each_object_draws_anew(tmp_path: Path) -> None:
    text = HEAD + "class Hash(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    text += "        self.planes = torch.randn(3, 4)\n\n    def forward(self, x):\n        return x @ self.planes.T\n"
    (found,) = ask(tmp_path, text, "Hash", Question("CKP101", "planes"))
    assert found.verdict == "proven" and found.notes == ("each new object draws it anew",)


def test_value_that_is_only_made_anew_has_a_note(tmp_path: Path) -> None:
    found = mean_of(tmp_path, normalizer().replace("self.mean + x.mean(0)", "x.mean(0)"))
    assert found.verdict == "proven" and found.notes[0].startswith("the same call once more made it anew")


def test_file_that_something_else_keeps_from_loading(tmp_path: Path) -> None:
    late = 'self.register_buffer("late", x.mean(0))\n        self.mean'
    found = mean_of(tmp_path, normalizer().replace("self.mean = self.mean", f"{late} = self.mean"))
    assert found.verdict == "proven" and found.lost[0].startswith("lost mean: was [")


def test_value_that_others_set(tmp_path: Path) -> None:
    text = "class Trainer:\n    def __init__(self):\n        self.step = self.seen = 0\n\n"
    text += "    def state_dict(self):\n        return {'seen': self.seen}\n\n"
    text += "    def load_state_dict(self, state):\n        self.seen = state['seen']\n"
    found = ask(tmp_path, text, "Trainer", Question("CKP207", "seen"), Question("CKP207", "step"))
    assert [each.verdict for each in found] == ["refuted", "proven"]
    assert found[1].ran == "a change of 'step' by hand"


@pytest.mark.parametrize("names", [("get_state", "set_state"), ("save", "load")])
def test_pair_of_methods_of_a_plain_class(tmp_path: Path, names: tuple[str, str]) -> None:
    get, put = names
    bodies = (
        ("self", "return {'a': self.a}", "self, state", "self.a = state['a']")
        if get == "get_state"
        else ("self, path", "torch.save({'a': self.a}, path)", "self, path", "self.a = torch.load(path)['a']")
    )
    text = HEAD + "class Stopper:\n    def __init__(self):\n        self.a = self.b = 0\n\n"
    text += "    def step(self, loss: float):\n        self.a += 1\n        self.b += 1\n\n"
    text += f"    def {get}({bodies[0]}):\n        {bodies[1]}\n\n    def {put}({bodies[2]}):\n        {bodies[3]}\n"
    found = ask(tmp_path, text, "Stopper", Question("CKP207", "a"), Question("CKP207", "b"))
    assert [each.verdict for each in found] == ["refuted", "proven"]


AGENT = """
class Statistics:
    def __init__(self):
        self.mean, self.count = np.zeros(3), 0

class Agent:
    def __init__(self, network, lr):
        self.network, self.statistics, self.kept = network, Statistics(), Statistics()
        self.optimizer = torch.optim.Adam(network.parameters(), lr=lr)

    def save_models(self, folder):
        torch.save(self.network.state_dict(), f"{folder}/network.pt")
        torch.save((self.kept.mean.tolist(), self.kept.count), f"{folder}/kept.pt")

    def load_models(self, folder):
        self.network.load_state_dict(torch.load(f"{folder}/network.pt"))
        mean, self.kept.count = torch.load(f"{folder}/kept.pt")
        self.kept.mean = np.array(mean)
"""


def test_objects_that_a_class_does_not_save(tmp_path: Path) -> None:
    names = ("kept", "statistics", "optimizer", "gone")
    questions = [Question("CKP204", name) for name in names]
    found = ask(tmp_path, f"import numpy as np\n{HEAD}{AGENT}", "Agent", *questions)
    assert [each.verdict for each in found] == ["refuted", "proven", "proven", "not built"]
    assert found[1].ran == "a change of 'statistics' by hand"
    assert found[3].reason == "it has no attribute 'gone' once it is made"


def test_fix_is_proven_and_older_files_load(tmp_path: Path) -> None:
    state = str(tmp_path / "before.pt")
    before = mean_of(tmp_path, normalizer(), state=state)
    assert before.verdict == "proven" and "mean" not in torch.load(state)
    sys.modules.pop("code_of_user")
    fixed = normalizer(text=REGISTERED)
    question = Question("CKP101", "mean")
    path = str(tmp_path / "code_of_user.py")
    request = Request(str(tmp_path), path, "Normalizer", (question,), fixed, state=state, is_fixed=True)
    (after,) = answers(request, time.monotonic() + 20)
    assert after.verdict == "refuted"
    assert after.older == "load_compatible(model, state) takes them, fresh values for mean"


def page_programs() -> dict[str, list[str]]:
    """Return the programs Bad and Good of each rule whose findings can be proven."""
    found: dict[str, list[str]] = {}
    for path in sorted(RULES.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        code = re.search(r"""^RULE = Rule\(__name__, "(CKP\d+)\"""", text, re.MULTILINE)
        if code and code[1] in COVERED - SAVED:
            found[code[1]] = [block for _, block in PROGRAM.findall(ast.get_docstring(ast.parse(text)) or "")]
    return found


@pytest.mark.parametrize(
    ("code", "programs"), page_programs().items(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_pages_are_proven_bad_and_refuted_good(tmp_path: Path, code: str, programs: list[str]) -> None:
    bad, good = programs
    # A folder named after a test would make this the code of a test.
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "code_of_user.py").write_text(bad)
    found = check(folder, Options(enable=(code,), no_cache=True))
    finding = next(each for each in found if each.code == code)
    question = Question(code, finding.attribute, finding.position.line, finding.position.end_line)
    (answer,) = ask(folder, bad, finding.class_name, question)
    assert answer.verdict == "proven", answer.reason
    sys.modules.pop("code_of_user")
    (answer,) = ask(folder, good, finding.class_name, Question(code, finding.attribute), seconds=2)
    assert answer.verdict != "proven", answer.lost
