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

_STREAM = 71
"""Sets the drawn noise apart from that of an image which was simulated with the same seed."""

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


@dataclass(frozen=True)
class Fault:
    """Expected error of a result, relative to the variance of the noise.

    Parameters
    ----------
    error : float
        Mean squared error.
    overlap : float
        Mean product of the error and the residual; 0 if the error is uncorrelated with what was
        removed, as for a result that minimises the squared error.
    removed : float
        Mean square of the residual.
    """

    error: float
    overlap: float
    removed: float

    def share(self, growth: float) -> float:
        """Share of the residual that may be returned until the squared error grows by a share.

        Returning the share ``a`` adds ``2 a overlap + a**2 removed`` to the squared error.
        """
        allowed = max(self.overlap, 0.0) ** 2 + self.removed * growth * self.error
        root = float(np.sqrt(allowed)) - max(self.overlap, 0.0)
        return root / max(self.removed, 1e-12)


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
    drawn = draw(correlation, (rows, columns), np.random.default_rng((seed, _STREAM)))
    noise = drawn * observed.deviation(result)
    return Redrawn(result + noise, result, noise, observed)


def corrected(redrawn: Redrawn, again: np.ndarray) -> tuple[Observation, Fault]:
    """Correct an observation by what was not observed of noise that is known.

    Parameters
    ----------
    redrawn : Redrawn
    again : ndarray, shape (Y, X)
        Result for ``redrawn.stable``.

    Returns
    -------
    Observation
    Fault
    """
    true = observe(redrawn.stable, redrawn.noise)
    power = max(float(np.mean(redrawn.noise**2)), 1e-12)
    wrong, removed = again - redrawn.truth, redrawn.stable - again
    seen = observe(redrawn.stable, removed)
    fault = Fault(
        float(np.mean(wrong**2)) / power,
        float(np.mean(wrong * removed)) / power,
        float(np.mean(removed**2)) / power,
    )
    strength = power / max(_power(removed), 1e-12)
    factor = float(np.clip(strength, *_MORE))
    return (
        Observation(
            redrawn.observed.slope * factor,
            redrawn.observed.constant * factor,
            _shifted(redrawn.observed.correlation, true.correlation, seen.correlation),
        ),
        fault,
    )


def _shifted(
    found: Sequence[float], true: Sequence[float], seen: Sequence[float]
) -> tuple[float, ...]:
    moved = np.array(found) + np.array(true) - np.array(seen)
    return tuple(map(float, np.clip(moved, -0.5, _MOST)))


def _power(noise: np.ndarray) -> float:
    return float(np.mean((noise - noise.mean()) ** 2))
