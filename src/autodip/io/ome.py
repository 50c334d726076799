"""OME metadata: what it states about an image, and how it is updated with the image."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autodip.errors import FormatError
from autodip.image.image import Hint, Image
from autodip.io import omexml

if TYPE_CHECKING:
    import ome_types

_UM = {
    **{"µm": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "dm": 1e5, "m": 1e6, "pm": 1e-6, "Å": 1e-4},
    **{"in": 25400.0, "thou": 25.4},
}
_SECONDS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0, "d": 86400.0}
_TYPES = {"float32": "float", "float64": "double"}


@dataclass(frozen=True)
class OmeSource:
    """Metadata of a file in another format, as OME-XML that describes this image only."""

    xml: str = field(repr=False)
    axes: str

    def cut(self, position: int, kept: range) -> OmeSource:
        """Metadata of the image restricted to ``kept`` along its axis at ``position``."""
        axis = self.axes[position]
        return OmeSource(
            cut(self.xml, axis, kept), self.axes.replace("S", "") if axis == "S" else self.axes
        )


def parse(xml: str) -> ome_types.OME:
    """Parse OME-XML; what is not valid is left out.

    Raises
    ------
    FormatError
        If the text is no OME-XML, or describes no image.
    """
    from ome_types import from_xml  # noqa: PLC0415  (takes half a second; for OME files only)

    try:
        ome = from_xml(xml.encode())
    except Exception:  # what ome-types raises on values that are not valid is not documented
        ome = from_xml(omexml.document(xml).to_xml().encode())
    if not ome.images:
        raise FormatError("its OME metadata describes no image")
    return ome


def only(xml: str, index: int) -> str:
    """OME-XML of image number ``index`` alone; ``xml`` itself if no other or no such exists."""
    ome = parse(xml)
    if len(ome.images) == 1 or index >= len(ome.images):
        return xml
    ome.images = [ome.images[index]]
    return _to_xml(ome)


def facts(xml: str, index: int = 0) -> dict[str, Any]:
    """Fields of :class:`autodip.image.image.Image` for image number ``index`` of OME-XML."""
    images = parse(xml).images
    pixels = images[min(index, len(images) - 1)].pixels
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
    colours = tuple(_colour(c) for c in channels)
    return {
        "pixel_size": size,
        "time_step": _seconds(step, unit),
        "channel_names": names if any(names) else (),
        "channel_colours": colours if any(colours) else (),
        "hints": tuple(tuple(_hints(c)) for c in channels),
    }


def _seconds(step: float | None, unit: Any) -> float | None:
    """Time between frames; None if it is not positive, or in a unit of something else."""
    factor = None if unit is None else _SECONDS.get(unit.value)
    return float(step) * factor if step and step > 0 and factor is not None else None


def _colour(channel: Any) -> str:
    """Colour of a channel; "" if the file states none (the schema's default is white)."""
    if "color" not in channel.model_fields_set or channel.color is None:
        return ""
    return "".join(f"{part:02X}" for part in channel.color.as_rgb_tuple(alpha=False))


def _hints(channel: Any) -> list[Hint]:
    """Fields of an OME channel that may identify microscope or specimen, most reliable first."""
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
    """OME-XML of an image restricted to positions ``kept`` of an axis."""
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


def for_one_file(xml: str, dtype: np.dtype, pages: int, caption: str = "") -> str:
    """OME-XML for pixels of type ``dtype`` in consecutive pages of one file."""
    from ome_types.model import TiffData  # noqa: PLC0415

    ome = parse(xml)
    pixels = ome.images[0].pixels
    _caption(ome, caption)
    kind = _pixel_type(dtype)
    if kind != pixels.type:
        pixels.type, pixels.significant_bits = kind, None
    pixels.tiff_data_blocks = [TiffData(ifd=0, plane_count=pages)]
    pixels.bin_data_blocks = []
    pixels.metadata_only = None
    ome.uuid = None
    return _to_xml(ome)


def document(image: Image) -> str:
    """OME-XML for an image from another format, with all its known metadata.

    Parameters
    ----------
    image : Image
        Its axes must end in YX or YXS.

    Raises
    ------
    FormatError
        If OME does not support the pixel type.
    """
    from ome_types import model  # noqa: PLC0415

    kind = _pixel_type(image.data.dtype)
    if isinstance(image.source, OmeSource):
        ome = parse(image.source.xml)
    else:
        ome = model.OME(images=[model.Image(id="Image:0", pixels=_blank(image, kind))])
    pixels = ome.images[0].pixels
    _caption(ome, image.caption)
    for axis in "TCZYX":
        setattr(pixels, f"size_{axis.lower()}", image.size(axis))
    samples = image.size("S")
    pixels.size_c *= samples
    order = "".join(a for a in reversed(image.axes) if a in "TCZ")
    order = "XY" + order + "".join(a for a in "ZCT" if a not in order)
    pixels.dimension_order = model.Pixels_DimensionOrder(order)
    for axis, size in image.pixel_size.items():
        setattr(pixels, f"physical_size_{axis.lower()}", size)
        setattr(pixels, f"physical_size_{axis.lower()}_unit", model.UnitsLength.MICROMETER)
    if image.time_step is not None:
        pixels.time_increment = image.time_step
        pixels.time_increment_unit = model.UnitsTime.SECOND
    while len(pixels.channels) < image.size("C"):
        pixels.channels.append(model.Channel(id=f"Channel:0:{len(pixels.channels)}"))
    for number, channel in enumerate(pixels.channels):
        channel.samples_per_pixel = samples
        _describe(channel, image, number)
    return _to_xml(ome)


def _caption(ome: Any, caption: str) -> None:
    """Begin the description of the image with its caption, if it has one that is not there yet."""
    image = ome.images[0]
    if caption and not (image.description or "").startswith(caption):
        image.description = "\n".join(filter(None, (caption, image.description)))


def holds(dtype: np.dtype) -> bool:
    """Whether OME supports a type of pixels."""
    from ome_types.model import PixelType  # noqa: PLC0415

    return _allows(PixelType, _TYPES.get(dtype.name, dtype.name))


def _pixel_type(dtype: np.dtype) -> Any:
    """Pixel type in OME's terms.

    Raises
    ------
    FormatError
        If OME does not support it.
    """
    from ome_types.model import PixelType  # noqa: PLC0415

    name = _TYPES.get(dtype.name, dtype.name)
    if not holds(dtype):
        raise FormatError(
            f"OME-TIFF holds no pixels of type {name}, only 8-, 16- and 32-bit integers, float32 "
            "and float64; write one of these (--dtype float32)"
        )
    return PixelType(name)


def _blank(image: Image, kind: Any) -> Any:
    """OME Pixels element with sizes and pixel type, and no further metadata."""
    from ome_types import model  # noqa: PLC0415

    sizes: dict[str, Any] = {f"size_{axis.lower()}": image.size(axis) for axis in "TCZYX"}
    return model.Pixels(
        id="Pixels:0",
        dimension_order=model.Pixels_DimensionOrder.XYCZT,
        type=kind,
        metadata_only=model.MetadataOnly(),
        **sizes,
    )


def _describe(channel: Any, image: Image, number: int) -> None:
    """Set the name, colour, microscope and dye of a channel, as far as they are known."""
    from ome_types import model  # noqa: PLC0415

    if image.channel_axis == "S" and image.size("S") > 1:
        return  # names and colours belong to the samples
    if number < len(image.channel_names) and image.channel_names[number]:
        channel.name = image.channel_names[number]
    colour = image.channel_colours[number] if number < len(image.channel_colours) else ""
    if re.fullmatch("[0-9A-F]{6}", colour):
        channel.color = model.Color("#" + colour)
    for hint in image.hints[number] if number < len(image.hints) else ():
        if hint.kind == "microscope" and _allows(model.Channel_AcquisitionMode, hint.text):
            channel.acquisition_mode = model.Channel_AcquisitionMode(hint.text)
        elif hint.kind == "microscope" and _allows(model.Channel_ContrastMethod, hint.text):
            channel.contrast_method = model.Channel_ContrastMethod(hint.text)
        elif hint.kind == "specimen" and hint.field.endswith(("Fluor", "DyeName")):
            channel.fluor = hint.text


def _allows(names: Any, text: str) -> bool:
    return text in [name.value for name in names]


def _to_xml(ome: Any) -> str:
    from ome_types import to_xml  # noqa: PLC0415

    return '<?xml version="1.0" encoding="UTF-8"?>' + to_xml(ome)
