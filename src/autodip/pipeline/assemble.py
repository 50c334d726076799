"""Results of the parts of an image, put together to the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autodip.image.image import Image, PlaneIndex
from autodip.image.scaling import to_dtype
from autodip.image.windows import Window, blend
from autodip.pipeline.checkpoint import Checkpoint
from autodip.pipeline.options import Options
from autodip.pipeline.parts import Finished, Part
from autodip.pipeline.plan import ImagePlan
from autodip.pipeline.result import PlaneResult


class Assembly:
    """The denoised image as far as it is there.

    Parameters
    ----------
    image : Image
    plan : ImagePlan
    parts : sequence of Part
    options : Options
    kept : Checkpoint or None
        Holds the parts until all are there; needed where planes are cut.
    """

    def __init__(
        self,
        image: Image,
        plan: ImagePlan,
        parts: Sequence[Part],
        options: Options,
        kept: Checkpoint | None,
    ) -> None:
        self._image, self._plan, self._parts, self._kept = image, plan, parts, kept
        self._dtype = np.dtype(options.dtype or image.data.dtype)
        self._records: dict[tuple[int, int], PlaneResult] = {}
        loaded = isinstance(image.data, np.ndarray) and not isinstance(image.data, np.memmap)
        if kept is None or loaded:
            self._output: np.ndarray = np.empty(image.data.shape, self._dtype)
        else:
            self._output = kept.array(image.data.shape, self._dtype)
        if image.alpha:  # transparency is no plane that is denoised
            alpha = (slice(None),) * image.axes.index("S") + (slice(-1, None),)
            self._output[alpha] = to_dtype(np.asarray(image.data[alpha]), self._dtype)

    def has(self, part: Part) -> bool:
        """Whether a part is there from before."""
        return self._kept is not None and self._kept.has(part)

    def take(self, done: Finished) -> None:
        """Take in the result for one plane of a part."""
        if self._kept is not None:
            self._kept.put(done)
        else:
            self._plane(done.record.index)[...] = done.pixels
            self._records[done.part, done.place] = done.record

    def result(self) -> tuple[np.ndarray, tuple[PlaneResult, ...]]:
        """The image, in its type and order of axes, and the records in the order of planes."""
        if self._kept is not None:
            for index, cuts in self._by_plane().items():
                self._assemble(index, cuts, self._kept)
        order = {index: n for n, index in enumerate(self._plan.survey.extremes)}
        records = sorted(self._records.items(), key=lambda one: (order[one[1].index], one[0]))
        return self._output, tuple(record for _, record in records)

    def _plane(self, index: PlaneIndex) -> np.ndarray:
        target = self._image.yx_last(self._output)
        place: tuple[Any, ...] = (*(position for _, position in index), ...)
        return np.asarray(target[place])

    def _by_plane(self) -> dict[PlaneIndex, list[tuple[Part, int]]]:
        """Parts that make up each plane, and the place of the plane in each."""
        found: dict[PlaneIndex, list[tuple[Part, int]]] = {}
        for part in self._parts:
            for place, index in enumerate(part.indices):
                found.setdefault(index, []).append((part, place))
        return found

    def _assemble(
        self, index: PlaneIndex, cuts: Sequence[tuple[Part, int]], kept: Checkpoint
    ) -> None:
        target = self._plane(index)
        if self._plan.tiling is None:
            ((part, place),) = cuts
            target[...] = self._fetch(part, place, kept).pixels
            return
        for rows, pixels in blend(self._image.plane_shape, self._windows(cuts, kept)):
            target[rows] = to_dtype(pixels, self._dtype)

    def _windows(
        self, cuts: Sequence[tuple[Part, int]], kept: Checkpoint
    ) -> Iterator[tuple[Window, np.ndarray]]:
        for part, place in cuts:
            assert part.window is not None  # as the planes are cut
            yield part.window, self._fetch(part, place, kept).pixels

    def _fetch(self, part: Part, place: int, kept: Checkpoint) -> Finished:
        done = kept.get(part, place, self._plan.channels[part.channel].description)
        self._records[part.number, place] = done.record
        return done
