"""Multi-scale SSIM, computed by the library pytorch-msssim."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from autodip.errors import ImageError
from autodip.metrics.fidelity import pair
from autodip.util.optional import require

SMALLEST = 176
"""Minimum side in pixels; below it a window of 11 pixels does not fit the coarsest scale."""

_STEP = 16
"""Image pixels per pixel of the coarsest of the five scales, along each axis."""


def ms_ssim(image: ArrayLike, truth: ArrayLike, *, data_range: float) -> float:
    """Multi-scale structural similarity (Wang, Simoncelli and Bovik, Asilomar 2003).

    The product of contrast and structure at five scales, and of luminance at the coarsest
    scale, with the exponents 0.0448, 0.2856, 0.3001, 0.2363 and 0.1333. Each scale averages
    2 x 2 pixels of the one before; windows are Gaussian with sigma 1.5 and 11 pixels wide.
    Negative factors count as 0.

    Sides are cropped (at the bottom and right) to a multiple of 16 pixels so that every scale
    has whole pixels; the library would pad odd sides with a black border.

    Parameters
    ----------
    image, truth : ndarray, shape (Y, X), at least 176 pixels per side
        In the same units.
    data_range : float
        255 for 8-bit data, by convention.

    Returns
    -------
    float
        From 0 to 1; 1 for identical images.

    Raises
    ------
    ImageError
        If the shapes differ, a side is too short, or a pixel is NaN or infinite.
    ParameterError
        If ``data_range`` is not positive.
    MissingPackageError
        If the library pytorch-msssim is not installed.

    Examples
    --------
    >>> import numpy as np, autodip
    >>> noisy, truth = autodip.sample(size=176)
    >>> autodip.metrics.ms_ssim(noisy, truth, data_range=np.ptp(truth)) < 1
    True
    """
    image, truth = pair(image, truth, data_range)
    if image.ndim != 2 or min(image.shape) < SMALLEST:
        raise ImageError(
            f"multi-scale SSIM compares images (Y, X) of {SMALLEST} x {SMALLEST} pixels or more; "
            f"got shape {image.shape}"
        )
    library = require("pytorch_msssim", "benchmark")
    import torch  # noqa: PLC0415  (slow to import)

    rows, columns = (side // _STEP * _STEP for side in image.shape)
    tensors = [
        torch.from_numpy(data[None, None, :rows, :columns].astype(np.float64))
        for data in (image, truth)
    ]
    with torch.inference_mode():
        return float(library.ms_ssim(*tensors, data_range=data_range))
