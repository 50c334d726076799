"""Data type of a result: one that holds what was gained."""

from __future__ import annotations

import numpy as np

from autodip.image.image import Image
from autodip.physics.noise import Noise

_WEAK = 2.5
"""Standard deviation of the noise, in grey values, below which rounding loses what was gained: up
to 0.4 dB, and up to 1 % of the light where a smooth background lies between two grey values. Above
it, no more than 0.2 dB was lost on 8-bit images."""

_FAINT = 4.0
"""Mean brightness above the darkest pixel, in grey values, below which rounding changes it."""

_RARE = 2.0, 2.0
"""Photons are rare if one of them has more than this many standard deviations of the noise at the
median brightness. The light is then lost by rounding if the mean is within so many grey values of
the median."""

_LEVELS = 16
"""Number of grey levels below which the same holds for images whose noise cannot be estimated."""


def is_coarse(plane: np.ndarray, noise: Noise | None) -> bool:
    """Whether the grey values of a plane are too far apart for a denoised image.

    Parameters
    ----------
    plane : ndarray of integers, shape (Y, X)
    noise : Noise or None
        Noise of the plane, if it could be estimated.
    """
    low, high = float(plane.min()), float(plane.max())
    if low == high:  # an empty channel, which is passed through
        return False
    if noise is None:
        return high - low < _LEVELS
    if noise.absent:
        return False
    dark = float(np.sqrt(noise.curve[0][1])) if noise.curve else noise.sigma
    mean = float(plane.mean())
    if noise.gain > _RARE[0] * noise.sigma and mean - float(np.median(plane)) < _RARE[1]:
        return True
    return min(noise.sigma, dark) < _WEAK or mean - low < _FAINT


def result_dtype(
    image: Image, coarse: bool, specified: str | None
) -> tuple[np.dtype, tuple[str, ...]]:
    """Data type of the result for an image, and notes on it.

    Parameters
    ----------
    image : Image
    coarse : bool
        Whether a channel :func:`is_coarse`.
    specified : str or None
        Data type that the user specified.

    Returns
    -------
    dtype, notes : dtype, tuple of str
        By default the type of the image, or float32 for integers that are coarse, except for
        colour images, whose samples are integers in all formats.
    """
    own = image.data.dtype
    dtype = np.dtype(specified or own)
    if not coarse:
        return dtype, ()
    if specified is None and "S" not in image.axes:
        note = f"the result is float32, because {own.name} has too few grey levels for it"
        rounded = f"; --dtype {own.name} rounds it" if own.name in ("uint8", "uint16") else ""
        return np.dtype(np.float32), (note + rounded,)
    if dtype.kind not in "iu":
        return dtype, ()
    return dtype, (
        f"the result is rounded to {dtype.name}, which has too few grey levels for it, so that the "
        "mean may change; float32 keeps it, in formats other than PNG",
    )
