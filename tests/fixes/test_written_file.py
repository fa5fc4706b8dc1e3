"""A file that is replaced is whole at any time, and edits leave all other bytes as they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flake8_ckpt.findings import Edit
from flake8_ckpt.findings import Position
from flake8_ckpt.fixes.file_text import FileText
from flake8_ckpt.fixes.file_text import overlaps
from flake8_ckpt.fixes.fixed_text import UNSAFE
from flake8_ckpt.fixes.fixed_text import fix_text
from flake8_ckpt.fixes.written_file import Left
from flake8_ckpt.fixes.written_file import replace_content
from flake8_ckpt.source.text import Unreadable
from tests.front_end import CLEAN
from tests.front_end import NORMALIZER
from tests.front_end import run
from tests.rule_cases import lint

KILLED = 100
# Forks children that replace a file over and over, and kills each at some moment. Forking is done here, and not in
# the process of the tests, which has threads.
KILL = """\
import os
import random
import signal
import sys
import time
from pathlib import Path

from flake8_ckpt.fixes.written_file import replace_content

path, contents = Path(sys.argv[1]), (b"a" * 300_000, b"b" * 300_000)
path.write_bytes(contents[0])
random.seed(5)
seen = set()
for _ in range(int(sys.argv[2])):
    child = os.fork()
    while child == 0:
        old = path.read_bytes()
        replace_content(path, old, contents[old == contents[0]])
    while not seen and path.read_bytes() == contents[0]:
        time.sleep(0.001)
    time.sleep(random.uniform(0, 0.004))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found = path.read_bytes()
    assert found in contents, "half-written"
    seen.add(found)
print("whole")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")
def test_killed_process_leaves_the_file_whole(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", KILL, str(tmp_path / "a.py"), str(KILLED))
    assert (done.out, done.code) == ("whole\n", 0), done.err


def test_file_that_has_changed_meanwhile_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"theirs")
    with pytest.raises(Left, match="has changed since it was checked"):
        replace_content(path, b"ours", b"new")
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"theirs", ["a.py"])


def test_edits_that_overlap() -> None:
    first = Edit(Position(1, 2, 1, 8), "x")
    assert overlaps(Edit(Position(1, 7, 1, 9), "y"), [first])
    assert overlaps(Edit(Position(1, 2, 1, 8), "y"), [first])
    assert not overlaps(first, [first])
    assert not overlaps(Edit(Position(1, 8, 1, 9), "y"), [first])
    assert not overlaps(Edit(Position(1, 2, 1, 2), "y"), [Edit(Position(1, 2, 1, 2), "z")])


LATIN = "# -*- coding: latin-1 -*-\n# Gr\xf6\xdfe\n" + NORMALIZER
BYTES = {
    "utf-8 with a byte order mark": b"\xef\xbb\xbf" + NORMALIZER.encode(),
    "carriage returns": NORMALIZER.replace("\n", "\r\n").encode(),
    "old carriage returns": NORMALIZER.replace("\n", "\r").encode(),
    "no newline at the end": NORMALIZER.rstrip("\n").encode(),
    "another encoding": LATIN.encode("latin-1"),
    "tabs and blanks at the ends of lines": NORMALIZER.replace("    ", "\t").replace(":\n", ":  \n").encode(),
    "a form feed": NORMALIZER.replace("\n\n\n", "\n\x0c\n\n").encode(),
    "newlines of two kinds": NORMALIZER.replace("\n", "\r\n", 5).encode(),
    "wide characters": NORMALIZER.replace("size: int", "gr\xf6\xdfe: int")
    .replace("(size)", "(gr\xf6\xdfe)")
    .encode(),
}


@pytest.mark.parametrize("data", BYTES.values(), ids=[key.replace(" ", "-") for key in BYTES])
def test_all_but_the_edit_stays(data: bytes) -> None:
    text = FileText.of(data)
    plain = text.raw.replace("\r\n", "\n").replace("\r", "\n")
    done = fix_text(data, lint(plain), allowed=UNSAFE)
    assert (done.refused, len(done.applied)) == ("", 1)
    new = FileText.of(done.data)
    assert new.encoding == text.encoding
    before, after = text.raw.split("self.mean = torch.zeros", 1)
    assert new.raw == before + 'self.register_buffer("mean", torch.zeros' + after.replace(")", "))", 1)


def test_clean_file_stays_byte_for_byte() -> None:
    assert fix_text(CLEAN.encode(), []).data == CLEAN.encode()


def test_line_below_the_last_one_without_a_newline() -> None:
    text = FileText.of(b"a = 1\r\nb = 2")
    assert text.edited([Edit(Position(3, 0, 3, 0), "c = 3\n")]) == "a = 1\r\nb = 2\r\nc = 3"
    assert FileText.of(b"a = 1\n").edited([Edit(Position(2, 0, 2, 0), "c = 3\n")]) == "a = 1\nc = 3\n"


def test_character_that_the_encoding_lacks() -> None:
    text = FileText.of(b"# coding: latin-1\n")
    with pytest.raises(Unreadable, match="cannot hold"):
        text.encoded("\u20ac")


def test_change_that_would_not_parse_is_refused() -> None:
    (finding,) = lint(NORMALIZER)
    broken = NORMALIZER.replace("self.mean = torch.zeros(size)", "self.mean = torch.zeros(size").encode()
    done = fix_text(broken, [finding], allowed=UNSAFE)
    assert (done.data, len(done.applied)) == (broken, 0)
