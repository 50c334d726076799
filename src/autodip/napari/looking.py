"""Looks at the selected layer in the background."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QObject, Signal

from autodip.napari.background import Background
from autodip.napari.errand import Errand
from autodip.napari.layer_image import LayerFacts
from autodip.napari.look import Look, look_at


class Looking(QObject):
    """Looks at one layer at a time; of those asked for meanwhile, the last counts.

    ``found`` passes on the :class:`Look` at the layer that was asked for last.
    """

    found = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wanted: tuple[LayerFacts, str | None] | None = None
        self._errand = Errand(self)
        self._errand.ended.connect(self._end)

    @property
    def busy(self) -> bool:
        """Whether the look that was asked for last is not there yet."""
        return self._errand.busy

    def ask(self, facts: LayerFacts | None, axes: str | None = None) -> None:
        """Look at a layer whose dimensions are ``axes``; None ends the current look."""
        self._wanted = None if facts is None else (facts, axes)
        if self._errand.busy:
            self._errand.cancel()
        else:
            self._begin()

    def _begin(self) -> None:
        if self._wanted is not None:
            self._errand.start(partial(look_at, *self._wanted))

    def _end(self, work: Background) -> None:
        if work.cancelled:
            self._begin()
        elif self._wanted is not None:
            self.found.emit(work.outcome or Look(axes=None, reason=work.error))
