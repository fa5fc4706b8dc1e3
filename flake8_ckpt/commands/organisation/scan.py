"""The subcommand `scan`: check many repositories, each in its own root, and write one report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from typing import Optional

from flake8.exceptions import ExecutionError

from flake8_ckpt.commands.arguments import read_options
from flake8_ckpt.commands.check import declare
from flake8_ckpt.commands.organisation.clones import clones_folder
from flake8_ckpt.commands.organisation.cluster import HELP as CLUSTER_HELP
from flake8_ckpt.commands.organisation.cluster import cluster_at
from flake8_ckpt.commands.organisation.one_repository import Outcome
from flake8_ckpt.commands.organisation.one_repository import Request
from flake8_ckpt.commands.organisation.processes import check_all
from flake8_ckpt.commands.organisation.repositories import Repository
from flake8_ckpt.commands.organisation.repositories import read_list
from flake8_ckpt.commands.organisation.scan_report import FORMATS
from flake8_ckpt.commands.organisation.scan_report import summary_line
from flake8_ckpt.commands.organisation.scan_report import table
from flake8_ckpt.commands.progress import progress_bar
from flake8_ckpt.configuration import VARIABLES
from flake8_ckpt.index.store import is_url
from flake8_ckpt.options import Options
from flake8_ckpt.project_index import Progress
from flake8_ckpt.reports.plain_text import one_line
from flake8_ckpt.selection import jobs_for

CLEAN, FOUND, FAILED = 0, 1, 2
CACHE = "ckpt-cache-dir"
DESCRIPTION = (
    "Check many repositories, each as `flake8-ckpt check` does in its own folder, with its own configuration, and write"
    " one report. One that cannot be checked gets a line, and the others go on."
)
LIST_HELP = (
    "A text file with one repository a line, the path of a folder or an address of git, which is cloned into a"
    " temporary folder; - is standard input; # begins a comment line."
)
JOBS_HELP = "Number of repositories that are checked at once. (Default: the number of cores)"
FORMAT_HELP = (
    "text (with the code, and a table of counts), concise (flake8's lines), json (a list of repositories) or sarif"
    " (a run for each repository). (Default: text on a terminal, else concise)"
)
CACHE_HELP = (
    "Folder for the caches of all repositories (Default: .flake8_ckpt_cache in each), or a URL of fsspec"
    " (s3://bucket/folder) where machines with the same FLAKE8_CKPT_CACHE_KEY share facts."
)
FRAMEWORKS_HELP = "TOML files that tell how your own libraries save and load."
EPILOG = (
    "Exits with 0 where nothing is found, with 1 where something is, and with 2 where a repository could not be"
    " checked."
)
# Options of check that mean for every repository what they mean there: with a value, and without.
WITH_VALUE = {
    "--select": "Codes to report, for example CKP2; for all repositories.",
    "--extend-ignore": "Codes not to report.",
    "--ckpt-enable": "Opt-in codes to report, or ALL.",
    "--ckpt-module-bases": "Classes outside of a repository that are torch modules.",
}
FLAGS = {
    "--isolated": "Do not read the configuration of any repository.",
    "--disable-noqa": "Report what noqa comments silence too.",
    "--ckpt-no-baseline": "Report what baselines hold too.",
    "--ckpt-no-cache": "Neither read nor write a cache.",
}


def scan(arguments: Sequence[str]) -> int:
    """Scan what a list names, write the report, and return the exit code."""
    asked = _parser().parse_args(arguments)
    passed = _passed(asked)
    # What is wrong with an option is said once, and before anything is read.
    read_options(["--isolated", *passed], declare)
    found = read_list(asked.list)
    _try_output(asked.output_file)
    with cluster_at(asked.cluster):
        pass
    with clones_folder() as clones:
        requests = [_request(asked, passed, each, clones / str(at)) for at, each in enumerate(found)]
        jobs = asked.jobs or jobs_for(Options())
        with closing(check_all(requests, jobs)) as checked, progress_bar("checking repositories") as progress:
            outcomes = list(_told(checked, len(found), progress))
    _write(asked, outcomes)
    if any(each.error for each in outcomes):
        return FAILED
    return FOUND if any(each.codes for each in outcomes) and not asked.exit_zero else CLEAN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="flake8-ckpt scan", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False
    )
    parser.add_argument("list", metavar="LIST", help=LIST_HELP)
    parser.add_argument("--jobs", type=_positive, metavar="n", help=JOBS_HELP)
    parser.add_argument("--cluster", metavar="address", help=CLUSTER_HELP)
    parser.add_argument("--output-format", choices=FORMATS, metavar="format", help=FORMAT_HELP)
    parser.add_argument("--output-file", metavar="FILE", help="Write the report to a file.")
    parser.add_argument("--exit-zero", action="store_true", help="Exit with 0 where there are findings.")
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="Print no table and no last line beside it."
    )
    parser.add_argument(f"--{CACHE}", metavar="folder", help=CACHE_HELP)
    parser.add_argument("--ckpt-frameworks", metavar="files", help=FRAMEWORKS_HELP)
    for name, text in WITH_VALUE.items():
        parser.add_argument(name, metavar="codes", help=text)
    for name, text in FLAGS.items():
        parser.add_argument(name, action="store_true", help=text)
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def _passed(asked: argparse.Namespace) -> tuple[str, ...]:
    """Return the options for the check of each repository, whose working folder is another."""
    given = {name: _value(asked, name) for name in WITH_VALUE}
    cache = _value(asked, f"--{CACHE}") or os.environ.get(VARIABLES[CACHE])
    given[f"--{CACHE}"] = os.path.abspath(cache) if cache and not is_url(cache) else cache
    frameworks = asked.ckpt_frameworks.split(",") if asked.ckpt_frameworks else []
    given["--ckpt-frameworks"] = ",".join(os.path.abspath(each.strip()) for each in frameworks)
    flags = [name for name in FLAGS if _value(asked, name)]
    return (*(f"{name}={value}" for name, value in given.items() if value), *flags)


def _value(asked: argparse.Namespace, option: str) -> Any:
    return getattr(asked, option.strip("-").replace("-", "_"))


def _request(
    asked: argparse.Namespace, passed: tuple[str, ...], repository: Repository, clone: Path
) -> Request:
    return Request(
        repository,
        os.fspath(clone) if repository.address else "",
        passed,
        _format_of(asked),
        _format_of(asked) == "text" and not asked.output_file and sys.stdout.isatty(),
        asked.cluster or "",
    )


def _format_of(asked: argparse.Namespace) -> str:
    """Return the format: that of `check` where none is named, text for a person and lines for a program."""
    return asked.output_format or ("text" if sys.stdout.isatty() and not asked.output_file else "concise")


def _told(outcomes: Iterable[Outcome], count: int, progress: Optional[Progress]) -> Iterator[Outcome]:
    """Say why a repository cannot be checked as soon as it is known, and what else a check says, once."""
    told: set[str] = set()
    for number, each in enumerate(outcomes, start=1):
        if progress is not None:
            progress(number, count)
        lines = list(each.notes)
        if each.error:
            lines.append(f"flake8-ckpt: error: {each.repository.name}: {each.error}")
        for line in lines:
            if line not in told:
                print(one_line(line), file=sys.stderr, flush=True)
                told.add(line)
        yield each


def _try_output(name: Optional[str]) -> None:
    """Raise ExecutionError where a report cannot be written: better now than after an hour."""
    if name:
        try:
            with open(name, "a", encoding="utf-8"):
                pass
        except OSError as error:
            raise ExecutionError(f"--output-file: {name!r}: {error.strerror or error}") from error


def _write(asked: argparse.Namespace, outcomes: Sequence[Outcome]) -> None:
    report = FORMATS[_format_of(asked)](outcomes)
    if asked.output_file:
        Path(asked.output_file).write_text(f"{report}\n" if report else "", encoding="utf-8", newline="\n")
    elif report:
        print(report, flush=True)
    if asked.quiet:
        return
    if asked.output_file or _format_of(asked) != "text":
        print(table(outcomes), file=sys.stderr)
    print(summary_line(outcomes), file=sys.stderr)
