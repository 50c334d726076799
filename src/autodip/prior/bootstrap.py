"""What a result hides of the noise, and its expected error, measured by a parametric bootstrap.

The residual of a result is not the noise: part of the noise remains in the result. How much is
found by taking the result for a truth, drawing noise like that observed, and denoising again (a
parametric bootstrap, Efron & Tibshirani 1993, chapter 10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autodip.physics.correlation import draw
from autodip.prior.observation import Observation, observe, whole_correlation

_MORE = (0.8, 1.6)
"""Limits of the factor by which the observed variance is corrected."""

_MOST = 0.95
"""Largest corrected correlation."""


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


def redraw(stable: np.ndarray, result: np.ndarray, seed: int = 0) -> Redrawn:
    """Draw noise as observed in the residual of a result, and add it to the result.

    Parameters
    ----------
    stable, result : ndarray, shape (Y, X)
        Stabilised noisy image, and its result.
    seed : int
    """
    observed = observe(stable, stable - result)
    correlation = whole_correlation((stable - result) / observed.deviation(stable))
    correlation = np.clip(correlation, -0.5, _MOST)
    correlation[4, 4] = 1
    rows, columns = result.shape
    drawn = draw(correlation, (rows, columns), np.random.default_rng(seed))
    noise = drawn * observed.deviation(result)
    return Redrawn(result + noise, result, noise, observed)


def corrected(redrawn: Redrawn, again: np.ndarray) -> Observation:
    """Correct an observation by what was not observed of noise that is known.

    Parameters
    ----------
    redrawn : Redrawn
    again : ndarray, shape (Y, X)
        Result for ``redrawn.stable``.

    Returns
    -------
    Observation
        With the expected error of a result.
    """
    true = observe(redrawn.stable, redrawn.noise)
    seen = observe(redrawn.stable, redrawn.stable - again)
    error = float(np.mean((again - redrawn.truth) ** 2) / max(np.mean(redrawn.noise**2), 1e-12))
    strength = float(np.mean(redrawn.noise**2) / max(_power(redrawn.stable - again), 1e-12))
    factor = float(np.clip(strength, *_MORE))
    return Observation(
        redrawn.observed.slope * factor,
        redrawn.observed.constant * factor,
        _shifted(redrawn.observed.correlation, true.correlation, seen.correlation),
        error,
    )


def _shifted(
    found: Sequence[float], true: Sequence[float], seen: Sequence[float]
) -> tuple[float, ...]:
    moved = np.array(found) + np.array(true) - np.array(seen)
    return tuple(map(float, np.clip(moved, -0.5, _MOST)))


def _power(noise: np.ndarray) -> float:
    return float(np.mean((noise - noise.mean()) ** 2))
