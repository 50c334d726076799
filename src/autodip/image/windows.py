"""Overlapping windows of a large plane, and seamless blending of their results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Self

import numpy as np

from autodip.errors import ParameterError
from autodip.util.values import Value


@dataclass(frozen=True)
class Window(Value):
    """A rectangular window of a plane.

    Parameters
    ----------
    rows, columns : slice
        Range of rows and of columns; start and stop are not None.
    """

    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Size (Y, X) in pixels."""
        return (self.rows.stop - self.rows.start, self.columns.stop - self.columns.start)

    def to_dict(self) -> dict[str, Any]:
        """Start and stop (exclusive) of the rows and of the columns; JSON-ready."""
        return {
            "rows": [self.rows.start, self.rows.stop],
            "columns": [self.columns.start, self.columns.stop],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_dict`."""
        return cls(*(slice(*values[name]) for name in ("rows", "columns")))

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the window in the plane."""
        return (self.rows, self.columns)


@dataclass(frozen=True)
class Tiling(Value):
    """Division of large planes into windows.

    Parameters
    ----------
    side : int
        Side of a window in pixels.
    overlap : int
        Minimum overlap of neighbouring windows in pixels; less than half of ``side``.
    """

    side: int
    overlap: int

    def shape(self, plane: tuple[int, int]) -> tuple[int, int]:
        """Shape (Y, X) of every window of a plane of this shape."""
        return min(self.side, plane[0]), min(self.side, plane[1])

    def windows(self, plane: tuple[int, int]) -> tuple[Window, ...]:
        """Windows that cover a plane of this shape; see :func:`windows`."""
        return windows(plane, self.side, self.overlap)


def starts(length: int, side: int, overlap: int) -> tuple[int, ...]:
    """First pixel of each window along one axis.

    The windows are spaced evenly, so that neighbours share at least ``overlap`` pixels.

    Parameters
    ----------
    length : int
        Length of the axis in pixels.
    side : int
        Side of a window in pixels; an axis that is no longer than this has a single window.
    overlap : int
        Minimum overlap of neighbouring windows in pixels; less than half of ``side``.

    Raises
    ------
    ParameterError
        If ``side`` is below 1, or ``overlap`` is not from 0 up to below half of ``side``.
    """
    if side < 1 or not 0 <= 2 * overlap < side:
        raise ParameterError(
            f"windows of {side} pixels that overlap by {overlap}; the overlap must be from 0 up to "
            "below half of the side"
        )
    if length <= side:
        return (0,)
    number = -(-(length - overlap) // (side - overlap))
    return tuple(round(k * (length - side) / (number - 1)) for k in range(number))


def windows(shape: tuple[int, int], side: int, overlap: int) -> tuple[Window, ...]:
    """Windows that cover a plane, in reading order.

    Parameters
    ----------
    shape : tuple of int
        (Y, X) of the plane.
    side, overlap : int
        As for :func:`starts`.

    Raises
    ------
    ParameterError
        If the overlap does not fit the side.
    """
    axes = [
        [slice(start, min(start + side, length)) for start in starts(length, side, overlap)]
        for length in shape
    ]
    return tuple(Window(rows, columns) for rows, columns in product(*axes))


def blend(
    shape: tuple[int, int], parts: Iterable[tuple[Window, np.ndarray]]
) -> Iterator[tuple[slice, np.ndarray]]:
    """Blend the results of windows, and yield rows as soon as they are final.

    Overlapping results are blended linearly. Only rows that may still change are held in memory.

    Parameters
    ----------
    shape : tuple of int
        (Y, X) of the plane.
    parts : iterable of Window and ndarray, float, (Y, X)
        The windows from :func:`windows`, in that order, each with its result.

    Yields
    ------
    slice, ndarray
        Rows of the plane, from top to bottom without gaps, and their float64 pixels (Y, X).

    Raises
    ------
    ParameterError
        If pixels are not covered by any window.
    """
    band = np.empty((0, shape[1]))
    weight = np.empty((0, shape[1]))
    first = 0
    for window, result in parts:
        if window.rows.start > first:
            done = window.rows.start - first
            yield slice(first, window.rows.start), _ready(band[:done], weight[:done], first)
            band, weight, first = band[done:], weight[done:], window.rows.start
        missing = window.rows.stop - first - len(band)
        if missing > 0:
            band = np.concatenate([band, np.zeros((missing, shape[1]))])
            weight = np.concatenate([weight, np.zeros((missing, shape[1]))])
        own = np.multiply.outer(_ramp(window.rows, shape[0]), _ramp(window.columns, shape[1]))
        place = (slice(window.rows.start - first, window.rows.stop - first), window.columns)
        band[place] += own * result
        weight[place] += own
    if first + len(band) < shape[0]:
        raise ParameterError(f"no window covers the rows from {first + len(band)} on")
    yield slice(first, first + len(band)), _ready(band, weight, first)


def _ready(band: np.ndarray, weight: np.ndarray, first: int) -> np.ndarray:
    if not (weight > 0).all():
        row = first + int(np.argmin(weight.min(axis=1)))
        raise ParameterError(f"no window covers a part of row {row}")
    return np.asarray(band / weight)


def _ramp(part: slice, length: int) -> np.ndarray:
    """Weights along one axis, which rise linearly from an inner edge to the window's middle.

    Divided by their sum over all windows, they form linear transitions between neighbours.
    """
    number = part.stop - part.start
    place = np.arange(number) + 0.5
    rise = np.full(number, np.inf) if part.start == 0 else place
    fall = np.full(number, np.inf) if part.stop == length else number - place
    weights = np.minimum(rise, fall)
    return np.where(np.isinf(weights), 1.0, weights)


def seam(plane: np.ndarray, parts: Iterable[Window]) -> float:
    """Change of a plane across the edges of windows, relative to its change elsewhere.

    Parameters
    ----------
    plane : ndarray, shape (Y, X)
    parts : iterable of Window

    Returns
    -------
    float
        Mean absolute difference of neighbouring pixels across the inner edges, divided by the
        mean over all other neighbours, and averaged over the axes. About 1 if there is no seam;
        1 if there are no inner edges.
    """
    parts = list(parts)
    ratios = []
    for axis, length in enumerate(plane.shape):
        edges = {one.slices[axis].start for one in parts} | {one.slices[axis].stop for one in parts}
        inner = sorted(edge - 1 for edge in edges if 0 < edge < length)
        steps = np.abs(np.diff(plane.astype(np.float64), axis=axis)).mean(axis=1 - axis)
        others = np.delete(steps, inner)
        if inner and others.size and others.mean() > 0:
            ratios.append(float(steps[inner].mean() / others.mean()))
    return float(np.mean(ratios)) if ratios else 1.0
