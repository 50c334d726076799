"""What is known of the noise of a stabilised image: its strength by brightness, its correlation.

The same two measurements are made on the simulated noise in training and on the residual of a
first result when the prior is applied.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.util.values import Value

LAGS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (0, 3), (3, 0))
"""Lags (Y, X) at which the correlation of the noise is measured, in pixels."""

_SMOOTH = 2.0
"""Standard deviation of the Gaussian filter that yields the brightness, in pixels."""

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
    """

    slope: float
    constant: float
    correlation: tuple[float, ...]

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
    if spread > 0.05:
        slope = float(np.mean((smooth - smooth.mean()) * (power - power.mean()))) / spread
    constant = float(power.mean()) - slope * float(smooth.mean())
    scaled = noise / np.sqrt(np.clip(slope * smooth + constant, *_RANGE))
    scaled = np.clip(scaled, -4, 4)
    total = max(float(np.mean(scaled**2)), 1e-12)
    return Observation(slope, constant, tuple(_at(scaled, lag) / total for lag in LAGS))


def _at(noise: np.ndarray, lag: tuple[int, int]) -> float:
    """Mean product of pixels at a lag."""
    dy, dx = lag
    rows, columns = noise.shape
    first = noise[: rows - dy, max(0, -dx) : columns - max(0, dx)]
    second = noise[dy:, max(0, dx) : columns - max(0, -dx)]
    return float(np.mean(first * second))
