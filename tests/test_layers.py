"""A module imports only from the layers below it; the linter loads no torch, and libcst only for findings."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import flake8_ckpt
from flake8_ckpt.index.verdicts import APART
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import run
from tests.front_end import write

PACKAGE = Path(flake8_ckpt.__file__).parent
# From the bottom to the top; what stands on one line may import from each other.
FLOORS = (
    ("addresses", "findings", "plain_file"),
    ("fingerprints",),
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
    # What a watched run showed; its judge reads sources, and is given the linter's findings.
    ("evidence",),
    ("contract_view", "reports"),
    ("suppression", "teacher"),
    ("configuration", "options"),
    ("asked_files", "checking", "project_index"),
    ("selection", "engine"),
    ("plugin",),
    ("commands",),
    ("cli",),
    ("__main__",),
)
RANKS = {name: rank for rank, floor in enumerate(FLOORS) for name in floor}
ISLANDS = frozenset({"runtime", "demo"})
# The bridges: commands show what the inspector says, which needs no torch, and tell it what a project reads; they
# start the process of `prove`, which imports torch.
BRIDGES = {
    ("commands", "flake8_ckpt.runtime.prove.codes.COVERED"),
    ("commands", "flake8_ckpt.runtime.prove.launch.GIBIBYTES"),
    ("commands", "flake8_ckpt.runtime.prove.launch.SECONDS"),
    ("commands", "flake8_ckpt.runtime.prove.launch.ask"),
    ("commands", "flake8_ckpt.runtime.prove.records.Answer"),
    ("commands", "flake8_ckpt.runtime.prove.records.Question"),
    ("commands", "flake8_ckpt.runtime.prove.records.Request"),
    ("commands", "flake8_ckpt.runtime.inspector.command.show_checkpoint"),
    ("commands", "flake8_ckpt.runtime.inspector.contract.KnownCheckpoint"),
    ("commands", "flake8_ckpt.runtime.inspector.contract.Reader"),
}
ONLY_THERE = {"libcst": {"source", "confirm", "fixes"}, "torch": ISLANDS}
# What `watch` puts into a stranger's program, where this package need not be: a path of its own.
INJECTED = PACKAGE / "runtime" / "watch"
RECORDER = sorted(INJECTED.rglob("*.py"))
MODULES = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if path.relative_to(PACKAGE).parts[0] != "demo" and path not in RECORDER
)
FOLDERS = sorted({path.parent for path in [*MODULES, *RECORDER]} - {PACKAGE / "rules"})
# All of our own that a file of rules/ imports; rules/base.py only the first two.
DOOR = ("flake8_ckpt.findings", "flake8_ckpt.linked_project.Project", "flake8_ckpt.rules.base")
MAX_LINES = 350
MAX_FILES = 20
ALONE = """\
import sys
from importlib import import_module

failed = []
for names in ({names!r}, {names!r}[::-1]):
    for loaded in [each for each in sys.modules if each.partition(".")[0] == "flake8_ckpt"]:
        del sys.modules[loaded]
    for name in names:
        try:
            import_module(name)
        except Exception as error:
            failed.append(f"{{name}}: {{error}}")
print(*failed, sep="\\n", end="")
"""
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


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in MODULES}


def modules_imported(path: Path) -> Iterator[str]:
    """Yield the modules of the package that a file imports, those for types alone and within functions too."""
    for name in imports_of(path):
        while name and name not in NAMES:
            name = name.rpartition(".")[0]
        if name:
            yield name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_downwards(path: Path) -> None:
    layer = layer_of(path.relative_to(PACKAGE).parts)
    for name in imports_of(path):
        package, _, rest = name.partition(".")
        other = rest.partition(".")[0]
        if (layer, name) in BRIDGES or package == "flake8_ckpt" and layer == other == "runtime":
            continue
        if package == "flake8_ckpt" and other not in ("", "__version__"):
            assert layer not in ISLANDS and other not in ISLANDS, name
            assert RANKS[other] <= RANKS[layer], f"{layer} imports {name}"
            assert other == layer or RANKS[other] < RANKS[layer] or layer in FLOORS[RANKS[other]], name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_libraries_stay_in_their_layers(path: Path) -> None:
    layer = layer_of(path.relative_to(PACKAGE).parts)
    for package in {name.partition(".")[0] for name in imports_of(path)}:
        assert layer in ONLY_THERE.get(package, {layer}), package
        assert package != "flake8" or RANKS[layer] >= RANKS["options"]


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("rules/*.py")), ids=lambda path: path.stem)
def test_rules_ask_the_project_alone(path: Path) -> None:
    allowed = DOOR[:2] if path.stem == "base" else DOOR
    own = [
        name for name in imports_of(path) if name.startswith("flake8_ckpt.") and name != "flake8_ckpt.rules"
    ]
    assert [name for name in own if not name.startswith(allowed)] == []


def test_code_apart_from_verdicts_has_no_say_in_them() -> None:
    seen, pending = set[str](), ["flake8_ckpt.checking"]
    while pending:
        name = pending.pop()
        seen.add(name)
        path = PACKAGE.parent.joinpath(*name.split("."))
        pending += (
            set(modules_imported(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))) - seen
        )
    assert {name.split(".")[1] for name in seen if "." in name}.isdisjoint(APART)
    assert "flake8_ckpt.linked_project" in seen


def test_no_module_imports_itself_in_the_end() -> None:
    graph = {name_of(path): set(modules_imported(path)) - {name_of(path)} for path in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("is_runtime", [False, True], ids=["linter", "runtime"])
def test_modules_import_in_either_order(tmp_path: Path, is_runtime: bool) -> None:
    """Where no module imports itself by a detour, one that imports after another imports alone."""
    names = sorted(name for name in NAMES if name.startswith("flake8_ckpt.runtime") == is_runtime)
    done = run(tmp_path, "-c", ALONE.format(names=names))
    assert (done.out, done.code) == ("", 0), done.err


@pytest.mark.parametrize("path", RECORDER, ids=lambda path: path.relative_to(INJECTED).as_posix())
def test_recorder_imports_the_standard_library_alone(path: Path) -> None:
    packages = {name.partition(".")[0] for name in imports_of(path)}
    assert packages - sys.stdlib_module_names <= {"flake8_ckpt_recorder"}


@pytest.mark.parametrize("path", [*MODULES, *RECORDER], ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_files_stay_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_folders_stay_small(folder: Path) -> None:
    files = [path.name for path in folder.glob("*.py") if path.stem != "__init__"]
    assert len(files) <= MAX_FILES


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
