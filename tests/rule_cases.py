"""The helpers that carry all rule tests: a small project in, the marked findings out.

A case is one source, or a dict of path to source. A trailing comment says what is expected
on its line: `# CKP101`, or `# CKP101 CKP105`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Optional
from typing import Union

import pytest

from flake8_ckpt.checking import active_checks
from flake8_ckpt.confirm.confirmation import confirm
from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.facts.model import FileFacts
from flake8_ckpt.findings import Finding
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import all_rules
from flake8_ckpt.source.text import parse

Case = Union[str, Mapping[str, str]]
Line = tuple[str, int, str]
MARKER = re.compile(r"#((?: CKP\d{3})+)$", re.MULTILINE)
TORCH = "import torch\nfrom torch import nn\n"


def cases(table: Mapping[str, Case]) -> pytest.MarkDecorator:
    """Parametrize a test with a table of cases, whose keys say why each is as it is."""
    return pytest.mark.parametrize("case", table.values(), ids=[key.replace(" ", "-") for key in table])


def check_silent(case: Case, *, enable: Collection[str] = ()) -> None:
    """Assert that no rule reports anything in sources that are right."""
    assert not _marked(_files(case)), "a silent case holds a marker"
    assert _lines(lint(case, enable=enable)) == []


def check_findings(case: Case, *, enable: Collection[str] = ()) -> list[Finding]:
    """Assert that the findings are those that the markers name, and return them."""
    marked = _marked(_files(case))
    assert marked, "a case with findings holds no marker"
    findings = lint(case, enable=enable)
    assert _lines(findings) == marked
    return findings


def lint(case: Case, *, enable: Collection[str] = ()) -> list[Finding]:
    """Run the rules on a small project; `enable` names opt-in codes, or holds "ALL"."""
    sources = _files(case)
    files = {path: collect_file(source.encode()) for path, source in sources.items()}
    assert {path: facts.error for path, facts in files.items() if facts.error} == {}
    candidates = _asked(files, None, enable)
    for path in sources if len(sources) > 1 else ():
        alone = [finding for finding in candidates if finding.path == path]
        assert _asked(files, [path], enable) == alone, "another answer where only this file is asked about"
    return sorted(exact for path, source in sources.items() for exact in _confirmed(path, source, candidates))


def _asked(
    files: Mapping[str, FileFacts], about: Optional[Collection[str]], enable: Collection[str]
) -> list[Finding]:
    project = Project(files, about=about)
    checks = active_checks(all_rules(), tuple(enable))
    return sorted(finding for _, check in checks for finding in check(project))


def _confirmed(path: str, source: str, candidates: Collection[Finding]) -> Sequence[Finding]:
    """Return the findings of a file as libcst finds them, and assert that it finds every one."""
    named = [finding for finding in candidates if finding.path == path]
    assert all(finding.node.kinds for finding in named), "a rule does not say what stands there"
    tree, text = parse(source)
    confirmed = confirm(text, tree, named)
    assert confirmed.lost == ()
    assert all(finding.exact for finding in confirmed.findings)
    return confirmed.findings


def _files(case: Case) -> Mapping[str, str]:
    return {"model.py": case} if isinstance(case, str) else case


def _marked(files: Mapping[str, str]) -> list[Line]:
    return sorted(
        (path, number, code)
        for path, source in files.items()
        for number, line in enumerate(source.splitlines(), start=1)
        for codes in MARKER.findall(line)
        for code in codes.split()
    )


def _lines(findings: list[Finding]) -> list[Line]:
    return sorted((finding.path, finding.position.line, finding.code) for finding in findings)
