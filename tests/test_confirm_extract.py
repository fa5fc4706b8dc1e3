"""An extract parses, and shows what it is to show where the file has it; libcst finds the same in it as in the file."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterable
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import chain
from itertools import combinations
from pathlib import Path

import pytest

from flake8_ckpt.confirm.blocks import path_to
from flake8_ckpt.confirm.blocks import scope_of
from flake8_ckpt.confirm.candidate import Candidate
from flake8_ckpt.confirm.extract import Extract
from flake8_ckpt.confirm.extract import extract_of
from flake8_ckpt.confirm.finder import find
from flake8_ckpt.confirm.source_lines import SourceLines
from flake8_ckpt.confirm.source_lines import end_of
from flake8_ckpt.confirm.source_lines import start_of
from flake8_ckpt.findings import Kind
from flake8_ckpt.findings import Node
from flake8_ckpt.source.text import decode

Place = tuple[int, int, str]

TEXTS = {
    "a statement on the line of its heading": (
        "if a:\n    b()\nelse: x\nfor c in d: e; f\nclass G: h = 1; i = 2\n"
    ),
    "statements that share a line": "if a:\n    b(); c = 1; \\\n    d = 2\n    e();\n    f\n",
    "a string before a semicolon": "def f():\n    x = '''\nif a:\n  # \\\n'''; y = 2\n    '''a\nb''' \\\n   ; z = 3\n",
    "a heading of several lines": (
        "class A(\n    B,  # :\n\n    C\n)  \\\n  :\n    # c\n\n    x = 1\n"
        "    def f(self,\n        a='#:', b=lambda: 1\n    ) -> 'x:y' :\n\n"
        "        # c\n        '''doc'''\n        return 1\n"
    ),
    "decorators": (
        "class A:\n    @(\n  foo)\n    # c\n    @bar('#@')\n    def f(self): pass\n\n"
        "    @ \\\n    foo\n    async def g(self):\n        async with a as b, c:\n            await d\n"
        "        async for x in y:\n            z\n        else:\n            w\n"
    ),
    "tabs": "def f():\n\tif x:\n\t\ty = 1 ;\tz = 2\n\telse:\n\t\tw = 3\n",
    "form feeds": "\x0cdef f():\n    x = 1\n\x0c\n\x0c    y = 2\n\x0cdef g():\n    z = 1\n",
    "a backslash before a statement": "def f():\n\\\n    x = 1\n    return x\n",
    "a backslash after a statement": "def f():\n    x = 1 \\\n\n    y = 2 \\\n    # c\n    z = 3\n",
    "a backslash after a colon": "if a: \\\n\n    b\nif c: \\\n    d; e\nfor f in g:\n    h\nelse : \\\n    i\n",
    "a backslash beside else": "if a:\n    b\n\\\nelse \\\n  :\n    c\n",
    "a backslash in a comment": (
        "for i in y:\n    f(i)  # c \\\ng()\nif x:  # c \\\n    h()  # d \\\nelse:  # e \\\n    k()\n"
    ),
    "every clause of try": (
        "try:\n    a\nexcept (A,\n    B) as e: # x:\n    b\nexcept C: c\nexcept:\n    d\nelse: e\nfinally:\n    f\n"
        "try:\n    g\nfinally: h\n"
    ),
    "match": (
        "match (\n  x):\n    # c\n    case (\n      1 | 2\n    ) if (y): a\n"
        "    case {'a:': b}:\n        c\n    case _:\n        d\n"
    ),
    "elif and an if within else": (
        "if a:\n    b\nelif (\n   c):\n    d\nelif e: f\n"
        "else:\n    if g:\n        h\n    elif i:\n        j\n    else: k\n"
    ),
    "loops": "while a:\n    b\nelse:\n    c\nfor d in e:\n    f\nelse: g\n",
    "a class body within if and try": (
        "if a:\n    class B:\n        try:\n            x = 1\n        except E:\n            y = 2\n"
        "else:\n    class C: pass\n"
    ),
    "letters of several bytes": "class Ä:\n    ä = 'ö'; self.ü = 'é'; z = 3\n    if 'ß': q\n    'ñ'; r\n",
}


def nodes_of(tree: ast.Module) -> list[ast.stmt | ast.ExceptHandler]:
    return [node for node in ast.walk(tree) if isinstance(node, (ast.stmt, ast.ExceptHandler))]


def places(extract: Extract) -> Iterator[Place]:
    """Yield what stands where in the file, blocks apart."""
    source = SourceLines.of(extract.text)
    for node in nodes_of(ast.parse(extract.text)):
        has_block = hasattr(node, "body") or isinstance(node, ast.Match)
        line, column = extract.place(node.lineno, source.characters(start_of(node)))
        yield line, column, type(node).__name__ if has_block else ast.dump(node)


def whole(text: str) -> Extract:
    return Extract(text, tuple(range(1, text.count("\n") + 2)))


def cut(tree: ast.Module, source: SourceLines, chosen: Iterable[ast.AST]) -> Extract:
    return extract_of(
        tree, source, chain.from_iterable(path_to(tree, source, start_of(each)) for each in chosen)
    )


@pytest.mark.parametrize("text", TEXTS.values(), ids=[key.replace(" ", "-") for key in TEXTS])
@pytest.mark.parametrize("count", [1, 2])
def test_extract_shows_what_is_chosen_and_nothing_new(text: str, count: int) -> None:
    tree, source = ast.parse(text), SourceLines.of(text)
    every = set(places(whole(text)))
    for chosen in combinations(nodes_of(tree), count):
        extract = cut(tree, source, chosen)
        shown = set(places(extract))
        assert {place for place in shown - every if place[2] != "Pass()"} == set(), extract.text
        starts = {(node.lineno, source.characters(start_of(node))) for node in chosen}
        assert {place for place in every if place[:2] in starts} <= shown, extract.text
        assert find(extract, []) == [], extract.text


def test_blocks_that_nobody_wants_become_empty() -> None:
    text = "import a\n\nclass B:\n    # c\n    x = 1\n\n    def f(self):\n        if y:\n            z()\n        w()\n"
    tree, source = ast.parse(text), SourceLines.of(text)
    (wanted,) = (node for node in nodes_of(tree) if isinstance(node, ast.If))
    extract = cut(tree, source, [wanted])
    assert extract.text == "class B:\n    def f(self):\n        if y:\n            pass\n"
    assert extract.lines == (3, 7, 8, 9)


def test_long_chain_of_elif_becomes_short() -> None:
    text = (
        "if x == 0:\n    y\n" + "".join(f"elif x == {n}:\n    y\n" for n in range(1, 1500)) + "else:\n    z\n"
    )
    tree, source = ast.parse(text), SourceLines.of(text)
    extract = cut(tree, source, [path_to(tree, source, start_of(last))[-1] for last in [last_of(tree)]])
    assert extract.text == "if x == 0:\n    pass\nelse:\n    z\n"
    assert extract.lines == (1, 2, 3001, 3002)


def last_of(tree: ast.Module) -> ast.stmt:
    (node,) = tree.body
    while isinstance(node, ast.If):
        node = node.orelse[0]
    return node


def test_nothing_begins_where_no_statement_does() -> None:
    text = "class A:\n    x = f(1)\n"
    tree, source = ast.parse(text), SourceLines.of(text)
    for place in [(1, 2), (2, 0), (2, 8), (3, 0), (9, 0)]:
        assert path_to(tree, source, source.point(*place)) == ()


def installed_files(package: str, count: int) -> list[Path]:
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None
    files = sorted(Path(spec.origin).parent.rglob("*.py"))
    return random.Random(package).sample(
        [path for path in files if 500 < path.stat().st_size < 20_000], count
    )


@pytest.mark.parametrize("package", ["flake8", "_pytest", "libcst"])
def test_extracts_of_real_files_give_what_the_files_give(package: str) -> None:
    kinds: list[tuple[Kind, ...]] = [
        ("statement",),
        ("call", "statement"),
        ("handler", "condition", "statement"),
    ]
    chance = random.Random(package)
    for path in installed_files(package, 12):
        text = decode(path.read_bytes())
        tree, source = ast.parse(text), SourceLines.of(text)
        chosen = chance.sample(nodes := nodes_of(tree), min(len(nodes), 10))
        candidates = [candidate_at(tree, source, node, Node(chance.choice(kinds))) for node in chosen]
        found = find(cut(tree, source, chosen), candidates)
        assert found is not None and None not in found, path
        assert found == find(whole(text), candidates), path
        for node, candidate, end in zip(chosen, candidates, found):
            if candidate.node == Node(("statement",)) and not hasattr(node, "body") and end is not None:
                assert source.point(end.line, end.col) == end_of(node), path


def candidate_at(tree: ast.Module, source: SourceLines, statement: ast.AST, node: Node) -> Candidate:
    start = start_of(statement)
    return Candidate(scope_of(path_to(tree, source, start)), start.line, source.characters(start), node)
