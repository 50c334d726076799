"""Standard error of each pixel of a result, and what follows from it.

The error is predicted from the surroundings of the pixel in the result and in what was removed,
by a regression that was calibrated on pairs of noisy and true images
(docs/results/trust/error_map.md).
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from autodip.physics.noise import Noise
from autodip.trust.error_model import ErrorModel, load_error_model
from autodip.trust.local_features import Surroundings, features, unexplained

COVERED = 0.9
"""Share of the pixels whose truth lies within :data:`WIDTH` standard errors of the result."""

WIDTH = 1.645

_TAILS = 0.6
"""By how many dB the mean squared error exceeds that of a normal distribution with 90 % of its
values within 1.645 standard deviations; the mean of the real sets that were left out."""

GROSS, _FLAGGED = 3.0, 1.25
"""Errors that are gross, and standard errors from which a pixel is flagged, both relative to the
root mean square of the standard errors of the image."""

_REMOVED = 6.0
"""Standard deviation of the Gaussian filter that averages what was removed, in pixels."""


def standard_error(
    noisy: np.ndarray,
    result: np.ndarray,
    noise: Noise | None,
    *,
    darkest: float | None = None,
    fitted: bool = False,
) -> np.ndarray:
    """Predict the standard error of each pixel of a result.

    The truth is expected within ``result ± 1.645 * standard error`` in 90 % of the pixels of a
    data set. The truth is what the mean of many exposures tends to; what is common to a whole
    image, such as the gain of the lamp, is not part of the error.

    Parameters
    ----------
    noisy, result : ndarray, shape (Y, X)
        In the units of the image, without NaN or infinite pixels.
    noise : Noise or None
        Noise of the noisy image. If it could not be estimated (None) or is absent, the standard
        error is the root mean square of what was removed around the pixel: an upper bound, which
        is reached if all of it was structure; 0 where nothing was removed.
    darkest : float, optional
        Lowest grey value of the noisy image, if ``noisy`` is a part of it.
    fitted : bool
        Whether the result is that of a fit, not of the learned prior.

    Returns
    -------
    ndarray, float32, shape (Y, X)
        In the units of the image; finite, 0 or more. A pixel depends on the pixels within
        :data:`autodip.trust.local_features.REACH`.
    """
    noisy, result = noisy.astype(np.float64), result.astype(np.float64)
    if noise is None or noise.absent or min(noisy.shape) < 2:
        return _removed(noisy - result)
    model = load_error_model()
    error = error_by(model, Surroundings.of(noisy, result, noise, darkest), noise)
    return np.asarray((error * (model.fitted if fitted else 1)).astype(np.float32))


def error_by(model: ErrorModel, around: Surroundings, noise: Noise) -> np.ndarray:
    """Standard errors by a model, float64, shape (Y, X), of a result of the learned prior."""
    error = model.squared_error(features(around, noise), around.stable.shape)
    return np.asarray(np.sqrt(np.maximum(error, unexplained(around, noise))) * around.unit)


def _removed(residual: np.ndarray) -> np.ndarray:
    """Root mean square of the residual around each pixel, float32."""
    largest = float(np.abs(residual).max(initial=0))
    if largest == 0:
        return np.zeros(residual.shape, np.float32)
    power = gaussian_filter((residual / largest) ** 2, _REMOVED, mode="reflect")
    return np.asarray((largest * np.sqrt(np.maximum(power, 0))).astype(np.float32))


def expected_psnr(
    result: np.ndarray, error: np.ndarray, *, data_range: float | None = None
) -> float:
    """Peak signal-to-noise ratio that a result is expected to have, in dB.

    From the mean of the squared standard errors, which is a little below that of the squared errors
    because few errors are much larger than their standard error.

    Parameters
    ----------
    result : ndarray, shape (Y, X)
        In the units of the image.
    error : ndarray, shape (Y, X)
        Its standard error from :func:`standard_error`.
    data_range : float, optional
        Peak; by default the range of the result from the 0.1th to the 99.9th percentile.

    Returns
    -------
    float
        Infinite if the error is 0 everywhere; NaN if the range is 0.
    """
    if data_range is None:
        low, high = np.percentile(result, (0.1, 99.9))
        data_range = float(high) - float(low)
    scale = float(error.max(initial=0))
    if data_range <= 0:
        return float("nan")
    if scale == 0:
        return float("inf")
    mean_square = float(np.mean((error.astype(np.float64) / scale) ** 2))
    return float(20 * np.log10(data_range / scale) - 10 * np.log10(mean_square)) - _TAILS


def uncertain(error: np.ndarray) -> np.ndarray:
    """Flag the pixels that are likely to hold the gross errors.

    An error is gross if it exceeds :data:`GROSS` times the root mean square of the standard errors
    of the image. A small part of the pixels has one, most of them where the standard error is large
    (docs/results/trust/error_map.md).

    Parameters
    ----------
    error : ndarray, shape (Y, X)
        Standard error from :func:`standard_error`, of a whole image.

    Returns
    -------
    ndarray, bool, shape (Y, X)
    """
    largest = float(error.max(initial=0))
    if largest == 0:
        return np.zeros(error.shape, bool)
    relative = error.astype(np.float64) / largest
    return np.asarray(relative >= _FLAGGED * np.sqrt(np.mean(relative**2)))
