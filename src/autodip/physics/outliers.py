"""Hot and dead pixels, rows and columns of a detector."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import maximum_filter, median_filter, minimum_filter, uniform_filter

SMALLEST = 7
"""Smallest side of a plane in which outliers are sought, in pixels."""

_HOT_SPREAD, _DEAD_SPREAD = 5.0, 2.0
"""Range of the neighbours by which a hot pixel exceeds them, and a dead one is below them, at
least. A focused spot of light exceeds its neighbours as well; there are no such dark spots."""

_ABOVE_PEAKS, _MOST_SHARE, _MOST = 12.0, 1.5e-3, 4
"""How much an outlier exceeds its neighbours, in units of the median by which peaks exceed theirs,
and the largest share of outliers, or their number in a small plane. If there are more, they may be
what the image consists of, such as single photons."""

_DEFECTIVE, _CANDIDATES, _ROUNDS = 0.05, 4, 4
"""Largest share of outliers of a detector; how many times the largest number of outliers may be as
high; and number of searches when there are so many outliers that some are next to others."""

_BLOCK, _STRUCTURED, _CONCENTRATED = 8, 3.0, (0.2, 2.0)
"""Many outliers are those of a detector if the rest of the image shows structure (the variance of
means of 8 x 8 pixels is at least 3 times that of noise alone) and if the outliers are not
concentrated where it is bright, as photons are: by how many standard deviations its brightness at
the outliers may exceed its mean, and by how many standard errors in addition."""

_NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

_LEAST_LINE, _COLUMNS, _LINE, _PROFILE = 32, 256, 12.0, 0.15
"""Smallest side of a plane whose rows are examined and number of columns that are, evenly spaced;
by how many times the usual difference an outlying row differs; largest difference of the rows next
to it from those behind them, relative to its own."""

_MOST_LINES = 0.05
"""Largest share of rows that are outliers; if there are more, all rows differ in this way, as in an
image that was enlarged by repeating its rows."""


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
    none = np.zeros(plane.shape, bool)
    found, rest = none.copy(), plane
    most = max(_MOST, _MOST_SHARE * plane.size)
    for others in range(1, 1 + _ROUNDS):
        more, candidates = _highest_peaks(rest, spread, others)
        found |= more
        few = found.sum() <= most and candidates <= _CANDIDATES * most
        rest = plane.copy()
        rest[found] = np.nanmedian(_rings(np.where(found, np.nan, plane), found), axis=1)
        if few:
            return found
    return found if _of_detector(found, plane, rest, spread) else none


def _highest_peaks(plane: np.ndarray, spread: float, others: int) -> tuple[np.ndarray, int]:
    """Pixels above all of their neighbours but ``others``, which may be outliers as well.

    Also returns how many are high enough, whatever the range of their neighbours.
    """
    ranked = _highest(plane, others + 1)
    excess = plane - ranked[0]
    peaks = excess[excess > 0]
    found = np.zeros(plane.shape, bool)
    if not peaks.size:
        return found, 0
    candidates = plane - ranked[others] > _ABOVE_PEAKS * float(np.median(peaks))
    number = int(candidates.sum())
    if 0 < number <= max(_CANDIDATES * _MOST, 2 * _DEFECTIVE * plane.size):
        rings = np.sort(_rings(plane, candidates), axis=1)  # NaN last
        last = np.isfinite(rings).sum(axis=1) - 1 - others
        ring = np.take_along_axis(rings, last[:, None], axis=1)[:, 0]
        found[candidates] = plane[candidates] - ring > spread * (ring - rings[:, 1])
    return found, number


def _of_detector(found: np.ndarray, plane: np.ndarray, rest: np.ndarray, spread: float) -> bool:
    """Whether many outliers are those of a detector, rather than photons of a dim image.

    Their surroundings are compared with all places in which such outliers would have been found.
    """
    if not 0 < found.mean() <= _DEFECTIVE or min(rest.shape) < 4 * _BLOCK:
        return False
    smooth = uniform_filter(median_filter(rest, 5), _BLOCK)
    noise = (_NORMAL * float(np.median(np.abs(np.diff(rest, axis=1))))) ** 2 / 2
    if float(smooth.var()) <= _STRUCTURED * noise / _BLOCK**2:
        return False
    height = float(np.median((plane - rest)[found]))
    ranges = maximum_filter(rest, 5) - minimum_filter(rest, 5)
    possible = smooth[found | (spread * ranges < height)]
    excess = float(smooth[found].mean() - possible.mean())
    deviations, errors = _CONCENTRATED
    limit = (deviations + errors / np.sqrt(found.sum())) * float(possible.std())
    return bool(excess <= limit)


def _highest(plane: np.ndarray, number: int) -> list[np.ndarray]:
    """The highest of the eight neighbours of every pixel, in descending order."""
    ranked = [np.full(plane.shape, -np.inf) for _ in range(number)]
    for neighbour in _shifted(plane):
        lower = neighbour
        for rank, level in enumerate(ranked):
            ranked[rank], lower = np.maximum(level, lower), np.minimum(level, lower)
    return ranked


def _shifted(plane: np.ndarray) -> Iterator[np.ndarray]:
    """The eight neighbours of every pixel, with the plane reflected at its border."""
    rows, columns = plane.shape
    padded = np.pad(plane, 1, mode="reflect")
    for dy in range(3):
        for dx in range(3):
            if (dy, dx) != (1, 1):
                yield padded[dy : dy + rows, dx : dx + columns]


def _rings(plane: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The 24 pixels around each place; NaN beyond the border. Shape (n, 24)."""
    padded = np.pad(plane, 2, constant_values=np.nan)
    rows, columns = np.nonzero(places)
    around = [(dy, dx) for dy in range(5) for dx in range(5) if (dy, dx) != (2, 2)]
    return np.stack([padded[rows + dy, columns + dx] for dy, dx in around], axis=1)


def _lines(data: np.ndarray) -> np.ndarray:
    """Rows that are hot or dead, alone or in pairs, bool, shape (Y,).

    Their difference from the rows on both sides is many times that of other rows and more than that
    of most pixels, and those rows differ little from the next ones: a line in a focused image has a
    profile.
    """
    found = np.zeros(len(data), bool)
    if min(data.shape) < _LEAST_LINE:
        return found
    data = data[:, :: max(1, data.shape[1] // _COLUMNS)]
    padded = np.pad(data, ((4, 4), (0, 0)), mode="reflect")
    steps = np.median(np.diff(padded, axis=0), axis=1)
    usual = _NORMAL * float(np.median(np.abs(steps - np.median(steps))))
    differing = float(np.median(np.abs(np.diff(data, axis=0))))
    usual = max(usual, 1.25 * 1.05 * differing / np.sqrt(data.shape[1]))
    for first in np.flatnonzero(np.abs(steps[3 : 3 + len(data)]) > _LINE * usual):
        for width in (1, 2):
            top, bottom = first + 4, first + 3 + width
            above = float(np.median(padded[top] - padded[top - 1]))
            below = float(np.median(padded[bottom] - padded[bottom + 1]))
            least = min(abs(above), abs(below))
            others = [steps[top - 2], steps[bottom + 1], *steps[top:bottom]]
            steady = max(map(abs, others)) < _PROFILE * least
            if above * below > 0 and least > max(differing, _LINE * usual) and steady:
                found[first : first + width] = True
    return found if found.sum() <= max(_MOST, _MOST_LINES * len(found)) else np.zeros_like(found)
