"""A module imports only from the layers below it; the linter loads no torch, and libcst only for findings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import flake8_ckpt
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import run
from tests.front_end import write

PACKAGE = Path(flake8_ckpt.__file__).parent
# From the bottom to the top; what stands on one line may import from each other.
FLOORS = (
    ("findings",),
    ("frameworks",),
    ("source",),
    ("facts",),
    ("index",),
    ("linking",),
    ("modules",),
    ("checkpoints",),
    ("losses",),
    ("linked_project",),
    ("rules",),
    ("confirm",),
    ("fixes",),
    ("contract_view", "reports"),
    ("options",),
    ("selection", "engine"),
    ("plugin",),
    ("commands",),
    ("cli",),
    ("__main__",),
)
RANKS = {name: rank for rank, floor in enumerate(FLOORS) for name in floor}
ISLANDS = frozenset({"runtime", "demo"})
# The one bridge: the command shows what the inspector says, and the inspector needs no torch.
BRIDGES = {("cli", "flake8_ckpt.runtime.inspector.command.show_checkpoint")}
ONLY_THERE = {"libcst": {"source", "confirm", "fixes"}, "torch": ISLANDS}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "demo")
LOADED = "import sys\n{code}\nprint(*sorted(name for name in sys.modules if '.' not in name))\n"
MAIN = """\
from contextlib import suppress

from flake8_ckpt.cli import main

with suppress(SystemExit):
    main({arguments!r})
"""


def layer_of(parts: tuple[str, ...]) -> str:
    return parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_downwards(path: Path) -> None:
    layer = layer_of(path.relative_to(PACKAGE).parts)
    for name in imports_of(path):
        package, _, rest = name.partition(".")
        other = rest.partition(".")[0]
        if (layer, name) in BRIDGES or package == "flake8_ckpt" and layer == other == "runtime":
            continue
        if package == "flake8_ckpt" and other != "__version__":
            assert layer not in ISLANDS and other not in ISLANDS, name
            assert RANKS[other] <= RANKS[layer], f"{layer} imports {name}"
            assert other == layer or RANKS[other] < RANKS[layer] or layer in FLOORS[RANKS[other]], name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_libraries_stay_in_their_layers(path: Path) -> None:
    layer = layer_of(path.relative_to(PACKAGE).parts)
    for package in {name.partition(".")[0] for name in imports_of(path)}:
        assert layer in ONLY_THERE.get(package, {layer}), package
        assert package != "flake8" or RANKS[layer] >= RANKS["options"]


def loaded(folder: Path, *arguments: str) -> set[str]:
    code = LOADED.format(code=MAIN.format(arguments=list(arguments)))
    return set(run(folder, "-c", code).out.splitlines()[-1].split())


def test_linter_never_loads_torch(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER})
    names = loaded(tmp_path, "check", "--ckpt-jobs=1")
    assert names.isdisjoint({"torch", "numpy", "pyflakes", "pycodestyle", "bugbear", "mccabe", "rich"})


def test_run_without_findings_does_not_load_libcst(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": CLEAN, "b.py": NORMALIZER})
    for _ in ("cold", "warm"):
        assert "libcst" not in loaded(tmp_path, "check", "a.py")
    assert "libcst" in loaded(tmp_path, "check")


@pytest.mark.parametrize("command", [["rules"], ["explain", "CKP101"], ["--version"]])
def test_questions_load_little(tmp_path: Path, command: list[str]) -> None:
    assert loaded(tmp_path, *command).isdisjoint({"libcst", "torch", "rich"})
