"""Keep the README's table of rules equal to the pages: `python -m tests.docs --check` or `--write`."""

from __future__ import annotations

import sys
from pathlib import Path

from flake8_ckpt.handbook import default_of
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import all_rules

README = Path(__file__).parent.parent / "README.md"
BEGIN = "<!-- rules: made by `python -m tests.docs --write` -->\n"
END = "<!-- end of rules -->\n"


def main(arguments: list[str]) -> int:
    """Rewrite the README, or say whether it is as it should be; return an exit code."""
    text = README.read_text(encoding="utf-8")
    wanted = with_table(text)
    if arguments == ["--write"]:
        README.write_text(wanted, encoding="utf-8")
    elif arguments != ["--check"]:
        print("usage: python -m tests.docs --check | --write")
        return 2
    elif text != wanted:
        print("README.md: the table of rules is not that of the pages: run python -m tests.docs --write")
        return 1
    return 0


def with_table(text: str) -> str:
    """Return the README with a fresh table between its two markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def table() -> str:
    """Return all rules as a Markdown table."""
    rows = ["| code | name | default | what is wrong |", "|---|---|---|---|", *map(_row, all_rules())]
    return "".join(f"{row}\n" for row in rows)


def _row(rule: Rule) -> str:
    return f"| {rule.code} | {rule.name} | {default_of(rule)} | {rule.summary} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
