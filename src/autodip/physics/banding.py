"""Noise common to the pixels of a row or column: its detection and its estimate.

Line scans, rolling shutters and column amplifiers shift whole rows or columns up or down. To a
denoiser, that is structure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import dct, idct
from scipy.linalg import solveh_banded
from scipy.ndimage import uniform_filter1d

SMALLEST = 64
"""Smallest side of a plane whose banding is estimated, in pixels."""

_TIMES = 4.0
"""Ratio of the variances of differences between rows and between columns from which they are
banding; structure has both."""

_OVER_NOISE = 4.0
"""Ratio of the variance of the differences to that expected of the noise of the pixels."""

_COLUMNS = 256
"""Number of columns by which banding is recognised."""

_ALTERNATING = -0.25, -0.35
"""Correlation of consecutive differences up to which they are those of independent offsets, and
up to which they are so in both directions, rather than those of structure."""

_NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

_MEDIAN = np.pi / 2
"""Variance of a median over that of a mean, for normally distributed values."""


_BINS, _STRUCTURED = 5, 1.5
"""Number of frequencies over which the power of the offsets is averaged, and its ratio to that of
the high frequencies above which the lowest ones show structure."""


def band_offsets(plane: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Offsets of the rows and of the columns of a plane, if it has noise common to them.

    The difference of two adjacent rows is the median over the columns of the differences of their
    pixels. Offsets of rows are found if these vary much more than those of columns and than the
    noise of the pixels explains, and if they alternate, as independent offsets do, rather than
    follow a gradient. They are then estimated by ridge regression, which leaves slow changes of
    brightness along the rows as they are. The same holds for columns, and both may have offsets.

    Parameters
    ----------
    plane : ndarray, shape (Y, X)
        In any units, finite.

    Returns
    -------
    rows, columns : ndarray, float64, shape (Y,) or (X,), or None
        Offsets with a mean of 0, in units of the plane; None if none were found.
    """
    if min(plane.shape) < SMALLEST:
        return None, None
    data = plane.astype(np.float64)
    along, across = _Steps.of(data, _COLUMNS), _Steps.of(data.T, _COLUMNS)
    return _offsets(data, along, across), _offsets(data.T, across, along)


@dataclass(frozen=True)
class _Steps:
    """Differences of adjacent rows.

    Parameters
    ----------
    steps : ndarray, shape (Y - 1,)
        Median difference of each two adjacent rows.
    chance : float
        Variance that it has by chance.
    """

    steps: np.ndarray
    chance: float

    @classmethod
    def of(cls, data: np.ndarray, columns: int) -> _Steps:
        """Differences determined from some of the columns, evenly spaced."""
        differences = np.diff(data[:, :: max(1, data.shape[1] // columns)], axis=0)
        steps = np.median(differences, axis=1)
        spread = np.median(np.abs(differences - steps[:, None]), axis=1) * _NORMAL
        return cls(steps, float(np.median(_MEDIAN * spread**2 / differences.shape[1])))

    @property
    def alternation(self) -> float:
        """Correlation of each step with the next: -0.5 for independent offsets."""
        steps = self.steps - np.median(self.steps)
        limit = 6 * np.sqrt(self.variance)
        inner = np.clip(steps, -limit, limit)
        return float(np.mean(inner[1:] * inner[:-1])) / max(float(np.mean(inner**2)), 1e-300)

    @property
    def variance(self) -> float:
        """Variance of most of the steps, which structure does not affect."""
        return float((_NORMAL * np.median(np.abs(self.steps - np.median(self.steps)))) ** 2)


def _offsets(data: np.ndarray, own: _Steps, other: _Steps) -> np.ndarray | None:
    """Offsets of the rows, given their steps and those of the columns; None if there are none."""
    variance = own.variance
    both = max(own.alternation, other.alternation) < _ALTERNATING[1]
    structure = other.chance if both else other.variance
    if variance <= max(_TIMES * structure, _OVER_NOISE * own.chance):
        return None
    if own.alternation > _ALTERNATING[0]:
        return None
    precise = _Steps.of(data, data.shape[1])
    steps = precise.steps - np.median(precise.steps)
    uncertain = max(precise.chance, structure)
    return _integrated(steps, max((variance - uncertain) / 2, uncertain), uncertain)


def _integrated(steps: np.ndarray, power: float, chance: float) -> np.ndarray:
    """Offsets of variance ``power`` whose differences are the steps, known up to ``chance``."""
    number = len(steps) + 1
    diagonal = np.full(number, 2 / chance)
    diagonal[[0, -1]] = 1 / chance
    matrix = np.zeros((2, number))
    matrix[1] = diagonal + 1 / power
    matrix[0, 1:] = -1 / chance
    right = np.zeros(number)
    right[1:] += steps / chance
    right[:-1] -= steps / chance
    return _white(solveh_banded(matrix, right))


def _white(offsets: np.ndarray) -> np.ndarray:
    """Offsets without what their low frequencies have more than the high ones: structure."""
    wave = dct(offsets, norm="ortho")
    wave[0] = 0
    level = float(np.mean(wave[len(wave) // 4 :] ** 2))
    power = uniform_filter1d(wave**2, _BINS, mode="reflect")
    slow = np.logical_and.accumulate(power > _STRUCTURED * level)
    gain = np.where(slow, level / np.maximum(power, 1e-300), 1.0)
    return np.asarray(idct(wave * gain, norm="ortho"))
