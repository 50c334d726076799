"""Arrays of Zarr: how they are stored, and their pixels chunk by chunk."""

from __future__ import annotations

import itertools
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autodip.errors import AutodipError, FormatError, ImageError
from autodip.io import large
from autodip.io.faults import check_memory, clear, reason
from autodip.io.frames import stated_size
from autodip.io.zarr_store import is_pickled

_LOSSLESS = ("blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma", "lzma2")
_KEY = re.compile(r"(?:c[./])?(\d+(?:[./]\d+)*)")

_WIDEST, _SLACK = 8, 1024
"""Limits of what a chunk decodes to: filters may widen its pixels, and checksums add bytes."""


class Chunked:
    """Pixels of an array, of which only the requested ones are read.

    Chunks that are missing have the fill value, as the standard defines.

    Parameters
    ----------
    array : zarr.Array
    folder : Path
        Folder of the array.

    Raises
    ------
    FormatError
        If the pixels are stored in a way that is not read.
    ImageError
        If they are not real numbers.
    """

    def __init__(self, array: Any, folder: Path) -> None:
        self._array, self._folder = array, folder
        self.shape = tuple(int(n) for n in array.shape)
        self.dtype = np.dtype(array.dtype)
        if self.dtype.kind not in "iuf":
            raise ImageError(
                f"pixels of type {self.dtype} cannot be denoised; real numbers are needed "
                "(integers or floats)"
            )
        self._unit = tuple(int(n) for n in array.shards or array.chunks)
        self._length = math.prod(self._unit) * self.dtype.itemsize
        self._plain = not array.compressors and not array.filters and not array.shards
        check_memory(self._unit, self.dtype)
        self.stored = self._found()
        """Places in the grid of the chunks (or shards) that are stored."""

    def __getitem__(self, key: tuple[slice, ...]) -> np.ndarray:
        """Pixels at slices along each axis.

        Raises
        ------
        FormatError
            If a chunk is damaged.
        """
        ranges = [
            range(one.start // unit, (one.stop - 1) // unit + 1)
            for one, unit in zip(key, self._unit, strict=True)
        ]
        places = self._among(ranges)
        for place in places:
            self._check(self._file(place))
        if len(places) == math.prod(map(len, ranges)) or any(
            one.step not in (None, 1) for one in key
        ):
            return self._read(key, places)
        fill = self._array.fill_value
        shape = tuple(one.stop - one.start for one in key)
        data = np.full(shape, fill, self.dtype) if fill else np.zeros(shape, self.dtype)
        for place in places:
            box = self._box(place, key)
            inner = tuple(
                slice(one.start - all_.start, one.stop - all_.start)
                for one, all_ in zip(box, key, strict=True)
            )
            data[inner] = self._read(box, [place])
        return data

    def whole(self) -> np.ndarray:
        """All pixels."""
        check_memory(self.shape, self.dtype)
        return self[tuple(slice(0, size) for size in self.shape)]

    def _among(self, ranges: list[range]) -> list[tuple[int, ...]]:
        """Places of the stored chunks in ranges of the grid."""
        if math.prod(map(len, ranges)) <= len(self.stored):
            return [place for place in itertools.product(*ranges) if place in self.stored]
        return [
            place
            for place in self.stored
            if all(n in one for n, one in zip(place, ranges, strict=True))
        ]

    def _read(self, key: tuple[slice, ...], places: list[tuple[int, ...]]) -> np.ndarray:
        """Pixels from chunks; an error names the first that is damaged."""
        try:
            with clear(f"{self._folder}: not readable"):
                return np.asarray(self._array[key])
        except FormatError:
            for place in places:
                with clear(f"{self._file(place)}: damaged chunk"):
                    self._array[self._box(place)]
            raise

    def _box(
        self, place: tuple[int, ...], within: tuple[slice, ...] | None = None
    ) -> tuple[slice, ...]:
        """Pixels of the chunk at a place of the grid, by default all of them in the array."""
        within = within or tuple(slice(0, size) for size in self.shape)
        return tuple(
            slice(max(n * unit, one.start), min((n + 1) * unit, one.stop))
            for n, unit, one in zip(place, self._unit, within, strict=True)
        )

    def _file(self, place: tuple[int, ...]) -> Path:
        name: str = self._array.metadata.encode_chunk_key(place)
        return self._folder / name

    def _check(self, file: Path) -> None:
        """Raise a FormatError if a chunk states that it decodes to more than its pixels."""
        with clear(f"{file}: not readable"):
            stated = None if self._plain or self._array.shards else stated_size(file)
        if stated is not None and stated > _WIDEST * self._length + _SLACK:
            raise FormatError(
                f"{file}: damaged chunk (it states {stated} bytes of pixels, not {self._length})"
            )

    def _found(self) -> frozenset[tuple[int, ...]]:
        """Places of the chunks whose files exist.

        Raises
        ------
        FormatError
            If a file is empty, or not as long as the pixels that it holds uncompressed.
        """
        length = self._length if self._plain else None
        found = set()
        for root, _, names in os.walk(self._folder):
            inner = Path(root).relative_to(self._folder).as_posix() + "/"
            for name in names:
                key = inner.removeprefix("./") + name
                match = _KEY.fullmatch(key)
                place = tuple(map(int, re.split(r"[./]", match[1]))) if match else ()
                if len(place) != len(self.shape) or not self._inside(place):
                    continue
                if key != self._array.metadata.encode_chunk_key(place):
                    continue
                file = Path(root) / name
                size = file.stat().st_size
                if not size or (length and size != length):
                    expected = f" in place of {length}" if length else ""
                    raise FormatError(f"{file}: damaged chunk ({size} bytes{expected})")
                found.add(place)
        return frozenset(found)

    def _inside(self, place: tuple[int, ...]) -> bool:
        sides = zip(place, self._unit, self.shape, strict=True)
        return all(n * unit < size for n, unit, size in sides)


def pixels(array: Any, folder: Path, scratch: Path | None) -> Any:
    """Pixels of an array; if they are large and there is a scratch folder, they are not loaded.

    Raises
    ------
    FormatError
        If no chunk is stored, or one is damaged.
    ImageError
        If there are no pixels, or they are not real numbers.
    """
    content = Chunked(array, folder)
    if 0 in content.shape:
        raise ImageError(f"the image of shape {content.shape} holds no pixels")
    if not content.stored:
        raise FormatError("no pixels are stored: none of the chunks of its full resolution exists")
    if large.is_large(content.shape, content.dtype, scratch):
        return large.Stored(content)
    return content.whole()


def opened(zarr: Any, folder: Path) -> Any:
    """Array in a folder.

    Raises
    ------
    FormatError
        If its metadata are damaged, or it needs a codec that is not installed or that runs code.
    """
    if is_pickled(folder):
        raise FormatError("its chunks are pickled, which is not safe to read; save them anew")
    try:
        return zarr.open_array(folder, mode="r")
    except AutodipError:
        raise
    except Exception as error:  # metadata may be of any form
        raise FormatError(
            f"{folder}: not a readable Zarr array ({reason(error)}); if a codec is missing, "
            "install it or save the array with another one, such as zstd"
        ) from error


def storage(array: Any) -> dict[str, Any]:
    """Arguments of ``zarr.create_array`` as for ``array``.

    Compressors are omitted if they are lossy, or can decode but not encode.
    """
    result: dict[str, Any] = {"chunks": tuple(array.chunks)}
    if array.shards is not None:
        result["shards"] = tuple(array.shards)
    names = [_codec_name(codec) for codec in array.compressors]
    usable = all(name in _LOSSLESS for name in names) and all(map(_encodes, array.compressors))
    if names and usable:
        result["compressors"] = tuple(array.compressors)
    return result


def _encodes(codec: Any) -> bool:
    """Whether a codec can encode: those of Zarr 2 do not check their parameters before."""
    if not hasattr(codec, "get_config"):
        return True
    try:
        codec.encode(bytes(64))
        repr(codec)
    except Exception:  # of any kind, depending on the parameter
        return False
    return True


def _codec_name(codec: Any) -> str:
    told = codec.to_dict() if hasattr(codec, "to_dict") else codec.get_config()
    return str(told.get("name") or told.get("id"))


def stored_type(dtype: np.dtype, *, native: bool) -> np.dtype:
    """Type of an array: the one type of the name that zarr knows, where C has several."""
    return np.dtype((dtype.newbyteorder("=") if native else dtype).str)


def fill(array: Any, level: np.ndarray) -> None:
    """Write pixels to an array; if they are large, in rows of whole chunks."""
    if level.nbytes <= large.LARGE:
        array[...] = level
        return
    unit = array.shards or array.chunks
    rows = (range(0, n, u) for n, u in zip(level.shape[:-1], unit, strict=False))
    for corner in itertools.product(*rows):
        block = tuple(slice(first, first + u) for first, u in zip(corner, unit, strict=False))
        array[block] = level[block]


def fitting(storage: Mapping[str, Any], level: np.ndarray) -> dict[str, Any]:
    """Storage of a level: chunks no longer than its axes, codecs only if they fit its type."""
    result = dict(storage)
    if "shards" not in result:
        chunks = zip(result["chunks"], level.shape, strict=True)
        result["chunks"] = tuple(min(chunk, n) for chunk, n in chunks)
    sizes = {getattr(codec, "typesize", None) for codec in result.get("compressors", ())}
    if not sizes <= {None, level.dtype.itemsize}:
        del result["compressors"]
    return result
