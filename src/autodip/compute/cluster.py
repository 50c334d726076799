"""Workers in other processes: a dask.distributed cluster, either existing or started here."""

from __future__ import annotations

import os
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from types import TracebackType
from typing import Any, TypeVar

from autodip.compute import device as devices
from autodip.errors import ClusterError, ParameterError
from autodip.util.optional import require

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE = 30
"""Seconds to wait for an answer from an address, and for its first worker."""

_one_at_a_time = threading.Lock()


class Cluster:
    """Workers that compute tasks, one task at a time each.

    If a worker dies, another one computes its task. Use this class as a context manager.

    Parameters
    ----------
    client : distributed.Client
        Connected client; closed together with this object.
    local : optional
        Cluster that was started for the client; closed together with this object.
    """

    def __init__(self, client: Any, local: Any = None) -> None:
        self._client, self._local = client, local

    @classmethod
    def connect(cls, address: str) -> Cluster:
        """Connect to the scheduler at an address such as ``tcp://10.0.0.1:8786``.

        Raises
        ------
        ClusterError
            If no scheduler answers, it has no workers within half a minute, or its workers lack
            autodip or have another version of it.
        MissingPackageError
            If dask.distributed is not installed.
        """
        distributed = require("distributed", "cluster")
        try:
            client = distributed.Client(address, timeout=_PATIENCE)
        except (OSError, ValueError) as error:
            raise ClusterError(
                f"no dask scheduler answers at {address!r} ({error}); give its address as "
                "'dask scheduler' prints it, for example tcp://10.0.0.1:8786"
            ) from error
        cluster = cls(client)
        try:
            client.wait_for_workers(1, timeout=_PATIENCE)
            cluster._check_versions()
        except TimeoutError as error:
            client.close()
            raise ClusterError(
                f"the scheduler at {address} has no workers; start some with "
                f"'dask worker {address}'"
            ) from error
        except ClusterError:
            client.close()
            raise
        return cluster

    @classmethod
    def start(cls, workers: int) -> Cluster:
        """Start a number of worker processes on this machine, which share its cores.

        The workers import the main module of this process, so a script that calls this method
        must guard its own commands by ``if __name__ == "__main__":``.

        Raises
        ------
        ParameterError
            If the number is below 1.
        MissingPackageError
            If dask.distributed is not installed.
        """
        if workers < 1:
            raise ParameterError(f"workers is {workers}; it must be 1 or more")
        distributed = require("distributed", "cluster")
        import dask  # noqa: PLC0415  (comes with distributed)

        threads = max(1, (os.cpu_count() or 1) // workers)
        settings = {
            "distributed.nanny.environ": {"OMP_NUM_THREADS": threads},
            "distributed.nanny.pre-spawn-environ": {},  # would change this process as well
            "distributed.worker.daemon": False,  # cells of a benchmark start processes
        }
        with dask.config.set(settings):
            local = distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=":0", memory_limit=0
            )
        return cls(distributed.Client(local), local)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect from the cluster; stop it if it was started here."""
        self._client.close()
        if self._local is not None:
            self._local.close()

    @property
    def workers(self) -> int:
        """Current number of workers."""
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Apply a function to items; yield the results in the order of completion.

        Items are consumed as workers become free, so that only a few are in memory at a time.

        Parameters
        ----------
        function : callable
            Function of a module that the workers can import.
        items : iterable
            Arguments of the function, one for each call; sent to the workers.

        Raises
        ------
        ClusterError
            If several workers died while computing the same item.
        Exception
            Any exception that the function raises.
        """
        for _, outcome in self.attempts(function, items):
            if isinstance(outcome, Exception):
                raise outcome
            yield outcome

    def attempts(
        self, function: Callable[[T], R], items: Iterable[T]
    ) -> Iterator[tuple[int, R | Exception]]:
        """Like :meth:`map`, but yield errors instead of raising them.

        Yields
        ------
        (int, result or Exception)
            Position of the item, counted from 0, and its result or error.
        """
        distributed = require("distributed", "cluster")
        numbered = enumerate(items)
        done = distributed.as_completed()
        numbers: dict[Any, int] = {}

        def submit() -> None:
            # No more than one task per worker: tasks waiting on a worker that dies from another
            # task would be blamed as well.
            while len(numbers) < max(1, self.workers):
                number, item = next(numbered, (None, None))
                if number is None:
                    return
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", "Sending large graph")
                    future = self._client.submit(_alone, function, item, pure=False)
                numbers[future] = number
                done.add(future)

        submit()
        try:
            for future in done:
                number = numbers.pop(future)
                yield number, _outcome(future, distributed.KilledWorker)
                submit()
        finally:
            self._client.cancel(list(numbers))

    def device(self, name: str) -> str:
        """Device to which a name such as ``auto`` refers on the workers.

        Raises
        ------
        ClusterError
            If it is not the same on all workers.
        """
        found = sorted(set(self._client.run(devices.resolve, name).values()))
        if len(found) > 1:
            raise ClusterError(
                f"device {name!r} means {' and '.join(found)} on different workers; specify one "
                "with --device"
            )
        return str(found[0])

    def free_memory(self, device: str) -> int:
        """Bytes that a fit may take on every worker.

        The workers of one machine share its memory equally, except on a CUDA device, whose free
        memory each of them counts in full.
        """
        free = self._client.run(devices.free_memory, device)
        sharing = Counter(_host(address) for address in free)
        shares = {address: sharing[_host(address)] for address in free}
        if device.startswith("cuda"):
            shares = dict.fromkeys(free, 1)
        return min(int(bytes_ / shares[address]) for address, bytes_ in free.items())

    def _check_versions(self) -> None:
        own = version("autodip")
        try:
            found = set(self._client.run(_version).values())
        except ModuleNotFoundError as error:
            raise ClusterError(
                f"the workers don't have autodip ({error}); install autodip {own} on them"
            ) from error
        if found != {own}:
            raise ClusterError(
                f"the workers run autodip {', '.join(sorted(found))}, but this process runs {own}; "
                "install the same version on all"
            )


def _version() -> str:
    return version("autodip")


def _host(address: str) -> str:
    return address.rpartition(":")[0]


def _alone(function: Callable[[T], R], item: T) -> R:
    """Call the function in a worker, one task at a time, however many threads it has."""
    with _one_at_a_time:
        return function(item)


def _outcome(future: Any, killed: type[Exception]) -> Any:
    """Result of a future, or the error with which it ended."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, killed):
        return ClusterError(f"several workers died on one task ({error}); they may lack memory")
    return error
