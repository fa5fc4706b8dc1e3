"""Keep the pages equal to what they tell of: `python -m tests.docs --check` or `--write`.

That is the table of rules, and the outputs in the README, the tutorial, the lessons and the page of the formats.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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


def main(arguments: list[str], pages: Mapping[Path, Callable[[str], str]]) -> int:
    """Rewrite the pages, or say whether they are as they should be; return an exit code."""
    if arguments not in (["--check"], ["--write"]):
        print("usage: python -m tests.docs --check | --write")
        return 2
    stale = False
    texts = [page.read_text(encoding="utf-8") for page in pages]
    # The commands on the pages are processes of their own, so two threads keep two cores busy.
    with ThreadPoolExecutor(2) as threads:
        renewed = list(threads.map(lambda renew, text: renew(text), pages.values(), texts))
    for page, text, wanted in zip(pages, texts, renewed):
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


def table() -> str:
    """Return all rules as a Markdown table."""
    rows = ["| code | name | default | what is wrong |", "|---|---|---|---|", *map(_row, all_rules())]
    return "".join(f"{row}\n" for row in rows)


def _row(rule: Rule) -> str:
    return f"| {rule.code} | {rule.name} | {default_of(rule)} | {rule.summary} |"


EXECUTED = (README, TUTORIAL, FORMATS, *sorted((ROOT / "docs" / "lessons").glob("*.md")))
PAGES = {**dict.fromkeys(EXECUTED, with_outputs), RULES: with_table}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], PAGES))
