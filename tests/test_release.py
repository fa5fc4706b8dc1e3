"""What must be so for a release: one version everywhere, and nothing left out of the wheel."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

from flake8_ckpt import __version__

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "flake8_ckpt"


def test_pages_name_the_version_that_there_is() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    revisions = [
        each for page in pages for each in re.findall(r"^ *rev: (\S+)", page.read_text("utf-8"), re.MULTILINE)
    ]
    assert set(revisions) == {f"v{__version__}"}


def test_changelog_begins_with_the_version() -> None:
    heading = re.search(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert heading is not None
    assert re.fullmatch(rf"{re.escape(__version__)} \((unreleased|\d{{4}}-\d\d-\d\d)\)", heading[1])


def test_wheel_holds_every_file_of_the_package() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = setup["options.package_data"]["flake8_ckpt"].split()
    packed = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    data = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert data - packed == set()
    folders = {path.parent for path in PACKAGE.rglob("*.py")} - {path.parent for path in packed}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []
