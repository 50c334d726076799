"""Values that options may have; each check raises a ParameterError that states what is allowed."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import DTypeLike

from autodip.errors import ParameterError
from autodip.util.closest import not_known

LEAST_TILE = 128
"""Smallest side of a window, in pixels."""

DTYPES = ("uint8", "uint16", "float32", "float64")
"""Data types that can be requested for a result."""


def check_seed(seed: object) -> None:
    """Check that a seed is a whole number from 0 to 2**32 - 1."""
    whole = isinstance(seed, int) and not isinstance(seed, bool)
    if not whole or not 0 <= seed < 2**32:  # type: ignore[operator]  # whole, so a number
        raise ParameterError(f"seed is {seed!r}; it must be a whole number from 0 to 2**32 - 1")


def check_above_zero(name: str, value: float | None, kind: str) -> None:
    """Check that a number, if there is one, is above 0 and finite."""
    if value is not None and not 0 < value < math.inf:
        raise ParameterError(f"{name} is {value!r}; it must be {kind} above 0")


def check_tile(side: int | None) -> None:
    """Check the side of the windows, in pixels; 0 stands for whole planes."""
    if side is not None and side != 0 and side < LEAST_TILE:
        raise ParameterError(
            f"tile is {side}; it must be {LEAST_TILE} pixels or more, or 0 for whole planes"
        )


def check_known(name: str, value: object, known: Collection[str]) -> None:
    """Check that a name, if there is one, is among those that are known."""
    if value is not None and value not in known:
        raise ParameterError(not_known(name, str(value), known))


def name_of(dtype: DTypeLike | None) -> str | None:
    """Name of a data type; what is no data type is returned as text."""
    if dtype is None:
        return None
    try:
        return np.dtype(dtype).name
    except TypeError:
        return str(dtype).removeprefix("torch.")
