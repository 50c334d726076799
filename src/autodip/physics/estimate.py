"""Noise estimation from a single image."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import correlate, uniform_filter

from autodip.physics.correlation import BLOCK, LAGS, autocorrelation
from autodip.physics.noise import CERTAIN, Noise

_BINS = 24

# Noise passes this filter, smooth structure does not (Immerkaer 1996); unit gain for white noise.
_MASK = np.array([[1.0, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6

_MAD = 0.6745
"""Median absolute value of a standard normal variable."""


def estimate_noise(image: np.ndarray) -> Noise | None:
    """Estimate the noise of one image from the image alone.

    The correlation is measured in the flattest blocks. The variance is measured in bins of
    brightness as the robust variance of the output of a second-difference filter, corrected for
    that correlation; a straight line is fitted to the variances of the bins.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
        In any units, which are also those of the result.

    Returns
    -------
    Noise or None
        None if the noise could not be estimated: the image has fewer than 64 pixels along an
        axis or NaN or infinite pixels, all pixels are equal, or their range is not between
        1e-100 and 1e100.
    """
    image = image.astype(np.float64)
    if min(image.shape) < 4 * BLOCK or not np.isfinite(image).all():
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
    lag1 = (float(correlation[LAGS + 1, LAGS]), float(correlation[LAGS, LAGS + 1]))
    constant = (constant * span - gain * low) * span
    return Noise(gain * span, constant, sigma * span, lag1, floor * span**2, saturated=saturated)


def _variance_by_level(
    image: np.ndarray, correlation: np.ndarray, clip: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean brightness, noise variance and number of pixels of each bin of brightness."""
    # Differences of adjacent pixels suppress correlated noise; differences of next-but-one
    # pixels show its strength without amplifying errors of the correlation.
    apart = 2 if min(correlation[LAGS + 1, LAGS], correlation[LAGS, LAGS + 1]) > CERTAIN else 1
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
    # Power gain of the filter for noise with this autocorrelation: sum of h * h * rho.
    lags = range(-LAGS, LAGS + 1)
    overlap = np.array([[_overlap(mask, dy, dx) for dx in lags] for dy in lags])
    passed = max(float((overlap * correlation).sum()), 0.02)
    order = np.argsort(level)
    bins = [b for b in np.array_split(order, _BINS) if b.size]
    levels = np.array([level[b].mean() for b in bins])
    spread = np.array([_robust_variance(fine[b]) for b in bins])
    counts = np.array([float(b.size) for b in bins])
    return levels, spread / passed, counts


def _robust_variance(values: np.ndarray) -> float:
    """Variance without outliers; the median alone would be 0 where photons are rare."""
    spread = float(np.median(np.abs(values))) / _MAD or float(values.std())
    return float(np.mean(values[np.abs(values) <= 5 * spread] ** 2))


def _overlap(mask: np.ndarray, dy: int, dx: int) -> float:
    """Autocorrelation of a filter mask at a lag."""
    padded, size = np.pad(mask, LAGS), len(mask)
    rows, columns = slice(LAGS + dy, LAGS + dy + size), slice(LAGS + dx, LAGS + dx + size)
    return float((padded[rows, columns] * mask).sum())


def _line(level: np.ndarray, variance: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Gain and constant of a line fitted to the variances, weighted by their uncertainties.

    Structure that passes the filter can only add variance, so bins far above the line are
    down-weighted in a few iterations.
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
