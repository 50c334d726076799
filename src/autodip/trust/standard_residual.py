"""The residual of a result in standard deviations of the noise, and the spectrum of that noise."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from autodip.physics.correlation import spectrum
from autodip.physics.noise import CORRELATED, Noise

_LEAST = 0.2
"""Smallest standard deviation that is assumed, relative to that at median brightness: below it
the model is an extrapolation to black."""

_LOWEST, _USUAL = -10.0, 4.0
"""Limits of a pixel in standard deviations. Noise has bright outliers, but hardly dark ones."""

_PHOTONS = 3.0
"""How much further a pixel counts, in photons."""


@dataclass(frozen=True)
class StandardResidual:
    """Residual of a result in standard deviations of the noise.

    Parameters
    ----------
    values : ndarray, shape (Y, X)
        (noisy - result) / sigma, limited to what noise makes probable, so that single outliers do
        not count as structure.
    sigma : ndarray, shape (Y, X)
        Standard deviation of the noise, in units of the image.
    skewness : ndarray, shape (Y, X)
        Skewness of the noise of a pixel, that of a Poisson number.
    correlation : ndarray, shape (5, 5), or None
        Autocorrelation of the noise; None if it is white.
    """

    values: np.ndarray = field(repr=False)
    sigma: np.ndarray = field(repr=False)
    skewness: np.ndarray = field(repr=False)
    correlation: np.ndarray | None = field(repr=False)

    @classmethod
    def of(cls, noisy: np.ndarray, result: np.ndarray, noise: Noise) -> StandardResidual:
        """Residual of a result (Y, X); ``noise`` is present (:attr:`Noise.absent`)."""
        sigma = np.maximum(noise.std(result), _LEAST * noise.sigma)
        sigma = np.where(sigma > 0, sigma, np.inf)
        skewness = noise.gain / sigma
        most = _USUAL + _PHOTONS * skewness
        values = np.clip((noisy - result) / sigma, _LOWEST, most)
        lags = noise.autocorrelation if max(noise.correlation) >= CORRELATED else None
        return cls(values, sigma, skewness, None if lags is None else np.array(lags))

    def power(self, shape: tuple[int, int]) -> np.ndarray:
        """Power spectrum of the noise on an FFT grid, with a mean of 1."""
        if self.correlation is None:
            return np.ones(shape)
        return spectrum(self.correlation, shape)
