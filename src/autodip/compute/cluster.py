"""Workers in other processes: a dask.distributed cluster, either existing or started here."""

from __future__ import annotations

import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, nullcontext, suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, TypeVar

import psutil

from autodip.compute import dask_client, processor, threads
from autodip.compute import device as devices
from autodip.errors import AutodipError, ClusterError, ParameterError
from autodip.util.optional import require
from autodip.util.text import words_of

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 30
"""Seconds to wait for an answer from a scheduler, and for a worker if it has none."""

_PAUSE = 2
"""Seconds without a result after which it is checked that the cluster still exists."""

_LOST = (OSError, CancelledError)
"""Errors of dask for a connection that is lost; a TimeoutError is an OSError."""

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
        return cls(dask_client.connect(address, PATIENCE))

    @classmethod
    def start(cls, workers: int) -> Cluster:
        """Start a number of worker processes on this machine, which share its cores.

        They communicate over the loopback interface, so that nothing can be reached from another
        machine. The workers import the main module of this process, so a script that calls this
        method must guard its own commands by ``if __name__ == "__main__":``.

        Raises
        ------
        ParameterError
            If the number is below 1.
        ClusterError
            If they cannot be started.
        MissingPackageError
            If dask.distributed is not installed.
        """
        if workers < 1:
            raise ParameterError(f"workers is {workers}; it must be 1 or more")
        return cls(*dask_client.start(workers))

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and not issubclass(kind, Exception):  # interrupted
            self._kill()
        self.close()

    def close(self) -> None:
        """Disconnect from the cluster; stop it if it was started here."""
        with suppress(*_LOST):
            self._client.close()
        if self._local is not None:
            with suppress(*_LOST):
                self._local.close()

    def _kill(self) -> None:
        """End the worker processes that were started here, without waiting for their tasks."""
        for nanny in () if self._local is None else self._local.workers.values():
            with suppress(psutil.Error, TypeError):  # TypeError: it has no process just now
                psutil.Process(nanny.pid).kill()

    @property
    def workers(self) -> int:
        """Current number of workers.

        Raises
        ------
        ClusterError
            If the scheduler no longer answers.
        """
        with self._connected():
            identity = self._client.scheduler.identity
            found = self._client.sync(identity, n_workers=-1, callback_timeout=PATIENCE)
        return len(found["workers"])

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
            If several workers died while computing the same item, or the scheduler or all workers
            are lost.
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

        Raises
        ------
        ClusterError
            If the scheduler is lost, or all workers are lost and none joins within half a minute.
        """
        distributed = require("distributed", "cluster")
        numbered = enumerate(items)
        done: SimpleQueue[Any] = SimpleQueue()
        numbers: dict[Any, int] = {}
        limit = threads.limit()

        def submit() -> None:
            # No more than one task per worker: tasks waiting on a worker that dies from another
            # task would be blamed as well.
            while len(numbers) < max(1, self.workers):
                number, item = next(numbered, (None, None))
                if number is None:
                    return
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", "Sending large graph")
                    future = self._client.submit(_alone, function, item, limit, pure=False)
                numbers[future] = number
                future.add_done_callback(done.put)

        submit()
        try:
            while numbers:
                future = self._next(done)
                if future.status == "cancelled":
                    raise self._lost("it has lost the tasks")
                yield numbers.pop(future), _outcome(future, distributed.KilledWorker)
                submit()
        finally:
            with suppress(*_LOST):
                self._client.cancel(list(numbers))

    def _next(self, done: SimpleQueue[Any]) -> Any:
        """Next future that is done.

        Raises
        ------
        ClusterError
            If the scheduler is lost, or all workers are lost and none joins.
        """
        last = time.monotonic()
        while True:
            with suppress(Empty):
                return done.get(timeout=_PAUSE)
            if self.workers:
                last = time.monotonic()
            elif time.monotonic() - last > PATIENCE:
                raise ClusterError(
                    f"all workers are lost, and none has joined for {PATIENCE} s; start workers, "
                    "then run the same command again"
                )

    def _lost(self, reason: object) -> ClusterError:
        where = getattr(self._client.scheduler, "address", "the given address")
        return ClusterError(
            f"the scheduler at {where} no longer answers ({reason}); start it again, then run the "
            "same command again"
        )

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Turn the errors of a lost connection into a ClusterError."""
        try:
            if self._client.status != "running":
                raise ConnectionError(f"the connection is {self._client.status}")
            yield
        except AutodipError:
            raise
        except _LOST as error:
            raise self._lost(words_of(error)) from error

    def _on_all(self, function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """Result of a function on every worker, by address."""
        with self._connected():
            found: dict[str, Any] = self._client.run(function, *arguments)
        return found

    def device(self, name: str) -> str:
        """Device to which a name such as ``auto`` refers on the workers.

        Raises
        ------
        ClusterError
            If it is not the same on all workers.
        """
        found = sorted(set(self._on_all(devices.resolve, name).values()))
        if len(found) > 1:
            raise ClusterError(
                f"device {name!r} means {' and '.join(found)} on different workers; specify one "
                "with --device"
            )
        return str(found[0])

    def processor(self, device: str) -> dict[str, str]:
        """Kind of processor of the workers; several are joined by "or"."""
        kinds = self._on_all(processor.kind, device).values()
        names = dict.fromkeys(name for kind in kinds for name in kind)
        found = {name: sorted({kind[name] for kind in kinds if name in kind}) for name in names}
        return {name: " or ".join(values) for name, values in found.items()}

    def threads(self) -> int:
        """Number of threads with which the workers compute; the most, if it differs."""
        return threads.limit() or max(self._on_all(_threads).values())

    def free_memory(self, device: str) -> int:
        """Bytes that a fit may take on every worker.

        The workers of one machine share its memory, or that of a CUDA device, equally.
        """
        free = self._on_all(devices.free_memory, device)
        cards = self._on_all(devices.card, device)
        owner = {address: (_host(address), cards[address]) for address in free}
        sharing = Counter(owner.values())
        return min(int(bytes_) // sharing[owner[address]] for address, bytes_ in free.items())


def _host(address: str) -> str:
    return address.rpartition(":")[0]


def _alone(function: Callable[[T], R], item: T, limit: int | None) -> R:
    """Call the function in a worker, one task at a time, however many threads it has.

    ``limit`` is the number of threads with which to compute; by default that of the worker.
    """
    with _one_at_a_time, threads.limited(limit) if limit else nullcontext():
        return function(item)


def _threads() -> int:
    import torch  # noqa: PLC0415  (only in the workers)

    return torch.get_num_threads()


def _outcome(future: Any, killed: type[Exception]) -> Any:
    """Result of a future, or the error with which it ended."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, killed):
        return ClusterError(
            f"{error.allowed_failures + 1} workers died one after the other while computing it; "  # type: ignore[attr-defined]
            "they may lack memory: use fewer workers, or machines with more memory"
        )
    return error
