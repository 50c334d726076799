"""What is compared of an image: its pixels in [0, 1], at the size two of them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import sobel

from autodip.errors import ParameterError

SIDE = 256
"""Largest side of what is compared, in pixels: the centre of larger images."""

LEAST_SIDE = 64
"""Where images share fewer pixels a side than this, they are resampled to it."""

Size = tuple[int, int] | None
"""Rows and columns of the centre that is compared; None for the whole, resampled."""

_PERCENTILES = (0.1, 99.9)


@dataclass(frozen=True, eq=False)
class Sample:
    """What is compared of an image.

    Parameters
    ----------
    pixels : ndarray, shape (Y, X), or None
        In any units, [0, 1] by convention; None where they were not kept.
    descriptors : mapping of str to float
        See :mod:`autodip.choose.descriptors`.
    """

    pixels: np.ndarray | None
    descriptors: Mapping[str, float]

    @cached_property
    def scaled(self) -> np.ndarray:
        """Pixels (Y, X) in [0, 1]: the 0.1 percentile at 0, the 99.9 at 1, others clipped.

        Raises
        ------
        ParameterError
            If there are no pixels.
        """
        if self.pixels is None:
            raise ParameterError(
                "this measure compares pixels, and an image has none; calibrate with "
                "--keep-images, or use the measure descriptor"
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
        """Scaled pixels at a size that :func:`shared_size` gave."""
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
    """Size at which images are compared: the centre that all have, None where that is too small.

    Raises
    ------
    ParameterError
        If one has no pixels.
    """
    shapes = [sample.scaled.shape for sample in samples]
    rows, columns = (min(SIDE, *(shape[axis] for shape in shapes)) for axis in (0, 1))
    return None if min(rows, columns) < LEAST_SIDE else (rows, columns)
