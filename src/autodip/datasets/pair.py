"""One noisy image with its truth, and what a data set documents of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Pair:
    """A noisy and a true image of one field of view; the pixels are read when asked for.

    Parameters
    ----------
    dataset : str
        Name of the data set.
    name : str
        Unique within the data set, with forward slashes, as ``Confocal_BPAE_B/raw/19/HV110``.
    read : callable
        Returns the noisy and the true image, two arrays of one shape (Y, X) in the units of
        the files.
    microscope, specimen : str or None
        In the words of :mod:`autodip.vocabulary` where it has one, else the data set's own;
        None where the authors don't document it.
    noise_level : str
        In the authors' words: ``raw``, ``avg2``, ``level_03``, ``highsnr``.
    fov : str
        Field of view; two captures of one field have the same.
    capture : str
        Which capture of that field at that level; "" where there is one.
    group : str
        Row of a table: microscope, specimen, and what else tells the groups apart.
    role : "test", "calibration" or ""
        What the pair may be used for; "" where the data set does not say.
    data_range : float or None
        Range by the data set's convention, 255 for 8 bits; None takes the range of the truth.
    stretched : bool
        Noisy and true image were scaled separately, so that only a comparison after a linear
        fit of the intensities means anything.
    simulated : mapping or None
        How the noisy image was made of the true one, as ``autodip simulate-pairs`` records it;
        None for a captured one.
    """

    dataset: str
    name: str
    read: Callable[[], tuple[np.ndarray, np.ndarray]] = field(repr=False, compare=False)
    microscope: str | None
    specimen: str | None
    noise_level: str
    fov: str
    capture: str = ""
    group: str = ""
    role: str = ""
    data_range: float | None = None
    stretched: bool = False
    simulated: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
