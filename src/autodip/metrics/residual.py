"""Whether what a denoiser removed looks like noise: a figure that needs no true image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodip.errors import ImageError, ParameterError

LAGS = 2
"""Pixels up to which neighbours are compared."""

_SHAPE = (2 * LAGS + 1, 2 * LAGS + 1)


@dataclass(frozen=True)
class Whiteness:
    """Correlation of the pixels of a residual with their neighbours.

    Parameters
    ----------
    excess : float
        Root mean square, over the 24 neighbours within 2 pixels in Y and X, of the
        residual's autocorrelation less that of the noise. 0 where just noise was removed;
        structure that was removed with it, or a regular pattern, makes it larger. At most
        about 1.
    chance : float
        What ``excess`` is for white noise of as many pixels, by chance; ``1 / sqrt(pixels)``.
    autocorrelation : ndarray, shape (5, 5)
        Of the residual at lags -2 to 2 along Y and X; 1 at the centre.
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
    Their measure is the energy of the normalised autocorrelation over all lags; here it is
    taken over lags up to 2, where camera noise may be correlated and is known, and its root
    is given, so that it reads as a correlation.

    It cannot see how much was removed: a result that keeps half of the noise has a white
    residual too. Read it beside the amount, as root mean square of the same ratio.

    Parameters
    ----------
    noisy, result : ndarray, shape (Y, X), 8 pixels or more a side
        In the same units.
    sigma : float or ndarray, shape (Y, X)
        Standard deviation of the noise at the result's brightness, above 0, in the same
        units; without it bright pixels, with their stronger photon noise, weigh most.
    noise : ndarray, shape (5, 5), optional
        Autocorrelation of the noise itself at lags -2 to 2, 1 at the centre, as
        :func:`autodip.physics.noise.autocorrelation` measures it; white by default.

    Returns
    -------
    Whiteness or None
        None where the residual is constant: nothing was removed.

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


def _normalised(noisy: np.ndarray, result: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """``(noisy - result) / sigma`` after checks."""
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
    """Mean product with the pixels at each lag, over the pixels that have one, 1 at lag 0."""
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
