"""Pairs without a true image: the mean of the other captures of the field serves as truth."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autodip.datasets import own_pairs, pair_lists
from autodip.datasets.layout import plane
from autodip.datasets.pair import Pair
from autodip.datasets.pair_lists import PairList
from autodip.errors import FormatError, ImageError

FEWEST = 4
"""Minimum number of captures of a field; the mean of fewer others is too noisy to be a truth."""


def averaged(place: Path | PairList) -> list[Pair]:
    """List the captures in a manifest whose ``truth`` is absent, null or empty.

    Captures of one field share set, microscope, specimen, channel, noise level and ``fov``. The
    truth of each capture is the mean of all others, so that it does not contain its own noise.

    Parameters
    ----------
    place : Path or PairList
        Manifest, its folder, or the list that was read.

    Returns
    -------
    list of Pair
        Captures of the fields that have :data:`FEWEST` or more; missing files are left out.

    Raises
    ------
    FormatError
        If the manifest cannot be read, one of its entries is wrong, or no field has enough
        captures.
    """
    listed = pair_lists.read(place)
    root, path = listed.root, listed.where
    alone = [e for e in listed.entries if isinstance(e, dict) and not e.get("truth")]
    entries = [_with_truth(entry, path) for entry in alone]
    fields: dict[tuple[object, ...], list[tuple[Path, Pair]]] = {}
    names = own_pairs.names_of(entries, path)
    for entry, name in zip(entries, names, strict=True):
        file = root / entry["file"]
        if file.is_file():
            pair = own_pairs.pair_of(root, entry, name)
            field = (pair.dataset, pair.group, pair.specimen, pair.noise_level, pair.fov)
            fields.setdefault(field, []).append((file, pair))
    enough = {field: found for field, found in fields.items() if len(found) >= FEWEST}
    if not enough:
        most = max(map(len, fields.values()), default=0)
        raise FormatError(
            f"{path}: {len(entries)} entries have no truth, and at most {most} of them show the "
            f"same field; to average, {FEWEST} captures of a field are needed"
        )
    return [_pair(found, number) for found in enough.values() for number in range(len(found))]


def _with_truth(entry: dict[str, Any], path: str) -> dict[str, Any]:
    """Complete an entry with its own file as the truth, which also sets its data range."""
    completed = {**entry, "truth": entry.get("file")}
    problem = own_pairs.problem_of(completed)
    if problem:
        raise FormatError(f"{path}: the entry of {entry.get('file')!r} {problem}")
    return completed


def _pair(found: list[tuple[Path, Pair]], number: int) -> Pair:
    file, pair = found[number]
    others = tuple(other for n, (other, _) in enumerate(found) if n != number)
    return dataclasses.replace(pair, read=partial(_read, file, others))


def _read(noisy: Path, others: tuple[Path, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Noisy image in its own type, and the mean of the others, float64; both (Y, X)."""
    image = plane(noisy)
    total = np.zeros(image.shape)
    for path in others:
        other = plane(path)
        if other.shape != image.shape:
            raise ImageError(
                f"{path} has the shape {other.shape}, another capture of its field {image.shape}; "
                "all captures of a field must have the same shape"
            )
        total += other
    return image, total / len(others)
