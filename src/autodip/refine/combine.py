"""The refinement: local filters combined with groups of similar patches."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from autodip.physics import noise
from autodip.physics.anscombe import Stabiliser
from autodip.physics.correlation import autocorrelation, white
from autodip.physics.noise import Noise
from autodip.refine.groups import estimate_groups
from autodip.refine.halves import doubled, halved, halved_variance
from autodip.refine.local import Blocks, return_excess, wiener
from autodip.refine.refinement import RefineParams
from autodip.util.cancelling import check

_BINS = 16

_SPREAD = (0.05, 1.3)

_MAD = 0.6745

_CALM = 3.0
"""Standard deviation (pixels) of the Gaussian that smooths the change where there is only noise."""

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
    if min(estimated.correlation) >= noise.CERTAIN:
        scale = float(np.sqrt(halved_variance(autocorrelation(stable))))
        small, coarse = halved(stable) / scale, halved(guide) / scale
        correlation = autocorrelation(small)
        # The mean of a group of overlapping patches reduces white noise, correlated noise less.
        passes = params.replace(strengths=params.correlated_strengths, mean_share=0.0)
        change = _detail(small, coarse, correlation, passes, device, calm=0.0)
        change = doubled(change * scale, guide.shape)
    else:
        doubtful = min(estimated.correlation) >= noise.CORRELATED
        passes = params.replace(mean_share=0.0) if doubtful else params
        correlation = autocorrelation(stable) if doubtful else white()
        change = _detail(stable, guide, correlation, passes, device)
    result = transform.inverse(guide + change)
    # Averages of stabilised values are slightly biased where the signal varies within them.
    result += gaussian_filter(noisy - result, _LEVEL)
    return np.asarray(result + params.keep * (noisy - result))


def _detail(
    stable: np.ndarray,
    guide: np.ndarray,
    correlation: np.ndarray,
    params: RefineParams,
    device: str,
    *,
    calm: float = _CALM,
) -> np.ndarray:
    """Detail (Y, X) to be added to a guide, found in an image with noise of variance 1.

    ``calm`` is the standard deviation (pixels) of the Gaussian that smooths it where there is only
    noise; 0 for none.
    """
    check()
    blocks = Blocks.of(stable, correlation, device)
    check()
    excess = return_excess(blocks, guide, params.excess)
    check()
    current = (excess.image + wiener(blocks, excess.image)) / 2
    for strength in params.strengths:
        current = estimate_groups(
            stable,
            current,
            strength * _variance(stable, current),
            correlation,
            params=params,
            device=device,
        )
    change = current - guide
    smooth = gaussian_filter(change, calm)
    return np.asarray(smooth + excess.presence * (change - smooth))


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
