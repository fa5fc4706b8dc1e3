"""CKP001: files that Python itself could not read, and those that only look like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flake8_ckpt.engine import check as analyze
from flake8_ckpt.findings import Position
from flake8_ckpt.options import Options
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import both
from tests.front_end import check
from tests.front_end import flake8
from tests.front_end import flake8_without_plugins
from tests.front_end import write

LONG_SUM = "x = " + " + ".join(["1"] * 2000) + "\n"
# Files that Python can read: nothing at all is said of them.
SILENT = {
    "empty": b"",
    "blank": b"\n\n\t\n",
    "byte order mark alone": b"\xef\xbb\xbf",
    "CRLF": CLEAN.replace("\n", "\r\n").encode(),
    "byte order mark": b"\xef\xbb\xbf" + CLEAN.encode(),
    "no newline at the end": CLEAN.rstrip("\n").encode(),
    "other encoding": "# coding: cp1252\nx = '\x80'\n".encode("latin-1"),
    "form feeds": b"\x0c\nx = 1\n\x0c\n",
    "long sum": LONG_SUM.encode(),
}
# Files that Python cannot read: the command says CKP001, flake8 E902 or E999, or the same CKP001.
FOUND = {
    "syntax error": b"def f(:\n",
    "python 2": b"print 'hello'\n",
    "unfinished": b"x = (1,\n",
    "conflict markers": b"<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n",
    "bad indentation": b"if True:\n        x = 1\n    y = 2\n",
    "invalid UTF-8": b"x = '\xff\xfe'\n",
    "unknown encoding": b"# coding: nonsense\nx = 1\n",
    "two encodings": b"\xef\xbb\xbf# coding: latin-1\nx = 1\n",
    "UTF-16": "x = 1\n".encode("utf-16"),
    "NUL bytes": b"x = 1\n\0\0\n",
    "binary": bytes(range(256)) * 8,
    "deep parentheses": b"x = " + b"(" * 5000 + b")" * 5000 + b"\n",
    "deep blocks": b"".join(b" " * depth + b"if x:\n" for depth in range(200)) + b" " * 200 + b"x\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project with one finding in it."""
    return write(tmp_path / "project", {"good.py": NORMALIZER, "setup.cfg": ""})


def files(table: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{name.replace(' ', '_')}.py": data for name, data in table.items()}


def test_odd_but_readable_files(folder: Path) -> None:
    write(folder, files(SILENT))
    found = check(folder)
    assert (found.codes, found.err) == (["good.py CKP101"], "")
    other = flake8_without_plugins(folder, "--select=CKP")
    assert (other.out, other.err) == (found.out, "")


def test_unreadable_files_that_were_asked_about(folder: Path) -> None:
    write(folder, files(FOUND))
    found = check(folder)
    expected = ["good.py CKP101", *(f"{name} CKP001" for name in files(FOUND))]
    assert (sorted(found.codes), found.code, found.err) == (sorted(expected), 1, "")
    assert "good.py:8:9: CKP101" in flake8(folder, "--select=CKP,E9").out


def test_unreadable_files_of_which_nobody_asked(folder: Path) -> None:
    write(folder, files(FOUND))
    assert both(folder, "--select=CKP", "good.py").codes == ["good.py CKP101"]
    root, *noted = check(folder, "-v", "good.py").err.splitlines()
    assert root.startswith("flake8-ckpt: note: the project is ")
    assert [line.split(" ")[:3] for line in noted] == [
        ["flake8-ckpt:", "note:", name] for name in sorted(files(FOUND))
    ]


def test_syntax_error_is_at_its_line(tmp_path: Path) -> None:
    (finding,) = analyze(write(tmp_path, {"a.py": "x = 1\ndef f(:\n"}), Options(no_cache=True))
    assert (finding.code, finding.position) == ("CKP001", Position(2, 0, 2, 0))


@pytest.mark.parametrize(("name", "data"), files(FOUND).items(), ids=files(FOUND))
def test_unreadable_file_is_the_only_finding(tmp_path: Path, name: str, data: bytes) -> None:
    (finding,) = analyze(write(tmp_path, {name: data}), Options(no_cache=True))
    assert (finding.path, finding.code) == (name, "CKP001")
    assert finding.message.startswith("file ") and finding.message.endswith(": nothing in it was checked")


@pytest.mark.parametrize("data", [b"def f(:\n", b"x = 1\n\0\n", b"x = (1,\n"])
def test_unreadable_standard_input(folder: Path, data: bytes) -> None:
    found = check(folder, "--stdin-display-name=good.py", "-", stdin=data)
    assert (found.codes, found.code) == (["good.py CKP001"], 1)
    assert "CKP" not in flake8(folder, "--stdin-display-name=good.py", "-", stdin=data).out


def test_undecodable_standard_input(folder: Path) -> None:
    assert check(folder, "-", stdin=b"x = '\xff'\n").codes == ["stdin CKP001"]


@pytest.mark.parametrize("encoding", ["hex", "punycode", "undefined"])
def test_encoding_that_flake8_gives_up_on(folder: Path, encoding: str) -> None:
    write(folder, {"odd.py": f"# coding: {encoding}\nx = 1\n".encode()})
    assert check(folder).codes == ["good.py CKP101", "odd.py CKP001"]
