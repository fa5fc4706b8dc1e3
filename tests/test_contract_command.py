"""The subcommand `contract`: tables of keys against writers and readers, as text and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flake8_ckpt.contract_view.rows import tables_of
from flake8_ckpt.contract_view.text_tables import as_text
from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.linked_project import Project
from tests.front_end import Run
from tests.front_end import command
from tests.front_end import write

ROOT = Path(__file__).parent.parent
AGENT = """\
import torch


class Agent:
    def save(self, path, metadata=None):
        record = {"net": self.net.state_dict(), "steps": self.steps, "version": 3}
        if metadata:
            record["metadata"] = metadata
        torch.save(record, path)

    def load(self, path):
        data = torch.load(path)
        self.net.load_state_dict(data["net"])
        self.steps = data.get("steps", 0)
"""
TRAIN = """\
import torch

from agent import Agent
from scaling import Scaler


def train(resume, path):
    scaler = Scaler()
    agent = Agent()
    agent.load(resume)
    metadata = torch.load(resume)["metadata"]
    if "mean" in metadata:
        scaler.mean = metadata["mean"]
    agent.save(path)
"""
SCALING = "class Scaler:\n    mean = 0.0\n"
SYSTEM = {"agent.py": AGENT, "train.py": TRAIN, "scaling.py": SCALING, "setup.cfg": ""}
SYSTEM_TEXT = """\
File: Agent.save / train, Agent.load
  W1  agent.py:9 Agent.save; called from train.py:14 train
  R1  train.py:11 train; with agent.py:13 Agent.load
  key            W1      R1        holds                    mismatch
  -------------- ------- --------- ------------------------ -----------
  net            always  required  state_dict of agent.net
  steps          always  default   agent.steps
  version        always  -         a number
  metadata       -       required  into metadata            never saved
  metadata.mean  -       guarded   into scaler.mean         never saved

1 family; 2 never saved.
"""
NOTHING = "No checkpoint found: no code that saves keys and code that reads them belong together.\n"


def show(folder: Path, *arguments: str, files: Mapping[str, str]) -> str:
    """Return what the command prints of all of a project, and assert that it succeeds without complaint."""
    paths = [] if any(not each.startswith("-") for each in arguments) else ["."]
    found = contract(write(folder, files), *arguments, *paths)
    assert (found.code, found.err) == (0, "")
    return found.out


def contract(folder: Path, *arguments: str, **options: Any) -> Run:
    """Run `flake8-ckpt contract`."""
    return command(folder, "contract", "--ckpt-no-cache", *arguments, **options)


def families(folder: Path, *arguments: str, files: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the families that the command prints as JSON."""
    found: list[dict[str, Any]] = json.loads(show(folder, "--output-format=json", *arguments, files=files))
    return found


def states(family: Mapping[str, Any]) -> dict[str, str]:
    """Return the keys of a family with their states and mismatch, in short."""
    return {
        ".".join(key["path"]): " ".join([*key["states"].values(), key["mismatch"] or ""]).strip()
        for key in family["keys"]
    }


def states_of(folder: Path, source: str) -> dict[str, str]:
    """Return the keys of the only family of a project of one file."""
    (family,) = families(folder, files={"a.py": f"import torch\n\n\n{source}"})
    return states(family)


def test_table_of_a_system_of_two_files(tmp_path: Path) -> None:
    assert show(tmp_path, files=SYSTEM) == SYSTEM_TEXT


def test_text_does_not_depend_on_the_terminal(tmp_path: Path) -> None:
    write(tmp_path, SYSTEM)
    for env in ({"COLUMNS": "40"}, {"COLUMNS": "400"}, {"FORCE_COLOR": "1"}, {"PYTHONIOENCODING": "ascii"}):
        assert contract(tmp_path, env=env).out == SYSTEM_TEXT


