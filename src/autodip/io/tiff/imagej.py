"""ImageJ metadata: what it states about an image, and how it is updated with the image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autodip.image.image import Hint
from autodip.io.tiff import resolution

_UNITS_UM = {
    "µm": 1.0,
    "μm": 1.0,  # Greek mu
    "âµm": 1.0,  # UTF-8 read as Latin-1
    "\\u00b5m": 1.0,
    "\\u03bcm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "å": 1e-4,
    "\\u00c5": 1e-4,
    "\\u212b": 1e-4,
    "\u212b": 1e-4,  # the sign Ångström, which is another character than the letter
    "angstrom": 1e-4,
    "ångström": 1e-4,
    "pm": 1e-6,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "nanometre": 1e-3,
    "mm": 1e3,
    "millimeter": 1e3,
    "millimetre": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "centimetre": 1e4,
    "m": 1e6,
    "meter": 1e6,
    "metre": 1e6,
    "inch": 25400.0,
    "inche": 25400.0,
    "in": 25400.0,
}
"""Units of length by their names in lower case and in the singular."""

_UNITS_SECONDS = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "ms": 1e-3,
    "msec": 1e-3,
    "millisecond": 1e-3,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "\\u00b5s": 1e-6,
    "usec": 1e-6,
    "microsecond": 1e-6,
    "ns": 1e-9,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
}

_NO_UNIT = ("", "pixel", "pixels", "px")
"""Names that mean that the size of a pixel is not known."""

AXES = "TZCYXS"
"""Order of the axes in which ImageJ TIFF is written."""

_COMPUTED = ("ImageJ", "images", "channels", "slices", "frames", "hyperstack", "order")
"""Fields that are derived from the shape when a file is written."""


def unwrapped(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as read by tifffile, with a single label or look-up table wrapped in a list."""
    lists = {"Labels": str, "LUTs": np.ndarray}
    return {
        key: [value] if isinstance(value, lists.get(key, ())) else value
        for key, value in metadata.items()
    }


def count(value: Any) -> int:
    """Number of frames, slices or channels; 1 if it is not a positive number."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 1


def facts(
    metadata: Mapping[str, Any], axes: str, channels: int, tags: Mapping[str, Any]
) -> dict[str, Any]:
    """Fields of :class:`autodip.image.image.Image` from ImageJ's metadata and resolution."""
    names = _channel_names(metadata.get("Labels"), channels) if "C" in axes else ()
    tables = metadata.get("LUTs") or []
    return {
        "pixel_size": _pixel_size(metadata, axes, tags),
        "time_step": _time_step(metadata),
        "channel_names": names,
        "channel_colours": tuple(_colour(table) for table in tables),
        "hints": tuple((Hint("specimen", "ImageJ slice label", name),) for name in names),
    }


def _pixel_size(
    metadata: Mapping[str, Any], axes: str, tags: Mapping[str, Any]
) -> dict[str, float]:
    """Pixel size in µm; the units of Y and Z are stated only if they differ from that of X."""
    if "unit" not in metadata:
        return resolution.pixel_size(tags)
    sizes: dict[str, float] = {}
    units = {axis: metadata.get(f"{axis.lower()}unit", metadata["unit"]) for axis in "XYZ"}
    units["X"] = metadata["unit"]
    for axis, ratio in zip("XY", tags.get("resolution", ()), strict=False):
        unit = _unit(units[axis], _UNITS_UM)
        if unit is not None and ratio[0] > 0 and resolution.is_printing(ratio, unit):
            return {}
        if unit is not None and ratio[0] > 0:
            sizes[axis] = ratio[1] / ratio[0] * unit
    spacing, unit = _number(metadata.get("spacing")), _unit(units["Z"], _UNITS_UM)
    if "Z" in axes and spacing and unit is not None:
        sizes["Z"] = abs(spacing) * unit
    return {axis: size for axis, size in sizes.items() if math.isfinite(size) and size > 0}


def _time_step(metadata: Mapping[str, Any]) -> float | None:
    """Seconds between frames; ``fps`` is not used, because it is the speed of the display."""
    step = _number(metadata.get("finterval"))
    unit = _unit(metadata.get("tunit", "s"), _UNITS_SECONDS)
    return step * unit if step and step > 0 and unit is not None else None


