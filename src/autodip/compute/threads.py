"""Threads of OpenMP on cores that other work uses as well.

With GNU OpenMP, threads that wait for others spin for a long time by default. If another program
uses the same cores, the spinning threads keep the one that is waited for from running, which makes
a fit up to ten times slower. The runtime reads the variables that shorten this when it is loaded,
with torch; importing this package does not load torch. If torch was imported before (in a notebook,
or by napari), no setting of the runtime can be changed any more except the number of threads, so
that as many are used as there are free cores.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")

SPINS = "torch" in sys.modules and not any(name in os.environ for name in _VARIABLES)
"""Whether torch was loaded before this package could keep its threads from spinning."""

if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # also of processes that are started

_OF_LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables that libraries read when they are loaded, here and in processes that are started."""

_limits: list[int] = []

_MEASURED = 0.2
"""Seconds during which the use of the cores is measured."""


@contextmanager
def limited(number: int) -> Iterator[None]:
    """Within the block, this process and those that it starts compute with ``number`` threads."""
    before = {name: os.environ.get(name) for name in _OF_LIBRARIES}
    os.environ.update(dict.fromkeys(_OF_LIBRARIES, str(number)))
    torch = sys.modules.get("torch")
    own = torch.get_num_threads() if torch else 0
    if torch:
        torch.set_num_threads(number)
    _limits.append(number)
    try:
        yield
    finally:
        _limits.pop()
        if torch:
            torch.set_num_threads(own)
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def limit() -> int | None:
    """Number of threads of the innermost :func:`limited`; None outside of any."""
    return _limits[-1] if _limits else None


@contextmanager
def free_cores(device: str) -> Iterator[None]:
    """Within the block, torch uses no more threads than cores are free, if its threads spin.

    Parameters
    ----------
    device : str
        Device that computes; the threads matter on a CPU alone.
    """
    import torch  # noqa: PLC0415  (takes a second)

    before = torch.get_num_threads()
    if not SPINS or before == 1 or device != "cpu":
        yield
        return
    torch.set_num_threads(max(1, min(before, count_free())))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def count_free() -> int:
    """Number of cores that this process has and no other process uses, measured for a moment."""
    import psutil  # noqa: PLC0415  (keeps the import of the package fast)

    own = psutil.Process()
    spent = sum(own.cpu_times()[:2])
    busy = psutil.cpu_percent(_MEASURED, percpu=True)
    spent = (sum(own.cpu_times()[:2]) - spent) / _MEASURED
    others = max(0.0, sum(busy) / 100 - spent)
    return round(_cores() - others)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
