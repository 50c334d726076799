"""Large planes: their central part, and an overview that is read in bands of rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autodip.image.image import Image, PlaneIndex
from autodip.image.scan import bands
from autodip.pictures.sizes import reduced

MOST = 2048
"""Largest side of a part on which something is measured, in pixels."""

LARGEST_PICTURE = 1024
"""Largest side of a picture, in pixels."""

_LARGEST_NUMBER = 1e100
"""Larger numbers stand for missing values."""

_BAND = 2**22
"""Number of pixels that are read at a time."""


def central(shape: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of the central part of a plane; all of one that is not large."""
    sides = [min(side, MOST) for side in shape]
    top, left = ((side - part) // 2 for side, part in zip(shape, sides, strict=True))
    return slice(top, top + sides[0]), slice(left, left + sides[1])


def block(image: Image, index: PlaneIndex, part: tuple[slice, slice]) -> np.ndarray:
    """Pixels (Y, X) of a part of a plane; axes that the image lacks are left out of the index."""
    known = tuple(one for one in index if one[0] in image.axes)
    return image.block(known, *part)


def is_number(plane: np.ndarray) -> np.ndarray:
    """Pixels that are neither NaN nor infinite nor stand for that."""
    return np.asarray(np.abs(plane.astype(np.float64)) <= _LARGEST_NUMBER)


def finite(plane: np.ndarray) -> np.ndarray:
    """A plane whose missing pixels have the lowest value of the others."""
    if plane.dtype.kind in "iu":
        return plane
    known = is_number(plane)
    if known.all():
        return plane
    return np.where(known, plane, plane[known].min() if known.any() else 0)


def overview(
    image: Image, index: PlaneIndex, *, fill: Callable[[np.ndarray], np.ndarray] = finite
) -> np.ndarray | None:
    """A large plane, reduced by averaging areas, float32; None for one that is not large.

    It is read in bands of rows, so that it need not fit into memory. By default, missing pixels
    have the lowest value of the others of their band.

    Parameters
    ----------
    image : Image
    index : PlaneIndex
    fill : callable
        Replaces the missing pixels of a band.
    """
    rows, columns = image.plane_shape
    if max(rows, columns) <= MOST:
        return None
    factor = max(rows, columns) // LARGEST_PICTURE
    found = []
    for band in bands((rows // factor, columns * factor), _BAND):
        part = slice(band.start * factor, band.stop * factor)
        pixels = fill(block(image, index, (part, slice(0, columns // factor * factor))))
        squares = pixels.reshape(-1, factor, columns // factor, factor)
        found.append(squares.mean((1, 3), dtype=np.float32))
    return reduced(np.concatenate(found), LARGEST_PICTURE)
