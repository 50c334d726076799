"""The planes of one channel, one after the other: frames of a film, slices of a stack."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autodip.fit import Series, Step, mean_of, warm
from autodip.noise import Noise
from autodip.params import Choice
from autodip.scaling import Scale
from autodip.stopping import Discrepancy

UNEXPLAINED = 0.5
"""Share of a plane's structure that the result before it may leave unexplained."""

_TOLERANCE = 0.01
"""Part by which the residual of a following fit may be stronger."""

_EVERY = 3
"""Iterations between two looks at how much of a following plane is explained."""


class Course:
    """Fits to the planes of a channel, each from the weights of the plane before it.

    All planes have one intensity scale. A plane that follows takes a tenth of the iterations of
    a fit from scratch, or as many more, up to all of them, as it needs until its residual is no
    stronger, measured by its noise, than that of the fit from scratch was. Where a plane is too
    unlike the result before it (the scene has changed), it is fitted from scratch.

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
        self._iterations = choice.fit.iterations
        self._least = warm(choice.fit).iterations
        self._before: np.ndarray | None = None
        self._residual: Discrepancy | None = None
        self._reached = 0.0
        self._noise: Noise | None = None
        self.scale = scale
        self.follows = False

    def steps(self, plane: np.ndarray, noise: Noise | None) -> Iterator[Step]:
        """Fit the next plane (Y, X), in its own units; steps are on the scale ``scale``.

        ``follows`` says from then on whether the fit began from the plane before.
        """
        self.follows = (
            self._before is not None and unexplained(plane, self._before, noise) <= UNEXPLAINED
        )
        if not self.follows:
            self._noise = noise  # of one camera; each estimate has an error of its own
        self._residual = None
        if self._noise is not None:
            limit = self._reached * (1 + _TOLERANCE)
            data = plane.astype(np.float64)
            self._residual = Discrepancy(data, self._noise, self._iterations, limit)
        most = self._iterations if self.follows and self._residual else self._least
        scaled = self.scale.apply(plane)
        for steps in self._series.fit(scaled, anew=not self.follows, iterations=most):
            step = mean_of(steps)
            yield step
            if self.follows and self._explains(step):
                return

    def _explains(self, step: Step) -> bool:
        """Whether a following fit is as near to its plane as the fit from scratch was."""
        beyond = step.iteration - self._least
        if beyond < 0 or beyond % _EVERY or self._residual is None:
            return False
        return self._residual.reached(self.scale.invert(step.output(), np.dtype(np.float64)))

    def keep(self, fitted: np.ndarray, result: np.ndarray) -> None:
        """Remember the fit to a plane, and its result, for the one that follows.

        Both (Y, X), in units of the plane; the result may be refined.
        """
        if not self.follows and self._residual is not None:
            self._reached = self._residual.value(fitted)
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
