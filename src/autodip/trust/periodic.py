"""Periodic patterns in a residual: narrow peaks of its local spectrum."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import fft

from autodip.trust.standard_residual import StandardResidual

_SIDES = (20, 40)
"""Sides, in pixels, of the blocks whose spectra are examined."""

_OVERLAP = 3
"""Blocks are a third of their side apart."""

_FINER = 2
"""How much finer than the blocks resolve the frequencies are sampled."""

_LONGEST = 8.0
"""Longest period that counts as a pattern, in pixels; longer ones are lines and blobs."""

_WIDEST = 2.0
"""Largest factor by which the power of the noise may exceed its estimated spectrum."""


@dataclass(frozen=True, kw_only=True)
class Wave:
    """A wave in one block that noise does not explain.

    Parameters
    ----------
    top, left, side : int
        First row and column of the block, and its side.
    frequency : tuple of float
        In cycles per pixel along Y and X.
    deviation : float
        Its amplitude in standard deviations of that of the noise.
    certain : float
        The same if whatever is usual at this frequency in this plane is taken for noise.
    limit : float
        Value of ``deviation`` that noise exceeds anywhere with the given chance.
    """

    top: int
    left: int
    side: int
    frequency: tuple[float, float]
    deviation: float
    certain: float
    limit: float

    @property
    def period(self) -> float:
        """Distance of the crests in pixels."""
        return 1 / math.hypot(*self.frequency)

    @property
    def centre(self) -> tuple[int, int]:
        """Row and column."""
        return self.top + self.side // 2, self.left + self.side // 2

    @property
    def half_axes(self) -> tuple[float, float]:
        """Half of the height and of the width of the area that dominates the block."""
        return self.side / 3, self.side / 3

    def amplitude(self, plane: np.ndarray) -> complex:
        """Complex amplitude of the wave in the block of a plane (Y, X), in its units."""
        block = plane[self.top : self.top + self.side, self.left : self.left + self.side]
        window = _window(self.side)
        level = float((block * window).sum() / window.sum())
        y, x = (np.exp(-2j * np.pi * f * np.arange(self.side)) for f in self.frequency)
        return complex(2 * (y @ ((block - level) * window) @ x) / window.sum())


def waves(residual: StandardResidual, chance: float) -> Iterator[Wave]:
    """Waves in the blocks of a plane; noise has one anywhere with the given chance."""
    for side in _SIDES:
        if min(residual.values.shape) >= side:
            yield from _of_side(residual, side, chance / len(_SIDES))


def _of_side(residual: StandardResidual, side: int, chance: float) -> Iterator[Wave]:
    """Waves in blocks of one size."""
    rows, columns = (_starts(length, side) for length in residual.values.shape)
    window = _window(side).astype(np.float32)
    views = np.lib.stride_tricks.sliding_window_view(
        residual.values.astype(np.float32), (side, side)
    )
    blocks = views[np.ix_(rows, columns)] * window
    grid = (_FINER * side, _FINER * side)
    power = np.abs(fft.rfft2(blocks, grid)) ** 2 / np.float32((window**2).sum())
    y, x = fft.fftfreq(grid[0])[:, None], fft.rfftfreq(grid[1])[None, :]
    # Waves along the border of the half plane are real numbers, or are contained twice.
    allowed = (np.hypot(y, x) >= 1 / _LONGEST) & (x < 0.5) & (np.abs(y) < 0.5) & ((x > 0) | (y > 0))
    expected = np.maximum(residual.power(grid)[:, : grid[1] // 2 + 1], 1e-6).astype(np.float32)
    power = np.where(allowed, power / expected, 0)
    usual = np.maximum(np.median(power[::2, ::2], axis=(0, 1)) / math.log(2), 1)
    limit = math.log(len(rows) * len(columns) * int(allowed.sum()) / chance)
    found = power / np.minimum(usual, _WIDEST)
    for row, column, v, u in zip(*np.nonzero(found > limit), strict=True):
        yield Wave(
            top=rows[row],
            left=columns[column],
            side=side,
            frequency=(float(y[v, 0]), float(x[0, u])),
            deviation=math.sqrt(2 * float(found[row, column, v, u])),
            certain=math.sqrt(2 * float(power[row, column, v, u] / usual[v, u])),
            limit=math.sqrt(2 * limit),
        )


def _starts(length: int, side: int) -> list[int]:
    """First pixels of overlapping blocks; the last one ends at the border."""
    return sorted({*range(0, length - side + 1, side // _OVERLAP), length - side})


def _window(side: int) -> np.ndarray:
    taper = np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2
    return np.outer(taper, taper)
