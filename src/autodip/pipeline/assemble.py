"""Assembly of planes and tiles into the result for the whole image: pixels and named maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autodip.image.image import Image, PlaneIndex
from autodip.image.scaling import to_dtype
from autodip.image.windows import Window, blend
from autodip.pipeline.checkpoint import Checkpoint
from autodip.pipeline.parts import Finished, Part
from autodip.pipeline.plan import Plan
from autodip.pipeline.result import PlaneResult
from autodip.util.cancelling import check

_IMAGE = ""
"""Key of the image itself among the names of the maps."""


class Assembly:
    """The denoised image and the maps, as far as they have been computed.

    Parameters
    ----------
    image : Image
    plan : Plan
    parts : sequence of Part
    kept : Checkpoint or None
        Stores the results until all are computed; required if planes are cut into tiles.
    """

    def __init__(
        self, image: Image, plan: Plan, parts: Sequence[Part], kept: Checkpoint | None
    ) -> None:
        self._image, self._plan, self._parts, self._kept = image, plan, parts, kept
        self._records: dict[tuple[int, int], PlaneResult] = {}
        self._loaded = isinstance(image.data, np.ndarray) and not isinstance(image.data, np.memmap)
        output = self._new("result", plan.dtype)
        self._arrays: dict[str, np.ndarray] = {_IMAGE: output}

    def _new(self, name: str, dtype: np.dtype) -> np.ndarray:
        """Array of the shape of the image; a mapped file if the image is not in memory."""
        image = self._image
        if self._kept is None or self._loaded:
            array = np.zeros(image.data.shape, dtype)
        else:
            array = self._kept.array(name, image.data.shape, dtype)
        if image.alpha:  # transparency is copied, not denoised
            alpha = (slice(None),) * image.axes.index("S") + (slice(-1, None),)
            array[alpha] = to_dtype(np.asarray(image.data[alpha]), dtype)
        return array

    def has(self, part: Part) -> bool:
        """Whether the results of a part are stored already."""
        return self._kept is not None and self._kept.has(part)

    def take(self, done: Finished) -> None:
        """Store the result for one plane, or one tile of it."""
        if self._kept is not None:
            self._kept.put(done)
            return
        for name, pixels in _named(done).items():
            self._plane(name, done.record.index)[...] = pixels
        self._records[done.part, done.place] = done.record

    def result(self) -> tuple[np.ndarray, dict[str, np.ndarray], tuple[PlaneResult, ...]]:
        """The image, in its data type and order of axes, the maps, and the records by plane."""
        if self._kept is not None:
            for index, cuts in self._by_plane().items():
                self._assemble(index, cuts, self._kept)
        order = {index: n for n, index in enumerate(self._plan.scan.extremes)}
        records = sorted(self._records.items(), key=lambda one: (order[one[1].index], one[0]))
        maps = {name: array for name, array in self._arrays.items() if name != _IMAGE}
        return self._arrays[_IMAGE], maps, tuple(record for _, record in records)

    def _plane(self, name: str, index: PlaneIndex) -> np.ndarray:
        """View of a plane in the image or in a map; a new map is filled with zeros."""
        if name not in self._arrays:
            self._arrays[name] = self._new(f"map-{name}", np.dtype(np.float32))
        target = self._image.yx_last(self._arrays[name])
        place: tuple[Any, ...] = (*(position for _, position in index), ...)
        return np.asarray(target[place])

    def _by_plane(self) -> dict[PlaneIndex, list[tuple[Part, int]]]:
        """Parts that contain each plane or a tile of it, and the position of the plane in each."""
        found: dict[PlaneIndex, list[tuple[Part, int]]] = {}
        for part in self._parts:
            for place, index in enumerate(part.indices):
                found.setdefault(index, []).append((part, place))
        return found

    def _assemble(
        self, index: PlaneIndex, cuts: Sequence[tuple[Part, int]], kept: Checkpoint
    ) -> None:
        part, place = cuts[0]
        first = _named(self._fetch(part, place, kept))
        for name, pixels in first.items():
            target = self._plane(name, index)
            if self._plan.tiling is None:
                target[...] = pixels
                continue
            for rows, blended in blend(self._image.plane_shape, self._windows(name, cuts, kept)):
                check()
                target[rows] = to_dtype(blended, target.dtype)

    def _windows(
        self, name: str, cuts: Sequence[tuple[Part, int]], kept: Checkpoint
    ) -> Iterator[tuple[Window, np.ndarray]]:
        for part, place in cuts:
            assert part.window is not None  # because the planes are cut
            yield part.window, _named(self._fetch(part, place, kept))[name]

    def _fetch(self, part: Part, place: int, kept: Checkpoint) -> Finished:
        done = kept.get(part, place, self._plan.channels[part.channel].description)
        self._records[part.number, place] = done.record
        return done


def _named(done: Finished) -> dict[str, np.ndarray]:
    """Pixels and maps of a result by name."""
    return {_IMAGE: done.pixels, **done.maps}
