"""Noise autocorrelation: its measurement, its power spectrum, and drawing of correlated noise."""

from __future__ import annotations

import numpy as np

from autodip.physics.blocks import (
    BLOCK,
    COARSEST,
    ODD,
    RADIUS,
    REACH,
    Spectra,
    design,
    expected_power,
)
from autodip.physics.levels import Levels, by_level

LAGS = 2
"""Largest lag of an autocorrelation along an axis, in pixels."""

COARSE = (RADIUS > 0) & (RADIUS <= 4.5)
"""Coefficients by which flat blocks are chosen: periods above 5 pixels."""

_VARYING = np.outer(np.arange(BLOCK), np.arange(BLOCK)).ravel() > 0
"""Coefficients that vary along both axes; the others contain slopes and noise common to a row."""

FINE = (RADIUS > 6) & _VARYING
"""Coefficients in which white noise is measured: periods below 4 pixels."""

_SEEN = 0.18
"""Correlation of neighbours in the fine coefficients from which larger lags are measured as well;
below it, fine structure could be mistaken for correlation."""

_FLATTEST = 0.12, 40
"""Share and smallest number of blocks in which correlated noise is measured."""

_PRESENT = 0.05
"""Smallest power, relative to white noise, of the coefficients that measure correlated noise."""

_OUTLYING = 0.3
"""Relative excess over the fit at which the weight of a coefficient is halved."""

_EMPTY = 0.02
"""Power, relative to the mean, below which coefficients are weighted alike."""


