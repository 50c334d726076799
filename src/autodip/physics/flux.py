"""Conservation of light: a result must hold as much of it as the noisy image, everywhere."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

_SMOOTH = 16.0
"""Standard deviation of the Gaussian filter that averages the light, in pixels. The noise left in
such an average is a thousandth of that of a pixel."""

_BIN = 4
"""Side of the squares of pixels that are averaged first, in pixels."""

_MOST = 4.0
"""Largest factor by which light is corrected."""


def keep_flux(noisy: np.ndarray, result: np.ndarray, black: float) -> np.ndarray:
    """Correct a result so that it is as bright as the noisy image, around every pixel and overall.

    A denoiser that estimates a nonlinear transform of the image, or that has learned what images
    look like, adds or removes light where there is little of it.

    Parameters
    ----------
    noisy, result : ndarray, shape (Y, X)
        In the same units.
    black : float
        Grey value without light. The light above it is multiplied by the ratio of the averages.

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
    total = max(float(light.mean()), least)
    whole = (float(noisy.mean()) - black) / total
    return np.asarray(black + light * np.clip(whole, 1 / _MOST, _MOST))


def _averaged(light: np.ndarray) -> np.ndarray:
    """Light averaged over the surroundings, in squares of pixels."""
    sides = [(0, -length % _BIN) for length in light.shape]
    padded = np.pad(light, sides, mode="symmetric")
    rows, columns = (length // _BIN for length in padded.shape)
    squares = padded.reshape(rows, _BIN, columns, _BIN).mean(axis=(1, 3))
    return np.asarray(gaussian_filter(squares, _SMOOTH / _BIN))
