"""Shapes that are sought in a residual: blobs and lines, as filters with a known response to noise.

A filter is a Gaussian, elongated for lines, minus a wider one, so that a slowly varying background
has no effect. It is applied in Fourier space, and coarse ones on a coarser grid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import fft
from scipy.optimize import brentq

from autodip.trust.standard_residual import StandardResidual

SURROUND = 3.0
"""Width of the Gaussian that is subtracted, relative to the width of the shape."""

_BLOBS = (1.1, 1.7, 2.6, 4.0, 6.0, 9.0, 13.5, 20.0)
_LINES = ((1.0, 4.0, 8), (1.0, 8.0, 16), (1.0, 16.0, 24), (2.2, 9.0, 8), (2.2, 20.0, 16))
"""Standard deviations across and along a line, and the number of directions."""

_COARSER = ((6.0, 8), (2.5, 4), (0.0, 2))
"""Widths, each with the distance of the positions at which wider filters are evaluated."""

_BLOCK = 16
"""Sides of the grid are multiples of this number of pixels."""


@dataclass(frozen=True)
class Filter:
    """A shape: a blob, or a line in one direction.

    Parameters
    ----------
    across, along : float
        Standard deviations of the Gaussian in pixels; equal for a blob.
    angle : float
        Direction of a line in radians, from the X axis towards the Y axis.
    """

    across: float
    along: float
    angle: float = 0.0

    @property
    def is_line(self) -> bool:
        """Whether this is a line."""
        return self.along > self.across

    @property
    def step(self) -> int:
        """Distance, in pixels, of the positions at which it is evaluated."""
        return next(step for width, step in _COARSER if self.across >= width)

    @property
    def half_axes(self) -> tuple[float, float]:
        """Half of the width and of the length of the structure that it fits best, in pixels."""
        return 1.5 * self.across, self.along if self.is_line else 1.5 * self.along

    @property
    def skewness(self) -> float:
        """Skewness of its response to pixels of skewness 1; that of a Gaussian of this size."""
        return 0.376 / math.sqrt(self.across * self.along)

    def transfer(self, y: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Transfer function at frequencies in cycles per pixel, shapes (n, 1) and (1, m)."""
        if not self.is_line:
            y2, x2, turn = y**2, x**2, -2 * np.pi**2
            narrow = np.exp(turn * self.across**2 * y2) * np.exp(turn * self.across**2 * x2)
            wide = SURROUND * self.across
            return np.asarray(narrow - np.exp(turn * wide**2 * y2) * np.exp(turn * wide**2 * x2))
        sine, cosine = math.sin(self.angle), math.cos(self.angle)
        along, across = x * cosine + y * sine, y * cosine - x * sine
        across = (2 * np.pi**2 * self.across**2) * across**2
        shape = np.exp(-(2 * np.pi**2 * self.along**2) * along**2 - across)
        return np.asarray(shape - shape * np.exp(-(SURROUND**2 - 1) * across))

    def kernel(self) -> np.ndarray:
        """Weights in space; their centre is that of the array."""
        reach = math.ceil(3 * max(self.along, SURROUND * self.across))
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
        sine, cosine = math.sin(self.angle), math.cos(self.angle)
        along, across = x * cosine + y * sine, y * cosine - x * sine
        wide = self.along if self.is_line else SURROUND * self.along
        return np.asarray(
            _gaussian(along, self.along) * _gaussian(across, self.across)
            - _gaussian(along, wide) * _gaussian(across, SURROUND * self.across)
        )


def _gaussian(distance: np.ndarray, width: float) -> np.ndarray:
    return np.asarray(np.exp(-0.5 * (distance / width) ** 2) / (math.sqrt(2 * math.pi) * width))


def filters(shape: tuple[int, int]) -> tuple[Filter, ...]:
    """Filters that fit into a plane (Y, X)."""
    side = min(shape)
    found = [Filter(width, width) for width in _BLOBS if 4 * SURROUND * width <= side]
    for across, along, directions in _LINES:
        if 4 * along <= side:
            angles = (math.pi * number / directions for number in range(directions))
            found += [Filter(across, along, angle) for angle in angles]
    return tuple(found)


