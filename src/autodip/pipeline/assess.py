"""Quality indicators of a result that need no true image."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from autodip.physics.noise import Noise

_TOO_MUCH, _TOO_LITTLE = 1.5, 0.6


@dataclass(frozen=True)
class Assessment:
    """How what was removed compares with the noise that was expected.

    Parameters
    ----------
    removed_to_noise : float or None
        Root mean square of (noisy - result) / expected noise; about 1 where just the noise was
        removed. None without a noise estimate.
    residual_correlation : tuple of float
        Correlation of neighbours along Y and X in noisy - result; beyond that of the noise
        itself, structure was removed.
    mean_shift : float
        Mean of result - noisy, in units of the image; a faithful result keeps the mean.
    notes : tuple of str
        What the user should look at.
    """

    removed_to_noise: float | None
    residual_correlation: tuple[float, float]
    mean_shift: float
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready dictionary."""
        return {
            **asdict(self),
            "residual_correlation": list(self.residual_correlation),
            "notes": list(self.notes),
        }


def assess(noisy: np.ndarray, result: np.ndarray, noise: Noise | None) -> Assessment:
    """Assess a result of shape (Y, X) against the noisy image, both in units of the image."""
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
                f"{ratio:.1f} times the expected noise was removed, structure perhaps among it; "
                "more iterations keep more"
            )
        elif ratio < _TOO_LITTLE:
            notes.append(
                f"only {ratio:.1f} of the expected noise was removed; fewer iterations remove more"
            )
    return Assessment(ratio, correlation, float(-residual.mean()), tuple(notes))


def _lag1(residual: np.ndarray) -> float:
    """Correlation of neighbours along the first axis; 0 for a constant."""
    centred = residual - residual.mean()
    power = float(np.mean(centred**2))
    return float(np.mean(centred[1:] * centred[:-1])) / power if power > 0 else 0.0
