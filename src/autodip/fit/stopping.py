"""When to stop a fit without knowing the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autodip.physics.noise import Noise

EVERY = 10
"""Iterations between two looks at the result, which cost about a fifth of an iteration."""


@dataclass(frozen=True)
class Discrepancy:
    """The discrepancy principle (Morozov 1966): what is left should be just the noise.

    The centre is the number of iterations that was transferred from similar images. From half of
    it on, the fit is ended as soon as its residual has no more power than the noise of this
    image: whatever it learns from there on is noise. The correlation of the noise does not
    matter for its power. An image with more structure than the network has learnt keeps a
    larger residual and runs up to the centre.

    Parameters
    ----------
    noisy : ndarray, shape (Y, X)
        In its own units.
    noise : Noise
        As estimated from it.
    iterations : int
        The centre.
    limit : float
        Residual power, in units of the noise's, that ends the fit; about 1.
    """

    noisy: np.ndarray
    noise: Noise
    iterations: int
    limit: float

    def due(self, iteration: int) -> bool:
        """Whether the result is to be looked at after this iteration."""
        return 2 * iteration >= self.iterations and iteration % EVERY == 0

    def reached(self, result: np.ndarray) -> bool:
        """Whether a result (Y, X), in units of the image, ends the fit."""
        return self.value(result) <= self.limit

    def value(self, result: np.ndarray) -> float:
        """Mean of the squared residual over the variance of the noise at that brightness."""
        std = self.noise.std(result)
        if not (std > 0).all():
            return float("inf")
        return float(np.mean(((self.noisy - result) / std) ** 2))
