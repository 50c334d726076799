"""Options of commands that can compute on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from autodip.compute.cluster import Cluster

F = TypeVar("F", bound=Callable[..., Any])


def workers_options(function: F) -> F:
    """Add the options ``--scheduler`` and ``--workers``."""
    function = click.option(
        "--workers",
        type=click.IntRange(1),
        metavar="N",
        help="Compute on N workers that are started on this machine.",
    )(function)
    return click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Compute on the workers of this dask scheduler, e.g. tcp://10.0.0.1:8786.",
    )(function)


@contextmanager
def workers_of(scheduler: str | None, workers: int | None) -> Iterator[Cluster | None]:
    """Provide the requested cluster, or None if no cluster was requested."""
    if scheduler is not None and workers is not None:
        raise click.UsageError("--scheduler and --workers exclude each other")
    if scheduler is None and workers is None:
        yield None
        return
    cluster = Cluster.start(workers) if workers else Cluster.connect(str(scheduler))
    with cluster:
        yield cluster
