"""NumPy arrays in ``.npz`` archives: the only array, or the one called ``image``."""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autodip.errors import FormatError
from autodip.image.image import Image
from autodip.io import npy, scenes
from autodip.io.faults import check_content, check_memory

_USUAL = "image"
_SUFFIX = ".npy"


@dataclass(frozen=True)
class NpzSource:
    """Key of the array in its archive."""

    key: str


def read(path: Path, axes: str | None, scene: str | int | None = None) -> Image:
    """Read one array: the one given by ``scene``, else the only one or that called ``image``."""
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise FormatError("not a readable NPZ archive, or a truncated one")
        archive = zipfile.ZipFile(file)
        members = [one for one in archive.infolist() if one.filename.endswith(_SUFFIX)]
        if not members:
            raise FormatError(
                f"the archive holds no array (no name ends in {_SUFFIX}); save one with numpy.savez"
            )
        keys = [member.filename.removesuffix(_SUFFIX) for member in members]
        named = _USUAL if scene is None and len(keys) > 1 and keys.count(_USUAL) == 1 else scene
        number = scenes.choose(keys, named)
        data = array_of(archive, members[number])
    return npy.with_axes(data, axes, path).replace(source=NpzSource(keys[number]))


def array_of(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """Array of a member of an archive, after its header was compared with the member's size.

    Raises
    ------
    FormatError
        If the member is not an array of numbers, or is too small for it.
    OutOfMemoryError
        If the array does not fit into memory.
    """
    with archive.open(member) as file:
        shape, dtype = npy.stated(file)
        check_content(math.prod(shape) * dtype.itemsize, member.file_size)
    check_memory(shape, dtype)
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def write(path: Path, image: Image) -> None:
    """Write the array, compressed, under the key it was read from or else ``image``."""
    key = image.source.key if isinstance(image.source, NpzSource) else _USUAL
    with (
        path.open("wb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(key + _SUFFIX, "w", force_zip64=True) as member,
    ):
        np.lib.format.write_array(member, np.asanyarray(image.data), allow_pickle=False)
