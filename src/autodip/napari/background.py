"""Work in a thread that can be cancelled, and its news for the thread of the window."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from autodip.errors import AutodipError
from autodip.util.cancelling import Cancelled, cancellable
from autodip.util.text import one_line

_LOG = logging.getLogger(__name__)

Tell = Callable[[Any], None]
"""Passes news to the thread of the window."""


class Background:
    """Work in a thread; nothing of it is called in another one.

    Parameters
    ----------
    work : callable
        Receives a function to which it passes its news; its return value is the ``outcome``.
    after : Background, optional
        Work that must have ended before this one starts.

    Attributes
    ----------
    outcome : object
        What the work returned; None before it ends, or if it was cancelled or failed.
    error : str
        One line on why the work failed; empty if it did not.
    """

    def __init__(self, work: Callable[[Tell], Any], after: Background | None = None) -> None:
        self._work, self._after = work, after
        self._news: deque[Any] = deque()
        self._asked = threading.Event()
        self._thread = threading.Thread(target=self._run, name="autodip", daemon=True)
        self.outcome: Any = None
        self.error = ""

    def start(self) -> Background:
        """Start the thread."""
        self._thread.start()
        return self

    def cancel(self) -> None:
        """Ask the work to end; it does at its next step, or at the next check within one."""
        self._asked.set()

    @property
    def cancelled(self) -> bool:
        """Whether the work was asked to end."""
        return self._asked.is_set()

    @property
    def ended(self) -> bool:
        """Whether the thread has ended."""
        return not self._thread.is_alive()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end of the thread, and return whether it has ended."""
        self._thread.join(seconds)
        return self.ended

    def news(self) -> list[Any]:
        """News since the last call, in their order."""
        return [self._news.popleft() for _ in range(len(self._news))]

    def _run(self) -> None:
        after, self._after = self._after, None  # so that results are not kept in a chain
        if after is not None:
            after.wait()
        try:
            with cancellable(self._asked.is_set):
                self.outcome = self._work(self._tell)
        except Cancelled:
            return
        except AutodipError as error:
            self.error = one_line(str(error))
        except MemoryError:
            self.error = "there is not enough memory for this image; close others, or crop it"
        except Exception as error:
            _LOG.exception("unexpected error")
            self.error = one_line(f"unexpected {type(error).__name__}: {error}")

    def _tell(self, news: Any) -> None:
        if self._asked.is_set():
            raise Cancelled
        self._news.append(news)
