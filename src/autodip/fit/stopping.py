"""Early stopping of a fit without ground truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodip.physics.noise import Noise

EVERY = 10
"""Iterations between checks of the result, each of which costs about a fifth of an iteration."""


@dataclass(frozen=True)
class Discrepancy:
    """The discrepancy principle (Morozov 1966): the residual should contain only noise.

    The number of iterations was transferred from similar images. From half of it on, the fit stops
    as soon as its residual has no more power than the noise of this image: anything learnt after
    that is noise. If an image has more structure than the network has learnt, the residual stays
    larger and all iterations are run. The criterion is not used if the noise of neighbouring pixels
    is certainly correlated (:data:`autodip.physics.noise.CERTAIN`): a network learns such noise
    while it learns the structure, so the power of the residual does not show when to stop.

    Parameters
    ----------
    noisy : ndarray, shape (Y, X)
        Noisy image, in any units.
    noise : Noise
        Noise estimated from this image, in the same units.
    iterations : int
        Maximum number of iterations.
    limit : float
        Residual power, in units of the noise power, at which the fit stops; about 1.
    """

    noisy: np.ndarray
    noise: Noise
    iterations: int
    limit: float

    def due(self, iteration: int) -> bool:
        """Whether the result is to be checked after this iteration."""
        return 2 * iteration >= self.iterations and iteration % EVERY == 0

    def reached(self, result: np.ndarray) -> bool:
        """Whether the fit stops with this result (Y, X), in units of the image."""
        return self.value(result) <= self.limit

    def value(self, result: np.ndarray) -> float:
        """Mean of the squared residual over the noise variance; infinite if a variance is 0."""
        std = self.noise.std(result)
        if not (std > 0).all():
            return float("inf")
        return float(np.mean(((self.noisy - result) / std) ** 2))
