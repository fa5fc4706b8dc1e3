"""The option `--cluster` of the commands: from the command line alone, because files are sent where it says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from typing import Optional

from flake8.exceptions import ExecutionError

if TYPE_CHECKING:
    from flake8_ckpt.index.cluster import Cluster

HELP = (
    "Address of a dask scheduler, such as tcp://host:8786: new files are read by its workers, to which their contents"
    " are sent (docs/organisation.md)."
)


@contextmanager
def cluster_at(address: Optional[str]) -> Iterator[Optional[Cluster]]:
    """Give a connection to a cluster, None where none is asked for; raise ExecutionError where it cannot be used."""
    if address is None:
        yield None
        return
    from flake8_ckpt.index.cluster import ClusterError

    cluster = connection(address)
    try:
        yield cluster
    except ClusterError as error:
        raise ExecutionError(f"--cluster: {error}") from error
    finally:
        cluster.close()
    tell_trouble(cluster)


def connection(address: str) -> Cluster:
    """Return a connection to a cluster; raise ExecutionError where it cannot be used."""
    from flake8_ckpt.index.cluster import ClusterError
    from flake8_ckpt.index.cluster import connect

    try:
        return connect(address)
    except ClusterError as error:
        raise ExecutionError(f"--cluster: {error}") from error


def tell_trouble(cluster: Cluster) -> None:
    """Say on the side why a cluster did not read all files, if so."""
    if cluster.trouble:
        print(
            f"flake8-ckpt: note: --cluster: {cluster.address} did not read all files ({cluster.trouble}): the others"
            " were read here",
            file=sys.stderr,
        )
