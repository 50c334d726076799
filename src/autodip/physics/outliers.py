"""Hot and dead pixels, rows and columns of a detector."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

SMALLEST = 7
"""Smallest side of a plane in which outliers are sought, in pixels."""

_HOT_SPREAD, _DEAD_SPREAD = 5.0, 2.0
"""Range of the neighbours by which a hot pixel exceeds them, and a dead one is below them, at
least. A focused spot of light exceeds its neighbours as well; there are no such dark spots."""

_ABOVE_PEAKS, _MOST_SHARE, _MOST = 12.0, 1.5e-3, 4
"""How much an outlier exceeds its neighbours, in units of the median by which peaks exceed theirs,
and the largest share of outliers, or their number in a small plane. If there are more, they are
what the image consists of, such as single photons."""

_LEAST_LINE, _COLUMNS, _LINE, _PROFILE = 32, 256, 12.0, 0.15
"""Smallest side of a plane whose rows are examined and number of columns that are, evenly spaced;
by how many times the usual difference an outlying row differs; largest difference of the rows next
to it from those behind them, relative to its own."""


def find_outliers(plane: np.ndarray) -> np.ndarray:
    """Hot and dead pixels, pairs of them, and whole rows and columns.

    Parameters
    ----------
    plane : ndarray, shape (Y, X)
        In any units, finite.

    Returns
    -------
    ndarray of bool, shape (Y, X)
    """
    found = np.zeros(plane.shape, bool)
    if min(plane.shape) < SMALLEST or plane.min() == plane.max():
        return found
    data = plane.astype(np.float64)
    for sign, spread in ((1.0, _HOT_SPREAD), (-1.0, _DEAD_SPREAD)):
        found |= _peaks(sign * data, spread)
    found[_lines(data)] = True
    found[:, _lines(data.T)] = True
    return found


def _peaks(plane: np.ndarray, spread: float) -> np.ndarray:
    """Pixels above their neighbours by several times the range of these, bool."""
    highest, second = _two_highest(plane)
    excess = plane - highest
    peaks = excess[excess > 0]
    none = np.zeros(plane.shape, bool)
    if not peaks.size:
        return none
    above = plane - second  # another outlier may be next to it
    candidates = above > _ABOVE_PEAKS * float(np.median(peaks))
    most = max(_MOST, _MOST_SHARE * plane.size)
    if not 0 < candidates.sum() <= 4 * most:
        return none
    found = none.copy()
    for row, column in zip(*np.nonzero(candidates), strict=True):
        ring = np.sort(_ring(plane, row, column))
        found[row, column] = plane[row, column] - ring[-2] > spread * (ring[-2] - ring[1])
    return found if found.sum() <= most else none


def _two_highest(plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Highest and second highest of the eight neighbours of every pixel."""
    first = np.full(plane.shape, -np.inf)
    second = first.copy()
    for neighbour in _shifted(plane):
        second = np.maximum(second, np.minimum(first, neighbour))
        first = np.maximum(first, neighbour)
    return first, second


def _shifted(plane: np.ndarray) -> Iterator[np.ndarray]:
    """The eight neighbours of every pixel, with the plane reflected at its border."""
    rows, columns = plane.shape
    padded = np.pad(plane, 1, mode="reflect")
    for dy in range(3):
        for dx in range(3):
            if (dy, dx) != (1, 1):
                yield padded[dy : dy + rows, dx : dx + columns]


def _ring(plane: np.ndarray, row: int, column: int) -> np.ndarray:
    """Up to 24 pixels around a pixel."""
    top, left = max(0, row - 2), max(0, column - 2)
    block = plane[top : row + 3, left : column + 3]
    return np.delete(block.ravel(), (row - top) * block.shape[1] + column - left)


def _lines(data: np.ndarray) -> np.ndarray:
    """Rows that are hot or dead, alone or in pairs, bool, shape (Y,).

    Their difference from the rows on both sides is many times that of other rows, and those rows
    differ little from the next ones: a line in a focused image has a profile.
    """
    found = np.zeros(len(data), bool)
    if min(data.shape) < _LEAST_LINE:
        return found
    data = data[:, :: max(1, data.shape[1] // _COLUMNS)]
    padded = np.pad(data, ((4, 4), (0, 0)), mode="reflect")
    steps = np.median(np.diff(padded, axis=0), axis=1)
    usual = 1.4826 * float(np.median(np.abs(steps - np.median(steps))))
    differing = np.median(np.abs(np.diff(data, axis=0)))
    usual = max(usual, 1.25 * 1.05 * float(differing) / np.sqrt(data.shape[1]))
    for first in np.flatnonzero(np.abs(steps[3 : 3 + len(data)]) > _LINE * usual):
        for width in (1, 2):
            top, bottom = first + 4, first + 3 + width
            above = float(np.median(padded[top] - padded[top - 1]))
            below = float(np.median(padded[bottom] - padded[bottom + 1]))
            least = min(abs(above), abs(below))
            others = [steps[top - 2], steps[bottom + 1], *steps[top:bottom]]
            steady = max(map(abs, others)) < _PROFILE * least
            if above * below > 0 and least > _LINE * usual and steady:
                found[first : first + width] = True
    return found
