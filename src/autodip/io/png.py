"""PNG with 8 or 16 bits, grey or colour; resolution and text chunks are preserved."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np

from autodip.errors import FormatError
from autodip.image.image import Image
from autodip.io.faults import check_content, check_memory

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
# These describe the encoding or the modification time of the old file, not the image.
_DROPPED = {b"tRNS", b"hIST", b"tIME"}
_PALETTE, _GREY_ALPHA, _RGBA = 3, 4, 6
_SAMPLES = {0: 1, 2: 3, _GREY_ALPHA: 2, _RGBA: 4}
"""Number of samples of a pixel by the type of colour; 0 is grey, 2 RGB."""

_HEADER = struct.Struct(">IIBBBBB")
_DEFLATE = 1032
"""Highest ratio of compression by deflate."""

_SLACK = 2**16
"""Bytes by which the content of a small image may exceed its pixels."""


@dataclass(frozen=True)
class PngSource:
    """Type and content of the chunks of the file that are preserved."""

    chunks: tuple[tuple[bytes, bytes], ...]


def read(path: Path, axes: str | None) -> Image:
    """Read a PNG; its axes are YX, or YXS if it has colours or transparency."""
    content = path.read_bytes()
    chunks = _chunks(content)
    colour = _checked(chunks)
    try:
        data = imagecodecs.png_decode(_without_transparent_colour(chunks))
    except imagecodecs.PngError as error:
        raise FormatError(f"damaged PNG ({error})") from error
    kept = tuple((k, v) for k, v in chunks if k not in _CRITICAL and k not in _DROPPED)
    return Image(
        data,
        axes or ("YX" if data.ndim == 2 else "YXS"),
        source=PngSource(kept),
        alpha=colour in (_GREY_ALPHA, _RGBA),
    )


def _checked(chunks: list[tuple[bytes, bytes]]) -> int:
    """Type of colour, after the header was found to state intensities that the file can hold."""
    header, body = chunks[0][1], sum(len(content) for kind, content in chunks if kind == b"IDAT")
    if len(header) != _HEADER.size or [kind for kind, _ in chunks].count(b"IHDR") > 1:
        raise FormatError("damaged PNG (its header is not of 13 bytes, or there are several)")
    width, height, bits, colour = _HEADER.unpack(header)[:4]
    if colour == _PALETTE or bits < 8:
        what = "a palette of colours" if colour == _PALETTE else f"{bits} bits per pixel"
        raise FormatError(
            f"a PNG with {what} holds no intensities; save it as 8- or 16-bit grey or RGB"
        )
    if colour not in _SAMPLES or bits not in (8, 16):
        raise FormatError(f"damaged PNG (colours of type {colour} with {bits} bits)")
    dtype = np.dtype(f"u{bits // 8}")
    shape = (height, width, _SAMPLES[colour])
    rows = height * (1 + width * shape[2] * dtype.itemsize)
    check_content(rows, body, _DEFLATE)
    if body > 2 * rows + _SLACK:
        raise FormatError(f"damaged PNG ({body} bytes of content for {rows} bytes of pixels)")
    check_memory(shape, dtype)
    return int(colour)


def write(path: Path, image: Image) -> None:
    """Write the pixels, with the preserved chunks of the source after the header.

    Raises
    ------
    FormatError
        If PNG cannot store the pixel type or the axes.
    """
    _check(image)
    order = [image.axes.index(axis) for axis in "YXS" if axis in image.axes]
    data = np.transpose(image.data, order)
    data = data.astype(data.dtype.newbyteorder("="), order="C", copy=False)
    content = bytes(imagecodecs.png_encode(data))
    chunks = image.source.chunks if isinstance(image.source, PngSource) else ()
    kept = b"".join(_chunk(*chunk) for chunk in chunks)
    header_end = len(_SIGNATURE) + 12 + 13
    path.write_bytes(content[:header_end] + kept + content[header_end:])


def _check(image: Image) -> None:
    """Raise a FormatError unless PNG can store the image."""
    kind, samples = image.data.dtype.name, image.size("S")
    if kind not in ("uint8", "uint16") or set(image.axes) - set("YXS") or samples > 4:
        colours = f" with {samples} samples" if "S" in image.axes else ""
        raise FormatError(
            f"PNG holds planes of type uint8 or uint16 with 1 to 4 samples, not {kind} of axes "
            f"{image.axes}{colours}; choose another format (--format ome-tiff) or type (--dtype "
            "uint16)"
        )


def _without_transparent_colour(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """File without tRNS, which would be decoded as an additional sample of every pixel."""
    return _SIGNATURE + b"".join(_chunk(*c) for c in chunks if c[0] != b"tRNS")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", _crc(kind, content))


def _crc(kind: bytes, content: bytes) -> int:
    return zlib.crc32(kind + content)


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Read all chunks up to the end marker, so that a truncated file is detected."""
    if not content.startswith(_SIGNATURE):
        raise FormatError("not a PNG file")
    chunks, at = [], len(_SIGNATURE)
    while at + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        body = content[at + 8 : at + 8 + length]
        stored = content[at + 8 + length : at + 12 + length]
        if len(stored) == 4 and struct.unpack(">I", stored)[0] != _crc(kind, body):
            raise FormatError(f"damaged PNG (wrong checksum of its {kind.decode('latin1')} chunk)")
        chunks.append((kind, body))
        at += 12 + length
        if kind == b"IEND" and at <= len(content) and chunks[0][0] == b"IHDR":
            return chunks
    raise FormatError(f"truncated PNG ({len(content)} bytes, no end marker)")