def test_json_holds_all_of_a_table(tmp_path: Path) -> None:
    (family,) = families(tmp_path, files=SYSTEM)
    assert family["kind"] == "file"
    (writer,), (reader,) = family["writers"], family["readers"]
    assert (writer["id"], writer["open"], reader["id"]) == ("W1", False, "R1")
    saved = {"path": "agent.py", "line": 9, "column": 9, "end_line": 9, "end_column": 33}
    assert writer["places"] == [{"function": "Agent.save", **saved}]
    assert [each["line"] for each in writer["called_from"]] == [14]
    assert [each["function"] for each in reader["places"]] == ["train", "Agent.load"]
    assert states(family) == {
        "net": "always required",
        "steps": "always default",
        "version": "always never",
        "metadata": "never required never saved",
        "metadata.mean": "never guarded never saved",
    }
    mean = family["keys"][-1]
    assert (mean["path"], mean["holds"], mean["restores"]) == (["metadata", "mean"], "", "scaler.mean")
    assert [(each["reader"], each["line"]) for each in mean["reads"]] == [("R1", 12), ("R1", 13)]


def test_mended_system_has_no_mismatch(tmp_path: Path) -> None:
    mended = TRAIN.replace("agent.save(path)", 'agent.save(path, metadata={"mean": scaler.mean})')
    agent = AGENT.replace(', "version": 3', "")
    text = show(tmp_path, files={**SYSTEM, "train.py": mended, "agent.py": agent})
    assert "metadata.mean  maybe   guarded   scaler.mean" in text
    assert "mismatch " not in text and text.endswith("\n1 family; no mismatch.\n")


def test_family_without_a_mismatch_is_a_line(tmp_path: Path) -> None:
    mended = AGENT.replace("metadata=None", "").replace("path, )", "path)")
    found = contract(write(tmp_path, {"agent.py": mended, "other.py": METHODS}))
    head, _, rest = found.out.partition("\n\n")
    assert head == "File: Agent.save / Agent.load: 4 keys, no mismatch (agent.py:9)"
    assert rest.startswith("Methods: Meter.state_dict / Meter.load_state_dict\n  W1  other.py:3")
    assert found.out.endswith("\n2 families; 1 never saved.\n")


def test_only_mismatches_leave_the_others_out(tmp_path: Path) -> None:
    mended = AGENT.replace("metadata=None", "").replace("path, )", "path)")
    files = {"agent.py": mended, "other.py": METHODS}
    found = contract(write(tmp_path, files), "--only=mismatches")
    assert found.out.startswith("Methods: Meter.state_dict / Meter.load_state_dict\n")
    assert found.out.endswith("\n1 family; 1 never saved.\n")
    (family,) = families(tmp_path, "--only=mismatches", files=files)
    assert family["kind"] == "methods"


METHODS = """\
class Meter:
    def state_dict(self):
        return {"mean": self.mean, "count": self.count}

    def load_state_dict(self, state):
        self.mean = state["mean"]
        self.count = state["cuont"]
"""


def test_pair_of_methods_is_a_family(tmp_path: Path) -> None:
    text = show(tmp_path, files={"a.py": METHODS})
    assert text.startswith("Methods: Meter.state_dict / Meter.load_state_dict\n  W1  a.py:3 Meter.state_dict")
    assert re.search(r"^  count +always +- +self\.count$", text, re.MULTILINE)
    assert re.search(r"^  cuont +- +required +into self\.count +never saved$", text, re.MULTILINE)


def test_methods_that_pass_all_on_have_no_table(tmp_path: Path) -> None:
    source = METHODS.replace('{"mean": self.mean, "count": self.count}', "self.inner.state_dict()")
    assert show(tmp_path, files={"a.py": source}) == NOTHING


def test_other_parameters_are_no_payload(tmp_path: Path) -> None:
    source = """\
class Agent(Base):
    def get_parameters(self):
        return {"beta": self.beta, "gamma": self.gamma}

    def set_parameters(self, params, device):
        self.beta = params["beta"]
        self.move(device)
"""
    (family,) = families(tmp_path, files={"a.py": source})
    assert states(family) == {"beta": "always required", "gamma": "always never"}


