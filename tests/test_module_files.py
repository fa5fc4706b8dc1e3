"""Which file an import reaches: from the script's folder, from `src/`, with and without `__init__.py`."""

from __future__ import annotations

import pytest

from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.linking.module_files import ModuleFiles
from flake8_ckpt.linking.symbols import Symbols

UNREACHED: dict[str, tuple[list[str], str, str]] = {
    "another package's module of the same last name": (["pkg/agent.py"], "other.agent", "main.py"),
    "an end that two files have": (["a/lab/agent.py", "b/lab/agent.py"], "lab.agent", "main.py"),
    "a copy of a library": (["third_party/torch/nn/__init__.py"], "torch.nn", "main.py"),
    "a copy of a module of Python": (["vendor/json/decoder.py"], "json.decoder", "main.py"),
    "a module of Python beside it in a package": (
        ["pkg/__init__.py", "pkg/types.py"],
        "types",
        "pkg/main.py",
    ),
    "the package itself by a longer name": (["agent.py"], "labs.agent", "main.py"),
}
REACHED: dict[str, tuple[list[str], str, str, str]] = {
    "a script's own folder": (["runs/agent.py"], "agent", "runs/main.py", "runs/agent.py"),
    "the script's folder before another one": (
        ["a/agent.py", "b/agent.py"], "agent", "b/main.py", "b/agent.py",
    ),
    "a package below the script's folder": (
        ["runs/lab/__init__.py", "runs/lab/agent.py"], "lab.agent", "runs/main.py", "runs/lab/agent.py",
    ),
    "the folder around the script's": (["runs/agent.py"], "agent", "runs/tools/main.py", "runs/agent.py"),
    "folders without init": (
        ["src/lab/core/agent.py"], "lab.core.agent", "src/lab/run/main.py", "src/lab/core/agent.py",
    ),
    "folders without init from a script elsewhere": (
        ["src/lab/core/agent.py"], "lab.core.agent", "scripts/main.py", "src/lab/core/agent.py",
    ),
    "a stray init in src": (
        ["src/__init__.py", "src/lab/__init__.py", "src/lab/agent.py"],
        "lab.agent", "src/lab/main.py", "src/lab/agent.py",
    ),
    "a stray init in src from a script elsewhere": (
        ["src/__init__.py", "src/lab/__init__.py", "src/lab/agent.py"], "lab.agent", "main.py", "src/lab/agent.py",
    ),
    "a package in src": (["src/lab/__init__.py", "src/lab/agent.py"], "lab.agent", "main.py", "src/lab/agent.py"),
    "a module beside it in a package": (["pkg/__init__.py", "pkg/agent.py"], "agent", "pkg/main.py", "pkg/agent.py"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "name", "path"), UNREACHED.values(), ids=UNREACHED)
def test_does_not_guess_a_file(files: list[str], name: str, path: str) -> None:
    modules = ModuleFiles({*files, path}, libraries=frozenset(["torch"]))
    assert modules.find(name, path) is None


@pytest.mark.parametrize(("files", "name", "path", "found"), REACHED.values(), ids=REACHED)
def test_finds_the_imported_file(files: list[str], name: str, path: str, found: str) -> None:
    assert ModuleFiles({*files, path}).find(name, path) == found


def test_finds_files_of_the_root_as_a_package() -> None:
    modules = ModuleFiles({"__init__.py", "core/agent.py"}, "lab")
    assert modules.find("lab.core.agent", "run.py") == "core/agent.py"
    assert modules.find("lab", "run.py") == "__init__.py"
    assert modules.find("labs.core.agent", "run.py") is None


@pytest.mark.parametrize(
    "inits", [[], ["src/__init__.py"], ["src/lab/__init__.py", "src/lab/core/__init__.py"]]
)
@pytest.mark.parametrize(
    "line", ["from ..core.agent import Agent", "from ..core import agent\nAgent = agent.Agent"]
)
def test_resolves_relative_imports_by_folder(inits: list[str], line: str) -> None:
    sources = {
        "src/lab/core/agent.py": "import torch\n\nclass Agent:\n    pass\n",
        "src/lab/run/main.py": f"{line}\n",
        **dict.fromkeys(inits, ""),
    }
    symbols = Symbols({path: collect_file(source.encode()) for path, source in sources.items()})
    written = symbols.imports["src/lab/run/main.py"]["Agent"]
    assert symbols.resolve(written, "src/lab/run/main.py") == "src/lab/core/agent.py:Agent"
    assert symbols.module_of(written, "src/lab/run/main.py") == "src/lab/core/agent.py"
    assert symbols.module_of("..core.agent", "src/lab/run/main.py") == "src/lab/core/agent.py"
