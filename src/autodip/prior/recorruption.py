"""Training targets from a single noisy image: more noise added to it, and subtracted from it.

Recorrupted-to-recorrupted (Pang et al., CVPR 2021): with ``z`` drawn from the distribution of the
noise, the errors of ``y + a z`` and ``y - z / a`` are independent, so that the second can serve as
the target for the first. Correlated noise needs ``z`` of the same correlation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from autodip.physics.anscombe import Stabiliser
from autodip.physics.correlation import draw
from autodip.physics.noise import Noise
from autodip.prior.apply import denoise_stable
from autodip.prior.architecture import PriorNet
from autodip.prior.observation import Observation, observe

REACH = 3
"""Largest lag of a covariance along an axis, in pixels."""

STRENGTH = 0.5
"""Noise that is added to an image, in units of its own noise."""

_PROBE = 0.2
"""Noise by which the response of a network is probed, in units of the noise of the image."""

_ROUNDS = 3
"""Rounds in which the noise left in a result is measured on noise as found by the one before."""

_SHARES = (*np.linspace(0, 0.9, 16), 0.95, 0.98, 0.995, 1.0)
"""Limits of the bins of brightness in which the noise is measured, as shares of the pixels."""


@dataclass(frozen=True)
class NoiseModel:
    """Noise of a stabilised image without a truth.

    Parameters
    ----------
    deviation : ndarray, shape (Y, X)
        Standard deviation, apart from a factor that the covariance contains.
    covariance : ndarray, shape (7, 7)
        Covariance of the noise divided by this deviation, at lags -3 ... 3 along Y and X.
    lowered : ndarray, shape (Y, X)
        By how much noise lowers the mean of the stabilised values: a square root of a noisy value
        is, on average, less than the root of the mean.
    """

    deviation: np.ndarray = field(repr=False)
    covariance: np.ndarray
    lowered: np.ndarray = field(repr=False)


def autocovariance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Mean products of the pixels of two images (Y, X) at all lags, made symmetric.

    Returns
    -------
    ndarray, shape (7, 7)
        Lags -3 ... 3 along Y and X.
    """
    rows, columns = first.shape
    found = np.zeros((2 * REACH + 1,) * 2)
    for dy in range(-REACH, REACH + 1):
        for dx in range(-REACH, REACH + 1):
            one = first[max(0, dy) : rows + min(0, dy), max(0, dx) : columns + min(0, dx)]
            other = second[max(0, -dy) : rows + min(0, -dy), max(0, -dx) : columns + min(0, -dx)]
            found[REACH + dy, REACH + dx] = np.mean(one * other)
    return np.asarray((found + found[::-1, ::-1]) / 2)


def draw_noise(
    covariance: np.ndarray, shape: tuple[int, int], generator: np.random.Generator
) -> np.ndarray:
    """Draw Gaussian noise with a covariance (7, 7); its borders are periodic."""
    variance = max(float(covariance[REACH, REACH]), 0.0)
    return np.asarray(np.sqrt(variance) * draw(covariance, shape, generator, least=0.0))


@dataclass(frozen=True)
class FirstLook:
    """A noisy image, stabilised, after a pass that was told nothing of the noise.

    Parameters
    ----------
    transform : Stabiliser
    stable, result : ndarray, shape (Y, X)
    observed : Observation
        Noise in the residual of the result.
    """

    transform: Stabiliser
    stable: np.ndarray = field(repr=False)
    result: np.ndarray = field(repr=False)
    observed: Observation


def look(net: PriorNet, noisy: np.ndarray, noise: Noise) -> FirstLook:
    """Stabilise an image (Y, X) and observe its noise in the residual of a blind pass."""
    transform = Stabiliser.of(noise, float(noisy.min()))
    stable = transform.forward(noisy)
    result = denoise_stable(net, stable[None], None)[0]
    return FirstLook(transform, stable, result, observe(stable, stable - result))


def noise_model(
    net: PriorNet,
    stable: np.ndarray,
    observed: Observation,
    generator: np.random.Generator,
) -> NoiseModel:
    """Measure the noise of a stabilised image in the residual of a result.

    The residual of a network lacks the noise that its result still has. For the best possible
    result the errors of the result are uncorrelated with the residual, so that the noise has the
    covariance of the residual plus the covariance of the noise with the network's response to it,
    which is measured on drawn noise. Noise so slow that the network takes it for structure remains
    unseen.

    Parameters
    ----------
    net : PriorNet
    stable : ndarray, shape (Y, X)
    observed : Observation
        Noise that the network is told.
    generator : numpy.random.Generator

    Returns
    -------
    NoiseModel
    """
    result = denoise_stable(net, stable[None], [observed])[0]
    deviation = _deviation_at(result, stable - result)
    residual = np.clip((stable - result) / deviation, -4, 4)
    residual -= residual.mean()
    removed = autocovariance(residual, residual)
    # Negative correlations result from the slow noise that the residual lacks.
    covariance = np.maximum(removed, 0)
    for _ in range(_ROUNDS):
        noise = draw_noise(covariance, (stable.shape[0], stable.shape[1]), generator)
        response = response_to(net, stable, result, observed, noise * deviation)
        covariance = removed + autocovariance(noise, response / deviation)
    variance = covariance[REACH, REACH] * deviation**2
    return NoiseModel(deviation, covariance, variance / (2 * np.maximum(result, 1)))


def _deviation_at(result: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Root mean square of a residual (Y, X) by the brightness of the result."""
    order = np.argsort(result, axis=None)
    limits = (np.array(_SHARES) * order.size).astype(int)
    bins = [order[a:b] for a, b in pairwise(limits) if b > a]
    levels = [float(result.flat[one].mean()) for one in bins]
    spread = [float(np.sqrt(np.mean(residual.flat[one] ** 2))) for one in bins]
    return np.asarray(np.maximum(np.interp(result, levels, spread), 0.05))


def response_to(
    net: PriorNet,
    stable: np.ndarray,
    result: np.ndarray,
    observed: Observation,
    noise: np.ndarray,
) -> np.ndarray:
    """Linear response of a network to noise that is added to an image whose result is known."""
    probed = denoise_stable(net, (stable + _PROBE * noise)[None], [observed])[0]
    return np.asarray((probed - result) / _PROBE)
