"""Images at half resolution, where correlated noise is nearly white."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import zoom


def halved(image: np.ndarray) -> np.ndarray:
    """Means over 2 x 2 pixels, (Y / 2, X / 2) rounded up, of an image (Y, X)."""
    rows, columns = image.shape
    even = np.pad(image, ((0, rows % 2), (0, columns % 2)), mode="symmetric")
    pairs = even[::2] + even[1::2]
    return np.asarray((pairs[:, ::2] + pairs[:, 1::2]) / 4)


def doubled(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Cubic interpolation of an image from :func:`halved` to ``shape`` (Y, X)."""
    full = zoom(image, 2, order=3, mode="grid-mirror", grid_mode=True)
    return np.asarray(full[: shape[0], : shape[1]])


def halved_variance(correlation: np.ndarray) -> float:
    """Variance of a mean over 2 x 2 pixels of noise of variance 1.

    Parameters
    ----------
    correlation : ndarray, shape (5, 5)
        Autocorrelation of the noise, as from :func:`autodip.physics.correlation.autocorrelation`.
    """
    # The 16 pairs of pixels: 4 at lag 0, 2 at each of 4 adjacent lags, 1 at each of 4 diagonal.
    weights = np.outer([1, 2, 1], [1, 2, 1]) / 16
    return max(float((weights * correlation[1:4, 1:4]).sum()), 1 / 16)
