"""Fourier ring correlation of one image with itself, its photons dealt out to two halves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autodip.errors import ImageError, ParameterError
from autodip.metrics.frc import Frc, frc


def binomial_split(
    image: np.ndarray, *, gain: float, offset: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Deal the photons of each pixel out to two images, each by the toss of a coin.

    ``n = round((image - offset) / gain)`` photons, at least 0; the first image gets
    ``Binomial(n, 1/2)`` of them, the second the others. Where n is Poisson, the two are
    independent and Poisson, with half the mean each.

    Parameters
    ----------
    image : ndarray of any shape
        In grey values.
    gain : float
        Grey values per photon, above 0.
    offset : float
        Grey value without light. With read-out noise of standard deviation ``s``, take
        ``s**2 / gain`` less than that: the count then has its own mean as variance, as a
        Poisson count has. For a noise model ``variance = gain * signal + constant`` this is
        ``-constant / gain``.
    seed : int

    Returns
    -------
    first, second : ndarray of int64
        Photons; their sum is n.

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
    """Ring correlation of a single image, or shell correlation of a volume, in photon noise.

    The image is split by :func:`binomial_split` and the halves are correlated (Rieger et al.,
    Optics Express 32, 2024), without the loss of pixels that a checkerboard split has.

    Each half holds half of the photons, so the halves agree less than two captures of the full
    image would. A correlation F of halves means ``2 F / (1 + F)`` between full images, because
    the ratio of signal to noise power, ``F / (1 - F)``, is twice as high (van Heel and Schatz
    2005; Rosenthal and Henderson 2003). That is done by default, so that the figure compares
    with :func:`~autodip.metrics.frc.frc` of two captures.

    Valid for a raw image of a linear detector with photon noise that is independent from
    pixel to pixel. Noise that neighbours share, as in an image that was resampled, smoothed or
    denoised, looks like resolution at low frequencies and drives the correlation towards -1 at
    high ones; read-out noise that ``offset`` leaves out, or a gain that is too small, keeps it
    above 0 at all. Beyond what the optics pass it should be about 0: where it is not, don't
    trust the resolution. Rounding to whole photons adds noise where a photon is less than a
    few grey values. Pixels below ``offset`` are taken as dark; where read-out noise outweighs
    the light, that makes the figure a little worse than it is.

    Parameters
    ----------
    image : ndarray, shape (Y, X) or (Z, Y, X), 16 pixels or more a side
        In grey values.
    gain, offset, seed
        As for :func:`binomial_split`.
    pixel_size, taper
        As for :func:`~autodip.metrics.frc.frc`.
    whole : bool
        Give the correlation of full images; else that of the halves, to which the half-bit
        threshold is meant to be applied.

    Raises
    ------
    ImageError, ParameterError
        As for :func:`binomial_split` and :func:`~autodip.metrics.frc.frc`.
    """
    halves = binomial_split(image, gain=gain, offset=offset, seed=seed)
    curve = frc(*halves, pixel_size=pixel_size, taper=taper)
    if not whole:
        return curve
    # Odd about 0, so that noise around 0 stays around 0 when rings are averaged.
    half = curve.correlation
    return replace(curve, correlation=2 * half / (1 + np.abs(half)))
