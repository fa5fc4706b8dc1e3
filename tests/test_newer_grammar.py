"""Grammar that is newer than the running Python: every statement stays where it stands in the file."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

import flake8_ckpt
from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.source.newer.grammar import older_grammar
from flake8_ckpt.source.newer.limits import obstacle
from flake8_ckpt.source.text import Parsed
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import parse
from tests.front_end import NORMALIZER
from tests.front_end import check
from tests.front_end import findings
from tests.front_end import write

RUNNING = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
PACKAGE = Path(flake8_ckpt.__file__).parent
# By what is newer: a text, and where each statement of it begins and ends.
CONSTRUCTS = {
    "a function with a type parameter": ("def f[T](x: T) -> T: return x\n", "1:0-1:29 1:21-1:29"),
    "type parameters with bounds": (
        "async def f[T: (int, str), *Ts, **P](x: T): x; x\n",
        "1:0-1:48 1:44-1:45 1:47-1:48",
    ),
    "type parameters with defaults": (
        "def f[T = int, *Ts = *tuple[int], **P = [int]](): pass\n",
        "1:0-1:54 1:50-1:54",
    ),
    "type parameters on lines of their own": (
        "def f[\n    T,  # of the items\n\n    U,\n](\n    x: T,\n): pass\n",
        "1:0-7:7 7:3-7:7",
    ),
    "a class with a type parameter": ("@a\nclass A[T](B[T], k=1):\n    x: T = 1\n", "2:0-3:12 3:4-3:12"),
    "a class with type parameters and without bases": (
        "class A[\n    T,\n\n    U\n]:\n    pass\n",
        "1:0-6:8 6:4-6:8",
    ),
    "a class with type parameters on lines and bases": (
        "class A[\n    T\n] (B): x = 1; y = 2\n",
        "1:0-3:19 3:7-3:12 3:14-3:19",
    ),
    "a type alias": ("x = 1; type Y = list[int]; z = 1\n", "1:0-1:5 1:7-1:25 1:27-1:32"),
    "a type alias with parameters": ("type Y[T: int] = list[T]\n", "1:0-1:24"),
    "a type alias with parameters on lines": (
        "type Y [\n\n    T\n] = (\n    T\n); x = 1\n",
        "1:0-6:1 6:3-6:8",
    ),
    "the quotes of an f-string in it": ('f(f"{a["b"]}{c["d"]:>{e["g"]}}"); x = 1\n', "1:0-1:32 1:34-1:39"),
    "triple quotes of an f-string in it": ('f(f"""{a["""b"""]}\n"""); x = 1\n', "1:0-2:4 2:6-2:11"),
    "an f-string in one in one": ('f(f"{f"{f"{a}"}"}"); x = 1\n', "1:0-1:19 1:21-1:26"),
    "a backslash in an f-string": ('x = f"{"\\n".join(a)}"; x = 1\n', "1:0-1:21 1:23-1:28"),
    "a comment in an f-string": ('x = f"""{\na  # why\n}"""; x = 1\n', "1:0-3:4 3:6-3:11"),
    "lines in an f-string": ("x = f'{\n    a[\n        0\n    ]\n}'; x = 1\n", "1:0-5:2 5:4-5:9"),
    "f-strings side by side": (
        'x = ("a" f"{b["c"]}"\n     # why\n     f\'{d}\' "e"); x = 1\n',
        "1:0-3:16 3:18-3:23",
    ),
    "neighbours that become a call": (
        'x = a if b else"c" f"{d["\\n"]}" f"{e}"; x = 1\n',
        "1:0-1:38 1:40-1:45",
    ),
    "a tuple in an f-string": ("x = f\"{*a, 'b\\n',}{c}\"; x = 1\n", "1:0-1:22 1:24-1:29"),
    "a t-string": ('x = t"{a}{b!r:>{c}}"; x = 1\n', "1:0-1:20 1:22-1:27"),
    "exceptions without parentheses": (
        "try: x\nexcept A, B: y\nexcept C, (D, E), F : z\nelse: w\n",
        "1:0-4:7 1:5-1:6 2:13-2:14 3:22-3:23 4:6-4:7",
    ),
    "groups without parentheses": (
        "try: x\nexcept* A, B: y\nexcept * C: z\n",
        "1:0-3:13 1:5-1:6 2:14-2:15 3:12-3:13",
    ),
    "spaces that libcst drops": (
        'try: f[A](f"{a!r }{"b"}"); type X = A\nexcept A, B : x; type Y[T] = A\n',
        "1:0-2:30 1:5-1:25 1:27-1:37 2:14-2:15 2:17-2:30",
    ),
    "lazy imports": ("lazy import a.b as c; x\nlazy from .a import b\n", "1:0-1:20 1:22-1:23 2:0-2:21"),
    "unpacking in comprehensions": (
        "x = [*a for a in b]; y = {*a for a in b}; z = {**a for a in b}; f(*a for a in b); w\n",
        "1:0-1:19 1:21-1:40 1:42-1:62 1:64-1:80 1:82-1:83",
    ),
    "a star in an index": ("x: A[*B] = 1; y = a[*b, 1]\n", "1:0-1:12 1:14-1:26"),
    "a star in an annotation": ("def f(*args: *Ts): pass\n", "1:0-1:23 1:19-1:23"),
}
# An f-string or t-string, and the names in it with their columns.
FILLED = {
    'f"{"\\n".join(ab)} {cd!r:{ef}}"': "ab 13 cd 19 ef 25",
    'f"{f"{f"{ab["x"]}{cd}"}"}"': "ab 9 cd 18",
    't"{ab}{cd:{ef}} {gh=}"': "ab 3 cd 7 ef 11 gh 17",
    't"{(ab)}{[cd, ef]}"': "ab 4 cd 10 ef 14",
}
DEEP = {
    "brackets": "x = " + "(" * 5000 + ")" * 5000,
    "brackets that stay open": "x = " + "[" * 5000,
    "brackets in a string": "x = " + "f'{(" * 5000,
    "strings in strings": "x = " + "f'{" * 5000 + "1" + "}'" * 5000,
    "formats in formats": "x = f'{a" + ":{a" * 5000 + "}" * 5000 + "}'",
    "brackets that strings seem to close": "x = " + "(f'{')'}', " * 5000 + ")" * 5000,
    "conditions": "x = " + "a or " * 20_000 + "b",
    "lambdas": "x = " + "lambda: " * 20_000 + "b",
    "branches": "if a:\n    pass\n" + "elif a:\n    pass\n" * 10_000,
    "calls": "x = a" + ".b()" * 5000,
}


