"""What is known of the noise of a stabilised image: its strength by brightness, its correlation.

The same two measurements are made on the simulated noise in training and on the residual of a
first result when the prior is applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.util.values import Value

LAGS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (0, 3), (3, 0))
"""Lags (Y, X) at which the correlation of the noise is measured, in pixels."""

_SMOOTH = 2.0
"""Standard deviation of the Gaussian filter that yields the brightness, in pixels."""

_FARTHEST = 4
"""Largest lag of a whole autocorrelation, in pixels."""

_UNIFORM = 0.05
"""Variance of the stabilised brightness below which the strength is the same everywhere."""

_RANGE = (0.05, 9.0)
"""Smallest and largest variance of stabilised noise."""


@dataclass(frozen=True)
class Observation(Value):
    """Noise of a stabilised image.

    Parameters
    ----------
    slope, constant : float
        Variance of the noise as a line over the smoothed stabilised brightness.
    correlation : tuple of float
        Correlation of the noise at :data:`LAGS`.
    error : float
        Expected squared error of a result relative to the variance of the noise, both of the
        stabilised image; 1 if it was not determined.
    """

    slope: float
    constant: float
    correlation: tuple[float, ...]
    error: float = 1.0

    def deviation(self, stabilised: np.ndarray) -> np.ndarray:
        """Standard deviation of the noise at every pixel of a stabilised image (Y, X)."""
        smooth = gaussian_filter(stabilised, _SMOOTH, mode="reflect")
        return np.asarray(np.sqrt(np.clip(self.slope * smooth + self.constant, *_RANGE)))


def observe(stabilised: np.ndarray, noise: np.ndarray) -> Observation:
    """Measure the noise of a stabilised image.

    Parameters
    ----------
    stabilised : ndarray, shape (Y, X)
        Noisy image after the variance-stabilising transform.
    noise : ndarray, shape (Y, X)
        Its noise, or the residual of a result.

    Returns
    -------
    Observation
        The line is fitted by least squares to the squared noise over the smoothed brightness;
        its slope is 0 if the brightness hardly varies. Noise beyond four standard deviations is
        clipped.
    """
    noise = noise - noise.mean()
    smooth = gaussian_filter(stabilised, _SMOOTH, mode="reflect")
    # Beyond four standard deviations lie hot pixels, not noise.
    limit = 16 * max(float(np.mean(noise**2)), 1e-12)
    power = np.minimum(noise**2, limit)
    spread = float(smooth.var())
    slope = 0.0
    if spread > _UNIFORM:
        slope = float(np.mean((smooth - smooth.mean()) * (power - power.mean()))) / spread
    constant = float(power.mean()) - slope * float(smooth.mean())
    scaled = noise / np.sqrt(np.clip(slope * smooth + constant, *_RANGE))
    return Observation(slope, constant, correlation_at(scaled, LAGS))


def correlation_at(noise: np.ndarray, lags: Sequence[tuple[int, int]]) -> tuple[float, ...]:
    """Correlation of noise (Y, X) of constant strength at lags (Y, X); Y must not be negative."""
    noise = np.clip(noise, -4, 4)
    total = max(float(np.mean(noise**2)), 1e-12)
    return tuple(_at(noise, lag) / total for lag in lags)


def whole_correlation(noise: np.ndarray) -> np.ndarray:
    """Autocorrelation of noise (Y, X) of constant strength, shape (9, 9), for lags -4 ... 4."""
    half = [(dy, dx) for dy in range(_FARTHEST + 1) for dx in range(-_FARTHEST, _FARTHEST + 1)]
    whole = np.zeros((2 * _FARTHEST + 1,) * 2)
    for (dy, dx), value in zip(half, correlation_at(noise, half), strict=True):
        whole[_FARTHEST + dy, _FARTHEST + dx] = whole[_FARTHEST - dy, _FARTHEST - dx] = value
    return whole


def _at(noise: np.ndarray, lag: tuple[int, int]) -> float:
    """Mean product of pixels at a lag."""
    dy, dx = lag
    rows, columns = noise.shape
    first = noise[: rows - dy, max(0, -dx) : columns - max(0, dx)]
    second = noise[dy:, max(0, dx) : columns - max(0, -dx)]
    return float(np.mean(first * second))
