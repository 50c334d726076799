"""Noise model: variance as a function of brightness, and correlation between neighbours."""

from __future__ import annotations

import dataclasses
from dataclasses import KW_ONLY, dataclass

import numpy as np

from autodip.util.values import Value

CORRELATED = 0.1
"""Correlation of neighbouring pixels above which noise is not considered white."""

CERTAIN = 0.3
"""Measured correlation of neighbouring pixels that fine structure alone cannot explain."""


@dataclass(frozen=True)
class Noise(Value):
    """Noise model ``variance = gain * signal + constant``, in the units of the image.

    Parameters
    ----------
    gain : float
        Grey values per detected photon (or photo-electron), 0 or more.
    constant : float
        Variance at signal 0 according to the straight line: the variance of the read-out noise
        minus ``gain * offset`` of the camera, so it may be negative.
    sigma : float
        Standard deviation of the noise at the image's median brightness.
    correlation : tuple of float
        Noise correlation of adjacent pixels along Y and along X; about 0 for white noise.
    floor : float
        Smallest variance measured at any brightness; lower bound of the model's variance.
    saturated : float
        Fraction of pixels at the brightest value if it exceeds 1 in 10,000; otherwise 0.
    curve : tuple of (float, float), optional
        Measured brightness levels, in ascending order, and noise variances there. They deviate
        from the straight line where the camera clips at black or is not linear. None in records
        of versions that measured the line only.
    autocorrelation : tuple of tuple of float, 5 x 5, optional
        Noise correlation for lags -2 ... 2 along Y and X; 1 at the centre. None in records of
        versions that stored that of adjacent pixels only.

    Examples
    --------
    >>> import numpy as np, autodip
    >>> noisy, truth = autodip.sample(size=64)
    >>> noise = autodip.estimate_noise(np.asarray(noisy))
    >>> noise.std(np.array([100.0, 400.0])).round()  # at two brightnesses
    array([15., 74.])
    """

    gain: float
    constant: float
    sigma: float
    correlation: tuple[float, float]
    floor: float
    _: KW_ONLY
    saturated: float
    curve: tuple[tuple[float, float], ...] | None = None
    autocorrelation: tuple[tuple[float, ...], ...] | None = None

    @property
    def absent(self) -> bool:
        """Whether there is no noise; with a gain, brighter areas have it even if sigma is 0."""
        return self.gain == 0 and self.sigma == 0

    def std(self, signal: np.ndarray) -> np.ndarray:
        """Standard deviation of the noise at ``signal``, an array in the units of the image.

        Interpolated between the measured levels; brighter signals follow the gain.
        """
        if not self.curve:
            return np.asarray(np.sqrt(np.maximum(self.gain * signal + self.constant, self.floor)))
        level, variance = np.array(self.curve).T
        beyond = self.gain * np.maximum(signal - level[-1], 0)
        return np.asarray(np.sqrt(np.interp(signal, level, variance) + beyond))

    def scaled(self, factor: float, offset: float) -> Noise:
        """Noise of the image ``factor * image + offset``; ``factor`` is above 0."""
        constant = (self.constant * factor - self.gain * offset) * factor
        curve = self.curve and tuple((factor * x + offset, v * factor**2) for x, v in self.curve)
        return dataclasses.replace(
            self,
            gain=self.gain * factor,
            constant=constant,
            sigma=self.sigma * factor,
            floor=self.floor * factor**2,
            curve=curve,
        )