def table(rows: dict[str, tuple[str, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("text", "places"), rows.values(), ids=[name.replace(" ", "-") for name in rows]
    )


def places_of(parsed: Parsed) -> str:
    """Return where the statements of a text begin and end, in their order; columns count characters."""
    lines = parsed.text.encode().split(b"\n")
    found = [node for node in ast.walk(parsed.tree) if isinstance(node, ast.stmt)]
    spans = []
    for node in found:
        end_line, end_offset = node.end_lineno or 0, node.end_col_offset or 0
        start = len(lines[node.lineno - 1][: node.col_offset].decode())
        spans.append((node.lineno, start, end_line, len(lines[end_line - 1][:end_offset].decode())))
    return " ".join("{}:{}-{}:{}".format(*span) for span in sorted(spans))


def moved(places: str, down: int, right: int) -> str:
    """Return places that stand some lines lower and some columns further right."""
    spans = [[tuple(map(int, end.split(":"))) for end in span.split("-")] for span in places.split()]
    return " ".join("-".join(f"{line + down}:{column + right}" for line, column in span) for span in spans)


def widths(text: str) -> list[int]:
    return [len(line) for line in text.split("\n")]


@table(CONSTRUCTS)
def test_statements_of_newer_grammar(text: str, places: str) -> None:
    parsed = parse(text)
    assert places_of(parsed) == places
    assert widths(parsed.text) == widths(text)


@table(CONSTRUCTS)
def test_newer_grammar_in_a_block(text: str, places: str) -> None:
    body = indent(f"é = 'é'; é\n{text}", " " * 8)
    parsed = parse(f"class A:\n    def f(self):\n{body}")
    assert places_of(parsed).endswith(f" {moved(places, 3, 8)}")
    assert widths(parsed.text) == widths(f"class A:\n    def f(self):\n{body}")


def test_all_newer_grammar_in_one_file() -> None:
    text = "".join(f"if x:\n{indent(text, '    ')}\n" for text, _ in CONSTRUCTS.values())
    parsed = parse(text)
    starts = [line for line, column in ((node.lineno, node.col_offset) for node in parsed.tree.body)]
    assert starts == [number for number, line in enumerate(text.split("\n"), 1) if line == "if x:"]
    assert widths(parsed.text) == widths(text)


@pytest.mark.parametrize(("text", "names"), FILLED.items())
def test_expressions_of_a_string_stay(text: str, names: str) -> None:
    older = older_grammar(text)
    nodes = [node for node in ast.walk(ast.parse(older)) if isinstance(node, ast.Name) and node.id != "_"]
    assert {node.id for node in nodes} == set(names.split()[::2])
    columns = [f"{name} {older.index(name)}" for name in names.split()[::2]]
    assert " ".join(columns) == names


def test_f_string_with_other_quotes_keeps_its_text() -> None:
    tree = parse('f"{root["runs"]}/{name["x"]}.pt" "é"\ntype X = int\n').tree
    string = tree.body[0]
    assert isinstance(string, ast.Expr) and isinstance(string.value, ast.JoinedStr)
    constants = [node.value for node in ast.walk(string) if isinstance(node, ast.Constant)]
    assert set(constants) == {"runs", "x", "/", ".pté"}


def test_strings_that_python_reads_are_left_alone() -> None:
    text = "type X = int\na = f'{b[\"c\"]}', 'type X', \"def f[T]()\", f'{{d}}'  # def f[T]()\n"
    assert parse(text).text.split("\n")[1] == text.split("\n")[1]


def test_a_text_that_python_reads_is_returned_as_it_is() -> None:
    text = "type = [1]\nprint(type [0])\nlazy = match = 1\n"
    assert parse(text).text is text


def test_caught_types_stay_a_tuple() -> None:
    tree = parse("try:\n    x\nexcept KeyError, a.Error:\n    y\n").tree
    handler = next(node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))
    assert ast.unparse(handler.type or handler) == "(KeyError, a.Error)"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1\ndef f(:\n", 2),
        ("x = (1,\n", 1),
        ("x = 1\nprint 'hello'\n", 2),
        ("def f():\n    x = 1\n  y = 2\n", 3),
        ("x = 1 +\n" + "def f[T](x): pass\n", 1),
        ("\n\nlazy from a import *\nx = = 1\n", 3),
    ],
)
def test_a_broken_text_names_the_python_and_its_line(text: str, line: int) -> None:
    with pytest.raises(Unreadable) as caught:
        parse(text)
    assert caught.value.line == line
    assert caught.value.reason.startswith(f"cannot be parsed by {RUNNING} (line {line}: ")


