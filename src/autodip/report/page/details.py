"""Details that are worth looking at: brightest structure, an edge, the darkest background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter

_SIDE, _LEAST = 96, 24
"""Usual and smallest side of a detail, in pixels."""

_SMOOTH = 1.5


@dataclass(frozen=True)
class Detail:
    """A square part of a plane.

    Parameters
    ----------
    name : str
    top, left, side : int
        In pixels.
    """

    name: str
    top: int
    left: int
    side: int

    def of(self, plane: np.ndarray) -> np.ndarray:
        """Pixels of the detail."""
        rows = slice(self.top, self.top + self.side)
        return plane[rows, self.left : self.left + self.side]


def details(result: np.ndarray, known: np.ndarray) -> list[Detail]:
    """Choose up to three details of a result (Y, X) that do not overlap.

    Parameters
    ----------
    result : ndarray, shape (Y, X)
        Finite numbers.
    known : ndarray of bool, shape (Y, X)
        Pixels that hold a measurement; details with many others are avoided.
    """
    side = min(_SIDE, max(_LEAST, min(result.shape) // 3), *result.shape)
    plane = result.astype(np.float64)
    smooth = gaussian_filter(plane, _SMOOTH)
    mean = uniform_filter(plane, side)
    slope = uniform_filter(np.hypot(*np.gradient(smooth)), side)
    share = uniform_filter(known.astype(float), side)
    worth = {
        "brightest structure": mean,
        "edges": slope / np.sqrt(np.maximum(mean - mean.min(), 0) + mean.std() + 1e-12),
        "darkest background": -mean - 2 * slope,
    }
    free = np.zeros(plane.shape, bool)
    half = side // 2
    free[half : plane.shape[0] - side + half + 1, half : plane.shape[1] - side + half + 1] = True
    found = []
    for name, values in worth.items():
        allowed = free & (share > 0.9)
        if not allowed.any():
            continue
        y, x = np.unravel_index(np.argmax(np.where(allowed, values, -np.inf)), plane.shape)
        found.append(Detail(name, int(y) - half, int(x) - half, side))
        free[max(0, y - side + 1) : y + side, max(0, x - side + 1) : x + side] = False
    return found or [Detail("whole image", 0, 0, min(plane.shape))]
