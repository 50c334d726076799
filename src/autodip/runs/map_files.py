"""The file with the standard errors of an output: its place, its content, whether it is whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autodip import io
from autodip.image.image import Image
from autodip.pipeline.error_summary import SD
from autodip.pipeline.result import Computed
from autodip.runs import sidecar
from autodip.runs.sidecar import Sidecar
from autodip.util.files import remove, size
from autodip.util.paths import exists
from autodip.util.text import name_text

KIND = "uncertainty"
"""Key of the path of the file in replies and in ``run.json``."""

CAPTION = "Standard error of every pixel, in the units of the image"
"""Description of the file, which says what its pixels are."""

MEANING = (
    "standard error of every pixel of the output, in its units: the true value lies within 1.645 "
    "of them for about 90 % of the pixels; what is common to the whole image, such as the gain of "
    "the lamp, is not part of it; NaN where nothing was measured (constant areas, missing values, "
    "saturated pixels)"
)
"""What the sidecar states about the file."""

_DTYPE = np.dtype(np.float32)


def path_of(target: Path) -> Path:
    """Path of the file for an output, which need not exist: ``x.sd.tif`` for ``x.tif``."""
    return target.with_name(io.map_name(target.name, SD))


def captioned(image: Image, errors: Any) -> Image:
    """Standard errors as an image, with the axes and the metadata of the one they are of."""
    return image.replace(data=errors, caption=CAPTION)


def clear(target: Path, result: Computed) -> None:
    """Delete the file of an earlier result of an output, if the new one has no standard errors."""
    if SD not in result.maps and stated_in(sidecar.recorded(target)) is not None:
        remove(path_of(target))


def write(part: Path, target: Path, image: Image, errors: Any, *, format: str | None) -> None:
    """Write the standard errors of an output.

    Parameters
    ----------
    part : Path
        File to write.
    target : Path
        Output.
    image : Image
        Image that was denoised.
    errors : ndarray or Stored
    format : str or None
        Format of the output, one of :data:`autodip.io.FORMATS`; None for that of its ending.
    """
    io.write(part, captioned(image, errors), path_of(target).suffix, format=_format(format))


def check(target: Path, image: Image, format: str | None) -> int:
    """Raise the error of :func:`write` if it could not write the errors of an image.

    Returns
    -------
    int
        Bytes of the file, which hardly becomes smaller by compression.
    """
    place = path_of(target)
    io.check(
        place, captioned(image, image.data), place.suffix, format=_format(format), dtype=_DTYPE
    )
    return image.data.size * _DTYPE.itemsize


def _format(format: str | None) -> str | None:
    """Format of the errors for that of an output: PNG has no floats."""
    return "tiff" if format == "png" else format


def entry(target: Path, part: Path) -> dict[str, Any]:
    """What the sidecar states about the file that was written as ``part``."""
    stated = {
        "file": name_text(path_of(target).name),
        "dtype": _DTYPE.name,
        "bytes": size(part),
        "meaning": MEANING,
    }
    return {"maps": {SD: stated}}


def stated_in(content: Sidecar | None) -> Mapping[str, Any] | None:
    """What a sidecar states about the file; None if there is none."""
    maps = None if content is None else content.output.get("maps")
    found = maps.get(SD) if isinstance(maps, Mapping) else None
    return found if isinstance(found, Mapping) else None


def is_whole(target: Path, content: Sidecar | None) -> bool:
    """Whether the file that a sidecar states is there, with the size that it states."""
    stated, place = stated_in(content), path_of(target)
    return stated is not None and exists(place) and size(place) == stated.get("bytes")


def is_of_an_output(path: Path) -> bool:
    """Whether a file holds the standard errors of an output next to it, by its sidecar."""
    outputs = (path.with_name(name) for name in io.names_of_mapped(path.name, SD))
    return any(stated_in(sidecar.recorded(target)) is not None for target in outputs)
