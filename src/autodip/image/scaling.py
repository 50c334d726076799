"""Scaling of intensities to [0, 1], and back to the units and the type of the input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodip.errors import ImageError


@dataclass(frozen=True)
class Scale:
    """The linear map from ``low`` to 0 and from ``high`` to 1."""

    low: float
    high: float

    @classmethod
    def of(cls, image: np.ndarray) -> Scale:
        """Scale from the image's own extremes, as in the reference implementation.

        Parameters
        ----------
        image : ndarray, any shape

        Raises
        ------
        ImageError
            If a pixel is NaN or infinite, or all pixels are equal.
        """
        return cls.between(*extremes(image))

    @classmethod
    def between(cls, low: float, high: float) -> Scale:
        """Scale from given extremes.

        Raises
        ------
        ImageError
            If ``low`` is not below ``high``, or their difference overflows a float.
        """
        if not low < high:
            raise ImageError(f"all pixels are {low:g}: a constant image holds nothing to denoise")
        if not np.isfinite(high - low):
            raise ImageError(
                f"the range from {low:g} to {high:g} overflows; divide the image first"
            )
        return cls(low, high)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Map the image's units to [0, 1], in float64."""
        return (image.astype(np.float64) - self.low) / (self.high - self.low)

    def invert(self, image: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Map [0, 1] to the image's units in ``dtype``; integers are rounded and clipped."""
        return to_dtype(image.astype(np.float64) * (self.high - self.low) + self.low, dtype)


def extremes(image: np.ndarray, first_row: int = 0) -> tuple[float, float]:
    """Smallest and largest pixel value.

    Parameters
    ----------
    image : ndarray, any shape
    first_row : int
        Row of the whole image at which ``image`` begins, for the error message.

    Raises
    ------
    ImageError
        If a pixel is NaN or infinite.
    """
    if image.dtype.kind == "f":
        bad = ~np.isfinite(image)
        if bad.any():
            row, *others = (int(i) for i in np.argwhere(bad)[0])
            raise ImageError(
                f"{int(bad.sum())} of {image.size} pixels are NaN or infinite, the first at "
                f"{(row + first_row, *others)}; replace them (for example by the median of "
                "their neighbours) or crop"
            )
    return float(image.min()), float(image.max())


def to_dtype(image: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Cast without wrap-around: integers are rounded, then clipped to the range of the type."""
    if dtype.kind in "iu" and image.dtype != dtype:
        limits = np.iinfo(dtype)
        # The largest 64-bit integer has no exact float64; the next float below it is the limit.
        high = float(limits.max)
        high = np.nextafter(high, 0) if int(high) > limits.max else high
        image = np.clip(np.rint(image.astype(np.float64)), float(limits.min), high)
    return image.astype(dtype)


def brightness(plane: np.ndarray) -> np.ndarray:
    """Relative brightness of a clean image.

    Parameters
    ----------
    plane : ndarray, shape (Y, X)

    Returns
    -------
    ndarray, float32, shape (Y, X)
        0 for the darkest thousandth of the pixels, 1 for the brightest pixel.
    """
    plane = plane.astype(np.float32)
    dark, bright = float(np.percentile(plane, 0.1)), float(plane.max())
    return np.clip((plane - dark) / max(bright - dark, 1e-9), 0, None)


def is_constant(image: np.ndarray) -> bool:
    """Whether all pixels are equal."""
    return bool((image == image.flat[0]).all())
