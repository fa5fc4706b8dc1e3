"""Keep the pages equal to what they tell of: `python -m tests.docs --check` or `--write`.

That is the table of rules, and the outputs in the README, in the tutorial and on the page of the formats.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import all_rules
from flake8_ckpt.teacher.pages import default_of
from tests.tutorial import with_outputs

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
RULES = ROOT / "docs" / "rules.md"
TUTORIAL = ROOT / "docs" / "roundtrip.md"
FORMATS = ROOT / "docs" / "formats.md"
BEGIN = "<!-- rules: made by `python -m tests.docs --write` -->\n"
END = "<!-- end of rules -->\n"
# The program of the README's example, and each command with what it prints.
PROGRAM = re.compile(r"^```python\n# (?P<name>\S+)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(
    r"^(?P<line>\$ flake8-ckpt (?P<arguments>[^\n]+)\n).*?(?=^```$)", re.DOTALL | re.MULTILINE
)
EXAMPLE = "<!-- end of example -->\n"


def main(arguments: list[str], pages: Mapping[Path, Callable[[str], str]]) -> int:
    """Rewrite the pages, or say whether they are as they should be; return an exit code."""
    if arguments not in (["--check"], ["--write"]):
        print("usage: python -m tests.docs --check | --write")
        return 2
    stale = False
    for page, renew in pages.items():
        text = page.read_text(encoding="utf-8")
        wanted = renew(text)
        if arguments == ["--write"]:
            page.write_text(wanted, encoding="utf-8")
        elif text != wanted:
            print(f"{page.name}: not what the code says now: run python -m tests.docs --write")
            stale = True
    return int(stale)


def with_table(text: str) -> str:
    """Return the page with a fresh table between its two markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def with_example(text: str) -> str:
    """Return a page with what the commands of its example print now."""
    example, end, rest = text.partition(EXAMPLE)
    program = PROGRAM.search(example)
    if program is None:
        raise ValueError("the example has no program")
    with TemporaryDirectory() as folder:
        Path(folder, program["name"]).write_text(f"# {program['name']}\n{program['code']}", encoding="utf-8")
        Path(folder, "setup.cfg").touch()
        return (
            COMMAND.sub(lambda command: command["line"] + _output(folder, command["arguments"]), example)
            + end
            + rest
        )


def _output(folder: str, arguments: str) -> str:
    """Return what a command prints in a folder, both streams as a terminal shows them."""
    command = [sys.executable, "-m", "flake8_ckpt", *arguments.split()]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout


def table() -> str:
    """Return all rules as a Markdown table."""
    rows = ["| code | name | default | what is wrong |", "|---|---|---|---|", *map(_row, all_rules())]
    return "".join(f"{row}\n" for row in rows)


def _row(rule: Rule) -> str:
    return f"| {rule.code} | {rule.name} | {default_of(rule)} | {rule.summary} |"


PAGES = {README: with_example, FORMATS: with_example, RULES: with_table, TUTORIAL: with_outputs}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], PAGES))
