"""Standard error of every pixel of a result, from the noise model and the local residual."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.physics.noise import Noise

_SMOOTH = 2.0
_SHARE = 0.3


def standard_error(
    noisy: np.ndarray, result: np.ndarray, noise: Noise | None, *, spread: np.ndarray | None = None
) -> np.ndarray:
    """Standard error of every pixel, float32, shape (Y, X), in units of the image.

    Parameters
    ----------
    noisy, result : ndarray, shape (Y, X)
        In units of the image; the result before it is rounded.
    noise : Noise or None
        None if the noise could not be estimated.
    spread : ndarray, shape (Y, X), optional
        Standard deviation of several results.
    """
    residual = noisy.astype(np.float64) - result
    local = gaussian_filter(residual**2, _SMOOTH)
    variance = _SHARE * local if noise is None else 0.1 * noise.std(result) ** 2 + 0.05 * local
    if spread is not None:
        variance = variance + spread**2
    return np.asarray(np.sqrt(variance), np.float32)
