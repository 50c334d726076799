"""Noise model: variance as a function of brightness, and correlation between neighbours."""

from __future__ import annotations

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
    """

    gain: float
    constant: float
    sigma: float
    correlation: tuple[float, float]
    floor: float
    _: KW_ONLY
    saturated: float

    def std(self, signal: np.ndarray) -> np.ndarray:
        """Standard deviation of the noise at ``signal``, an array in the units of the image."""
        root: np.ndarray = np.sqrt(np.maximum(self.gain * signal + self.constant, self.floor))
        return root