STATES = {
    "a key under a condition": (
        """\
def save(model, ema, path):
    record = {"model": model.state_dict()}
    if ema:
        record["ema"] = ema.state_dict()
    torch.save(record, path)


def load(model, ema, path):
    record = torch.load(path)
    model.load_state_dict(record["model"])
    if ema:
        ema.load_state_dict(record["ema"])
""",
        {"model": "always required", "ema": "maybe required"},
    ),
    "nothing is missing from a payload that is open": (
        """\
def save(model, extra, path):
    torch.save(dict(model=model.state_dict(), **extra), path)


def load(model, scaler, path):
    record = torch.load(path)
    model.load_state_dict(record["model"])
    scaler.mean = record["mean"]
""",
        {"model": "always required", "mean": "unknown required"},
    ),
    "a payload that is handed on may be read in full": (
        """\
def save(model, optimizer, path):
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)


def load(model, path):
    record = torch.load(path)
    model.load_state_dict(record["model"])
    model.restore(record)
""",
        {"model": "always required", "optimizer": "always whole"},
    ),
    "a computed key may be any": (
        """\
def save(model, optimizer, path):
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)


def load(model, names, path):
    record = torch.load(path)
    model.load_state_dict(record["model"])
    for name in names:
        model.restore(name, record[name])
""",
        {"model": "always required", "optimizer": "always whole"},
    ),
    "a key that is tested for and read on one line": (
        """\
def save(model, path):
    torch.save({"model": model.state_dict(), "config": {"size": model.size, "depth": model.depth}}, path)


def load(model, path):
    record = torch.load(path)
    model.load_state_dict(record["model"])
    if "config" in record and "size" in record["config"]:
        model.size = record["config"]["size"]
""",
        {
            "model": "always required",
            "config": "always guarded",
            "config.size": "always guarded",
            "config.depth": "always never",
        },
    ),
    "what nobody reads key by key stays one row": (
        """\
def save(model, path):
    torch.save({"model": model.state_dict(), "config": {"size": model.size, "depth": model.depth}}, path)


def load(model, path):
    record = torch.load(path)
    model.load_state_dict(record["model"])
    model.config = record["config"]
""",
        {"model": "always required", "config": "always required"},
    ),
    "keys within the state of an object": (
        """\
def save(model, path):
    torch.save({"model": model.state_dict(), "epoch": model.epoch}, path)


def load(model, path):
    record = torch.load(path)
    model.bias.data = record["model"]["bias"]
    model.epoch = record["epoch"]
""",
        {"model": "always required", "epoch": "always required"},
    ),
    "a part that is kept as a whole, too": (
        """\
def save(model, path):
    torch.save({"net": model.state_dict(), "args": {"lr": model.lr, "depth": model.depth}}, path)


def load(model, path):
    record = torch.load(path)
    model.load_state_dict(record["net"])
    model.args = record["args"]
    model.lr = record["args"]["lr"]
""",
        {
            "net": "always required",
            "args": "always required",
            "args.lr": "always required",
            "args.depth": "always whole",
        },
    ),
}


@pytest.mark.parametrize(("source", "expected"), STATES.values(), ids=list(STATES))
def test_states_of_keys(tmp_path: Path, source: str, expected: dict[str, str]) -> None:
    assert states_of(tmp_path, source) == expected


def test_file_of_one_object_is_a_single_row(tmp_path: Path) -> None:
    source = """\
import torch


class Model:
    def save(self, path):
        torch.save(self.net.state_dict(), path)

    def load(self, path):
        self.net.load_state_dict(torch.load(path))
"""
    text = show(tmp_path, files={"a.py": source})
    assert re.search(r"^  \(whole\) +always +whole +state_dict of self\.net$", text, re.MULTILINE)
    assert "other keys are possible" not in text
    (family,) = families(tmp_path, files={})
    assert family["keys"][0]["path"] == [] and family["writers"][0]["open"]


def test_open_writer_is_called_so(tmp_path: Path) -> None:
    source = f"import torch\n\n\n{STATES['nothing is missing from a payload that is open'][0]}"
    text = show(tmp_path, files={"a.py": source})
    assert "  W1  a.py:5 save; other keys are possible\n" in text
    assert re.search(r"^  mean +\? +required +into scaler\.mean$", text, re.MULTILINE)


TWO_CALLS = """\
from agent import Agent


def train(agent: Agent, path):
    agent.load(path)
    for _ in range(3):
        agent.save(path)
    agent.save(path)


def finish(agent: Agent, path):
    agent.save(path, metadata={"best": 1})
"""


