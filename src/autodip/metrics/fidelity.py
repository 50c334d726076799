"""PSNR and SSIM against a ground-truth image; the data range is always explicit."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from autodip.errors import ImageError, ParameterError


def psnr(image: ArrayLike, truth: ArrayLike, *, data_range: float) -> float:
    """Peak signal-to-noise ratio, ``10 log10(data_range**2 / MSE)``, in dB.

    Parameters
    ----------
    image, truth : array, same shape
        In the same units; anything that ``numpy.asarray`` takes, a result or an image as well.
    data_range : float
        255 for 8-bit data, by convention.

    Returns
    -------
    float
        Infinite for identical images.

    Raises
    ------
    ImageError
        If the shapes differ, or a pixel is NaN or infinite.
    ParameterError
        If ``data_range`` is not positive.

    Examples
    --------
    >>> import numpy as np, autodip
    >>> noisy, truth = autodip.sample(size=64)
    >>> round(autodip.metrics.psnr(noisy, truth, data_range=np.ptp(truth)), 1)
    24.5
    """
    image, truth = pair(image, truth, data_range)
    if np.array_equal(image, truth):
        return float("inf")
    return float(peak_signal_noise_ratio(truth, image, data_range=data_range))


def ssim(image: ArrayLike, truth: ArrayLike, *, data_range: float) -> float:
    """Structural similarity with Gaussian windows of sigma 1.5 (Wang et al. 2004), at most 1.

    Parameters and errors are those of :func:`psnr`; the images must have shape (Y, X) and at
    least 11 pixels per side.

    Examples
    --------
    >>> import numpy as np, autodip
    >>> noisy, truth = autodip.sample(size=64)
    >>> round(autodip.metrics.ssim(noisy, truth, data_range=np.ptp(truth)), 2)
    0.7
    """
    image, truth = pair(image, truth, data_range)
    if image.ndim != 2 or min(image.shape) < 11:
        raise ImageError(
            f"SSIM compares images (Y, X) of 11 x 11 pixels or more; got shape {image.shape}"
        )
    return float(
        structural_similarity(
            truth,
            image,
            data_range=data_range,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def pair(image: ArrayLike, truth: ArrayLike, data_range: float) -> tuple[np.ndarray, np.ndarray]:
    """Two images as float64, after checking that they can be compared.

    Raises
    ------
    ImageError, ParameterError
        As in :func:`psnr`.
    """
    image, truth = np.asarray(image), np.asarray(truth)
    for name, data in (("first", image), ("second", truth)):
        if data.dtype.kind not in "iuf":
            raise ImageError(f"the {name} image has {data.dtype} values; real numbers are needed")
    if image.shape != truth.shape:
        raise ImageError(
            f"the images have different shapes, {image.shape} and {truth.shape}; "
            "crop one to the field of view of the other"
        )
    if not data_range > 0:
        raise ParameterError(f"data range is {data_range!r}; it must be above 0 (255 for 8 bits)")
    for name, data in (("first", image), ("second", truth)):
        if not np.isfinite(data).all():
            raise ImageError(f"the {name} image has NaN or infinite pixels; replace them first")
    return image.astype(np.float64), truth.astype(np.float64)
