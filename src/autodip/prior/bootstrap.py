"""What a result hides of the noise, and its expected error, measured by a parametric bootstrap.

The residual of a result is not the noise: part of the noise remains in the result. How much is
found by taking the result for a truth, drawing noise like that observed, and denoising again (a
parametric bootstrap, Efron & Tibshirani 1993, chapter 10).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from autodip.physics.correlation import draw
from autodip.prior.observation import Fault, Observation, observe

_MORE = (0.8, 1.6)
"""Limits of the factor by which the observed variance is corrected."""

_STREAM = 71
"""Sets the drawn noise apart from that of an image which was simulated with the same seed."""


@dataclass(frozen=True)
class Redrawn:
    """Noise drawn like that observed in a stabilised image.

    Parameters
    ----------
    stable : ndarray, shape (Y, X)
        The result as truth, plus the drawn noise.
    truth, noise : ndarray, shape (Y, X)
        The result, and the drawn noise.
    observed : Observation
        Noise as observed in the residual of the result.
    """

    stable: np.ndarray
    truth: np.ndarray
    noise: np.ndarray
    observed: Observation


def redraw(
    stable: np.ndarray, result: np.ndarray, correlation: np.ndarray, seed: int = 0
) -> Redrawn:
    """Draw noise as strong as the residual of a result, and add it to the result.

    Parameters
    ----------
    stable, result : ndarray, shape (Y, X)
        Stabilised noisy image, and its result.
    correlation : ndarray, shape (2n + 1, 2n + 1)
        Autocorrelation of the noise, as in :func:`autodip.physics.correlation.spectrum`.
    seed : int
    """
    observed = observe(stable, stable - result)
    rows, columns = result.shape
    drawn = draw(correlation, (rows, columns), np.random.default_rng((seed, _STREAM)))
    noise = drawn * observed.deviation(result)
    return Redrawn(result + noise, result, noise, observed)


def corrected(redrawn: Redrawn, again: np.ndarray) -> Observation:
    """Correct the observed strength by what was not observed of noise that is known.

    Parameters
    ----------
    redrawn : Redrawn
    again : ndarray, shape (Y, X)
        Result for ``redrawn.stable``.

    Returns
    -------
    Observation
        With the expected error of the result.
    """
    power = max(float(np.mean(redrawn.noise**2)), 1e-12)
    wrong, removed = again - redrawn.truth, redrawn.stable - again
    fault = Fault(
        float(np.mean(wrong**2)) / power,
        float(np.mean(wrong * removed)) / power,
        float(np.mean(removed**2)) / power,
    )
    hidden = power / max(float(removed.var()), 1e-12)
    factor = float(np.clip(hidden, *_MORE))
    seen = redrawn.observed
    return dataclasses.replace(
        seen, slope=seen.slope * factor, constant=seen.constant * factor, fault=fault
    )