def test_writer_that_leaves_a_key_out_is_named(tmp_path: Path) -> None:
    source = """\
class Trainer:
    def save(self):
        torch.save({"model": self.model.state_dict(), "obs_mean": self.normalizer.mean}, "last.pt")

    def save_light(self):
        torch.save({"model": self.model.state_dict()}, "last.pt")

    def load(self):
        record = torch.load("last.pt")
        self.model.load_state_dict(record["model"])
        self.normalizer.mean = record["obs_mean"]
"""
    found = states_of(tmp_path, source)
    assert found == {"model": "always always required", "obs_mean": "always never required not saved by W2"}


def test_calls_that_save_the_same_are_one_writer(tmp_path: Path) -> None:
    text = show(tmp_path, files={"agent.py": AGENT, "train.py": TWO_CALLS})
    assert "  W1  agent.py:9 Agent.save; called from train.py:7, 8 train\n" in text
    assert "  W2  agent.py:9 Agent.save; called from train.py:12 finish\n" in text
    assert re.search(r"^  metadata +- +maybe +- ", text, re.MULTILINE)


def test_functions_that_read_the_same_are_one_reader(tmp_path: Path) -> None:
    more = "from agent import Agent\n\n\ndef evaluate(agent: Agent, path):\n    agent.load(path)\n"
    text = show(tmp_path, files={"agent.py": AGENT, "train.py": TWO_CALLS, "enjoy.py": more})
    assert "  R1  agent.py:13 Agent.load; called from enjoy.py:5 evaluate, train.py:5 train\n" in text
    assert "R2" not in text


def many(count: int) -> str:
    """Return functions that each save under the same keys, the even ones one key more, and one that loads."""
    source = "import torch\n\n\n"
    for number in range(count):
        extra = '"step": 1, ' if number % 2 == 0 else ""
        source += f"""\
def save_{number}(model, optimizer):
    torch.save({{{extra}"model": model.state_dict(), "opt": optimizer.state_dict()}}, "last.pt")


"""
    return f"""{source}
def resume(model, optimizer):
    record = torch.load("last.pt")
    model.load_state_dict(record["model"])
    optimizer.load_state_dict(record["opt"])
    model.step = record["step"]
"""


def test_many_writers_share_a_column(tmp_path: Path) -> None:
    text = show(tmp_path, files={"a.py": many(7)})
    assert re.search(r"^  key +W1-W7 +R1 +holds", text, re.MULTILINE)
    assert re.search(r"^  model +always +required +state_dict of model$", text, re.MULTILINE)
    assert re.search(r"^  step +4/7 +required ", text, re.MULTILINE)
    assert "File: save_0, save_1, save_2 and 4 more / resume\n" in text


def test_list_of_writers_is_bounded(tmp_path: Path) -> None:
    text = show(tmp_path, files={"a.py": many(15)})
    assert "  W12 a.py:" in text and "  W13 a.py:" not in text
    assert "      and 3 more writers: --output-format=json lists them\n" in text
    (family,) = families(tmp_path, files={})
    assert len(family["writers"]) == 15


def test_many_keys_nobody_reads_share_a_row(tmp_path: Path) -> None:
    config = ", ".join(f'"k{number}": model.k{number}' for number in range(20))
    source = f"""\
import torch


def save(model):
    torch.save({{"model": model.state_dict(), "config": {{"size": model.size, {config}}}}}, "last.pt")


def load(model):
    record = torch.load("last.pt")
    model.load_state_dict(record["model"])
    model.size = record["config"]["size"]
"""
    text = show(tmp_path, files={"a.py": source})
    assert re.search(r"^  config\.\* +always +- +20 other keys$", text, re.MULTILINE)
    assert "k7" not in text
    (family,) = families(tmp_path, files={})
    assert states(family)["config.k7"] == "always never"


def test_odd_keys_are_shown_as_they_are(tmp_path: Path) -> None:
    source = """\
def save(model):
    torch.save({"[red]a": model.a, "b\\nc": model.b, "": model.c, "größe": model.d}, "last.pt")


def load(model):
    record = torch.load("last.pt")
    model.a, model.b, model.d = record["[red]a"], record["b\\nc"], record["größe"]
"""
    text = show(tmp_path, files={"a.py": f"import torch\n\n\n{source}"})
    assert [line.split()[0] for line in text.splitlines()[5:9]] == ["[red]a", r"'b\nc'", "''", "größe"]
    printed = contract(tmp_path, ".", env={"PYTHONIOENCODING": "ascii"})
    assert (printed.code, printed.out) == (0, text.replace("größe", r"gr\xf6\xdfe"))