def _number(value: Any) -> float | None:
    """Finite number; None for anything else."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and math.isfinite(value) else None


def _unit(name: Any, units: Mapping[str, float]) -> float | None:
    """Factor of a unit; None if it is not known."""
    text = str(name).strip().strip('"').lower()
    return units.get(text, units.get(text.removesuffix("s")) if len(text) > 2 else None)


def notes(metadata: Mapping[str, Any]) -> list[str]:
    """Notes for the user on what the description states, but cannot be used."""
    found = [
        f"the ImageJ description states {name}={metadata[name]}, which is no number of this kind; "
        "it was ignored"
        for name in ("spacing", "finterval")
        if name in metadata and _number(metadata[name]) is None
    ]
    unit = metadata.get("unit")
    if unit is not None and _unit(unit, _UNITS_UM) is None and str(unit).lower() not in _NO_UNIT:
        found.append(f"the unit of length {unit!r} is not known; the pixel size is not used")
    step = metadata.get("finterval")
    if step and _unit(metadata.get("tunit", "s"), _UNITS_SECONDS) is None:
        found.append(f"the unit of time {metadata['tunit']!r} is not known; finterval is not used")
    if "cf" in metadata:
        found.append(
            "the grey values are calibrated; they were denoised as they are stored, and the "
            "calibration is preserved in ImageJ TIFF only"
        )
    return found


def _colour(table: Any) -> str:
    """Colour of the brightest pixels in a look-up table, as RRGGBB."""
    return "".join(f"{int(part[-1]):02X}" for part in np.reshape(table, (3, -1)))


def _channel_names(labels: Any, count: int) -> tuple[str, ...]:
    """Labels of the first slice of each channel; empty unless all exist and differ."""
    if not labels or len(labels) < count:
        return ()
    names = tuple(str(label) for label in labels[:count])  # the channel varies fastest
    return names if all(names) and len(set(names)) == count else ()


def cut(
    metadata: Mapping[str, Any], axes: str, shape: tuple[int, ...], axis: str, kept: range
) -> dict[str, Any]:
    """Metadata with the labels, colours and display ranges of the selected planes only."""
    result = dict(metadata)
    order = [a for a in axes if a not in "YXS"]
    numbers = np.arange(int(np.prod([shape[axes.index(a)] for a in order], dtype=int)))
    numbers = numbers.reshape([shape[axes.index(a)] for a in order])
    if axis in order:
        numbers = np.take(numbers, list(kept), order.index(axis))
        labels = metadata.get("Labels")
        if labels and len(labels) > numbers.max():
            result["Labels"] = [labels[i] for i in numbers.ravel()]
    if axis == "C":
        if metadata.get("LUTs"):
            result["LUTs"] = [metadata["LUTs"][i] for i in kept]
        if metadata.get("Ranges"):
            ranges = np.reshape(metadata["Ranges"], (-1, 2))[list(kept)]
            result["Ranges"] = tuple(ranges.ravel().tolist())
    return result


_OF_INTENSITIES = ("min", "max", "Ranges", "cf", "c0", "c1", "c2", "c3", "c4", "vunit")
"""Fields that apply to intensities alone: display ranges, and the calibration of grey values."""


def captioned(metadata: Mapping[str, Any], caption: str) -> dict[str, Any]:
    """Metadata for pixels with a caption, which are not intensities; else unchanged."""
    if not caption:
        return dict(metadata)
    kept = {key: value for key, value in metadata.items() if key not in _OF_INTENSITIES}
    return {**kept, "Info": "\n".join(filter(None, (caption, str(kept.get("Info", "")))))}


def for_writing(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata in the form tifffile expects: ASCII, without fields derived from the shape.

    Info and labels are stored as UTF-16 and left unchanged.
    """
    return {
        key: value if key in ("Info", "Labels") else _ascii(value)
        for key, value in metadata.items()
        if key not in _COMPUTED
    }


def _ascii(value: Any) -> Any:
    """Text as ImageJ stores it in a description; the micro sign is backslash, u, 00B5."""
    if not isinstance(value, str):
        return value
    return "".join(c if ord(c) < 128 else f"\\u{ord(c):04X}" for c in value)
