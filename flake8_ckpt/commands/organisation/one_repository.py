"""The check of one repository of a scan, in a process of its own and as if it were started in that folder."""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Optional

from flake8.exceptions import ExecutionError

from flake8_ckpt.commands.adoption.summary import hidden_counts
from flake8_ckpt.commands.arguments import read_project
from flake8_ckpt.commands.check import declare
from flake8_ckpt.commands.check import material_of
from flake8_ckpt.commands.lookup import Lookup
from flake8_ckpt.commands.lookup import look_up
from flake8_ckpt.commands.organisation.clones import clone
from flake8_ckpt.commands.organisation.clones import commit_of
from flake8_ckpt.commands.organisation.cluster import connection
from flake8_ckpt.commands.organisation.cluster import tell_trouble
from flake8_ckpt.commands.organisation.repositories import Repository
from flake8_ckpt.commands.output import FORMATTERS
from flake8_ckpt.commands.output import Material
from flake8_ckpt.commands.output import kept_findings
from flake8_ckpt.commands.reporting import writer_of
from flake8_ckpt.configuration import read_configuration
from flake8_ckpt.findings import Finding
from flake8_ckpt.options import Options
from flake8_ckpt.reports.plain_text import one_line

if TYPE_CHECKING:
    from flake8_ckpt.index.cluster import Cluster


@dataclass(frozen=True)
class Request:
    """A repository, the folder that it is cloned into if it is, and how to check and report it."""

    repository: Repository
    clone: str
    arguments: tuple[str, ...]
    output_format: str
    is_colored: bool = False
    cluster: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of a repository: its report, findings by code, files read and not; or the `error` that ended it."""

    repository: Repository
    report: str = ""
    codes: Mapping[str, int] = field(default_factory=dict)
    read: int = 0
    unread: tuple[str, ...] = ()
    hidden: Mapping[str, int] = field(default_factory=dict)
    commit: str = ""
    notes: tuple[str, ...] = ()
    error: str = ""


def check_repository(request: Request) -> Outcome:
    """Check a repository; whatever goes wrong is said in its outcome."""
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            return _checked(request, said)
    except ExecutionError as error:
        message = str(error)
    except Exception as error:
        message = f"internal error: {type(error).__name__}: {error}; please report it"
    finally:
        if request.clone:
            # The next one is not to be cloned from within a folder that is gone.
            os.chdir(os.path.dirname(request.clone))
            shutil.rmtree(request.clone, ignore_errors=True)
    return Outcome(request.repository, error=" ".join(message.split()), notes=_lines(said))


def _checked(request: Request, said: io.StringIO) -> Outcome:
    folder = _folder_of(request)
    os.chdir(folder)
    arguments = [*request.arguments, *_root_of(request.arguments), "."]
    namespace, options, root = read_project(arguments, declare, FORMATTERS)
    cluster = _cluster(request.cluster) if request.cluster else None
    looked_up = _looked_up(namespace, options, root, cluster)
    kept = kept_findings(namespace, looked_up.linted)
    return Outcome(
        request.repository,
        _report(request, kept, material_of(options, looked_up)),
        dict(sorted(Counter(each.code for each in kept).items())),
        looked_up.read,
        tuple(sorted(looked_up.unread)),
        {what: count for what, count in hidden_counts(namespace, looked_up, len(kept)).items() if count},
        commit_of(folder),
        _lines(said),
    )


@cache
def _cluster(address: str) -> Optional[Cluster]:
    """Return a connection for all repositories of this process, None where it has gone since the scan began."""
    try:
        return connection(address)
    except ExecutionError as error:
        print(f"flake8-ckpt: note: {error}; what is left is read here", file=sys.stderr)
        return None


def _looked_up(
    namespace: argparse.Namespace, options: Options, root: Path, cluster: Optional[Cluster]
) -> Lookup:
    """Look a repository up, with a cluster if there is one."""
    if cluster is None:
        return look_up(namespace, options, root)
    from flake8_ckpt.index.cluster import ClusterError

    try:
        found = look_up(namespace, options, root, cluster)
    except ClusterError as error:
        raise ExecutionError(f"--cluster: {error}") from error
    tell_trouble(cluster)
    return found


def _folder_of(request: Request) -> Path:
    if request.repository.address:
        clone(request.repository.address, Path(request.clone))
        return Path(request.clone)
    folder = Path(request.repository.folder)
    if not folder.is_dir():
        raise ExecutionError("is not a folder" if folder.exists() else "there is no such folder")
    return folder


def _root_of(arguments: Sequence[str]) -> list[str]:
    """Return what makes the working folder the root, unless its own configuration names another."""
    configuration = read_configuration(arguments)
    is_named = "ckpt-root" in configuration.section or "root" in configuration.table
    return [] if is_named else ["--ckpt-root=."]


def _report(request: Request, kept: Sequence[Finding], material: Material) -> str:
    """Return the report, in which files are named from where the scan was started."""
    prefix = request.repository.name
    names = {path: f"{prefix}/{os.path.normpath(name)}" for path, name in material.names.items()}
    moved = Material(material.options, material.found, material.findings, names)
    if request.output_format == "concise":
        return "\n".join(_line(each, names) for each in kept)
    return writer_of(request.output_format, moved, request.is_colored)(kept)


def _line(finding: Finding, names: Mapping[str, str]) -> str:
    place = f"{names.get(finding.path, finding.path)}:{finding.position.line}:{finding.position.col + 1}"
    return one_line(f"{place}: {finding.code} {finding.message}")


def _lines(said: io.StringIO) -> tuple[str, ...]:
    return tuple(dict.fromkeys(said.getvalue().splitlines()))
