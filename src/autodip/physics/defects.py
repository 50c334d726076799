"""Pixels that hold no measurement: empty areas, hot and dead pixels; and what stands in for them.

Registration, rotation, deskewing, stitching and masks leave constant areas; cameras have pixels
that are stuck. They say nothing about the specimen, but estimates of the noise and networks take
them for structure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from autodip.physics.constant_areas import constant_areas
from autodip.physics.outliers import find_outliers

_LEAST_VALID = 256
"""Number of pixels that must be left; otherwise no area counts as empty."""

_LARGEST = 1e100
"""Numbers above this one stand for missing values, like infinite ones; they would overflow."""

_FAR = 2**28
"""Distance, in pixels, that stands for none."""


@dataclass(frozen=True, eq=False)
class Defects:
    """Pixels of a plane that hold no measurement.

    Parameters
    ----------
    shape : tuple of int
        (Y, X) of the plane.
    bits : ndarray of uint8, shape (Y, ceil(X / 8))
        Constant areas, and pixels that are NaN, infinite or above 1e100, packed with
        :func:`numpy.packbits`.
    outliers : ndarray of int, shape (n, 2)
        Rows and columns of hot and dead pixels.
    """

    shape: tuple[int, int]
    bits: np.ndarray = field(repr=False)
    outliers: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, plane: np.ndarray) -> Defects:
        """Find the defects of a plane (Y, X).

        Empty areas are those of :func:`~autodip.physics.constant_areas.constant_areas`, unless
        hardly any other pixels are left; a plane that is constant altogether has none.
        """
        if plane.dtype.kind == "f" and plane.dtype.itemsize not in (4, 8):  # no filter takes it
            plane = plane.astype(np.float32 if plane.dtype.itemsize < 4 else np.float64)
        finite = np.isfinite(plane) if plane.dtype.kind == "f" else np.ones(plane.shape, bool)
        empty, huge = ~finite, _larger(plane)
        outliers = np.empty((0, 2), int)
        if finite.any():
            known = plane if finite.all() else np.where(finite, plane, plane[finite].min())
            if huge.any():
                known = np.clip(known, -_LARGEST, _LARGEST)
            constant = constant_areas(known) & finite
            if (finite & ~constant).sum() >= _LEAST_VALID:
                empty |= constant
            if empty.any():
                known = _filled(known, empty)
            outliers = np.argwhere(find_outliers(known) & ~empty)
            empty |= huge
            empty[tuple(outliers.T)] = False
        return cls((plane.shape[0], plane.shape[1]), np.packbits(empty, axis=1), outliers)

    @classmethod
    def everywhere(cls, shape: tuple[int, int]) -> Defects:
        """Defects of a plane of a shape (Y, X) that is empty altogether."""
        return cls(shape, np.packbits(np.ones(shape, bool), axis=1), np.empty((0, 2), int))

    @property
    def empty(self) -> np.ndarray:
        """Constant areas, and pixels that are NaN, infinite or above 1e100, bool, shape (Y, X)."""
        return self._empty(slice(None))

    def _empty(self, rows: slice) -> np.ndarray:
        return np.unpackbits(self.bits[rows], axis=1, count=self.shape[1]).astype(bool)

    @property
    def any(self) -> bool:
        """Whether there are any."""
        return bool(self.bits.any() or len(self.outliers))

    @property
    def mask(self) -> np.ndarray:
        """All pixels that hold no measurement, bool, shape (Y, X)."""
        found = self.empty
        found[tuple(self.outliers.T)] = True
        return found

    def repaired(
        self, pixels: np.ndarray, rows: slice = slice(None), columns: slice = slice(None)
    ) -> np.ndarray:
        """Copy of pixels with something plausible in place of the defects, of the same type.

        Outliers become the median of their neighbours. Empty areas are filled with their
        surroundings, reflected at their border, so that neither an estimate of the noise nor a
        network sees a border.

        Parameters
        ----------
        pixels : ndarray, shape (Y, X)
            The plane, or a region of it.
        rows, columns : slice
            The region; by default the whole plane.
        """
        empty = self._empty(rows)[:, columns]
        pixels = pixels.copy()
        corner = rows.start or 0, columns.start or 0
        places = self.outliers - corner
        places = places[((places >= 0) & (places < pixels.shape)).all(axis=1)]
        if len(places):
            bad = empty.copy()
            bad[tuple(places.T)] = True
            pixels[tuple(places.T)] = _medians(pixels, places, bad)
        if empty.any():  # afterwards, so that no outlier is reflected into an empty area
            pixels = _filled(pixels, empty)
        return pixels


def _larger(plane: np.ndarray) -> np.ndarray:
    """Finite pixels above the largest number."""
    if plane.dtype != np.float64:
        return np.zeros(plane.shape, bool)
    return np.asarray((np.abs(plane) > _LARGEST) & np.isfinite(plane))


def _medians(plane: np.ndarray, places: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Median of the good neighbours of places, shape (n,); without any, the pixel itself."""
    found = []
    for row, column in places:
        near = np.s_[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
        others = plane[near][~bad[near]]
        found.append(np.median(others) if others.size else plane[row, column])
    return np.array(found).astype(plane.dtype)


def _filled(plane: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Copy of a plane whose empty areas hold the surroundings, reflected at the border.

    A pixel is reflected along the axis on which the border is nearer. Corners, and areas deeper
    than what surrounds them, are filled by reflecting what has been filled.
    """
    plane, left = plane.copy(), empty.copy()
    if left.all():
        plane[...] = 0
        return plane
    while left.any():
        places = np.argwhere(left)
        along = np.stack([_to_known(left)[left], _to_known(left.T).T[left]], axis=1)
        nearer = np.argmin(np.abs(along), axis=1)[:, None] == np.arange(2)
        steps = np.where(nearer, along, 0)
        reachable = np.abs(steps).sum(axis=1) < _FAR
        sources = places + 2 * steps
        filled = reachable & ((sources >= 0) & (sources < plane.shape)).all(axis=1)
        filled[filled] = ~left[tuple(sources[filled].T)]
        if not filled.any():
            filled, sources = reachable, places + steps
        target = tuple(places[filled].T)
        plane[target] = plane[tuple(sources[filled].T)]
        left[target] = False
    return plane


def _to_known(left: np.ndarray) -> np.ndarray:
    """Steps along the first axis to the nearest pixel that is not left; ``_FAR`` if there is none.

    Negative towards the first row.
    """
    rows = np.arange(len(left), dtype=np.int32)[:, None]
    before = np.maximum.accumulate(np.where(left, -_FAR, rows))
    after = np.minimum.accumulate(np.where(left, 2 * _FAR, rows)[::-1])[::-1]
    up, down = rows - before, after - rows
    return np.asarray(np.where(up < _FAR, np.where(up <= down, -up, down), down))
