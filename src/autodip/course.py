"""The planes of one channel, one after the other: frames of a film, slices of a stack."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autodip.fit import Series, Step, mean_of
from autodip.noise import Noise
from autodip.params import Choice
from autodip.scaling import Scale

UNEXPLAINED = 0.5
"""Share of a plane's structure that the result before it may leave unexplained."""


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
        self.follows = (
            self._before is not None and unexplained(plane, self._before, noise) <= UNEXPLAINED
        )
        for steps in self._series.fit(self.scale.apply(plane), anew=not self.follows):
            yield mean_of(steps)

    def keep(self, result: np.ndarray) -> None:
        """Remember the result (Y, X) of a plane, in its own units, for the one that follows."""
        self._before = result


def unexplained(plane: np.ndarray, before: np.ndarray, noise: Noise | None) -> float:
    """Share of the structure of a plane that another image does not have.

    Parameters
    ----------
    plane : ndarray, shape (Y, X)
        Noisy.
    before : ndarray, shape (Y, X)
        Result of the plane before, in the same units.
    noise : Noise or None
        Of the plane; None takes all of it for structure.

    Returns
    -------
    float
        Power of the difference over that of the structure, both less the noise's; 0 for equal
        images, 1 and more for unlike ones.
    """
    data = plane.astype(np.float64)
    power = 0.0 if noise is None else float(np.mean(noise.std(before) ** 2))
    structure = max(float(data.var()) - power, 0.1 * power, 1e-30)
    return max(float(np.mean((data - before) ** 2)) - power, 0.0) / structure
