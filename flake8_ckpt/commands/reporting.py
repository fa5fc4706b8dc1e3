"""The formats of `check`, and the function that writes each: imported only when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Sequence
from importlib import import_module

from flake8.exceptions import ExecutionError

from flake8_ckpt.commands.arguments import Formats
from flake8_ckpt.commands.output import Material
from flake8_ckpt.findings import Finding
from flake8_ckpt.project_index import cache_of
from flake8_ckpt.reports.report import Report

# The module of `reports` for each format that needs nothing but the report.
MODULES = {
    "json": "json_list",
    "sarif": "sarif",
    "github": "github",
    "gitlab": "gitlab",
    "rdjson": "rdjson",
    "junit": "junit",
}
# Formats that have no place for a fix.
WITHOUT_FIX = ("github", "gitlab", "junit")
FORMATS = Formats(
    ("text", "concise", *MODULES, "html"),
    "",
    "text (with the code), concise (flake8's lines), json, sarif, github, gitlab, rdjson, junit or html;"
    " docs/formats.md shows each. (Default: text on a terminal, else concise)",
)


def writer_of(name: str, material: Material, is_colored: bool) -> Callable[[Sequence[Finding]], str]:
    """Return what makes a report of the findings that are kept."""

    def write(kept: Sequence[Finding]) -> str:
        # The rules are only imported where there is something to say of them.
        from flake8_ckpt.commands.report_parts import report_of

        report = report_of(kept, material, name not in WITHOUT_FIX)
        if name == "text":
            from flake8_ckpt.reports import text

            return text.render(report, text.COLORED if is_colored else text.PLAIN)
        if name == "html":
            return _page(report, material)
        rendered: str = import_module(f"flake8_ckpt.reports.{MODULES[name]}").render(report)
        return rendered

    return write


def _page(report: Report, material: Material) -> str:
    """Return the page, for which the project is linked again where the findings came from a cache."""
    try:
        from flake8_ckpt.reports.html.page import render
    except ImportError as error:
        raise ExecutionError(
            f"--output-format html needs {error.name}: pip install 'flake8-ckpt[html]'"
        ) from error
    from flake8_ckpt.checking import link
    from flake8_ckpt.contract_view.rows import tables_of
    from flake8_ckpt.contract_view.unsaved import with_unsaved
    from flake8_ckpt.index.collection import index_survey

    found, options = material.found, material.options
    cache = cache_of(found.root, options)
    index = found.index or index_survey(found.survey, cache=cache, known=options.frameworks)
    project = link(found.root, options, index)
    tables = with_unsaved(tables_of(project), project)
    return render(report, tables, os.path.basename(os.path.abspath(found.root)))