@dataclass(frozen=True)
class Response:
    """Response of a filter to a residual.

    Parameters
    ----------
    filter : Filter
    values : ndarray, float32
        In standard deviations of its response to the noise, at every :attr:`Filter.step` pixels.
    roughness : float
        Mean number of independent positions: area of the plane times the root of the determinant
        of the covariance of the gradient of ``values``.
    """

    filter: Filter
    values: np.ndarray
    roughness: float

    def limit(self, chance: float) -> float:
        """Absolute value that noise exceeds anywhere in the plane with this chance.

        From the expected number of maxima of a smooth Gaussian field above a level (Adler 1981,
        The Geometry of Random Fields; Worsley et al. 1996), or the number of positions if that is
        smaller.
        """
        return _limit(chance, self.roughness, self.values.size)


def _limit(chance: float, roughness: float, positions: int) -> float:
    def excess(level: float) -> float:
        smooth = roughness * level * math.exp(-0.5 * level**2) / (2 * math.pi) ** 1.5
        single = 0.5 * positions * math.erfc(level / math.sqrt(2))
        return math.log(2 * min(smooth, single) + 1e-300) - math.log(chance)

    return float(brentq(excess, 1.0, 12.0)) if excess(1.0) > 0 else 1.0


class ShapeBank:
    """Filters that are applied to a residual.

    Parameters
    ----------
    residual : StandardResidual
        Of a plane (Y, X).

    Attributes
    ----------
    filters : tuple of Filter
        Those that fit into the plane.
    """

    def __init__(self, residual: StandardResidual) -> None:
        self._shape: tuple[int, int] = residual.values.shape
        sides = [_BLOCK * fft.next_fast_len(-(-side // _BLOCK), True) for side in self._shape]
        self._grid = (sides[0], sides[1])
        self._spectrum = fft.rfft2(residual.values.astype(np.float32), self._grid)
        self._power = residual.power(self._grid).astype(np.float32)
        self.filters = filters(self._shape)

    def responses(self) -> Iterator[Response]:
        """Response of every filter that fits."""
        for one in self.filters:
            yield self._response(one)

    @cached_property
    def _cropped(self) -> dict[int, tuple[np.ndarray, ...]]:
        return {step: self._crop(step) for _, step in _COARSER}

    def _crop(self, step: int) -> tuple[np.ndarray, ...]:
        """Frequencies, spectrum and power up to the Nyquist frequency of a coarser grid."""
        rows, columns = (side // step for side in self._grid)
        half = rows // 2
        keep = np.r_[0:half, self._grid[0] - (rows - half) : self._grid[0]]
        y = fft.fftfreq(self._grid[0])[keep].astype(np.float32)[:, None]
        x = fft.rfftfreq(self._grid[1])[: columns // 2 + 1].astype(np.float32)[None, :]
        spectrum = self._spectrum[keep, : columns // 2 + 1] / np.float32(step**2)
        twice = np.full(columns // 2 + 1, 2, np.float32)
        twice[[0, -1]] = 1
        power = self._power[keep, : columns // 2 + 1] * twice
        return y, x, spectrum, power

    def _response(self, one: Filter) -> Response:
        y, x, spectrum, power = self._cropped[one.step]
        transfer = one.transfer(y, x).astype(np.float32)
        rows, columns = (side // one.step for side in self._grid)
        values = fft.irfft2(spectrum * transfer, (rows, columns))
        values = values[: -(-self._shape[0] // one.step), : -(-self._shape[1] // one.step)]
        weight = transfer**2 * power
        total = float(weight.sum())
        variance = total / (self._grid[0] * self._grid[1])
        by_row = weight.sum(axis=1) @ y[:, 0] ** 2 / total
        by_column = weight.sum(axis=0) @ x[0] ** 2 / total
        mixed = float((y[:, 0] @ weight) @ x[0]) / total
        slope = (2 * math.pi) ** 2 * math.sqrt(max(float(by_row * by_column) - mixed**2, 0.0))
        return Response(one, values / math.sqrt(variance), slope * math.prod(self._shape))
