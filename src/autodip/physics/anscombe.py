"""Variance-stabilising transform for Poisson-Gaussian noise, and its unbiased inverse."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import gammaln

from autodip.physics.noise import Noise


@dataclass(frozen=True)
class Stabiliser:
    """Generalised Anscombe transform, which makes the noise variance about 1 at every brightness.

    ``2 sqrt(photons + 3/8 + read**2)`` with ``photons = (signal - black) / gain`` (Murtagh,
    Starck & Bijaoui 1995), for noise of ``variance = gain * (signal - black) + (gain * read)**2``.

    Parameters
    ----------
    gain : float
        Grey values per photon, above 0.
    black : float
        Grey value without light (camera offset).
    read : float
        Standard deviation of the read-out noise in photons.
    """

    gain: float
    black: float
    read: float

    @classmethod
    def of(cls, noise: Noise, darkest: float) -> Stabiliser:
        """Transform for an estimated noise model.

        The straight line of variance over brightness determines the gain, but the black level
        and the read-out noise only jointly. If the line is negative at brightness 0, ``black``
        is the brightness at which it crosses 0; otherwise ``black`` is 0 and the remaining
        variance is read-out noise. ``darkest`` is the lowest grey value to be transformed;
        ``black`` never exceeds it, so that no photon number is negative. For noise that does
        not grow with brightness, the gain is set so low that the transform is practically
        linear.
        """
        gain = max(noise.gain, 1e-3 * noise.sigma)
        black = min(darkest, max(-noise.constant / gain, 0.0) if noise.gain > 0 else darkest)
        variance = max(noise.constant + gain * black, noise.floor if noise.gain <= 0 else 0.0)
        return cls(gain, black, float(np.sqrt(variance)) / gain)

    def forward(self, image: np.ndarray) -> np.ndarray:
        """Transform grey values to values whose noise has a variance of about 1."""
        photons = (image.astype(np.float64) - self.black) / self.gain
        root: np.ndarray = 2 * np.sqrt(np.maximum(photons + 3 / 8 + self.read**2, 0))
        return root

    def algebraic_inverse(self, stabilised: np.ndarray) -> np.ndarray:
        """Grey values whose transforms are these; values below 0 count as 0.

        Right for the transform of a mean; for a mean of transforms, see :meth:`inverse`.
        """
        photons = np.maximum(stabilised, 0) ** 2 / 4 - 3 / 8 - self.read**2
        return np.asarray(photons * self.gain + self.black)

    def forward_mean(self, image: np.ndarray) -> np.ndarray:
        """Expected transform of noisy grey values with the given means; undone by ``inverse``.

        It differs from the transform of the means because the transform is not linear.
        """
        expectations, means = _expectations()
        photons = (image - self.black) / self.gain + self.read**2
        root: np.ndarray = np.interp(photons, means, expectations)
        large = photons > means[-1]
        root[large] = 2 * np.sqrt(photons[large] + 1 / 8)
        return root

    def inverse(self, stabilised: np.ndarray) -> np.ndarray:
        """Exact unbiased inverse: the grey value whose transform has this expectation.

        Mäkitalo & Foi, IEEE Transactions on Image Processing 22, 91 (2013): the inverse for
        pure Poisson noise, minus the variance of the read-out noise.
        """
        expectations, means = _expectations()
        photons = np.interp(stabilised, expectations, means)
        large = stabilised > expectations[-1]
        photons = np.where(large, stabilised**2 / 4 - 1 / 8, photons)
        grey: np.ndarray = (photons - self.read**2) * self.gain + self.black
        return grey


@cache
def _expectations() -> tuple[np.ndarray, np.ndarray]:
    """Expectations of 2 sqrt(n + 3/8) for Poisson counts n, and their 400 means from 0 to 200."""
    means = np.linspace(0, np.sqrt(200), 400) ** 2
    n = np.arange(400)
    logarithm = np.log(np.maximum(means, 1e-300))[:, None] * n - means[:, None] - gammaln(n + 1)
    probability = np.exp(logarithm)
    return probability @ (2 * np.sqrt(n + 3 / 8)), means
