"""Which planes of an image are shown, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from autodip.image.image import Image, PlaneIndex
from autodip.physics.defects import Defects
from autodip.pictures.contrast import limits
from autodip.report.page.large_planes import block, central, finite, is_number, overview
from autodip.report.page.material import Material
from autodip.runs.plane_records import RepairRecord

MOST = 6
"""Number of planes that are shown at most."""

_LEAST_SPAN = 1e-9
"""Least range of a contrast, relative to its darkest value."""

_NAMES = {"T": "frame", "Z": "slice", "C": "channel", "S": "colour"}


def shown_planes(image: Image) -> list[PlaneIndex]:
    """Planes that are shown: every channel, up to six; of one channel also several frames.

    Along T and Z the middle one of several channels is shown; of a single channel the first,
    middle and last frame, or the slices at a quarter, a half and three quarters of the depth.
    """
    channels = list(range(image.channels))[:MOST]
    places: dict[str, list[int]] = {image.channel_axis: channels}
    single = image.channels == 1
    frames, slices = image.size("T"), image.size("Z")
    places["T"] = _spread(frames, (0, 0.5, 1)) if single else [frames // 2]
    deep = single and frames == 1
    places["Z"] = _spread(slices, (0.25, 0.5, 0.75)) if deep else [slices // 2]
    if image.channel_axis == "S":
        places["C"] = [0]
    axes = [axis for axis in image.axes if axis not in "YX"]
    wanted = product(*(places.get(axis, [0]) for axis in axes))
    return [tuple(zip(axes, position, strict=True)) for position in wanted][:MOST]


def _spread(length: int, shares: tuple[float, ...]) -> list[int]:
    """Positions at shares of a length, each once."""
    return list(dict.fromkeys(round(share * (length - 1)) for share in shares))


def title(image: Image, index: PlaneIndex) -> str:
    """Name of a plane, such as ``frame 15 (of 0 to 29), channel 1 GFP``; empty if it is alone."""
    parts = []
    for axis, position in index:
        count = image.channels if axis == image.channel_axis else image.size(axis)
        if count == 1:
            continue
        name = image.channel_names[position] if _named(image, axis, position) else ""
        of = f" {name}" if name else f" (of 0 to {count - 1})"
        parts.append(f"{_NAMES[axis]} {position}{of}")
    return ", ".join(parts)


def _named(image: Image, axis: str, position: int) -> bool:
    return axis == image.channel_axis and position < len(image.channel_names)


def selection_note(image: Image, shown: list[PlaneIndex]) -> str:
    """How many planes are shown of how many; empty if it is all of them."""
    total = len(list(image.indices()))
    if len(shown) == total:
        return ""
    return f"{len(shown)} of {total} planes are shown"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Pixels of one plane that is shown, or of the central part of a large one.

    Parameters
    ----------
    name : str
        Title of the plane; empty if it is the only one.
    shape : tuple of int
        (Y, X) of the whole plane.
    corner : tuple of int
        Row and column at which the part begins; (0, 0) for a whole plane.
    noisy : ndarray or None, shape (Y, X)
        None if the input is missing.
    result : ndarray, shape (Y, X)
        Like ``noisy`` without NaN and infinite numbers.
    known : ndarray of bool, shape (Y, X)
        Pixels that hold a measurement.
    good : ndarray of bool, shape (Y, X)
        Those of them that were not replaced.
    overviews : tuple of ndarray or None
        The whole plane of the input and of the result, reduced; None if the plane is not large,
        and for an input that is missing.
    repair : RepairRecord or None
    errors : ndarray or None, shape (Y, X)
        Standard errors of the whole plane, reduced if it is large; NaN where there is none. None
        if they were not computed.
    """

    name: str
    shape: tuple[int, int]
    corner: tuple[int, int]
    noisy: np.ndarray | None = field(repr=False)
    result: np.ndarray = field(repr=False)
    known: np.ndarray = field(repr=False)
    good: np.ndarray = field(repr=False)
    overviews: tuple[np.ndarray | None, np.ndarray | None] = field(repr=False)
    repair: RepairRecord | None
    errors: np.ndarray | None = field(default=None, repr=False)

    @classmethod
    def of(cls, material: Material, index: PlaneIndex) -> Shown:
        """Pixels of a plane; defects are found again in the input if the run found any."""
        denoised, original = material.denoised, material.noisy
        part = central(denoised.plane_shape)
        noisy = None if original is None else block(original, index, part)
        result = block(denoised, index, part)
        repairs = material.content.repairs
        repair = next((one for one in repairs if same_plane(one.index, index)), None)
        known = good = is_number(result)
        if noisy is not None:
            known = good = known & is_number(noisy)
        if noisy is not None and repair is not None and (repair.empty or repair.outliers):
            defects = Defects.of(noisy)
            known, good = known & ~defects.empty, good & ~defects.mask
        if not good.any():
            known = good = np.ones(result.shape, bool)
        return cls(
            name=title(denoised, index),
            shape=denoised.plane_shape,
            corner=(part[0].start, part[1].start),
            noisy=None if noisy is None else finite(noisy),
            result=finite(result),
            known=known,
            good=good,
            overviews=(
                None if original is None else overview(original, index),
                overview(denoised, index),
            ),
            repair=repair,
            errors=None if material.errors is None else _errors(material.errors, index),
        )

    @property
    def is_part(self) -> bool:
        """Whether these are not all pixels of the plane."""
        return self.result.shape != self.shape

    @property
    def contrast(self) -> tuple[float, float]:
        """Grey values that are drawn black and white, from the result."""
        low, high = limits(self.result[self.known])
        whole = self.overviews[1]
        if whole is not None:
            high = max(high, limits(whole)[1])
        return low, max(high, low + _LEAST_SPAN * max(1.0, abs(low)))

    @property
    def before(self) -> np.ndarray | None:
        """The whole plane of the input, reduced if it is large."""
        return self.noisy if self.overviews[0] is None else self.overviews[0]

    @property
    def after(self) -> np.ndarray:
        """The whole plane of the result, reduced if it is large."""
        return self.result if self.overviews[1] is None else self.overviews[1]


def _errors(errors: Image, index: PlaneIndex) -> np.ndarray:
    """Standard errors of a plane, reduced by averaging areas if it is large."""
    whole = overview(errors, index, fill=np.asarray)
    return block(errors, index, central(errors.plane_shape)) if whole is None else whole


def same_plane(recorded: Mapping[str, int], index: PlaneIndex) -> bool:
    """Whether a record is that of a plane; axes of length 1 may be missing in either."""
    found = dict(index)
    return all(recorded.get(axis, 0) == found.get(axis, 0) for axis in {*recorded, *found})
