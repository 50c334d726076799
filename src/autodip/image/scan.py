"""A first pass over an image, block by block: extremes of planes, samples of large planes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from autodip.image.image import Image, PlaneIndex
from autodip.image.scaling import Scale, extremes
from autodip.util.cancelling import check

_BAND = 2**25
"""Bytes read at a time."""

_PATCH, _PATCHES = 256, 8
"""Side in pixels of the patches that represent a large plane, and their number per axis."""


@dataclass(frozen=True)
class Survey:
    """Extremes of every plane of an image.

    Parameters
    ----------
    extremes : mapping of PlaneIndex to (float, float)
        Smallest and largest pixel value, in the order of the planes.
    """

    extremes: Mapping[PlaneIndex, tuple[float, float]]

    def constant(self, index: PlaneIndex) -> bool:
        """Whether all pixels of a plane are equal."""
        low, high = self.extremes[index]
        return low == high

    def scale(self, indices: Iterable[PlaneIndex]) -> Scale | None:
        """Scale of several planes from their common extremes; None if each of them is constant."""
        found = [self.extremes[index] for index in indices if not self.constant(index)]
        if not found:
            return None
        return Scale.between(min(low for low, _ in found), max(high for _, high in found))


def survey(image: Image) -> Survey:
    """Read an image once, in blocks, and determine the extremes of its planes.

    Raises
    ------
    ImageError
        If a pixel is NaN or infinite, or the range of a plane overflows.
    """
    found: dict[PlaneIndex, tuple[float, float]] = {}
    for index in image.indices():
        check()
        ends = [
            extremes(image.block(index, rows), rows.start)
            for rows in bands(image.plane_shape, _BAND // image.data.dtype.itemsize)
        ]
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
        if low < high:
            Scale.between(low, high)
        found[index] = low, high
    return Survey(found)


def bands(shape: tuple[int, int], pixels: int) -> Iterator[slice]:
    """Bands of rows of a plane (Y, X), about equally high, of about ``pixels`` pixels each."""
    number = min(shape[0], max(1, -(-shape[0] * shape[1] // pixels)))
    ends = np.linspace(0, shape[0], number + 1).round().astype(int)
    for start, stop in pairwise(ends):
        yield slice(int(start), int(stop))


def look(image: Image, index: PlaneIndex) -> np.ndarray:
    """Pixels by which a plane is described: all, or patches of a large plane side by side.

    An axis longer than 2048 pixels is represented by 8 patches of 256 pixels, spaced evenly
    along it.

    Returns
    -------
    ndarray, shape (Y, X), at most 2048 x 2048
    """
    check()
    places = [_places(length) for length in image.plane_shape]
    if is_whole(image.plane_shape):
        return image.block(index)
    return np.concatenate(
        [
            np.concatenate([image.block(index, rows, columns) for columns in places[1]], axis=1)
            for rows in places[0]
        ]
    )


def is_whole(shape: tuple[int, int]) -> bool:
    """Whether :func:`look` returns all pixels of a plane of this shape (Y, X)."""
    return all(len(_places(length)) == 1 for length in shape)


def centre(image: Image, index: PlaneIndex, side: int) -> np.ndarray:
    """Central region of a plane, at most ``side`` pixels high and wide.

    It starts at a multiple of 8 pixels, as the blocks of JPEG do.
    """
    first = [max(0, (length - side) // 2 // 8 * 8) for length in image.plane_shape]
    rows, columns = (slice(start, start + side) for start in first)
    return image.block(index, rows, columns)


def _places(length: int) -> list[slice]:
    if length <= _PATCH * _PATCHES:
        return [slice(0, length)]
    starts = np.linspace(0, length - _PATCH, _PATCHES).round().astype(int)
    return [slice(int(start), int(start) + _PATCH) for start in starts]
