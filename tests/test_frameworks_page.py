"""docs/frameworks.md: its example does what the page says, and it names every table and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flake8_ckpt.frameworks.records import TABLES
from tests.front_end import both
from tests.front_end import write

PAGE = Path(__file__).parent.parent / "docs" / "frameworks.md"
TEXT = PAGE.read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_is_ten_lines_at_most() -> None:
    assert len(block("toml").splitlines()) <= 10


def test_without_the_file_nothing_is_said(tmp_path: Path) -> None:
    write(tmp_path, {"acme.toml": block("toml"), "agent.py": block("python")})
    found = both(tmp_path, "agent.py", "--select=CKP")
    assert (found.code, found.out) == (0, "")


def test_with_the_file_the_page_says_what_is_found(tmp_path: Path) -> None:
    files = {"acme.toml": block("toml"), "agent.py": block("python"), "setup.cfg": block("ini")}
    found = both(write(tmp_path, files), "agent.py", "--select=CKP")
    assert found.out == block("text")
    assert found.code == 1


def test_what_the_file_says_is_in_the_key_of_the_cache(tmp_path: Path) -> None:
    write(tmp_path, {"acme.toml": block("toml"), "agent.py": block("python")})
    for _ in range(2):
        assert both(tmp_path, "agent.py", "--select=CKP").out == ""
        assert both(tmp_path, "agent.py", "--select=CKP", "--ckpt-frameworks=acme.toml").out == block("text")
    write(tmp_path, {"acme.toml": "# nothing\n"})
    assert both(tmp_path, "agent.py", "--select=CKP", "--ckpt-frameworks=acme.toml").out == ""


@pytest.mark.parametrize("table", TABLES)
def test_the_page_names_every_table_and_key(table: str) -> None:
    tables = TEXT[TEXT.index("## The tables") :]
    named = set(re.findall(r"`(\w+)`", tables))
    assert {table, *TABLES[table].__struct_fields__} <= named


def test_own_hint_tells_a_normalizer(tmp_path: Path) -> None:
    agent = block("python")
    for name, instead in (("write_snapshot", "torch.save"), ("read_snapshot", "torch.load")):
        agent = agent.replace(f"from acme.io import {name}\n", "").replace(name, instead)
    own = "class Whitener:\n    def update(self, batch): ...\n\n    def __call__(self, batch): ...\n"
    files = {
        "acme.toml": '[[hint]]\nof = "class"\nsays = "normalizer"\npattern = "Whitener$"\n',
        "agent.py": agent.replace("from acme.data", "from whitening"),
        "whitening.py": own,
    }
    write(tmp_path, files)
    assert "CKP201" not in both(tmp_path, "agent.py", "--select=CKP").out
    told = both(tmp_path, "agent.py", "--select=CKP", "--ckpt-frameworks=acme.toml").out
    assert "CKP201 'whitener', which agent.py:25 restores, is not saved here" in told
