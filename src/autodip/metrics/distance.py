"""LPIPS of arrays in their own units."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from autodip.errors import MissingPackageError
from autodip.metrics.fidelity import pair


def lpips(image: ArrayLike, truth: ArrayLike, *, data_range: float, rescale: bool = False) -> float:
    """Learned perceptual distance, LPIPS v0.1 on AlexNet (Zhang et al., CVPR 2018); 0 is equal.

    Parameters
    ----------
    image, truth : array, shape (Y, X), 32 pixels or more a side
        In the same units; 0 is black.
    data_range : float
        Grey value that is white: 255 for 8-bit data, by convention.
    rescale : bool
        Whether [0, 1] is mapped to [-1, 1] first, as LPIPS is meant to be used. The default is the
        convention of the AUTO-DIP paper and of ``autodip metrics``.

    Raises
    ------
    ImageError
        If the shapes differ or are not (Y, X), a side is too short, or a pixel is NaN or infinite.
    ParameterError
        If ``data_range`` is not positive.
    MissingPackageError
        If the weights are not installed; ``autodip weights install`` installs them.

    Examples
    --------
    >>> import autodip
    >>> noisy, truth = autodip.sample(size=64)
    >>> autodip.metrics.lpips(truth, truth, data_range=truth.max())
    0.0
    """
    one, other = pair(image, truth, data_range)
    from autodip.metrics import alexnet  # noqa: PLC0415  (imports torch)

    distance = alexnet.load()
    if distance is None:
        raise MissingPackageError(
            "LPIPS needs weights that are not installed; install them by autodip weights install"
        )
    return distance(np.divide(one, data_range), np.divide(other, data_range), rescale=rescale)
