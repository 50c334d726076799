"""Standard error of every pixel of a result, from the noise model and the local residual."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.physics.noise import Noise

_SMOOTH = 2.0


def standard_error(
    noisy: np.ndarray, result: np.ndarray, noise: Noise | None, *, darkest: float | None = None
) -> np.ndarray:
    """Standard error of every pixel, float32, shape (Y, X), in units of the image.

    Parameters
    ----------
    noisy, result : ndarray, shape (Y, X)
        In units of the image; the result before it is rounded.
    noise : Noise or None
        None if the noise could not be estimated.
    darkest : float, optional
        Lowest grey value of the whole plane.
    """
    residual = noisy.astype(np.float64) - result
    variance = 0.15 * gaussian_filter(residual**2, _SMOOTH)
    if noise is not None:
        variance = variance + 0.05 * noise.std(result.astype(np.float64)) ** 2
    return np.asarray(np.sqrt(variance), np.float32)


def expected_psnr(
    result: np.ndarray, error: np.ndarray, *, data_range: float | None = None
) -> float:
    """Peak signal-to-noise ratio in dB that follows from the standard errors of a result.

    Parameters
    ----------
    result, error : ndarray
    data_range : float, optional
        Peak; by default the range of the result from the 0.1th to the 99.9th percentile.
    """
    low, high = np.percentile(result, (0.1, 99.9))
    peak = float(high - low) if data_range is None else data_range
    power = float(np.mean(error.astype(np.float64) ** 2))
    with np.errstate(divide="ignore"):
        return float(20 * np.log10(peak) - 10 * np.log10(power)) if peak > 0 else float("nan")
