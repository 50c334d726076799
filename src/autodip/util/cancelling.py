"""Cancelling of a computation from another thread, between the parts of a long step.

A run is a generator, so leaving its loop ends it; but single steps (a pass of the learned prior,
the refinement of a fit) take seconds. They call :func:`check` in their loops. Without
:func:`cancellable` around it, that does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ASKED: ContextVar[Callable[[], bool] | None] = ContextVar("autodip_cancelled", default=None)


class Cancelled(BaseException):
    """The computation was cancelled from outside.

    This is no Exception, after which a batch would continue with the next file.
    """


@contextmanager
def cancellable(asked: Callable[[], bool]) -> Iterator[None]:
    """Let :func:`check` raise :class:`Cancelled` in the block, in this thread.

    Parameters
    ----------
    asked : callable
        Returns whether the computation is to be cancelled, such as ``threading.Event().is_set``.
    """
    token = _ASKED.set(asked)
    try:
        yield
    finally:
        _ASKED.reset(token)


def check() -> None:
    """Raise :class:`Cancelled` if the computation of this thread is to be cancelled."""
    asked = _ASKED.get()
    if asked is not None and asked():
        raise Cancelled
