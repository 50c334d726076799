"""Data type of a result: one that holds what was gained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autodip.image.image import Image
from autodip.physics.noise import Noise

_WEAK = 2.5
"""Standard deviation of the noise, in grey values, below which rounding loses what was gained: up
to 0.4 dB, and up to 1 % of the light where a smooth background lies between two grey values. Above
it, no more than 0.2 dB was lost on simulated 8-bit images."""

_FAINT = 4.0
"""Mean brightness above the darkest pixel, in grey values, below which rounding changes it."""

_RARE = 2.0, 2.0
"""Photons are rare if one of them has more than this many standard deviations of the noise at the
median brightness. The light is then lost by rounding if the mean is within so many grey values of
the median."""

_TOO_FEW = "has too few grey levels for it"

_LOST = 0.3
"""Loss by rounding, in dB, of which a note says that it can be avoided."""

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
        note = f"the result is float32, because {own.name} {_TOO_FEW}"
        rounded = f"; --dtype {own.name} rounds it" if own.name in ("uint8", "uint16") else ""
        return np.dtype(np.float32), (note + rounded,)
    if dtype.kind not in "iu":
        return dtype, ()
    return dtype, (
        f"the result is rounded to {dtype.name}, which {_TOO_FEW}, so that the mean may change; "
        "float32 keeps it, in formats other than PNG",
    )


def rounding_note(
    errors: Sequence[float | None], dtype: np.dtype, notes: Sequence[str]
) -> tuple[str, ...]:
    """Note on what rounding has added to the expected error of a result; empty if that is little.

    Parameters
    ----------
    errors : sequence of float or None
        Expected mean squared errors of the planes before rounding, in squared grey values; None
        where they are not known.
    dtype : dtype
        Data type of the result.
    notes : sequence of str
        Earlier notes; if :func:`result_dtype` has noted the same, it is not repeated.
    """
    known = [error for error in errors if error]
    if dtype.kind not in "iu" or any(_TOO_FEW in note for note in notes) or not known:
        return ()
    lost = 10 * np.log10(1 + 1 / 12 / float(np.median(known)))
    if lost < _LOST:
        return ()
    return (
        f"rounding to {dtype.name} costs about {lost:.1f} dB of what was gained; float32 keeps "
        "it, in formats other than PNG",
    )
