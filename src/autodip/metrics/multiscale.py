"""Multi-scale SSIM, computed by the library pytorch-msssim."""

from __future__ import annotations

import numpy as np

from autodip.errors import ImageError
from autodip.metrics.fidelity import psnr
from autodip.util.optional import require

SMALLEST = 176
"""Pixels a side below which the coarsest scale has no room for a window of 11 pixels."""

_STEP = 16
"""Pixels of the image per pixel of the coarsest of five scales."""


def ms_ssim(image: np.ndarray, truth: np.ndarray, *, data_range: float) -> float:
    """Multi-scale structural similarity (Wang, Simoncelli and Bovik, Asilomar 2003).

    Contrast and structure at five scales, each half the size of the one before by averaging
    2 x 2 pixels, and brightness at the coarsest, multiplied with exponents 0.0448, 0.2856,
    0.3001, 0.2363, 0.1333; Gaussian windows of sigma 1.5 and 11 pixels. A factor below 0
    counts as 0.

    Sides are cut to a multiple of 16 pixels (at the bottom and right), so that every scale has
    whole pixels; the library would put a black border around odd sides.

    Parameters
    ----------
    image, truth : ndarray, shape (Y, X), 176 pixels or more a side
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
        If the library is not installed.
    """
    psnr(image, truth, data_range=data_range)  # checks shapes, pixels and range
    if image.ndim != 2 or min(image.shape) < SMALLEST:
        raise ImageError(
            f"multi-scale SSIM compares images (Y, X) of {SMALLEST} x {SMALLEST} pixels or more; "
            f"got shape {image.shape}"
        )
    library = require("pytorch_msssim", "benchmark")
    import torch  # noqa: PLC0415  (slow to import)

    rows, columns = (side // _STEP * _STEP for side in image.shape)
    pair = [
        torch.from_numpy(data[None, None, :rows, :columns].astype(np.float64))
        for data in (image, truth)
    ]
    with torch.inference_mode():
        return float(library.ms_ssim(*pair, data_range=data_range))