def test_names_of_objects_are_those_of_the_code(tmp_path: Path) -> None:
    source = """\
import torch
from torch import nn


def main(wrap, path):
    model = nn.Linear(2, 2)
    if wrap:
        model = nn.DataParallel(model)
    raw = model.module if wrap else model
    best = 0.0
    torch.save(
        {
            "model": raw.state_dict(),
            "weight": model.weight.detach().cpu(),
            "rng": torch.get_rng_state(),
            "pair": (model.bias, model.scale),
            "best": best,
            "arch": "linear",
            "names": [str(each) for each in path],
            "done": True,
            "nothing": None,
            "slot": model.slots[0],
        },
        path,
    )
    record = torch.load(path)
    model.load_state_dict(record["model"])
"""
    (family,) = families(tmp_path, files={"a.py": source})
    holds = {".".join(key["path"]): key["holds"] for key in family["keys"]}
    assert holds["weight"] == "model.weight"
    assert holds["rng"] == "torch.get_rng_state()"
    assert holds["pair"] == "(model.bias, model.scale)"
    assert holds["arch"] == "'linear'"
    assert holds["names"] == "a list"
    assert (holds["done"], holds["nothing"], holds["best"]) == ("a flag", "None", "a number")
    assert holds["slot"] == "model.slots[0]"
    assert holds["model"] == "state_dict of model"


OTHER = """\
import torch


class Meter:
    def save(self, path):
        torch.save({"mean": self.mean, "count": self.count}, path)

    def load(self, path):
        data = torch.load(path)
        self.mean, self.count = data["mean"], data["count"]
"""


@pytest.mark.parametrize(
    ("paths", "shown"),
    [
        ([], ["agent.py", "other/meter.py"]),
        (["."], ["agent.py", "other/meter.py"]),
        (["other"], ["other/meter.py"]),
        (["other/"], ["other/meter.py"]),
        (["train.py"], ["agent.py"]),
        (["./agent.py", "other/meter.py"], ["agent.py", "other/meter.py"]),
        (["scaling.py"], []),
        (["oth.py"], []),
    ],
)
def test_paths_choose_the_families(tmp_path: Path, paths: list[str], shown: list[str]) -> None:
    found = families(tmp_path, *paths, files={**SYSTEM, "other/meter.py": OTHER, "oth.py": ""})
    assert [family["writers"][0]["places"][0]["path"] for family in found] == shown


def test_paths_are_those_seen_from_here(tmp_path: Path) -> None:
    write(tmp_path, {**SYSTEM, "sub/empty.py": "", "setup.cfg": "[flake8]\n"})
    assert contract(tmp_path / "sub").out == SYSTEM_TEXT
    assert contract(tmp_path / "sub", ".").out == NOTHING
    assert contract(tmp_path / "sub", "../agent.py").out == SYSTEM_TEXT
    assert contract(tmp_path / "sub", "..").out == SYSTEM_TEXT


def test_path_around_the_root_shows_all(tmp_path: Path) -> None:
    write(tmp_path / "sub", SYSTEM)
    assert contract(tmp_path, "--ckpt-root=sub", ".").out == SYSTEM_TEXT


def test_file_that_is_named_is_read_anyway(tmp_path: Path) -> None:
    write(tmp_path, {".hidden/agent.py": AGENT, "setup.cfg": ""})
    assert contract(tmp_path).out == NOTHING
    assert "File: Agent.save / Agent.load\n" in contract(tmp_path, ".hidden/agent.py").out


def test_nothing_found_is_one_line(tmp_path: Path) -> None:
    assert show(tmp_path, files={"a.py": "x = 1\n"}) == NOTHING
    assert families(tmp_path, files={}) == []


def test_code_without_a_partner_is_no_family(tmp_path: Path) -> None:
    source = AGENT.partition("    def load")[0]
    assert show(tmp_path, files={"a.py": source}) == NOTHING


