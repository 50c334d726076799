"""Crafted MRC, PNG and LIF files."""

from __future__ import annotations

import bz2
import gzip
import struct
import zlib
from collections.abc import Iterator
from functools import partial

from benchmarks.hostile.crafted import Crafted, Surroundings, deflated, late

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LARGEST = 2**31 - 1


def crafted(around: Surroundings) -> Iterator[Crafted]:
    """MRC, PNG and LIF files."""
    yield from _mrc()
    yield from _png()
    yield from _lif(around)


def mrc(
    size: tuple[int, int, int] = (8, 8, 1),
    mode: int = 1,
    *,
    extended: int = 0,
    body: bytes = bytes(128),
    group: int = 1,
    order: str = "<",
) -> bytes:
    """MRC file of any header."""
    head = bytearray(1024)
    struct.pack_into(order + "4i", head, 0, *size, mode)
    struct.pack_into(order + "3i", head, 28, *size)
    struct.pack_into(order + "3f", head, 40, 1.0, 1.0, 1.0)
    struct.pack_into(order + "3i", head, 64, 1, 2, 3)
    struct.pack_into(order + "2i", head, 88, group, extended)
    head[208:216] = b"MAP " + (b"\x44\x44\0\0" if order == "<" else b"\x11\x11\0\0")
    return bytes(head) + body


def _mrc() -> Iterator[Crafted]:
    for size in (
        *((40000, 40000, 1), (99999, 99999, 99999), (-1, 8, 1), (8, 8, -1), (0, 8, 8)),
        *((_LARGEST,) * 3, (8, 8, 0), (30000, 30000, 2), (1, 1, _LARGEST)),
    ):
        for mode in (0, 1, 2, 4, 6, 12, 101, 3, -7):
            yield Crafted("lies.mrc", mrc(size, mode))
    for extended in (-1, _LARGEST, 10**9, 64, -(2**31)):
        yield Crafted("extended.mrc", mrc(extended=extended))
    for group in (0, 1, 401, -1, 77, _LARGEST):
        yield Crafted("group.mrc", mrc((8, 8, 4), body=bytes(512), group=group))
    yield Crafted("order.mrc", mrc(order=">"))
    good = bytearray(mrc(body=bytes(range(128))))
    for pack in (gzip.compress, bz2.compress):
        yield Crafted("packed.mrc", pack(bytes(good)))
        yield Crafted("cut.mrc", pack(bytes(good))[:60])
    for number in (-1, 11, _LARGEST):
        struct.pack_into("<i", good, 220, number)
        good[224:304] = b"\xff\xfe\x80" + bytes(77)
        yield Crafted("label.mrc", bytes(good))
    struct.pack_into("<3f", good, 40, float("nan"), float("inf"), -1)
    struct.pack_into("<3i", good, 28, 0, 0, 0)
    yield Crafted("cell.mrc", bytes(good))
    good[208:212] = b"XXXX"
    yield Crafted("map.mrc", bytes(good))
    yield late("bomb.mrc", lambda: _bomb(mrc(), 192))
    yield late("bomb.mrc", lambda: _bomb(mrc(extended=_LARGEST), 128))


def _bomb(start: bytes, blocks: int) -> bytes:
    """Content and blocks of 16 MiB of zeros behind it, as members of a gzip file."""
    return gzip.compress(start) + blocks * gzip.compress(bytes(2**24), 9)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _header(
    width: int = 8, height: int = 8, bits: int = 8, colour: int = 0, lace: int = 0
) -> bytes:
    return _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, lace))


def _png() -> Iterator[Crafted]:
    content, end = _chunk(b"IDAT", zlib.compress(bytes(72))), _chunk(b"IEND", b"")
    head = _header()
    for width, height in (
        *((_LARGEST, _LARGEST), (40000, 40000), (60000, 60000), (0, 8), (8, 0), (2**32 - 1, 1)),
    ):
        for bits, colour in ((8, 0), (16, 0), (8, 2), (16, 6), (8, 4)):
            lies = _header(width, height, bits, colour)
            yield Crafted("lies.png", _SIGNATURE + lies + content + end)
    for bits, colour in (
        (3, 0),
        (0, 0),
        (255, 0),
        (8, 1),
        (8, 5),
        (8, 7),
        (8, 255),
        (4, 2),
        (16, 3),
    ):
        yield Crafted("kind.png", _SIGNATURE + _header(bits=bits, colour=colour) + content + end)
    bomb = zlib.compress(bytes(2**26))
    for chunks in (
        (_chunk(b"IHDR", b""), content),
        (_chunk(b"IHDR", b"\0\0\0\x08\0"), content),
        (head, head, content),
        (head, content, _chunk(b"IHDR", b"")),
        (head, content, _header(9999, 9999, 16, 6)),
        (head,),
        (content, head),
        (head, _chunk(b"tEXt", b"\xff" * 1000), _chunk(b"zTXt", b"a\0\0" + bomb), content),
        (head, _chunk(b"iCCP", b"a\0\0" + bomb), content),
        (head, _chunk(b"pHYs", b"\0"), _chunk(b"gAMA", b""), content),
        (head, _chunk(b"ABCD", b""), content),
        (head, _chunk(b"acTL", struct.pack(">II", 2**31, 0)), content),
    ):
        yield Crafted("chunks.png", _SIGNATURE + b"".join(chunks) + end)
    for start, size in ((head, 2**32), (_header(lace=1), 2**27)):
        yield late("bomb.png", partial(_bombed, start, size, end))


def _bombed(start: bytes, size: int, end: bytes) -> bytes:
    return _SIGNATURE + start + _chunk(b"IDAT", deflated(size)) + end


def entities(secret: str) -> tuple[str, str]:
    """Document types of XML: one that names a file, one whose entities expand to gigabytes."""
    lols = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return (
        f'<!DOCTYPE OME [<!ENTITY x SYSTEM "file://{secret}">]>',
        f'<!DOCTYPE OME [<!ENTITY l0 "lol">{lols}]>',
    )


def _lif(around: Surroundings) -> Iterator[Crafted]:
    def lif(xml: str) -> bytes:
        raw = xml.encode("utf-16-le")
        return struct.pack("<IIBI", 0x70, len(raw) + 5, 0x2A, len(raw) // 2) + raw

    root = '<LMSDataContainerHeader Version="2">{}</LMSDataContainerHeader>'
    for document in entities(str(around.outside / "secret.txt")):
        for entity in ("&x;", "&l9;"):
            body = f'<Element Name="P"><A>{entity}</A></Element>'
            yield Crafted("entity.lif", lif(document + root.format(body)))
    for number in (0, 2**31, 2**32 - 1):
        yield Crafted("length.lif", struct.pack("<IIBI", 0x70, number, 0x2A, number))
        yield Crafted("length.lif", struct.pack("<IIBI", 0x70, 100, 0x2A, number) + bytes(100))
    empty = '<Element Name="P"><Children><Element Name="a"><Data><Image/></Data></Element>'
    for body in ("", "<Element/>", f"{empty}</Children></Element>"):
        yield Crafted("xml.lif", lif(root.format(body)))
