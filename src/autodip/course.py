"""The planes of one channel, one after the other: frames of a film, slices of a stack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autodip.fit import LESS, Series, Step, mean_of
from autodip.noise import Noise
from autodip.params import Choice
from autodip.scaling import Scale

UNEXPLAINED = 0.5
"""Share of a plane's structure that the result before it may leave unexplained."""

_LITTLE, _SHARE = 0.3, 0.45
"""Change in units of the noise's power that the fewest iterations learn, and the share of those of
a fit from scratch that each further unit takes."""


class Course:
    """Fits to the planes of a channel, each from the weights of the plane before it.

    All planes have one intensity scale. Where a plane is too unlike the result before it (the
    scene has changed), it is fitted from scratch.

    Parameters
    ----------
    choice : Choice
    seed : int
    device : str
    scale : Scale
        That of all planes.
    """

    def __init__(self, choice: Choice, seed: int, device: str, scale: Scale) -> None:
        seeds = [(seed + number) % 2**32 for number in range(choice.fit.seeds)]
        self._series = Series(choice.net, choice.fit, seeds=seeds, device=device)
        self._before: np.ndarray | None = None
        self.scale = scale
        self.follows = False

    def steps(self, plane: np.ndarray, noise: Noise | None) -> Iterator[Step]:
        """Fit the next plane (Y, X), in its own units; steps are on the scale ``scale``.

        ``follows`` says from then on whether the fit began from the plane before.
        """
        share = 1.0
        self.follows = False
        if self._before is not None:
            change = Change.of(plane, self._before, noise)
            self.follows, share = change.unexplained <= UNEXPLAINED, change.share
        scaled = self.scale.apply(plane)
        for steps in self._series.fit(scaled, anew=not self.follows, share=share):
            yield mean_of(steps)

    def keep(self, result: np.ndarray) -> None:
        """Remember the result (Y, X) of a plane, in its own units, for the one that follows."""
        self._before = result


@dataclass(frozen=True)
class Change:
    """How a noisy plane differs from the result before it.

    Parameters
    ----------
    unexplained : float
        Power of the difference, less the noise's, over that of the plane's structure: 0 for
        equal scenes, 1 and more for unlike ones.
    to_noise : float
        The same power over that of the noise; 0 where the noise is not known.
    """

    unexplained: float
    to_noise: float

    @classmethod
    def of(cls, plane: np.ndarray, before: np.ndarray, noise: Noise | None) -> Change:
        """Change from a result to the noisy plane that follows; both (Y, X), in the same units."""
        data = plane.astype(np.float64)
        power = 0.0 if noise is None else float(np.mean(noise.std(before) ** 2))
        structure = max(float(data.var()) - power, 0.1 * power, 1e-30)
        excess = max(float(np.mean((data - before) ** 2)) - power, 0.0)
        return cls(excess / structure, excess / power if power else 0.0)

    @property
    def share(self) -> float:
        """Share of the iterations of a fit from scratch that learn it."""
        return min(1.0, 1 / LESS + _SHARE * max(0.0, self.to_noise - _LITTLE))
