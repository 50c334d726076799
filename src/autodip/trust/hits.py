"""Means of a residual that noise does not explain."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter

from autodip.trust.periodic import Wave, waves
from autodip.trust.shape_bank import SURROUND, Filter, Response, ShapeBank
from autodip.trust.standard_residual import StandardResidual

_CHANCE = 0.02
"""Chance that noise alone exceeds a limit anywhere in a plane, for independent filters."""

_INDEPENDENT = 0.5
"""Number of independent filters per filter: neighbouring sizes and directions overlap."""

_WIDEST = 2.0
"""Largest factor by which the spread of a filter's values may exceed that of noise and still be
taken for noise whose correlation reaches further than it was measured."""

_UNCERTAIN = 1.1
"""Factor of the limits if the noise is correlated: its spectrum is known less well."""

_MOST = 300
"""Number of hits that are considered, the clearest first."""

_TO_SIGMA = 1 / 0.6745


@dataclass(frozen=True)
class Hit:
    """A mean of the residual over a structure that exceeds its limit.

    Parameters
    ----------
    deviation : float
        In standard errors; negative where the result is brighter than the noisy image, and
        positive for waves.
    limit : float
        Absolute value that noise exceeds with a small chance.
    y, x : int
        Centre of the structure.
    shape : Filter or Wave
    """

    deviation: float
    limit: float
    y: int
    x: int
    shape: Filter | Wave

    @property
    def strength(self) -> float:
        """Deviation relative to the limit."""
        return abs(self.deviation) / self.limit

    def contrasts(self, result: np.ndarray, noisy: np.ndarray) -> tuple[complex, complex]:
        """Contrast of the structure in the result and in the noisy image (Y, X), in their units.

        That of a blob or line is its mean less the median of its surroundings in the result, which
        a bright neighbour does not change; that of a wave is its complex amplitude.
        """
        if isinstance(self.shape, Wave):
            return self.shape.amplitude(result), self.shape.amplitude(noisy)
        core, around = np.zeros(result.shape, bool), np.zeros(result.shape, bool)
        self.paint(core)
        self.paint(around, SURROUND)
        around &= ~core
        level = float(np.median(result[around])) if around.any() else 0.0
        return complex(result[core].mean() - level), complex(noisy[core].mean() - level)

    def paint(self, mask: np.ndarray, wider: float = 1.0) -> None:
        """Set the pixels of the structure, or of one so much wider, in a mask (Y, X)."""
        across, along = (wider * half for half in self.shape.half_axes)
        angle = 0.0 if isinstance(self.shape, Wave) else self.shape.angle
        reach = math.ceil(max(across, along))
        rows = slice(max(0, self.y - reach), self.y + reach + 1)
        columns = slice(max(0, self.x - reach), self.x + reach + 1)
        y = np.arange(mask.shape[0])[rows, None] - self.y
        x = np.arange(mask.shape[1])[None, columns] - self.x
        sine, cosine = math.sin(angle), math.cos(angle)
        distance = ((x * cosine + y * sine) / along) ** 2 + ((y * cosine - x * sine) / across) ** 2
        mask[rows, columns] |= distance <= 1


def hits_in(residual: StandardResidual) -> tuple[list[Hit], float]:
    """Hits in a residual, the clearest first, and the largest limit of a filter."""
    bank = ShapeBank(residual)
    uncertain = 1.0 if residual.correlation is None else _UNCERTAIN
    chance = _CHANCE / (_INDEPENDENT * max(len(bank.filters), 1))
    found: list[Hit] = []
    largest = 0.0
    for response in bank.responses():
        limit = uncertain * response.limit(chance)
        largest = max(largest, limit)
        found += _of_response(response, limit, residual.skewness)
    for wave in waves(residual, _CHANCE / 4):
        y, x = wave.centre
        found.append(Hit(wave.deviation, uncertain * wave.limit, y, x, wave))
    found = [hit for hit in found if hit.strength > 1]
    return sorted(found, key=lambda hit: -hit.strength)[:_MOST], largest


def _of_response(response: Response, limit: float, skewness: np.ndarray) -> Iterator[Hit]:
    """Local maxima of the absolute value above the limit."""
    step = response.filter.step
    spread = _TO_SIGMA * float(np.median(np.abs(response.values[::2, ::2])))
    values = response.values / min(max(spread, 1.0), _WIDEST)
    size = np.abs(values)
    if float(size.max()) <= limit:
        return
    for y, x in zip(*np.nonzero((size > limit) & (size == maximum_filter(size, 3))), strict=True):
        at = int(y) * step, int(x) * step
        skew = response.filter.skewness * float(skewness[at])
        yield Hit(_normal(float(values[y, x]), skew), limit, *at, response.filter)


def _normal(deviation: float, skewness: float) -> float:
    """Deviation of a normal distribution that is as improbable as one of a Poisson number.

    By the square root that stabilises the variance of Poisson numbers; only for numbers that are
    too large, since those that are too small are less probable than in a normal distribution.
    """
    if deviation <= 0 or skewness <= 0:
        return deviation
    return 2 / skewness * (math.sqrt(1 + skewness * deviation) - 1)
