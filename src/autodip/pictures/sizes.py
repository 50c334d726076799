"""Sizes of pictures: area-averaged reductions, and scale bars of round lengths."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image as Picture


def reduced(image: np.ndarray, most: int) -> np.ndarray:
    """Reduce an image (Y, X), averaging areas, until no side exceeds ``most`` pixels.

    A smaller image is returned as it is; the result is float32. NaN spreads over its area.
    """
    scale = most / max(image.shape)
    small = image.astype(np.float32)
    if scale >= 1:
        return small
    rows, columns = (max(1, round(side * scale)) for side in image.shape)
    drawn = Picture.fromarray(small).resize((columns, rows), Picture.Resampling.BOX)
    return np.asarray(drawn, np.float32)


@dataclass(frozen=True)
class ScaleBar:
    """A scale bar of a round length.

    Parameters
    ----------
    text : str
        Length with its unit.
    pixels : float
        Length in pixels of the image.
    """

    text: str
    pixels: float


def scale_bar(pixel_size: float | None, width: int) -> ScaleBar | None:
    """Scale bar for an image ``width`` pixels wide: 1, 2 or 5 times a power of ten, at most 30 %.

    Parameters
    ----------
    pixel_size : float or None
        Pixel size along X in µm; None if it is not known.
    width : int

    Returns
    -------
    ScaleBar or None
        None if the pixel size is not known.
    """
    if pixel_size is None or not 0 < pixel_size < math.inf:
        return None
    longest = 0.3 * width * pixel_size
    power = 10.0 ** math.floor(math.log10(longest))
    length = next(unit * power for unit in (5, 2, 1) if unit * power <= longest * (1 + 1e-9))
    units = (("mm", 1000.0), ("µm", 1.0), ("nm", 0.001))
    unit, size = next((one for one in units if length >= one[1] * 0.999), units[-1])
    return ScaleBar(f"{length / size:g} {unit}", length / pixel_size)