def test_a_rewritten_text_that_is_still_refused() -> None:
    with pytest.raises(Unreadable) as caught:
        parse("lazy import a\nx = 1\ny = b'é'\n")
    assert caught.value.line == 3
    assert caught.value.reason.startswith(f"cannot be parsed by {RUNNING} (line 3: bytes can only")


@pytest.mark.parametrize("text", DEEP.values(), ids=[name.replace(" ", "-") for name in DEEP])
def test_a_deep_text_never_reaches_libcst(text: str) -> None:
    assert obstacle(f"type X = int\n{text}\n") == "nested too deeply"
    with pytest.raises(Unreadable) as caught:
        parse(f"lazy import a\n{text}\n")
    assert caught.value.reason.endswith("; it is nested too deeply to be tried as newer Python)")


def test_a_large_text_never_reaches_libcst() -> None:
    with pytest.raises(Unreadable) as caught:
        parse("lazy import a\n" + "x = 1\n" * 200_000)
    assert caught.value.line == 1
    assert caught.value.reason.endswith("; it is too large to be tried as newer Python)")


def test_written_code_is_not_deep() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))]
    joined = "".join(texts) + "x = f\"{a['(']:({b}(}\" rf'\\{c}(' '(' \"\\\"(\" '''('(''' # (\n" * 200
    for text in (*texts, joined[-900_000:]):
        assert obstacle(text) == ""


