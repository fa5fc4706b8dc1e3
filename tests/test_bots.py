"""docs/bots.md: each block fits the schema of its service, and its commands do what the page says."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.front_end import NORMALIZER
from tests.front_end import Run
from tests.front_end import here
from tests.front_end import write

PAGE = (Path(__file__).parent.parent / "docs" / "bots.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SCHEMAS = {".github/workflows": "github-workflows.json", "": "gitlab-ci.json"}
NAMES = [name for name, _ in BLOCKS]


def parsed(text: str) -> Any:
    # YAML 1.2, in which `on` is a word.
    return import_module("ruamel.yaml").YAML(typ="safe").load(text)


def complaints(name: str, text: str) -> list[str]:
    folder = files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / SCHEMAS[os.path.dirname(name)]).read_text(encoding="utf-8"))
    validator = import_module("jsonschema").validators.validator_for(schema)(schema)
    return [each.message for each in validator.iter_errors(parsed(text))]


@pytest.mark.parametrize(("name", "text"), BLOCKS, ids=NAMES)
def test_block_fits_its_schema(name: str, text: str) -> None:
    assert complaints(name, text) == []


def test_schemas_refuse_what_is_wrong() -> None:
    name, text = BLOCKS[0]
    assert complaints(name, text.replace("runs-on", "run-on"))
    name, text = next(each for each in BLOCKS if each[0] == ".gitlab-ci.yml")
    assert complaints(name, text.replace("artifacts", "artefacts"))


def commands(text: str) -> Iterator[list[str]]:
    for line in re.findall(r"^ *(?:- (?:run: )?)?flake8-ckpt (check .*)$", text, re.MULTILINE):
        yield shlex.split(line.partition(">")[0])


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], cwd=folder, check=True)


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    """Return a checkout as a bot has it: an old finding, and a merged change that brings another."""
    git(write(tmp_path, {"old.py": NORMALIZER}), "init", "-q", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "Old")
    git(tmp_path, "checkout", "-qb", "change")
    git(write(tmp_path, {"new.py": NORMALIZER}), "add", ".")
    git(tmp_path, "commit", "-qm", "New")
    git(tmp_path, "checkout", "-q", "main")
    git(tmp_path, "merge", "-q", "--no-ff", "change")
    return tmp_path


def outputs(folder: Path) -> Iterator[tuple[str, Run]]:
    for name, text in BLOCKS:
        for arguments in commands(text):
            yield name, here(folder, *arguments)


def test_commands_do_what_the_page_says(merged: Path) -> None:
    done = dict(outputs(merged))
    assert list(done) == NAMES
    annotations = done[".github/workflows/checkpoints.yml"]
    assert (annotations.code, annotations.out.count("::warning file=new.py,line=8")) == (1, 1)
    assert "old.py" not in annotations.out
    scan = json.loads((merged / "checkpoints.sarif").read_text())
    assert (done[".github/workflows/checkpoint-scan.yml"].code, len(scan["runs"][0]["results"])) == (0, 2)
    quality = json.loads((merged / "gl-code-quality-report.json").read_text())
    assert [each["location"]["path"] for each in quality] == ["new.py", "old.py"]
    review = json.loads(done[".github/workflows/checkpoint-review.yml"].out)
    assert [each["location"]["path"] for each in review["diagnostics"]] == ["new.py"]
