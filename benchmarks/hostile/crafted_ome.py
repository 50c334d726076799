"""Crafted OME-XML in TIFF files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import tifffile

from benchmarks.hostile.crafted import Crafted, Surroundings
from benchmarks.hostile.crafted_others import entities

_OME = (
    '<?xml version="1.0" encoding="UTF-8"?>{document}<OME xmlns="http://www.openmicroscopy.org/'
    'Schemas/OME/2016-06" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="http://www.openmicroscopy.org/Schemas/OME/2016-06 '
    'http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd"{uuid}><Image ID="Image:0" '
    'Name="{name}"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="{type}" SizeX="{x}" '
    'SizeY="{y}" SizeZ="{z}" SizeC="{c}" SizeT="{t}"{more}>{inside}</Pixels></Image></OME>'
)
_CHANNEL = '<Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
_USUAL: dict[str, Any] = {
    **{"document": "", "uuid": "", "name": "a", "type": "uint16", "more": ""},
    **{"x": 16, "y": 16, "z": 1, "c": 1, "t": 1, "inside": f"{_CHANNEL}<TiffData/>"},
}
_SIZES = (
    *({"x": 99999, "y": 99999}, {"z": 10**6}, {"t": 10**9}, {"c": 2**31}, {"x": -1}, {"z": -5}),
    *({"z": 0}, {"x": "1e3"}, {"x": ""}, {"z": "9" * 24}),
    *({"type": kind} for kind in ("bit", "complex", "float", "int64")),
)
_ATTRIBUTES = (
    *('PhysicalSizeX="nan"', 'PhysicalSizeX="-1"', 'PhysicalSizeX="0"', 'TimeIncrement="1e400"'),
    *('PhysicalSizeX="1" PhysicalSizeXUnit="pixel"', 'TimeIncrement="nan"', 'BigEndian="maybe"'),
    *('TimeIncrement="1" TimeIncrementUnit="fortnight"', 'SignificantBits="-3"'),
)
_INSIDE = (
    "",
    "<TiffData/>",
    *(
        f"<TiffData {one}/>"
        for one in (
            *('IFD="99"', 'IFD="-1"', 'PlaneCount="99999999"', 'FirstZ="-1"', 'FirstZ="99"'),
        )
    ),
    "<MetadataOnly/>",
    '<BinData BigEndian="false" Length="8">AAAA</BinData>',
    *(
        f'<Channel ID="Channel:0:0" {one}/><TiffData/>'
        for one in ('Color="99999999999"', *(f'SamplesPerPixel="{n}"' for n in (0, -2, 99)))
    ),
    '<Channel ID="Channel:0:0"/>' * 3 + "<TiffData/>",
    '<Channel ID="Channel:0:0"/><TiffData/><Plane TheZ="9" TheC="9" TheT="9"/>',
    "<!-- " + "x" * 10_000_000 + f" -->{_CHANNEL}<TiffData/>",
    "<a>" * 100000 + "</a>" * 100000,
)


def xml(**changes: Any) -> bytes:
    """OME-XML of one image."""
    return _OME.format(**{**_USUAL, **changes}).encode()


def tiff(description: bytes) -> bytes:
    """TIFF of one plane with a description."""
    out = io.BytesIO()
    data = np.arange(256, dtype="uint16").reshape(16, 16)
    tifffile.imwrite(out, data, photometric="minisblack", description=description, metadata=None)
    return out.getvalue()


def crafted(around: Surroundings) -> Iterator[Crafted]:
    """TIFF files with OME-XML."""
    changes = [
        *_SIZES,
        *({"more": f" {one}"} for one in _ATTRIBUTES),
        *({"inside": one} for one in _INSIDE),
        {"name": "x" * 11_000_000},
        {"document": f"<!-- {'x' * 10_000_000} -->"},
    ]
    for one in changes:
        yield Crafted("stated.ome.tif", tiff(xml(**one)))
    for before, after in (
        (b"XYZ", b"\xff\xfe\x80"),
        (b'encoding="UTF-8"', b'encoding="UTF-16"'),
        (b'encoding="UTF-8"', b'encoding="qq"'),
    ):
        yield Crafted("encoding.ome.tif", tiff(xml(name="XYZ").replace(before, after)))
    yield from _entities(around)
    yield from _files(around)


def _entities(around: Surroundings) -> Iterator[Crafted]:
    secret = around.outside / "secret.txt"
    named, lols = entities(str(secret))
    quadratic = f'<!DOCTYPE OME [<!ENTITY a "{"a" * 100000}">]>'
    channel = '<Channel ID="Channel:0:0" Name="&x;" SamplesPerPixel="1"/><TiffData/>'
    for one in (
        {"document": named, "name": "&x;"},
        {"document": named.replace("file://", ""), "inside": channel},
        {"document": f'<!DOCTYPE OME [<!ENTITY % p SYSTEM "file://{secret}"> %p;]>'},
        {"document": '<!DOCTYPE OME SYSTEM "http://127.0.0.1:9/evil.dtd">'},
        {"document": lols, "name": "&l9;"},
        {"document": quadratic, "name": "&a;" * 20000},
    ):
        yield Crafted("entity.ome.tif", tiff(xml(**one)))


def _files(around: Surroundings) -> Iterator[Crafted]:
    """Images of which another file, elsewhere, is said to hold a plane."""
    other = around.outside / "other.tif"
    here, there = ("urn:uuid:" + "-".join([n * 8, n * 4, n * 4, n * 4, n * 12]) for n in "12")
    part = '<TiffData IFD="0" FirstZ="{}" PlaneCount="1"><UUID FileName="{}">{}</UUID></TiffData>'
    for name in (
        *("../outside/other.tif", str(other), f"file://{other}", "../outside/secret.txt"),
        *("/dev/zero", "/dev/stdin", "", ".", "..", "a\0b", "x" * 5000, "\\\\host\\share"),
        "http://127.0.0.1:9/x.tif",
    ):
        inside = _CHANNEL + part.format(0, "multi.ome.tif", here) + part.format(1, name, there)
        for own in (here, here.replace("1", "3", 1)):
            described = xml(uuid=f' UUID="{own}"', z=2, inside=inside)
            yield Crafted("multi.ome.tif", tiff(described))
