"""NumPy arrays in ``.npz`` archives: the only array, or the one called ``image``."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autodip.errors import FormatError
from autodip.image.image import Image
from autodip.io import scenes
from autodip.io.npy import with_axes

_USUAL = "image"


@dataclass(frozen=True)
class NpzSource:
    """Key of the array in its archive."""

    key: str


def read(path: Path, axes: str | None, scene: str | int | None = None) -> Image:
    """Read one array: the one given by ``scene``, else the only one or that called ``image``."""
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise FormatError("not an NPZ archive")
            keys = list(archive)
            named = _USUAL if scene is None and len(keys) > 1 and _USUAL in keys else scene
            key = keys[scenes.choose(keys, named)]
            data = archive[key]
    except FormatError:
        raise
    except (ValueError, OSError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise FormatError(f"not a readable NPZ archive, or a truncated one ({error})") from error
    return with_axes(data, axes, path).replace(source=NpzSource(key))


def write(path: Path, image: Image) -> None:
    """Write the array, compressed, under the key it was read from or else ``image``."""
    key = image.source.key if isinstance(image.source, NpzSource) else _USUAL
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **{key: image.data})
