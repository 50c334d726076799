"""Conservation of light and contrast: what averages of the noisy image show, a result must hold."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

_SMOOTH = 16.0
"""Standard deviation of the Gaussian filter that averages the light, in pixels. The noise left in
such an average is a thousandth of that of a pixel."""

_BIN = 4
"""Side of the squares of pixels that are averaged first, in pixels."""

_MOST = 4.0
"""Largest factor by which light is corrected."""

_SCALES = (4.0, 8.0, 16.0, 32.0)
"""Standard deviations of the Gaussian filters that cut an image into bands of detail, in pixels. In
an average over 4 pixels the noise is a fourteenth of that of a pixel."""

_FINE = 2
"""As :data:`_BIN`, for these bands."""


def keep_flux(
    noisy: np.ndarray, result: np.ndarray, black: float, *, allowed: float = 0.0
) -> np.ndarray:
    """Correct a result so that it is as bright as the noisy image, around every pixel and overall.

    A denoiser that estimates a nonlinear transform of the image, or that has learned what images
    look like, adds or removes light where there is little of it. One that minimises the squared
    error draws faint detail towards its surroundings, so that bright areas become darker and dark
    areas brighter.

    Parameters
    ----------
    noisy, result : ndarray, shape (Y, X)
        In the same units.
    black : float
        Grey value without light. The light above it is multiplied by the ratio of the averages.
    allowed : float
        Mean squared error that the correction of the contrast may add at most, in squared units of
        the image; 0 for no such correction.

    Returns
    -------
    ndarray, float64, shape (Y, X)
    """
    light = result.astype(np.float64) - black
    there = _averaged(noisy.astype(np.float64) - black)
    here = _averaged(light)
    least = 1e-12 * max(float(np.abs(here).max()), 1e-300)
    ratio = np.clip(there / np.maximum(here, least), 1 / _MOST, _MOST)
    finer = zoom(ratio, _BIN, order=1, mode="nearest", grid_mode=True)
    light = light * finer[: light.shape[0], : light.shape[1]]
    if allowed > 0:
        light += _lost_contrast(noisy.astype(np.float64) - black, light, allowed)
    total = max(float(light.mean()), least)
    whole = (float(noisy.mean()) - black) / total
    return np.asarray(black + light * np.clip(whole, 1 / _MOST, _MOST))


def _lost_contrast(noisy: np.ndarray, light: np.ndarray, allowed: float) -> np.ndarray:
    """What a result lacks of the contrast of the noisy image, in bands of coarse detail.

    In each band the result is multiplied by the slope of the noisy image over the result, one
    number for the whole image, which the noise hardly disturbs. Where the result is the best
    linear estimate, this is the inverse of the share that it holds of the true contrast. It adds
    the square of the change to the squared error.
    """
    sides = [(0, -length % _FINE) for length in light.shape]
    padded = [np.pad(one, sides, mode="symmetric") for one in (noisy, light)]
    there, here = (_bands(_squares(one, _FINE)) for one in padded)
    lost = np.zeros_like(here[0])
    for original, own in zip(there, here, strict=True):
        power = float(np.mean(own**2))
        if power <= 0:
            continue
        change = float(np.mean(original * own)) / power - 1
        limit = np.sqrt(allowed / len(_SCALES) / power)
        lost += np.clip(change, -limit, limit) * own
    lost *= min(1.0, float(np.sqrt(allowed / max(float(np.mean(lost**2)), 1e-300))))
    finer = zoom(lost, _FINE, order=1, mode="nearest", grid_mode=True)
    return np.asarray(finer[: light.shape[0], : light.shape[1]])


def _bands(squares: np.ndarray) -> list[np.ndarray]:
    """Differences between averages over more and more pixels; the last is that to the mean."""
    averages = [gaussian_filter(squares, scale / _FINE) for scale in _SCALES]
    averages.append(np.full_like(squares, squares.mean()))
    return [finer - coarser for finer, coarser in itertools.pairwise(averages)]


def _averaged(light: np.ndarray) -> np.ndarray:
    """Light averaged over the surroundings, in squares of pixels."""
    sides = [(0, -length % _BIN) for length in light.shape]
    padded = np.pad(light, sides, mode="symmetric")
    return np.asarray(gaussian_filter(_squares(padded, _BIN), _SMOOTH / _BIN))


def _squares(image: np.ndarray, side: int) -> np.ndarray:
    """Means of squares of pixels; the sides of the image are multiples of theirs."""
    rows, columns = (length // side for length in image.shape)
    return np.asarray(image.reshape(rows, side, columns, side).mean(axis=(1, 3)))
