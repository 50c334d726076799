"""Zeiss CZI, read only; results are written as OME-TIFF or OME-Zarr."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import imagecodecs
import numpy as np

from autodip.image.image import Hint, Image
from autodip.io import scenes
from autodip.io.dimensions import image_of
from autodip.io.faults import check_memory, reason
from autodip.util.optional import require

_CHANNELS = {
    "B": "blocks (B)",
    "H": "phases (H)",
    "I": "illuminations (I)",
    "R": "rotations (R)",
    "V": "views (V)",
}
"""Dimensions besides those of an image; they are read as channels."""

_SCENE = "S"
_TILE = "M"
_ZSTD, _ZSTD_WITH_HEADER = 5, 6
_UM_PER_M = 1e6
_RGB = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}
"""Positions of red, green, blue and alpha in a stored pixel, by its number of samples."""


def read(path: Path, axes: str | None, scene: str | int | None = None) -> Image:
    """Read one scene; mosaic tiles are assembled, later tiles overwriting earlier ones."""
    czifile = require("czifile", "czi")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings about parts that are not needed
        with czifile.CziFile(str(path)) as file:
            return _read(file, path, axes, scene)


def _read(file: Any, path: Path, axes: str | None, scene: str | int | None) -> Image:
    blocks = [_Block(entry) for entry in file.subblock_directory if _is_full(entry)]
    numbers = sorted({block.start.get(_SCENE, 0) for block in blocks})
    xml, notes = _metadata(file)
    told = [_scene_name(xml, number) for number in numbers]
    titles = told if len(told) != 1 else [told[0] or path.stem]
    number = numbers[scenes.choose(titles, scene)]
    data, seen, absent = _assembled([b for b in blocks if b.start.get(_SCENE, 0) == number])
    known: dict[str, Any] = {"pixel_size": _pixel_size(xml), "time_step": _time_step(xml)}
    if axes is None:
        image = image_of(data, seen, channels=_CHANNELS, **known)
    else:
        image = Image(data, axes, **known)
    image = image.noted(*notes, *absent)
    if image.channel_axis == "S" and "S" in image.axes:
        return image.replace(alpha=image.size("S") == 4)
    channels = _channels(xml)
    if len(channels) != image.channels:
        return image
    names = tuple(channel.get("Name", "") for channel in channels)
    colours = tuple(_colour(channel) for channel in channels)
    return image.replace(
        channel_names=names if any(names) else (),
        channel_colours=colours if any(colours) else (),
        hints=tuple(tuple(_hints(channel)) for channel in channels),
    )


def _metadata(file: Any) -> tuple[ElementTree.Element, tuple[str, ...]]:
    """XML of the file, and a note if it cannot be read; the pixels do not depend on it."""
    try:
        return ElementTree.fromstring(file.metadata()), ()
    except (AttributeError, LookupError, TypeError, ValueError, ElementTree.ParseError) as error:
        note = f"its metadata cannot be read ({reason(error)}): pixel sizes and names are unknown"
        return ElementTree.Element("none"), (note,)


class _Block:
    """A subblock of the image: its position, and how to read it."""

    def __init__(self, entry: Any) -> None:
        self.entry = entry
        self.start = {d.dimension: d.start for d in entry.dimension_entries}
        self.size = {d.dimension: d.size for d in entry.dimension_entries}
        self.dtype = np.dtype(entry.dtype).base
        self.samples = entry.shape[-1]

    def pixels(self) -> np.ndarray:
        """Pixels, shape (Y, X, samples), with colour samples in the order RGB."""
        segment = self.entry.data_segment()
        rows, columns = self.size["Y"], self.size["X"]
        if self.entry.compression in (_ZSTD, _ZSTD_WITH_HEADER):
            content = segment.data(raw=True)
            if self.entry.compression == _ZSTD_WITH_HEADER:
                content = _zstd(content, self.dtype.itemsize)
            else:
                content = imagecodecs.zstd_decode(content)
            flat = np.frombuffer(content, self.dtype)
            pixels = flat.reshape(rows, columns, self.samples)
            return pixels[..., _RGB[self.samples]]
        decoded: np.ndarray = segment.data(resize=False)
        return decoded.reshape(rows, columns, self.samples)


def _is_full(entry: Any) -> bool:
    """Whether a subblock has the full resolution; files also hold downsampled copies."""
    return tuple(entry.shape) == tuple(entry.stored_shape)


def _zstd(content: bytes, itemsize: int) -> bytes:
    """Decode Zeiss's Zstd; its header states whether low and high bytes are separated."""
    length = content[0]
    apart = length >= 3 and content[1] == 1 and content[2] & 1
    decoded = bytes(imagecodecs.zstd_decode(content[length:]))
    if not apart or itemsize != 2:
        return decoded
    halves = np.frombuffer(decoded, np.uint8).reshape(2, -1)
    return halves.T.tobytes()


