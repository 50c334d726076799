"""Fourier ring correlation of a single image whose photons are split into two halves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autodip.errors import ImageError, ParameterError
from autodip.metrics.frc import Frc, frc


def binomial_split(
    image: np.ndarray, *, gain: float, offset: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Split the photons of each pixel between two images, each at random with probability 1/2.

    A pixel has ``n = round((image - offset) / gain)`` photons, at least 0; the first image
    receives ``Binomial(n, 1/2)`` of them and the second image the others. If n is
    Poisson-distributed, the two images are independent and Poisson-distributed with half the
    mean each.

    Parameters
    ----------
    image : ndarray of any shape
        In grey values.
    gain : float
        Grey values per photon, above 0.
    offset : float
        Grey value without light. If there is read-out noise of standard deviation ``s`` (in
        grey values), subtract ``s**2 / gain`` from it: the variance of the counts then equals
        their mean, as for Poisson counts. For a noise model
        ``variance = gain * signal + constant`` the resulting offset is ``-constant / gain``.
    seed : int
        Seed of the random split.

    Returns
    -------
    first, second : ndarray of int64
        Photon counts; they sum to n.

    Raises
    ------
    ImageError
        If a pixel is NaN or infinite.
    ParameterError
        If ``gain`` is not above 0, or ``offset`` not finite.
    """
    if not (np.isfinite(gain) and gain > 0 and np.isfinite(offset)):
        raise ParameterError(f"gain {gain!r}, offset {offset!r}; the gain must be above 0")
    if not np.isfinite(image).all():
        raise ImageError("the image has NaN or infinite pixels; replace them first")
    counts = np.rint((image.astype(np.float64) - offset) / gain)
    photons = np.maximum(counts, 0).astype(np.int64)
    first = np.random.default_rng(seed).binomial(photons, 0.5)
    return first, photons - first


def single_image_frc(
    image: np.ndarray,
    *,
    gain: float,
    offset: float = 0.0,
    pixel_size: float | Sequence[float] = 1.0,
    seed: int = 0,
    whole: bool = True,
    taper: float = 0.25,
) -> Frc:
    """Ring correlation of a single image, or shell correlation of a volume, with photon noise.

    The image is split by :func:`binomial_split` and the halves are correlated (Rieger et al.,
    Optics Express 32, 2024); unlike a checkerboard split, this loses no pixels.

    Each half has half of the photons, so the halves agree less than two acquisitions of the
    full image would. A correlation F between the halves corresponds to ``2 F / (1 + F)``
    between full images, because the ratio of signal to noise power, ``F / (1 - F)``, is twice
    as high (van Heel and Schatz 2005; Rosenthal and Henderson 2003). This conversion is applied
    by default, so that the result is comparable with :func:`~autodip.metrics.frc.frc` of two
    acquisitions.

    The method is valid for a raw image from a linear detector, with photon noise that is
    independent from pixel to pixel. Noise shared by neighbouring pixels, as in an image that
    was resampled, smoothed or denoised, looks like resolution at low frequencies and drives the
    correlation towards -1 at high frequencies. Read-out noise that ``offset`` does not account
    for, or a gain that is too small, keeps the correlation above 0 at all frequencies. Beyond
    the cut-off of the optics it should be about 0; if it is not, do not trust the resolution.
    Rounding to whole photons adds noise if a photon corresponds to less than a few grey values.
    Pixels below ``offset`` are treated as dark; if read-out noise outweighs the light, the
    result is slightly too pessimistic.

    Parameters
    ----------
    image : ndarray, shape (Y, X) or (Z, Y, X), at least 16 pixels per side
        In grey values.
    gain, offset, seed
        As for :func:`binomial_split`.
    pixel_size, taper
        As for :func:`~autodip.metrics.frc.frc`.
    whole : bool
        Whether to return the correlation between full images; if False, the correlation between
        the halves, for which the half-bit threshold is intended.

    Raises
    ------
    ImageError, ParameterError
        As for :func:`binomial_split` and :func:`~autodip.metrics.frc.frc`.
    """
    halves = binomial_split(image, gain=gain, offset=offset, seed=seed)
    curve = frc(*halves, pixel_size=pixel_size, taper=taper)
    if not whole:
        return curve
    # An odd function, so that noise around 0 still averages to about 0 over rings.
    half = curve.correlation
    return replace(curve, correlation=2 * half / (1 + np.abs(half)))
