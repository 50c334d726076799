"""The learned prior applied to images with much less than one photon per pixel.

Such images are binned first: their variance-stabilised pixels would have two or three values, of
which a network cannot tell how much light they mean. Pixels are binned at four positions, so that
the grid of the bins does not show in the average of the results.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import product

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from autodip.physics.anscombe import Stabiliser
from autodip.physics.correlation import white
from autodip.physics.flux import keep_flux
from autodip.physics.noise import CORRELATED, Noise
from autodip.prior.apply import Pass, apply_prior
from autodip.prior.architecture import PriorNet
from autodip.prior.observation import Observation

_BINS = ((8, 0.008), (4, 0.05), (2, 0.4))
"""Sides of the bins, in pixels, and photons per pixel below which they are used."""

_SMOOTH = 2.0
"""Standard deviation of the Gaussian filter before photons are counted, in pixels."""

_LEAST_SIDE = 32
"""Smallest side of a binned image, in pixels."""


def side_of_bins(image: np.ndarray, noise: Noise) -> int:
    """Side of the bins that an image needs, in pixels; 1 if it is used as it is.

    Parameters
    ----------
    image : ndarray, shape (Y, X)
        Noisy pixels in any units.
    noise : Noise
        In the same units.

    Returns
    -------
    int
        1, 2, 4 or 8, according to the mean number of photons where there is light: the mean
        weighted by itself.
    """
    correlated = max(map(abs, noise.correlation)) > CORRELATED
    if correlated or noise.gain <= 0:
        return 1
    change = Stabiliser.of(noise, float(image.min()))
    if change.read > 1:  # the read-out noise, not the photons, limits what can be seen
        return 1
    photons = (image.astype(np.float64) - change.black) / change.gain
    smooth = gaussian_filter(photons, _SMOOTH)
    light = float(np.sum(smooth**2) / max(float(np.sum(smooth)), 1e-300))
    light -= 1 / (4 * np.pi * _SMOOTH**2)  # each photon would count itself
    for side, limit in _BINS:
        if light < limit and min(image.shape) >= _LEAST_SIDE * side:
            return side
    return 1


def apply_binned(
    net: PriorNet,
    image: np.ndarray,
    noise: Noise,
    side: int,
    *,
    passes: int = 2,
    orientations: int = 1,
    observed: Observation | None = None,
) -> Iterator[Pass]:
    """Denoise an image in bins; yields the result of every pass at full size.

    Parameters
    ----------
    net : PriorNet
    image : ndarray, shape (Y, X)
        Noisy pixels in any units.
    noise : Noise
        Noise of the image, white.
    side : int
        Side of the bins, in pixels, above 1.
    passes, orientations : int
        As in :func:`autodip.prior.apply.apply_prior`. No grain is returned: that of bins would be
        coarser than any noise of pixels, and show their grid.
    observed : Observation, optional
        Noise of the bins if it was observed, for example in the frame before.
    """
    black = Stabiliser.of(noise, float(image.min())).black
    starts = list(product((0, side // 2), (0, side // 2)))
    bins = [_binned(image, side, start) for start in starts]
    known = None if observed is None else [observed] * len(bins)
    coarse = _of_bins(noise, side)
    for done in apply_prior(
        net,
        bins,
        [coarse] * len(bins),
        passes=passes,
        orientations=orientations,
        observed=known,
    ):
        parts = [
            _enlarged(one, side, start, image.shape)
            for one, start in zip(done.images, starts, strict=True)
        ]
        seen = dataclasses.replace(done.observed[0], bins=side)
        whole = keep_flux(image, np.mean(parts, axis=0), black)
        yield Pass(done.number, done.passes, [whole], [seen])


def _binned(image: np.ndarray, side: int, start: tuple[int, int]) -> np.ndarray:
    """Means of squares of pixels; the image starts at ``start`` in the first square."""
    wholes = [-(-(length + side // 2) // side) * side for length in image.shape]
    sides = [
        (before, whole - length - before)
        for before, length, whole in zip(start, image.shape, wholes, strict=True)
    ]
    padded = np.pad(image.astype(np.float64), sides, mode="symmetric")
    rows, columns = (length // side for length in padded.shape)
    return np.asarray(padded.reshape(rows, side, columns, side).mean(axis=(1, 3)))


def _enlarged(
    bins: np.ndarray, side: int, start: tuple[int, int], shape: tuple[int, ...]
) -> np.ndarray:
    """Image of a shape (Y, X), interpolated from bins."""
    whole = zoom(bins, side, order=3, mode="reflect", grid_mode=True)
    return np.asarray(whole[start[0] : start[0] + shape[0], start[1] : start[1] + shape[1]])


def _of_bins(noise: Noise, side: int) -> Noise:
    """Noise of the means of squares of pixels whose noise is white."""
    pixels = side**2
    return noise.replace(
        gain=noise.gain / pixels,
        constant=noise.constant / pixels,
        sigma=noise.sigma / side,
        floor=noise.floor / pixels,
        correlation=(0.0, 0.0),
        curve=noise.curve and tuple((level, power / pixels) for level, power in noise.curve),
        autocorrelation=tuple(tuple(map(float, row)) for row in white()),
    )