def spectrum(correlation: np.ndarray, shape: tuple[int, int], *, least: float = 0.01) -> np.ndarray:
    """Power spectrum of unit-variance noise with a given autocorrelation, on an FFT grid.

    Parameters
    ----------
    correlation : ndarray, shape (2n + 1, 2n + 1)
        Autocorrelation for lags -n ... n along Y and X, as returned by :func:`autocorrelation`.
    shape : tuple of int
        Size of the grid (Y, X), in pixels; at least the shape of ``correlation``.
    least : float
        Smallest power of a frequency, relative to the largest.

    Returns
    -------
    ndarray, shape (Y, X)
        Power with a mean of 1; 1 everywhere for white noise.
    """
    lags, size = np.zeros(shape), len(correlation)
    lags[:size, :size] = correlation
    power = np.fft.fft2(np.roll(lags, (-(size // 2), -(size // 2)), (0, 1))).real
    # Truncating the lags makes the power of some frequencies negative, which is impossible.
    power = np.maximum(power, least * max(float(power.max()), 0.0))
    return np.asarray(power / max(float(power.mean()), 1e-12))


def autocorrelation(image: np.ndarray) -> np.ndarray:
    """Autocorrelation of the noise for lags up to 2 pixels, as :func:`measure` finds it.

    Parameters
    ----------
    image : ndarray, float, shape (Y, X)
        At least 64 x 64 pixels, in any units.

    Returns
    -------
    ndarray, shape (5, 5)
        Lags -2 ... 2 along Y and X; 1 at the centre. White if the image has no noise.
    """
    low, span = float(image.min()), float(np.ptp(image))
    blocks = Spectra.of((image - low) / (span or 1.0))
    return mirrored(measure(blocks)) if blocks.power.any() else white()


def mirrored(measured: np.ndarray) -> np.ndarray:
    """Lags -2 ... 2, shape (5, 5), from the lags 0 ... 4 of :func:`measure`."""
    lags = np.abs(np.arange(-LAGS, LAGS + 1))
    return np.asarray(measured[np.ix_(lags, lags)])


def measure(blocks: Spectra) -> np.ndarray:
    """Autocorrelation of the noise for lags 0 ... 4 along Y and X, shape (5, 5).

    It is fitted to the mean spectrum of flat blocks. The fine half of the spectrum, which
    structure hardly reaches, decides how much is fitted: if neighbours are nearly uncorrelated
    there, only lags up to 1 pixel, in that half; if they are correlated along one axis, lags
    up to 4 pixels along it, in all coefficients that are fine along the other; if along both,
    all lags up to 4 pixels, in the spectrum of the flattest blocks of the image. These are
    chosen by other coefficients than those which are fitted, so the choice does not hide
    correlation. The sign of a lag is not distinguished.

    Parameters
    ----------
    blocks : Spectra
        With some power.
    """
    levels = by_level(blocks, COARSE, FINE, np.ones(BLOCK**2))
    if not levels.variance.any():
        only = np.zeros((REACH + 1, REACH + 1))
        only[0, 0] = 1
        return only
    near = _fit(_typical(blocks, levels, structured=False), FINE, lags=(2, 2))
    axis = _axis(near)
    if axis is None:
        return near
    if axis == "both":
        return _fit(*_flattest(blocks, levels))
    along_y = axis == "y"
    lags = (REACH + 1, 2) if along_y else (2, REACH + 1)
    return _fit(_typical(blocks, levels, structured=True), _across(along_y), lags=lags)


def bands(measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients to choose flat blocks by, and to measure noise in; both bool, shape (144,).

    Correlated noise is measured wherever it has some power.

    Parameters
    ----------
    measured : ndarray, shape (5, 5)
        From :func:`measure`.
    """
    axis = _axis(measured)
    if axis is None:
        return COARSE, FINE
    region = np.ones(BLOCK**2, bool) if axis == "both" else _across(axis == "y")
    region &= _VARYING & (RADIUS > COARSEST) & (ODD | ~COARSE)
    fine = region & (expected_power(measured) >= _PRESENT)
    coarse = COARSE & ~(ODD & (RADIUS > COARSEST))
    enough = min((fine & ODD).sum(), (fine & ~ODD).sum()) >= BLOCK
    return (coarse, fine) if enough else (COARSE, FINE)


def _axis(measured: np.ndarray) -> str | None:
    """Axes along which neighbours are correlated: ``y``, ``x``, ``both`` or None."""
    y, x = measured[1, 0] > _SEEN, measured[0, 1] > _SEEN
    return "both" if y and x else "y" if y else "x" if x else None


def _across(along_y: bool) -> np.ndarray:
    """Coefficients that are fine along the other axis."""
    index = np.arange(BLOCK**2)
    return np.asarray((index % BLOCK if along_y else index // BLOCK) >= BLOCK // 2)


def _typical(blocks: Spectra, levels: Levels, *, structured: bool) -> np.ndarray:
    """Mean spectrum (144,) of the blocks chosen at each brightness, for variance 1.

    Bins with structure count as much as others if ``structured``, otherwise less.
    """
    weight = levels.count if structured else levels.count / (1 + (levels.structure / 0.5) ** 2)
    scale = np.maximum(levels.variance, 1e-9 * levels.variance.max())
    spectra = [blocks.power[chosen].mean(axis=0) for chosen in levels.chosen]
    return np.average(np.array(spectra) / scale[:, None], axis=0, weights=weight)


def _flattest(blocks: Spectra, levels: Levels) -> tuple[np.ndarray, np.ndarray]:
    """Mean spectrum (144,) of the flattest blocks for variance 1, and the coefficients to fit."""
    gain, constant = levels.line()
    variance = np.maximum(gain * blocks.mean + constant, max(levels.variance.min(), 1e-300))
    choice = COARSE & (~ODD | (RADIUS <= COARSEST))
    order = np.argsort(blocks.power[:, choice].sum(axis=1) / variance, kind="stable")
    share, least = _FLATTEST
    flat = order[: max(int(share * order.size), least)]
    spectrum = (blocks.power[flat] / variance[flat, None]).mean(axis=0)
    return spectrum, (RADIUS > 0) & ~choice


def _fit(
    power: np.ndarray, used: np.ndarray, lags: tuple[int, int] = (REACH + 1, REACH + 1)
) -> np.ndarray:
    """Autocorrelation (5, 5) fitted to some coefficients of a spectrum (144,).

    Least squares weighted by the expected power, as that is the standard deviation of a squared
    coefficient; coefficients far above the fit are down-weighted.

    Parameters
    ----------
    power : ndarray, shape (144,)
    used : ndarray of bool, shape (144,)
    lags : tuple of int
        Number of lags along Y and X, including 0; the correlation at others is 0.
    """
    free = np.zeros((REACH + 1, REACH + 1), bool)
    free[: lags[0], : lags[1]] = True
    matrix, measured = design()[used][:, free.ravel()], power[used]
    least = max(_EMPTY * float(measured.mean()), 1e-300)
    expected, excess = np.maximum(measured, least), np.zeros(len(measured))
    for _ in range(4):
        weight = 1 / (expected * (1 + excess / _OUTLYING))
        found = np.linalg.lstsq(matrix * weight[:, None], measured * weight, rcond=None)[0]
        expected = np.maximum(matrix @ found, least)
        excess = np.maximum(measured / expected - 1, 0)
    result = np.zeros(free.shape)
    result[free] = found
    if not result[0, 0] > 0:
        result[:] = 0
    else:
        result = np.clip(result / result[0, 0], -0.5, 0.95)
    result[0, 0] = 1
    return np.asarray(result)


def draw(
    correlation: np.ndarray,
    shape: tuple[int, int],
    generator: np.random.Generator,
    *,
    least: float = 0.01,
) -> np.ndarray:
    """Draw Gaussian noise of variance 1 with a given autocorrelation and periodic borders.

    Parameters
    ----------
    correlation : ndarray, shape (2n + 1, 2n + 1)
        As in :func:`spectrum`.
    shape : tuple of int
        Size of the noise image (Y, X), in pixels.
    generator : numpy.random.Generator
    least : float
        As in :func:`spectrum`.

    Returns
    -------
    ndarray, shape (Y, X)
    """
    white = np.fft.fft2(generator.standard_normal(shape))
    return np.asarray(np.fft.ifft2(white * np.sqrt(spectrum(correlation, shape, least=least))).real)


def white() -> np.ndarray:
    """Autocorrelation (5, 5) of white noise: 1 at the centre, 0 elsewhere."""
    result = np.zeros((2 * LAGS + 1,) * 2)
    result[LAGS, LAGS] = 1
    return result
