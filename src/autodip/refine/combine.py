"""The refinement: local filters combined with groups of similar patches."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from autodip.physics import noise
from autodip.physics.anscombe import Stabiliser
from autodip.physics.correlation import autocorrelation, white
from autodip.physics.noise import Noise
from autodip.refine.groups import estimate_groups
from autodip.refine.local import Blocks, return_excess, wiener
from autodip.refine.refinement import RefineParams

_BINS = 16

_SPREAD = (0.05, 1.3)

_MAD = 0.6745

_AREA, _EDGE = 10.0, 3.0

_QUIET, _MOST_QUIET = 20, 1.05

_NOISE_TO_STRUCTURE = (1.05, 1.3)

_LEVEL = 16.0
"""Standard deviation (pixels) of the Gaussian whose local means are set to those of the data."""


def refine(
    noisy: np.ndarray,
    pilot: np.ndarray,
    estimated: Noise,
    params: RefineParams,
    *,
    device: str = "cpu",
) -> np.ndarray:
    """Refine the result of a fit.

    Parameters
    ----------
    noisy, pilot : ndarray, float, shape (Y, X)
        The noisy image and the fit to it, in the same units; at least 64 x 64 pixels.
    estimated : Noise
        Noise of the image, from :func:`autodip.physics.estimate.estimate_noise`.
    params : RefineParams
    device : str
        Name of a torch device.

    Returns
    -------
    ndarray, float64, shape (Y, X)
        In the units of the noisy image.
    """
    noisy = noisy.astype(np.float64)
    transform = Stabiliser.of(estimated, float(noisy.min()))
    stable = transform.forward(noisy)
    guide = transform.forward_mean(pilot.astype(np.float64))
    correlated = min(estimated.correlation) >= noise.CERTAIN
    correlation = autocorrelation(stable) if correlated else white()
    blocks = Blocks.of(stable, correlation, device)
    returned = return_excess(blocks, guide, params.excess)
    current = (returned + wiener(blocks, returned)) / 2
    # The mean of a group of overlapping patches reduces white noise, but correlated noise less.
    share = 0.0 if correlated else params.mean_share
    for strength in params.strengths:
        variance = strength * _variance(stable, current)
        current = estimate_groups(
            stable,
            current,
            variance,
            correlation,
            params=params,
            mean_share=share,
            device=device,
        )
    result = transform.inverse(current)
    # Averages of stabilised values are slightly biased where the signal varies within them.
    result += gaussian_filter(noisy - result, _LEVEL)
    if correlated:
        calm = 1 - _structure((stable - guide) ** 2)
        return np.asarray(result + params.trust * calm * (pilot - result))
    return np.asarray(result + params.keep * (noisy - result))


def _structure(power: np.ndarray) -> np.ndarray:
    """Presence of structure in a residual, (Y, X): 0 where there is only noise, 1 for structure.

    Parameters
    ----------
    power : ndarray, shape (Y, X)
        Squared residual in units of the noise variance. The noise level is taken from its quiet
        areas, because the variance of correlated noise is slightly underestimated.
    """
    local = gaussian_filter(power, _AREA)
    quiet = min(float(np.percentile(local, _QUIET)), _MOST_QUIET)
    low, high = _NOISE_TO_STRUCTURE
    share = np.clip((local / max(quiet, 1e-9) - low) / (high - low), 0, 1)
    return np.asarray(gaussian_filter(share, _EDGE))


def _variance(stable: np.ndarray, result: np.ndarray) -> np.ndarray:
    """Noise variance at every pixel, (Y, X), from the residual in bins of brightness.

    The transform makes it 1 except where photons are rare or the camera clips.
    """
    order = np.argsort(result, axis=None)
    levels, variances = [], []
    for part in np.array_split(order, _BINS):
        residual = (stable - result).flat[part]
        spread = float(np.median(np.abs(residual))) / _MAD or float(residual.std())
        levels.append(float(result.flat[part].mean()))
        variances.append(float(np.mean(residual[np.abs(residual) <= 4 * spread] ** 2)))
    smooth = gaussian_filter1d(np.array(variances), 1, mode="nearest")
    return np.asarray(np.clip(np.interp(result, levels, smooth), *_SPREAD))
