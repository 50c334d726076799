"""OME-Zarr (OME-NGFF) metadata: what it states about an image, and how it is updated."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autodip.errors import FormatError
from autodip.image.image import Hint, Image
from autodip.io import multiscales
from autodip.io.pyramid import scaled

_KIND = {"T": "time", "C": "channel", "Z": "space", "Y": "space", "X": "space"}
_ORDER = "TCZYX"
_LEAST = 256
"""A new pyramid ends with the first level of at most this many pixels on the longer side."""
_CHUNK = 1024


@dataclass(frozen=True, kw_only=True)
class NgffSource:
    """Metadata of an OME-Zarr image that are preserved when it is written back.

    Parameters
    ----------
    version : str
        "0.4", "0.5" or "0.6".
    axes : str
        One letter of ``TCZYX`` for each dimension.
    multiscale : mapping
        The entry of ``multiscales``: axes, paths, scales, name and any further fields.
    omero : mapping
        Channels with their names, colours and display windows; empty if absent.
    shapes : tuple of tuple of int
        Shape of the full image and of each reduced level.
    storage : mapping
        Arguments of ``zarr.create_array``: chunks, shards, compressors.
    others : mapping
        Further attributes of the group.
    extra : mapping
        Further fields of its ``ome`` attribute, such as coordinate systems.
    folder : Path or None
        Folder that the image was read from; its labels and tables are copied on writing. None
        for a new image, and for a part of an image, which they would not match.
    """

    version: str
    axes: str
    multiscale: Mapping[str, Any]
    omero: Mapping[str, Any] = field(repr=False)
    shapes: tuple[tuple[int, ...], ...]
    storage: Mapping[str, Any] = field(repr=False)
    others: Mapping[str, Any] = field(default_factory=dict, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    folder: Path | None = None

    def cut(self, position: int, kept: range) -> NgffSource:
        """Metadata of the image restricted to ``kept`` along its axis at ``position``."""
        return dataclasses.replace(self._cut(position, kept), folder=None)

    def captioned(self, caption: str) -> NgffSource:
        """Metadata of an image with a caption, without the display windows of the intensities.

        Without a caption, the metadata themselves.
        """
        if not caption:
            return self
        listed = self.omero.get("channels")
        channels = [
            {key: value for key, value in channel.items() if key != "window"}
            for channel in (listed if isinstance(listed, list) else ())
            if isinstance(channel, Mapping)
        ]
        return dataclasses.replace(
            self,
            multiscale={**self.multiscale, "name": caption},
            omero={**self.omero, "channels": channels} if channels else self.omero,
            folder=None,
        )

    def _cut(self, position: int, kept: range) -> NgffSource:
        channels = self.omero.get("channels")
        if self.axes[position] != "C" or not isinstance(channels, list):
            return self
        left = [channels[i] for i in kept if i < len(channels)]
        return dataclasses.replace(self, omero={**self.omero, "channels": left})

    def level_shapes(self, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Shape of each reduced level of an image with these axes but another ``shape``."""
        return [
            tuple(
                scaled(n, full, part) if axis in "ZYX" else n
                for axis, n, full, part in zip(self.axes, shape, self.shapes[0], level, strict=True)
            )
            for level in self.shapes[1:]
        ]

    def attributes(self) -> dict[str, Any]:
        """Attributes of the group, in the layout that the version requires."""
        ome: dict[str, Any] = {**self.extra, "multiscales": [dict(self.multiscale)]}
        if self.omero:
            ome["omero"] = dict(self.omero)
        if self.version == "0.4":
            return {**self.others, **ome}
        return {**self.others, "ome": {"version": self.version, **ome}}


