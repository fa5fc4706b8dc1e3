"""The package says what it offers, imports it when asked, and names the extra where torch is missing."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import flake8_ckpt.runtime as runtime


@pytest.mark.parametrize("name", runtime.__all__)
def test_offered_name_is_what_its_module_has(name: str) -> None:
    assert getattr(runtime, name) is getattr(
        import_module(f"flake8_ckpt.runtime.{runtime.HOMES[name]}"), name
    )


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(runtime.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == set(runtime.__all__) == set(runtime.HOMES) == set(dir(runtime))


def test_unknown_name_is_refused() -> None:
    name = "RunningMean"
    with pytest.raises(AttributeError, match="no attribute 'RunningMean'"):
        getattr(runtime, name)


def test_import_alone_loads_no_torch() -> None:
    code = "import sys, flake8_ckpt.runtime; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_missing_torch_names_the_extra() -> None:
    code = "import sys; sys.modules['torch'] = None\nfrom flake8_ckpt.runtime import audit"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "needs torch: pip install 'flake8-ckpt[runtime]'" in done.stderr
