"""Quality indicators of a result that need no ground truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodip.physics.noise import Noise
from autodip.trust.unsupported import support_of
from autodip.trust.unsupported_place import SupportTest
from autodip.util.values import Value

_TOO_MUCH, _TOO_LITTLE = 1.5, 0.6


@dataclass(frozen=True)
class Assessment(Value):
    """Comparison of what was removed from an image with the expected noise.

    Parameters
    ----------
    removed_to_noise : float or None
        Root mean square of (noisy - result) / expected noise; about 1 if only the noise was
        removed. None if there is no noise estimate, or if the expected noise is 0 everywhere.
    residual_correlation : tuple of float
        Correlation of neighbouring pixels along Y and X in noisy - result. If it exceeds the
        correlation of the noise itself, structure was removed.
    mean_shift : float
        Mean of result - noisy, in units of the image; about 0 for a faithful result.
    notes : tuple of str
        What the user should check.
    support : SupportTest or None
        Where the noisy image does not support the structure of the result; None if it was not
        tested, as in records of versions without the test.
    """

    removed_to_noise: float | None
    residual_correlation: tuple[float, float]
    mean_shift: float
    notes: tuple[str, ...] = ()
    support: SupportTest | None = None


def assess(noisy: np.ndarray, result: np.ndarray, noise: Noise | None) -> Assessment:
    """Assess a result of shape (Y, X) against the noisy image, both in units of the image."""
    support = support_of(noisy, result, noise)
    result = result.astype(np.float64)
    residual = noisy.astype(np.float64) - result
    correlation = (_lag1(residual), _lag1(residual.T))
    ratio = None
    notes = []
    expected = np.zeros(result.shape) if noise is None else noise.std(result)
    noisy_part = expected > 0
    if noisy_part.any():
        ratio = float(np.sqrt(np.mean((residual[noisy_part] / expected[noisy_part]) ** 2)))
        if ratio > _TOO_MUCH:
            notes.append(
                f"{ratio:.1f} times the expected noise was removed, perhaps including structure; "
                "more iterations preserve more"
            )
        elif ratio < _TOO_LITTLE:
            notes.append(
                f"only {ratio:.1f} times the expected noise was removed; fewer iterations remove "
                "more"
            )
    return Assessment(ratio, correlation, float(-residual.mean()), tuple(notes), support)


def _lag1(residual: np.ndarray) -> float:
    """Correlation of adjacent values along the first axis; 0 for a constant."""
    centred = residual - residual.mean()
    power = float(np.mean(centred**2))
    return float(np.mean(centred[1:] * centred[:-1])) / power if power > 0 else 0.0
