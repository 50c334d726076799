"""What happens to an image between the sensor and the file: interpolation, faults, grey levels.

All functions take and return images (Y, X) in photons.
"""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
from PIL import Image as Pillow
from scipy.ndimage import correlate1d, gaussian_filter, shift
from scipy.special import ndtr

Mosaic = Literal["none", "green", "red", "blue", "grey"]
"""Colour of a camera with a Bayer filter that is used; "grey" is the luma of the three."""

Resampling = Literal["nearest", "linear", "cubic", "area"]
"""Interpolation at points, or averages over the area of the new pixels."""

_KINDS = {
    "nearest": Pillow.Resampling.NEAREST,
    "linear": Pillow.Resampling.BILINEAR,
    "cubic": Pillow.Resampling.BICUBIC,
}
_TAPS = np.array([0.5, 1.0, 0.5])
_LUMA = {"red": 0.299, "green": 0.587, "blue": 0.114}
"""Weights of the luma (ITU-R BT.601)."""


def demosaic(image: np.ndarray, mosaic: Mosaic, phase: tuple[int, int]) -> np.ndarray:
    """Bilinear interpolation of one colour of a Bayer filter, or the luma of all three.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
        Values of all pixels, of which those of the colour are used.
    mosaic : str
        "none", "green", "red", "blue" or "grey".
    phase : tuple of int
        Row and column, 0 or 1, of the first red pixel.
    """
    match mosaic:
        case "none":
            return image
        case "grey":
            one = {colour: _colour(image, colour, phase) for colour in _LUMA}
            return np.asarray(sum(weight * one[colour] for colour, weight in _LUMA.items()))
        case _:
            return _colour(image, mosaic, phase)


def _colour(image: np.ndarray, colour: str, phase: tuple[int, int]) -> np.ndarray:
    """Bilinear interpolation of one colour."""
    sites = np.zeros_like(image)
    y, x = phase
    if colour == "green":
        green = _green_sites(image.shape, phase)
        sites[green] = image[green]
        near = correlate1d(sites, [1.0, 0, 1], 0) + correlate1d(sites, [1.0, 0, 1], 1)
        return np.where(green, sites, near / 4)
    if colour == "blue":
        y, x = 1 - y, 1 - x
    sites[y::2, x::2] = image[y::2, x::2]
    return np.asarray(correlate1d(correlate1d(sites, _TAPS, 0), _TAPS, 1))


def _green_sites(shape: tuple[int, ...], phase: tuple[int, int]) -> np.ndarray:
    """Mask of the green sites of a Bayer filter, shape (Y, X)."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((y + x + phase[0] + phase[1]) % 2 == 1)


def resize(
    image: np.ndarray, scale: float, resampling: Resampling, place: tuple[float, ...]
) -> np.ndarray:
    """Resize by a factor.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
    scale : float
        Size of the result relative to the image, above 0.
    resampling : str
        "nearest", "linear", "cubic" or "area"; "nearest" and "area" enlarge by linear
        interpolation.
    place : tuple of float
        Position (Y, X) of the first new pixel within the first old one, 0 to 1.

    Returns
    -------
    ndarray
        Up to 3 pixels a side smaller than ``scale`` times the image.
    """
    if scale == 1:
        return image
    rows, columns = (int(n * scale) - 3 for n in image.shape)
    picture = Pillow.fromarray(image.astype(np.float32))
    if resampling == "area" or scale > 1:
        kind = Pillow.Resampling.BICUBIC if resampling == "cubic" else Pillow.Resampling.BILINEAR
        kind = Pillow.Resampling.BOX if resampling == "area" and scale < 1 else kind
        box = (place[1], place[0], place[1] + columns / scale, place[0] + rows / scale)
        return np.asarray(picture.resize((columns, rows), kind, box), np.float64)
    matrix = (1 / scale, 0, place[1], 0, 1 / scale, place[0])
    moved = picture.transform((columns, rows), Pillow.Transform.AFFINE, matrix, _KINDS[resampling])
    return np.asarray(moved, np.float64)


def passed_variance(sigma: float) -> float:
    """Share of the variance of white noise that passes a Gaussian filter of this width."""
    impulse = np.zeros(65)
    impulse[32] = 1
    passed = float((gaussian_filter(impulse, sigma) ** 2).sum())
    return passed**2


def displace_lines(
    image: np.ndarray, deviation: float, generator: np.random.Generator
) -> np.ndarray:
    """Displace every line along X by a random distance of this standard deviation (pixels)."""
    moves = deviation * generator.standard_normal(len(image))
    lines = [
        shift(row, move, order=1, mode="nearest") for row, move in zip(image, moves, strict=True)
    ]
    return np.stack(lines)


def add_hot_pixels(
    image: np.ndarray, share: float, bright: float, generator: np.random.Generator
) -> np.ndarray:
    """Add 0.1 to 2 times ``bright`` to a random share of the pixels."""
    hot = generator.random(image.shape) < share
    return np.where(hot, image + bright * generator.uniform(0.1, 2, image.shape), image)


def compress_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """Compress as a JPEG file whose white is the brightest pixel; quality 1 to 95."""
    top = max(float(image.max()), 1e-9)
    grey = Pillow.fromarray(np.rint(np.clip(image / top, 0, 1) * 255).astype(np.uint8))
    file = io.BytesIO()
    grey.save(file, "JPEG", quality=quality)
    return np.asarray(Pillow.open(file), np.float64) / 255 * top


def mean_above(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Expectation of max(x, 0) for normally distributed x."""
    ratio = np.clip(mean / deviation, -30, 30)
    density = np.exp(-0.5 * ratio**2) / np.sqrt(2 * np.pi)
    return np.asarray(mean * ndtr(ratio) + deviation * density)
