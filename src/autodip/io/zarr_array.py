"""Arrays of Zarr: how they are stored, and their pixels chunk by chunk."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autodip.errors import AutodipError, FormatError, ImageError
from autodip.io import large
from autodip.io.faults import check_memory, clear, reason

_LOSSLESS = ("blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma", "lzma2")
_KEY = re.compile(r"(?:c[./])?(\d+(?:[./]\d+)*)")


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
        if "pickle" in {name.rpartition(".")[2] for name in _codecs(array)}:
            raise FormatError("its chunks are pickled, which is not safe to read; save it anew")
        self._unit = tuple(int(n) for n in array.shards or array.chunks)
        check_memory(self._unit, self.dtype)

    def __getitem__(self, key: tuple[slice, ...]) -> np.ndarray:
        """Pixels at slices along each axis.

        Raises
        ------
        FormatError
            If a chunk is damaged.
        """
        try:
            with clear(f"{self._folder}: not readable"):
                return np.asarray(self._array[key])
        except FormatError as error:
            raise self._damage(key) or error from error

    def _damage(self, key: tuple[slice, ...]) -> FormatError | None:
        """Error that names the first damaged chunk among those read at ``key``."""
        ranges = [
            range(one.start // unit, (one.stop - 1) // unit + 1)
            for one, unit in zip(key, self._unit, strict=True)
        ]
        for place in itertools.product(*ranges):
            try:
                self._array[self._box(place)]
            except Exception as error:  # codecs may raise any exception
                name = self._folder / self._array.metadata.encode_chunk_key(place)
                return FormatError(f"{name}: damaged chunk ({reason(error)})")
        return None

    def _box(self, place: tuple[int, ...]) -> tuple[slice, ...]:
        """Pixels of the chunk at a place of the grid."""
        return tuple(
            slice(n * unit, min((n + 1) * unit, size))
            for n, unit, size in zip(place, self._unit, self.shape, strict=True)
        )

    def stored(self) -> list[tuple[int, ...]]:
        """Places in the grid of the chunks (or shards) that are stored.

        Raises
        ------
        FormatError
            If a file of a chunk is empty, or not as long as the pixels that it holds uncompressed.
        """
        plain = not self._array.compressors and not self._array.filters
        length = math.prod(self._unit) * self.dtype.itemsize
        length = length if plain and not self._array.shards else None
        found = []
        for file in self._folder.rglob("*"):
            match = _KEY.fullmatch(file.relative_to(self._folder).as_posix())
            place = tuple(map(int, re.split(r"[./]", match[1]))) if match else ()
            if len(place) != len(self.shape) or not file.is_file():
                continue
            if any(n * u >= size for n, u, size in zip(place, self._unit, self.shape, strict=True)):
                continue
            size = file.stat().st_size
            if not size or (length and size != length):
                raise FormatError(
                    f"{file}: damaged chunk ({size} bytes"
                    + (f" in place of {length})" if length else ")")
                )
            found.append(place)
        return found

    def whole(self) -> np.ndarray:
        """All pixels; no more than the chunks that are stored is read."""
        check_memory(self.shape, self.dtype)
        places = self.stored()
        grid = math.prod(-(-size // u) for size, u in zip(self.shape, self._unit, strict=True))
        if len(places) == grid:
            return self[tuple(slice(0, size) for size in self.shape)]
        fill = self._array.fill_value
        empty = not fill or not self.shape
        data = np.zeros(self.shape, self.dtype) if empty else np.full(self.shape, fill, self.dtype)
        for place in places:
            data[self._box(place)] = self[self._box(place)]
        return data


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
    if not content.stored():
        raise FormatError("no pixels are stored: none of the chunks of its full resolution exists")
    if large.is_large(content.shape, content.dtype, scratch):
        return large.Stored(content)
    return content.whole()


def opened(zarr: Any, folder: Path) -> Any:
    """Array in a folder.

    Raises
    ------
    FormatError
        If its metadata are damaged, or it needs a codec that is not installed.
    """
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
    """Arguments of ``zarr.create_array`` as for ``array``; lossy compressors are omitted."""
    result: dict[str, Any] = {"chunks": tuple(array.chunks)}
    if array.shards is not None:
        result["shards"] = tuple(array.shards)
    names = [_codec_name(codec) for codec in array.compressors]
    if names and all(name in _LOSSLESS for name in names):
        result["compressors"] = tuple(array.compressors)
    return result


def _codecs(array: Any) -> Iterator[str]:
    yield from map(_codec_name, (*array.filters, *array.compressors))


def _codec_name(codec: Any) -> str:
    told = codec.to_dict() if hasattr(codec, "to_dict") else codec.get_config()
    return str(told.get("name") or told.get("id"))


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
