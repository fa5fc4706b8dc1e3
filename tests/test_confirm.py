"""libcst finds the node of each candidate: what counts as which kind, where its range ends, and what it cannot bear."""

from __future__ import annotations

import os
from pathlib import Path

import libcst
import pytest

from flake8_ckpt.confirm.confirmation import confirm
from flake8_ckpt.engine import analyze
from flake8_ckpt.engine import check
from flake8_ckpt.engine import findings_in
from flake8_ckpt.engine import replace_file
from flake8_ckpt.findings import Confirmed
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Kind
from flake8_ckpt.findings import Node
from flake8_ckpt.findings import Position
from flake8_ckpt.options import Options
from flake8_ckpt.source.text import decode
from flake8_ckpt.source.text import parse
from tests.front_end import NORMALIZER
from tests.front_end import both
from tests.front_end import check as run_check
from tests.front_end import findings
from tests.front_end import write

OPTIONS = Options(no_cache=True)
METHOD = "class A(B):\n    def f(self, x):\n        "
CLASS = "class A(B):\n    "

# A statement, what is sought at its beginning, and the text from there to the end of what is found.
FOUND: dict[str, tuple[str, tuple[Kind, ...], str, str]] = {
    "assignment": ("self.x = f(1); y = 2", ("attribute",), "x", "self.x = f(1)"),
    "annotated assignment": ("self.x: T = 1", ("attribute",), "x", "self.x: T = 1"),
    "augmented assignment": ("self.x += 1", ("attribute",), "x", "self.x += 1"),
    "one of several targets": (
        "y = (self.a, [*self.x]) = z",
        ("attribute",),
        "x",
        "y = (self.a, [*self.x]) = z",
    ),
    "loop target": ("for self.x in y: pass", ("attribute",), "x", "for self.x"),
    "with target": ("with y as (a, self.x): pass", ("attribute",), "x", "with y as (a, self.x"),
    "assignment over lines": ("self.x = f(\n1)", ("attribute",), "x", "self.x = f(\n1)"),
    "setattr": ("y = setattr(self, 'x', 1), 2", ("attribute",), "x", "y = setattr(self, 'x', 1)"),
    "setattr of a computed name": ("setattr(self, name, 1)", ("attribute",), "x", "setattr(self, name, 1)"),
    "dict of the object": ("self.__dict__['x'] = 1", ("attribute",), "x", "self.__dict__['x'] = 1"),
    "registration": (
        "self.register_buffer('x', f(1)).y",
        ("attribute", "registration"),
        "x",
        "self.register_buffer('x', f(1))",
    ),
    "registration by keyword": (
        "self.register_buffer(tensor=y, name='x')",
        ("registration",),
        "x",
        "self.register_buffer(tensor=y, name='x')",
    ),
    "item": ("self.x.data[0] = y", ("mutation",), "x", "self.x.data[0] = y"),
    "item of a tuple": ("self.x[0], y = z", ("mutation",), "x", "self.x[0], y = z"),
    "deleted item": ("del self.x[0]", ("mutation",), "x", "del self.x[0]"),
    "growth": ("y = self.x.append(1) or 2", ("mutation",), "x", "y = self.x.append(1)"),
    "call in place": ("self.x[0].t().mul_(2)", ("mutation",), "x", "self.x[0].t().mul_(2)"),
    "call on an attribute": ("nn.init.zeros_(self.x)", ("mutation",), "x", "nn.init.zeros_(self.x)"),
    "call": ("return g(self.save(h(1)), 2)", ("call",), "save", "return g(self.save(h(1))"),
    "any call": ("return g(self.save(h(1)), 2)", ("call",), "", "return g(self.save(h(1)), 2)"),
    "call in a heading": ("for y in load(x) : g()", ("call",), "", "for y in load(x)"),
    "definition": ("def g(a,\n  b) -> c :\n            pass", ("definition",), "g", "def g(a,\n  b) -> c :"),
    "decorated definition": ("@d()\n        async def g(): pass", ("definition",), "g", "async def g():"),
    "class": ("class C: x = 1", ("definition",), "C", "class C:"),
    "handler": ("try: pass\n        except(E): pass", ("handler",), "", "except"),
    "condition": ("if(x): y", ("condition",), "", "if"),
    "elif": ("if x: y\n        elif z: y", ("condition",), "", "elif"),
    "import": ("import a.b, c as x; y", ("import",), "x", "import a.b, c as x"),
    "import from": ("from a import (b as x,\n c)", ("import",), "c", "from a import (b as x,\n c)"),
    "statement": ("return (\nx) ; y", ("statement",), "", "return (\nx)"),
    "statement with a block": ("with x as y : # c\n            z", ("statement",), "", "with x as y :"),
    "match": ("match x :\n            case 1: pass", ("statement",), "", "match x :"),
    "the first kind that fits": (
        "self.x.y(1, 2).z",
        ("attribute", "call", "statement"),
        "y",
        "self.x.y(1, 2)",
    ),
    "columns in characters": ("é.ü('ö', self.x, 1).z", ("mutation",), "x", "é.ü('ö', self.x, 1)"),
}
NOT_FOUND: dict[str, tuple[str, Kind, str]] = {
    "another attribute": ("self.y = self.x", "attribute", "x"),
    "a setattr of another name": ("setattr(self, 'y', x)", "attribute", "x"),
    "a registration of another name": ("self.register_buffer('y', x)", "registration", "x"),
    "the attribute is only read": ("self.y[0] = self.x", "mutation", "x"),
    "another call": ("load(x)", "call", "save"),
    "a call in the block": ("if x: save(y)", "call", "save"),
    "a call in another clause": ("if x: y\n        elif save(y): z", "call", "save"),
    "another definition": ("def f(): pass", "definition", "g"),
    "no handler": ("try: pass\n        finally: pass", "handler", ""),
    "no condition": ("while x: pass", "condition", ""),
    "another import": ("import x.y", "import", "y"),
    "a star": ("from x import *", "import", "y"),
}


