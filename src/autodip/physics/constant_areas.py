"""Areas of one grey value, which registration, rotation, stitching, masks and labels leave."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import (
    label,
    maximum_filter,
    maximum_filter1d,
    minimum_filter,
    minimum_filter1d,
    uniform_filter,
)

_WINDOW, _SMALL = 7, 3
"""Side, in pixels, of the smallest constant square that counts; at a border of the image, it may be
thinner. The second one is for a value that stands apart."""

_LEAST_AREA = 64
"""Smallest number of pixels of a constant area, unless its value stands apart."""

_APART, _STEP = 3.0, 90
"""A value stands apart if its distance to the next one is more than this many times both the usual
distance of grey values and this percentile of the steps between adjacent pixels."""

_SEA, _LIT, _LIT_SHARE = 0.85, 2, 1e-3
"""A pixel is lit if at least ``_SEA`` of the pixels around it are part of a constant area. Areas
with more than ``_LIT`` such pixels, and more than ``_LIT_SHARE`` of their size, are no empty areas
but backgrounds in which photons are rare."""

_VALUES = 4
"""Number of grey values, the most frequent ones first, whose constant areas are examined."""


def constant_areas(plane: np.ndarray) -> np.ndarray:
    """Areas of one grey value that are no data.

    They are at least 7 pixels wide, or reach the border of the image, or are gaps of at least 3
    pixels between one border and the other. The lowest, the highest and the most frequent grey
    values may also stand apart from all others, by more than the noise; their areas need be 3
    pixels wide in one place only. Where photons are so rare that most pixels hold none, the dark
    pixels are data.

    Parameters
    ----------
    plane : ndarray, shape (Y, X)
        In any units, finite.

    Returns
    -------
    ndarray of bool, shape (Y, X)
    """
    found = np.zeros(plane.shape, bool)
    small = _solid(plane, _SMALL)
    solid = np.zeros_like(small)
    if any(minimum_filter1d(small, _WINDOW, axis=axis).any() for axis in (0, 1)):
        solid = _solid(plane, _WINDOW) | _gaps(plane) | _gaps(plane.T).T
    values, counts = np.unique(plane[solid], return_counts=True)
    frequent = values[np.argsort(-counts, kind="stable")][:_VALUES]
    for value in np.unique([*frequent, plane.min(), plane.max()]):
        same = plane == value
        seeds = same & small
        if not seeds.any():
            continue
        if _is_apart(plane, value, same):
            areas, number = label(same, np.ones((3, 3)))
            kept = np.bincount(areas[seeds], minlength=number + 1) > 0
        else:
            areas, number = label(same & solid, np.ones((3, 3)))
            kept = np.bincount(areas.ravel(), minlength=number + 1) >= _LEAST_AREA
        kept[0] = False
        found |= (kept & ~_with_photons(areas, number, same))[areas]
    return found


def _is_apart(plane: np.ndarray, value: float, same: np.ndarray) -> bool:
    """Whether no other grey values are near one."""
    others = np.unique(plane[~same]).astype(np.float64)
    if len(others) < 2:
        return False
    steps = np.abs(np.diff(plane.astype(np.float64), axis=1))[~(same[:, 1:] | same[:, :-1])]
    step = float(np.percentile(steps, _STEP)) if steps.size else np.inf
    distance = float(np.abs(others - float(value)).min())
    return distance > _APART * max(step, float(np.median(np.diff(others))))


def _with_photons(areas: np.ndarray, number: int, same: np.ndarray) -> np.ndarray:
    """Whether areas contain single pixels of other values, bool, for every label."""
    sizes = np.bincount(areas.ravel(), minlength=number + 1)
    share = uniform_filter(np.pad(same, _WINDOW, mode="edge").astype(np.float32), _WINDOW)
    sea = share[_WINDOW:-_WINDOW, _WINDOW:-_WINDOW] >= _SEA
    around = maximum_filter(areas, _WINDOW)
    lit = np.bincount(around[sea & ~same], minlength=number + 1)
    return np.asarray(lit > np.maximum(_LIT, _LIT_SHARE * sizes))


def _solid(plane: np.ndarray, side: int) -> np.ndarray:
    """Pixels in constant squares of a side; the plane is continued beyond its border."""
    padded = np.pad(plane, side - 1, mode="edge")
    flat = maximum_filter(padded, side) == minimum_filter(padded, side)
    inner = slice(side - 1, 1 - side)
    return np.asarray(maximum_filter(flat, side)[inner, inner])


def _gaps(plane: np.ndarray) -> np.ndarray:
    """Rows of one value, at least three next to each other, as between stitched images."""
    low, high = plane.min(axis=1), plane.max(axis=1)
    flat = np.pad(low == high, 1)
    wide = flat[:-2] & flat[1:-1] & flat[2:]
    return np.broadcast_to(maximum_filter1d(wide, 3)[:, None], plane.shape)
