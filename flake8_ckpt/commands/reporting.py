"""The formats of `check`, and the function that writes each: imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from importlib import import_module

from flake8_ckpt.commands.arguments import Formats
from flake8_ckpt.commands.output import Material
from flake8_ckpt.findings import Finding

# The module of `reports` for each format that needs nothing but the report.
MODULES = {
    "json": "json_list",
    "sarif": "sarif",
    "github": "github",
    "gitlab": "gitlab",
    "rdjson": "rdjson",
    "junit": "junit",
}
FORMATS = Formats(
    ("text", "concise", *MODULES),
    "",
    "text (with the code), concise (flake8's lines), json, sarif, github, gitlab, rdjson or junit;"
    " docs/formats.md shows each. (Default: text on a terminal, else concise)",
)


def writer_of(name: str, material: Material, is_colored: bool) -> Callable[[Sequence[Finding]], str]:
    """Return what makes a report of the findings that are kept."""

    def write(kept: Sequence[Finding]) -> str:
        # The rules are only imported where there is something to say of them.
        from flake8_ckpt.commands.report_parts import report_of

        report = report_of(kept, material)
        if name == "text":
            from flake8_ckpt.reports import text

            return text.render(report, text.COLORED if is_colored else text.PLAIN)
        rendered: str = import_module(f"flake8_ckpt.reports.{MODULES[name]}").render(report)
        return rendered

    return write
