"""DataSet3 of Shah et al. (GigaScience 2024): tubulin, noisy wide-field stacks and references.

The frames of ``Noisy_ImageStacks/..._FOV_<n>_Timestamp_<n>_number_<n>.tif`` are captures of the
field in the file of ``Reference_Images`` that has the same FOV and number. Because the exposures
differ, a comparison is meaningful only after a linear fit of the intensities.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np

from autodip.datasets import pages
from autodip.datasets.layout import Listing, files, group, same_shape
from autodip.datasets.pair import Pair
from autodip.errors import FormatError

LAYOUT = (
    "DataSet3/Noisy_ImageStacks/*_FOV_<n>_Timestamp_<n>_number_<n>.tif with files of the same FOV "
    "and number in DataSet3/Reference_Images"
)
"""Expected content of the folder."""

_NAME = re.compile(r".*FOV_(\d+)_Timestamp_(\d+)_number_(\d+)\.tiff?", re.IGNORECASE)


def scan(root: Path) -> Listing:
    """List the pairs in a folder, and what is missing."""
    place = root / "DataSet3" if (root / "DataSet3").is_dir() else root
    references: dict[tuple[int, int], list[tuple[int, Path]]] = {}
    for path in files(place / "Reference_Images", ".tif", ".tiff"):
        match = _NAME.fullmatch(path.name)
        if match:
            fov, timestamp, number = map(int, match.groups())
            references.setdefault((fov, number), []).append((timestamp, path))
    listing = Listing([], [])
    for path in files(place / "Noisy_ImageStacks", ".tif", ".tiff"):
        match = _NAME.fullmatch(path.name)
        if match is None:
            listing.missing.append(f"{path.name}: left out, its name has no FOV and number")
            continue
        fov, timestamp, number = map(int, match.groups())
        candidates = references.get((fov, number), [])
        exact = [reference for t, reference in candidates if t == timestamp]
        chosen = exact or [reference for _, reference in candidates]
        if len(chosen) != 1:
            what = f"{len(chosen)} references" if chosen else "no reference"
            listing.missing.append(
                f"{path.name}: left out, {what} of FOV {fov} and number {number}"
            )
            continue
        listing.pairs.extend(_frames(path, chosen[0], (fov, number), listing.missing))
    return listing


def _frames(noisy: Path, truth: Path, place: tuple[int, int], missing: list[str]) -> list[Pair]:
    """One pair for each frame of a stack."""
    try:
        count, true_count = pages.count(noisy), pages.count(truth)
    except FormatError as error:
        missing.append(f"{noisy.name}: left out, {error}")
        return []
    if true_count not in (1, count):
        missing.append(f"{noisy.name}: left out, {count} frames but {true_count} in its reference")
        return []
    return [
        Pair(
            dataset="shah",
            name=f"{noisy.stem}/{frame + 1:04d}",
            read=partial(_read, noisy, truth, (frame, frame if true_count > 1 else 0)),
            microscope="widefield",
            specimen="tubulin",
            noise_level="raw",
            fov=f"{place[0]}_{place[1]}",
            capture=str(frame + 1),
            group=group("widefield", "tubulin"),
            stretched=True,
        )
        for frame in range(count)
    ]


def _read(noisy: Path, truth: Path, frames: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    images = pages.read(noisy, frames[0]), pages.read(truth, frames[1])
    return same_shape(*images, (noisy, truth))
