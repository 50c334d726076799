"""The pixels that a run has computed so far, while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autodip.image.image import Image, PlaneIndex
from autodip.image.windows import Window
from autodip.napari.tally import Pace
from autodip.pipeline.parts import Finished, Task
from autodip.pipeline.result import Progress

if TYPE_CHECKING:
    from autodip.fit.loop import Step

EVERY = 0.25
"""Seconds between two pictures of a step."""


@dataclass(frozen=True)
class LivePixels:
    """News: the results so far.

    Parameters
    ----------
    pixels : ndarray, float32
        Results, with the shape of the image and in its units; NaN where there is none.
    finished : int
        Number of planes, or windows of planes, that are finished.
    """

    pixels: np.ndarray = field(repr=False)
    finished: int


class LiveEngine:
    """The engine of every run, which also stores each result as soon as there is one.

    Parameters
    ----------
    image : Image
    tell : callable
        Receives :class:`LivePixels` as news.

    Attributes
    ----------
    started : float or None
        Time at which the computation started.
    part : "plane" or "window"
        What is computed at a time.
    """

    def __init__(self, image: Image, tell: Callable[[Any], None]) -> None:
        self._image, self._tell = image, tell
        self._pixels = np.full(image.data.shape, np.nan, np.float32)
        self._finished = 0
        self._shown = 0.0
        self._part = Pace()
        self.started: float | None = None
        self.part = "plane"

    def __call__(self, tasks: Sequence[Task]) -> Iterator[Step | Finished]:
        """Compute tasks as :func:`autodip.pipeline.execute.compute_tasks` does."""
        from autodip.pipeline.execute import compute_tasks  # noqa: PLC0415  (imports torch)

        self.started = self.started or time.monotonic()
        self._part = Pace.of(tasks, self._image.plane_shape)
        self.part = "plane" if tasks[0].part.window is None else "window"
        alone = tasks[0] if len(tasks) == 1 else None
        for step in compute_tasks(tasks):
            if isinstance(step, Finished):
                self._finished += 1
                self._put(step.record.index, step.record.window, step.pixels)
                self._part.end()
            else:
                self._part.take(step)
                if alone is not None:
                    self._show(alone, step)
            yield step

    def fraction(self, progress: Progress) -> float:
        """Share of the whole computation that is done, 0 to 1."""
        part = self._part
        done = progress.plane - part.ended + part.planes * part.fraction
        return min(1.0, done / max(progress.planes, 1))

    def predicted(self, progress: Progress) -> float | None:
        """Seconds predicted for the whole computation; None for devices other than a CPU."""
        part = self._part
        return None if part.seconds is None else part.seconds * progress.planes / part.planes

    def _show(self, task: Task, step: Step) -> None:
        """Store the intermediate result of a step: of the last, and of some of the others."""
        now = time.monotonic()
        if now - self._shown < EVERY and step.iteration < step.iterations:
            return
        self._shown = now
        index = task.part.indices[self._part.ended]
        pixels = task.scale.invert(step.output(), np.dtype(np.float64))
        self._put(index, task.part.window, pixels)

    def _put(self, index: PlaneIndex, window: Window | None, pixels: np.ndarray) -> None:
        target = self._image.yx_last(self._pixels)
        place: tuple[Any, ...] = (*(position for _, position in index), ...)
        plane = target[place]
        if window is not None:
            plane = plane[window.slices]
        plane[...] = pixels
        self._tell(LivePixels(self._pixels, self._finished))
