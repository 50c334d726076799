"""Gaussian blur, by one pixel as the simplest alternative, or by the width of least risk."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.denoisers.context import Context, Denoised
from autodip.denoisers.risk import Probe, least

SIGMAS = tuple(round(0.3 * 1.15**k, 3) for k in range(22))
"""Standard deviations tried, in pixels."""


def blur(image: np.ndarray, context: Context) -> Denoised:
    """Blur an image (Y, X) with a standard deviation of one pixel."""
    return Denoised(smooth(image.astype(np.float64), 1.0), {"sigma": 1.0})


def denoise(image: np.ndarray, context: Context) -> Denoised:
    """Blur an image (Y, X) with the standard deviation of least estimated risk."""
    image = image.astype(np.float64)
    found = least(image, smooth, SIGMAS, Probe.of(image, context.seed))
    return Denoised(found.image, {"sigma": found.setting, "risk": found.evidence})


def smooth(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian filter with reflected borders."""
    result: np.ndarray = gaussian_filter(image, sigma, mode="reflect")
    return result