def test_tests_take_no_part(tmp_path: Path) -> None:
    assert show(tmp_path, files={"tests/test_agent.py": AGENT}) == NOTHING


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.py"], "path does not exist: 'missing.py'"),
        (["-"], "path does not exist: '-'"),
        (["--ckpt-root=missing"], "--ckpt-root: 'missing' is not a folder"),
        (["--ckpt-jobs=0"], "--ckpt-jobs: '0' is not a positive number"),
        (["--output-file=agent.py/out"], "--output-file: 'agent.py/out': "),
        (["--config=missing.cfg"], "The specified config file does not exist: missing.cfg"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    found = contract(write(tmp_path, SYSTEM), *arguments)
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert found.err.startswith(f"flake8-ckpt: error: {message}")


def test_broken_configuration_is_one_line(tmp_path: Path) -> None:
    found = contract(write(tmp_path, {**SYSTEM, "setup.cfg": "[flake8]\nckpt-jobs = many\n"}))
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert found.err.startswith("flake8-ckpt: error: ")


def test_unknown_option_is_refused(tmp_path: Path) -> None:
    found = contract(tmp_path, "--output-format=yaml")
    assert (found.code, found.out) == (2, "")
    assert "invalid choice: 'yaml'" in found.err


def test_excluded_file_takes_no_part(tmp_path: Path) -> None:
    write(tmp_path, {**SYSTEM, "setup.cfg": "[flake8]\nckpt-exclude = agent.py\n"})
    assert contract(tmp_path).out == NOTHING
    assert contract(tmp_path, "agent.py").out == NOTHING
    assert contract(tmp_path, "--isolated").out == SYSTEM_TEXT


def test_files_that_cannot_be_read_are_noted(tmp_path: Path) -> None:
    write(tmp_path, {**SYSTEM, "broken.py": "def f(:\n"})
    found = contract(tmp_path)
    assert (found.code, found.out) == (0, SYSTEM_TEXT)
    assert found.err == "flake8-ckpt: note: 1 file could not be read (-v says which and why)\n"
    assert "\nflake8-ckpt: note: broken.py: " in contract(tmp_path, "-v").err


def test_output_goes_into_a_file(tmp_path: Path) -> None:
    assert show(tmp_path, "--output-file=out/tables.txt", files=SYSTEM) == ""
    assert (tmp_path / "out" / "tables.txt").read_text(encoding="utf-8") == SYSTEM_TEXT


def test_cache_is_used_and_shared_with_check(tmp_path: Path) -> None:
    write(tmp_path, SYSTEM)
    assert command(tmp_path, "contract").out == SYSTEM_TEXT
    assert (tmp_path / ".flake8_ckpt_cache").exists()
    assert command(tmp_path, "contract").out == SYSTEM_TEXT
    assert command(tmp_path, "check").code in (0, 1)


def test_help_names_only_what_is_used(tmp_path: Path) -> None:
    text = contract(tmp_path, "--help").out
    assert text.startswith("usage: flake8-ckpt contract [options] [path ...]")
    assert "--ckpt-exclude" in text and "--output-format" in text and "--ckpt-enable" not in text
    assert "contract" in command(tmp_path, "--help").out


def test_narrow_terminal_folds_and_never_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {name: text for name, text in SYSTEM.items() if name.endswith(".py")}
    project = Project({name: collect_file(text.encode()) for name, text in sources.items()})
    tables = tables_of(project)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain = as_text(tables, is_terminal=False)
    assert plain == SYSTEM_TEXT
    for columns in ("40", "60", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        coloured = as_text(tables, is_terminal=True)
        assert "\x1b[" in coloured
        text = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
        kept = sorted(re.sub(r"[\s-]", "", text))
        assert kept == sorted(re.sub(r"[\s-]", "", plain))


def test_page_shows_a_real_table() -> None:
    text = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```text\n(File: .*?)^```$", text, re.MULTILINE | re.DOTALL)
    demo = ROOT / "flake8_ckpt" / "demo"
    printed = contract(ROOT, "--isolated", f"--ckpt-root={demo}", f"{demo}/vectorized_ppo")
    assert (printed.code, printed.out.partition("\n\n")[0]) == (0, block.rstrip("\n"))
