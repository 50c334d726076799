"""Total variation (Rudin, Osher & Fatemi 1992; Chambolle's algorithm), weight of least risk."""

from __future__ import annotations

from functools import partial

import numpy as np
from skimage.restoration import denoise_tv_chambolle

from autodip.denoisers.context import Context, Denoised
from autodip.denoisers.risk import Probe, least

WEIGHTS = tuple(round(0.25 * 1.4**k, 3) for k in range(10))
"""Weights that are tried, in standard deviations of the noise."""


def denoise(image: np.ndarray, context: Context) -> Denoised:
    """Denoise an image (Y, X) by total variation."""
    image = image.astype(np.float64)
    probe = Probe.of(image, context.seed)
    sigma = probe.sigma
    found = least(image, partial(smooth, sigma=sigma), WEIGHTS, probe)
    weight = found.setting * sigma
    return Denoised(found.image, {"weight": weight, "sigma": sigma, "risk": found.evidence})


def smooth(image: np.ndarray, weight: float, sigma: float) -> np.ndarray:
    """Total-variation denoising of the image in units of ``sigma``."""
    result: np.ndarray = denoise_tv_chambolle(image / sigma, weight, eps=0, max_num_iter=150)
    return result * sigma
