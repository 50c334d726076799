"""What is known of the noise of a stabilised image: its strength by brightness, its correlation.

The same two measurements are made on the simulated noise in training and on the residual of a
first result when the prior is applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.physics.correlation import white
from autodip.physics.noise import CORRELATED, Noise
from autodip.util.values import Value

LAGS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (0, 3), (3, 0))
"""Lags (Y, X) at which the correlation of the noise is measured, in pixels."""

_SMOOTH = 2.0
"""Standard deviation of the Gaussian filter that yields the brightness, in pixels."""

_CENTRE = 2
"""Position of lag 0 in an autocorrelation of shape (5, 5)."""

_UNIFORM = 0.05
"""Variance of the stabilised brightness below which the strength is the same everywhere."""

_RANGE = (0.05, 9.0)
"""Smallest and largest variance of stabilised noise."""


@dataclass(frozen=True)
class Fault(Value):
    """Expected error of a result, relative to the variance of the noise.

    Parameters
    ----------
    error : float
        Mean squared error.
    overlap : float
        Mean product of the error and the residual; 0 if the error is uncorrelated with what was
        removed, as for a result that minimises the squared error.
    removed : float
        Mean square of the residual.
    """

    error: float
    overlap: float
    removed: float

    def share(self, growth: float) -> float:
        """Share of the residual that may be returned until the squared error grows by a share.

        Returning the share ``a`` adds ``2 a overlap + a**2 removed`` to the squared error.
        """
        allowed = max(self.overlap, 0.0) ** 2 + self.removed * growth * self.error
        root = float(np.sqrt(allowed)) - max(self.overlap, 0.0)
        return root / max(self.removed, 1e-12)


@dataclass(frozen=True)
class Observation(Value):
    """Noise of a stabilised image.

    Parameters
    ----------
    slope, constant : float
        Variance of the noise as a line over the smoothed stabilised brightness.
    correlation : tuple of float
        Correlation of the noise at :data:`LAGS`.
    fault : Fault or None
        Expected error of a result; None if it was not determined.
    bins : int
        Side of the squares of pixels that were averaged before, in pixels.
    """

    slope: float
    constant: float
    correlation: tuple[float, ...]
    fault: Fault | None = None
    bins: int = 1

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


def estimated(noise: Noise) -> Observation:
    """What an estimate of the noise tells of the stabilised image: variance 1, and correlation.

    The correlation was measured in the flattest parts of the image. That of a residual is lower
    where slow noise was taken for structure, and would be told to the next pass.
    """
    whole = correlation_of(noise)
    lags = []
    for dy, dx in LAGS:
        if max(dy, abs(dx)) < len(whole) // 2 + 1:
            lags.append(float(whole[_CENTRE + dy, _CENTRE + dx]))
            continue
        # Beyond the measured lags the correlation falls as from the first to the second.
        first, second = (whole[3, 2], whole[4, 2]) if dy else (whole[2, 3], whole[2, 4])
        falling = first > CORRELATED and second > 0
        lags.append(float(second**2 / first) if falling else 0.0)
    return Observation(0.0, 1.0, tuple(lags))


def correlation_of(noise: Noise) -> np.ndarray:
    """Autocorrelation of the noise, shape (5, 5), lags -2 ... 2 along Y and X."""
    if noise.autocorrelation is not None:
        return np.array(noise.autocorrelation)
    whole = white()
    whole[_CENTRE - 1, _CENTRE] = whole[_CENTRE + 1, _CENTRE] = noise.correlation[0]
    whole[_CENTRE, _CENTRE - 1] = whole[_CENTRE, _CENTRE + 1] = noise.correlation[1]
    return whole


def correlation_at(noise: np.ndarray, lags: Sequence[tuple[int, int]]) -> tuple[float, ...]:
    """Correlation of noise (Y, X) of constant strength at lags (Y, X); Y must not be negative."""
    noise = np.clip(noise, -4, 4)
    total = max(float(np.mean(noise**2)), 1e-12)
    return tuple(_at(noise, lag) / total for lag in lags)


def _at(noise: np.ndarray, lag: tuple[int, int]) -> float:
    """Mean product of pixels at a lag."""
    dy, dx = lag
    rows, columns = noise.shape
    first = noise[: rows - dy, max(0, -dx) : columns - max(0, dx)]
    second = noise[dy:, max(0, dx) : columns - max(0, -dx)]
    return float(np.mean(first * second))
