"""Samples of images to be compared: pixels in [0, 1], at a size that two images share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import sobel

from autodip.errors import ParameterError

SIDE = 256
"""Maximum side of the compared region, in pixels; larger images are compared by their centre."""

LEAST_SIDE = 64
"""Side, in pixels, to which whole images are resampled if the region they share is smaller."""

Size = tuple[int, int] | None
"""Rows and columns of the centre that is compared; None for the whole image, resampled."""

_PERCENTILES = (0.1, 99.9)


@dataclass(frozen=True, eq=False)
class Sample:
    """Pixels and descriptors of an image, to be compared with other images.

    Parameters
    ----------
    pixels : ndarray, shape (Y, X), or None
        Pixels in any units, [0, 1] by convention; None if they were not stored.
    descriptors : mapping of str to float
        See :mod:`autodip.choose.descriptors`.
    """

    pixels: np.ndarray | None
    descriptors: Mapping[str, float]

    @cached_property
    def scaled(self) -> np.ndarray:
        """Pixels (Y, X) in [0, 1]: 0.1th percentile at 0, 99.9th percentile at 1, others clipped.

        Raises
        ------
        ParameterError
            If there are no pixels.
        """
        if self.pixels is None:
            raise ParameterError(
                "this measure compares pixels, but those of an image are not stored; calibrate "
                "with --keep-images, or use the measure descriptor"
            )
        data = self.pixels.astype(np.float64)
        low, high = np.percentile(data, _PERCENTILES)
        if high <= low:
            low, high = data.min(), max(data.max(), data.min() + 1e-12)
        return np.asarray(np.clip((data - low) / (high - low), 0, 1))

    @cached_property
    def gradient(self) -> float:
        """Mean Sobel magnitude of the scaled pixels, per pixel."""
        image = self.scaled
        return float(np.hypot(sobel(image, 0) / 8, sobel(image, 1) / 8).mean())

    def view(self, size: Size) -> np.ndarray:
        """Scaled pixels at a size returned by :func:`shared_size`."""
        if size is None:
            return self._resampled
        top, left = ((have - want) // 2 for have, want in zip(self.scaled.shape, size, strict=True))
        return self.scaled[top : top + size[0], left : left + size[1]]

    @cached_property
    def _resampled(self) -> np.ndarray:
        from skimage.transform import resize  # noqa: PLC0415  (slow to import, rarely needed)

        shape = (LEAST_SIDE, LEAST_SIDE)
        return np.asarray(resize(self.scaled, shape, order=1, anti_aliasing=True))


def shared_size(samples: Sequence[Sample]) -> Size:
    """Size at which images are compared: the centre that all have; None if that is too small.

    Raises
    ------
    ParameterError
        If an image has no pixels.
    """
    shapes = [sample.scaled.shape for sample in samples]
    rows, columns = (min(SIDE, *(shape[axis] for shape in shapes)) for axis in (0, 1))
    return None if min(rows, columns) < LEAST_SIDE else (rows, columns)
