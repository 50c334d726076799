"""One noisy image with its truth, and what the data set documents about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autodip.errors import ImageError
from autodip.metrics.scores import Truth


@dataclass(frozen=True)
class Pair:
    """A noisy and a true image of one field of view; the pixels are read on demand.

    Parameters
    ----------
    dataset : str
        Name of the data set.
    name : str
        Unique within the data set, with forward slashes: ``Confocal_BPAE_B/raw/19/HV110``.
    read : callable
        Returns the noisy and the true image, two arrays of one shape (Y, X) in the units of
        the files.
    microscope, specimen : str or None
        Term of :mod:`autodip.choose.vocabulary` if it has one, otherwise the data set's own
        term; None if the authors do not document it.
    noise_level : str
        Name given by the authors, such as ``raw``, ``avg2``, ``level_03``, ``highsnr``.
    fov : str
        Field of view, which is equal for all captures of the same field.
    capture : str
        Identifies the capture of that field at that noise level; "" if there is only one.
    group : str
        Row of a table: microscope, specimen, and whatever else distinguishes the groups.
    role : "test", "calibration" or ""
        What the pair may be used for; "" if the data set does not specify it.
    data_range : float or None
        Intensity range by the convention of the data set, 255 for 8 bits; None if the range of
        the truth is to be used.
    stretched : bool
        Whether the noisy and the true image were scaled separately, so that a comparison is
        meaningful only after a linear fit of the intensities.
    simulated : mapping or None
        How the noisy image was simulated from the true one, as recorded by ``autodip
        simulate-pairs``; None for a captured image.
    file : Path or None
        File of the noisy image, which may state its pixel size; None if it is not one file.
    """

    dataset: str
    name: str
    read: Callable[[], tuple[np.ndarray, np.ndarray]] = field(repr=False, compare=False)
    microscope: str | None
    specimen: str | None
    _: KW_ONLY
    noise_level: str
    fov: str
    capture: str = ""
    group: str = ""
    role: str = ""
    data_range: float | None = None
    stretched: bool = False
    simulated: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    file: Path | None = field(default=None, repr=False, compare=False)


def load(pair: Pair, crop: int) -> tuple[np.ndarray, Truth]:
    """Read a pair and cut out its centre.

    Parameters
    ----------
    pair : Pair
    crop : int
        Side length of the centre in pixels; 0 for the whole images.

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
            "if the data set has a manifest, specify data_range there"
        )
    return noisy, Truth(truth, pair.data_range, pair.stretched)
