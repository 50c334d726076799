"""Test whether the residual of a denoiser looks like noise; it needs no ground truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodip.errors import ImageError, ParameterError
from autodip.physics.noise import Noise

SUSPICIOUS, DOUBTFUL = 0.06, 0.1
"""Excess correlation of a residual above which some structure may have been removed, and above
which it probably was."""

LAGS = 2
"""Largest lag, in pixels, at which neighbours are compared."""

_SHAPE = (2 * LAGS + 1, 2 * LAGS + 1)


@dataclass(frozen=True)
class Whiteness:
    """Correlation of the pixels of a residual with their neighbours.

    Parameters
    ----------
    excess : float
        Root mean square, over the 24 neighbours within 2 pixels in Y and X, of the
        autocorrelation of the residual minus the autocorrelation of the noise. About 0 if only
        noise was removed; larger if structure or a regular pattern was removed with it. At most
        about 1.
    chance : float
        Value of ``excess`` expected by chance for white noise with the same number of pixels,
        ``1 / sqrt(pixels)``.
    autocorrelation : ndarray, shape (5, 5)
        Autocorrelation of the residual at lags -2 to 2 along Y and X; 1 at the centre.
    """

    excess: float
    chance: float
    autocorrelation: np.ndarray


def whiteness(
    noisy: np.ndarray,
    result: np.ndarray,
    *,
    sigma: np.ndarray | float = 1.0,
    noise: np.ndarray | None = None,
) -> Whiteness | None:
    """Compare the autocorrelation of ``(noisy - result) / sigma`` with that of the noise.

    The residual of a good result is as white as the noise (residual whiteness principle:
    Lanza, Pragliola and Sgallari, ETNA 53, 2020; Almeida and Figueiredo, IEEE TIP 22, 2013).
    Their measure is the energy of the normalised autocorrelation over all lags. Here the energy
    is taken over lags up to 2, at which camera noise may be correlated and its correlation is
    known, and the root of its mean is returned, so that it can be read as a correlation.

    The measure does not depend on how much was removed: a result that retains half of the noise
    has a white residual too. Interpret it together with the amount removed, such as the root
    mean square of the same ratio.

    Parameters
    ----------
    noisy, result : ndarray, shape (Y, X), at least 8 pixels per side
        In the same units.
    sigma : float or ndarray, shape (Y, X)
        Standard deviation of the noise at the result's brightness, above 0, in the same
        units. With the default, bright pixels dominate because of their stronger photon noise.
    noise : ndarray, shape (5, 5), optional
        Autocorrelation of the noise itself at lags -2 to 2, 1 at the centre, as measured by
        :func:`autodip.physics.correlation.autocorrelation`; by default the noise is white.

    Returns
    -------
    Whiteness or None
        None if the residual is constant, that is, if nothing was removed.

    Raises
    ------
    ImageError
        If the shapes differ, a side is too short, or a pixel is NaN or infinite.
    ParameterError
        If ``sigma`` is not above 0 or does not fit the image, or ``noise`` is not 5 x 5.
    """
    residual = _normalised(noisy, result, np.asarray(sigma, np.float64))
    if np.ptp(residual) == 0:
        return None
    if noise is not None and noise.shape != _SHAPE:
        raise ParameterError(f"autocorrelation of the noise has shape {noise.shape}, not {_SHAPE}")
    found = _autocorrelation(residual - residual.mean())
    excess = found.copy() if noise is None else found - noise
    excess[LAGS, LAGS] = 0
    figure = float(np.sqrt((excess**2).sum() / (excess.size - 1)))
    return Whiteness(figure, 1 / float(np.sqrt(residual.size)), found)


def expected_noise(result: np.ndarray, noise: Noise | None) -> np.ndarray | None:
    """Standard deviation of the noise at every pixel of a result.

    Parameters
    ----------
    result : ndarray, float, shape (Y, X)
    noise : Noise or None
        Noise model of the image.

    Returns
    -------
    ndarray or None
        None if there is no model, or one that is 0 somewhere.
    """
    if noise is None or noise.absent:
        return None
    sigma = noise.std(result)
    return sigma if (sigma > 0).all() else None


def deviation(residual: np.ndarray, result: np.ndarray, noise: Noise | None) -> np.ndarray | None:
    """Standard deviation by which a residual is divided, for every pixel.

    Parameters
    ----------
    residual, result : ndarray, float, shape (Y, X)
    noise : Noise or None
        Noise model of the image.

    Returns
    -------
    ndarray or None
        That of the noise at the brightness of the result; the residual's own where there is no
        noise model, or one that is 0 somewhere. None if nothing was removed.
    """
    expected = expected_noise(result, noise)
    if expected is not None:
        return expected
    own = float(residual.std())
    return np.full(residual.shape, own) if own > 0 else None


def whiteness_beyond(
    noisy: np.ndarray, result: np.ndarray, noise: Noise | None
) -> Whiteness | None:
    """Compare the autocorrelation of what was removed with that of a known noise.

    Parameters
    ----------
    noisy, result : ndarray, float, shape (Y, X)
        As in :func:`whiteness`; pixels that are not compared are 0 in both.
    noise : Noise or None
        Noise model of the image; None if its noise could not be estimated.

    Returns
    -------
    Whiteness or None
        None if nothing was removed.

    Raises
    ------
    ImageError
        As from :func:`whiteness`.
    """
    sigma = deviation(noisy - result, result, noise)
    if sigma is None:
        return None
    lags = None if noise is None else noise.autocorrelation
    return whiteness(noisy, result, sigma=sigma, noise=None if lags is None else np.array(lags))


def _normalised(noisy: np.ndarray, result: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """``(noisy - result) / sigma``, after checking the arguments."""
    if noisy.shape != result.shape or noisy.ndim != 2 or min(noisy.shape) < 4 * LAGS:
        raise ImageError(
            f"whiteness compares two images (Y, X) of one shape, {4 * LAGS} pixels or more a "
            f"side; got {noisy.shape} and {result.shape}"
        )
    if sigma.shape not in ((), noisy.shape) or not (sigma > 0).all():
        raise ParameterError(
            f"sigma must be above 0, one number or one per pixel; got shape {sigma.shape}, "
            f"smallest {sigma.min() if sigma.size else None}"
        )
    residual: np.ndarray = (noisy.astype(np.float64) - result.astype(np.float64)) / sigma
    if not np.isfinite(residual).all():
        raise ImageError("an image has NaN or infinite pixels; replace them first")
    return residual


def _autocorrelation(centred: np.ndarray) -> np.ndarray:
    """Mean product of the pairs of pixels at each lag within the image, scaled to 1 at lag 0."""
    rows, columns = centred.shape
    power = np.mean(centred**2)
    found = np.empty(_SHAPE)
    for dy in range(LAGS + 1):
        for dx in range(-LAGS, LAGS + 1):
            here = centred[dy:, max(0, dx) : columns + min(0, dx)]
            there = centred[: rows - dy, max(0, -dx) : columns + min(0, -dx)]
            found[LAGS + dy, LAGS + dx] = np.mean(here * there) / power
            found[LAGS - dy, LAGS - dx] = found[LAGS + dy, LAGS + dx]
    return found
