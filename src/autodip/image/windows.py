"""Overlapping windows of a large plane, and blending their results without seams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from autodip.errors import ParameterError


@dataclass(frozen=True)
class Window:
    """A part of a plane.

    Parameters
    ----------
    rows, columns : slice
        What is read of the plane; start and stop are given.
    """

    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int]:
        """(Y, X) in pixels."""
        return (self.rows.stop - self.rows.start, self.columns.stop - self.columns.start)

    def to_dict(self) -> dict[str, list[int]]:
        """First pixel and the one behind the last, of rows and columns; JSON-ready."""
        return {
            "rows": [self.rows.start, self.rows.stop],
            "columns": [self.columns.start, self.columns.stop],
        }

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the window in the plane."""
        return (self.rows, self.columns)


@dataclass(frozen=True)
class Tiling:
    """How large planes are cut.

    Parameters
    ----------
    side : int
        Of a window, in pixels.
    overlap : int
        Pixels that neighbours share at least; less than half of ``side``.
    """

    side: int
    overlap: int

    def shape(self, plane: tuple[int, int]) -> tuple[int, int]:
        """(Y, X) of the windows of a plane of this shape; they are all alike."""
        return min(self.side, plane[0]), min(self.side, plane[1])

    def windows(self, plane: tuple[int, int]) -> tuple[Window, ...]:
        """Windows that cover a plane of this shape; see :func:`windows`."""
        return windows(plane, self.side, self.overlap)


def starts(length: int, side: int, overlap: int) -> tuple[int, ...]:
    """First pixels of the windows along one axis.

    They are spread evenly, so that neighbours share ``overlap`` pixels or more.

    Parameters
    ----------
    length : int
        Of the axis, in pixels.
    side : int
        Of a window; where the axis is no longer there is one window.
    overlap : int
        Pixels that neighbours share at least; less than half of ``side``.

    Raises
    ------
    ParameterError
        If the overlap is not from 0 up to below half of the side.
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
        As in :func:`starts`.

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
    """Blend the results of windows, and hand on rows as soon as they are final.

    Where windows overlap their results cross over linearly. Only the rows of the windows that
    are still open are held in memory.

    Parameters
    ----------
    shape : tuple of int
        (Y, X) of the plane.
    parts : iterable of Window and ndarray, float, (Y, X)
        Those of :func:`windows`, in that order, with the result of each.

    Yields
    ------
    slice, ndarray
        Rows of the plane, from top to bottom without gaps, and their float64 pixels (Y, X).

    Raises
    ------
    ParameterError
        If rows are left over for which no window came.
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
        raise ParameterError(f"no window came for the rows from {first + len(band)} on")
    yield slice(first, first + len(band)), _ready(band, weight, first)


def _ready(band: np.ndarray, weight: np.ndarray, first: int) -> np.ndarray:
    if not (weight > 0).all():
        row = first + int(np.argmin(weight.min(axis=1)))
        raise ParameterError(f"no window came for a part of row {row}")
    return np.asarray(band / weight)


def _ramp(part: slice, length: int) -> np.ndarray:
    """Weights along one axis: they rise from an inner edge to the middle of the window.

    Divided by their sum over the windows, which cross over from one to the next.
    """
    number = part.stop - part.start
    place = np.arange(number) + 0.5
    rise = np.full(number, np.inf) if part.start == 0 else place
    fall = np.full(number, np.inf) if part.stop == length else number - place
    weights = np.minimum(rise, fall)
    return np.where(np.isinf(weights), 1.0, weights)


def seam(plane: np.ndarray, parts: Iterable[Window]) -> float:
    """How much a plane changes across the edges of windows, beside what it changes elsewhere.

    Parameters
    ----------
    plane : ndarray, shape (Y, X)
    parts : iterable of Window

    Returns
    -------
    float
        Mean absolute difference of neighbours across the inner edges over that of all other
        neighbours; about 1 where there is no seam.
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
