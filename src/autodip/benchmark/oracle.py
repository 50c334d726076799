"""Bounds: classical methods whose setting is chosen with the help of the truth."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from autodip.denoisers import gaussian, tv
from autodip.denoisers.context import Context, Denoised
from autodip.errors import ParameterError


def blur(image: np.ndarray, context: Context) -> Denoised:
    """Blur an image (Y, X) by a Gaussian with the standard deviation of highest PSNR."""
    return _best(image.astype(np.float64), context, gaussian.smooth, gaussian.SIGMAS)


def total_variation(image: np.ndarray, context: Context) -> Denoised:
    """Denoise an image (Y, X) by total variation with the weight of highest PSNR."""
    image = image.astype(np.float64)
    sigma = float(np.ptp(image)) / 20
    weights = [0.1 * 1.25**k for k in range(20)]
    return _best(image, context, partial(tv.smooth, sigma=sigma), weights)


def _best(
    image: np.ndarray,
    context: Context,
    denoise: Callable[[np.ndarray, float], np.ndarray],
    settings: list[float] | tuple[float, ...],
) -> Denoised:
    if context.truth is None:
        raise ParameterError("an oracle needs the truth; the context has none")
    truth = context.truth.astype(np.float64)
    results = ((setting, denoise(image, setting)) for setting in settings)
    setting, result = min(results, key=lambda pair: float(np.mean((pair[1] - truth) ** 2)))
    return Denoised(result, {"setting": setting})
