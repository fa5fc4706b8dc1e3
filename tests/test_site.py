"""The documentation site builds without a warning, and has the pages that findings link to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flake8_ckpt import addresses
from flake8_ckpt.rules.base import all_rules

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the site, built as strictly as mkdocs can."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def test_every_rule_has_the_page_that_reports_link_to(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "SITE", "https://example.org/")
    for rule in all_rules():
        page = addresses.page_of(rule.name).removeprefix("https://example.org/")
        text = (site / page / "index.html").read_text(encoding="utf-8")
        assert f"{rule.code} {rule.name}" in text


def test_front_page_leads_to_the_other_pages(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="rules/"' in text and 'href="configuration/"' in text and 'href="CONTRIBUTING/"' in text
