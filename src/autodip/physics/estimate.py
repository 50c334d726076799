"""Noise estimation from a single image."""

from __future__ import annotations

import numpy as np

from autodip.physics.artefacts import repetition
from autodip.physics.blocks import Spectra, expected_power, saturated
from autodip.physics.correlation import bands, measure, mirrored, white
from autodip.physics.levels import by_level
from autodip.physics.noise import Noise

SMALLEST = 64
"""Smallest side length of an image whose noise is estimated, in pixels."""

_ROUNDING = 1e-12
"""Standard deviation, in units of the range of the image, up to which noise is a rounding error."""

_SPARSE, _ADJACENT = 1e-3, 0.05
"""Share of pixels above the lowest value up to which an image is sparse, and how many pairs of
adjacent ones there may be for each of them. Blocks are too small for the noise of such an image."""


def estimate_noise(image: np.ndarray, *, repaired: bool = False) -> Noise | None:
    """Estimate the noise of one image from the image alone.

    Overlapping blocks of 12 x 12 pixels are transformed (DCT). The autocorrelation is fitted to
    the spectrum of flat blocks (:func:`autodip.physics.correlation.measure`). The variance is
    measured in bins of brightness from the power of fine coefficients in the flattest blocks
    (:func:`autodip.physics.levels.by_level`); a straight line is fitted to the variances.
    Constant areas such as borders, saturated pixels and hot pixels are left out.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
        In any units, which are also those of the result.
    repaired : bool
        Whether its defects have been repaired, so that none are sought.

    Returns
    -------
    Noise or None
        None if the noise could not be estimated: the image has fewer than 64 pixels along an
        axis or NaN or infinite pixels, all pixels are equal, their range is not between 1e-100
        and 1e100, or each of them is repeated, as by enlarging the image.

    Examples
    --------
    >>> import numpy as np, autodip
    >>> noisy, truth = autodip.sample(size=64)
    >>> noise = autodip.estimate_noise(np.asarray(noisy))
    >>> round(noise.gain, 1)  # grey values per photon; 20 were simulated
    17.5
    """
    image = image.astype(np.float64)
    if min(image.shape) < SMALLEST or not np.isfinite(image).all():
        return None
    low, span = float(image.min()), float(np.ptp(image))
    if span == 0 or not 1e-100 < span < 1e100:
        return None
    unit = (image - low) / span
    if _is_sparse(unit):
        return _of_photons(unit).scaled(span, low)
    noise = _in_unit(Spectra.of(unit, repaired=repaired), saturated(unit)).scaled(span, low)
    return noise if noise.absent or repetition(image) == 1 else None


def _is_sparse(unit: np.ndarray) -> bool:
    """Whether the image consists of few pixels above 0, hardly any of them next to each other."""
    lit = unit > 0
    number = int(lit.sum())
    adjacent = int((lit[1:] & lit[:-1]).sum() + (lit[:, 1:] & lit[:, :-1]).sum())
    return number <= _SPARSE * unit.size and adjacent <= _ADJACENT * number


def _of_photons(unit: np.ndarray) -> Noise:
    """Noise of single photons: none without light, and of the variance of the image elsewhere."""
    mean, variance = float(unit.mean()), float(unit.var())
    return Noise(
        variance / mean,
        0.0,
        float(np.sqrt(variance)),
        (0.0, 0.0),
        0.0,
        saturated=0.0,
        curve=((0.0, 0.0), (mean, variance)),
        autocorrelation=tuple(tuple(map(float, row)) for row in white()),
    )


def _in_unit(blocks: Spectra, clipped: float) -> Noise:
    """Noise of an image whose grey values range from 0 to 1."""
    none = Noise(0.0, 0.0, 0.0, (0.0, 0.0), 0.0, saturated=clipped)
    if not blocks.power.any():
        return none
    measured = measure(blocks)
    levels = by_level(blocks, *bands(measured), expected_power(measured))
    gain, constant = levels.line()
    curve = zip(map(float, levels.level), map(float, levels.upper), strict=True)
    correlation = mirrored(measured)
    noise = Noise(
        gain,
        constant,
        0.0,
        (float(measured[1, 0]), float(measured[0, 1])),
        float(levels.variance.min()),
        saturated=clipped,
        curve=tuple(curve),
        autocorrelation=tuple(tuple(map(float, row)) for row in correlation),
    )
    if levels.variance.max() <= _ROUNDING**2:
        return none
    return noise.replace(sigma=float(noise.std(np.median(blocks.mean))))
