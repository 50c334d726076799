"""End of a command from outside: Ctrl-C, SIGTERM, SIGHUP, or output that nobody reads."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

import click
import psutil

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that end a command; Windows has only the first two."""

PATIENCE = 10.0
"""Seconds after the first signal within which the command has to end by itself."""

SIGNALLED = 128
"""Exit codes above this one are this number plus that of a signal."""

OUTPUT_CLOSED = SIGNALLED + 13
"""Exit code if standard output was closed, as of a process that SIGPIPE ends."""


class Stopped(SystemExit):
    """A signal ended the command; ``code`` is 128 plus its number, as in a shell.

    This is not a KeyboardInterrupt, which libraries catch and print, and no Exception, after which
    a batch would go on to the next file. A process in which nothing catches it ends without a
    traceback.
    """

    def __init__(self, number: int) -> None:
        super().__init__(SIGNALLED + number)


@contextmanager
def keeping(kept: str) -> Iterator[None]:
    """State what is kept if the block, or the decorated command, is ended by a signal.

    Parameters
    ----------
    kept : str
        End of the message, unless an inner block has stated it: what is kept, and how to continue.
    """
    try:
        yield
    except (Stopped, KeyboardInterrupt, BrokenPipeError) as stop:
        if not hasattr(stop, "__notes__"):
            stop.add_note(kept)
        raise


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise :class:`Stopped` in the block when the first signal arrives.

    A second signal ends the process and its children at once, as does the time :data:`PATIENCE`
    if the block has not ended by then. Signals that are ignored, for example because of nohup,
    remain ignored. After the block, signals have their default action.
    """
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]

    main, before = threading.main_thread(), sys.unraisablehook
    timers: list[threading.Timer] = []

    def stop(number: int, _: FrameType | None) -> None:
        for one in numbers:
            signal.signal(one, lambda number, _: end(SIGNALLED + number))
        if not timers:
            timers.append(_soon(PATIENCE, end, SIGNALLED + number))
        raise Stopped(number)

    def again(lost: sys.UnraisableHookArgs) -> None:
        """Repeat a signal whose exception was raised where Python drops exceptions."""
        if not isinstance(lost.exc_value, Stopped):
            before(lost)
            return
        for one in numbers:
            signal.signal(one, stop)
        number = int(str(lost.exc_value.code)) - SIGNALLED
        _soon(0.02, signal.pthread_kill, main.ident, number)

    if hasattr(signal, "pthread_kill"):
        sys.unraisablehook = again
    for number in numbers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        sys.unraisablehook = before
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _soon(seconds: float, function: Callable[..., Any], *arguments: Any) -> threading.Timer:
    """Call a function after some seconds, unless the process has ended by then."""
    timer = threading.Timer(seconds, function, arguments)
    timer.daemon = True
    timer.start()
    return timer


def end(code: int) -> NoReturn:
    """End this process at once, and all processes that it started."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.kill()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def report(stop: BaseException) -> int:
    """Print one line about the end from outside, and return the exit code."""
    notes = getattr(stop, "__notes__", [])
    kept = "".join(f"; {note}" for note in notes[:1])
    if isinstance(stop, BrokenPipeError):
        _discard_output()
        if notes:
            click.echo(f"autodip: standard output was closed{kept}", err=True)
        return OUTPUT_CLOSED
    code = stop.code if isinstance(stop, Stopped) else SIGNALLED + signal.SIGINT
    click.echo(f"autodip: interrupted{kept}", err=True)
    return int(code or 0)


def output_is_closed() -> bool:
    """Whether nobody reads standard output or standard error any more."""
    return any(_is_closed(stream) for stream in (sys.stdout, sys.stderr))


def _is_closed(stream: Any) -> bool:
    with suppress(OSError, ValueError, AttributeError):  # no file, or no poll, as on Windows
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    return False


def _discard_output() -> None:
    """Send output that nobody reads nowhere, so that nothing fails on it at the end."""
    for stream in (sys.stdout, sys.stderr):
        if _is_closed(stream):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
