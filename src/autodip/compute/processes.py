"""Processes that are started here, and the signals of a terminal, which reach them as well."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

from autodip.errors import ParameterError

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


_computing: list[int] = []
"""Process that has computed with torch here, by its id; a forked child inherits it."""


def check_not_forked() -> None:
    """Raise a ParameterError in a process forked from one that has computed with torch.

    A fork copies neither the threads of OpenMP nor the context of CUDA, so that the child would
    wait for them for ever.
    """
    own = os.getpid()
    if not _computing:
        _computing.append(own)
    if _computing[0] != own:
        raise ParameterError(
            f"this process was forked from one that has denoised already (process "
            f"{_computing[0]}), whose threads a fork does not copy, so that it could wait for "
            'them for ever; start processes by multiprocessing.get_context("spawn") or '
            '"forkserver", use threads, or run autodip denoise --workers N'
        )
