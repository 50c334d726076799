"""OME metadata: what it says of the image, and how it changes with the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodip.errors import FormatError
from autodip.image import Hint

if TYPE_CHECKING:
    import ome_types

_UM = {"µm": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "pm": 1e-6, "Å": 1e-4}
_SECONDS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0, "d": 86400.0}
_TYPES = {"float32": "float", "float64": "double"}


def parse(xml: str) -> ome_types.OME:
    """Parse OME-XML.

    Raises
    ------
    FormatError
        If it is no valid OME-XML.
    """
    from ome_types import from_xml  # noqa: PLC0415  (half a second, needed for OME files only)

    try:
        ome = from_xml(xml)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(
            f"its OME metadata cannot be read ({reason}); save it as a plain or ImageJ TIFF"
        ) from error
    if not ome.images:
        raise FormatError("its OME metadata describes no image; save it as a plain TIFF")
    return ome


def facts(xml: str) -> dict[str, Any]:
    """Fields of :class:`autodip.image.Image` that OME-XML tells."""
    ome = parse(xml)
    pixels = ome.images[0].pixels
    size = {}
    for axis in "XYZ":
        value = getattr(pixels, f"physical_size_{axis.lower()}")
        unit = getattr(pixels, f"physical_size_{axis.lower()}_unit")
        if value is not None and unit is not None and unit.value in _UM:
            size[axis] = float(value) * _UM[unit.value]
    step = pixels.time_increment
    unit = pixels.time_increment_unit
    channels = [c for c in pixels.channels if (c.samples_per_pixel or 1) == 1]
    names = tuple(c.name or "" for c in channels)
    return {
        "pixel_size": size,
        "time_step": None if step is None else float(step) * _SECONDS.get(unit.value, 1.0),
        "channel_names": names if any(names) else (),
        "hints": tuple(tuple(_hints(c)) for c in channels),
    }


def _hints(channel: Any) -> list[Hint]:
    """Fields of an OME channel that may tell microscope or specimen, the strictest first."""
    found = []
    for kind, name, value in (
        ("microscope", "AcquisitionMode", channel.acquisition_mode),
        ("microscope", "ContrastMethod", channel.contrast_method),
        ("specimen", "Fluor", channel.fluor),
        ("specimen", "Name", channel.name),
    ):
        text = getattr(value, "value", value)
        if text:
            found.append(Hint(kind, f"OME Channel {name}", str(text)))  # type: ignore[arg-type]
    return found


def cut(xml: str, axis: str, kept: range) -> str:
    """OME-XML of the part of an image that has only positions ``kept`` of an axis."""
    if axis not in "TCZS":
        return xml
    ome = parse(xml)
    pixels = ome.images[0].pixels
    if axis == "S":
        pixels.size_c = 1
        pixels.interleaved = None
        for channel in pixels.channels:
            channel.samples_per_pixel = 1
        return _to_xml(ome)
    setattr(pixels, f"size_{axis.lower()}", len(kept))
    if axis == "C":
        pixels.channels = [pixels.channels[i] for i in kept if i < len(pixels.channels)]
    attribute = f"the_{axis.lower()}"
    planes = [p for p in pixels.planes if getattr(p, attribute) in kept]
    for plane in planes:
        setattr(plane, attribute, kept.index(getattr(plane, attribute)))
    pixels.planes = planes
    return _to_xml(ome)


def for_one_file(xml: str, dtype: np.dtype, pages: int) -> str:
    """OME-XML whose pixels of type ``dtype`` follow one another in the pages of one file."""
    from ome_types.model import PixelType, TiffData  # noqa: PLC0415

    ome = parse(xml)
    pixels = ome.images[0].pixels
    pixels.type = PixelType(_TYPES.get(dtype.name, dtype.name))
    pixels.tiff_data_blocks = [TiffData(ifd=0, plane_count=pages)]
    pixels.bin_data_blocks = []
    pixels.metadata_only = None
    ome.uuid = None
    return _to_xml(ome)


def _to_xml(ome: Any) -> str:
    from ome_types import to_xml  # noqa: PLC0415

    return '<?xml version="1.0" encoding="UTF-8"?>' + to_xml(ome)