def test_libcst_is_not_loaded_for_what_python_reads() -> None:
    code = "from flake8_ckpt.source.text import parse\nparse('x = 1')\nimport sys\nprint('libcst' in sys.modules)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


NEWER = """\
import torch
from torch import nn

lazy import json
type Array = torch.Tensor


class Normalizer[
    T: Array,
](nn.Module):
    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.label = f"{", ".join(names)}"
        self.mean = torch.zeros(len(names))

    def update[U](self, batch: T) -> None:
        self.mean = 0.9 * self.mean + 0.1 * batch.mean(0)

    def forward(self, batch: T) -> T:
        try:
            return batch - self.mean
        except TypeError, ValueError:
            raise ValueError(t"{batch} of {self.label["x"]}")
"""
REGISTERED = NEWER.replace(
    "self.mean = torch.zeros(len(names))", 'self.register_buffer("mean", torch.zeros(len(names)))'
)


def test_newer_grammar_that_is_right_is_silent(tmp_path: Path) -> None:
    write(tmp_path, {"model.py": REGISTERED, "setup.cfg": ""})
    found = check(tmp_path)
    assert (found.out, found.err, found.code) == ("", "", 0)


def test_finding_in_newer_grammar_stands_on_its_line(tmp_path: Path) -> None:
    write(tmp_path, {"model.py": NEWER, "setup.cfg": ""})
    found = check(tmp_path)
    assert found.out.removeprefix("./").startswith("model.py:14:9: CKP101 ")
    assert (len(found.out.splitlines()), found.err, found.code) == (1, "", 1)
    (finding,) = findings(tmp_path)
    assert (finding["line"], finding["column"], finding["end_line"], finding["end_column"]) == (14, 9, 14, 44)


def test_base_class_in_newer_grammar(tmp_path: Path) -> None:
    base = "from torch import nn\n\n\nclass Base[T](nn.Module):\n    pass\n\n\nlazy import json\n"
    model = NORMALIZER.replace("from torch import nn\n", "from base import Base\n").replace(
        "nn.Module", "Base"
    )
    write(tmp_path, {"base.py": base, "model.py": model, "setup.cfg": ""})
    assert check(tmp_path).codes == ["model.py CKP101"]


def test_broken_file_is_named_with_the_python(tmp_path: Path) -> None:
    write(tmp_path, {"model.py": f"{NEWER}x = 1 +\n", "setup.cfg": ""})
    found = check(tmp_path)
    assert found.codes == ["model.py CKP001"] and f"cannot be parsed by {RUNNING} (line 4: " in found.out


def test_facts_of_newer_grammar_are_those_of_its_twin() -> None:
    newer = """\
from torch import nn

class Policy[T](nn.Module):
    def save[U](self, folder: U) -> None:
        torch.save({"mean": self.mean, **self.extra}, f"{folder["runs"]}/last.pt")

    def load[U](self, folder: U) -> None:
        try: self.mean = torch.load(f"{folder["runs"]}/last.pt")["mean"]; return
        except KeyError, OSError: pass
"""
    twin = """\
from torch import nn

class Policy   (nn.Module):
    def save   (self, folder: U) -> None:
        torch.save({"mean": self.mean, **self.extra}, f"{folder['runs']}/last.pt")

    def load   (self, folder: U) -> None:
        try: self.mean = torch.load(f"{folder['runs']}/last.pt")["mean"]; return
        except(KeyError,OSError): pass
"""
    facts = collect_file(newer.encode())
    assert facts == collect_file(twin.encode())
    assert [method.name for method in facts.classes[0].methods] == ["save", "load"]
