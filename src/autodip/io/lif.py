"""Leica LIF, read only; results are written as OME-TIFF or OME-Zarr."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from autodip.image.image import Hint, Image
from autodip.io import scenes
from autodip.io.dimensions import image_of
from autodip.io.faults import check_content, check_memory
from autodip.util.optional import require

_DIMENSIONS = {"1": "X", "2": "Y", "3": "Z", "4": "T"}
_CHANNELS = {
    "λ": "emission wavelengths (λ)",
    "Λ": "excitation wavelengths (Λ)",
    "C0": "interleaved channels",
    "C1": "interleaved channels",
}
_UM = {"m": 1e6, "mm": 1e3, "µm": 1.0, "um": 1.0, "nm": 1e-3}
_SECONDS = {"s": 1.0, "ms": 1e-3}
_COLOURS = {
    "Red": "FF0000",
    "Green": "00FF00",
    "Blue": "0000FF",
    "Cyan": "00FFFF",
    "Magenta": "FF00FF",
    "Yellow": "FFFF00",
    "Gray": "FFFFFF",
}


def read(path: Path, axes: str | None, scene: str | int | None = None) -> Image:
    """Read one image of the project in the file."""
    liffile = require("liffile", "lif")
    with liffile.LifFile(path) as file:
        names = [image.path for image in file.images]
        chosen = file.images[scenes.choose(names, scene)]
        return _read(chosen, axes, path.stat().st_size)


def _read(stored: Any, axes: str | None, size: int) -> Image:
    shape, dtype = tuple(stored.sizes.values()), stored.dtype
    check_content(math.prod(shape) * dtype.itemsize, size)
    check_memory(shape, dtype)
    data = stored.asarray().copy()
    seen = list(stored.dims)
    if "S" in seen and stored.sizes["S"] not in (3, 4):
        seen[seen.index("S")] = "C0" if "C" in seen else "C"  # interleaved channels, not colours
    description = stored.xml_element.find("./Data/Image/ImageDescription")
    channels = [] if description is None else description.findall("./Channels/ChannelDescription")
    steps = {} if description is None else _steps(description)
    names = tuple(_property(channel, "DyeName") for channel in channels)
    tables = tuple(channel.get("LUTName", "") for channel in channels)
    microscope = _microscope(stored.attrs)
    known: dict[str, Any] = {"pixel_size": steps, "time_step": steps.get("T")}
    if axes is None:
        image = image_of(data, seen, channels=_CHANNELS, meanings=_advice(seen), **known)
    else:
        known["pixel_size"] = {axis: n for axis, n in steps.items() if axis in "XYZ"}
        image = Image(data, axes, **known)
    if len(channels) != image.channels:
        names = tables = ()  # joined with wavelengths
    if image.channel_axis == "S" and "S" in image.axes:
        return image.replace(hints=(microscope,) * image.channels)
    shown = tuple(n or t for n, t in zip(names, tables, strict=True)) if any(names) else tables
    colours = tuple(_COLOURS.get(table, "") for table in tables)
    return image.replace(
        channel_names=shown if any(shown) else (),
        channel_colours=colours if any(colours) else (),
        hints=tuple(
            (*microscope, *((Hint("specimen", "LIF ChannelProperty DyeName", n),) if n else ()))
            for n in names
        ),
    )


def _advice(names: Sequence[str]) -> str:
    """What to do with dimensions that have no place in an image."""
    other = "Z" if "T" in names else "T"
    if "M" not in names:
        return "give --axes with supported letters, or export the part you want from LAS X"
    axes = "".join(other if name == "M" else name for name in names)
    return f"M mosaic tiles are read one by one with --axes {axes}, or can be merged in LAS X"


def _steps(description: Element) -> dict[str, float]:
    """Spacing in µm (X, Y, Z) and seconds (T), from the total length that Leica states."""
    steps = {}
    for entry in description.findall("./Dimensions/DimensionDescription"):
        axis = _DIMENSIONS.get(entry.get("DimID", ""))
        count, length = int(entry.get("NumberOfElements", 1)), float(entry.get("Length", 0))
        factor = (_SECONDS if axis == "T" else _UM).get(entry.get("Unit", ""))
        if axis and factor and count > 1 and length:
            steps[axis] = float(f"{abs(length) / (count - 1) * factor:.12g}")
    return steps


def _property(channel: Element, key: str) -> str:
    """Value of a channel property; "" if the channel lacks it."""
    for entry in channel.findall("./ChannelProperty"):
        if entry.findtext("Key") == key:
            return entry.findtext("Value") or ""
    return ""


def _microscope(attributes: Mapping[str, Any]) -> tuple[Hint, ...]:
    """Kind of microscope according to the hardware settings; empty if not stated."""
    settings = attributes.get("HardwareSetting")
    kind = settings.get("DataSourceTypeName") if isinstance(settings, Mapping) else None
    return (
        (Hint("microscope", "LIF HardwareSetting DataSourceTypeName", str(kind)),) if kind else ()
    )
