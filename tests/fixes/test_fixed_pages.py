"""The bad program of each page, once it is fixed, passes the assertions of the good one, under torch."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from flake8_ckpt.fixes.fixed_text import UNSAFE
from flake8_ckpt.fixes.fixed_text import fix_text
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import all_rules
from tests.front_end import run
from tests.rule_cases import lint

PROGRAM = re.compile(r"^## (?:Bad|Good)$\n+```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FIXED = "CKP101 CKP102 CKP103 CKP104 CKP105 CKP107 CKP111 CKP112 CKP202 CKP208 CKP216 CKP217".split()
# All programs in one process, because importing torch takes longer than they do.
RUN_ALL = """\
import json
import sys
import traceback

for name, program in json.load(sys.stdin).items():
    try:
        exec(compile(program, name, "exec"), {"__name__": "__main__"})
    except Exception:
        print(name, traceback.format_exc(limit=-1))
"""


def test_fixed_programs_do_what_the_good_ones_do(tmp_path: Path) -> None:
    programs = {rule.code: _merged(rule) for rule in all_rules() if rule.code in FIXED}
    assert sorted(programs) == FIXED
    done = run(tmp_path, "-W", "ignore", "-c", RUN_ALL, stdin=json.dumps(programs))
    assert (done.out, done.code) == ("", 0), done.err


def _merged(rule: Rule) -> str:
    """Return the good program with the functions and classes of the bad one as the fix leaves them."""
    bad, good = PROGRAM.findall(rule.page)
    fixed = fix_text(bad.encode(), lint(bad, enable=[rule.code]), allowed=UNSAFE)
    assert fixed.applied and not fixed.left, rule.code
    mended = {
        each.name: each
        for each in ast.parse(fixed.data).body
        if isinstance(each, (ast.ClassDef, ast.FunctionDef))
    }
    tree = ast.parse(good)
    tree.body = [mended.get(getattr(each, "name", ""), each) for each in tree.body]
    return ast.unparse(tree)
