"""Clean images from which training samples are cut: real ones from a folder, and drawn scenes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autodip import io
from autodip.errors import ImageError
from autodip.physics.structures import KINDS, draw_scene

_SMALLEST = 100
"""Smallest side of a clean image, in pixels."""


@dataclass(frozen=True)
class Clean:
    """A clean image.

    Parameters
    ----------
    pixels : ndarray, float32, shape (Y, X)
        Brightness; 0 is the darkest thousandth of the pixels, 1 the brightest pixel.
    weight : float
        Relative frequency at which samples are cut from it.
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


def load_folder(path: Path, source: dict[str, Any]) -> Iterator[Clean]:
    """Clean images of a folder with a ``manifest.json``.

    Parameters
    ----------
    path : Path
        Folder of the manifest, a list of entries with ``file`` (or ``truth``) and ``role``.
    source : dict
        ``key`` (of the file name in an entry), ``role`` of the entries to use, ``set`` (optional)
        and the values ``weight``, ``finest`` and ``photons`` of :class:`Clean`.

    Raises
    ------
    ImageError
        If the manifest is missing or has no such entry.
    """
    manifest = path / "manifest.json"
    if not manifest.is_file():
        raise ImageError(f"{manifest} is missing; give the folder that contains the clean images")
    entries = json.loads(manifest.read_text(encoding="utf-8"))
    wanted = [e for e in entries if e["role"] == source["role"]]
    if source.get("set"):
        wanted = [e for e in wanted if e.get("set") == source["set"]]
    names = list(dict.fromkeys(e[source["key"]] for e in wanted))
    if not names:
        raise ImageError(f"{manifest} has no entries of role {source['role']!r}")
    for name in names:
        image = io.read(path / name)
        _, plane = next(image.planes())
        if min(plane.shape) >= _SMALLEST:
            yield Clean(_normalised(plane), source["weight"], source["finest"], source["photons"])


def _normalised(plane: np.ndarray) -> np.ndarray:
    plane = plane.astype(np.float32)
    dark, bright = float(np.percentile(plane, 0.1)), float(plane.max())
    return np.clip((plane - dark) / max(bright - dark, 1e-9), 0, None)


def draw_scenes(
    count: int, size: int, seed: int, *, weight: float, photons: float, kinds: Sequence[str] = KINDS
) -> Iterator[Clean]:
    """Scenes of all kinds; each is a function of its number and the seed.

    Kinds without structure are as frequent as one kind with structure, together.
    """
    plain = [kind for kind in kinds if kind in ("gradient", "flat", "empty")]
    rich = [kind for kind in kinds if kind not in plain]
    for number in range(count):
        generator = np.random.default_rng([seed, number])
        place, turn = number % (len(rich) + bool(plain)), number // (len(rich) + bool(plain))
        kind = rich[place] if place < len(rich) else plain[turn % len(plain)]
        pixels = draw_scene(kind, size, generator)
        yield Clean(pixels, weight, 1.0, photons)
