"""Clients of dask: of an existing scheduler, or of worker processes that are started here."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

from autodip.compute import threads
from autodip.compute.processes import signals_blocked
from autodip.errors import ClusterError
from autodip.util.optional import require
from autodip.util.text import words_of

_LOCAL = {
    "distributed.nanny.pre-spawn-environ": {},  # would change this process as well
    "distributed.worker.daemon": False,  # cells of a benchmark start processes
    "distributed.scheduler.http.routes": [],  # nothing is served over HTTP
    "distributed.worker.http.routes": [],
}
"""Settings of dask for the workers that are started here."""


def connect(address: str, patience: float) -> Any:
    """Client of the scheduler at an address such as ``tcp://10.0.0.1:8786``.

    Parameters
    ----------
    address : str
    patience : float
        Seconds to wait for the scheduler, and for its first worker.

    Raises
    ------
    ClusterError
        If no scheduler answers, it has no workers, or its workers lack autodip or have other
        versions of what autodip needs.
    MissingPackageError
        If dask.distributed is not installed.
    """
    distributed = require("distributed", "cluster")
    _silence()
    try:
        with ThreadPoolExecutor(1) as own:  # this thread may have a running event loop
            own.submit(asyncio.run, _find_scheduler(address, patience)).result()
        with warnings.catch_warnings():  # about versions, which are checked below
            warnings.simplefilter("ignore")
            client = distributed.Client(address, timeout=patience)
    except Exception as error:  # whatever else listens at the address may answer anything
        raise ClusterError(
            f"no dask scheduler answers at {address!r} ({_reason(error, patience)}); give its "
            "address as 'dask scheduler' prints it, for example tcp://10.0.0.1:8786"
        ) from error
    try:
        client.wait_for_workers(1, timeout=patience)
        _check_versions(client)
    except TimeoutError as error:
        client.close()
        raise ClusterError(
            f"the scheduler at {address} has no workers; start some with 'dask worker {address}'"
        ) from error
    except Exception:
        client.close()
        raise
    return client


def start(workers: int) -> tuple[Any, Any]:
    """Start worker processes on this machine; return their client and their cluster.

    Raises
    ------
    ClusterError
        If they cannot be started.
    MissingPackageError
        If dask.distributed is not installed.
    """
    distributed = require("distributed", "cluster")
    import dask  # noqa: PLC0415  (comes with distributed)

    _silence()
    each = threads.limit() or max(1, (os.cpu_count() or 1) // workers)
    own = {"distributed.nanny.environ": {"OMP_NUM_THREADS": each}}
    try:
        with signals_blocked(), dask.config.set({**_LOCAL, **own}):
            local = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                memory_limit=0,
                host="127.0.0.1",
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                silence_logs=logging.CRITICAL,
            )
        return distributed.Client(local), local
    except (OSError, RuntimeError) as error:
        raise ClusterError(
            f"{workers} workers could not be started on this machine ({words_of(error)}); use fewer"
        ) from error


def _silence() -> None:
    """Keep dask from logging what is raised as an error, and how it closes its connections."""
    for name in ("distributed", "distributed.client", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


async def _find_scheduler(address: str, patience: float) -> None:
    """Raise an exception if there is no scheduler at an address; a client would wait for ever."""
    distributed = require("distributed", "cluster")
    async with asyncio.timeout(patience), distributed.rpc(address) as there:
        found = (await there.identity())["type"]
    if found != "Scheduler":
        raise ValueError(f"it is the address of a {str(found).lower()}")


def _reason(error: Exception, patience: float) -> str:
    """Why an address is not that of a scheduler."""
    if isinstance(error, TimeoutError):
        return f"nothing was received within {patience:g} s"
    if isinstance(error, OSError | ValueError | TypeError):
        return str(error)
    return "it answers, but not as a scheduler"


def _check_versions(client: Any) -> None:
    """Raise a ClusterError if a worker has not the versions of this process."""
    own = versions()
    try:
        found = client.run(versions)
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"the workers don't have autodip ({error}); install autodip {own['autodip']} on them"
        ) from error
    except Exception as error:  # the function cannot even be called there
        raise ClusterError(
            f"the workers cannot run autodip {own['autodip']} ({words_of(error)}); install the "
            "same versions of Python and its packages on all"
        ) from error
    for there in found.values():
        for name, here in own.items():
            if there.get(name) != here:
                raise ClusterError(
                    f"the workers run {name} {there.get(name)}, but this process runs {here}; "
                    "install the same version on all"
                )


def versions() -> dict[str, str]:
    """Versions that must be the same on all machines."""
    return {
        "autodip": version("autodip"),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "torch": version("torch").partition("+")[0],  # builds for other devices are fine
        "distributed": version("distributed"),
    }
