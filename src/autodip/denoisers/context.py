"""What every denoiser takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Context:
    """What a method may know beside the noisy pixels.

    Parameters
    ----------
    microscope, specimen : str or None
        As the data set documents them; None where it does not.
    seed : int
        Decides everything random.
    device : str
        Name of a torch device.
    truth : ndarray, shape (Y, X), or None
        The true image; given to methods named ``oracle`` alone.
    """

    microscope: str | None = None
    specimen: str | None = None
    seed: int = 0
    device: str = "cpu"
    truth: np.ndarray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Denoised:
    """A denoised image, and the settings the method chose for itself.

    Parameters
    ----------
    image : ndarray, float64, shape (Y, X)
        In units of the noisy image, neither rounded nor clipped.
    parameters : mapping
        JSON-ready: names of the method's settings and the values it chose.
    """

    image: np.ndarray = field(repr=False)
    parameters: Mapping[str, Any]
