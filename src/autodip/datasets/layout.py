"""Shared code of the data sets: listing folders, reading planes, naming groups, wording."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autodip import io
from autodip.datasets.pair import Pair
from autodip.errors import FormatError


@dataclass(frozen=True)
class Listing:
    """What a folder contains of a data set.

    Parameters
    ----------
    pairs : list of Pair
    missing : list of str
        One sentence for each item that is missing or had to be left out.
    """

    pairs: list[Pair]
    missing: list[str]


def folders(path: Path) -> list[Path]:
    """Visible direct subfolders in natural order (numbers by value); none if it is missing."""
    if not path.is_dir():
        return []
    return sorted((p for p in path.iterdir() if p.is_dir() and p.name[0] != "."), key=_natural)


def files(path: Path, *suffixes: str) -> list[Path]:
    """Visible files directly in a folder with one of the suffixes, sorted like the folders."""
    if not path.is_dir():
        return []
    found = (p for p in path.iterdir() if p.suffix.lower() in suffixes and p.name[0] != ".")
    return sorted((p for p in found if p.is_file()), key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.findall(r"\d+|\D+", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def group(microscope: str | None, specimen: str | None, *more: str) -> str:
    """Name of a group: the words that are not None or empty, or "unknown"."""
    words = [word for word in (microscope, specimen, *more) if word]
    return " ".join(words) or "unknown"


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers as text: 1, 4-6, 9."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{r[0]}-{r[-1]}" if len(r) > 1 else f"{r[0]}" for r in runs)


def fields(numbers: Iterable[int]) -> str:
    """Numbers of fields of view as text: field 3; fields 1, 4-6."""
    numbers = set(numbers)
    return f"field{'s' if len(numbers) != 1 else ''} {ranges(numbers)}"


def plane(path: Path) -> np.ndarray:
    """Read an image file that holds one grey plane, (Y, X).

    Raises
    ------
    FormatError
        If it cannot be read, or holds several planes or colours.
    """
    image = io.read(path)
    data = image.data.squeeze()
    if data.ndim != 2:
        raise FormatError(
            f"{path}: it has the shape {image.data.shape} ({image.axes}), not one grey plane; "
            "get this file again from the authors"
        )
    return data


def same_shape(
    noisy: np.ndarray, truth: np.ndarray, paths: tuple[Path, Path]
) -> tuple[np.ndarray, np.ndarray]:
    """Return both images, or raise a FormatError if their shapes differ."""
    if noisy.shape != truth.shape:
        raise FormatError(
            f"{paths[0]} has the shape {noisy.shape}, its truth {paths[1]} the shape "
            f"{truth.shape}; one of them is not the file that the authors published"
        )
    return noisy, truth


def planes(noisy: Path, truth: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a noisy and a true image, each from its own file."""
    return same_shape(plane(noisy), plane(truth), (noisy, truth))
