"""PSNR after the best linear fit of intensities, for images that were rescaled separately."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from autodip.errors import ImageError
from autodip.metrics.fidelity import psnr


def fit_affine(result: ArrayLike, truth: ArrayLike) -> tuple[float, float]:
    """Scale ``a`` and offset ``b`` that bring ``a * result + b`` closest to ``truth``.

    Least squares: ``a = cov(result, truth) / var(result)``, ``b = mean(truth) - a *
    mean(result)``, as for the normalised metrics of CARE (Weigert et al., Nature Methods 15,
    2018). The sign of ``a`` is free: it is negative for an inverted image.

    Parameters
    ----------
    result, truth : ndarray, same shape
        Each in its own units.

    Returns
    -------
    a : float
        Units of the truth per unit of the result; 0 for a constant result.
    b : float
        In units of the truth; the mean of the truth for a constant result.

    Raises
    ------
    ImageError
        If the shapes differ, or a pixel is NaN or infinite.
    """
    result, truth = np.asarray(result), np.asarray(truth)
    if result.shape != truth.shape:
        raise ImageError(
            f"the images have different shapes, {result.shape} and {truth.shape}; "
            "crop one to the field of view of the other"
        )
    if not (np.isfinite(result).all() and np.isfinite(truth).all()):
        raise ImageError("an image has NaN or infinite pixels; replace them first")
    result, truth = result.astype(np.float64), truth.astype(np.float64)
    if np.ptp(result) == 0:
        return 0.0, float(truth.mean())
    centred = result - result.mean()
    a = float(np.vdot(centred, truth - truth.mean()) / np.vdot(centred, centred))
    return a, float(truth.mean() - a * result.mean())


def affine_psnr(result: ArrayLike, truth: ArrayLike, *, data_range: float) -> float:
    """PSNR of ``a * result + b`` with the best ``a`` and ``b``, in dB.

    The value does not depend on the scale and offset of the result, so it can compare images
    that were each rescaled to their own range. It is never below the plain PSNR, and ignores
    errors in brightness that the plain PSNR rightly counts: report it in addition to the plain
    PSNR, not instead.

    Parameters
    ----------
    result, truth : ndarray, same shape
        Each in its own units.
    data_range : float
        Range of the truth; 255 for 8-bit data, by convention.

    Returns
    -------
    float
        Infinite only if the scaled result equals the truth to the last bit.

    Raises
    ------
    ImageError
        If the shapes differ, or a pixel is NaN or infinite.
    ParameterError
        If ``data_range`` is not positive.

    Examples
    --------
    >>> import autodip
    >>> noisy, truth = autodip.sample(size=64)
    >>> plain, fitted = (
    ...     round(metric(noisy, truth, data_range=500), 1)
    ...     for metric in (autodip.metrics.psnr, autodip.metrics.affine_psnr)
    ... )
    >>> plain <= fitted
    True
    """
    a, b = fit_affine(result, truth)
    return psnr(a * np.asarray(result, np.float64) + b, truth, data_range=data_range)
