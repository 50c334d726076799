"""ImageJ metadata: what it states about an image, and how it is updated with the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autodip.errors import FormatError
from autodip.image.image import Hint

_UNITS_UM = {
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "um": 1.0,
    "µm": 1.0,
    "μm": 1.0,
    "\\u00B5m": 1.0,
    "nm": 1e-3,
    "mm": 1e3,
    "cm": 1e4,
    "m": 1e6,
}

_TYPES = ("uint8", "int16", "uint16", "float32")

_COMPUTED = ("ImageJ", "images", "channels", "slices", "frames", "hyperstack")
"""Fields that are derived from the shape when a file is written."""


def unwrapped(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as read by tifffile, with a single label or look-up table wrapped in a list."""
    lists = {"Labels": str, "LUTs": np.ndarray}
    return {
        key: [value] if isinstance(value, lists.get(key, ())) else value
        for key, value in metadata.items()
    }


def facts(
    metadata: Mapping[str, Any], axes: str, channels: int, tags: Mapping[str, Any]
) -> dict[str, Any]:
    """Fields of :class:`autodip.image.image.Image` from ImageJ's metadata and resolution."""
    unit = _UNITS_UM.get(str(metadata.get("unit", "")))
    size: dict[str, float] = {}
    if unit is not None:
        for axis, ratio in zip("XY", tags.get("resolution", ()), strict=False):
            if ratio[0]:
                size[axis] = ratio[1] / ratio[0] * unit
        if "Z" in axes and metadata.get("spacing"):
            size["Z"] = float(metadata["spacing"]) * unit
    names = _channel_names(metadata.get("Labels"), channels) if "C" in axes else ()
    tables = metadata.get("LUTs") or []
    return {
        "pixel_size": size,
        "time_step": float(metadata["finterval"]) if metadata.get("finterval") else None,
        "channel_names": names,
        "channel_colours": tuple(_colour(table) for table in tables),
        "hints": tuple((Hint("specimen", "ImageJ slice label", name),) for name in names),
    }


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


def check_type(dtype: np.dtype) -> None:
    """Raise a FormatError unless ImageJ can store pixels of type ``dtype``."""
    if dtype.name not in _TYPES:
        raise FormatError(
            f"ImageJ TIFF holds pixels of type {', '.join(_TYPES)}, not {dtype.name}; choose one "
            "of these (--dtype float32) or another format (--format ome-tiff)"
        )


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
