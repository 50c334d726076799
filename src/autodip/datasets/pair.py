"""One noisy image with its truth, and what a data set documents of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autodip.errors import ImageError
from autodip.metrics.scores import Truth


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
        In the words of :mod:`autodip.choose.vocabulary` where it has one, else the data set's own;
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


def load(pair: Pair, crop: int) -> tuple[np.ndarray, Truth]:
    """Read a pair and cut out its centre.

    Raises
    ------
    ImageError
        If the two images differ in shape, are not (Y, X), have pixels that are not finite, or
        are smaller than the crop, or if the truth is constant and its range therefore unknown.
    """
    noisy, truth = pair.read()
    if noisy.ndim != 2 or noisy.shape != truth.shape:
        raise ImageError(
            f"the noisy image has shape {noisy.shape}, the true one {truth.shape}; "
            "both must be (Y, X) of one shape"
        )
    if crop > min(noisy.shape):
        raise ImageError(f"a crop of {crop} pixels does not fit an image of {noisy.shape}")
    if crop:
        top, left = ((n - crop) // 2 for n in noisy.shape)
        window = (slice(top, top + crop), slice(left, left + crop))
        noisy, truth = noisy[window], truth[window]
    for name, image in (("noisy", noisy), ("true", truth)):
        if not np.isfinite(image).all():
            raise ImageError(f"the {name} image has NaN or infinite pixels")
    if pair.data_range is None and not np.ptp(truth):
        raise ImageError(
            "all pixels of the true image are equal, so its range is not known; "
            "say it as data_range where the data set has a manifest"
        )
    return noisy, Truth(truth, pair.data_range, pair.stretched)
