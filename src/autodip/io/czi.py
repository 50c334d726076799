"""Zeiss CZI, read only; results are written as OME-TIFF or OME-Zarr."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import imagecodecs
import numpy as np

from autodip.errors import AutodipError, FormatError
from autodip.image.image import AXES, Hint, Image
from autodip.io import scenes
from autodip.util.optional import require

_SCENE = "S"
_TILE = "M"
_ZSTD, _ZSTD_WITH_HEADER = 5, 6
_UM_PER_M = 1e6
_RGB = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}
"""Positions of red, green, blue and alpha in a stored pixel, by its number of samples."""


def read(path: Path, axes: str | None, scene: str | int | None = None) -> Image:
    """Read one scene; mosaic tiles are assembled, later tiles overwriting earlier ones."""
    czifile = require("czifile", "czi")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings about parts that are not needed
            with czifile.CziFile(str(path)) as file:
                return _read(file, path, axes, scene)
    except AutodipError:
        raise
    except Exception as error:  # readers of vendor formats may raise any exception
        raise FormatError(f"not a readable CZI file, or a damaged one ({error})") from error


def _read(file: Any, path: Path, axes: str | None, scene: str | int | None) -> Image:
    blocks = [_Block(entry) for entry in file.subblock_directory if _is_full(entry)]
    numbers = sorted({block.start.get(_SCENE, 0) for block in blocks})
    xml = ElementTree.fromstring(file.metadata())
    told = [_scene_name(xml, number) for number in numbers]
    number = numbers[scenes.choose(told if len(told) > 1 else [told[0] or path.stem], scene)]
    data, seen = _assembled([b for b in blocks if b.start.get(_SCENE, 0) == number])
    image = Image(data, axes or seen, pixel_size=_pixel_size(xml), time_step=_time_step(xml))
    if image.channel_axis == "S" and "S" in image.axes:
        return image.replace(alpha=image.size("S") == 4)
    channels = _channels(xml)
    names = tuple(channel.get("Name", "") for channel in channels)
    colours = tuple(_colour(channel) for channel in channels)
    return image.replace(
        channel_names=names if any(names) else (),
        channel_colours=colours if any(colours) else (),
        hints=tuple(tuple(_hints(channel)) for channel in channels),
    )


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


def _assembled(blocks: Sequence[_Block]) -> tuple[np.ndarray, str]:
    """Assemble all subblocks of a scene into one array; returned with its axes."""
    names = [n for n in blocks[0].size if n not in (_SCENE, _TILE)]
    first = {n: min(b.start.get(n, 0) for b in blocks) for n in names}
    last = {n: max(b.start.get(n, 0) + b.size.get(n, 1) for b in blocks) for n in names}
    shape = {n: last[n] - first[n] for n in names}
    wrong = [n for n in names if n not in AXES and shape[n] > 1]
    if wrong:
        raise FormatError(
            f"its dimensions are {shape}; {', '.join(wrong)} (B block, H phase, I illumination, "
            "R rotation, V view) are not supported: export the part you want from ZEN"
        )
    outer = [n for n in names if n in "TCZ" and (shape[n] > 1 or n == "C")]
    samples = max(b.samples for b in blocks)
    dtype = np.result_type(*(b.dtype for b in blocks))
    data = np.zeros([*(shape[n] for n in outer), shape["Y"], shape["X"], samples], dtype)
    for block in sorted(blocks, key=lambda b: b.start.get(_TILE, 0)):
        begin = {n: block.start.get(n, 0) - first[n] for n in names}
        place = tuple(begin[n] for n in outer)
        rows = slice(begin["Y"], begin["Y"] + block.size["Y"])
        columns = slice(begin["X"], begin["X"] + block.size["X"])
        data[(*place, rows, columns)] = block.pixels()
    axes = "".join(outer) + "YX"
    if samples > 1 and "C" in outer and shape["C"] == 1:
        data, axes = data.squeeze(outer.index("C")), axes.replace("C", "")
    return (data, axes + "S") if samples > 1 else (data[..., 0], axes)


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
