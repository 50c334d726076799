"""Wavelet shrinkage (BayesShrink, Chang, Yu & Vetterli 2000), shift-invariant by cycle spinning."""

from __future__ import annotations

from functools import partial

import numpy as np
from skimage.restoration import cycle_spin, denoise_wavelet

from autodip.denoisers.context import Context, Denoised
from autodip.denoisers.risk import Probe, least
from autodip.util.optional import require

STRENGTHS = tuple(round(0.5 * 1.25**k, 3) for k in range(9))
"""Noise standard deviations passed to the shrinkage, relative to the estimated one."""
SHIFTS = 3
"""Largest shift; results for shifts of 0 ... 3 pixels along each axis are averaged."""


def denoise(image: np.ndarray, context: Context) -> Denoised:
    """Denoise an image (Y, X) by soft shrinkage of Symlet coefficients."""
    require("pywt", "benchmark")
    image = image.astype(np.float64)
    probe = Probe.of(image, context.seed)
    sigma = probe.sigma
    found = least(image, partial(smooth, sigma=sigma), STRENGTHS, probe)
    given = found.setting * sigma
    return Denoised(found.image, {"sigma": given, "noise": sigma, "risk": found.evidence})


def smooth(image: np.ndarray, strength: float, sigma: float) -> np.ndarray:
    """Wavelet shrinkage of the image in units of ``sigma``."""
    shrink = partial(denoise_wavelet, wavelet="sym4", sigma=strength, method="BayesShrink")
    result: np.ndarray = cycle_spin(image / sigma, shrink, SHIFTS, workers=1)
    return result * sigma
