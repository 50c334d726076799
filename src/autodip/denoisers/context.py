"""Input and output of every denoiser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Context:
    """What a method may know in addition to the noisy pixels.

    Parameters
    ----------
    microscope, specimen : str or None
        As documented by the data set; None if undocumented.
    seed : int
        Seed of all random numbers.
    device : str
        Name of a torch device.
    truth : ndarray, shape (Y, X), or None
        True image, given only to the methods named ``oracle-...``; None for all others.
    """

    microscope: str | None = None
    specimen: str | None = None
    seed: int = 0
    device: str = "cpu"
    truth: np.ndarray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Denoised:
    """A denoised image, and the settings that the method chose.

    Parameters
    ----------
    image : ndarray, float64, shape (Y, X)
        In the units of the noisy image, neither rounded nor clipped.
    parameters : mapping
        Names and chosen values of the method's settings; can be written as JSON.
    """

    image: np.ndarray = field(repr=False)
    parameters: Mapping[str, Any]