def facts(source: NgffSource, axes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Fields of :class:`autodip.image.image.Image` from the metadata."""
    size, step, notes = multiscales.sizes_of(source.multiscale, axes, source.axes)
    listed = source.omero.get("channels")
    listed = listed if isinstance(listed, list) else []
    channels = [channel if isinstance(channel, Mapping) else {} for channel in listed]
    names = tuple(str(channel.get("label") or "") for channel in channels)
    colours = tuple(_colour(channel.get("color")) for channel in channels)
    return {
        "pixel_size": size,
        "time_step": step,
        "notes": notes,
        "channel_names": names if any(names) else (),
        "channel_colours": colours if any(colours) else (),
        "hints": tuple(
            (Hint("specimen", "OMERO channel label", name),) if name else () for name in names
        ),
    }


def _colour(stated: Any) -> str:
    """Colour as RRGGBB; "" if it is not one."""
    text = str(stated or "").lstrip("#").upper()
    return text if re.fullmatch("[0-9A-F]{6}", text) else ""


def new(image: Image, version: str) -> tuple[NgffSource, np.ndarray]:
    """Metadata for an image from another format, and its pixels in the axis order of OME-Zarr.

    Samples of colour pixels (axis S) become channels.

    Raises
    ------
    FormatError
        If the image has both channels and colour samples.
    """
    if {"S", "C"} <= set(image.axes):
        raise FormatError(
            f"an image of axes {image.axes} has channels and colour samples; OME-Zarr can "
            "store only one of these: select one channel (--channel)"
        )
    seen = image.axes.replace("S", "C")
    axes = "".join(a for a in _ORDER if a in seen)
    data = np.transpose(image.data, [seen.index(a) for a in axes])
    shapes = _pyramid(axes, data.shape)
    multiscale = {
        **({"version": version} if version == "0.4" else {}),
        "name": image.caption or "image",
        "axes": _axes(image, axes),
        "datasets": _datasets(image, axes, shapes),
    }
    chunks = tuple(min(n, _CHUNK) if a in "YX" else 1 for a, n in zip(axes, shapes[0], strict=True))
    omero = _omero(image, data, axes)
    return NgffSource(
        version=version,
        axes=axes,
        multiscale=multiscale,
        omero=omero,
        shapes=shapes,
        storage={"chunks": chunks},
    ), data


def _axes(image: Image, axes: str) -> list[dict[str, str]]:
    """Name and type of each axis, and its unit if its scale is known."""
    units = dict.fromkeys(image.pixel_size, "micrometer")
    if image.time_step:
        units["T"] = "second"
    return [
        {"name": a.lower(), "type": _KIND[a], **({"unit": units[a]} if a in units else {})}
        for a in axes
    ]


def _datasets(image: Image, axes: str, shapes: Sequence[tuple[int, ...]]) -> list[dict[str, Any]]:
    """Path and scale of each level."""
    sizes = {**image.pixel_size, "T": image.time_step or 1.0}
    datasets = []
    for number, shape in enumerate(shapes):
        factors = [full / part for full, part in zip(shapes[0], shape, strict=True)]
        scale = [sizes.get(a, 1.0) * factor for a, factor in zip(axes, factors, strict=True)]
        step = {"type": "scale", "scale": scale}
        datasets.append({"path": str(number), "coordinateTransformations": [step]})
    return datasets


def _pyramid(axes: str, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Shape of the full image and of its levels, each half as wide and high as the last."""
    shapes = [shape]
    while max(n for a, n in zip(axes, shapes[-1], strict=True) if a in "YX") > _LEAST:
        last = zip(axes, shapes[-1], strict=True)
        shapes.append(tuple(-(-n // 2) if a in "YX" else n for a, n in last))
    return tuple(shapes)


def _omero(image: Image, data: np.ndarray, axes: str) -> dict[str, Any]:
    """Names, colours and display windows of the channels; empty if nothing is known."""
    names, colours = image.channel_names, image.channel_colours
    if image.channel_axis == "S" and not names:
        names, colours = tuple("RGB"), ("FF0000", "00FF00", "0000FF")
    if not names and not colours:
        return {}
    count = data.shape[axes.index("C")] if "C" in axes else 1
    planes = np.moveaxis(data, axes.index("C"), 0) if "C" in axes else data[np.newaxis]
    channels = []
    for number in range(count):
        name = _at(names, number)
        channels.append(
            {
                **({"label": name} if name else {}),
                "color": _at(colours, number) or "FFFFFF",
                "window": _window(planes[number]),
                "active": True,
            }
        )
    return {"channels": channels}


def _window(pixels: np.ndarray) -> dict[str, float]:
    """Range of values to display, and the possible range; JSON knows neither NaN nor infinity."""
    known = (part[np.isfinite(part)] for part in pixels)
    ranges = [(float(part.min()), float(part.max())) for part in known if part.size]
    low, high = min(ranges, default=(0.0, 0.0))[0], max((most for _, most in ranges), default=1.0)
    least, most = low, high
    if pixels.dtype.kind in "iu":
        limits = np.iinfo(pixels.dtype)
        least, most = float(limits.min), float(limits.max)
    return {"start": low, "end": high, "min": least, "max": most}


def _at(texts: Sequence[str], number: int) -> str:
    return texts[number] if number < len(texts) else ""
