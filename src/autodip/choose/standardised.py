"""Distances between images by descriptors in units of their spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def spread(values: np.ndarray) -> np.ndarray:
    """Standard deviation of each column of an array (images, names); 1 for a constant column."""
    deviation = values.std(axis=0)
    return np.asarray(np.where(deviation > 1e-9, deviation, 1.0))


def nearest_within(values: np.ndarray, fields: Sequence[object] | np.ndarray) -> np.ndarray:
    """Distance of each image of a pool from the nearest one of another field of view.

    Parameters
    ----------
    values : ndarray, shape (images, names)
        Descriptors in units of their spread.
    fields : sequence, one for each image
        Field of view, or source, of each image.

    Returns
    -------
    ndarray, shape (images,)
        Infinite if there is no other field of view.
    """
    place = np.asarray(fields)
    apart = np.linalg.norm(values[:, None] - values[None], axis=2)
    apart[place[:, None] == place] = np.inf
    return np.asarray(apart.min(axis=1))