def finding(text: str, line: int, col: int, node: Node) -> Finding:
    return Finding("a.py", Position(line, col, line, col + 1), "CKP199", "lost", node=node)


def confirmed(text: str, *sought: Finding) -> Confirmed:
    tree, read = parse(text)
    return confirm(read, tree, sought)


def start_in(text: str, statement: str, shown: str) -> tuple[int, int]:
    """Return the line and column where what is shown begins in a statement that ends the text."""
    before = text[: len(text) - len(statement) - 1 + statement.index(shown)]
    return before.count("\n") + 1, len(before) - before.rfind("\n") - 1


def text_at(text: str, position: Position) -> str:
    lines = text.splitlines(keepends=True)[position.line - 1 : position.end_line]
    lines[-1] = lines[-1][: position.end_col]
    return "".join(lines)[position.col :]


@pytest.mark.parametrize(
    "statement, kinds, name, shown", FOUND.values(), ids=[key.replace(" ", "-") for key in FOUND]
)
def test_range_of_a_node(statement: str, kinds: tuple[Kind, ...], name: str, shown: str) -> None:
    text = f"{METHOD}{statement}\n"
    line, col = start_in(text, statement, shown)
    (found,) = confirmed(text, finding(text, line, col, Node(kinds, name))).findings
    assert text_at(text, found.position) == shown
    assert (found.position.line, found.position.col) == (line, col)
    assert found.exact and found.class_name == "A"


@pytest.mark.parametrize(
    "statement, kind, name", NOT_FOUND.values(), ids=[key.replace(" ", "-") for key in NOT_FOUND]
)
def test_node_that_is_not_there(statement: str, kind: Kind, name: str) -> None:
    text = f"{METHOD}{statement}\n"
    result = confirmed(text, finding(text, 3, 8, Node((kind,), name)))
    assert (result.findings, [each.code for each in result.lost]) == ((), ["CKP199"])


