"""Non-local means (Buades, Coll & Morel 2005) of scikit-image, with the strength of least risk."""

from __future__ import annotations

from functools import partial

import numpy as np
from skimage.restoration import denoise_nl_means

from autodip.denoisers.context import Context, Denoised
from autodip.denoisers.risk import Probe, least

STRENGTHS = tuple(round(0.35 * 1.25**k, 3) for k in range(10))
"""Filter parameters h that are tried, in standard deviations of the noise."""


def denoise(image: np.ndarray, context: Context) -> Denoised:
    """Denoise an image (Y, X) by non-local means: 5 x 5 patches, 13 x 13 search window."""
    image = image.astype(np.float64)
    probe = Probe.of(image, context.seed)
    sigma = probe.sigma
    found = least(image, partial(smooth, sigma=sigma), STRENGTHS, probe)
    h = found.setting * sigma
    return Denoised(found.image, {"h": h, "sigma": sigma, "risk": found.evidence})


def smooth(image: np.ndarray, strength: float, sigma: float) -> np.ndarray:
    """Non-local means of the image in units of ``sigma``, with h = ``strength``."""
    result: np.ndarray = denoise_nl_means(
        image / sigma, patch_size=5, patch_distance=6, h=strength, sigma=1.0, fast_mode=True
    )
    return result * sigma
