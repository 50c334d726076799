"""Work in a thread, with its news and its end as signals of Qt."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from autodip.napari.background import Background, Tell

_POLL = 60
"""Milliseconds between two looks at the news."""

_PATIENCE = 0.7
"""Seconds after which a cancelled work is left alone; it ends by itself at its next check."""


class Errand(QObject):
    """One piece of work at a time.

    ``told`` passes on its news in their order, ``ended`` the work itself when it has ended, or
    shortly after it was cancelled. The work is cancelled if this object is deleted.
    """

    told = Signal(object)
    ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work: Background | None = None
        self._before: Background | None = None
        self._cancelled = 0.0
        self._end = _Cancelling()
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL)
        self._timer.timeout.connect(self._look)
        self.destroyed.connect(self._end.cancel)

    @property
    def busy(self) -> bool:
        """Whether there is work that has neither ended nor been left alone."""
        return self._work is not None

    def start(self, work: Callable[[Tell], Any]) -> bool:
        """Start work, and return True; False if other work is not done."""
        if self.busy:
            return False
        before = self._before if self._before is not None and not self._before.ended else None
        self._before = self._work = Background(work, before)
        self._end.work = self._work
        self._work.start()
        self._timer.start()
        return True

    def cancel(self) -> None:
        """Ask the work to end."""
        if self._work is not None and not self._work.cancelled:
            self._work.cancel()
            self._cancelled = time.monotonic()

    def _look(self) -> None:
        work = self._work
        if work is None:
            return
        ended = work.ended  # before the news are fetched, so that none is lost
        for news in work.news():
            self.told.emit(news)
        left = work.cancelled and time.monotonic() - self._cancelled > _PATIENCE
        if ended or left:
            self._work = None
            self._timer.stop()
            if ended:
                self._before = self._end.work = None
            self.ended.emit(work)


class _Cancelling:
    """Cancels the current work; it outlives the object of Qt, which it does not refer to."""

    def __init__(self) -> None:
        self.work: Background | None = None

    def cancel(self) -> None:
        if self.work is not None:
            self.work.cancel()
