"""Noise autocorrelation: its measurement, its power spectrum, and drawing of correlated noise."""

from __future__ import annotations

import numpy as np

from autodip.physics.noise import CERTAIN

BLOCK = 16
"""Side length of the blocks in which noise is measured, in pixels."""

LAGS = 2
"""Largest lag of an autocorrelation along an axis, in pixels."""

_ROUNDS, _DRAWN = 2, 512
"""Rounds of the autocorrelation bootstrap, and largest side length of its noise images (pixels)."""


def spectrum(correlation: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Power spectrum of unit-variance noise with a given autocorrelation, on an FFT grid.

    Parameters
    ----------
    correlation : ndarray, shape (2n + 1, 2n + 1)
        Autocorrelation for lags -n ... n along Y and X, as returned by :func:`autocorrelation`.
    shape : tuple of int
        Size of the grid (Y, X), in pixels; at least the shape of ``correlation``.

    Returns
    -------
    ndarray, shape (Y, X)
        Power with a mean of 1; 1 everywhere for white noise.
    """
    lags, size = np.zeros(shape), len(correlation)
    lags[:size, :size] = correlation
    power = np.fft.fft2(np.roll(lags, (-(size // 2), -(size // 2)), (0, 1))).real
    # Truncating the lags makes the power of some frequencies negative, which is impossible.
    power = np.maximum(power, 0.01 * power.max())
    return np.asarray(power / power.mean())


def _blocks(image: np.ndarray) -> np.ndarray:
    """Cut into non-overlapping blocks (n, 16, 16)."""
    rows, columns = (n // BLOCK for n in image.shape)
    cut = image[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return cut.swapaxes(1, 2).reshape(-1, BLOCK, BLOCK)


def autocorrelation(image: np.ndarray) -> np.ndarray:
    """Autocorrelation of the noise for lags up to 2 pixels, from the flattest blocks.

    A block is flat if its coarse variation is small compared with its fine variation. This
    selection, and the subtraction of a plane from each block, hide part of the correlation. The
    hidden part is measured on noise drawn with the correlation found, and added back (a
    parametric bootstrap, Efron & Tibshirani 1993, chapter 10). This correction is made only if
    the correlation is beyond doubt: at least :data:`autodip.physics.noise.CERTAIN` along both
    axes, in an image of at least 128 x 128 pixels. In smaller images, or images full of fine
    structure, part of the measured correlation may be due to that structure.

    Parameters
    ----------
    image : ndarray, float, shape (Y, X)
        At least 64 x 64 pixels, in any units.

    Returns
    -------
    ndarray, shape (5, 5)
        Lags -2 ... 2 along Y and X; 1 at the centre.
    """
    found = _measured(image)
    if min(found[LAGS + 1, LAGS], found[LAGS, LAGS + 1]) < CERTAIN or min(image.shape) < 128:
        return found
    rows, columns = (min(n, _DRAWN) for n in image.shape)
    corrected = found
    for _ in range(_ROUNDS):
        drawn = draw(corrected, (rows, columns), np.random.default_rng(0))
        corrected = np.clip(corrected + found - _measured(drawn), -0.5, 0.95)
        corrected[LAGS, LAGS] = 1
    return corrected


def draw(
    correlation: np.ndarray, shape: tuple[int, int], generator: np.random.Generator
) -> np.ndarray:
    """Draw Gaussian noise of variance 1 with a given autocorrelation and periodic borders.

    Parameters
    ----------
    correlation : ndarray, shape (2n + 1, 2n + 1)
        As in :func:`spectrum`.
    shape : tuple of int
        Size of the noise image (Y, X), in pixels.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray, shape (Y, X)
    """
    white = np.fft.fft2(generator.standard_normal(shape))
    return np.asarray(np.fft.ifft2(white * np.sqrt(spectrum(correlation, shape))).real)


def _measured(image: np.ndarray) -> np.ndarray:
    """Autocorrelation (5, 5), averaged over the flattest tenth of the blocks."""
    blocks = _blocks(image)
    axis = np.arange(BLOCK) - (BLOCK - 1) / 2
    plane = np.stack([np.ones((BLOCK, BLOCK)), *np.meshgrid(axis, axis)]).reshape(3, -1)
    flat = blocks.reshape(len(blocks), -1)
    residual = flat - flat @ np.linalg.pinv(plane) @ plane
    residual = residual.reshape(blocks.shape)
    variance = residual.var(axis=(1, 2))
    coarse = residual.reshape(-1, 4, BLOCK // 4, 4, BLOCK // 4).mean(axis=(2, 4)).var(axis=(1, 2))
    usable = variance > 0
    if not usable.any():
        return white()
    ratio = coarse[usable] / variance[usable]
    chosen = residual[usable][ratio <= np.quantile(ratio, 0.1)]
    chosen = chosen / chosen.std(axis=(1, 2), keepdims=True)
    result = np.zeros((2 * LAGS + 1,) * 2)
    for dy in range(-LAGS, LAGS + 1):
        for dx in range(-LAGS, LAGS + 1):
            a = chosen[:, max(0, dy) : BLOCK + min(0, dy), max(0, dx) : BLOCK + min(0, dx)]
            b = chosen[:, max(0, -dy) : BLOCK + min(0, -dy), max(0, -dx) : BLOCK + min(0, -dx)]
            result[LAGS + dy, LAGS + dx] = np.mean(a * b)
    return result


def white() -> np.ndarray:
    """Autocorrelation (5, 5) of white noise: 1 at the centre, 0 elsewhere."""
    result = np.zeros((2 * LAGS + 1,) * 2)
    result[LAGS, LAGS] = 1
    return result
