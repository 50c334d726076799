"""Crafted TIFF files, written byte by byte."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import imagecodecs
import numpy as np
import tifffile

from benchmarks.hostile.crafted import Crafted, Surroundings, deflated, late

Entry = tuple[int, int, int, Any]
"""Tag, type, count, and value: a number, some numbers or bytes."""

_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_PIXELS = b"\1" * 64
_MAX = 2**32 - 1
_SIZES = (
    *((60000, 60000), (2**31 - 1, 2**31 - 1), (_MAX, 1), (1, _MAX), (0, 16), (16, 0), (0, 0)),
    *((100000, 40000), (2**20, 2**20)),
)
_TEXTS = (
    b"\xff\xfe\x80latin \xb5m\0",
    b"ImageJ=1.53\nimages=99999999\nslices=99999999\n\0",
    b"ImageJ=1.53\nimages=-4\n\0",
    b"ImageJ=1.53\nimages=1e9\nunit=\xff\n\0",
    b"ImageJ=x\nchannels=0\nslices=0\nframes=0\nspacing=nan\nfinterval=inf\n\0",
    b"ImageJ=1.53\nimages=1\nspacing=abc\nfinterval=abc\nunit=um\n\0",
    b"ImageJ=1.53\nimages=1\nmin=x\nmax=y\nloop=z\n\0",
    *(
        b'{"shape": %s}\0' % shape
        for shape in (b"[99999, 99999, 99999]", b"[-1, 8]", b"null", b'"x"')
    ),
    b'{"shape": [8, 8], "axes": "QQ"}\0',
    b'{"shape": [8, 8], "axes": 5}\0',
    b'{"shape":' + b"[" * 5000 + b"\0",
    b"[" * 100000 + b"\0",
    *(b"SCANIMAGE.x = 1\0", b"<MetaData>\0", b"<OME\0", bytes(8)),
)


def tiff(entries: Sequence[Entry], pixels: bytes = b"", following: int = 0) -> bytes:
    """TIFF of one directory, after its pixels."""
    offset = 8 + len(pixels)
    extra_at = offset + 2 + 12 * len(entries) + 4
    body = extra = b""
    for tag, kind, count, value in entries:
        values = value if isinstance(value, tuple) else (value,)
        raw = value if isinstance(value, bytes) else struct.pack(
            f"<{len(values)}{_CODES[kind]}", *values
        )  # fmt: skip
        if len(raw) <= 4:
            field = raw.ljust(4, b"\0")
        else:
            field = struct.pack("<I", extra_at + len(extra))
            extra += raw
        body += struct.pack("<HHI", tag, kind, count) + field
    directory = struct.pack("<H", len(entries)) + body + struct.pack("<I", following)
    return b"II" + struct.pack("<HI", 42, offset) + pixels + directory + extra


def strip(
    width: int = 8,
    height: int = 8,
    *more: Entry,
    pixels: bytes = _PIXELS,
    following: int = 0,
    **tags: Any,
) -> bytes:
    """Grey TIFF of one strip, with some of its fields replaced, and more of them."""
    known = {
        "bits": (258, 3, 1, 8),
        "compression": (259, 3, 1, 1),
        "photometric": (262, 3, 1, 1),
        "offsets": (273, 4, 1, 8),
        "samples": (277, 3, 1, 1),
        "rows": (278, 4, 1, height),
        "counts": (279, 4, 1, len(pixels)),
        "kind": (339, 3, 1, 1),
    }
    for name, value in tags.items():
        tag, kind, count, _ = known[name]
        known[name] = (tag, kind, len(value) if isinstance(value, tuple) else count, value)
    entries = {entry[0]: entry for entry in known.values()}
    entries |= {256: (256, 4, 1, width), 257: (257, 4, 1, height)}
    entries |= {entry[0]: entry for entry in more}
    return tiff([entries[tag] for tag in sorted(entries)], pixels, following)


def crafted(_: Surroundings) -> Iterator[Crafted]:
    """TIFF files."""
    yield from _sizes()
    yield from _values()
    yield from _directories()
    yield from _bombs()
    yield from _types()
    for text in _TEXTS:
        yield Crafted("described.tif", strip(8, 8, (270, 2, len(text), text)))


def _sizes() -> Iterator[Crafted]:
    for width, height in _SIZES:
        for compression in (1, 8, 5, 32773, 50000, 7):
            pixels = zlib.compress(bytes(64)) if compression == 8 else _PIXELS
            lies = strip(width, height, compression=compression, pixels=pixels)
            yield Crafted("lies.tif", lies)
    for offsets in ((_MAX,), (10**9,), (0,), (8, _MAX - 1)):
        for counts in ((64,), (_MAX,), (0,), (64, _MAX)):
            yield Crafted("offsets.tif", strip(offsets=offsets, counts=counts))
    for wide, high in ((0, 0), (0, 16), (16, 0), (2**31, 16), (1, 1), (_MAX, _MAX), (17, 3)):
        tiles = ((322, 4, 1, wide), (323, 4, 1, high), (324, 4, 1, 8), (325, 4, 1, 64))
        yield Crafted("tile.tif", strip(64, 64, *tiles))
    for rows in (0, 1, _MAX, 2**31):
        yield Crafted("rows.tif", strip(rows=rows))
    for count in (2**31, _MAX, 10**8):
        bits, offsets = (258, 3, count, b"\0\0\0\x10"), (273, 4, count, struct.pack("<I", 8))
        yield Crafted("count.tif", strip(8, 8, bits, offsets))
        yield Crafted("text.tif", strip(8, 8, (270, 2, count, b"\x10\0\0\0")))


def _values() -> Iterator[Crafted]:
    for photometric in (0, 2, 3, 4, 5, 6, 8, 99, 32803, 65535):
        yield Crafted("photometric.tif", strip(photometric=photometric))
    for compression in (0, 2, 3, 4, 6, 9, 99, 32946, 33003, 34712, 34887, 34892, 50002, 65535):
        yield Crafted("compression.tif", strip(compression=compression))
    for bits in (0, 1, 2, 3, 7, 12, 24, 33, 64, 128, 255, 65535):
        for kind in (1, 2, 3, 5, 6, 0, 9):
            yield Crafted("bits.tif", strip(bits=bits, kind=kind, pixels=bytes(range(64)) * 20))
    for samples in (0, 2, 5, 1000, 65535):
        yield Crafted("samples.tif", strip(samples=samples))
    for kind in (0, 6, 14, 99, 65535):
        yield Crafted("kind.tif", strip(8, 8, (256, kind, 1, b"\x08\0\0\0")))
    for ratio in ((0, 0), (1, 0), (0, 1), (_MAX, 1)):
        raw = struct.pack("<II", *ratio)
        odd = (*((tag, 5, 1, raw) for tag in (282, 283)), (296, 3, 1, 77))
        text = ((tag, 2, 4, b"\xff\xfe\xfd\0") for tag in (305, 306))
        yield Crafted("resolution.tif", strip(8, 8, *odd, *text))
    odd = ((282, 3, 1, 7), (283, 2, 2, b"x\0"), (296, 2, 2, b"y\0"))
    yield Crafted("resolution.tif", strip(8, 8, *odd))
    odd = ((65000, 7, 10, bytes(10)), (65001, 99, 1, bytes(4)), (700, 1, 3, b"<x>"))
    yield Crafted("private.tif", strip(8, 8, *odd, (33432, 2, 3, b"\xff\xff\0")))


def _directories() -> Iterator[Crafted]:
    entries = ((tag, 4, 1, 8) for tag in (256, 257))
    yield Crafted("no_strips.tif", tiff([*entries, (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]))
    here = 8 + len(_PIXELS)
    for following in (here, 8, _MAX):
        yield Crafted("loop.tif", strip(following=following))
    for tag in (330, 34665, 34853, 40965):
        yield Crafted("inner.tif", strip(8, 8, (tag, 4, 1, here)))
        yield Crafted("inner.tif", strip(8, 8, (tag, 4, 50000, (here,) * 50000)))


def _bombs() -> Iterator[Crafted]:
    tiles = ((322, 4, 1, 64), (323, 4, 1, 64))
    yield late("bomb.tif", lambda: strip(compression=8, pixels=deflated(2**27)))
    yield late("bomb.tif", lambda: strip(64, 64, *tiles, compression=8, pixels=deflated(2**27)))
    yield late("bomb.tif", lambda: strip(compression=8, pixels=deflated(2**32)))
    for compression, encode, size in (
        (50000, imagecodecs.zstd_encode, 2**28),
        (34925, imagecodecs.lzma_encode, 2**26),
        (5, imagecodecs.lzw_encode, 2**26),
    ):
        yield late("bomb.tif", partial(_encoded, compression, encode, size))


def _encoded(compression: int, encode: Callable[[bytes], bytes], size: int) -> bytes:
    return strip(compression=compression, pixels=encode(bytes(size)))


def _types() -> Iterator[Crafted]:
    for value in (np.nan, np.inf, -np.inf, 1e-42, 3e38):
        data = np.full((16, 16), value, "float32")
        data[0, 0] = 1
        yield Crafted("floats.tif", _saved(data))
    for dtype in ("complex64", "complex128", "bool", "int64", "uint64", "float16"):
        yield Crafted("type.tif", _saved(np.ones((16, 16), dtype)))


def _saved(data: np.ndarray) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, data)
    return out.getvalue()
