"""Nikon ND2, read only; results are written as OME-TIFF or OME-Zarr."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autodip.image.image import Image
from autodip.io import ome, scenes
from autodip.io.dimensions import image_of
from autodip.io.faults import check_content, check_memory
from autodip.util.optional import require

_POSITION = "P"
_MEANINGS = (
    "U is a loop of unknown meaning: give --axes with supported letters, as T in its place, or "
    "export the part you want from NIS-Elements"
)


def read(path: Path, axes: str | None, scene: str | int | None = None) -> Image:
    """Read the image at one stage position."""
    nd2 = require("nd2", "nd2")
    with nd2.ND2File(path) as file:
        return _read(file, path, axes, scene)


def _read(file: Any, path: Path, axes: str | None, scene: str | int | None) -> Image:
    seen = "".join(file.sizes)
    names = _positions(file.experiment) if _POSITION in seen else [path.stem]
    number = scenes.choose(names, scene)
    check_memory(tuple(n for axis, n in file.sizes.items() if axis != _POSITION), file.dtype)
    if not file.is_legacy and not file.attributes.compressionType:
        check_content(file.attributes.widthBytes * file.attributes.heightPx, path.stat().st_size)
    if _POSITION in seen:
        data = file.asarray(position=number).squeeze(seen.index(_POSITION))
        seen = seen.replace(_POSITION, "")
    else:
        data = file.asarray()
    channels = [] if file.is_legacy else file.metadata.channels or []
    calibrated = channels[0].volume.axesCalibrated if channels else (file.is_legacy,) * 3
    known: dict[str, Any] = {
        "pixel_size": _sizes(file.voxel_size(), calibrated, seen),
        "time_step": _time_step(file.experiment),
    }
    if axes is None:
        image = image_of(data, seen, meanings=_MEANINGS, **known)
    else:
        image = Image(data, axes, **known)
    if file.is_legacy:
        return image
    told: dict[str, Any] = {
        "channel_names": tuple(channel.channel.name for channel in channels),
        "channel_colours": tuple(_colour(channel.channel.color) for channel in channels),
    }
    xml = _metadata(file, number)
    if xml:
        told["hints"] = ome.facts(xml)["hints"]
        if image.axes == seen:
            told["source"] = ome.OmeSource(xml, seen)
    return image.replace(**told)


def _metadata(file: Any, number: int) -> str:
    """OME-XML that the reader generates from the file; "" if necessary metadata are missing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about missing times
            xml = file.ome_metadata(include_unstructured=False).to_xml()
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        NotImplementedError,
        TypeError,
        ValueError,
    ):
        return ""
    return ome.only(xml, number)


def _positions(experiment: Sequence[Any]) -> list[str]:
    """Name of each stage position; "" if it has none."""
    loop = next(loop for loop in experiment if loop.type == "XYPosLoop")
    return [point.name or "" for point in loop.parameters.points]


def _sizes(voxel: Any, calibrated: Sequence[bool], axes: str) -> dict[str, float]:
    """Pixel size in µm along the axes that exist and are calibrated."""
    told = zip("XYZ", (voxel.x, voxel.y, voxel.z), calibrated, strict=True)
    return {a: float(size) for a, size, known in told if known and a in axes and size > 0}


def _colour(colour: Any) -> str:
    return f"{colour.r:02X}{colour.g:02X}{colour.b:02X}"


def _time_step(experiment: Sequence[Any]) -> float | None:
    """Seconds between frames, as set or else as measured; None if unknown or not constant."""
    for loop in experiment:
        periods = getattr(loop.parameters, "periods", [loop.parameters])
        if loop.type in ("TimeLoop", "NETimeLoop") and len(periods) == 1:
            asked, measured = periods[0].periodMs, getattr(periods[0], "periodDiff", None)
            step = asked or (measured.avg if measured else 0)
            return step / 1e3 if step > 0 else None
    return None
