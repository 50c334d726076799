"""Processes that are started here, and the signals of a terminal, which reach them as well."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""Signals that end a command, which then ends the processes that it started."""


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Block these signals within the block.

    Processes and threads that are started in it inherit this for their whole life, so that a
    process is not hit while it imports its modules.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # starting it would unblock them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
