"""After any edits a project gets the answer that a run from scratch gives, by whatever road it is asked."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Optional
from unittest import mock

from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from flake8_ckpt import engine
from flake8_ckpt.findings import Finding
from flake8_ckpt.options import Options
from tests.front_end import BASE
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import POLICY
from tests.front_end import WARM_UP
from tests.front_end import check
from tests.front_end import flake8
from tests.front_end import here
from tests.front_end import run
from tests.front_end import write

SAVE = '    def save(self, path):\n        torch.save({"policy": self.policy.state_dict()}, path)\n\n'
TRAINER = """\
import torch
from torch import nn


class Trainer:
    def __init__(self):
        self.policy = nn.Linear(3, 2)
        self.optimizer = torch.optim.Adam(self.policy.parameters())

    def step(self, batch):
        loss = self.policy(batch).sum()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

{save}    def load(self, path):
        payload = torch.load(path)
        self.policy.load_state_dict(payload["policy"])
        self.optimizer.load_state_dict(payload["optimizer"])
"""
NAMES = ("base.py", "policy.py", "train/keep.py")
# None is a file that is gone. Two texts are of one size, so that only times tell them apart.
TEXTS: tuple[Optional[str], ...] = (
    None,
    BASE,
    BASE.replace("nn.Module", "objectly."),
    POLICY,
    POLICY.replace("mean", "maen"),
    POLICY.replace("import torch\n", "import torch  # noqa\n\n", 1),
    NORMALIZER,
    CLEAN,
    WARM_UP,
    TRAINER.format(save=SAVE),
    TRAINER.format(save=""),
    "def",
    "",
)
EDITS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(TEXTS)), min_size=1, max_size=4)
WAYS = (
    Options(),
    Options(enable=("ALL",)),
    Options(exclude=("train",)),
    Options(module_bases=("objectly.",)),
)
# With workers that are started afresh, as on macOS and Windows.
SPAWN = "import multiprocessing, sys; multiprocessing.set_start_method('spawn'); from flake8.main.cli import main; "


def answer(root: Path, options: Options, asked: tuple[str, ...] = ()) -> tuple[list[Finding], object]:
    found = engine.analyze(root, options, paths=asked)
    findings = [each for path in found.candidates for each in engine.findings_in(found, path).findings]
    return sorted(findings), dict(found.broken)


def answer_alone(root: Path, options: Options, name: str) -> list[Finding]:
    """Return what is said of one file where only that is asked about, as where it is one of many."""
    with mock.patch.object(engine, "FEW", 0):
        found = engine.analyze(root, options, paths=[name], about=[name])
    assert found.about is None or name in found.about
    return list(engine.findings_in(found, name).findings)


def edit(root: Path, name: str, text: Optional[str]) -> None:
    if text is None:
        (root / name).unlink(missing_ok=True)
    else:
        write(root, {name: text})


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(EDITS, st.sampled_from(WAYS), st.booleans()), min_size=1, max_size=4))
def test_answer_after_edits_is_that_of_a_run_from_scratch(
    steps: list[tuple[list[tuple[str, Optional[str]]], Options, bool]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = write(Path(folder), {"base.py": BASE, "policy.py": POLICY, "setup.cfg": ""})
        for edits, options, is_asked in steps:
            for name, text in edits:
                edit(root, name, text)
            asked = tuple(name for name in NAMES if is_asked and (root / name).exists())
            scratch = Options(
                enable=options.enable,
                exclude=options.exclude,
                module_bases=options.module_bases,
                no_cache=True,
            )
            expected = answer(root, scratch, asked)
            for name in asked:
                alone = [each for each in expected[0] if each.path == name]
                assert answer_alone(root, options, name) == alone
                assert answer_alone(root, options, name) == alone
            assert answer(root, options, asked) == expected
            assert answer(root, options, asked) == expected


def test_all_roads_say_the_same(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "base.py": BASE,
            "policy.py": POLICY,
            "a.py": NORMALIZER,
            "load.py": TRAINER.format(save=SAVE),
            "setup.cfg": "",
        },
    )
    cold = check(root)
    runs = {
        "warm": check(root),
        "command with two jobs": check(root, "--ckpt-jobs=2", "--ckpt-no-cache"),
        "another hash seed": check(root, "--ckpt-no-cache", env={"PYTHONHASHSEED": "7"}),
        "another locale": check(root, "--ckpt-no-cache", env={"LC_ALL": "C", "PYTHONUTF8": "0"}),
        "files in another order": here(
            root, "check", "--no-summary", "policy.py", "a.py", "load.py", "base.py"
        ),
        "this process": here(root, "check", "--no-summary"),
        "flake8": flake8(root, "--select=CKP", "-j1"),
        "flake8 with two jobs": flake8(root, "--select=CKP", "-j2", "--ckpt-no-cache"),
        "spawn": run(root, "-c", f"{SPAWN}sys.exit(main(['--select=CKP', '-j2', '.']))"),
    }
    assert sorted(cold.codes) == ["a.py CKP101", "load.py CKP202", "policy.py CKP101"]
    assert {
        name: sorted(each.out.replace("./", "").splitlines()) for name, each in runs.items()
    } == dict.fromkeys(runs, sorted(cold.out.replace("./", "").splitlines()))
    for name in ("policy.py", "load.py"):
        done = here(root, "check", "--no-summary", name)
        text = (root / name).read_text()
        piped = flake8(root, "--select=CKP", "--stdin-display-name", name, "-", stdin=text)
        assert piped.out.replace("./", "") == done.out.replace("./", "")
        assert sorted(done.codes) == sorted(each for each in cold.codes if each.startswith(name))