def _assembled(blocks: Sequence[_Block]) -> tuple[np.ndarray, list[str], tuple[str, ...]]:
    """Assemble all subblocks of a scene; returned with its axes and a note on absent planes."""
    names = [n for n in blocks[0].size if n not in (_SCENE, _TILE)]
    first = {n: min(b.start.get(n, 0) for b in blocks) for n in names}
    last = {n: max(b.start.get(n, 0) + b.size.get(n, 1) for b in blocks) for n in names}
    shape = {n: last[n] - first[n] for n in names}
    outer = [n for n in names if n not in "YX0" and (shape[n] > 1 or n == "C")]
    samples = max(b.samples for b in blocks)
    dtype = np.result_type(*(b.dtype for b in blocks))
    full = (*(shape[n] for n in outer), shape["Y"], shape["X"], samples)
    check_memory(full, dtype)
    data = np.zeros(full, dtype)
    places = set()
    for block in sorted(blocks, key=lambda b: b.start.get(_TILE, 0)):
        begin = {n: block.start.get(n, 0) - first[n] for n in names}
        place = tuple(begin[n] for n in outer)
        places.add(place)
        rows = slice(begin["Y"], begin["Y"] + block.size["Y"])
        columns = slice(begin["X"], begin["X"] + block.size["X"])
        data[(*place, rows, columns)] = block.pixels()
    absent = _absent(len(places), math.prod(full[:-3]))
    axes = [*outer, "Y", "X"]
    if samples > 1 and "C" in outer and shape["C"] == 1:
        data = data.squeeze(outer.index("C"))
        axes.remove("C")
    return (data, [*axes, "S"], absent) if samples > 1 else (data[..., 0], axes, absent)


def _absent(there: int, expected: int) -> tuple[str, ...]:
    if there == expected:
        return ()
    return (
        f"{expected - there} of {expected} planes are not in the file, as if the acquisition was "
        "stopped; they are 0",
    )


def _scene_name(xml: Any, number: int) -> str:
    entry = xml.find(f".//Dimensions/S/Scenes/Scene[@Index='{number}']")
    return "" if entry is None else str(entry.get("Name") or "")


def _pixel_size(xml: Any) -> dict[str, float]:
    """Pixel size in µm; the file states it in metres."""
    found = {}
    for entry in xml.findall(".//Scaling/Items/Distance"):
        value = float(entry.findtext("Value") or 0)
        if entry.get("Id") in ("X", "Y", "Z") and value > 0:
            found[entry.get("Id")] = float(f"{value * _UM_PER_M:.12g}")
    return found


def _time_step(xml: Any) -> float | None:
    """Seconds between frames; None if unknown."""
    text = xml.findtext(".//Dimensions/T/Positions/Interval/Increment")
    step = float(text) if text else 0.0
    return step if step > 0 else None


def _channels(xml: Any) -> list[dict[str, str]]:
    """Metadata of each channel: attributes and elements of its display and image entries."""
    shown = {c.get("Id"): c for c in xml.findall(".//DisplaySetting/Channels/Channel")}
    channels = []
    for entry in xml.findall(".//Image/Dimensions/Channels/Channel"):
        told: dict[str, str] = {}
        for element in (shown.get(entry.get("Id")), entry):
            if element is not None:
                told |= {child.tag: child.text for child in element if child.text}
                told |= {key: value for key, value in element.attrib.items() if value}
        channels.append(told)
    return channels


def _colour(channel: dict[str, str]) -> str:
    """Convert #AARRGGBB or #RRGGBB to RRGGBB."""
    return channel.get("Color", "").lstrip("#")[-6:].upper()


def _hints(channel: dict[str, str]) -> list[Hint]:
    """Fields that may identify the microscope or the specimen, most reliable first."""
    wanted = (
        ("microscope", "AcquisitionMode"),
        ("microscope", "ContrastMethod"),
        ("specimen", "DyeName"),
        ("specimen", "Fluor"),
        ("specimen", "Name"),
    )
    return [
        Hint(kind, f"CZI Channel {name}", channel[name])  # type: ignore[arg-type]
        for kind, name in wanted
        if name in channel
    ]