@pytest.mark.parametrize("statement", ["x = f(1)", "x: T = f(1)", "(x := f(1))", "(x) = y = f(1)"])
def test_attribute_of_a_class_body(statement: str) -> None:
    text = f"{CLASS}if y:\n        {statement}\n"
    (found,) = confirmed(text, finding(text, 3, 8, Node(("attribute",), "x"))).findings
    assert text_at(text, found.position) == statement.removesuffix(")") + ")" * statement.endswith("1)")


def test_where_no_statement_begins() -> None:
    text = f"{METHOD}y = f(1)\n"
    places = [(3, 12), (2, 0), (4, 0), (9, 3)]
    result = confirmed(text, *(finding(text, *place, Node(("statement",))) for place in places))
    assert (result.findings, len(result.lost)) == ((), 4)


def test_finding_that_names_no_node_stays_as_it_is() -> None:
    top = finding("", 1, 0, Node())
    assert confirmed("x = 1\n", top) == Confirmed((top,))


def test_class_is_the_innermost_around_the_statement() -> None:
    text = "def make():\n    class A:\n        def f(self):\n            def g():\n                x\n    y\n"
    five, six, two = confirmed(
        text, *(finding(text, *place, Node(("statement",))) for place in [(5, 16), (6, 4), (2, 4)])
    ).findings
    assert (five.class_name, six.class_name, two.class_name) == ("make.A", "", "")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"class A:\r\n\tx = [\r\n\t1]\r\n", id="line breaks of Windows"),
        pytest.param("\ufeffclass A:\n\tx = [\n\t1]\n".encode(), id="byte order mark"),
        pytest.param(
            "# coding: latin-1\nclass A: # é\n\tx = [\n\t1]\n".encode("latin-1"), id="another encoding"
        ),
        pytest.param(b"class A:\n\t'''\n\x0c'''\n\x0c\tx = [\n\x0c1]\n", id="form feeds"),
    ],
)
def test_bytes_of_any_file(data: bytes) -> None:
    text = decode(data)
    line = text[: text.index("x =")].count("\n") + 1
    col = text.split("\n")[line - 1].index("x")
    (found,) = confirmed(text, finding(text, line, col, Node(("attribute",), "x"))).findings
    assert found.position == Position(line, col, line + 1, 3)


DEEP = {
    "calls": "y" + ".a()" * 3000,
    "brackets": "[" * 150 + "]" * 150,
    "sums": " + ".join("y" * 3000),
    "strings side by side": " ".join(["'a'"] * 3000),
    "alternatives": " or ".join("y" * 3000),
    "an f-string": f"f'{{y{'.a()' * 3000}}}'",
    "loops in one list": "[y" + " for y in z" * 150 + "]",
}


@pytest.mark.parametrize("expression", DEEP.values(), ids=[key.replace(" ", "-") for key in DEEP])
@pytest.mark.parametrize("statement", ["self.x = {}", "z; self.x = {}", "if {}: self.x = 1"])
def test_deep_statement_keeps_its_range(expression: str, statement: str) -> None:
    written = statement.format(expression)
    text = f"{METHOD}{written}\n        self.y = 1\n"
    start = (3, 8 + written.index("self"))
    deep, other = (
        finding(text, *place, Node(("attribute",), name)) for place, name in [(start, "x"), ((4, 8), "y")]
    )
    result = confirmed(text, deep, other)
    assert result.lost == ()
    assert {each.node.name: each.exact for each in result.findings} == {"x": False, "y": True}
    (kept,) = (each for each in result.findings if not each.exact)
    assert (kept.position, kept.class_name) == (deep.position, "A")


def test_long_statement_that_is_not_deep() -> None:
    text = f"{METHOD}self.x = {{{', '.join(f'{n!r}: {str(n)!r}' for n in range(500))}}}\n"
    (found,) = confirmed(text, finding(text, 3, 8, Node(("attribute",), "x"))).findings
    assert found.exact and text_at(text, found.position).endswith("}")


def test_each_branch_of_a_chain_of_hundreds() -> None:
    text = "if x == 0:\n    y = 0\n" + "".join(f"elif x == {n}:\n    y = {n}\n" for n in range(1, 300))
    every = [finding(text, line, 4, Node(("attribute",), "y")) for line in range(2, 601, 2)]
    result = confirmed(text, *every)
    assert (len(result.findings), result.lost) == (300, ())
    assert all(each.exact for each in result.findings)


