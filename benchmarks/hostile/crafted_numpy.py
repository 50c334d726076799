"""Crafted NPY and NPZ files."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from benchmarks.hostile.crafted import Boom, Crafted, Surroundings, late

_HEADER = "{'descr': '<u2', 'fortran_order': False, 'shape': %s, }"
_TYPED = "{'descr': %s, 'fortran_order': False, 'shape': (2,2), }"
_SHAPES = (
    *("(99999, 99999)", "(40000, 40000)", "(-1, 8)", "(8, -8)", "(0, 8)", "(8,)", "()"),
    *("(2**40, 2)", "(9223372036854775807, 9)", "(99999999999999999999999, 8)", "(1.5, 2)"),
    *("('a', 2)", "(True, 8)", "[8, 8]", "8", "(" * 300 + ")" * 300, "(8, 8", "(8L, 8L)"),
    *("(1,) * 99", "(" + "1," * 100 + ")", "(1 for i in [])", "{[]: 1}", "(8, 8)}}"),
)
_DESCRIPTIONS = (
    *("'|O'", "'<M8'", "'<V0'", "'<U0'", "'<u3'", "',,,,'", "7", "None", "{}", "[]"),
    *("[('a', '<u2'], ", "[('a', '<u2', (99999999999,))]"),
)
_HEADERS = (
    *(
        b"{",
        b"(((((",
        b"'",
        b"'''",
        b"\t\tx",
        b"{'descr': '<u2'",
        b"",
        b"\xff\xfe\x80",
        b"{'a': 1}",
    ),
    *(b"[1, 2]", b"1", b"  x\n y\n", b"\\", b"(" * 9000, b"[" * 9000 + b"]" * 9000),
    b"-" * 9000 + b"1",
    b"{'descr': '|S0', 'fortran_order': False, 'shape': (99999,99999), }",
    b"{'descr': '<u2', 'fortran_order': 3, 'shape': (2,2), }",
)
_TYPES = ("complex64", "bool", "S5", "U3", "M8[s]", "m8[s]", "V7", "float16", "longdouble")


def npy(header: bytes, body: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    """NPY file of any header."""
    size = struct.pack("<H" if version[0] == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes(version) + size + header + body


def saved(array: np.ndarray, **options: Any) -> bytes:
    """NPY file of an array."""
    out = io.BytesIO()
    np.save(out, array, **options)
    return out.getvalue()


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def crafted(around: Surroundings) -> Iterator[Crafted]:
    """NPY and NPZ files."""
    for shape in (*_SHAPES, f"__import__('os').system('touch {around.mark}')"):
        content = npy((_HEADER % shape).encode().ljust(200) + b"\n", bytes(128))
        yield Crafted("head.npy", content)
        yield Crafted("mapped.npy", content)
        yield Crafted("in.npz", zipped({"image.npy": content}))
    for head in (*_HEADERS, *((_TYPED % one).encode() for one in _DESCRIPTIONS)):
        for version in ((1, 0), (2, 0), (3, 0), (9, 9)):
            yield Crafted("odd.npy", npy(head, bytes(64), version))
        yield Crafted("odd.npz", zipped({"image.npy": npy(head, bytes(64))}))
    for dtype in _TYPES:
        content = saved(np.zeros((8, 8), dtype))
        yield Crafted("type.npy", content)
        yield Crafted("type.npz", zipped({"image.npy": content}))
    yield Crafted("record.npy", saved(np.zeros((8, 8), [("a", "u2"), ("b", "f4")])))
    yield from _pickles(around)
    yield from _archives()


def _pickles(around: Surroundings) -> Iterator[Crafted]:
    pickled = pickle.dumps(Boom(around.mark))
    objects = saved(np.array([[Boom(around.mark)]], object), allow_pickle=True)
    yield Crafted("pickle.npy", objects)
    yield Crafted("pickle.npz", zipped({"image.npy": objects}))
    yield Crafted("raw_pickle.npy", pickled)
    yield Crafted("raw_pickle.npz", pickled)
    yield Crafted("member.npz", zipped({"image.npy": pickled}))


def _archives() -> Iterator[Crafted]:
    eye = saved(np.eye(8))
    for number, members in enumerate(
        (
            {"image": b"hello"},
            {"readme.txt": b"hello"},
            {"image.npy": b"\x89PNG"},
            {},
            {"image.npy/": b""},
            {"../../image.npy": eye},
            {"image.npy": eye, "image": saved(np.eye(9))},
            {f"{number}.npy": saved(np.eye(2)) for number in range(3000)},
        )
    ):
        yield Crafted(f"archive{number}.npz", zipped(members))
    whole = zipped({"image.npy": eye})
    middle = whole.find(b"PK\1\2")
    for at, value in ((8, 99), (8, 97), (6, 1), (6, 0x800)):
        for both in (False, True):
            content = bytearray(whole)
            struct.pack_into("<H", content, at, value)
            if both:
                struct.pack_into("<H", content, middle + at + 2, value)
            yield Crafted("zip.npz", bytes(content))
    for at, value in ((18, 2**32 - 1), (22, 2**32 - 1), (14, 1)):
        content = bytearray(whole)
        struct.pack_into("<I", content, middle + at + 2, value)
        yield Crafted("sizes.npz", bytes(content))
    for method, places in ((zipfile.ZIP_BZIP2, (50,)), (zipfile.ZIP_LZMA, (60, 70))):
        content = bytearray(zipped({"image.npy": eye}, method))
        yield Crafted("method.npz", bytes(content))
        for at in places:
            content[at] ^= 255
        yield Crafted("method.npz", bytes(content))
    yield late("bomb.npz", lambda: _zeros(3 * 2**30))


def _zeros(size: int) -> bytes:
    """Archive of an array that states 8 x 8 pixels, with more zeros behind them."""
    out = io.BytesIO()
    head = (_HEADER % "(8, 8)").encode().ljust(117) + b"\n"
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("image.npy", "w", force_zip64=True) as file,
    ):
        file.write(npy(head))
        for _ in range(size // 2**22):
            file.write(bytes(2**22))
    return out.getvalue()
