"""Poisson-Gaussian noise of one image: strength as a function of brightness, and correlation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.ndimage import correlate, uniform_filter

_BLOCK = 16
_LAGS = 2
_BINS = 24
# Noise passes this filter, smooth structure does not (Immerkaer 1996); unit gain for white noise.
_MASK = np.array([[1.0, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6
CORRELATED = 0.1
"""Correlation of neighbours above which noise is not taken for white."""

CERTAIN = 0.3
"""Correlation of neighbours measured that no fine structure explains."""

_ROUNDS, _DRAWN = 2, 512
"""Rounds of the bootstrap of the autocorrelation, and largest side of the noise drawn (pixels)."""

_MAD = 0.6745
"""Median absolute value of a standard normal variable."""


@dataclass(frozen=True)
class Noise:
    """Noise model ``variance = gain * signal + constant``, in the units of the image.

    Parameters
    ----------
    gain : float
        Grey values per detected photon (or photo-electron), 0 or more.
    constant : float
        Variance at signal 0 by the straight line; read-out noise less ``gain * offset`` of
        the camera, so it may be negative.
    sigma : float
        Standard deviation at the image's median brightness.
    correlation : tuple of float
        Correlation of the noise of neighbours along Y and along X; about 0 for white noise.
    floor : float
        Smallest variance measured at any brightness; the line is not trusted below it.
    saturated : float
        Fraction of pixels at the brightest value, where more than one in 10,000 has it; else 0.
    """

    gain: float
    constant: float
    sigma: float
    correlation: tuple[float, float]
    floor: float
    saturated: float

    def std(self, signal: np.ndarray) -> np.ndarray:
        """Standard deviation of the noise at ``signal``, an array in units of the image."""
        root: np.ndarray = np.sqrt(np.maximum(self.gain * signal + self.constant, self.floor))
        return root

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary."""
        return {**asdict(self), "correlation": list(self.correlation)}


def estimate(image: np.ndarray) -> Noise | None:
    """Estimate the noise of one image from the image alone.

    The correlation is measured in the flattest blocks; the strength as the robust spread of a
    second-difference filter in bins of brightness, corrected for that correlation, through
    which a straight line is fitted.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
        In its own units.

    Returns
    -------
    Noise or None
        None where it cannot be told: below 64 x 64 pixels, with NaN or infinite pixels, or
        where all pixels are equal.
    """
    image = image.astype(np.float64)
    if min(image.shape) < 4 * _BLOCK or not np.isfinite(image).all():
        return None
    low, span = float(image.min()), float(np.ptp(image))
    if span == 0 or not 1e-100 < span < 1e100:
        return None
    image = (image - low) / span
    correlation = autocorrelation(image)
    peak = image.max()
    share = float(np.mean(image == peak))
    saturated = share if share > 1e-4 else 0.0
    level, variance, weight = _variance_by_level(image, correlation, bool(saturated))
    gain, constant = _line(level, variance, weight)
    floor = float(variance.min())
    sigma = float(np.sqrt(max(gain * float(np.median(image)) + constant, floor)))
    lag1 = (float(correlation[_LAGS + 1, _LAGS]), float(correlation[_LAGS, _LAGS + 1]))
    constant = (constant * span - gain * low) * span
    return Noise(gain * span, constant, sigma * span, lag1, floor * span**2, saturated)


