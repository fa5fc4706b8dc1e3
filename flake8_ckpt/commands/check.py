"""The subcommand `check`: what flake8 would print for our codes, without its other plugins."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from flake8.main.options import register_default_options
from flake8.options.manager import OptionManager

from flake8_ckpt.commands.adoption.summary import print_end
from flake8_ckpt.commands.arguments import declare_ours
from flake8_ckpt.commands.arguments import read_project
from flake8_ckpt.commands.lookup import Lookup
from flake8_ckpt.commands.lookup import look_up
from flake8_ckpt.commands.organisation.cluster import HELP as CLUSTER_HELP
from flake8_ckpt.commands.organisation.cluster import cluster_at
from flake8_ckpt.commands.output import FORMATTERS
from flake8_ckpt.commands.output import Material
from flake8_ckpt.commands.output import ReportFormatter
from flake8_ckpt.commands.output import format_of
from flake8_ckpt.commands.output import is_for_people
from flake8_ckpt.commands.output import make_formatter
from flake8_ckpt.commands.output import print_findings
from flake8_ckpt.commands.reporting import FORMATS
from flake8_ckpt.commands.reporting import writer_of
from flake8_ckpt.configuration import read_configuration
from flake8_ckpt.index.cache import paused_gc
from flake8_ckpt.options import Options
from flake8_ckpt.reports.plain_text import one_line
from flake8_ckpt.selection import PREFIX
from flake8_ckpt.selection import STDIN

# Options of flake8 that mean nothing here; they are accepted, because a configuration names them.
UNUSED = frozenset(
    "--hang-closing --max-line-length --max-doc-length --indent-size --jobs --benchmark --bug-report "
    "--enable-extensions --require-plugins".split()
)

EVIDENCE_HELP = (
    "Show what a run says of each finding, and what it lost besides: a file of flake8-ckpt watch --output."
)
DIFF_HELP = (
    "Report only what a change since this revision of git has caused, in whatever file, and what stands on a changed"
    " line. Nothing is checked out."
)
SETTINGS_HELP = "Print the settings of this run and where each comes from, and check nothing."
SUMMARY_HELP = "Do not end with a line, on standard error, that says what was found, read and hidden."


def check_files(arguments: Sequence[str]) -> int:
    """Check what the arguments ask for, print the findings, and return the exit code."""
    namespace, options, root = read_project(arguments, declare, FORMATTERS, streams=[STDIN])
    if namespace.show_settings:
        return _show_settings(arguments, namespace, options, root)
    with paused_gc():
        with cluster_at(namespace.cluster) as cluster:
            looked_up = look_up(namespace, options, root, cluster)
        if namespace.verbose:
            _print_left_out(looked_up)
        counts = _print(namespace, options, looked_up)
    sys.stdout.buffer.flush()
    if namespace.count:
        print(sum(counts), file=sys.stdout if is_for_people(namespace) else sys.stderr)
    if is_for_people(namespace) and not namespace.quiet and not namespace.no_summary:
        print_end(namespace, looked_up, counts)
    return int(any(counts) and not namespace.exit_zero)


def _print(namespace: argparse.Namespace, options: Options, looked_up: Lookup) -> list[int]:
    """Print the findings, and return how many of each file are shown."""
    formatter = make_formatter(namespace)
    if isinstance(formatter, ReportFormatter):
        material = material_of(options, looked_up)
        formatter.expect(looked_up.linted, writer_of(format_of(namespace), material, formatter.color))
    return print_findings(namespace, formatter, looked_up.linted)


def material_of(options: Options, looked_up: Lookup) -> Material:
    """Return what a report is made from."""
    everything = [
        each
        for file in looked_up.sieved.values()
        for each in (*file.shown, *file.by_comment, *file.by_baseline)
    ]
    shown = {looked_up.paths[name]: file.name for name, file in zip(looked_up.paths, looked_up.linted)}
    return Material(options, looked_up.found, everything, shown, looked_up.run)


def _show_settings(
    arguments: Sequence[str], namespace: argparse.Namespace, options: Options, root: Path
) -> int:
    from flake8_ckpt.commands.adoption.settings import settings_text

    print(settings_text(namespace, options, read_configuration(arguments), root))
    return 0


def _print_left_out(looked_up: Lookup) -> None:
    """Say once which files of the project could not be read, besides those that are reported."""
    asked = set(looked_up.paths.values())
    for path, reason in sorted(looked_up.unread.items()):
        if path not in asked:
            print(f"flake8-ckpt: note: {one_line(path)} {reason}: left out of the project", file=sys.stderr)


def declare(manager: OptionManager) -> None:
    """Declare flake8's options and ours, and hide those that other plugins would use."""
    register_default_options(manager)
    manager.add_option("--evidence", metavar="FILE", default="", help=EVIDENCE_HELP)
    declare_ours(manager, "check", "findings", formats=FORMATS, unused=UNUSED)
    manager.add_option("--diff-base", metavar="revision", help=DIFF_HELP)
    manager.add_option("--show-settings", action="store_true", default=False, help=SETTINGS_HELP)
    manager.add_option("--cluster", metavar="address", help=CLUSTER_HELP)
    manager.add_option("--no-summary", action="store_true", default=False, help=SUMMARY_HELP)
    manager.extend_default_select([PREFIX])
