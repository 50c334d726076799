"""What can be measured on one plane of a noisy image and its result, without a truth."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter

from autodip.metrics.frc import SMALLEST, Frc
from autodip.metrics.residual import Whiteness, deviation, expected_noise, whiteness_beyond
from autodip.metrics.single_frc import single_image_frc
from autodip.physics.noise import CORRELATED, Noise

_RINGS = 48
_SMOOTH = 3.0
"""Standard deviation of the Gaussian filter by which brightness is judged, in pixels."""

_TENTHS = 10
_TRUSTED = 0.12
"""Largest mean correlation of the highest frequencies with which a ring correlation is shown."""


@dataclass(frozen=True, kw_only=True)
class Tenth:
    """One tenth of the pixels of a plane, by the brightness of the smoothed result.

    Parameters
    ----------
    before, after : float
        Mean of the noisy image and of the result.
    error : float
        Standard error of the difference, with the correlation of the noise.
    """

    before: float
    after: float
    error: float


@dataclass(frozen=True, kw_only=True)
class Examined:
    """Measurements on one plane.

    Parameters
    ----------
    before, after : float
        Mean of the noisy image and of the result, over all pixels that hold a measurement.
    tenths : tuple of Tenth
        In the order of brightness.
    spread : float
        Standard error of the mean difference, with the correlation of the noise.
    edges, counts : ndarray
        Grey values that limit the columns of a histogram, and its counts before and after.
    saturated : tuple of float
        Share of the pixels at the highest grey value that the data type or the image allows,
        before and after.
    removed : tuple of (float, float)
        Brightness of the result, and variance of what was removed there.
    amount : float or None
        Root mean square of what was removed, relative to the expected noise; None without a
        noise model.
    white : Whiteness or None
        None if nothing was removed, or the plane is too small.
    spectrum, expected : tuple of (float, float)
        Frequency in cycles per pixel and power of what was removed, and that of the noise; both
        relative to the variance of the noise.
    frc : Frc or None
        Ring correlation of two halves of the photons of the noisy image; in cycles per pixel.
    why_no_frc : str
        Why there is none.
    """

    before: float
    after: float
    spread: float
    tenths: tuple[Tenth, ...]
    edges: np.ndarray
    counts: tuple[np.ndarray, np.ndarray]
    saturated: tuple[float, float]
    removed: tuple[tuple[float, float], ...]
    amount: float | None
    white: Whiteness | None
    spectrum: tuple[tuple[float, float], ...]
    expected: tuple[tuple[float, float], ...]
    frc: Frc | None
    why_no_frc: str


def examine(
    noisy: np.ndarray, result: np.ndarray, noise: Noise | None, *, kept: np.ndarray
) -> Examined:
    """Measure what can be measured on one plane.

    Parameters
    ----------
    noisy, result : ndarray, shape (Y, X)
        Finite numbers in the same units.
    noise : Noise or None
        Noise of the plane in these units.
    kept : ndarray of bool, shape (Y, X)
        Pixels that are compared; at least one.
    """
    top = _top(noisy)
    before = np.where(kept, noisy.astype(np.float64), 0)
    after = np.where(kept, result.astype(np.float64), 0)
    residual = before - after
    sigma = expected_noise(after, noise)
    # Of single pixels, those that noise made brighter would be taken for brighter ones.
    bright = gaussian_filter(after, _SMOOTH)
    longer = _lengthened(noise)
    tenths, removed = _by_brightness(before[kept], after[kept], bright[kept], longer)
    edges, counts = _histogram(before[kept], after[kept])
    white, spectrum, expected = _colour(before, after, noise)
    frc, why = _ring_correlation(np.where(kept, before, np.median(before[kept])), noise)
    return Examined(
        before=float(before[kept].mean()),
        after=float(after[kept].mean()),
        spread=float(longer * residual[kept].std() / np.sqrt(kept.sum())),
        tenths=tenths,
        edges=edges,
        counts=counts,
        saturated=(float((noisy >= top).mean()), float((result >= top).mean())),
        removed=removed,
        amount=None if sigma is None else float(np.sqrt(np.mean((residual / sigma)[kept] ** 2))),
        white=white,
        spectrum=spectrum,
        expected=expected,
        frc=frc,
        why_no_frc=why,
    )


def _top(noisy: np.ndarray) -> float:
    """Grey value that counts as saturated: the largest of the type, or of the image."""
    largest = float(noisy.max())
    if noisy.dtype.kind in "iu" and noisy.dtype.itemsize == 1:
        return float(np.iinfo(noisy.dtype).max)
    return largest


def _lengthened(noise: Noise | None) -> float:
    """Standard error of a mean over many pixels, relative to that with white noise."""
    if noise is None or noise.autocorrelation is None:
        return 1.0
    return float(np.sqrt(max(1.0, np.sum(noise.autocorrelation))))


def _by_brightness(
    before: np.ndarray, after: np.ndarray, bright: np.ndarray, longer: float
) -> tuple[tuple[Tenth, ...], tuple[tuple[float, float], ...]]:
    """Means in tenths of the pixels, and variance of what was removed in finer groups."""
    order = np.argsort(bright, kind="stable")
    before, after = before[order], after[order]
    difference = before - after
    tenths = tuple(
        Tenth(
            before=float(before[part].mean()),
            after=float(after[part].mean()),
            error=float(longer * difference[part].std() / np.sqrt(max(1, part.stop - part.start))),
        )
        for part in _parts(len(order), _TENTHS)
    )
    removed = tuple(
        (float(after[part].mean()), float(difference[part].var()))
        for part in _parts(len(order), 2 * _TENTHS)
    )
    return tenths, removed


def _parts(length: int, count: int) -> list[slice]:
    ends = np.linspace(0, length, count + 1).astype(int)
    return [slice(int(a), int(b)) for a, b in pairwise(ends) if b > a]


def _histogram(
    before: np.ndarray, after: np.ndarray
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    low, high = (float(v) for v in np.percentile(np.concatenate([before, after]), (0.01, 99.99)))
    high = max(high, low + 1e-9)
    bins = 80
    if before.size and float(np.ptp(before)) and np.all(before == np.rint(before)):
        bins = int(min(bins, max(2, high - low)))  # columns are not finer than grey values
    counts = [np.histogram(values, bins, (low, high))[0] for values in (before, after)]
    return np.linspace(low, high, bins + 1), (counts[0], counts[1])


def _colour(
    before: np.ndarray,
    after: np.ndarray,
    noise: Noise | None,
) -> tuple[Whiteness | None, tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]]:
    """Whiteness and spectrum of what was removed, and the spectrum of the noise."""
    if min(before.shape) < SMALLEST:
        return None, (), ()
    residual = before - after
    used = deviation(residual, after, noise)
    if used is None:
        return None, (), ()
    white = whiteness_beyond(before, after, noise)
    spectrum = _rings(np.abs(fft.fft2(residual / used)) ** 2 / residual.size)
    padded = np.zeros(before.shape)
    lags = noise.autocorrelation if noise is not None else None
    padded[:5, :5] = np.pad(np.ones((1, 1)), 2) if lags is None else lags
    power = fft.fft2(np.roll(padded, (-2, -2), (0, 1))).real
    return white, spectrum, _rings(np.maximum(power, 0))


def _rings(power: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Mean power in rings of spatial frequency, up to half a cycle per pixel."""
    y, x = (fft.fftfreq(side) for side in power.shape)
    radius = np.hypot(y[:, None], x[None, :])
    ring = np.minimum((radius / 0.5 * _RINGS).astype(int), _RINGS).ravel()
    ring[0] = _RINGS  # the mean is no ring
    count = np.bincount(ring, minlength=_RINGS + 1)[:_RINGS]
    total = np.bincount(ring, power.ravel(), minlength=_RINGS + 1)[:_RINGS]
    frequency = 0.5 * (np.arange(_RINGS) + 0.5) / _RINGS
    return tuple(
        (float(f), float(p / n)) for f, p, n in zip(frequency, total, count, strict=True) if n > 4
    )


def _ring_correlation(noisy: np.ndarray, noise: Noise | None) -> tuple[Frc | None, str]:
    """Ring correlation of two halves of the photons, or why there is none."""
    if noise is None or noise.gain <= 0:
        return None, (
            "it needs the number of photons in each pixel, and the noise of this image does not "
            "grow with brightness, or could not be estimated"
        )
    if max(map(abs, noise.correlation)) >= CORRELATED:
        return None, (
            "it needs noise that is independent from pixel to pixel, and the noise of this image "
            "is correlated between neighbours"
        )
    if min(noisy.shape) < 4 * SMALLEST:
        return None, "the image is too small"
    curve = single_image_frc(noisy, gain=noise.gain, offset=-noise.constant / noise.gain)
    high = curve.frequency > 0.9 * curve.frequency[-1]
    beyond = float(np.average(curve.correlation[high], weights=curve.pixels[high]))
    if abs(beyond) > _TRUSTED:
        return None, (
            f"the halves still correlate by {beyond:.2f} at the highest frequencies, where noise "
            "alone should be left; the noise is not that of photons, or the structure is finer "
            "than the pixels resolve"
        )
    return curve, ""
