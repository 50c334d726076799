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

_MEASURED = 0.2
"""Seconds during which the use of the cores is measured."""


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