def test_what_libcst_does_not_give_back_keeps_its_range() -> None:
    text = f"{METHOD}try: x\n        except (E) : y = 1\n        z = 2\n"
    places: list[tuple[tuple[int, int], Kind]] = [
        ((4, 8), "handler"),
        ((4, 21), "statement"),
        ((5, 8), "statement"),
    ]
    result = confirmed(text, *(finding(text, *place, Node((kind,))) for place, kind in places))
    assert result.lost == ()
    assert sorted((each.position.line, each.exact) for each in result.findings) == [
        (4, False),
        (4, False),
        (5, True),
    ]


class Panic(BaseException):
    """As the parser of libcst raises."""


def test_what_libcst_cannot_read_is_lost_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    parse_module = libcst.parse_module

    def parse_or_panic(text: str) -> libcst.Module:
        if "panic" in text:
            raise Panic
        return parse_module(text)

    monkeypatch.setattr(libcst, "parse_module", parse_or_panic)
    text = f"{METHOD}panic = 1\n        self.y = 2\n"
    result = confirmed(text, *(finding(text, line, 8, Node(("statement",))) for line in (3, 4)))
    assert [each.position.line for each in result.findings] == [4]
    assert [each.position.line for each in result.lost] == [3]


def test_unsaved_text_is_read_where_it_is(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "# nothing\n"})
    unsaved = NORMALIZER.encode()
    (found,) = check(tmp_path, OPTIONS, replaced={"a.py": unsaved})
    assert found.exact
    replaced = replace_file(analyze(tmp_path, OPTIONS), OPTIONS, "a.py", unsaved)
    assert findings_in(replaced, "a.py").findings == (found,)


def test_file_that_has_changed_since_keeps_its_ranges(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": NORMALIZER, "b.py": NORMALIZER})
    found = analyze(tmp_path, OPTIONS)
    write(tmp_path, {"a.py": f"\n{NORMALIZER}"})
    (tmp_path / "b.py").unlink()
    for path in ("a.py", "b.py"):
        (kept,) = findings_in(found, path).findings
        assert (kept.position, kept.exact) == (Position(8, 8, 8, 37), False)


def test_json_names_class_and_attribute(tmp_path: Path) -> None:
    (lost,) = findings(write(tmp_path, {"a.py": NORMALIZER}))
    assert (lost["class"], lost["attribute"]) == ("Normalizer", "mean")
    (broken,) = findings(write(tmp_path, {"a.py": "def f(:\n"}))
    assert (broken["class"], broken["attribute"]) == (None, None)


# A rule that is wrong about what stands in the first line.
WRONG_RULE = '''\
"""A rule that is wrong."""

from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Node
from flake8_ckpt.findings import Position
from flake8_ckpt.rules.base import Rule


def find(project):
    yield Finding("a.py", Position(1, 0, 1, 1), "CKP199", "lost", node=Node(("call", "mutation"), "save"))


RULE = Rule(__name__, "CKP199", find)
'''
# Python runs this at its start.
MORE_RULES = "import flake8_ckpt.rules\n\nflake8_ckpt.rules.__path__.append({folder!r})\n"
NOTE = (
    "flake8-ckpt: note: a.py:1 CKP199 is not reported, because no call or mutation was found there:"
    " please report this to flake8-ckpt\n"
)


def test_candidate_whose_node_is_not_there_is_no_finding(tmp_path: Path) -> None:
    project = write(tmp_path / "project", {"a.py": "x = 1\n"})
    rules = write(tmp_path / "rules", {"wrong_rule.py": WRONG_RULE})
    start = write(tmp_path / "start", {"sitecustomize.py": MORE_RULES.format(folder=str(rules))})
    env = {"PYTHONPATH": os.pathsep.join([str(start), *filter(None, [os.environ.get("PYTHONPATH")])])}
    assert both(project, env=env).out == ""
    assert run_check(project, "-v", env=env).err.endswith(f"\n{NOTE}")
