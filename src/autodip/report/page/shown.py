"""Which planes of an image are shown, and what they are called."""

from __future__ import annotations

from itertools import product

import numpy as np

from autodip.image.image import Image, PlaneIndex
from autodip.report.page.material import Material

MOST = 6
"""Number of planes that are shown at most."""

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


def pair_of(material: Material, index: PlaneIndex) -> tuple[np.ndarray | None, np.ndarray]:
    """Noisy pixels (None if the input is missing) and denoised pixels (Y, X) of a plane."""
    noisy = None if material.noisy is None else material.plane(material.noisy, index)
    return noisy, material.plane(material.denoised, index)