def spectrum(correlation: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Power spectrum of noise of variance 1 with an autocorrelation, on the FFT grid of ``shape``.

    Parameters
    ----------
    correlation : ndarray, shape (5, 5)
        As :func:`autocorrelation` gives it.
    shape : tuple of int
        (Y, X) in pixels.

    Returns
    -------
    ndarray, shape (Y, X)
        Mean 1; 1 everywhere for white noise.
    """
    lags = np.zeros(shape)
    lags[: 2 * _LAGS + 1, : 2 * _LAGS + 1] = correlation
    power = np.fft.fft2(np.roll(lags, (-_LAGS, -_LAGS), (0, 1))).real
    # Cutting the lags off makes some frequencies negative, which no power is.
    power = np.maximum(power, 0.01 * power.max())
    return np.asarray(power / power.mean())


def _blocks(image: np.ndarray) -> np.ndarray:
    """Cut into blocks (n, 16, 16) that don't overlap."""
    rows, columns = (n // _BLOCK for n in image.shape)
    cut = image[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return cut.swapaxes(1, 2).reshape(-1, _BLOCK, _BLOCK)


def autocorrelation(image: np.ndarray) -> np.ndarray:
    """Autocorrelation of the noise for lags up to 2 pixels, from the flattest blocks.

    Flat are blocks whose coarse variation is small beside their fine variation. That choice,
    and taking a plane off each block, hide part of the correlation; how much is measured on
    noise drawn with the correlation found, and given back (a parametric bootstrap, Efron &
    Tibshirani 1993, chapter 10). This is done where the correlation is beyond doubt only: in an
    image full of fine structure, or in a small one, some of it is that structure's.

    Parameters
    ----------
    image : ndarray, float, shape (Y, X)
        At least 64 x 64 pixels, in any units.

    Returns
    -------
    ndarray, shape (5, 5)
        Lags -2 ... 2 along Y and X; 1 at its centre.
    """
    found = _measured(image)
    if min(found[_LAGS + 1, _LAGS], found[_LAGS, _LAGS + 1]) < CERTAIN or min(image.shape) < 128:
        return found
    rows, columns = (min(n, _DRAWN) for n in image.shape)
    corrected = found
    for _ in range(_ROUNDS):
        drawn = draw(corrected, (rows, columns), np.random.default_rng(0))
        corrected = np.clip(corrected + found - _measured(drawn), -0.5, 0.95)
        corrected[_LAGS, _LAGS] = 1
    return corrected


def draw(
    correlation: np.ndarray, shape: tuple[int, int], generator: np.random.Generator
) -> np.ndarray:
    """Draw normal noise of variance 1 with an autocorrelation, periodic at the borders.

    Parameters
    ----------
    correlation : ndarray, shape (5, 5)
        As :func:`autocorrelation` gives it.
    shape : tuple of int
        (Y, X) in pixels.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray, shape (Y, X)
    """
    white = np.fft.fft2(generator.standard_normal(shape))
    return np.asarray(np.fft.ifft2(white * np.sqrt(spectrum(correlation, shape))).real)


def _measured(image: np.ndarray) -> np.ndarray:
    """Autocorrelation (5, 5) as the flattest blocks show it."""
    blocks = _blocks(image)
    axis = np.arange(_BLOCK) - (_BLOCK - 1) / 2
    plane = np.stack([np.ones((_BLOCK, _BLOCK)), *np.meshgrid(axis, axis)]).reshape(3, -1)
    flat = blocks.reshape(len(blocks), -1)
    residual = flat - flat @ np.linalg.pinv(plane) @ plane
    residual = residual.reshape(blocks.shape)
    variance = residual.var(axis=(1, 2))
    coarse = residual.reshape(-1, 4, _BLOCK // 4, 4, _BLOCK // 4).mean(axis=(2, 4)).var(axis=(1, 2))
    usable = variance > 0
    if not usable.any():
        return white()
    ratio = coarse[usable] / variance[usable]
    chosen = residual[usable][ratio <= np.quantile(ratio, 0.1)]
    chosen = chosen / chosen.std(axis=(1, 2), keepdims=True)
    result = np.zeros((2 * _LAGS + 1,) * 2)
    for dy in range(-_LAGS, _LAGS + 1):
        for dx in range(-_LAGS, _LAGS + 1):
            a = chosen[:, max(0, dy) : _BLOCK + min(0, dy), max(0, dx) : _BLOCK + min(0, dx)]
            b = chosen[:, max(0, -dy) : _BLOCK + min(0, -dy), max(0, -dx) : _BLOCK + min(0, -dx)]
            result[_LAGS + dy, _LAGS + dx] = np.mean(a * b)
    return result


def white() -> np.ndarray:
    """Autocorrelation of white noise."""
    result = np.zeros((2 * _LAGS + 1,) * 2)
    result[_LAGS, _LAGS] = 1
    return result


def _variance_by_level(
    image: np.ndarray, correlation: np.ndarray, clip: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Brightness, noise variance and number of pixels of bins of brightness."""
    # Correlated noise hardly passes differences of neighbours; those of next-but-one pixels
    # tell its strength without amplifying errors of the correlation.
    apart = 2 if min(correlation[_LAGS + 1, _LAGS], correlation[_LAGS, _LAGS + 1]) > CERTAIN else 1
    mask = np.zeros((2 * apart + 1,) * 2)
    mask[::apart, ::apart] = _MASK
    fine = correlate(image, mask, mode="reflect")
    level = uniform_filter(image, 5, mode="reflect")
    keep = np.ones(image.shape, bool)
    keep[[0, -1]] = keep[:, [0, -1]] = False
    if clip:
        keep &= uniform_filter((image == image.max()).astype(float), 5) == 0
    if keep.sum() < 1000:
        keep[:] = True
    fine, level = fine[keep], level[keep]
    # Gain of the filter for noise of this autocorrelation: sum of h * h * rho.
    lags = range(-_LAGS, _LAGS + 1)
    overlap = np.array([[_overlap(mask, dy, dx) for dx in lags] for dy in lags])
    passed = max(float((overlap * correlation).sum()), 0.02)
    order = np.argsort(level)
    bins = [b for b in np.array_split(order, _BINS) if b.size]
    levels = np.array([level[b].mean() for b in bins])
    spread = np.array([_robust_variance(fine[b]) for b in bins])
    counts = np.array([float(b.size) for b in bins])
    return levels, spread / passed, counts


def _robust_variance(values: np.ndarray) -> float:
    """Variance without outliers; not the median alone, which is 0 for rare photons."""
    spread = float(np.median(np.abs(values))) / _MAD or float(values.std())
    return float(np.mean(values[np.abs(values) <= 5 * spread] ** 2))


def _overlap(mask: np.ndarray, dy: int, dx: int) -> float:
    """Autocorrelation of a filter mask at a lag."""
    padded, size = np.pad(mask, _LAGS), len(mask)
    rows, columns = slice(_LAGS + dy, _LAGS + dy + size), slice(_LAGS + dx, _LAGS + dx + size)
    return float((padded[rows, columns] * mask).sum())


def _line(level: np.ndarray, variance: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Straight line through variances, each weighted by its own spread, robust to structure.

    Structure that passes the filter only ever adds variance, so bins far above the line are
    given less weight in a few rounds.
    """
    if np.ptp(level) == 0 or variance.max() == 0:
        return 0.0, float(np.median(variance))
    floor = max(float(np.median(variance)), float(variance.max()) * 1e-3)
    gain, constant = 0.0, floor
    for _ in range(10):
        expected = np.maximum(gain * level + constant, 0.05 * floor)
        excess = np.maximum(variance / expected - 1, 0)
        w = np.sqrt(weight) / expected / (1 + 4 * excess)
        gain, constant = np.polyfit(level, variance, 1, w=w)
        if gain < 0:
            gain, constant = 0.0, float(np.average(variance, weights=w**2))
    return float(gain), float(constant)
