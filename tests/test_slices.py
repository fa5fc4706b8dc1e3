"""Facts from slices equal facts from the whole file, on real files: the packages that the tests run on."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import libcst as cst
import pytest

from flake8_ckpt.facts.collect import Bodies
from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.facts.collect import facts_of
from flake8_ckpt.facts.collect import read_script
from flake8_ckpt.facts.collect import selected_functions
from flake8_ckpt.source.depth import is_too_deep
from flake8_ckpt.source.outline import outline
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode
from flake8_ckpt.source.text import parse

PACKAGES = {
    "torch": ("nn", "optim", "distributions", "ao", "distributed/fsdp"),
    "libcst": ("_nodes", "codemod"),
    "hypothesis": ("internal",),
    "mypy": ("",),
    "numpy": ("lib", "ma"),
}


def files() -> Iterator[Path]:
    """Yield the Python files of the packages, where they are installed as source."""
    for package, folders in PACKAGES.items():
        spec = find_spec(package)
        assert spec is not None and spec.origin is not None
        root = Path(spec.origin).parent
        for folder in folders:
            yield from sorted((root / folder).rglob("*.py"))


class WholeFile(cst.CSTVisitor):
    """Lists the functions of a file in the order in which they start."""

    def __init__(self) -> None:
        self.functions: list[cst.FunctionDef] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Note a function."""
        self.functions.append(node)


def every_function(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the functions of the stdlib's tree in the order in which they start."""
    found = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def test_facts_from_slices_equal_facts_from_the_whole_file() -> None:
    compared = 0
    for path in files():
        data = path.read_bytes()
        facts = collect_file(data)
        if not any(each.methods for each in facts.classes) and not facts.functions:
            continue
        text = decode(data)
        tree, lines = parse(text), text.split("\n")
        found = outline(tree, lines)
        visitor = WholeFile()
        cst.parse_module(text).visit(visitor)
        twins = {id(node): twin for node, twin in zip(every_function(tree), visitor.functions)}
        selected = [each for each in selected_functions(found) if not is_too_deep(each, lines)]
        bodies: Bodies = {id(each): twins[id(each)] for each in selected}
        if found.script is not None:
            bodies.update(read_script(found.script, lines))
        whole = facts_of(tree, found, lines, bodies)
        assert facts == whole, path
        compared += 1
    assert compared > 300


@pytest.mark.parametrize(
    "line", ["x = 1\n", "class A(B):\n    def f(self):\n        self.x = torch.zeros(1)\n"]
)
def test_equal_bytes_give_equal_facts(line: str) -> None:
    assert collect_file(line.encode()) == collect_file(line.encode())


def test_broken_text_raises_for_the_parser_only() -> None:
    with pytest.raises(Unreadable):
        parse("def f(:\n")
    assert collect_file(b"def f(:\n").error_line == 1


def test_facts_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "from flake8_ckpt.facts.collect import collect_file\n"
        "import msgspec, pathlib, torch\n"
        "path = pathlib.Path(torch.__file__).parent / 'nn/modules/batchnorm.py'\n"
        "print(msgspec.msgpack.encode(collect_file(path.read_bytes())).hex())\n"
    )
    environments = ({**os.environ, "PYTHONHASHSEED": seed} for seed in ("0", "1", "2"))
    command = [sys.executable, "-c", code]
    outputs = {subprocess.run(command, env=each, capture_output=True).stdout for each in environments}
    assert len(outputs) == 1 and len(outputs.pop()) > 1000
