"""The pages of the site that are no files: the README as the front page, and one page for each rule."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File
from mkdocs.structure.files import Files

from flake8_ckpt.rules.base import all_rules
from flake8_ckpt.teacher.pages import page_text

ROOT = Path(__file__).parent.parent


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        files.append(File.generated(config, name, content=_from_the_top(ROOT / name)))
    files.append(File.generated(config, "index.md", content=_from_the_top(ROOT / "README.md")))
    for rule in all_rules():
        files.append(File.generated(config, f"rules/{rule.name}.md", content=page_text(rule)))
    return files


def _from_the_top(path: Path) -> str:
    """Return a page that lies above `docs`, its links as they are from within."""
    return path.read_text(encoding="utf-8").replace("](docs/", "](")
