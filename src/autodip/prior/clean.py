"""Clean images from which training samples are cut: real ones from a folder, and drawn scenes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autodip import io
from autodip.errors import FormatError, ImageError, ParameterError
from autodip.image.scaling import brightness
from autodip.physics.structures import KINDS, draw_scene
from autodip.util.values import Value, check_float, check_option

FEWEST = 3.0
"""Fewest photons simulated in the brightest pixels of a scene."""

_SMALLEST = 100
"""Smallest side of a clean image, in pixels."""


MANIFEST = "manifest.json"
"""File that lists the images of a folder: a list of objects with the names of files."""

_KEYS = ("file", "truth")


@dataclass(frozen=True)
class Clean:
    """A clean image.

    Parameters
    ----------
    pixels : ndarray, float32, shape (Y, X)
        Brightness; 0 is the darkest thousandth of the pixels, 1 the brightest pixel.
    weight : float
        Relative frequency at which examples are cut from it.
    finest : float
        Smallest factor by which it is scaled down, at least 1; scaling down averages the noise
        that clean images still have.
    photons : float
        Largest number of photons simulated in its brightest pixels, beyond which its own noise
        would be taken for structure.
    """

    pixels: np.ndarray
    weight: float
    finest: float
    photons: float


@dataclass(frozen=True)
class Source(Value):
    """Real clean images: those of one role in a folder with a manifest.

    Parameters
    ----------
    folder : str
        Relative to the folder of the data.
    key : str
        Key of the file names in the entries of the manifest: "file", or "truth" if it lists pairs
        of a noisy and a true image.
    role : str
        Value of ``role`` in the entries to use.
    set : str
        Value of ``set`` in the entries to use; empty for any.
    weight : float
        As in :class:`Clean`, above 0.
    finest : float
        As in :class:`Clean`, at least 1.
    photons : float
        As in :class:`Clean`, at least 3.

    Raises
    ------
    ParameterError
        If a value is out of its range.
    """

    folder: str
    key: str
    role: str
    _: KW_ONLY
    set: str = ""
    weight: float = 1.0
    finest: float = 1.0
    photons: float = 150.0

    def __post_init__(self) -> None:
        for name in ("folder", "role", "set"):
            if not isinstance(getattr(self, name), str):
                raise ParameterError(f"{name} is {getattr(self, name)!r}; give a text")
        check_option("key", self.key, _KEYS)
        check_float("weight", self.weight, 0, 1e6, open_low=True)
        check_float("finest", self.finest, 1, 100)
        check_float("photons", self.photons, FEWEST, 1e6)


def read_manifest(folder: Path, *keys: str, **wanted: str) -> list[dict[str, Any]]:
    """Entries of a folder's manifest that have the given values.

    Parameters
    ----------
    folder : Path
    *keys : str
        Keys of file names that every one of these entries must have.
    **wanted : str
        Values by key.

    Raises
    ------
    FormatError
        If the manifest is missing or is not a list of objects, or a key is missing.
    ImageError
        If no entry has the given values.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise FormatError(f"{path} is missing; check the folder of the data")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: not readable as JSON ({error})") from error
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise FormatError(f"{path}: give a list of objects, one for each image")
    found = [e for e in content if all(e.get(key) == value for key, value in wanted.items())]
    if not found:
        words = " and ".join(f"{key} {value!r}" for key, value in wanted.items())
        raise ImageError(f"{path} has no entries{' of ' * bool(words)}{words}")
    for entry in found:
        for key in keys:
            if not isinstance(entry.get(key), str):
                raise FormatError(f"{path}: an entry lacks the file name {key!r}: {entry}")
    return found


def load_source(root: Path, source: Source) -> Iterator[Clean]:
    """Clean images of a source; those with a side below 100 pixels are left out.

    Parameters
    ----------
    root : Path
        Folder of the data.
    source : Source

    Raises
    ------
    FormatError
        If the manifest or an image cannot be read.
    ImageError
        If the manifest has no such entries, or all their images are too small.
    """
    folder, used = root / source.folder, 0
    for name in file_names(folder, source.key, role=source.role, set=source.set):
        plane = first_plane(folder / name)
        if min(plane.shape) >= _SMALLEST:
            used += 1
            yield Clean(brightness(plane), source.weight, source.finest, source.photons)
    if not used:
        raise ImageError(
            f"{folder / MANIFEST}: all images of role {source.role!r} are smaller than "
            f"{_SMALLEST} x {_SMALLEST} pixels; use larger ones"
        )


def file_names(folder: Path, key: str, **wanted: str) -> list[str]:
    """Different file names under a key of the manifest; empty values are not compared.

    Raises
    ------
    FormatError, ImageError
        As :func:`read_manifest`.
    """
    compared = {name: value for name, value in wanted.items() if value}
    entries = read_manifest(folder, key, **compared)
    return list(dict.fromkeys(entry[key] for entry in entries))


def first_plane(path: Path) -> np.ndarray:
    """First plane of an image file, shape (Y, X), in its own units."""
    _, plane = next(io.read(path).planes())
    return plane


def draw_scenes(
    count: int, size: int, seed: int, *, weight: float, photons: float, kinds: Sequence[str] = KINDS
) -> Iterator[Clean]:
    """Drawn scenes of all kinds in turn; each is a function of its number and the seed.

    Kinds without structure are, together, as frequent as one kind with structure.

    Parameters
    ----------
    count : int
        Number of scenes.
    size : int
        Side length in pixels.
    seed : int
    weight, photons : float
        As in :class:`Clean`.
    kinds : sequence of str
        Kinds to draw, as in :data:`autodip.physics.structures.KINDS`.
    """
    plain = [kind for kind in kinds if kind in ("gradient", "flat", "empty")]
    rich = [kind for kind in kinds if kind not in plain]
    for number in range(count):
        generator = np.random.default_rng([seed, number])
        place, turn = number % (len(rich) + bool(plain)), number // (len(rich) + bool(plain))
        kind = rich[place] if place < len(rich) else plain[turn % len(plain)]
        pixels = draw_scene(kind, size, generator)
        yield Clean(pixels, weight, 1.0, photons)
